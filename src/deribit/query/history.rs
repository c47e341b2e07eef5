//! What became of orders and money.

use super::queries;
use crate::deribit::data::{
    Kind, OrderHistory, SettlementType, Settlements, TransactionLog, TriggerOrderHistory,
};

queries! {
    /// The orders of an instrument that are closed, the newest first.
    "private/get_order_history_by_instrument" get_order_history_by_instrument(instrument_name: String)
        as GetOrderHistoryByInstrument -> OrderHistory
    {
        /// At most this many. 20 by default, 1000 at most.
        count: u64,
        /// How many to pass over.
        offset: u64,
        /// Whether to go back further than the venue does by default.
        include_old: bool,
        /// Whether to list orders of which nothing was executed.
        include_unfilled: bool,
        /// Whether to look into the archive, rather than into the last hours.
        historical: bool,
        /// Whether to say where the next page begins.
        with_continuation: bool,
        /// Where the page begins, from the page before.
        continuation: String,
    }

    /// The orders of a currency that are closed, the newest first.
    "private/get_order_history_by_currency" get_order_history_by_currency(currency: String)
        as GetOrderHistoryByCurrency -> OrderHistory
    {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// At most this many. 20 by default, 1000 at most.
        count: u64,
        /// How many to pass over.
        offset: u64,
        /// Whether to go back further than the venue does by default.
        include_old: bool,
        /// Whether to list orders of which nothing was executed.
        include_unfilled: bool,
        /// Whether to look into the archive, rather than into the last hours.
        historical: bool,
        /// Whether to say where the next page begins.
        with_continuation: bool,
        /// Where the page begins, from the page before.
        continuation: String,
    }

    /// What became of trigger orders in a currency, the newest first.
    "private/get_trigger_order_history" get_trigger_order_history(currency: String)
        as GetTriggerOrderHistory -> TriggerOrderHistory
    {
        /// Only those of an instrument.
        instrument_name: String,
        /// At most this many. 20 by default, 1000 at most.
        count: u64,
        /// Where the page begins, from the page before.
        continuation: String,
    }

    /// The account's settlements in a currency, the newest first.
    "private/get_settlement_history_by_currency" get_settlement_history_by_currency(currency: String)
        as GetSettlementHistoryByCurrency -> Settlements
    {
        /// Only those of a type.
        settlement_type = "type": SettlementType,
        /// At most this many. 20 by default, 1000 at most.
        count: u64,
        /// Where the page begins, from the page before.
        continuation: String,
        /// The latest time to begin with, in milliseconds.
        search_start_timestamp: u64,
    }

    /// The account's settlements in an instrument, the newest first.
    "private/get_settlement_history_by_instrument" get_settlement_history_by_instrument(instrument_name: String)
        as GetSettlementHistoryByInstrument -> Settlements
    {
        /// Only those of a type.
        settlement_type = "type": SettlementType,
        /// At most this many. 20 by default, 1000 at most.
        count: u64,
        /// Where the page begins, from the page before.
        continuation: String,
        /// The latest time to begin with, in milliseconds.
        search_start_timestamp: u64,
    }

    /// The transaction log of a currency from one time to another, in milliseconds. One call a second.
    "private/get_transaction_log" get_transaction_log(
        currency: String, start_timestamp: u64, end_timestamp: u64
    ) as GetTransactionLog -> TransactionLog {
        /// Only entries with a word such as `trade`, `maker`, `open`, `liquidation`, `settlement`, `transfer`.
        query: String,
        /// At most this many. 100 by default, 250 at most.
        count: u64,
        /// Of this subaccount.
        subaccount_id: u64,
        /// Where the page begins, from the page before.
        continuation: u64,
    }
}
