//! Orders, as the venue describes them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::lenient::{FromScalar, Member, Scalar, derived};
use super::object::object;
use super::trade::UserTrade;
use super::words::{
    Advanced, CancelReason, Direction, FillCondition, OrderState, OrderType, QuoteSide, TimeInForce, Trigger,
};
use crate::deribit::order::split_label;

object! {
    /// An order that the venue knows. [`limit`](Order::limit) and its neighbours begin a
    /// [new one](crate::deribit::NewOrder).
    Order {
        /// The venue's name for it.
        order_id: String,
        /// The instrument.
        instrument_name: String,
        /// Buy or sell.
        direction: Direction,
        /// What has become of it. The answer to a cancel may still say what it was before.
        order_state: OrderState,
        /// Its type. A trigger order keeps its own after it was triggered.
        order_type: OrderType,
        /// How much was asked for. In US dollars for inverse instruments, in the base currency for all others.
        amount: f64,
        /// The same in contracts.
        contracts: Option<f64>,
        /// How much was executed. Trigger orders that wait may have none.
        filled_amount: Option<f64>,
        /// The price.
        price: Option<Price>,
        /// The average price of what was executed; 0 before that.
        average_price: Option<f64>,
        /// The user's label; often empty when there is none: see [`label`](Self::label).
        label: Option<String>,
        /// How long it stays.
        time_in_force: Option<TimeInForce>,
        /// When it was placed.
        creation_timestamp: Option<u64>,
        /// When it last changed.
        last_update_timestamp: Option<u64>,
        /// Whether it may only wait in the book.
        post_only: bool,
        /// Whether it is refused rather than moved when it would take.
        reject_post_only: bool,
        /// Whether it may only reduce the position.
        reduce_only: bool,
        /// Whether it was placed over the API.
        api: bool,
        /// Whether it was placed on the web site.
        web: bool,
        /// Whether it was placed in the mobile app.
        mobile: bool,
        /// The app that placed it for the user.
        app_name: Option<String>,
        /// Who placed it.
        user_id: Option<u64>,
        /// Why it was cancelled.
        cancel_reason: Option<CancelReason>,
        /// What it was before the venue made a limit order of it: `market` or `market_limit`.
        original_order_type: Option<OrderType>,
        /// Whether it was edited.
        replaced: bool,
        /// Whether the venue made it to liquidate a position.
        is_liquidation: bool,
        /// Whether the venue made it to restore balances; spot only.
        is_rebalance: bool,
        /// Whether it is part of a block trade.
        block_trade: bool,
        /// Whether the platform marked it as reducing risk.
        risk_reducing: bool,
        /// Icebergs: how much is shown.
        display_amount: Option<f64>,
        /// Icebergs: how much is shown again after that was executed.
        refresh_amount: Option<f64>,
        /// The old name of `display_amount`.
        max_show: Option<f64>,
        /// Trigger orders: which price sets it off.
        trigger: Option<Trigger>,
        /// Trigger orders: at what price.
        trigger_price: Option<f64>,
        /// Trailing orders: how far from the peak.
        trigger_offset: Option<f64>,
        /// Trailing orders: the price when it was placed.
        trigger_reference_price: Option<f64>,
        /// Trigger orders: whether it was set off.
        triggered: bool,
        /// The trigger order that made this one.
        trigger_order_id: Option<String>,
        /// Options: what the price is in.
        advanced: Option<Advanced>,
        /// Options: the price as implied volatility in percent.
        implv: Option<f64>,
        /// Options: the price in US dollars.
        usd: Option<f64>,
        /// Options: whether the venue last moved it.
        auto_replaced: bool,
        /// Whether it is under market maker protection.
        mmp: bool,
        /// Whether market maker protection cancelled it.
        mmp_cancelled: bool,
        /// Quotes: the group of market maker protection.
        mmp_group: Option<String>,
        /// Whether it was placed by a mass quote.
        quote: bool,
        /// Quotes: the mass quote.
        quote_id: Option<String>,
        /// Quotes: the set in it.
        quote_set_id: Option<String>,
        /// Linked orders: those that this one places.
        oto_order_ids: Vec<String>,
        /// Linked orders: names the pair that cancels each other.
        oco_ref: Option<String>,
        /// Linked orders: the one that placed this one.
        primary_order_id: Option<String>,
        /// Linked orders: whether another places this one.
        is_secondary_oto: bool,
        /// Linked orders: whether this one places a pair.
        is_primary_otoco: bool,
        /// Linked orders: when the others follow.
        trigger_fill_condition: Option<FillCondition>,
        /// Old: fees paid so far.
        commission: Option<f64>,
        /// Old: the profit.
        profit_loss: Option<f64>,
    }
}

impl Order {
    /// The limit, for orders that have one.
    pub fn limit_price(&self) -> Option<f64> {
        self.price.and_then(Price::value)
    }

    /// The user's label, if it has one.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref().filter(|label| !label.is_empty())
    }

    /// The part of the label that its owner chose: see [`Label::user`](crate::deribit::Label::user). Empty when he chose
    /// none for an order that this library placed.
    pub fn user_label(&self) -> Option<&str> {
        self.label().map(|label| split_label(label).0)
    }

    /// How much was executed: 0 where the venue leaves it out.
    pub fn filled(&self) -> f64 {
        self.filled_amount.unwrap_or_default()
    }

    /// Whether it may still be executed.
    pub fn is_live(&self) -> bool {
        matches!(self.order_state, OrderState::Open | OrderState::Untriggered)
    }
}

/// A price of an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Price {
    /// This one.
    Value(f64),
    /// Whatever the market's is: sent as the text `market_price`.
    Market,
}

impl Price {
    /// The price, when it is one.
    pub fn value(self) -> Option<f64> {
        match self {
            Self::Value(price) => Some(price),
            Self::Market => None,
        }
    }
}

impl FromScalar for Price {
    const EXPECTED: &'static str = "a price or `market_price`";

    fn from_scalar(scalar: &Scalar<'_>) -> Option<Self> {
        match scalar {
            Scalar::Text("market_price") => Some(Self::Market),
            _ => scalar.number().map(Self::Value),
        }
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(price) => serializer.serialize_f64(*price),
            Self::Market => serializer.serialize_str("market_price"),
        }
    }
}

object! {
    /// The answer to an order, an edit or the closing of a position.
    OrderResponse {
        /// The order as it is now.
        order: Order,
        /// What was executed at once.
        trades: Vec<UserTrade>,
    }
}

object! {
    /// What became of a part of a detailed cancel. The venue's documents of different years show different members.
    CancelReport {
        /// The instrument.
        instrument_name: Option<String>,
        /// The currency.
        currency: Option<String>,
        /// The type of orders, such as `limit` or `trigger`.
        order_type = "type": Option<String>,
        /// The orders that were cancelled.
        result: Vec<Order>,
        /// The order that was cancelled.
        order: Option<Order>,
        /// Why that part failed.
        error: Option<VenueError>,
    }
}

impl CancelReport {
    /// The orders that were cancelled, in whichever form they came.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.result.iter().chain(&self.order)
    }
}

object! {
    /// The answer to a mass quote. Which members are there depends on what was asked for.
    MassQuoteResponse {
        /// The quotes as orders; detailed only.
        orders: Vec<Order>,
        /// What was executed at once.
        trades: Vec<UserTrade>,
        /// Sides that failed; detailed only.
        errors: Vec<MassQuoteError>,
        /// How many sides failed; not detailed only.
        errors_count: Option<u64>,
        /// Sides whose outcome was not waited for; detailed only.
        pending_requests: Vec<PendingQuote>,
        /// How many those are; not detailed only.
        pending_requests_count: Option<u64>,
    }
}

object! {
    /// A side of a quote that failed.
    MassQuoteError {
        /// The instrument.
        instrument_name: String,
        /// The side.
        side: QuoteSide,
        /// Why.
        error: VenueError,
    }
}

object! {
    /// A side of a quote whose outcome was not waited for.
    PendingQuote {
        /// The instrument.
        instrument_name: String,
        /// The side.
        side: QuoteSide,
    }
}

object! {
    /// An error inside a result: see [`Code`](crate::deribit::Code).
    VenueError {
        /// The venue's code.
        code: i64,
        /// The venue's message.
        message: String,
    }
}

object! {
    /// What became of a trigger order.
    TriggerOrderRecord {
        /// When.
        timestamp: u64,
        /// Its state: `new`, `triggered`, `cancelled`, `rejected` or `rejected:` and why.
        order_state: String,
        /// What was last done to it, such as `trigger:order` or `cancel`.
        request: Option<String>,
        /// What did it.
        source: Option<String>,
        /// The trigger order's name.
        trigger_order_id: Option<String>,
        /// The name of the order it made.
        order_id: Option<String>,
        /// The instrument.
        instrument_name: String,
        /// Buy or sell.
        direction: Option<Direction>,
        /// Which price sets it off.
        trigger: Option<Trigger>,
        /// At what price.
        trigger_price: Option<f64>,
        /// Trailing orders: how far from the peak.
        trigger_offset: Option<f64>,
        /// The same by its old name.
        offset: Option<f64>,
        /// The price of the order it makes.
        price: Option<Price>,
        /// How much.
        amount: Option<f64>,
        /// The type of the order it makes.
        order_type: Option<OrderType>,
        /// Its label.
        label: Option<String>,
        /// Whether it may only reduce the position.
        reduce_only: bool,
        /// Whether it may only wait in the book.
        post_only: bool,
        /// When it last changed.
        last_update_timestamp: Option<u64>,
        /// Linked orders: names the pair that cancels each other.
        oco_ref: Option<String>,
        /// Linked orders: whether another places this one.
        is_secondary_oto: bool,
    }
}

object! {
    /// A page of what became of trigger orders.
    TriggerOrderHistory {
        /// The entries.
        entries: Vec<TriggerOrderRecord>,
        /// Where the next page begins.
        continuation: Option<String>,
    }
}

/// A page of closed orders. Sent as a list alone, unless it was asked where the next page begins.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(from = "OrderHistoryForm")]
#[non_exhaustive]
pub struct OrderHistory {
    /// The orders.
    pub orders: Vec<Order>,
    /// Where the next page begins.
    pub continuation: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OrderHistoryForm {
    List(Vec<Order>),
    Page {
        #[serde(default, alias = "entries")]
        orders: Vec<Order>,
        continuation: Option<String>,
    },
}

impl From<OrderHistoryForm> for OrderHistory {
    fn from(form: OrderHistoryForm) -> Self {
        match form {
            OrderHistoryForm::List(orders) => Self { orders, continuation: None },
            OrderHistoryForm::Page { orders, continuation } => Self { orders, continuation },
        }
    }
}

derived!(OrderHistory);

object! {
    /// The margin that an order ties up.
    OrderMargin {
        /// The order.
        order_id: String,
        /// Its initial margin.
        initial_margin: f64,
        /// What that is in.
        initial_margin_currency: Option<String>,
    }
}
