//! Channel names: which exist, and what they ask for.

use crate::market::Market;

/// How often a channel publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interval {
    Raw,
    Ms100,
    /// Called two seconds in one document; measured at one.
    Agg2,
}

/// A channel of this exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Channel {
    Book { instrument: String, interval: Interval },
    Grouped { instrument: String, step: i64, depth: usize, interval: Interval },
    Ticker { instrument: String, interval: Interval },
    Quote { instrument: String },
    Trades { instruments: Vec<String>, interval: Interval },
    Index { name: String },
    PlatformState,
    MethodsState,
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
            ["trades", instrument, every] => {
                Self::Trades { instruments: vec![known(instrument)?], interval: interval(every)? }
            }
            ["trades", kind, currency, every] => {
                Self::Trades { instruments: matching(market, kind, currency)?, interval: interval(every)? }
            }
            ["deribit_price_index", name] => {
                market.index(name)?;
                Self::Index { name: (*name).to_owned() }
            }
            ["platform_state"] => Self::PlatformState,
            ["platform_state", "public_methods_state"] => Self::MethodsState,
            _ => return None,
        })
    }
}

/// Whether a channel is one of those that only an authenticated connection may have unaggregated.
pub(crate) fn is_public_raw(name: &str) -> bool {
    name.ends_with(".raw") && !name.starts_with("user.")
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

/// The instruments of a kind and currency. A kind that exists but has no instrument here is a silent channel.
fn matching(market: &Market, kind: &str, currency: &str) -> Option<Vec<String>> {
    let kinds = ["future", "option", "spot", "future_combo", "option_combo", "combo", "any"];
    let currencies = ["BTC", "ETH", "USDC", "USDT", "EURR", "any"];
    (kinds.contains(&kind) && currencies.contains(&currency)).then_some(())?;
    let wanted = market.instruments().iter().map(|quoted| &quoted.terms).filter(|terms| {
        (kind == "any" || terms.kind() == kind) && (currency == "any" || terms.pool == currency)
    });
    Some(wanted.map(|terms| terms.name.clone()).collect())
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
            "",
        ] {
            assert!(!exists(name), "{name}");
        }
    }
}
