//! The index prices: seeded random walks.

use fastrand::Rng;

use super::listing::IndexSeed;

/// One index price.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) name: &'static str,
    /// As published, to two decimals (four for small prices).
    pub(crate) price: f64,
    exact: f64,
    /// Standard deviation of one step.
    sigma: f64,
    rng: Rng,
}

impl Index {
    /// Starts near its listed price; how near is the seed's.
    pub(crate) fn new(seed: IndexSeed, steps_a_year: f64, mut rng: Rng) -> Self {
        let exact = seed.price * (1.0 + 0.01 * (rng.f64() - 0.5));
        let sigma = seed.volatility / steps_a_year.sqrt();
        Self { name: seed.name, price: published(exact), exact, sigma, rng }
    }

    pub(crate) fn step(&mut self) {
        // Six uniform numbers make a good enough bell, with a variance of one half.
        let bell: f64 = (0..6).map(|_| self.rng.f64() - 0.5).sum::<f64>() * std::f64::consts::SQRT_2;
        self.exact *= 1.0 + self.sigma * bell;
        self.price = published(self.exact);
    }
}

fn published(price: f64) -> f64 {
    let scale = if price < 10.0 { 10_000.0 } else { 100.0 };
    (price * scale).round() / scale
}
