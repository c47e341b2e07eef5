//! An order: what was asked, what became of it, and how it looks on the wire.

use serde_json::{Value, json};

use super::book::Resting;
use super::kinds::{Advanced, CancelReason, FillCondition, Kind, LinkType, State, TimeInForce, TriggerBy};
use crate::accounts::AccountId;
use crate::market::book::Side;
use crate::market::instrument::{Instrument, contracts};

/// The number of an order. On the wire it has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OrderId(pub(crate) u64);

/// What a trigger order waits for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trigger {
    pub(crate) by: TriggerBy,
    /// In steps of price; a trailing stop moves it.
    pub(crate) price: f64,
    /// How far a trailing stop stays behind.
    pub(crate) offset: Option<f64>,
    /// The watched price when the order came.
    pub(crate) reference: f64,
    /// It waits below this and for a rise, or above and for a fall.
    pub(crate) rising: bool,
    pub(crate) fired: bool,
}

/// An order as a client asks for it, with everything about it checked that needs no market.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ticket {
    pub(crate) instrument: usize,
    pub(crate) side: Side,
    pub(crate) kind: Kind,
    /// In steps of price.
    pub(crate) price: Option<i64>,
    /// In steps of amount.
    pub(crate) amount: i64,
    pub(crate) label: String,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) post_only: bool,
    pub(crate) reject_post_only: bool,
    pub(crate) reduce_only: bool,
    pub(crate) mmp: bool,
    /// What an iceberg shows.
    pub(crate) display: Option<i64>,
    pub(crate) trigger: Option<Trigger>,
    /// The price as the client gave it, where that is not the price in the book.
    pub(crate) advanced: Option<(Advanced, f64)>,
}

/// How an order hangs together with others.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Links {
    pub(crate) kind: Option<LinkType>,
    pub(crate) condition: Option<FillCondition>,
    /// Orders that this one triggers, and their names.
    pub(crate) secondaries: Vec<(OrderId, String)>,
    /// The order that triggers this one, and its name.
    pub(crate) primary: Option<(OrderId, String)>,
    /// The name of its pair of orders that cancel each other.
    pub(crate) pair: Option<String>,
    /// How much of it has been set off so far by parts of the primary's fills.
    pub(crate) released: i64,
}

/// What a quote carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QuoteTag {
    pub(crate) group: String,
    pub(crate) quote_id: String,
    pub(crate) set_id: String,
}

/// An order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) name: String,
    pub(crate) account: AccountId,
    /// The connection that it came by.
    pub(crate) connection: u64,
    /// The request in the ledger that it came by.
    pub(crate) request: u64,
    pub(crate) ticket: Ticket,
    /// What it was before it became a limit order.
    pub(crate) original: Option<Kind>,
    pub(crate) state: State,
    pub(crate) filled: i64,
    /// Steps of price times steps of amount, over all fills.
    pub(crate) turnover: i128,
    pub(crate) cancel_reason: Option<CancelReason>,
    pub(crate) replaced: bool,
    pub(crate) auto_replaced: bool,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) links: Links,
    pub(crate) quote: Option<QuoteTag>,
    /// The trigger order that this one was made by.
    pub(crate) made_by: Option<String>,
    /// What it binds of the account's funds while nothing of it is filled.
    pub(crate) margin: f64,
}

impl Order {
    pub(crate) fn left(&self) -> i64 {
        self.ticket.amount - self.filled
    }

    /// The mean price of its fills, in steps.
    pub(crate) fn average(&self) -> f64 {
        if self.filled == 0 { 0.0 } else { self.turnover as f64 / self.filled as f64 }
    }

    /// The share of its margin that is still bound.
    pub(crate) fn bound(&self) -> f64 {
        if self.ticket.amount == 0 {
            0.0
        } else {
            self.margin * self.left() as f64 / self.ticket.amount as f64
        }
    }

    /// Whether it rests in the book.
    pub(crate) fn rests(&self) -> bool {
        self.state == State::Open
    }

    /// The order object.
    pub(crate) fn describe(&self, terms: &Instrument, resting: Option<&Resting>) -> Value {
        let (ticket, amount) = (&self.ticket, terms.amount.value(self.ticket.amount));
        let mut object = json!({
            "order_id": self.name, "order_state": self.state.word(), "order_type": ticket.kind.word(),
            "time_in_force": ticket.time_in_force.word(), "instrument_name": terms.name,
            "creation_timestamp": self.created_ms, "last_update_timestamp": self.updated_ms,
            "direction": ticket.side.direction(), "price": self.price(terms), "label": ticket.label,
            "post_only": ticket.post_only, "api": true, "web": false,
            "amount": amount, "contracts": contracts(terms, amount), "mmp": ticket.mmp,
            "risk_reducing": false, "replaced": self.replaced, "user_id": self.account.0,
        });
        let mut set = |key: &str, value: Value| object[key] = value;
        if terms.spot {
            set("is_rebalance", json!(false));
        } else {
            set("reduce_only", json!(ticket.reduce_only));
            set("is_liquidation", json!(false));
        }
        if ticket.post_only {
            set("reject_post_only", json!(ticket.reject_post_only));
        }
        if self.state != State::Untriggered {
            set("filled_amount", json!(terms.amount.value(self.filled)));
            set("average_price", json!(terms.price.at(self.average())));
        }
        if let Some(original) = self.original {
            set("original_order_type", json!(original.word()));
        }
        if let Some(reason) = self.cancel_reason {
            set("cancel_reason", json!(reason.word()));
            if reason == CancelReason::Mmp {
                set("mmp_cancelled", json!(true));
            }
        }
        if let Some(display) = ticket.display {
            set("refresh_amount", json!(terms.amount.value(display)));
            let shown = resting.map_or(display.min(self.left()), |resting| resting.shown);
            set("display_amount", json!(terms.amount.value(shown)));
        }
        if let Some((advanced, value)) = ticket.advanced {
            set("advanced", json!(advanced.word()));
            set(advanced.word(), json!(value));
            set("auto_replaced", json!(self.auto_replaced));
        }
        if let Some(name) = &self.made_by {
            set("trigger_order_id", json!(name));
        }
        self.describe_trigger(terms, &mut object);
        self.describe_links(&mut object);
        self.describe_quote(&mut object);
        object
    }

    /// Orders that take the market's price once they are triggered have a word for it.
    fn price(&self, terms: &Instrument) -> Value {
        match self.ticket.price {
            _ if self.ticket.kind.is_trigger_market() => json!("market_price"),
            Some(price) => json!(terms.price.value(price)),
            None => json!(terms.price.at(self.average())),
        }
    }

    fn describe_trigger(&self, terms: &Instrument, object: &mut Value) {
        let Some(trigger) = &self.ticket.trigger else { return };
        object["trigger"] = json!(trigger.by.word());
        object["trigger_price"] = json!(terms.price.at(trigger.price));
        object["triggered"] = json!(trigger.fired);
        if let Some(offset) = trigger.offset {
            object["trigger_offset"] = json!(terms.price.at(offset));
            object["trigger_reference_price"] = json!(terms.price.at(trigger.reference));
        }
    }

    fn describe_links(&self, object: &mut Value) {
        let links = &self.links;
        if let Some(pair) = &links.pair {
            object["oco_ref"] = json!(pair);
        }
        if let Some(condition) = links.condition {
            object["trigger_fill_condition"] = json!(condition.word());
        }
        if let Some((_, name)) = &links.primary {
            object["is_secondary_oto"] = json!(true);
            object["primary_order_id"] = json!(name);
        }
        if !links.secondaries.is_empty() {
            object["oto_order_ids"] = links.secondaries.iter().map(|(_, name)| json!(name)).collect();
        }
        if links.kind == Some(LinkType::Otoco) && links.primary.is_none() {
            object["is_primary_otoco"] = json!(true);
        }
    }

    fn describe_quote(&self, object: &mut Value) {
        let Some(tag) = &self.quote else { return };
        object["quote"] = json!(true);
        object["mmp_group"] = json!(tag.group);
        object["quote_id"] = json!(tag.quote_id);
        object["quote_set_id"] = json!(tag.set_id);
    }
}
