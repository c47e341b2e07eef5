//! Queries whose results come in pages.

use futures::{Stream, stream};

use super::{
    GetAprHistory, GetBlockRfqTrades, GetLastSettlementsByCurrency, GetLastSettlementsByInstrument,
    GetLastTradesByInstrument, GetOrderHistoryByCurrency, GetOrderHistoryByInstrument,
    GetSettlementHistoryByCurrency, GetSettlementHistoryByInstrument, GetTransactionLog,
    GetTriggerOrderHistory, GetUserTradesByInstrument, GetVolatilityIndexData, Query, Targeted,
};
use crate::deribit::data::{
    BlockRfqTrade, DailyApr, Order, Settlement, Sorting, Trade, Transaction, TriggerOrderRecord, UserTrade,
    VolatilityCandle,
};
use crate::error::Error;

/// A query whose result is a page of many.
pub trait Paged: Query + Sized {
    /// What the pages hold.
    type Item;

    /// Sets what the pages need, before the first is asked for.
    #[must_use]
    fn first(self) -> Self {
        self
    }

    /// What a page holds, and the query for the next one, if there is more.
    fn turn(self, page: Self::Answer) -> (Vec<Self::Item>, Option<Self>);
}

/// Everything that a query finds, page by page, in the query's order. Each page is one call, made when it is needed.
/// The stream ends with the first error.
///
/// Made by the method `all` of the queries.
fn all<Q: Paged + Targeted>(query: Q) -> impl Stream<Item = Result<Q::Item, Error>> {
    let pages = stream::try_unfold(Some(query.first()), |query| async move {
        let Some(query) = query else { return Ok::<_, Error>(None) };
        let page = query.target().call(&query).await?;
        let (items, next) = query.turn(page);
        Ok(Some((stream::iter(items.into_iter().map(Ok)), next)))
    });
    futures::TryStreamExt::try_flatten(pages)
}

/// Gives a query the method `all`.
macro_rules! everything {
    ($name:ident: $item:ty) => {
        impl $name {
            /// Everything, page by page. Each page is one call, made when it is needed; the stream ends with the first
            /// error.
            pub fn all(self) -> impl Stream<Item = Result<$item, Error>> {
                all(self)
            }
        }
    };
}

/// Declares queries whose answers say where the next page begins: what they hold, and its list in the answer. A flag
/// asks for that.
macro_rules! by_continuation {
    ($($name:ident: $item:ty, $list:ident, $place:ident $(, $flag:ident)?;)*) => {$(
        impl Paged for $name {
            type Item = $item;

            $(fn first(mut self) -> Self {
                self.$flag = Some(true);
                self
            })?

            fn turn(mut self, page: Self::Answer) -> (Vec<$item>, Option<Self>) {
                // The same place twice would be a circle.
                let more = page.continuation.is_some() && page.continuation != self.$place;
                self.$place = page.continuation;
                (page.$list, more.then_some(self))
            }
        }

        everything!($name: $item);
    )*};
}

by_continuation! {
    GetOrderHistoryByInstrument: Order, orders, continuation, with_continuation;
    GetOrderHistoryByCurrency: Order, orders, continuation, with_continuation;
    GetTriggerOrderHistory: TriggerOrderRecord, entries, continuation;
    GetSettlementHistoryByCurrency: Settlement, settlements, continuation;
    GetSettlementHistoryByInstrument: Settlement, settlements, continuation;
    GetLastSettlementsByCurrency: Settlement, settlements, continuation;
    GetLastSettlementsByInstrument: Settlement, settlements, continuation;
    GetTransactionLog: Transaction, logs, continuation;
    GetBlockRfqTrades: BlockRfqTrade, block_rfqs, continuation;
    GetAprHistory: DailyApr, data, before;
}

/// The newest page first, each of them with the oldest candle first.
impl Paged for GetVolatilityIndexData {
    type Item = VolatilityCandle;

    fn turn(mut self, page: Self::Answer) -> (Vec<VolatilityCandle>, Option<Self>) {
        let next = page.continuation.filter(|end| *end < self.end_timestamp);
        self.end_timestamp = next.unwrap_or(self.end_timestamp);
        (page.data, next.map(|_| self))
    }
}

everything!(GetVolatilityIndexData: VolatilityCandle);

/// Trades of one instrument, by their numbers: upwards from `start_seq` when that is set, else downwards.
macro_rules! by_number {
    ($($name:ident: $item:ty;)*) => {$(
        impl Paged for $name {
            type Item = $item;

            fn first(mut self) -> Self {
                let order = if self.start_seq.is_some() { Sorting::Ascending } else { Sorting::Descending };
                self.sorting.get_or_insert(order);
                self
            }

            fn turn(mut self, page: Self::Answer) -> (Vec<$item>, Option<Self>) {
                let numbers = || page.trades.iter().map(|trade| trade.trade_seq);
                let more = match (&mut self.start_seq, self.end_seq) {
                    (Some(start), end) => numbers().max().is_some_and(|last| {
                        *start = last + 1;
                        end.is_none_or(|end| *start <= end)
                    }),
                    (None, _) => numbers().min().and_then(|first| first.checked_sub(1)).is_some_and(|end| {
                        self.end_seq = Some(end);
                        true
                    }),
                };
                (page.trades, (page.has_more && more).then_some(self))
            }
        }

        everything!($name: $item);
    )*};
}

by_number! {
    GetLastTradesByInstrument: Trade;
    GetUserTradesByInstrument: UserTrade;
}
