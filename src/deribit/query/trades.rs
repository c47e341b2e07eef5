//! Trades that were made.

use super::queries;
use crate::deribit::data::{Kind, Sorting, Trades, UserTrade, UserTrades};

queries! {
    /// The last trades of an instrument.
    "public/get_last_trades_by_instrument" get_last_trades_by_instrument(instrument_name: String)
        as GetLastTradesByInstrument -> Trades
    {
        /// The first to return, by its `trade_seq`.
        start_seq: u64,
        /// The last to return, by its `trade_seq`.
        end_seq: u64,
        /// The earliest time, in milliseconds. The venue takes one of the two.
        start_timestamp: u64,
        /// The latest time, in milliseconds.
        end_timestamp: u64,
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
        /// In which order.
        sorting: Sorting,
    }

    /// The trades of an instrument from one time to another, in milliseconds.
    "public/get_last_trades_by_instrument_and_time" get_last_trades_by_instrument_and_time(
        instrument_name: String, start_timestamp: u64, end_timestamp: u64
    ) as GetLastTradesByInstrumentAndTime -> Trades {
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
        /// In which order.
        sorting: Sorting,
    }

    /// The last trades of a currency.
    "public/get_last_trades_by_currency" get_last_trades_by_currency(currency: String)
        as GetLastTradesByCurrency -> Trades
    {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// The first to return, by its `trade_id`.
        start_id: String,
        /// The last to return, by its `trade_id`.
        end_id: String,
        /// The earliest time, in milliseconds. The venue takes one of the two.
        start_timestamp: u64,
        /// The latest time, in milliseconds.
        end_timestamp: u64,
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
        /// In which order.
        sorting: Sorting,
    }

    /// The trades of a currency from one time to another, in milliseconds.
    "public/get_last_trades_by_currency_and_time" get_last_trades_by_currency_and_time(
        currency: String, start_timestamp: u64, end_timestamp: u64
    ) as GetLastTradesByCurrencyAndTime -> Trades {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
        /// In which order.
        sorting: Sorting,
    }

    /// The account's trades of an instrument.
    "private/get_user_trades_by_instrument" get_user_trades_by_instrument(instrument_name: String)
        as GetUserTradesByInstrument -> UserTrades
    {
        /// The first to return, by its `trade_seq`.
        start_seq: u64,
        /// The last to return, by its `trade_seq`.
        end_seq: u64,
        /// The earliest time, in milliseconds. The venue takes one of the two.
        start_timestamp: u64,
        /// The latest time, in milliseconds.
        end_timestamp: u64,
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
        /// In which order.
        sorting: Sorting,
        /// Whether to look into the archive, rather than into the last 24 hours.
        historical: bool,
    }

    /// The account's trades of an instrument from one time to another, in milliseconds.
    "private/get_user_trades_by_instrument_and_time" get_user_trades_by_instrument_and_time(
        instrument_name: String, start_timestamp: u64, end_timestamp: u64
    ) as GetUserTradesByInstrumentAndTime -> UserTrades {
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
        /// In which order.
        sorting: Sorting,
        /// Whether to look into the archive, rather than into the last 24 hours.
        historical: bool,
    }

    /// The account's trades of a currency.
    "private/get_user_trades_by_currency" get_user_trades_by_currency(currency: String)
        as GetUserTradesByCurrency -> UserTrades
    {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// The first to return, by its `trade_id`.
        start_id: String,
        /// The last to return, by its `trade_id`.
        end_id: String,
        /// The earliest time, in milliseconds. The venue takes one of the two.
        start_timestamp: u64,
        /// The latest time, in milliseconds.
        end_timestamp: u64,
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
        /// In which order.
        sorting: Sorting,
        /// Whether to look into the archive, rather than into the last 24 hours.
        historical: bool,
        /// Of this subaccount.
        subaccount_id: u64,
    }

    /// The account's trades of a currency from one time to another, in milliseconds.
    "private/get_user_trades_by_currency_and_time" get_user_trades_by_currency_and_time(
        currency: String, start_timestamp: u64, end_timestamp: u64
    ) as GetUserTradesByCurrencyAndTime -> UserTrades {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// At most this many. 10 by default, 1000 at most.
        count: u64,
        /// In which order.
        sorting: Sorting,
        /// Whether to look into the archive, rather than into the last 24 hours.
        historical: bool,
    }

    /// The trades of one order.
    "private/get_user_trades_by_order" get_user_trades_by_order(order_id: String)
        as GetUserTradesByOrder -> Vec<UserTrade>
    {
        /// In which order.
        sorting: Sorting,
        /// Whether to look into the archive, rather than into the last 24 hours.
        historical: bool,
    }
}
