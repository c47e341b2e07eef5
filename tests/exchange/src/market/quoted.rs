//! One instrument as it trades: its terms, its book, its last trades and its day's figures.

use std::collections::VecDeque;

use fastrand::Rng;

use super::book::Side;
use super::calendar::DAY_MS;
use super::chart::Chart;
use super::flow::{Flow, Taken};
use super::instrument::{Instrument, OptionTerms};
use super::option::{self, Valuation};
use crate::engine::book::Book;
use crate::engine::kinds::{Advanced, TriggerBy};

/// How many trades are kept for channels that publish at intervals.
const TRADES_KEPT: usize = 4_096;
/// And mark prices, one a second.
const MARKS_KEPT: usize = 600;
const YEAR_MS: f64 = 365.0 * 86_400_000.0;

/// A price and an amount, in steps, and which side came to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) taker: Side,
    pub(crate) price: i64,
    pub(crate) amount: i64,
}

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

impl Trade {
    /// The number in its id.
    pub(crate) fn number(&self) -> u64 {
        self.id.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }
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

/// Whether an instrument trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Open,
    /// Orders are refused.
    Halted,
    /// Expired: it is over.
    Closed,
}

impl Status {
    /// The word of `state` in a ticker.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Halted => "halted",
            Self::Closed => "closed",
        }
    }
}

/// One instrument and everything about it that moves.
#[derive(Debug)]
pub(crate) struct Quoted {
    pub(crate) terms: Instrument,
    pub(crate) status: Status,
    /// What it was settled at in the end.
    pub(crate) delivery: Option<f64>,
    pub(crate) book: Book,
    pub(crate) change_id: u64,
    pub(crate) changed_ms: i64,
    pub(crate) index: f64,
    pub(crate) mark: f64,
    pub(crate) valuation: Option<Valuation>,
    pub(crate) trades: VecDeque<Trade>,
    pub(crate) trade_seq: u64,
    pub(crate) last: Option<f64>,
    pub(crate) day: Day,
    pub(crate) chart: Chart,
    pub(crate) open_interest: f64,
    /// Mark prices of the last minutes, for options.
    pub(crate) marks: VecDeque<(i64, f64)>,
    valued_ms: i64,
    flow: Flow,
}

impl Quoted {
    pub(crate) fn new(terms: Instrument, index: f64, now_ms: i64, mut rng: Rng) -> Self {
        let open_interest = terms.amount.value(rng.i64(100_000..1_000_000));
        let mut quoted = Self {
            status: Status::Open,
            delivery: None,
            book: Book::default(),
            change_id: 0,
            changed_ms: now_ms,
            index,
            mark: 0.0,
            valuation: None,
            trades: VecDeque::new(),
            trade_seq: rng.u64(1_000..50_000_000),
            last: None,
            day: Day { high: 0.0, low: 0.0, first: 0.0, volume: 0.0, turnover: 0.0 },
            chart: Chart::open(&terms, 0, now_ms, 1.0, 0.0),
            open_interest,
            marks: VecDeque::new(),
            valued_ms: now_ms,
            flow: Flow::new(rng),
            terms,
        };
        quoted.value_at(index, now_ms);
        quoted.day = Day { high: quoted.mark, low: quoted.mark, first: quoted.mark, ..quoted.day };
        quoted.flow.open(&mut quoted.book, &quoted.terms, quoted.terms.price.steps(quoted.mark));
        quoted.book.changes();
        quoted
    }

    /// Gives the instrument a past that ends at this moment.
    pub(crate) fn open_chart(&mut self, seed: u64, day_ms: i64, now_ms: i64) {
        let volatility = if self.terms.option.is_some() { 2.0 } else { 0.5 };
        self.chart = Chart::open(&self.terms, seed, now_ms, self.mark, volatility);
        // The figures of the day are the seed's, whatever the hour.
        let day =
            Chart::open(&self.terms, seed, day_ms, self.mark, volatility).bar(day_ms - DAY_MS, DAY_MS).span;
        self.day = Day { high: day.high, low: day.low, first: day.open, ..self.day };
    }

    /// Begins a step of the market. Says how many times the crowd does something in it.
    pub(crate) fn begin_step(&mut self, index: f64, now_ms: i64) -> u32 {
        self.value_at(index, now_ms);
        let fair = self.fair();
        self.flow.begin(&mut self.book, &self.terms, fair)
    }

    /// The crowd does something. Says what it took, if anything.
    pub(crate) fn operate(&mut self) -> Option<Taken> {
        let fair = self.fair();
        self.flow.operate(&mut self.book, &self.terms, fair)
    }

    /// Ends a step of the market.
    pub(crate) fn finish_step(&mut self) {
        self.flow.finish(&mut self.book, self.terms.temper);
    }

    /// Ends it at the price of its index.
    pub(crate) fn close(&mut self) {
        let worth = match self.terms.option {
            None => self.index,
            Some(option) => {
                let inner = if option.call { self.index - option.strike } else { option.strike - self.index };
                if self.terms.linear { inner.max(0.0) } else { inner.max(0.0) / self.index }
            }
        };
        (self.status, self.delivery) = (Status::Closed, Some(worth));
        for side in [Side::Bid, Side::Ask] {
            while let Some((price, _)) = self.book.crowd().best(side) {
                self.book.set_crowd(side, price, 0);
            }
        }
    }

    /// Remembers the mark price of an option.
    pub(crate) fn keep_mark(&mut self, now_ms: i64) {
        if self.terms.option.is_some() && self.marks.back().is_none_or(|(ms, _)| ms + 1_000 <= now_ms) {
            if self.marks.len() == MARKS_KEPT {
                self.marks.pop_front();
            }
            self.marks.push_back((now_ms, self.mark));
        }
    }

    /// When it was last valued, in the market's own time.
    pub(crate) fn valued_ms(&self) -> i64 {
        self.valued_ms
    }

    /// The mark price in steps.
    fn fair(&self) -> f64 {
        self.terms.price.steps(self.mark)
    }

    /// The price that a trigger watches.
    pub(crate) fn watched(&self, by: TriggerBy) -> f64 {
        match by {
            TriggerBy::Index => self.index,
            TriggerBy::Mark => self.mark,
            TriggerBy::Last => self.last.unwrap_or(self.mark),
        }
    }

    /// The prices that orders may have: nothing is bought above and nothing sold below.
    pub(crate) fn band(&self) -> (f64, f64) {
        if self.terms.option.is_some() {
            let tick = self.terms.price.step();
            return ((self.mark * 0.2).max(tick), self.mark * 5.0 + 100.0 * tick);
        }
        let decimals = if self.mark < 10.0 { 1e4 } else { 1e2 };
        let round = |price: f64| (price * decimals).round() / decimals;
        (round(self.mark * 0.985), round(self.mark * 1.015))
    }

    /// The step of price nearest to what an option's order gives in USD or as volatility in percent.
    pub(crate) fn advanced_price(&self, advanced: Advanced, value: f64) -> i64 {
        let price = match (advanced, self.terms.option) {
            (Advanced::Implv, Some(terms)) => {
                let years = (self.terms.expires_ms - self.valued_ms) as f64 / YEAR_MS;
                let terms =
                    option::value(OptionTerms { volatility: value / 100.0, ..terms }, self.index, years);
                if self.terms.linear { terms.price } else { terms.price / self.index }
            }
            _ => value / self.index,
        };
        let steps = self.terms.price.steps(price);
        let tick = self.terms.tick_at(steps);
        ((steps / tick as f64).round() as i64 * tick).max(1)
    }

    /// Takes a trade into the record.
    pub(crate) fn record(&mut self, fill: Fill, id: String, now_ms: i64) -> &Trade {
        let price = self.terms.price.value(fill.price);
        let tick_direction = self.tick_direction(price);
        self.trade_seq += 1;
        self.last = Some(price);
        self.day.high = self.day.high.max(price);
        self.day.low = self.day.low.min(price);
        let (coins, dollars) = self.sizes(fill, price);
        self.day.volume += coins;
        self.day.turnover += dollars;
        self.chart.trade(now_ms, price, coins, if self.terms.linear { coins * price } else { dollars });
        let (seq, mark, index) = (self.trade_seq, self.mark, self.index);
        if self.trades.len() == TRADES_KEPT {
            self.trades.pop_front();
        }
        self.trades.push_back(Trade { id, seq, ms: now_ms, fill, tick_direction, mark, index });
        // It was just put there.
        &self.trades[self.trades.len() - 1]
    }

    /// Trades after a sequence number, oldest first.
    pub(crate) fn trades_after(&self, seq: u64) -> impl Iterator<Item = &Trade> {
        let old = self.trades.partition_point(|trade| trade.seq <= seq);
        self.trades.range(old..)
    }

    fn value_at(&mut self, index: f64, now_ms: i64) {
        (self.index, self.valued_ms) = (index, now_ms);
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

    /// A trade's size in coins.
    pub(crate) fn coins(&self, fill: Fill) -> f64 {
        self.coins_at(fill.amount, fill.price)
    }

    /// The size of an amount in coins, at a price; both in steps.
    pub(crate) fn coins_at(&self, amount: i64, price: i64) -> f64 {
        let amount = self.terms.amount.value(amount);
        if self.terms.option.is_some() || self.terms.linear {
            amount
        } else {
            amount / self.terms.price.value(price)
        }
    }

    /// The size of a position in coins, at the mark price.
    pub(crate) fn coins_of(&self, amount: f64) -> f64 {
        if self.terms.option.is_some() || self.terms.linear { amount } else { amount / self.mark }
    }

    /// How much one coin of this moves with one of its underlying.
    pub(crate) fn delta(&self) -> f64 {
        self.valuation.map_or(1.0, |value| value.delta)
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
