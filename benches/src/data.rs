//! What a program decodes: the same types for every contestant. A name that the channel tells already is not kept.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoding it is the work")]
pub struct Ticker {
    pub timestamp: u64,
    pub state: State,
    pub stats: Stats,
    pub index_price: f64,
    pub last_price: f64,
    pub min_price: f64,
    pub max_price: f64,
    pub open_interest: f64,
    pub mark_price: f64,
    pub best_ask_price: f64,
    pub best_bid_price: f64,
    pub interest_value: f64,
    pub best_ask_amount: f64,
    pub best_bid_amount: f64,
    pub estimated_delivery_price: f64,
    pub settlement_price: f64,
    pub current_funding: f64,
    pub funding_8h: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Open,
    Closed,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoding it is the work")]
pub struct Stats {
    pub high: f64,
    pub low: f64,
    pub price_change: f64,
    pub volume: f64,
    pub volume_usd: f64,
    pub volume_notional: f64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    New,
    Change,
    Delete,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Snapshot,
    Change,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoding it is the work")]
pub struct BookChange {
    #[serde(rename = "type")]
    pub kind: Kind,
    pub timestamp: u64,
    pub prev_change_id: Option<u64>,
    pub change_id: u64,
    pub bids: Vec<(Action, f64, f64)>,
    pub asks: Vec<(Action, f64, f64)>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "decoding it is the work")]
pub struct Trade {
    pub trade_seq: u64,
    pub timestamp: u64,
    pub tick_direction: u8,
    pub price: f64,
    pub mark_price: f64,
    pub index_price: f64,
    pub direction: Direction,
    pub contracts: f64,
    pub amount: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Buy,
    Sell,
}

/// One of the three, for contestants whose messages come in one stream.
pub enum Data {
    Ticker(Ticker),
    Book(BookChange),
    Trades(Vec<Trade>),
}

impl Data {
    /// Decodes the data of a channel.
    pub fn decode(channel: &str, data: &str) -> serde_json::Result<Self> {
        Ok(match channel.as_bytes().first() {
            Some(b'b') => Self::Book(serde_json::from_str(data)?),
            Some(b't') if channel.starts_with("ticker") => Self::Ticker(serde_json::from_str(data)?),
            _ => Self::Trades(serde_json::from_str(data)?),
        })
    }

    /// A number that only who has decoded it can know.
    pub fn proof(&self) -> u64 {
        match self {
            Self::Ticker(ticker) => ticker.proof(),
            Self::Book(change) => change.proof(),
            Self::Trades(trades) => proof(trades),
        }
    }
}

impl Ticker {
    pub fn proof(&self) -> u64 {
        self.timestamp
            .wrapping_add(self.best_bid_price.to_bits())
            .wrapping_add(self.stats.volume_usd.to_bits())
    }
}

impl BookChange {
    pub fn proof(&self) -> u64 {
        let levels = self.bids.iter().chain(&self.asks);
        levels.fold(self.change_id, |sum, (_, price, _)| sum.wrapping_add(price.to_bits()))
    }
}

pub fn proof(trades: &[Trade]) -> u64 {
    trades.iter().fold(0, |sum, trade| sum.wrapping_add(trade.trade_seq).wrapping_add(trade.price.to_bits()))
}

/// A message as one writes it by hand: the data stays text until its channel says what it is.
#[derive(Deserialize)]
pub struct Envelope<'a> {
    pub method: &'a str,
    #[serde(borrow)]
    pub params: Params<'a>,
}

#[derive(Deserialize)]
pub struct Params<'a> {
    pub channel: &'a str,
    #[serde(borrow)]
    pub data: &'a RawValue,
}

/// An order book as one writes it by hand. Prices in half dollars are its keys.
#[derive(Default)]
pub struct HandBook {
    bids: BTreeMap<u64, f64>,
    asks: BTreeMap<u64, f64>,
    change_id: u64,
}

impl HandBook {
    /// Whether the message fits to what came before.
    #[must_use]
    pub fn apply(&mut self, change: &BookChange) -> bool {
        if change.kind == Kind::Snapshot {
            self.bids.clear();
            self.asks.clear();
        } else if change.prev_change_id != Some(self.change_id) {
            return false;
        }
        self.change_id = change.change_id;
        for (side, entries) in [(&mut self.bids, &change.bids), (&mut self.asks, &change.asks)] {
            for (action, price, amount) in entries {
                let key = (price * 2.0).round() as u64;
                match action {
                    Action::Delete => drop(side.remove(&key)),
                    Action::New | Action::Change => drop(side.insert(key, *amount)),
                }
            }
        }
        true
    }

    /// The best bid and ask, in half dollars, and the change they are of.
    pub fn proof(&self) -> u64 {
        let bid = self.bids.last_key_value().map_or(0, |(price, _)| *price);
        let ask = self.asks.first_key_value().map_or(0, |(price, _)| *price);
        self.change_id.wrapping_add(bid).wrapping_add(ask)
    }
}

/// The parameters and the result of the call that is measured.
#[derive(serde::Serialize)]
pub struct Order<'a> {
    pub instrument_name: &'a str,
    pub amount: f64,
    pub price: f64,
    pub label: &'a str,
}

pub const METHOD: &str = "public/order";
pub const ORDER: Order<'static> =
    Order { instrument_name: "BTC-PERPETUAL", amount: 10.0, price: 60_000.5, label: "mm-1" };

#[derive(Deserialize)]
pub struct Placed {
    pub order_id: u64,
    pub filled: f64,
}

impl Placed {
    pub fn proof(&self) -> u64 {
        self.order_id.wrapping_add(self.filled.to_bits())
    }
}
