//! A ticker that comes in parts, put together: [`IncrementalTicker`].

use serde_json::{Map, Value};

use super::data::{BookMessageKind, Ticker, TickerChange};
use super::{Deribit, topics};
use crate::client::Subscription;
use crate::error::{DecodeError, Error};
use crate::payload::Payload;
use crate::queue::Update;

/// The tickers of one instrument, whole, from `incremental_ticker.*`, which sends all of it once and then what changes,
/// at most once a second: less to receive than `ticker.*`.
///
/// A ticker is only given while nothing is known to be missing. After a loss the channel begins anew, which brings the
/// whole again.
///
/// ```no_run
/// # async fn f(deribit: steadysocket::deribit::Deribit) -> Result<(), steadysocket::Error> {
/// use steadysocket::Update;
/// let mut tickers = deribit.incremental_ticker("BTC-PERPETUAL").await?;
/// while let Some(update) = tickers.next().await {
///     if let Update::Data(ticker) = update {
///         println!("{:?}", ticker.mark_price);
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "dropping it leaves its channel"]
pub struct IncrementalTicker {
    source: Subscription<TickerChange>,
    merged: Merged,
}

impl IncrementalTicker {
    /// The ticker after the next change, or what happened to the stream; `None` once the client has ended.
    pub async fn next(&mut self) -> Option<Update<Ticker>> {
        loop {
            let Some(update) = self.source.next().await else {
                self.merged.forget();
                return None;
            };
            match update {
                Update::Data(_) | Update::Resumed => {}
                // A part was lost, and none of the parts to come makes up for it.
                Update::Lagged(_) | Update::Invalid(_) => {
                    self.merged.forget();
                    self.source.renew();
                }
                Update::Interrupted(_) | Update::Renewing | Update::Refused(_) | Update::Overflowed => {
                    self.merged.forget();
                }
            }
            let mut groundless = false;
            let update = update.and_then(|change| match self.merged.apply(change) {
                Some(Ok(ticker)) => Update::Data(ticker),
                Some(Err(error)) => Update::Invalid(error),
                None => {
                    groundless = true;
                    Update::Renewing
                }
            });
            if !groundless {
                return Some(update);
            }
            // Somebody else had subscribed before, or a part was lost.
            self.source.renew();
        }
    }

    /// Whether the last ticker that was given is what the venue last sent.
    pub fn is_fresh(&self) -> bool {
        self.merged.is_whole()
    }
}

impl Deribit {
    /// The tickers of an instrument, put together from `incremental_ticker.*`.
    ///
    /// # Errors
    /// As [`Client::subscribe`](crate::Client::subscribe).
    pub async fn incremental_ticker(
        &self,
        instrument: impl Into<String>,
    ) -> Result<IncrementalTicker, Error> {
        let source = self.subscribe(&topics::incremental_ticker(instrument)).await?;
        Ok(IncrementalTicker { source, merged: Merged::default() })
    }
}

/// The members of a ticker, as far as they have come.
#[derive(Debug, Default)]
struct Merged(Option<Map<String, Value>>);

impl Merged {
    /// The ticker after a message; `None` for a change to something that is not known.
    fn apply(&mut self, change: TickerChange) -> Option<Result<Ticker, DecodeError>> {
        match (&change.kind, &mut self.0) {
            (BookMessageKind::Snapshot, _) => self.0 = Some(change.members),
            (BookMessageKind::Change, Some(members)) => merge(members, change.members),
            (BookMessageKind::Change, None) => return None,
            (BookMessageKind::Unknown(_), _) => {
                self.forget();
                return None;
            }
        }
        let whole = serde_json::to_string(self.0.as_ref()?).ok()?;
        Some(Payload::from(&*whole).decode_as("incremental_ticker"))
    }

    fn forget(&mut self) {
        self.0 = None;
    }

    fn is_whole(&self) -> bool {
        self.0.is_some()
    }
}

/// Puts what changed over what was; in objects member by member.
fn merge(whole: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, change) in changes {
        match (whole.get_mut(&name), change) {
            (Some(Value::Object(members)), Value::Object(changes)) => merge(members, changes),
            (_, change) => {
                whole.insert(name, change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn apply(merged: &mut Merged, message: Value) -> Option<Ticker> {
        merged.apply(serde_json::from_value(message).unwrap()).map(Result::unwrap)
    }

    fn snapshot() -> Value {
        json!({"type": "snapshot", "instrument_name": "X", "timestamp": 1, "mark_price": 1.5, "best_bid_price": 2,
            "best_bid_amount": 10, "state": "open", "stats": {"high": 9, "low": 1, "volume": 5},
            "greeks": {"delta": 0.5, "gamma": 0.1}})
    }

    #[test]
    fn changes_are_merged_member_by_member() {
        let mut merged = Merged::default();
        apply(&mut merged, snapshot()).unwrap();
        let change = json!({"type": "change", "instrument_name": "X", "timestamp": 2, "mark_price": 2.5,
            "best_bid_price": null, "best_bid_amount": 0, "stats": {"volume": 6}, "greeks": {"delta": 0.6}});
        let ticker = apply(&mut merged, change).unwrap();
        assert_eq!((ticker.timestamp, ticker.mark_price, ticker.best_bid()), (2, Some(2.5), None));
        assert_eq!((ticker.stats.high, ticker.stats.volume), (Some(9.0), Some(6.0)));
        let greeks = ticker.greeks.unwrap();
        assert_eq!((greeks.delta, greeks.gamma), (Some(0.6), Some(0.1)));

        let fresh = json!({"type": "snapshot", "instrument_name": "X", "timestamp": 3});
        assert_eq!(apply(&mut merged, fresh).unwrap().mark_price, None, "a snapshot is all there is");
    }

    #[test]
    fn nothing_is_shown_without_a_snapshot() {
        let change = || json!({"type": "change", "instrument_name": "X", "timestamp": 2});
        let mut merged = Merged::default();
        assert_eq!(apply(&mut merged, change()), None);
        apply(&mut merged, snapshot()).unwrap();
        merged.forget();
        assert!(apply(&mut merged, change()).is_none() && !merged.is_whole());
        apply(&mut merged, snapshot()).unwrap();
        assert_eq!(apply(&mut merged, json!({"type": "melt", "instrument_name": "X"})), None);
        assert_eq!(apply(&mut merged, change()), None, "what was not understood may have changed anything");
    }

    #[test]
    fn a_ticker_that_does_not_decode_is_told() {
        let mut merged = Merged::default();
        let broken = json!({"type": "snapshot", "instrument_name": "X", "timestamp": "soon"});
        assert!(merged.apply(serde_json::from_value(broken).unwrap()).unwrap().is_err());
    }
}
