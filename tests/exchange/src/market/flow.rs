//! The orders that move one book: a seeded crowd that places, resizes, cancels and trades around the fair price.

use fastrand::Rng;

use super::book::{Ladder, Side};
use super::instrument::{Instrument, Temper};

/// A trade that the flow made, in steps of price and amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) taker_buys: bool,
    pub(crate) price: i64,
    pub(crate) amount: i64,
}

/// A side that stays empty for some more steps of the market.
#[derive(Debug, Clone, Copy)]
struct Hollow {
    bids: bool,
    asks: bool,
    steps: u32,
}

/// The flow into one book.
#[derive(Debug)]
pub(crate) struct Flow {
    rng: Rng,
    hollow: Option<Hollow>,
}

impl Flow {
    pub(crate) fn new(rng: Rng) -> Self {
        Self { rng, hollow: None }
    }

    /// Fills an empty book around `fair` (in steps of price).
    pub(crate) fn open(&mut self, book: &mut Ladder, terms: &Instrument, fair: f64) {
        for _ in 0..terms.temper.depth * 4 {
            self.place(book, terms, fair);
        }
    }

    /// One step of the market. Returns the trades it made.
    pub(crate) fn step(&mut self, book: &mut Ladder, terms: &Instrument, fair: f64) -> Vec<Fill> {
        let operations = self.count(terms.temper.activity);
        if operations > 0 || terms.temper.activity > 0.05 {
            sweep(book, limits(terms, fair));
        }
        let fills: Vec<Fill> = (0..operations).filter_map(|_| self.operate(book, terms, fair)).collect();
        trim(book, terms.temper);
        self.hollow_out(book, terms.temper);
        fills
    }

    /// A random count with the given mean.
    fn count(&mut self, mean: f64) -> u32 {
        let whole = (mean * 2.0 * self.rng.f64()).floor();
        let rest = (mean - whole).clamp(0.0, 1.0);
        let extra = if mean < 1.0 { self.rng.f64() < rest } else { self.rng.bool() };
        if mean < 1.0 { u32::from(extra) } else { whole as u32 + u32::from(extra) }
    }

    fn operate(&mut self, book: &mut Ladder, terms: &Instrument, fair: f64) -> Option<Fill> {
        match self.rng.u32(..100) {
            0..12 => self.trade(book),
            12..30 => {
                self.cancel(book);
                None
            }
            _ => {
                self.place(book, terms, fair);
                None
            }
        }
    }

    fn place(&mut self, book: &mut Ladder, terms: &Instrument, fair: f64) {
        let (bid, ask) = limits(terms, fair);
        let tick = terms.tick_at(fair);
        let side = if self.rng.bool() { Side::Bid } else { Side::Ask };
        let away = (self.rng.f64().powi(2) * terms.temper.depth as f64) as i64 * tick;
        let price = if side == Side::Bid { bid - away } else { ask + away };
        if price > 0 {
            let amount = 1 + self.rng.i64(0..terms.temper.size.max(2) * 2);
            book.side_mut(side).insert(price, amount);
        }
    }

    fn cancel(&mut self, book: &mut Ladder) {
        let side = if self.rng.bool() { Side::Bid } else { Side::Ask };
        let levels = book.side_mut(side);
        let chosen = self.rng.usize(..levels.len().max(1));
        if let Some(price) = levels.keys().nth(chosen).copied() {
            levels.remove(&price);
        }
    }

    fn trade(&mut self, book: &mut Ladder) -> Option<Fill> {
        let taker_buys = self.rng.bool();
        let (side, best) =
            if taker_buys { (Side::Ask, book.best_ask()) } else { (Side::Bid, book.best_bid()) };
        let (price, standing) = best?;
        let amount = if self.rng.u8(..3) == 0 { standing } else { 1 + self.rng.i64(0..standing) };
        match standing - amount {
            0 => book.side_mut(side).remove(&price),
            rest => book.side_mut(side).insert(price, rest),
        };
        Some(Fill { taker_buys, price, amount })
    }

    /// Thin books lose a side now and then, and sometimes both.
    fn hollow_out(&mut self, book: &mut Ladder, temper: Temper) {
        if self.hollow.is_none() && temper.hollow && self.rng.u32(..400) == 0 {
            let which = self.rng.u8(..3);
            let steps = self.rng.u32(40..160);
            self.hollow = Some(Hollow { bids: which != 0, asks: which != 1, steps });
        }
        let Some(hollow) = &mut self.hollow else { return };
        hollow.steps -= 1;
        let (bids, asks, over) = (hollow.bids, hollow.asks, hollow.steps == 0);
        if bids {
            book.bids.clear();
        }
        if asks {
            book.asks.clear();
        }
        if over {
            self.hollow = None;
        }
    }
}

/// The best prices that may be bid and offered around `fair`: always at least a tick apart.
fn limits(terms: &Instrument, fair: f64) -> (i64, i64) {
    let tick = terms.tick_at(fair);
    let ticks = fair / tick as f64;
    ((ticks - 0.5).floor() as i64 * tick, (ticks + 0.5).ceil() as i64 * tick)
}

/// Levels that the fair price has passed are taken away.
fn sweep(book: &mut Ladder, (bid, ask): (i64, i64)) {
    book.bids.retain(|price, _| *price <= bid);
    book.asks.retain(|price, _| *price >= ask);
}

fn trim(book: &mut Ladder, temper: Temper) {
    while book.bids.len() > temper.depth {
        book.bids.pop_first();
    }
    while book.asks.len() > temper.depth {
        book.asks.pop_last();
    }
}
