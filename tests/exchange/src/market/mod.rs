//! The market model: indices that walk, books that follow them, trades. The same seed gives the same market.

pub(crate) mod book;
mod calendar;
mod flow;
mod index;
pub(crate) mod instrument;
mod listing;
mod option;
pub(crate) mod quoted;
mod views;

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use self::calendar::DAY_MS;
use self::index::Index;
use self::quoted::Quoted;

const YEAR_SECONDS: f64 = 365.0 * 86_400.0;

/// A book as it is at this moment, best levels first. What a client has rebuilt must equal it.
#[derive(Debug, Clone, PartialEq)]
pub struct BookView {
    /// The instrument.
    pub instrument: String,
    /// The number of the last change.
    pub change_id: u64,
    /// When that was, in milliseconds since 1970.
    pub timestamp: i64,
    /// Price and amount, highest price first.
    pub bids: Vec<(f64, f64)>,
    /// Price and amount, lowest price first.
    pub asks: Vec<(f64, f64)>,
}

/// All instruments and the indices they follow.
#[derive(Debug)]
pub(crate) struct Market {
    rng: Rng,
    indices: Vec<Index>,
    quoted: Vec<Quoted>,
    by_name: BTreeMap<String, usize>,
    /// The change counter of each currency's engine.
    counters: BTreeMap<&'static str, u64>,
    trade_numbers: u64,
    /// The market's own time: it starts at the exchange's and advances by whole steps.
    steps: u64,
    /// Midnight before the market opened: what happens must not depend on the minute.
    day_ms: i64,
    pace: Duration,
}

impl Market {
    /// Opens a market at `now_ms` whose steps stand for `pace` each.
    pub(crate) fn open(seed: u64, now_ms: i64, pace: Duration) -> Self {
        let mut rng = Rng::with_seed(seed);
        let steps_a_year = YEAR_SECONDS / pace.as_secs_f64();
        let indices: Vec<Index> =
            listing::INDICES.iter().map(|index| Index::new(*index, steps_a_year, rng.fork())).collect();
        let mut market = Self {
            indices,
            quoted: Vec::new(),
            by_name: BTreeMap::new(),
            counters: ["BTC", "ETH", "USDC"]
                .into_iter()
                .map(|pool| (pool, counter_start(&mut rng)))
                .collect(),
            trade_numbers: rng.u64(100_000_000..400_000_000),
            steps: 0,
            day_ms: now_ms - now_ms.rem_euclid(DAY_MS),
            pace,
            rng,
        };
        for terms in listing::listing(market.day_ms) {
            market.list(terms, now_ms);
        }
        market
    }

    /// One step. `now_ms` only stamps what happens; what happens is the seed's alone.
    pub(crate) fn step(&mut self, now_ms: i64) {
        self.steps += 1;
        for index in &mut self.indices {
            index.step();
        }
        for position in 0..self.quoted.len() {
            self.step_one(position, now_ms);
        }
    }

    pub(crate) fn instruments(&self) -> &[Quoted] {
        &self.quoted
    }

    pub(crate) fn instrument(&self, name: &str) -> Option<&Quoted> {
        self.by_name.get(name).and_then(|position| self.quoted.get(*position))
    }

    /// The price of an index.
    pub(crate) fn index(&self, name: &str) -> Option<f64> {
        self.indices.iter().find(|index| index.name == name).map(|index| index.price)
    }

    pub(crate) fn index_names(&self) -> impl Iterator<Item = &'static str> {
        self.indices.iter().map(|index| index.name)
    }

    /// The data of `deribit_price_index.*`.
    pub(crate) fn index_update(&self, name: &str, now_ms: i64) -> Option<Value> {
        self.index(name).map(|price| json!({ "index_name": name, "price": price, "timestamp": now_ms }))
    }

    pub(crate) fn book(&self, name: &str) -> Option<BookView> {
        let quoted = self.instrument(name)?;
        let view = |side| {
            let top = quoted.book.top(side, usize::MAX).into_iter();
            top.map(|(p, a)| (quoted.terms.price.value(p), quoted.terms.amount.value(a))).collect()
        };
        Some(BookView {
            instrument: name.to_owned(),
            change_id: quoted.change_id,
            timestamp: quoted.changed_ms,
            bids: view(book::Side::Bid),
            asks: view(book::Side::Ask),
        })
    }

    fn list(&mut self, terms: instrument::Instrument, now_ms: i64) {
        let index = self.index(terms.index).unwrap_or(1.0);
        let mut quoted = Quoted::new(terms, index, self.day_ms, self.rng.fork());
        quoted.changed_ms = now_ms;
        quoted.change_id = self.next_change(quoted.terms.pool);
        self.by_name.insert(quoted.terms.name.clone(), self.quoted.len());
        self.quoted.push(quoted);
    }

    fn step_one(&mut self, position: usize, now_ms: i64) {
        let model_ms = self.day_ms + i64::try_from(self.pace.as_millis()).unwrap_or(0) * self.steps as i64;
        let Some(index) = self.quoted.get(position).and_then(|quoted| self.index(quoted.terms.index)) else {
            return;
        };
        let Some(quoted) = self.quoted.get_mut(position) else { return };
        let (fills, changed) = quoted.step(index, model_ms);
        let pool = quoted.terms.pool;
        for fill in fills {
            self.trade_numbers += 1;
            // Only the oldest engine's trades have bare numbers.
            let id = match pool {
                "BTC" => self.trade_numbers.to_string(),
                pool => format!("{pool}-{}", self.trade_numbers),
            };
            quoted.record(fill, id, now_ms);
        }
        if changed {
            quoted.changed_ms = now_ms;
            let change_id = self.next_change(pool);
            if let Some(quoted) = self.quoted.get_mut(position) {
                quoted.change_id = change_id;
            }
        }
    }

    /// The next number of a pool. Other traffic of the engine takes numbers too, so they never follow on.
    fn next_change(&mut self, pool: &'static str) -> u64 {
        let step = self.rng.u64(2..9_000);
        let counter = self.counters.entry(pool).or_insert(0);
        *counter += step;
        *counter
    }
}

fn counter_start(rng: &mut Rng) -> u64 {
    rng.u64(180_000_000_000..200_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_790_133_840_448;
    const PACE: Duration = Duration::from_millis(25);

    fn after(seed: u64, steps: i64) -> Market {
        let mut market = Market::open(seed, NOW, PACE);
        (0..steps).for_each(|step| market.step(NOW + 25 * step));
        market
    }

    fn books(market: &Market) -> Vec<BookView> {
        market.instruments().iter().filter_map(|quoted| market.book(&quoted.terms.name)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_market() {
        assert_eq!(books(&after(7, 500)), books(&after(7, 500)));
        assert_ne!(books(&after(7, 500)), books(&after(8, 500)));
    }

    #[test]
    fn books_are_never_crossed_and_keep_to_their_ticks() {
        let mut market = Market::open(3, NOW, PACE);
        for step in 0..2_000 {
            market.step(NOW + step);
            for quoted in market.instruments() {
                if let (Some((bid, _)), Some((ask, _))) = (quoted.book.best_bid(), quoted.book.best_ask()) {
                    assert!(bid < ask, "{} {bid} {ask}", quoted.terms.name);
                }
                assert!(quoted.book.bids.values().chain(quoted.book.asks.values()).all(|amount| *amount > 0));
            }
        }
    }

    #[test]
    fn most_books_are_two_sided_and_some_are_not_at_times() {
        let mut market = Market::open(3, NOW, PACE);
        let (mut whole, mut hollow) = (0, 0);
        for step in 0..2_000 {
            market.step(NOW + step);
            for quoted in market.instruments() {
                match quoted.book.bids.is_empty() || quoted.book.asks.is_empty() {
                    true => hollow += 1,
                    false => whole += 1,
                }
            }
        }
        assert!(hollow > 50 && whole > hollow * 10, "{hollow} {whole}");
    }

    #[test]
    fn change_numbers_are_shared_in_a_pool_and_grow() {
        let mut market = Market::open(5, NOW, PACE);
        let mut highest = 0;
        for step in 0..200 {
            market.step(NOW + step);
            let pool = market.instruments().iter().filter(|quoted| quoted.terms.pool == "USDC");
            let changes: std::collections::BTreeSet<u64> =
                pool.filter(|q| q.changed_ms == NOW + step).map(|q| q.change_id).collect();
            assert!(changes.first().is_none_or(|first| *first > highest));
            highest = changes.last().copied().unwrap_or(highest);
        }
    }
}
