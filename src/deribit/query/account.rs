//! The account and its orders.

use super::queries;
use crate::deribit::data::{
    AccessLog, AccountSummaries, AccountSummary, Kind, Margins, OpenOrderType, Order, OrderMargin, Position,
    Subaccount, SubaccountDetails, UserLock,
};

queries! {
    /// The account's positions.
    "private/get_positions" get_positions() as GetPositions -> Vec<Position> {
        /// Only those of a currency, `any` for all.
        currency: String,
        /// Only those of instruments of a kind.
        kind: Kind,
        /// Of this subaccount.
        subaccount_id: u64,
    }

    /// The account's position in an instrument.
    "private/get_position" get_position(instrument_name: String) as GetPosition -> Position {}

    /// The account in a currency.
    "private/get_account_summary" get_account_summary(currency: String) as GetAccountSummary -> AccountSummary {
        /// Of this subaccount.
        subaccount_id: u64,
        /// Whether to say more: limits, fees, who the user is.
        extended: bool,
    }

    /// The account in all currencies.
    "private/get_account_summaries" get_account_summaries() as GetAccountSummaries -> AccountSummaries {
        /// Of this subaccount.
        subaccount_id: u64,
        /// Whether to say more: limits, fees, who the user is.
        extended: bool,
    }

    /// All open orders.
    "private/get_open_orders" get_open_orders() as GetOpenOrders -> Vec<Order> {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// Only those of a type.
        order_type = "type": OpenOrderType,
    }

    /// The open orders of an instrument.
    "private/get_open_orders_by_instrument" get_open_orders_by_instrument(instrument_name: String)
        as GetOpenOrdersByInstrument -> Vec<Order>
    {
        /// Only those of a type.
        order_type = "type": OpenOrderType,
    }

    /// The open orders of a currency.
    "private/get_open_orders_by_currency" get_open_orders_by_currency(currency: String)
        as GetOpenOrdersByCurrency -> Vec<Order>
    {
        /// Only those of instruments of a kind.
        kind: Kind,
        /// Only those of a type.
        order_type = "type": OpenOrderType,
    }

    /// The open orders of a currency that have a label.
    "private/get_open_orders_by_label" get_open_orders_by_label(currency: String)
        as GetOpenOrdersByLabel -> Vec<Order>
    {
        /// The whole label, [unique ending](crate::deribit::Label) included.
        label: String,
    }

    /// An order, also for some time after it was closed.
    "private/get_order_state" get_order_state(order_id: String) as GetOrderState -> Order {}

    /// The orders of a currency that have a label, also for some time after they were closed.
    "private/get_order_state_by_label" get_order_state_by_label(currency: String)
        as GetOrderStateByLabel -> Vec<Order>
    {
        /// The whole label, [unique ending](crate::deribit::Label) included.
        label: String,
    }

    /// The margins that orders tie up, by the orders' ids.
    "private/get_order_margin_by_ids" get_order_margin_by_ids(ids: Ids) as GetOrderMarginByIds -> Vec<OrderMargin> {}

    /// What an order would tie up.
    "private/get_margins" get_margins(instrument_name: String, amount: f64, price: f64) as GetMargins -> Margins {}

    /// The subaccounts.
    "private/get_subaccounts" get_subaccounts() as GetSubaccounts -> Vec<Subaccount> {
        /// Whether to say what they hold.
        with_portfolio: bool,
    }

    /// The positions of all subaccounts in a currency.
    "private/get_subaccounts_details" get_subaccounts_details(currency: String)
        as GetSubaccountsDetails -> Vec<SubaccountDetails>
    {
        /// Whether to say their open orders, too.
        with_open_orders: bool,
    }

    /// Whether the account is locked, by currency.
    "private/get_user_locks" get_user_locks() as GetUserLocks -> Vec<UserLock> {}

    /// What was done in the account.
    "private/get_access_log" get_access_log() as GetAccessLog -> AccessLog {
        /// How many to pass over.
        offset: u64,
        /// At most this many.
        count: u64,
    }
}

/// Ids of orders.
pub type Ids = Vec<String>;
