//! What the public channels carry.
//!
//! Prices and amounts are `f64`, decoded once from the text that was sent. Amounts of inverse instruments are in US
//! dollars, those of linear ones and of options in the base currency. Times are milliseconds since 1970. Unknown
//! members are ignored, unknown words kept.

use serde::Deserialize;

mod lenient;
#[cfg(test)]
mod tests;
mod words;

use lenient::{integer, optional_integer, optional_text};
pub use words::{BookMessageKind, Direction, InstrumentState, Liquidation, Locked, TickDirection};

/// A price and how much is offered there.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Level {
    /// The price.
    pub price: f64,
    /// The amount.
    pub amount: f64,
}

/// A message of `ticker.*`. What an instrument does not have is `None`: funding is for perpetuals, volatilities and
/// greeks for options.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Ticker {
    /// The instrument.
    pub instrument_name: String,
    /// When this was so.
    #[serde(deserialize_with = "integer")]
    pub timestamp: u64,
    /// Whether it trades.
    pub state: Option<InstrumentState>,
    /// The best bid; null or 0 when there is none: see [`best_bid`](Self::best_bid).
    pub best_bid_price: Option<f64>,
    /// The amount bid there.
    pub best_bid_amount: Option<f64>,
    /// The best ask; null or 0 when there is none: see [`best_ask`](Self::best_ask).
    pub best_ask_price: Option<f64>,
    /// The amount asked there.
    pub best_ask_amount: Option<f64>,
    /// The price of the last trade, if there was any.
    pub last_price: Option<f64>,
    /// The mark price.
    pub mark_price: Option<f64>,
    /// The index.
    pub index_price: Option<f64>,
    /// Orders under this price are refused.
    pub min_price: Option<f64>,
    /// Orders over this price are refused.
    pub max_price: Option<f64>,
    /// Open contracts, in the units of amounts.
    pub open_interest: Option<f64>,
    /// The price of the last settlement.
    pub settlement_price: Option<f64>,
    /// The estimated price of the next delivery.
    pub estimated_delivery_price: Option<f64>,
    /// The price at which a closed instrument was delivered.
    pub delivery_price: Option<f64>,
    /// Of the last 24 hours.
    #[serde(default)]
    pub stats: Stats,
    /// Perpetuals: the current funding.
    pub current_funding: Option<f64>,
    /// Perpetuals: the funding of the last 8 hours.
    pub funding_8h: Option<f64>,
    /// Perpetuals: the value from which realised funding is computed.
    pub interest_value: Option<f64>,
    /// Options: sensitivities.
    pub greeks: Option<Greeks>,
    /// Options: implied volatility at the mark price, in percent.
    pub mark_iv: Option<f64>,
    /// Options: implied volatility at the best bid.
    pub bid_iv: Option<f64>,
    /// Options: implied volatility at the best ask.
    pub ask_iv: Option<f64>,
    /// Options: the price of the underlying.
    pub underlying_price: Option<f64>,
    /// Options: the underlying future, or `index_price`.
    pub underlying_index: Option<String>,
    /// Options: the interest rate.
    pub interest_rate: Option<f64>,
}

/// Statistics of the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Stats {
    /// The highest price, if there were trades.
    pub high: Option<f64>,
    /// The lowest price, if there were trades.
    pub low: Option<f64>,
    /// The change of the price in percent, if there were trades.
    pub price_change: Option<f64>,
    /// The volume in the base currency.
    pub volume: Option<f64>,
    /// The volume in US dollars.
    pub volume_usd: Option<f64>,
    /// The volume in the quote currency.
    pub volume_notional: Option<f64>,
}

/// Sensitivities of an option.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
#[serde(default)]
#[allow(missing_docs, reason = "they are called what everybody calls them")]
pub struct Greeks {
    pub delta: f64,
    pub gamma: f64,
    pub vega: f64,
    pub theta: f64,
    pub rho: f64,
}

impl Ticker {
    /// The best bid, if there is one.
    pub fn best_bid(&self) -> Option<Level> {
        offered(self.best_bid_price, self.best_bid_amount)
    }

    /// The best ask, if there is one.
    pub fn best_ask(&self) -> Option<Level> {
        offered(self.best_ask_price, self.best_ask_amount)
    }
}

/// A message of `quote.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Quote {
    /// The instrument.
    pub instrument_name: String,
    /// When this was so.
    #[serde(deserialize_with = "integer")]
    pub timestamp: u64,
    /// The best bid; null or 0 when there is none: see [`best_bid`](Self::best_bid).
    pub best_bid_price: Option<f64>,
    /// The amount bid there.
    pub best_bid_amount: Option<f64>,
    /// The best ask; null or 0 when there is none: see [`best_ask`](Self::best_ask).
    pub best_ask_price: Option<f64>,
    /// The amount asked there.
    pub best_ask_amount: Option<f64>,
}

impl Quote {
    /// The best bid, if there is one.
    pub fn best_bid(&self) -> Option<Level> {
        offered(self.best_bid_price, self.best_bid_amount)
    }

    /// The best ask, if there is one.
    pub fn best_ask(&self) -> Option<Level> {
        offered(self.best_ask_price, self.best_ask_amount)
    }
}

/// An empty side has the amount 0, and the price null or 0. The amount decides where both are there: the price of a
/// combo may well be 0 or negative.
fn offered(price: Option<f64>, amount: Option<f64>) -> Option<Level> {
    let level = Level { price: price?, amount: amount? };
    (level.amount != 0.0).then_some(level)
}

/// One trade of `trades.*`, whose messages are lists of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Trade {
    /// Unique per currency.
    pub trade_id: String,
    /// Counts the instrument's trades.
    #[serde(deserialize_with = "integer")]
    pub trade_seq: u64,
    /// The instrument.
    pub instrument_name: String,
    /// When it happened.
    #[serde(deserialize_with = "integer")]
    pub timestamp: u64,
    /// What the taker did.
    pub direction: Direction,
    /// The price.
    pub price: f64,
    /// The amount.
    pub amount: f64,
    /// The amount in contracts.
    pub contracts: Option<f64>,
    /// How the price moved.
    pub tick_direction: Option<TickDirection>,
    /// The mark price at that moment.
    pub mark_price: Option<f64>,
    /// The index at that moment.
    pub index_price: Option<f64>,
    /// Options: the implied volatility at this price.
    pub iv: Option<f64>,
    /// Which side was liquidated, if any.
    pub liquidation: Option<Liquidation>,
    /// The block trade that this was part of.
    #[serde(default, deserialize_with = "optional_text")]
    pub block_trade_id: Option<String>,
    /// How many legs that block trade had.
    #[serde(default, deserialize_with = "optional_integer")]
    pub block_trade_leg_count: Option<u64>,
    /// The request for quotes that this was part of.
    #[serde(default, deserialize_with = "optional_integer")]
    pub block_rfq_id: Option<u64>,
    /// The combo that this was a leg of.
    pub combo_id: Option<String>,
    /// The combo's trade that this was a leg of. Documented as a number and sent as text.
    #[serde(default, deserialize_with = "optional_text")]
    pub combo_trade_id: Option<String>,
    /// A combo's trades, one a leg. Each comes on the leg's own channel, too.
    #[serde(default)]
    pub legs: Vec<Trade>,
}

/// A message of `book.{instrument}.{interval}`.
///
/// The first is a snapshot. Each change is to be applied only when its `prev_change_id` is the `change_id` of the
/// message before; the numbers are not consecutive.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct BookMessage {
    /// Whether this is the whole book.
    #[serde(rename = "type")]
    pub kind: BookMessageKind,
    /// When the book last changed.
    #[serde(deserialize_with = "integer")]
    pub timestamp: u64,
    /// The instrument.
    pub instrument_name: String,
    /// Names this state of the book.
    #[serde(deserialize_with = "integer")]
    pub change_id: u64,
    /// Names the state that this is a change to; none in a snapshot.
    #[serde(default, deserialize_with = "optional_integer")]
    pub prev_change_id: Option<u64>,
    /// Bids, best first.
    pub bids: Vec<BookChange>,
    /// Asks, best first.
    pub asks: Vec<BookChange>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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

/// A message of `book.{instrument}.{group}.{depth}.{interval}`: replaces the one before.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct GroupedBook {
    /// When the book last changed.
    #[serde(deserialize_with = "integer")]
    pub timestamp: u64,
    /// The instrument.
    pub instrument_name: String,
    /// Names this state of the book. A message that was lost cannot be noticed by it.
    #[serde(deserialize_with = "integer")]
    pub change_id: u64,
    /// Bids, best first.
    pub bids: Vec<Level>,
    /// Asks, best first.
    pub asks: Vec<Level>,
}

/// A message of `deribit_price_index.*`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PriceIndex {
    /// The index, such as `btc_usd`.
    pub index_name: String,
    /// Its value.
    pub price: f64,
    /// When this was so.
    #[serde(deserialize_with = "integer")]
    pub timestamp: u64,
}

/// A message of `platform_state`: either about one index, or about maintenance. The undocumented `reasons`, which
/// was only seen empty, is left out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[non_exhaustive]
#[serde(default)]
pub struct PlatformState {
    /// The index that is locked or unlocked.
    pub price_index: Option<String>,
    /// Whether trading on that index is locked.
    pub locked: Option<Locked>,
    /// Whether maintenance began.
    pub maintenance: Option<bool>,
}
