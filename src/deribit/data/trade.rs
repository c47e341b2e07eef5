//! Trades: everybody's and one's own.

use super::object::object;
use super::words::{Advanced, Direction, Liquidation, Liquidity, OrderState, OrderType, TickDirection};

object! {
    /// One trade of `trades.*`, whose messages are lists of them.
    Trade {
        /// Unique per currency.
        trade_id: String,
        /// Counts the instrument's trades.
        trade_seq: u64,
        /// The instrument.
        instrument_name: String,
        /// When it happened.
        timestamp: u64,
        /// What the taker did.
        direction: Direction,
        /// The price.
        price: f64,
        /// The amount.
        amount: f64,
        /// The amount in contracts.
        contracts: Option<f64>,
        /// How the price moved.
        tick_direction: Option<TickDirection>,
        /// The mark price at that moment.
        mark_price: Option<f64>,
        /// The index at that moment.
        index_price: Option<f64>,
        /// Options: the implied volatility at this price, in percent.
        iv: Option<f64>,
        /// Which side was liquidated, if any.
        liquidation: Option<Liquidation>,
        /// The block trade that this was part of.
        block_trade_id: Option<String>,
        /// How many legs that block trade had.
        block_trade_leg_count: Option<u64>,
        /// The request for quotes that this was part of.
        block_rfq_id: Option<u64>,
        /// The combo that this was a leg of.
        combo_id: Option<String>,
        /// The combo's trade that this was a leg of. Documented as a number and sent as text.
        combo_trade_id: Option<String>,
        /// A combo's trades, one a leg. Each comes on the leg's own channel, too.
        legs: Vec<Trade>,
    }
}

object! {
    /// One trade of the account's own.
    UserTrade {
        /// Unique per currency.
        trade_id: String,
        /// Counts the instrument's trades.
        trade_seq: u64,
        /// The account's order that was executed.
        order_id: String,
        /// The instrument.
        instrument_name: String,
        /// When it happened.
        timestamp: u64,
        /// What the account did.
        direction: Direction,
        /// The price.
        price: f64,
        /// The amount.
        amount: f64,
        /// The amount in contracts.
        contracts: Option<f64>,
        /// The fee in units of `fee_currency`. Negative for a rebate.
        fee: Option<f64>,
        /// What the fee is in.
        fee_currency: Option<String>,
        /// Whether the order waited in the book or took from it.
        liquidity: Option<Liquidity>,
        /// The order's type.
        order_type: Option<OrderType>,
        /// The order's state after the trade.
        state: Option<OrderState>,
        /// The order's label, when it has one.
        label: Option<String>,
        /// Whether the order may only reduce the position.
        reduce_only: bool,
        /// Whether the order may only wait in the book.
        post_only: bool,
        /// Whether the order is under market maker protection.
        mmp: bool,
        /// Whether the platform marked the order as reducing risk.
        risk_reducing: bool,
        /// Whether the order came over the API.
        api: bool,
        /// What the order's price is in, for options.
        advanced: Option<Advanced>,
        /// How the price moved.
        tick_direction: Option<TickDirection>,
        /// The mark price at that moment.
        mark_price: Option<f64>,
        /// The index at that moment.
        index_price: Option<f64>,
        /// Options: the price of the underlying.
        underlying_price: Option<f64>,
        /// Options: the implied volatility at this price, in percent.
        iv: Option<f64>,
        /// The profit in the base currency, for trades that close a position.
        profit_loss: Option<f64>,
        /// Which side was liquidated, if any.
        liquidation: Option<Liquidation>,
        /// Documented as always null.
        matching_id: Option<String>,
        /// Who the account is.
        user_id: Option<u64>,
        /// The block trade that this was part of.
        block_trade_id: Option<String>,
        /// How many legs that block trade had.
        block_trade_leg_count: Option<u64>,
        /// The request for quotes that this was part of.
        block_rfq_id: Option<u64>,
        /// The quote in it that was taken.
        block_rfq_quote_id: Option<u64>,
        /// The combo that this was a leg of.
        combo_id: Option<String>,
        /// The combo's trade that this was a leg of. Documented as a number and sent as text.
        combo_trade_id: Option<String>,
        /// A combo's trades, one a leg.
        legs: Vec<UserTrade>,
        /// The mass quote that placed the order.
        quote_id: Option<String>,
        /// The set in it.
        quote_set_id: Option<String>,
        /// For whom the trade was made, where it was for several.
        trade_allocations: Vec<TradeAllocation>,
    }
}

object! {
    /// A part of a trade that was made for several.
    TradeAllocation {
        /// Who gets it. Obscured for brokers.
        user_id: Option<u64>,
        /// How much of it.
        amount: Option<f64>,
        /// The fee for that part.
        fee: Option<f64>,
        /// A broker's client.
        client_info: Option<ClientInfo>,
    }
}

object! {
    /// A broker's client.
    ClientInfo {
        /// A group of users under one name.
        client_id: Option<u64>,
        /// One user in the group.
        client_link_id: Option<u64>,
        /// The user's name in the group.
        name: Option<String>,
    }
}

object! {
    /// A page of trades.
    Trades {
        /// The trades.
        trades: Vec<Trade>,
        /// Whether there are more.
        has_more: bool,
    }
}

object! {
    /// A page of the account's trades.
    UserTrades {
        /// The trades.
        trades: Vec<UserTrade>,
        /// Whether there are more.
        has_more: bool,
    }
}
