//! What a book says: its levels, and what can be asked of them.

use super::super::data::Level;
use super::ladder::Ladder;
use super::message::Message;

/// The levels of a book as the venue described them in one message.
///
/// Amounts are as the venue states them: in USD for inverse contracts, else in the base coin. Prices and amounts are
/// the `f64` nearest to what the message says, so that equal texts are equal numbers.
///
/// ```
/// use steadysocket::deribit::book::{OrderBook, Side};
/// use steadysocket::time::Instant;
///
/// let now = Instant::ZERO;
/// let mut book = OrderBook::new(now, "BTC-PERPETUAL");
/// book.apply(now, br#"{
///     "type": "snapshot", "timestamp": 1554373962454, "change_id": 297217, "instrument_name": "BTC-PERPETUAL",
///     "bids": [["new", 5042.0, 40], ["new", 5041.5, 60]], "asks": [["new", 5043.0, 80], ["new", 5045.0, 50]]
/// }"#);
/// let levels = book.live().expect("a snapshot makes it live");
/// assert_eq!(levels.best_bid().map(|level| level.price), Some(5042.0));
/// assert_eq!(levels.spread(), Some(1.0));
/// let prices: Vec<f64> = levels.bids().map(|level| level.price).collect();
/// assert_eq!(prices, [5042.0, 5041.5]);
/// let fill = levels.fill(Side::Asks, 100.0).expect("there are asks");
/// assert_eq!((fill.price, fill.worst, fill.filled), (5043.4, 5045.0, 100.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Levels {
    bids: Ladder<true>,
    asks: Ladder<false>,
    change_id: u64,
    timestamp: u64,
}

/// The two sides of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who wants to buy: what a seller meets.
    Bids,
    /// Who wants to sell: what a buyer meets.
    Asks,
}

/// What an order of a certain size would meet: see [`Levels::fill`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    /// The price per unit, weighted by amount.
    pub price: f64,
    /// The worst price that it would meet.
    pub worst: f64,
    /// How much of it the book has: less than was asked for when the book is too thin.
    pub filled: f64,
}

/// So many levels a side are kept at most. The venue's own query gives no more than 10,000.
pub(super) const MOST: usize = 16_384;

impl Levels {
    /// The bids, the best first. It can be run from the other end, too.
    pub fn bids(&self) -> impl DoubleEndedIterator<Item = Level> + ExactSizeIterator + Clone + '_ {
        self.bids.levels().iter().rev().copied()
    }

    /// The asks, the best first. It can be run from the other end, too.
    pub fn asks(&self) -> impl DoubleEndedIterator<Item = Level> + ExactSizeIterator + Clone + '_ {
        self.asks.levels().iter().rev().copied()
    }

    /// The highest bid.
    pub fn best_bid(&self) -> Option<Level> {
        self.bids.levels().last().copied()
    }

    /// The lowest ask.
    pub fn best_ask(&self) -> Option<Level> {
        self.asks.levels().last().copied()
    }

    /// How far the best ask is above the best bid; `None` when a side is empty.
    pub fn spread(&self) -> Option<f64> {
        Some(self.best_ask()?.price - self.best_bid()?.price)
    }

    /// The middle between best bid and best ask; `None` when a side is empty.
    pub fn mid(&self) -> Option<f64> {
        let (bid, ask) = (self.best_bid()?.price, self.best_ask()?.price);
        Some(bid + (ask - bid) / 2.0)
    }

    /// The amount at exactly this price: 0 when there is no such level.
    ///
    /// Take the price from a level or from a literal: one that was computed may miss by its last bit.
    pub fn amount_at(&self, side: Side, price: f64) -> f64 {
        match side {
            Side::Bids => self.bids.amount(price),
            Side::Asks => self.asks.amount(price),
        }
    }

    /// The amounts of a side summed up, from the best price to `limit` inclusive.
    pub fn depth(&self, side: Side, limit: f64) -> f64 {
        let levels = match side {
            Side::Bids => self.bids.down_to(limit),
            Side::Asks => self.asks.down_to(limit),
        };
        levels.iter().rev().map(|level| level.amount).sum()
    }

    /// What an order of this size would meet if it took from a side as it is now: the average price weighted by
    /// amount, the worst price, and how much of the order there is. A buyer takes from the asks. `None` when the side
    /// is empty, or `amount` is not positive.
    ///
    /// An inverse contract's amounts are in USD, so the average that counts for its profit is another one: weighted by
    /// `amount / price`.
    pub fn fill(&self, side: Side, amount: f64) -> Option<Fill> {
        let levels = match side {
            Side::Bids => self.bids.levels(),
            Side::Asks => self.asks.levels(),
        };
        let (mut filled, mut value, mut worst) = (0.0, 0.0, None);
        for level in levels.iter().rev() {
            let rest = amount - filled;
            if rest.is_nan() || rest <= 0.0 {
                break;
            }
            let taken = level.amount.min(rest);
            worst = Some(level.price);
            value += taken * level.price;
            // So that it ends at exactly what was asked for.
            filled = if taken == rest { amount } else { filled + taken };
        }
        worst.map(|worst| Fill { price: value / filled, worst, filled })
    }

    /// How much more is bid than asked within the best `depth` levels of each side, from -1 (asks only) to 1 (bids
    /// only); `None` when there are none.
    pub fn imbalance(&self, depth: usize) -> Option<f64> {
        let bids: f64 = self.bids().take(depth).map(|level| level.amount).sum();
        let asks: f64 = self.asks().take(depth).map(|level| level.amount).sum();
        let total = bids + asks;
        (total > 0.0).then(|| (bids - asks) / total)
    }

    /// Names this state of the book within its channel. Not consecutive, and not comparable between channels.
    pub fn change_id(&self) -> u64 {
        self.change_id
    }

    /// When the book last changed, by the venue's clock, in milliseconds since 1970.
    pub fn timestamp(&self) -> u64 {
        self.timestamp
    }

    /// Best bid and ask, when the one is not below the other.
    pub(super) fn crossing(&self) -> Option<(f64, f64)> {
        let (bid, ask) = (self.best_bid()?.price, self.best_ask()?.price);
        (bid >= ask).then_some((bid, ask))
    }

    /// Whether there are more than are kept.
    pub(super) fn is_too_deep(&self) -> bool {
        self.bids.levels().len().max(self.asks.levels().len()) > MOST
    }

    pub(super) fn replace(&mut self, message: &Message) {
        self.bids.replace(&message.bids);
        self.asks.replace(&message.asks);
        (self.change_id, self.timestamp) = (message.change_id, message.timestamp);
    }

    pub(super) fn change(&mut self, message: &Message) {
        message.bids.iter().for_each(|level| self.bids.set(*level));
        message.asks.iter().for_each(|level| self.asks.set(*level));
        (self.change_id, self.timestamp) = (message.change_id, message.timestamp);
    }
}
