//! Channel names: which exist, and what they ask for.

use crate::market::Market;
use crate::market::chart;
use crate::market::instrument::Instrument;

/// How often a channel publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    Raw,
    Ms100,
    /// Called two seconds in one document; measured at one.
    Agg2,
}

/// Which instruments a channel is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    Instrument(String),
    /// A kind and a currency, each of them possibly `any`.
    Kind(String, String),
}

impl Filter {
    pub(crate) fn fits(&self, terms: &Instrument) -> bool {
        match self {
            Self::Instrument(name) => terms.name == *name,
            Self::Kind(kind, currency) => {
                (kind == "any" || terms.kind() == kind) && (currency == "any" || terms.pool == currency)
            }
        }
    }
}

/// What a private channel tells its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Private {
    Orders(Filter, Interval),
    Trades(Filter, Interval),
    Changes(Filter, Interval),
    Portfolio(String),
    MmpTrigger(String),
    AccessLog,
    Lock,
    /// Block trades, requests for quotes, combos: they exist, and nothing of the kind happens here.
    Silent,
}

/// A channel of this exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Channel {
    Book {
        instrument: String,
        interval: Interval,
    },
    Grouped {
        instrument: String,
        step: i64,
        depth: usize,
        interval: Interval,
    },
    Ticker {
        instrument: String,
        interval: Interval,
    },
    Quote {
        instrument: String,
    },
    IncrementalTicker {
        instrument: String,
    },
    Trades {
        filter: Filter,
        interval: Interval,
    },
    /// Bars of a length in milliseconds.
    Chart {
        instrument: String,
        length: i64,
    },
    Perpetual {
        instrument: String,
        interval: Interval,
    },
    Index {
        topic: IndexTopic,
        name: String,
    },
    InstrumentState(Filter),
    InstrumentCreation(Filter),
    Announcements,
    PlatformState,
    MethodsState,
    Private(Private),
    /// It exists, and nothing of the kind happens here.
    Silent,
}

/// What a channel tells of an index, about once a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IndexTopic {
    Price,
    Ranking,
    Statistics,
    Volatility,
    OptionMarks,
    Expiration,
}

impl Channel {
    /// Reads a name. `None` for every channel that does not exist here: the venue drops those in silence.
    pub(crate) fn parse(name: &str, market: &Market) -> Option<Self> {
        let parts: Vec<&str> = name.split('.').collect();
        let known = |instrument: &str| market.instrument(instrument).map(|_| instrument.to_owned());
        Some(match parts.as_slice() {
            ["book", instrument, every] => {
                Self::Book { instrument: known(instrument)?, interval: interval(every)? }
            }
            ["book", instrument, group, depth, every] => Self::Grouped {
                step: market.instrument(instrument)?.terms.group_steps(group)?,
                instrument: known(instrument)?,
                depth: window(depth)?,
                interval: interval(every)?,
            },
            ["ticker", instrument, every] => {
                Self::Ticker { instrument: known(instrument)?, interval: interval(every)? }
            }
            ["quote", instrument] => Self::Quote { instrument: known(instrument)? },
            ["incremental_ticker", instrument] => Self::IncrementalTicker { instrument: known(instrument)? },
            ["trades", about @ .., every] => {
                Self::Trades { filter: filter(about, market)?, interval: interval(every)? }
            }
            ["chart", "trades", instrument, resolution] => {
                Self::Chart { instrument: known(instrument)?, length: chart::resolution(resolution)? }
            }
            ["perpetual", instrument, every] => {
                let (quoted, every) = (market.instrument(instrument)?, interval(every)?);
                match quoted.terms.is_perpetual() {
                    true => Self::Perpetual { instrument: known(instrument)?, interval: every },
                    false => Self::Silent,
                }
            }
            ["instrument", "state", kind, currency] => {
                Self::InstrumentState(kind_and_currency(kind, currency)?)
            }
            ["instrument", "creation", kind, currency] => {
                Self::InstrumentCreation(kind_and_currency(kind, currency)?)
            }
            ["announcements"] => Self::Announcements,
            ["block_rfq", "trades", currency] => {
                currency_word(currency)?;
                Self::Silent
            }
            [topic, name] if index_topic(topic).is_some() => {
                market.index(name)?;
                Self::Index { topic: index_topic(topic)?, name: (*name).to_owned() }
            }
            ["markprice", "options", name] => {
                market.index(name)?;
                Self::Index { topic: IndexTopic::OptionMarks, name: (*name).to_owned() }
            }
            ["platform_state"] => Self::PlatformState,
            ["platform_state", "public_methods_state"] => Self::MethodsState,
            ["user", ..] | ["block_rfq", ..] | ["block_trade_confirmations", ..] => {
                Self::Private(private(&parts, market)?)
            }
            _ => return None,
        })
    }
}

fn private(parts: &[&str], market: &Market) -> Option<Private> {
    Some(match parts {
        ["user", what @ ("orders" | "trades" | "changes" | "combo_trades"), about @ .., every] => {
            let (filter, every) = (filter(about, market)?, interval(every)?);
            match *what {
                "orders" => Private::Orders(filter, every),
                "trades" => Private::Trades(filter, every),
                "changes" => Private::Changes(filter, every),
                _ => Private::Silent,
            }
        }
        // Clients write this one in either case.
        ["user", "portfolio", currency] => {
            Private::Portfolio(currency_word(currency).or_else(|| currency_word(&currency.to_uppercase()))?)
        }
        ["user", "mmp_trigger", index] => {
            market.index(index)?;
            Private::MmpTrigger((*index).to_owned())
        }
        ["user", "access_log"] => Private::AccessLog,
        ["user", "lock"] => Private::Lock,
        ["block_trade_confirmations"] => Private::Silent,
        ["block_trade_confirmations", currency]
        | ["block_rfq", "maker" | "taker", currency]
        | ["block_rfq", "maker", "quotes", currency] => {
            currency_word(currency)?;
            Private::Silent
        }
        _ => return None,
    })
}

fn filter(parts: &[&str], market: &Market) -> Option<Filter> {
    match parts {
        [instrument] => market.instrument(instrument).map(|_| Filter::Instrument((*instrument).to_owned())),
        [kind, currency] => kind_and_currency(kind, currency),
        _ => None,
    }
}

fn kind_and_currency(kind: &str, currency: &str) -> Option<Filter> {
    let kinds = ["future", "option", "spot", "future_combo", "option_combo", "combo", "any"];
    let kind = kinds.contains(&kind).then(|| kind.to_owned())?;
    Some(Filter::Kind(kind, currency_word(currency)?))
}

fn currency_word(currency: &str) -> Option<String> {
    let currencies = ["BTC", "ETH", "USDC", "USDT", "EURR", "any"];
    currencies.into_iter().find(|known| *known == currency).map(str::to_owned)
}

/// Whether a channel is one of those that only an authenticated connection may have unaggregated.
pub(crate) fn is_public_raw(name: &str) -> bool {
    name.ends_with(".raw") && !is_private(name)
}

/// The area of rights that reading a private channel needs.
pub(crate) fn area(name: &str) -> &'static str {
    match name {
        _ if name.starts_with("block_rfq.") => "block_rfq",
        _ if name.starts_with("block_trade") => "block_trade",
        "user.access_log" | "user.lock" => "account",
        _ if name.starts_with("user.portfolio.") => "account",
        _ => "trade",
    }
}

/// Whether a channel belongs to an account.
pub(crate) fn is_private(name: &str) -> bool {
    let of_rfq = name.starts_with("block_rfq.") && !name.starts_with("block_rfq.trades.");
    name.starts_with("user.") || name.starts_with("block_trade_confirmations") || of_rfq
}

fn interval(token: &str) -> Option<Interval> {
    match token {
        "raw" => Some(Interval::Raw),
        "100ms" => Some(Interval::Ms100),
        "agg2" => Some(Interval::Agg2),
        _ => None,
    }
}

fn window(token: &str) -> Option<usize> {
    match token {
        "1" => Some(1),
        "10" => Some(10),
        "20" => Some(20),
        _ => None,
    }
}

fn index_topic(word: &str) -> Option<IndexTopic> {
    match word {
        "deribit_price_index" => Some(IndexTopic::Price),
        "deribit_price_ranking" => Some(IndexTopic::Ranking),
        "deribit_price_statistics" => Some(IndexTopic::Statistics),
        "deribit_volatility_index" => Some(IndexTopic::Volatility),
        "estimated_expiration_price" => Some(IndexTopic::Expiration),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn knows_what_exists() {
        let market = Market::open(1, 1_790_133_840_448, Duration::from_millis(25));
        let exists = |name| Channel::parse(name, &market).is_some();
        for name in [
            "book.BTC-PERPETUAL.100ms",
            "book.BTC-PERPETUAL.none.10.100ms",
            "book.BTC-PERPETUAL.25.20.agg2",
            "ticker.SOL_USDC-PERPETUAL.raw",
            "trades.future.USDC.100ms",
            "trades.any.any.agg2",
            "quote.ETH-PERPETUAL",
            "deribit_price_index.btc_usd",
            "deribit_price_ranking.btc_usd",
            "deribit_price_statistics.eth_usd",
            "deribit_volatility_index.btc_usd",
            "estimated_expiration_price.btc_usd",
            "markprice.options.btc_usd",
            "incremental_ticker.BTC-PERPETUAL",
            "chart.trades.BTC-PERPETUAL.1",
            "chart.trades.BTC-PERPETUAL.1D",
            "perpetual.BTC-PERPETUAL.100ms",
            "instrument.state.any.any",
            "instrument.creation.option.BTC",
            "announcements",
            "block_rfq.trades.BTC",
            "user.orders.BTC-PERPETUAL.raw",
            "user.orders.any.any.100ms",
            "user.changes.future.USDC.agg2",
            "user.portfolio.btc",
            "user.combo_trades.any.any.100ms",
            "block_trade_confirmations",
        ] {
            assert!(exists(name), "{name}");
        }
        for name in [
            "book.BTC-PERPETUAL.50ms",
            "book.BTC-PERPETUAL.none.50.100ms",
            "book.BTC-PERPETUAL.3.10.100ms",
            "book.BTC-PERPETUAL.none.100ms",
            "ticker.BTC-PERPETUAL",
            "ticker.btc-perpetual.100ms",
            "trades.futures.BTC.100ms",
            "deribit_price_index.BTC_USD",
            "incremental_ticker.BTC-PERPETUAL.100ms",
            "chart.trades.BTC-PERPETUAL",
            "chart.trades.BTC-PERPETUAL.2",
            "perpetual.BTC-PERPETUAL",
            "instrument.state.any",
            "user.orders.any.raw",
            "user.portfolio",
            "user.nothing",
            "",
        ] {
            assert!(!exists(name), "{name}");
        }
    }
}
