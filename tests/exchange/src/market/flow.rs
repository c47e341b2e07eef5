//! The orders that move one book: a seeded crowd that places, resizes, cancels and trades around the fair price.

use fastrand::Rng;

use super::book::Side;
use super::instrument::{Instrument, Temper};
use crate::engine::book::{Book, Match};

/// What the crowd took out of a book, and from which side it came.
pub(crate) type Taken = (Side, Vec<Match>);

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
    pub(crate) fn open(&mut self, book: &mut Book, terms: &Instrument, fair: f64) {
        for _ in 0..terms.temper.depth * 4 {
            self.place(book, terms, fair);
        }
    }

    /// Begins a step of the market. Says how many operations it has.
    pub(crate) fn begin(&mut self, book: &mut Book, terms: &Instrument, fair: f64) -> u32 {
        let operations = self.count(terms.temper.activity);
        if operations > 0 || terms.temper.activity > 0.05 {
            sweep(book, limits(terms, fair));
        }
        operations
    }

    /// Ends a step of the market.
    pub(crate) fn finish(&mut self, book: &mut Book, temper: Temper) {
        trim(book, temper);
        self.hollow_out(book, temper);
    }

    /// A random count with the given mean.
    fn count(&mut self, mean: f64) -> u32 {
        let whole = (mean * 2.0 * self.rng.f64()).floor();
        let rest = (mean - whole).clamp(0.0, 1.0);
        let extra = if mean < 1.0 { self.rng.f64() < rest } else { self.rng.bool() };
        if mean < 1.0 { u32::from(extra) } else { whole as u32 + u32::from(extra) }
    }

    /// One operation of a step.
    pub(crate) fn operate(&mut self, book: &mut Book, terms: &Instrument, fair: f64) -> Option<Taken> {
        match self.rng.u32(..100) {
            0..12 => self.trade(book),
            12..30 => {
                self.cancel(book);
                None
            }
            _ => self.place(book, terms, fair),
        }
    }

    /// Sets a level. What reaches a client's order on the other side is a trade.
    fn place(&mut self, book: &mut Book, terms: &Instrument, fair: f64) -> Option<Taken> {
        let (bid, ask) = limits(terms, fair);
        let tick = terms.tick_at(fair);
        let side = if self.rng.bool() { Side::Bid } else { Side::Ask };
        let away = (self.rng.f64().powi(2) * terms.temper.depth as f64) as i64 * tick;
        let price = if side == Side::Bid { bid - away } else { ask + away };
        if price <= 0 {
            return None;
        }
        let amount = 1 + self.rng.i64(0..terms.temper.size.max(2) * 2);
        let taken = book.take(side, price, amount);
        let left = amount - taken.iter().map(|one| one.amount).sum::<i64>();
        if left > 0 {
            book.set_crowd(side, price, left);
        }
        (!taken.is_empty()).then_some((side, taken))
    }

    fn cancel(&mut self, book: &mut Book) {
        let side = if self.rng.bool() { Side::Bid } else { Side::Ask };
        let levels = book.crowd().side(side);
        let chosen = self.rng.usize(..levels.len().max(1));
        if let Some(price) = levels.keys().nth(chosen).copied() {
            book.set_crowd(side, price, 0);
        }
    }

    fn trade(&mut self, book: &mut Book) -> Option<Taken> {
        let side = if self.rng.bool() { Side::Bid } else { Side::Ask };
        let (price, standing) = book.shown().best(side.other())?;
        let amount = if self.rng.u8(..3) == 0 { standing } else { 1 + self.rng.i64(0..standing) };
        Some((side, book.take(side, price, amount)))
    }

    /// Thin books lose a side now and then, and sometimes both.
    fn hollow_out(&mut self, book: &mut Book, temper: Temper) {
        if self.hollow.is_none() && temper.hollow && self.rng.u32(..400) == 0 {
            let which = self.rng.u8(..3);
            let steps = self.rng.u32(40..160);
            self.hollow = Some(Hollow { bids: which != 0, asks: which != 1, steps });
        }
        let Some(hollow) = &mut self.hollow else { return };
        hollow.steps -= 1;
        let (bids, asks, over) = (hollow.bids, hollow.asks, hollow.steps == 0);
        if bids {
            clear(book, Side::Bid, |_| true);
        }
        if asks {
            clear(book, Side::Ask, |_| true);
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

/// Levels of the crowd that the fair price has passed are taken away.
fn sweep(book: &mut Book, (bid, ask): (i64, i64)) {
    clear(book, Side::Bid, |price| price > bid);
    clear(book, Side::Ask, |price| price < ask);
}

/// Takes the crowd's best levels away, as far as they are unwanted.
fn clear(book: &mut Book, side: Side, unwanted: impl Fn(i64) -> bool) {
    while let Some((price, _)) = book.crowd().best(side).filter(|(price, _)| unwanted(*price)) {
        book.set_crowd(side, price, 0);
    }
}

fn trim(book: &mut Book, temper: Temper) {
    let worst = |book: &Book, side| match side {
        Side::Bid => book.crowd().bids.first_key_value().map(|(price, _)| *price),
        Side::Ask => book.crowd().asks.last_key_value().map(|(price, _)| *price),
    };
    for side in [Side::Bid, Side::Ask] {
        while book.crowd().side(side).len() > temper.depth
            && let Some(price) = worst(book, side)
        {
            book.set_crowd(side, price, 0);
        }
    }
}
