//! The truth about orders: what the exchange received, did and answered. Tests compare it with what a client
//! believes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::accounts::AccountId;
use crate::engine::Engine;

/// The oldest requests are forgotten beyond this.
const REQUESTS_KEPT: usize = 500_000;

/// A request to the matching engine.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerRequest {
    /// Its number; the first is 1.
    pub number: u64,
    /// The user id of the account.
    pub account: u64,
    /// The number of the connection that it came by.
    pub connection: u64,
    /// The id of the JSON-RPC request, when there was one.
    pub id: Option<Value>,
    /// The method.
    pub method: String,
    /// The label, when it had one.
    pub label: Option<String>,
    /// When it came in, since the exchange started.
    pub received: Duration,
    /// When the engine carried it out or refused it. Without that, it never reached the engine.
    pub matched: Option<Duration>,
    /// When its answer was given to the socket. Without that, there was no answer.
    pub answered: Option<Duration>,
    /// The code of the error that it was refused with.
    pub error: Option<i64>,
    /// The order that it made or changed.
    pub order_id: Option<String>,
}

/// A fill of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerFill {
    /// The id of the trade.
    pub trade_id: String,
    /// The price.
    pub price: f64,
    /// The amount.
    pub amount: f64,
    /// Whether the order was in the book first.
    pub maker: bool,
}

/// An order that the engine took in, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerOrder {
    /// Its id.
    pub order_id: String,
    /// The request that it came by.
    pub request: u64,
    /// The user id of the account.
    pub account: u64,
    /// The label; empty when there is none.
    pub label: String,
    /// The instrument.
    pub instrument: String,
    /// `buy` or `sell`.
    pub direction: String,
    /// The state, as `order_state` has it.
    pub state: String,
    /// The price; `None` where the wire has a word instead.
    pub price: Option<f64>,
    /// The whole amount.
    pub amount: f64,
    /// What of it is filled.
    pub filled_amount: f64,
    /// Why it was cancelled.
    pub cancel_reason: Option<String>,
    /// Made by the exchange, when a trigger order or a linked order asked for it.
    pub made_by: Option<String>,
    /// Its fills, oldest first.
    pub fills: Vec<LedgerFill>,
}

/// All requests and orders at one moment, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// The requests.
    pub requests: Vec<LedgerRequest>,
    /// The orders.
    pub orders: Vec<LedgerOrder>,
}

impl Ledger {
    /// The orders with a label. More than one means that something was sent twice.
    pub fn with_label<'a>(&'a self, label: &'a str) -> impl Iterator<Item = &'a LedgerOrder> {
        self.orders.iter().filter(move |order| order.label == label && order.made_by.is_none())
    }

    /// The requests with a label.
    pub fn requests_with_label<'a>(&'a self, label: &'a str) -> impl Iterator<Item = &'a LedgerRequest> {
        self.requests.iter().filter(move |request| request.label.as_deref() == Some(label))
    }

    /// The labels that an account gave to more than one order, and to how many.
    pub fn duplicate_labels(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::<(u64, &str), usize>::new();
        for order in self.orders.iter().filter(|order| !order.label.is_empty() && order.made_by.is_none()) {
            *counts.entry((order.account, &order.label)).or_default() += 1;
        }
        let twice = counts.into_iter().filter(|(_, count)| *count > 1);
        twice.map(|((_, label), count)| (label.to_owned(), count)).collect()
    }
}

/// What is written while the exchange runs. The orders are the engine's.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    requests: VecDeque<LedgerRequest>,
    count: u64,
}

impl Recorder {
    /// A request came in. Gives it its number.
    pub(crate) fn receive(&mut self, mut request: LedgerRequest) -> u64 {
        self.count += 1;
        request.number = self.count;
        if self.requests.len() == REQUESTS_KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        self.count
    }

    /// The engine is done with it.
    pub(crate) fn matched(&mut self, number: u64, at: Duration, outcome: Result<Option<&str>, i64>) {
        let Some(request) = self.get(number) else { return };
        request.matched = Some(at);
        match outcome {
            Ok(order) => request.order_id = order.map(str::to_owned),
            Err(code) => request.error = Some(code),
        }
    }

    /// It was refused before it reached the engine.
    pub(crate) fn refused(&mut self, number: u64, code: i64) {
        if let Some(request) = self.get(number) {
            request.error = Some(code);
        }
    }

    /// Its answer left.
    pub(crate) fn answered(&mut self, number: u64, at: Duration) {
        if let Some(request) = self.get(number) {
            request.answered.get_or_insert(at);
        }
    }

    fn get(&mut self, number: u64) -> Option<&mut LedgerRequest> {
        let first = self.requests.front()?.number;
        self.requests.get_mut(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    /// Everything, with the orders as they are now.
    pub(crate) fn ledger(&self, engine: &Engine) -> Ledger {
        let mut fills = fills(engine);
        let orders = engine.orders.all().map(|order| {
            let object = engine.describe(order);
            let text = |name: &str| object[name].as_str().unwrap_or("").to_owned();
            let number = |name: &str| object[name].as_f64();
            LedgerOrder {
                order_id: order.name.clone(),
                request: order.request,
                account: order.account.0,
                label: order.ticket.label.clone(),
                instrument: text("instrument_name"),
                direction: text("direction"),
                state: text("order_state"),
                price: number("price"),
                amount: number("amount").unwrap_or(0.0),
                filled_amount: number("filled_amount").unwrap_or(0.0),
                cancel_reason: order.cancel_reason.map(|reason| reason.word().to_owned()),
                made_by: order.made_by.clone(),
                fills: fills.remove(order.name.as_str()).unwrap_or_default(),
            }
        });
        Ledger { requests: self.requests.iter().cloned().collect(), orders: orders.collect() }
    }
}

fn fills(engine: &Engine) -> BTreeMap<&str, Vec<LedgerFill>> {
    let mut fills = BTreeMap::<&str, Vec<LedgerFill>>::new();
    for object in engine.all_trades() {
        let (Some(order), Some(id)) = (object["order_id"].as_str(), object["trade_id"].as_str()) else {
            continue;
        };
        fills.entry(order).or_default().push(LedgerFill {
            trade_id: id.to_owned(),
            price: object["price"].as_f64().unwrap_or(0.0),
            amount: object["amount"].as_f64().unwrap_or(0.0),
            maker: object["liquidity"] == "M",
        });
    }
    fills
}

/// A request that has just come in.
pub(crate) fn request(
    account: AccountId,
    connection: u64,
    (id, method, params): (Option<&Value>, &str, &Map<String, Value>),
    received: Duration,
) -> LedgerRequest {
    LedgerRequest {
        number: 0,
        account: account.0,
        connection,
        id: id.cloned(),
        method: method.to_owned(),
        label: params.get("label").and_then(Value::as_str).map(str::to_owned),
        received,
        matched: None,
        answered: None,
        error: None,
        order_id: None,
    }
}

impl LedgerRequest {
    pub(crate) fn to_value(&self) -> Value {
        let ms = |at: Option<Duration>| at.map(|at| at.as_secs_f64() * 1e3);
        json!({
            "number": self.number, "account": self.account, "connection": self.connection, "id": self.id,
            "method": self.method, "label": self.label, "received": ms(Some(self.received)),
            "matched": ms(self.matched), "answered": ms(self.answered), "error": self.error,
            "order_id": self.order_id,
        })
    }
}

impl LedgerOrder {
    pub(crate) fn to_value(&self) -> Value {
        let fill = |fill: &LedgerFill| {
            json!({
                "trade_id": fill.trade_id, "price": fill.price, "amount": fill.amount, "maker": fill.maker,
            })
        };
        json!({
            "order_id": self.order_id, "request": self.request, "account": self.account, "label": self.label,
            "instrument_name": self.instrument, "direction": self.direction, "order_state": self.state,
            "price": self.price, "amount": self.amount, "filled_amount": self.filled_amount,
            "cancel_reason": self.cancel_reason, "made_by": self.made_by,
            "fills": self.fills.iter().map(fill).collect::<Vec<_>>(),
        })
    }
}
