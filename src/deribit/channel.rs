//! Names of channels, typed.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// A channel. Its text and this type convert into each other without loss: what is not understood is
/// [`Other`](Self::Other), letter for letter.
///
/// ```
/// use steadysocket::deribit::{Channel, Interval};
/// let channel: Channel = "ticker.BTC-PERPETUAL.100ms".into();
/// assert_eq!(channel, Channel::Ticker { instrument: "BTC-PERPETUAL".into(), interval: Interval::Ms100 });
/// assert_eq!(channel.to_string(), "ticker.BTC-PERPETUAL.100ms");
/// assert_eq!(Channel::from("ticker.BTC-PERPETUAL"), Channel::Other("ticker.BTC-PERPETUAL".into()));
/// ```
///
/// Instruments, kinds, currencies, indices and resolutions stay text, because the venue adds to them. `any` stands
/// for every kind or currency.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the parts of the names that the variants' lines show")]
pub enum Channel {
    /// `book.{instrument}.{interval}`: a snapshot, then changes.
    Book { instrument: String, interval: Interval },
    /// `book.{instrument}.{group}.{depth}.{interval}`: the best levels, whole each time. `group` is a price step or
    /// `none`, `depth` is 1, 10 or 20.
    GroupedBook { instrument: String, group: String, depth: u16, interval: Interval },
    /// `ticker.{instrument}.{interval}`
    Ticker { instrument: String, interval: Interval },
    /// `incremental_ticker.{instrument}`: a snapshot, then what changed.
    IncrementalTicker { instrument: String },
    /// `quote.{instrument}`: the best bid and ask.
    Quote { instrument: String },
    /// `trades.{instrument}.{interval}` or `trades.{kind}.{currency}.{interval}`
    Trades { scope: Scope, interval: Interval },
    /// `chart.trades.{instrument}.{resolution}`: candles; the resolution is in minutes, or `1D`.
    Chart { instrument: String, resolution: String },
    /// `perpetual.{instrument}.{interval}`: interest.
    Perpetual { instrument: String, interval: Interval },
    /// `deribit_price_index.{index}`
    PriceIndex { index: String },
    /// `deribit_price_ranking.{index}`
    PriceRanking { index: String },
    /// `deribit_price_statistics.{index}`
    PriceStatistics { index: String },
    /// `deribit_volatility_index.{index}`
    VolatilityIndex { index: String },
    /// `markprice.options.{index}`
    OptionMarkPrices { index: String },
    /// `estimated_expiration_price.{index}`
    EstimatedExpirationPrice { index: String },
    /// `instrument.state.{kind}.{currency}`
    InstrumentState { kind: String, currency: String },
    /// `instrument.creation.{kind}.{currency}`
    InstrumentCreation { kind: String, currency: String },
    /// `platform_state`
    PlatformState,
    /// `platform_state.public_methods_state`
    PublicMethodsState,
    /// `announcements`
    Announcements,
    /// `block_rfq.trades.{currency}`
    BlockRfqTrades { currency: String },
    /// `block_rfq.maker.{currency}`
    BlockRfqMaker { currency: String },
    /// `block_rfq.maker.quotes.{currency}`
    BlockRfqMakerQuotes { currency: String },
    /// `block_rfq.taker.{currency}`
    BlockRfqTaker { currency: String },
    /// `block_trade_confirmations`, of one currency where one is given
    BlockTradeConfirmations { currency: Option<String> },
    /// `user.orders.{instrument}.{interval}` or `user.orders.{kind}.{currency}.{interval}`: one order a message when
    /// raw, else a list.
    UserOrders { scope: Scope, interval: Interval },
    /// `user.trades.{instrument}.{interval}` or `user.trades.{kind}.{currency}.{interval}`
    UserTrades { scope: Scope, interval: Interval },
    /// `user.combo_trades.{instrument}.{interval}` or `user.combo_trades.{kind}.{currency}.{interval}`
    UserComboTrades { scope: Scope, interval: Interval },
    /// `user.changes.{instrument}.{interval}` or `user.changes.{kind}.{currency}.{interval}`
    UserChanges { scope: Scope, interval: Interval },
    /// `user.portfolio.{currency}`
    UserPortfolio { currency: String },
    /// `user.mmp_trigger.{index}`
    UserMmpTrigger { index: String },
    /// `user.access_log`
    UserAccessLog,
    /// `user.lock`
    UserLock,
    /// `user.liquidation`
    UserLiquidation,
    /// `user.isolated.liquidation`
    UserIsolatedLiquidation,
    /// `user.lsp`
    UserLsp,
    /// Any other name.
    Other(String),
}

/// How often a channel speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interval {
    /// `raw`: at every change. Public channels need a login for it.
    Raw,
    /// `100ms`: what happened in each tenth of a second.
    Ms100,
    /// `agg2`: about once a second, aggregated.
    Agg2,
}

/// Which instruments a channel is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One instrument.
    Instrument(String),
    /// All instruments of a kind (`future`, `option`, `spot`, …) and a currency; `any` for all.
    Market {
        /// The kind.
        kind: String,
        /// The currency.
        currency: String,
    },
}

/// What a channel asks of the connection. Each has its own subscribe requests, because one channel that is not
/// allowed fails the whole request (13778, 13009).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Nothing.
    Public,
    /// Public data at every change: a login.
    Raw,
    /// The account's own data: a login, and `private/subscribe`.
    Private,
}

impl Channel {
    /// What the channel asks of the connection.
    pub fn access(&self) -> Access {
        Access::of(&self.to_string())
    }

    /// The interval, for channels that have one.
    pub fn interval(&self) -> Option<Interval> {
        match self {
            Self::Book { interval, .. }
            | Self::GroupedBook { interval, .. }
            | Self::Ticker { interval, .. }
            | Self::Trades { interval, .. }
            | Self::Perpetual { interval, .. }
            | Self::UserOrders { interval, .. }
            | Self::UserTrades { interval, .. }
            | Self::UserComboTrades { interval, .. }
            | Self::UserChanges { interval, .. } => Some(*interval),
            _ => None,
        }
    }
}

impl Access {
    /// What the channel of this name asks of the connection.
    pub fn of(channel: &str) -> Self {
        const PRIVATE: [&str; 4] =
            ["user.", "block_trade_confirmations", "block_rfq.maker.", "block_rfq.taker."];
        if PRIVATE.iter().any(|prefix| channel.starts_with(prefix)) {
            Self::Private
        } else if channel.ends_with(".raw") {
            Self::Raw
        } else {
            Self::Public
        }
    }

    /// Whether the connection must be logged in.
    pub fn needs_login(self) -> bool {
        self != Self::Public
    }
}

impl Scope {
    /// One instrument.
    pub fn instrument(name: impl Into<String>) -> Self {
        Self::Instrument(name.into())
    }

    /// All instruments of a kind and a currency.
    pub fn market(kind: impl Into<String>, currency: impl Into<String>) -> Self {
        Self::Market { kind: kind.into(), currency: currency.into() }
    }

    /// From the one or two parts that a name has for it.
    fn parse(parts: &[&str]) -> Option<Self> {
        match *parts {
            [instrument] => Some(Self::instrument(instrument)),
            [kind, currency] => Some(Self::market(kind, currency)),
            _ => None,
        }
    }
}

impl Interval {
    fn parse(text: &str) -> Option<Self> {
        [Self::Raw, Self::Ms100, Self::Agg2].into_iter().find(|interval| interval.as_str() == text)
    }

    /// The venue's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Ms100 => "100ms",
            Self::Agg2 => "agg2",
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instrument(name) => f.write_str(name),
            Self::Market { kind, currency } => write!(f, "{kind}.{currency}"),
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Book { instrument, interval } => write!(f, "book.{instrument}.{interval}"),
            Self::GroupedBook { instrument, group, depth, interval } => {
                write!(f, "book.{instrument}.{group}.{depth}.{interval}")
            }
            Self::Ticker { instrument, interval } => write!(f, "ticker.{instrument}.{interval}"),
            Self::IncrementalTicker { instrument } => write!(f, "incremental_ticker.{instrument}"),
            Self::Quote { instrument } => write!(f, "quote.{instrument}"),
            Self::Trades { scope, interval } => write!(f, "trades.{scope}.{interval}"),
            Self::Chart { instrument, resolution } => write!(f, "chart.trades.{instrument}.{resolution}"),
            Self::Perpetual { instrument, interval } => write!(f, "perpetual.{instrument}.{interval}"),
            Self::PriceIndex { index } => write!(f, "deribit_price_index.{index}"),
            Self::PriceRanking { index } => write!(f, "deribit_price_ranking.{index}"),
            Self::PriceStatistics { index } => write!(f, "deribit_price_statistics.{index}"),
            Self::VolatilityIndex { index } => write!(f, "deribit_volatility_index.{index}"),
            Self::OptionMarkPrices { index } => write!(f, "markprice.options.{index}"),
            Self::EstimatedExpirationPrice { index } => write!(f, "estimated_expiration_price.{index}"),
            Self::InstrumentState { kind, currency } => write!(f, "instrument.state.{kind}.{currency}"),
            Self::InstrumentCreation { kind, currency } => write!(f, "instrument.creation.{kind}.{currency}"),
            Self::PlatformState => f.write_str("platform_state"),
            Self::PublicMethodsState => f.write_str("platform_state.public_methods_state"),
            Self::Announcements => f.write_str("announcements"),
            Self::BlockRfqTrades { currency } => write!(f, "block_rfq.trades.{currency}"),
            Self::BlockRfqMaker { currency } => write!(f, "block_rfq.maker.{currency}"),
            Self::BlockRfqMakerQuotes { currency } => write!(f, "block_rfq.maker.quotes.{currency}"),
            Self::BlockRfqTaker { currency } => write!(f, "block_rfq.taker.{currency}"),
            Self::BlockTradeConfirmations { currency: None } => f.write_str("block_trade_confirmations"),
            Self::BlockTradeConfirmations { currency: Some(currency) } => {
                write!(f, "block_trade_confirmations.{currency}")
            }
            Self::UserOrders { scope, interval } => write!(f, "user.orders.{scope}.{interval}"),
            Self::UserTrades { scope, interval } => write!(f, "user.trades.{scope}.{interval}"),
            Self::UserComboTrades { scope, interval } => write!(f, "user.combo_trades.{scope}.{interval}"),
            Self::UserChanges { scope, interval } => write!(f, "user.changes.{scope}.{interval}"),
            Self::UserPortfolio { currency } => write!(f, "user.portfolio.{currency}"),
            Self::UserMmpTrigger { index } => write!(f, "user.mmp_trigger.{index}"),
            Self::UserAccessLog => f.write_str("user.access_log"),
            Self::UserLock => f.write_str("user.lock"),
            Self::UserLiquidation => f.write_str("user.liquidation"),
            Self::UserIsolatedLiquidation => f.write_str("user.isolated.liquidation"),
            Self::UserLsp => f.write_str("user.lsp"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl FromStr for Channel {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(name.into())
    }
}

impl From<&str> for Channel {
    fn from(name: &str) -> Self {
        let parts: Vec<&str> = name.split('.').collect();
        let parsed = if parts.contains(&"") { None } else { parse(&parts) };
        parsed.unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

/// Parts tell the forms of a name apart by their number: names of instruments contain no dot.
fn parse(parts: &[&str]) -> Option<Channel> {
    let own = |part: &str| part.to_owned();
    Some(match *parts {
        ["book", instrument, interval] => {
            Channel::Book { instrument: own(instrument), interval: Interval::parse(interval)? }
        }
        ["book", instrument, group, depth, interval] => Channel::GroupedBook {
            instrument: own(instrument),
            group: own(group),
            depth: canonical(depth)?,
            interval: Interval::parse(interval)?,
        },
        ["ticker", instrument, interval] => {
            Channel::Ticker { instrument: own(instrument), interval: Interval::parse(interval)? }
        }
        ["incremental_ticker", instrument] => Channel::IncrementalTicker { instrument: own(instrument) },
        ["quote", instrument] => Channel::Quote { instrument: own(instrument) },
        ["trades", ref scope @ .., interval] => {
            Channel::Trades { scope: Scope::parse(scope)?, interval: Interval::parse(interval)? }
        }
        ["chart", "trades", instrument, resolution] => {
            Channel::Chart { instrument: own(instrument), resolution: own(resolution) }
        }
        ["perpetual", instrument, interval] => {
            Channel::Perpetual { instrument: own(instrument), interval: Interval::parse(interval)? }
        }
        ["markprice", "options", index] => Channel::OptionMarkPrices { index: own(index) },
        ["instrument", "state", kind, currency] => {
            Channel::InstrumentState { kind: own(kind), currency: own(currency) }
        }
        ["instrument", "creation", kind, currency] => {
            Channel::InstrumentCreation { kind: own(kind), currency: own(currency) }
        }
        ["platform_state"] => Channel::PlatformState,
        ["platform_state", "public_methods_state"] => Channel::PublicMethodsState,
        ["announcements"] => Channel::Announcements,
        ["block_rfq", "trades", currency] => Channel::BlockRfqTrades { currency: own(currency) },
        ["block_rfq", "maker", currency] => Channel::BlockRfqMaker { currency: own(currency) },
        ["block_rfq", "maker", "quotes", currency] => {
            Channel::BlockRfqMakerQuotes { currency: own(currency) }
        }
        ["block_rfq", "taker", currency] => Channel::BlockRfqTaker { currency: own(currency) },
        ["block_trade_confirmations"] => Channel::BlockTradeConfirmations { currency: None },
        ["block_trade_confirmations", currency] => {
            Channel::BlockTradeConfirmations { currency: Some(own(currency)) }
        }
        ["user", ref rest @ ..] => return parse_user(rest),
        [family, index] => return parse_index(family, index),
        _ => return None,
    })
}

fn parse_user(parts: &[&str]) -> Option<Channel> {
    let (interval, scope) = match *parts {
        ["portfolio", currency] => return Some(Channel::UserPortfolio { currency: currency.to_owned() }),
        ["mmp_trigger", index] => return Some(Channel::UserMmpTrigger { index: index.to_owned() }),
        ["access_log"] => return Some(Channel::UserAccessLog),
        ["lock"] => return Some(Channel::UserLock),
        ["liquidation"] => return Some(Channel::UserLiquidation),
        ["isolated", "liquidation"] => return Some(Channel::UserIsolatedLiquidation),
        ["lsp"] => return Some(Channel::UserLsp),
        [_, ref scope @ .., interval] => (Interval::parse(interval)?, Scope::parse(scope)?),
        _ => return None,
    };
    match parts.first().copied()? {
        "orders" => Some(Channel::UserOrders { scope, interval }),
        "trades" => Some(Channel::UserTrades { scope, interval }),
        "combo_trades" => Some(Channel::UserComboTrades { scope, interval }),
        "changes" => Some(Channel::UserChanges { scope, interval }),
        _ => None,
    }
}

fn parse_index(family: &str, index: &str) -> Option<Channel> {
    let index = index.to_owned();
    match family {
        "deribit_price_index" => Some(Channel::PriceIndex { index }),
        "deribit_price_ranking" => Some(Channel::PriceRanking { index }),
        "deribit_price_statistics" => Some(Channel::PriceStatistics { index }),
        "deribit_volatility_index" => Some(Channel::VolatilityIndex { index }),
        "estimated_expiration_price" => Some(Channel::EstimatedExpirationPrice { index }),
        _ => None,
    }
}

/// A number that is written as it would be printed, so that printing it gives the same text.
fn canonical(text: &str) -> Option<u16> {
    let number: u16 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
