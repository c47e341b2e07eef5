//! Order books, as they come.

use serde::{Deserialize, Serialize, Serializer};

use super::lenient::{derived, member};
use super::market::Ticker;
use super::object::object;
use super::words::BookMessageKind;

/// A price and how much is offered there.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Level {
    /// The price.
    pub price: f64,
    /// The amount.
    pub amount: f64,
}

object! {
    /// A message of `book.{instrument}.{interval}`.
    ///
    /// The first is a snapshot. Each change is to be applied only when its `prev_change_id` is the `change_id` of the
    /// message before; the numbers are not consecutive.
    BookMessage {
        /// Whether this is the whole book.
        kind = "type": BookMessageKind,
        /// When the book last changed.
        timestamp: u64,
        /// The instrument.
        instrument_name: String,
        /// Names this state of the book.
        change_id: u64,
        /// Names the state that this is a change to; none in a snapshot.
        prev_change_id: Option<u64>,
        /// Bids, best first.
        bids: Vec<BookChange>,
        /// Asks, best first.
        asks: Vec<BookChange>,
    }
}

/// One level of a [`BookMessage`]: `["new", 5042.34, 30]`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct BookChange {
    /// What happened to the level.
    pub action: BookAction,
    /// The level's price.
    pub price: f64,
    /// The amount now: 0 when it was deleted.
    pub amount: f64,
}

/// What happened to a level. Advisory: [`BookChange::new_amount`] is what counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BookAction {
    /// There was none at this price.
    New,
    /// Its amount changed.
    Change,
    /// It is gone.
    Delete,
    /// Another word. It is not kept, so that the thousands of levels of a book stay small.
    #[serde(other)]
    Unknown,
}

impl BookChange {
    /// The amount at this price from now on; `None` when the level is gone.
    pub fn new_amount(&self) -> Option<f64> {
        (self.action != BookAction::Delete && self.amount != 0.0).then_some(self.amount)
    }
}

object! {
    /// A message of `book.{instrument}.{group}.{depth}.{interval}`: replaces the one before.
    GroupedBook {
        /// When the book last changed.
        timestamp: u64,
        /// The instrument.
        instrument_name: String,
        /// Names this state of the book. A message that was lost cannot be noticed by it.
        change_id: u64,
        /// Bids, best first.
        bids: Vec<Level>,
        /// Asks, best first.
        asks: Vec<Level>,
    }
}

/// An order book on request, with the instrument's ticker.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct BookWithTicker {
    /// The instrument's ticker.
    #[serde(flatten)]
    pub ticker: Ticker,
    /// Names this state of the book. The channels' numbers are the same, but a channel cannot be joined here: its own
    /// snapshot is what its changes follow.
    #[serde(default, deserialize_with = "member")]
    pub change_id: Option<u64>,
    /// Bids, best first.
    #[serde(default, deserialize_with = "member")]
    pub bids: Vec<Level>,
    /// Asks, best first.
    #[serde(default, deserialize_with = "member")]
    pub asks: Vec<Level>,
}

impl Serialize for Level {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.price, self.amount).serialize(serializer)
    }
}

impl Serialize for BookChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.action, self.price, self.amount).serialize(serializer)
    }
}

derived!(Level, BookChange, BookWithTicker);
