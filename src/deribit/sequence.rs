//! Where Deribit's messages stand in their channels' sequences, for [`Pool::redundant`](crate::Pool::redundant).
//!
//! A book is best made redundant below itself: the merged messages go to an [`OrderBook`](super::book::OrderBook), which
//! checks `prev_change_id` once more. While one copy is live the book never begins anew; it needs a snapshot only after
//! [`Update::Lagged`](crate::Update::Lagged) ([`Redundant::renew`](crate::pool::Redundant::renew) brings one) and after
//! [`Update::Interrupted`](crate::Update::Interrupted), where one comes by itself.
//!
//! ```no_run
//! # async fn f(pool: steadysocket::Pool) -> Result<(), steadysocket::Error> {
//! use steadysocket::deribit::sequence;
//! let book = pool.redundant("book.BTC-PERPETUAL.100ms", sequence::book).await?;
//! let ticker = pool.redundant("ticker.BTC-PERPETUAL.100ms", sequence::ticker).await?;
//! # Ok(()) }
//! ```

use serde::Deserialize;

use crate::payload::Payload;
use crate::pool::Position;

/// Of `book.{instrument}.{interval}`: a change follows the one that `prev_change_id` names.
pub fn book(payload: &Payload) -> Option<Position> {
    #[derive(Deserialize)]
    struct Message {
        change_id: u64,
        prev_change_id: Option<u64>,
    }
    let Message { change_id: at, prev_change_id } = payload.decode().ok()?;
    Some(prev_change_id.map_or(Position::Whole(at), |after| Position::After { after, at }))
}

/// Of `trades.{instrument}.{interval}`, whose trades are numbered without a gap by `trade_seq`. Where the two connections
/// would cut the trades into messages differently, a message may repeat trades that came before.
pub fn trades(payload: &Payload) -> Option<Position> {
    #[derive(Deserialize)]
    struct Trade {
        trade_seq: u64,
    }
    let trades: Vec<Trade> = payload.decode().ok()?;
    let numbers = || trades.iter().map(|trade| trade.trade_seq);
    let (first, last) = (numbers().min()?, numbers().max()?);
    Some(Position::After { after: first.checked_sub(1)?, at: last })
}

/// Of `ticker.{instrument}.{interval}` and whatever else carries a `timestamp`, in milliseconds: of several within one
/// millisecond the first counts.
pub fn ticker(payload: &Payload) -> Option<Position> {
    #[derive(Deserialize)]
    struct Timed {
        timestamp: u64,
    }
    payload.decode().ok().map(|Timed { timestamp }| Position::Later(timestamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_placed() {
        let at = |text: &str, of: fn(&Payload) -> Option<Position>| of(&Payload::from(text));
        assert_eq!(at(r#"{"change_id":5,"bids":[]}"#, book), Some(Position::Whole(5)));
        let change = r#"{"change_id":7,"prev_change_id":5}"#;
        assert_eq!(at(change, book), Some(Position::After { after: 5, at: 7 }));
        let trades_ = r#"[{"trade_seq":9},{"trade_seq":8}]"#;
        assert_eq!(at(trades_, trades), Some(Position::After { after: 7, at: 9 }));
        assert_eq!(at(r#"{"timestamp":3}"#, ticker), Some(Position::Later(3)));
        for nothing in ["[]", "{}", "null", r#"[{"trade_seq":0}]"#, "["] {
            assert_eq!((at(nothing, book), at(nothing, trades), at(nothing, ticker)), (None, None, None));
        }
    }
}
