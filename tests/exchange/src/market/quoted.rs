//! One instrument as it trades: its terms, its book, its last trades and its day's figures.

use std::collections::VecDeque;

use fastrand::Rng;

use super::book::Ladder;
use super::flow::{Fill, Flow};
use super::instrument::Instrument;
use super::option::{self, Valuation};

/// How many trades are kept for channels that publish at intervals.
const TRADES_KEPT: usize = 4_096;
const YEAR_MS: f64 = 365.0 * 86_400_000.0;

/// A trade, as the channels show it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trade {
    pub(crate) id: String,
    pub(crate) seq: u64,
    pub(crate) ms: i64,
    pub(crate) fill: Fill,
    pub(crate) tick_direction: u8,
    pub(crate) mark: f64,
    pub(crate) index: f64,
}

/// The figures of the last 24 hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Day {
    pub(crate) high: f64,
    pub(crate) low: f64,
    pub(crate) first: f64,
    /// In base currency.
    pub(crate) volume: f64,
    /// In USD.
    pub(crate) turnover: f64,
}

/// One instrument and everything about it that moves.
#[derive(Debug)]
pub(crate) struct Quoted {
    pub(crate) terms: Instrument,
    pub(crate) book: Ladder,
    pub(crate) change_id: u64,
    pub(crate) changed_ms: i64,
    pub(crate) index: f64,
    pub(crate) mark: f64,
    pub(crate) valuation: Option<Valuation>,
    pub(crate) trades: VecDeque<Trade>,
    pub(crate) trade_seq: u64,
    pub(crate) last: Option<f64>,
    pub(crate) day: Day,
    pub(crate) open_interest: f64,
    flow: Flow,
    before: Ladder,
}

impl Quoted {
    pub(crate) fn new(terms: Instrument, index: f64, now_ms: i64, mut rng: Rng) -> Self {
        let open_interest = terms.amount.value(rng.i64(100_000..1_000_000));
        let mut quoted = Self {
            book: Ladder::default(),
            before: Ladder::default(),
            change_id: 0,
            changed_ms: now_ms,
            index,
            mark: 0.0,
            valuation: None,
            trades: VecDeque::new(),
            trade_seq: rng.u64(1_000..50_000_000),
            last: None,
            day: Day { high: 0.0, low: 0.0, first: 0.0, volume: 0.0, turnover: 0.0 },
            open_interest,
            flow: Flow::new(rng),
            terms,
        };
        quoted.value_at(index, now_ms);
        quoted.day = Day { high: quoted.mark, low: quoted.mark, first: quoted.mark, ..quoted.day };
        let fair = quoted.terms.price.steps(quoted.mark);
        quoted.flow.open(&mut quoted.book, &quoted.terms, fair);
        quoted
    }

    /// One step of the market. Says which trades were made and whether the book is another one now.
    pub(crate) fn step(&mut self, index: f64, now_ms: i64) -> (Vec<Fill>, bool) {
        self.value_at(index, now_ms);
        self.before.clone_from(&self.book);
        let fair = self.terms.price.steps(self.mark);
        let fills = self.flow.step(&mut self.book, &self.terms, fair);
        (fills, self.before != self.book)
    }

    /// Takes a trade into the record.
    pub(crate) fn record(&mut self, fill: Fill, id: String, now_ms: i64) {
        let price = self.terms.price.value(fill.price);
        let tick_direction = self.tick_direction(price);
        self.trade_seq += 1;
        self.last = Some(price);
        self.day.high = self.day.high.max(price);
        self.day.low = self.day.low.min(price);
        let (coins, dollars) = self.sizes(fill, price);
        self.day.volume += coins;
        self.day.turnover += dollars;
        let (seq, mark, index) = (self.trade_seq, self.mark, self.index);
        if self.trades.len() == TRADES_KEPT {
            self.trades.pop_front();
        }
        self.trades.push_back(Trade { id, seq, ms: now_ms, fill, tick_direction, mark, index });
    }

    /// Trades after a sequence number, oldest first.
    pub(crate) fn trades_after(&self, seq: u64) -> impl Iterator<Item = &Trade> {
        let old = self.trades.partition_point(|trade| trade.seq <= seq);
        self.trades.range(old..)
    }

    fn value_at(&mut self, index: f64, now_ms: i64) {
        self.index = index;
        self.mark = match self.terms.option {
            None => round_to(index * (1.0 + self.terms.temper.basis), self.terms.price.step() / 50.0),
            Some(terms) => {
                let years = (self.terms.expires_ms - now_ms) as f64 / YEAR_MS;
                let valuation = option::value(terms, index, years);
                self.valuation = Some(valuation);
                // Inverse options are priced in coins, and none is worth less than one tick.
                let price = if self.terms.linear { valuation.price } else { valuation.price / index };
                round_to(price.max(self.terms.price.step()), 1e-6)
            }
        };
    }

    /// 0 plus, 1 zero-plus, 2 minus, 3 zero-minus.
    fn tick_direction(&self, price: f64) -> u8 {
        let previous = self.trades.back().map_or(0, |trade| trade.tick_direction);
        match self.last {
            Some(last) if price > last => 0,
            Some(last) if price < last => 2,
            Some(_) if previous < 2 => 1,
            Some(_) => 3,
            None => 0,
        }
    }

    /// A trade's size in coins and in dollars.
    fn sizes(&self, fill: Fill, price: f64) -> (f64, f64) {
        let amount = self.terms.amount.value(fill.amount);
        match (self.terms.option, self.terms.linear) {
            (Some(_), _) => (amount, amount * self.index),
            (None, true) => (amount, amount * price),
            (None, false) => (amount / price, amount),
        }
    }
}

fn round_to(value: f64, unit: f64) -> f64 {
    let scale = (1.0 / unit).round();
    (value * scale).round() / scale
}
