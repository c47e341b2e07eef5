//! What a price was before anyone looked: a walk that is a function of time, so that any part of it can be asked
//! for, and that ends where the market began.

/// Scales of time, and how much each of them moves.
const SCALES_MS: [f64; 6] = [120_000.0, 900_000.0, 7_200_000.0, 86_400_000.0, 864_000_000.0, 5_184_000_000.0];
const YEAR_MS: f64 = 365.0 * 86_400_000.0;
/// Points that a bar is read at.
const POINTS: i64 = 16;

/// A bar of prices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    pub(crate) open: f64,
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) close: f64,
}

/// The walk of one price.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Past {
    seed: u64,
    anchor_ms: i64,
    anchor: f64,
    /// Of a year, as a fraction.
    volatility: f64,
}

impl Past {
    /// A walk that is at `anchor` at `anchor_ms`.
    pub(crate) fn new(seed: u64, anchor_ms: i64, anchor: f64, volatility: f64) -> Self {
        Self { seed, anchor_ms, anchor, volatility }
    }

    /// Where it was.
    pub(crate) fn at(&self, ms: i64) -> f64 {
        self.anchor * (self.displacement(ms) - self.displacement(self.anchor_ms)).exp()
    }

    /// What it did from one moment to another.
    pub(crate) fn span(&self, from_ms: i64, to_ms: i64) -> Span {
        let (open, close) = (self.at(from_ms), self.at(to_ms));
        let start = Span { open, high: open.max(close), low: open.min(close), close };
        (1..POINTS)
            .map(|point| self.at(from_ms + (to_ms - from_ms) * point / POINTS))
            .fold(start, |span, price| Span { high: span.high.max(price), low: span.low.min(price), ..span })
    }

    fn displacement(&self, ms: i64) -> f64 {
        let scale = |(number, scale): (u64, &f64)| {
            let size = self.volatility * (scale / YEAR_MS).sqrt();
            size * noise(self.seed.wrapping_add(number), ms as f64 / scale)
        };
        (0..).zip(&SCALES_MS).map(scale).sum()
    }
}

/// Smooth noise between -1 and 1.
pub(crate) fn noise(seed: u64, x: f64) -> f64 {
    let (left, part) = (x.floor(), x - x.floor());
    let smooth = part * part * (3.0 - 2.0 * part);
    let (a, b) = (point(seed, left as i64), point(seed, left as i64 + 1));
    a + (b - a) * smooth
}

/// A number between -1 and 1 for each whole one.
fn point(seed: u64, x: i64) -> f64 {
    let mut mixed = seed ^ (x as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_ends_where_the_market_begins_and_moves_as_much_as_it_says() {
        let past = Past::new(7, 1_790_133_840_448, 60_000.0, 0.5);
        assert_eq!(past.at(1_790_133_840_448), 60_000.0);
        let day = past.span(1_790_133_840_448 - 86_400_000, 1_790_133_840_448);
        assert!(day.low <= day.open.min(day.close) && day.high >= day.open.max(day.close));
        let range = day.high / day.low;
        assert!((1.003..1.15).contains(&range), "{range}");
        assert_eq!(past.at(1_000), past.at(1_000));
    }

    #[test]
    fn noise_stays_in_bounds_and_joins() {
        for step in 0..10_000 {
            let x = f64::from(step) * 0.01;
            assert!(noise(3, x).abs() <= 1.0 && (noise(3, x) - noise(3, x + 1e-6)).abs() < 1e-4);
        }
    }
}
