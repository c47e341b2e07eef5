//! The market model: indices that walk, books that follow them, trades. The same seed gives the same market.

pub(crate) mod book;
pub(crate) mod calendar;
pub(crate) mod chart;
mod flow;
mod index;
pub(crate) mod indices;
pub(crate) mod instrument;
mod listing;
mod option;
mod past;
pub(crate) mod quoted;
mod views;

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use self::calendar::DAY_MS;
use self::index::Index;
use self::instrument::Instrument;
use self::past::Past;
use self::quoted::{Fill, Quoted, Trade};
use crate::engine::book::Touched;

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

/// What changed in a book with its last number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BookChange {
    pub(crate) position: usize,
    /// The number before this change.
    pub(crate) previous: u64,
    pub(crate) levels: Vec<Touched>,
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
    opened_ms: i64,
    seed: u64,
    /// What each index was before.
    pasts: Vec<(&'static str, Past)>,
    pace: Duration,
}

impl Market {
    /// Opens a market at `now_ms` whose steps stand for `pace` each.
    pub(crate) fn open(seed: u64, now_ms: i64, pace: Duration) -> Self {
        let mut rng = Rng::with_seed(seed);
        let steps_a_year = YEAR_SECONDS / pace.as_secs_f64();
        let indices: Vec<Index> =
            listing::INDICES.iter().map(|index| Index::new(*index, steps_a_year, rng.fork())).collect();
        let past = |(index, of): (&Index, &listing::IndexSeed)| {
            (index.name, Past::new(seed ^ hash(index.name), now_ms, index.price, of.volatility))
        };
        let mut market = Self {
            pasts: indices.iter().zip(&listing::INDICES).map(past).collect(),
            opened_ms: now_ms,
            seed,
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

    /// Moves the indices by one step.
    pub(crate) fn step_indices(&mut self) {
        self.steps += 1;
        for index in &mut self.indices {
            index.step();
        }
    }

    /// Begins the step of one instrument. What happens in it is the seed's alone, whatever the clock says.
    pub(crate) fn begin_step(&mut self, position: usize) -> u32 {
        let model_ms = self.day_ms + i64::try_from(self.pace.as_millis()).unwrap_or(0) * self.steps as i64;
        let index = self.at(position).and_then(|quoted| self.index(quoted.terms.index));
        match (index, self.at_mut(position)) {
            (Some(index), Some(quoted)) => quoted.begin_step(index, model_ms),
            _ => 0,
        }
    }

    /// Gives a book that changed its next number. Says what changed, and which number was the last before.
    pub(crate) fn commit(&mut self, position: usize, now_ms: i64) -> Option<BookChange> {
        let quoted = self.quoted.get_mut(position)?;
        let levels = quoted.book.changes();
        let (pool, previous) = (quoted.terms.pool, quoted.change_id);
        if levels.is_empty() {
            return None;
        }
        quoted.changed_ms = now_ms;
        let number = self.next_change(pool);
        self.at_mut(position)?.change_id = number;
        Some(BookChange { position, previous, levels })
    }

    /// Records a trade.
    pub(crate) fn record(&mut self, position: usize, fill: Fill, now_ms: i64) -> Option<&Trade> {
        self.trade_numbers += 1;
        let id = named(self.at(position)?.terms.pool, self.trade_numbers);
        Some(self.at_mut(position)?.record(fill, id, now_ms))
    }

    pub(crate) fn at(&self, position: usize) -> Option<&Quoted> {
        self.quoted.get(position)
    }

    pub(crate) fn at_mut(&mut self, position: usize) -> Option<&mut Quoted> {
        self.quoted.get_mut(position)
    }

    /// The place of an instrument in the market.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
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
            let top = quoted.book.shown().best_first(side);
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

    /// Lists an option beside another one of the same date, with a strike of its own. Says where.
    pub(crate) fn list_beside(&mut self, name: &str, now_ms: i64) -> Option<usize> {
        if self.by_name.contains_key(name) {
            return None;
        }
        let (rest, kind) = name.rsplit_once('-')?;
        let (date, strike) = rest.rsplit_once('-')?;
        let strike_value: f64 = strike.replace('d', ".").parse().ok().filter(|strike| *strike > 0.0)?;
        let call = match kind {
            "C" => true,
            "P" => false,
            _ => return None,
        };
        let alike = |quoted: &&Quoted| {
            quoted.terms.option.is_some() && quoted.terms.name.starts_with(&format!("{date}-"))
        };
        let model = self.quoted.iter().find(alike)?.terms.clone();
        let id = self.quoted.iter().map(|quoted| quoted.terms.id).max()? + 1;
        let option =
            model.option.map(|option| instrument::OptionTerms { strike: strike_value, call, ..option });
        self.list(Instrument { name: name.to_owned(), id, created_ms: now_ms, option, ..model }, now_ms);
        Some(self.quoted.len() - 1)
    }

    fn list(&mut self, terms: Instrument, now_ms: i64) {
        let index = self.index(terms.index).unwrap_or(1.0);
        let mut quoted = Quoted::new(terms, index, self.day_ms, self.rng.fork());
        quoted.changed_ms = now_ms;
        quoted.open_chart(self.seed ^ hash(&quoted.terms.name), self.day_ms, now_ms);
        quoted.change_id = self.next_change(quoted.terms.pool);
        self.by_name.insert(quoted.terms.name.clone(), self.quoted.len());
        self.quoted.push(quoted);
    }

    /// The next number of a pool. Other traffic of the engine takes numbers too, so they never follow on.
    fn next_change(&mut self, pool: &'static str) -> u64 {
        let step = self.rng.u64(2..9_000);
        let counter = self.counters.entry(pool).or_insert(0);
        *counter += step;
        *counter
    }
}

/// A number for a name, the same in every run.
fn hash(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The name of a number of an engine. Only the oldest one's have no prefix.
pub(crate) fn named(pool: &str, number: u64) -> String {
    if pool == "BTC" { number.to_string() } else { format!("{pool}-{number}") }
}

fn counter_start(rng: &mut Rng) -> u64 {
    rng.u64(180_000_000_000..200_000_000_000)
}
