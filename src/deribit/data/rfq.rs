//! Requests for quotes and block trades.

use std::collections::BTreeMap;

use serde_json::Value;

use super::object::object;
use super::trade::{ClientInfo, UserTrade};
use super::words::{Direction, RfqState, Role};

object! {
    /// A request for quotes: a message of `block_rfq.maker.*` or `block_rfq.taker.*`.
    BlockRfq {
        /// Its number.
        block_rfq_id: u64,
        /// Its state.
        state: Option<RfqState>,
        /// The part that the user plays.
        role: Option<Role>,
        /// How much: times a leg's ratio, that leg's amount.
        amount: Option<f64>,
        /// The least that is traded of it.
        min_trade_amount: Option<f64>,
        /// What is to be traded.
        legs: Vec<RfqLeg>,
        /// What is traded along as a hedge.
        hedge: Option<RfqHedge>,
        /// The combo of the legs.
        combo_id: Option<String>,
        /// When it was made.
        creation_timestamp: Option<u64>,
        /// When it ends.
        expiration_timestamp: Option<u64>,
        /// Bids.
        bids: Vec<RfqOffer>,
        /// Asks.
        asks: Vec<RfqOffer>,
        /// Whom it was sent to.
        makers: Vec<String>,
        /// Who made it, where that is disclosed.
        taker: Option<String>,
        /// How often the taker trades, as a range.
        taker_rating: Option<String>,
        /// Whether the taker is disclosed.
        disclosed: Option<bool>,
        /// Whether it counts for the taker's rating.
        included_in_taker_rating: Option<bool>,
        /// The taker's label.
        label: Option<String>,
        /// The app that made it.
        app_name: Option<String>,
        /// The mark price.
        mark_price: Option<f64>,
        /// Indices: a list of values, or values by name.
        index_prices: Option<Value>,
        /// What was traded.
        trades: Vec<RfqTrade>,
        /// The price at which it trades by itself.
        trade_trigger: Option<TradeTrigger>,
        /// For whom it is made, where it is for several.
        trade_allocations: Vec<RfqAllocation>,
    }
}

object! {
    /// A leg of a request, a quote or a block trade.
    RfqLeg {
        /// The instrument.
        instrument_name: String,
        /// The side.
        direction: Direction,
        /// How often it is in the whole.
        ratio: Option<f64>,
        /// Its price, where it has one.
        price: Option<f64>,
    }
}

object! {
    /// What is traded along as a hedge.
    RfqHedge {
        /// The instrument.
        instrument_name: String,
        /// The side.
        direction: Direction,
        /// How much.
        amount: Option<f64>,
        /// The price.
        price: Option<f64>,
    }
}

object! {
    /// An offer for a request.
    RfqOffer {
        /// The price.
        price: f64,
        /// How much.
        amount: Option<f64>,
        /// Whose it is.
        makers: Vec<String>,
        /// `all_or_none` or `any_part_of`.
        execution_instruction: Option<String>,
        /// When it last changed.
        last_update_timestamp: Option<u64>,
        /// When it ends.
        expires_at: Option<u64>,
    }
}

object! {
    /// A trade of a request.
    RfqTrade {
        /// The taker's side.
        direction: Direction,
        /// The price.
        price: f64,
        /// How much.
        amount: Option<f64>,
        /// How much of the hedge.
        hedge_amount: Option<f64>,
        /// Who made it.
        maker: Option<String>,
    }
}

object! {
    /// A price at which a request trades by itself.
    TradeTrigger {
        /// `triggered`, `untriggered` or `cancelled`.
        state: String,
        /// The price.
        price: f64,
        /// The side.
        direction: Direction,
        /// Why it was cancelled.
        cancel_reason: Option<String>,
    }
}

object! {
    /// A part of a request that is made for several.
    RfqAllocation {
        /// Who gets it.
        user_id: Option<u64>,
        /// A broker's client who gets it.
        client_info: Option<ClientInfo>,
        /// How much.
        amount: Option<f64>,
    }
}

object! {
    /// A quote for a request. `block_rfq.maker.quotes.*` lists them.
    BlockRfqQuote {
        /// Its number.
        block_rfq_quote_id: u64,
        /// The request.
        block_rfq_id: u64,
        /// Its state.
        quote_state: Option<String>,
        /// Why it is in that state.
        quote_state_reason: Option<String>,
        /// The maker's side.
        direction: Direction,
        /// The price.
        price: Option<f64>,
        /// How much.
        amount: Option<f64>,
        /// How much was traded.
        filled_amount: Option<f64>,
        /// What it is for.
        legs: Vec<RfqLeg>,
        /// What is traded along as a hedge.
        hedge: Option<RfqHedge>,
        /// `all_or_none` or `any_part_of`.
        execution_instruction: Option<String>,
        /// When it was made.
        creation_timestamp: Option<u64>,
        /// When it last changed.
        last_update_timestamp: Option<u64>,
        /// Whether it was edited.
        replaced: bool,
        /// The maker's label.
        label: Option<String>,
        /// The app that placed it.
        app_name: Option<String>,
    }
}

object! {
    /// A request for quotes that traded: a message of `block_rfq.trades.*`.
    BlockRfqTrade {
        /// The request's number.
        id: u64,
        /// When it traded.
        timestamp: u64,
        /// The taker's side.
        direction: Option<Direction>,
        /// How much.
        amount: Option<f64>,
        /// The mark price then.
        mark_price: Option<f64>,
        /// The combo of the legs.
        combo_id: Option<String>,
        /// What was traded.
        legs: Vec<RfqLeg>,
        /// What was traded along as a hedge.
        hedge: Option<RfqHedge>,
        /// The trades.
        trades: Vec<RfqTrade>,
        /// Indices then.
        index_prices: BTreeMap<String, f64>,
    }
}

object! {
    /// A page of requests that traded, the newest first.
    BlockRfqTrades {
        /// The requests.
        block_rfqs: Vec<BlockRfqTrade>,
        /// Where the next page begins.
        continuation: Option<String>,
    }
}

object! {
    /// A page of requests for quotes.
    BlockRfqs {
        /// The requests.
        block_rfqs: Vec<BlockRfq>,
        /// Where the next page begins.
        continuation: Option<String>,
    }
}

object! {
    /// A block trade that waits for approval: a message of `block_trade_confirmations`.
    BlockTradeConfirmation {
        /// Names it, with its time.
        nonce: String,
        /// Its time.
        timestamp: u64,
        /// What is traded.
        trades: Vec<RfqTradeLeg>,
        /// The part that the user plays.
        role: Option<Role>,
        /// Who the user is.
        user_id: Option<u64>,
        /// The name of who began it.
        username: Option<String>,
        /// What the user said to it.
        state: Option<ApprovalState>,
        /// What the other side said to it.
        counterparty_state: Option<ApprovalState>,
        /// The combo.
        combo_id: Option<String>,
        /// The app that made it.
        app_name: Option<String>,
        /// The broker.
        broker_code: Option<String>,
        /// The broker's name.
        broker_name: Option<String>,
    }
}

object! {
    /// One trade of a block trade that waits.
    RfqTradeLeg {
        /// The instrument.
        instrument_name: String,
        /// The maker's side.
        direction: Option<Direction>,
        /// The price.
        price: Option<f64>,
        /// How much.
        amount: Option<f64>,
    }
}

object! {
    /// What somebody said to a block trade.
    ApprovalState {
        /// `initial`, `accepted`, `rejected` or `executed`.
        value: String,
        /// When.
        timestamp: Option<u64>,
    }
}

object! {
    /// A block trade.
    BlockTrade {
        /// Its name.
        id: String,
        /// When.
        timestamp: u64,
        /// Its trades.
        trades: Vec<UserTrade>,
        /// The app that made it.
        app_name: Option<String>,
        /// The broker.
        broker_code: Option<String>,
        /// The broker's name.
        broker_name: Option<String>,
    }
}
