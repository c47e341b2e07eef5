//! Settlements, the transaction log, subaccounts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::account::Position;
use super::object::object;
use super::order::Order;
use super::words::{Role, SettlementType};

object! {
    /// A settlement, delivery or bankruptcy.
    Settlement {
        /// What it was.
        settlement_type = "type": Option<SettlementType>,
        /// When.
        timestamp: u64,
        /// The instrument; not for bankruptcies.
        instrument_name: Option<String>,
        /// The size of the position, in the quote currency.
        position: Option<f64>,
        /// The index then.
        index_price: Option<f64>,
        /// The mark price then.
        mark_price: Option<f64>,
        /// The profit, in the base currency.
        profit_loss: Option<f64>,
        /// The session's profit, in the base currency.
        session_profit_loss: Option<f64>,
        /// Perpetuals: funding, in the base currency.
        funding: Option<f64>,
        /// Bankruptcies: what was funded.
        funded: Option<f64>,
        /// Bankruptcies: the session's, in the base currency.
        session_bankruptcy: Option<f64>,
        /// Bankruptcies: what was paid for it, in the base currency.
        session_tax: Option<f64>,
        /// Bankruptcies: the rate of that.
        session_tax_rate: Option<f64>,
        /// Bankruptcies: the losses that were shared, in the base currency.
        socialized_losses = "socialized": Option<f64>,
    }
}

object! {
    /// A page of settlements, the newest first.
    Settlements {
        /// The settlements.
        settlements: Vec<Settlement>,
        /// Where the next page begins.
        continuation: Option<String>,
    }
}

object! {
    /// One entry of the transaction log.
    Transaction {
        /// Its number.
        id: u64,
        /// What it was, such as `trade`, `settlement`, `transfer`, `deposit`.
        transaction_type = "type": Option<String>,
        /// When.
        timestamp: u64,
        /// The currency.
        currency: String,
        /// Counts the user's transactions.
        user_seq: Option<u64>,
        /// Whose it is.
        user_id: Option<u64>,
        /// Their name.
        username: Option<String>,
        /// By how much the cash changed.
        change: Option<f64>,
        /// What was earned or paid.
        cashflow: Option<f64>,
        /// The cash after it.
        balance: Option<f64>,
        /// The equity after it.
        equity: Option<f64>,
        /// The fee, in the base currency.
        commission: Option<f64>,
        /// The instrument.
        instrument_name: Option<String>,
        /// The order.
        order_id: Option<String>,
        /// The trade.
        trade_id: Option<String>,
        /// What was done, such as `open buy`, `close sell`, `long`, `-`.
        side: Option<String>,
        /// How much.
        amount: Option<f64>,
        /// The same in contracts.
        contracts: Option<f64>,
        /// The price.
        price: Option<f64>,
        /// What the price is in.
        price_currency: Option<String>,
        /// The position after it.
        position: Option<f64>,
        /// The part that the user played.
        user_role: Option<Role>,
        /// The part that the fee was taken for; differs with icebergs.
        fee_role: Option<Role>,
        /// The mark price then.
        mark_price: Option<f64>,
        /// The index then.
        index_price: Option<f64>,
        /// The price of the settlement or delivery.
        settlement_price: Option<f64>,
        /// Whether the cashflow waits for the settlement.
        profit_as_cashflow: Option<bool>,
        /// Perpetuals: funding of this entry.
        interest_pl: Option<f64>,
        /// Perpetuals: funding of the session.
        total_interest_pl: Option<f64>,
        /// The session's realised profit.
        session_rpl: Option<f64>,
        /// The session's unrealised profit.
        session_upl: Option<f64>,
        /// The block trade.
        block_trade_id: Option<String>,
        /// The request for quotes.
        block_rfq_id: Option<u64>,
        /// The combo.
        combo_id: Option<String>,
        /// The combo's trade.
        combo_trade_id: Option<String>,
        /// From where.
        ip: Option<String>,
        /// More, which depends on the type.
        info: Option<Value>,
    }
}

object! {
    /// A page of the transaction log.
    TransactionLog {
        /// The entries.
        logs: Vec<Transaction>,
        /// Where the next page begins.
        continuation: Option<u64>,
    }
}

object! {
    /// A subaccount.
    Subaccount {
        /// Its number.
        id: u64,
        /// `main` or `subaccount`.
        account_type = "type": Option<String>,
        /// The user's name for it.
        username: Option<String>,
        /// The venue's name for it.
        system_name: Option<String>,
        /// Its address.
        email: Option<String>,
        /// A new address that is not confirmed.
        not_confirmed_email: Option<String>,
        /// Whether one can log in to it.
        login_enabled: Option<bool>,
        /// Whether it has a password.
        is_password: Option<bool>,
        /// Whether its notifications go to the main account.
        receive_notifications: Option<bool>,
        /// Whether security keys are on.
        security_keys_enabled: Option<bool>,
        /// What they are for.
        security_keys_assignments: Vec<String>,
        /// The margin model.
        margin_model: Option<String>,
        /// Names it in the venue's proof of liabilities.
        proof_id: Option<String>,
        /// Proves that. Keep it to yourself.
        proof_id_signature: Option<String>,
        /// Its balances by currency, such as `btc`; only when they were asked for.
        portfolio: BTreeMap<String, CurrencyPortfolio>,
    }
}

object! {
    /// What a subaccount has in one currency.
    CurrencyPortfolio {
        /// The currency.
        currency: Option<String>,
        /// What it is worth.
        equity: Option<f64>,
        /// The cash.
        balance: Option<f64>,
        /// What margins may use.
        margin_balance: Option<f64>,
        /// What new orders may use.
        available_funds: Option<f64>,
        /// What may be withdrawn.
        available_withdrawal_funds: Option<f64>,
        /// The initial margin.
        initial_margin: Option<f64>,
        /// The maintenance margin.
        maintenance_margin: Option<f64>,
        /// Reserved for spot orders.
        spot_reserve: Option<f64>,
        /// Reserved for other orders.
        additional_reserve: Option<f64>,
    }
}

object! {
    /// What a subaccount holds.
    SubaccountDetails {
        /// Its number.
        uid: u64,
        /// Its positions.
        positions: Vec<Position>,
        /// Its open orders; only when they were asked for.
        open_orders: Vec<Order>,
    }
}
