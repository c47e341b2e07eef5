//! Prices: tickers, quotes, indices, volatility.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::book::Level;
use super::lenient::derived;
use super::object::object;
use super::words::{BookMessageKind, InstrumentState};

object! {
    /// A message of `ticker.*`, and what [`Deribit::ticker`](crate::deribit::Deribit::ticker) answers. What an
    /// instrument does not have is `None`: funding is for perpetuals, volatilities and greeks for options.
    Ticker {
        /// The instrument.
        instrument_name: String,
        /// When this was so.
        timestamp: u64,
        /// Whether it trades.
        state: Option<InstrumentState>,
        /// The best bid; null or 0 when there is none: see [`best_bid`](Self::best_bid).
        best_bid_price: Option<f64>,
        /// The amount bid there.
        best_bid_amount: Option<f64>,
        /// The best ask; null or 0 when there is none: see [`best_ask`](Self::best_ask).
        best_ask_price: Option<f64>,
        /// The amount asked there.
        best_ask_amount: Option<f64>,
        /// The price of the last trade, if there was any.
        last_price: Option<f64>,
        /// The mark price.
        mark_price: Option<f64>,
        /// The index.
        index_price: Option<f64>,
        /// Orders under this price are refused.
        min_price: Option<f64>,
        /// Orders over this price are refused.
        max_price: Option<f64>,
        /// Open contracts, in the units of amounts.
        open_interest: Option<f64>,
        /// The price of the last settlement.
        settlement_price: Option<f64>,
        /// The estimated price of the next delivery.
        estimated_delivery_price: Option<f64>,
        /// The price at which a closed instrument was delivered.
        delivery_price: Option<f64>,
        /// Of the last 24 hours.
        stats: Stats,
        /// Perpetuals: the current funding.
        current_funding: Option<f64>,
        /// Perpetuals: the funding of the last 8 hours.
        funding_8h: Option<f64>,
        /// Perpetuals: the value from which realised funding is computed.
        interest_value: Option<f64>,
        /// Options: sensitivities.
        greeks: Option<Greeks>,
        /// Options: implied volatility at the mark price, in percent.
        mark_iv: Option<f64>,
        /// Options: implied volatility at the best bid, in percent.
        bid_iv: Option<f64>,
        /// Options: implied volatility at the best ask, in percent.
        ask_iv: Option<f64>,
        /// Options: the price of the underlying.
        underlying_price: Option<f64>,
        /// Options: the underlying future, or `index_price`.
        underlying_index: Option<String>,
        /// Options: the interest rate.
        interest_rate: Option<f64>,
    }
}

object! {
    #[derive(Default)]
    /// Statistics of the last 24 hours.
    Stats or default {
        /// The highest price, if there were trades.
        high: Option<f64>,
        /// The lowest price, if there were trades.
        low: Option<f64>,
        /// The change of the price in percent, if there were trades.
        price_change: Option<f64>,
        /// The volume in the base currency.
        volume: Option<f64>,
        /// The volume in US dollars.
        volume_usd: Option<f64>,
        /// The volume in the quote currency.
        volume_notional: Option<f64>,
    }
}

object! {
    #[derive(Copy, Default)]
    #[allow(missing_docs, reason = "they are called what everybody calls them")]
    /// Sensitivities of an option.
    Greeks {
        delta: Option<f64>,
        gamma: Option<f64>,
        vega: Option<f64>,
        theta: Option<f64>,
        rho: Option<f64>,
    }
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

/// A message of `incremental_ticker.*`: a snapshot, or what changed of it.
/// [`IncrementalTicker`](crate::deribit::IncrementalTicker) puts them together.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct TickerChange {
    /// Whether this is the whole.
    #[serde(rename = "type")]
    pub kind: BookMessageKind,
    /// The members of a [`Ticker`] that are there.
    #[serde(flatten)]
    pub members: serde_json::Map<String, serde_json::Value>,
}

object! {
    /// A message of `quote.*`.
    Quote {
        /// The instrument.
        instrument_name: String,
        /// When this was so.
        timestamp: u64,
        /// The best bid; null or 0 when there is none: see [`best_bid`](Self::best_bid).
        best_bid_price: Option<f64>,
        /// The amount bid there.
        best_bid_amount: Option<f64>,
        /// The best ask; null or 0 when there is none: see [`best_ask`](Self::best_ask).
        best_ask_price: Option<f64>,
        /// The amount asked there.
        best_ask_amount: Option<f64>,
    }
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

object! {
    /// A message of `perpetual.*`.
    PerpetualInterest {
        /// The interest since the last message.
        interest: f64,
        /// The index.
        index_price: Option<f64>,
        /// When this was so.
        timestamp: u64,
    }
}

object! {
    /// A message of `deribit_price_index.*`.
    PriceIndex {
        /// The index, such as `btc_usd`.
        index_name: String,
        /// Its value.
        price: f64,
        /// When this was so.
        timestamp: u64,
    }
}

object! {
    /// One exchange's part in an index: `deribit_price_ranking.*` lists them.
    PriceRanking {
        /// The exchange, such as `bitstamp`.
        identifier: String,
        /// Whether its price counts.
        enabled: bool,
        /// Its weight in percent.
        weight: Option<f64>,
        /// Its price as it counts: held within a distance from the median. None when it has none.
        price: Option<f64>,
        /// Its price as it is.
        original_price: Option<f64>,
        /// When its price was received.
        timestamp: Option<u64>,
    }
}

object! {
    /// A message of `deribit_price_statistics.*`: of the last 24 hours.
    PriceStatistics {
        /// The index, such as `btc_usd`.
        index_name: String,
        /// Its lowest value.
        low = "low24h": Option<f64>,
        /// Its highest value.
        high = "high24h": Option<f64>,
        /// By how much it changed.
        change = "change24h": Option<f64>,
        /// Whether it moves so much that the venue's protections are on.
        high_volatility: bool,
    }
}

object! {
    /// A message of `deribit_volatility_index.*`: DVOL.
    VolatilityIndex {
        /// The index, such as `btc_usd`.
        index_name: String,
        /// The volatility in percent.
        volatility: f64,
        /// When this was so.
        timestamp: u64,
    }
}

object! {
    /// The mark price of one option: `markprice.options.*` lists them.
    OptionMarkPrice {
        /// The option.
        instrument_name: String,
        /// Its mark price.
        mark_price: f64,
        /// Its implied volatility. As a fraction: 0.9 is 90 %.
        iv: Option<f64>,
        /// When this was so.
        timestamp: Option<u64>,
    }
}

object! {
    /// A message of `estimated_expiration_price.*`.
    EstimatedExpirationPrice {
        /// The estimated price.
        price: f64,
        /// Whether the price is an estimate: the averaging before the expiry has begun.
        is_estimated: bool,
        /// Seconds until the expiry.
        seconds: u64,
    }
}

object! {
    /// An index's value on request.
    IndexPrice {
        /// The index.
        index_price: f64,
        /// The estimated price of the next delivery.
        estimated_delivery_price: Option<f64>,
    }
}

/// An index that the venue knows: sent as an object, or as its name alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "IndexNameForm")]
#[non_exhaustive]
pub struct IndexName {
    /// Its name, such as `btc_usd`.
    pub name: String,
    /// Whether combos of futures can be made on it; only when it was asked for.
    pub future_combo_creation_enabled: Option<bool>,
    /// Whether combos of options can be made on it; only when it was asked for.
    pub option_combo_creation_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IndexNameForm {
    Name(String),
    Object {
        name: String,
        future_combo_creation_enabled: Option<bool>,
        option_combo_creation_enabled: Option<bool>,
    },
}

impl From<IndexNameForm> for IndexName {
    fn from(form: IndexNameForm) -> Self {
        match form {
            IndexNameForm::Name(name) => {
                Self { name, future_combo_creation_enabled: None, option_combo_creation_enabled: None }
            }
            IndexNameForm::Object { name, future_combo_creation_enabled, option_combo_creation_enabled } => {
                Self { name, future_combo_creation_enabled, option_combo_creation_enabled }
            }
        }
    }
}

derived!(IndexName);

object! {
    /// The best prices and the last 24 hours of one instrument.
    BookSummary {
        /// The instrument.
        instrument_name: String,
        /// Its base currency.
        base_currency: Option<String>,
        /// Its quote currency.
        quote_currency: Option<String>,
        /// When this was so.
        creation_timestamp: Option<u64>,
        /// The best bid, if there is one.
        bid_price: Option<f64>,
        /// The best ask, if there is one.
        ask_price: Option<f64>,
        /// Halfway between them.
        mid_price: Option<f64>,
        /// The mark price.
        mark_price: Option<f64>,
        /// The price of the last trade, if there was any.
        last: Option<f64>,
        /// The highest price of the last 24 hours.
        high: Option<f64>,
        /// The lowest price of the last 24 hours.
        low: Option<f64>,
        /// The change of the price in percent.
        price_change: Option<f64>,
        /// The volume in the base currency.
        volume: Option<f64>,
        /// The volume in US dollars.
        volume_usd: Option<f64>,
        /// The volume in the quote currency.
        volume_notional: Option<f64>,
        /// Open contracts, in the units of amounts.
        open_interest: Option<f64>,
        /// The estimated price of the next delivery.
        estimated_delivery_price: Option<f64>,
        /// Perpetuals: the current funding.
        current_funding: Option<f64>,
        /// Perpetuals: the funding of the last 8 hours.
        funding_8h: Option<f64>,
        /// Options: implied volatility at the mark price, in percent.
        mark_iv: Option<f64>,
        /// Options: the interest rate.
        interest_rate: Option<f64>,
        /// Options: the underlying future, or `index_price`.
        underlying_index: Option<String>,
        /// Options: the price of the underlying.
        underlying_price: Option<f64>,
    }
}

object! {
    /// What was traded of a currency.
    TradeVolumes {
        /// The currency.
        currency: String,
        /// Calls, in 24 hours.
        calls_volume: Option<f64>,
        /// Puts, in 24 hours.
        puts_volume: Option<f64>,
        /// Futures, in 24 hours.
        futures_volume: Option<f64>,
        /// Spot, in 24 hours.
        spot_volume: Option<f64>,
        /// Calls, in 7 days.
        calls_volume_7d: Option<f64>,
        /// Puts, in 7 days.
        puts_volume_7d: Option<f64>,
        /// Futures, in 7 days.
        futures_volume_7d: Option<f64>,
        /// Spot, in 7 days.
        spot_volume_7d: Option<f64>,
        /// Calls, in 30 days.
        calls_volume_30d: Option<f64>,
        /// Puts, in 30 days.
        puts_volume_30d: Option<f64>,
        /// Futures, in 30 days.
        futures_volume_30d: Option<f64>,
        /// Spot, in 30 days.
        spot_volume_30d: Option<f64>,
    }
}

object! {
    /// Expirations of futures and options, as dates like `27JUN25`; `PERPETUAL` for perpetuals.
    Expirations {
        /// Those of futures.
        future: Vec<String>,
        /// Those of options.
        option: Vec<String>,
    }
}

/// [`Expirations`] by currency, such as `btc`.
pub type GroupedExpirations = BTreeMap<String, Expirations>;
