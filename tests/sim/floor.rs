//! A small Deribit on virtual time: it takes orders, keeps a ledger of what became of each, and strikes between
//! receiving an order and answering it, on either side of the match.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::time::Instant;
use steadysocket::{Frame, Message};

use crate::world::{ConnId, Dial, Net, Venue};

/// The server's clock at the world's epoch, in microseconds.
const EPOCH: u64 = 1_790_000_000_000_000;

/// What happens to one order on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strike {
    /// The connection ends, and the order is never looked at.
    CutBefore,
    /// It is executed, and the connection ends before the reply.
    CutAfter,
    /// It is executed, and the reply is lost.
    LoseReply,
    /// The connection ends, and the order is executed this much later.
    CutAndDelay(Duration),
    /// It is executed this much later, and answered then.
    Delay(Duration),
    /// It is in time, and is executed this much later all the same: it waited for a lock.
    Lock(Duration),
    /// It is executed, and answered with an error that says nothing of it.
    FailAfter(i64),
    /// It is not executed, and answered with such an error.
    FailBefore(i64),
}

/// An order of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub id: String,
    pub label: String,
    pub instrument: String,
    pub direction: &'static str,
    pub price: f64,
    pub amount: f64,
    pub filled: f64,
    pub state: &'static str,
    pub reason: Option<&'static str>,
    /// In milliseconds of the server's clock.
    pub created: u64,
    pub updated: u64,
    pub replaced: bool,
    /// A trigger order that made this one.
    pub made_by: Option<String>,
    pub trigger: bool,
}

impl Entry {
    pub fn is_open(&self) -> bool {
        matches!(self.state, "open" | "untriggered")
    }

    fn describe(&self) -> Value {
        let mut order = json!({
            "order_id": self.id, "label": self.label, "instrument_name": self.instrument,
            "direction": self.direction, "price": self.price, "amount": self.amount,
            "order_state": self.state, "average_price": self.price, "post_only": false,
            "order_type": if self.trigger { "stop_limit" } else { "limit" },
            "time_in_force": "good_til_cancelled", "creation_timestamp": self.created,
            "last_update_timestamp": self.updated, "api": true, "reduce_only": false, "replaced": self.replaced,
        });
        // Missing on trigger orders.
        if self.state != "untriggered" {
            order["filled_amount"] = json!(self.filled);
        }
        if let Some(reason) = self.reason {
            order["cancel_reason"] = json!(reason);
        }
        if let Some(id) = &self.made_by {
            order["trigger_order_id"] = json!(id);
        }
        order
    }
}

/// What a test sets and sees.
#[derive(Default)]
pub struct Book {
    /// What happens to the next order requests.
    pub strikes: VecDeque<Option<Strike>>,
    /// One in so many order requests is struck by chance.
    pub storm: Option<u64>,
    /// One in so many other requests ends the connection or gets no reply.
    pub queries_fail: Option<u64>,
    /// Answers to the next attempts to connect; accepted when there is none.
    pub dials: VecDeque<Dial>,
    /// The next logins are refused with this code.
    pub refuse_logins: VecDeque<i64>,
    /// So many lists of open orders are refused, for a while.
    pub refuse_lists: usize,
    /// How long requests and replies are kept, at most.
    pub reply_within: Duration,
    /// Orders that ended are forgotten by label look-ups after this time, those without fills by the history too.
    pub forgets_after: Option<Duration>,
    /// What was received, by method.
    pub received: Vec<(Instant, ConnId, String, Value)>,
    /// Every order that was executed, in order.
    pub ledger: Vec<Entry>,
    pub logins: usize,
    subscribed: BTreeMap<ConnId, BTreeSet<String>>,
    later: BTreeMap<u64, Later>,
    token: u64,
}

enum Later {
    Say(ConnId, String),
    Match { conn: ConnId, request: Value, in_time: bool, answer: bool },
}

#[derive(Clone, Default)]
pub struct Floor(pub Rc<RefCell<Book>>);

impl Floor {
    pub fn new() -> Self {
        let floor = Self::default();
        floor.with(|book| book.reply_within = Duration::from_millis(2));
        floor
    }

    pub fn with<R>(&self, with: impl FnOnce(&mut Book) -> R) -> R {
        with(&mut self.0.borrow_mut())
    }

    pub fn strike(&self, strike: Strike) {
        self.with(|book| book.strikes.push_back(Some(strike)));
    }

    /// The orders with this whole label.
    pub fn labelled(&self, label: &str) -> Vec<Entry> {
        self.with(|book| book.ledger.iter().filter(|order| order.label == label).cloned().collect())
    }

    /// How often a method was received.
    pub fn count(&self, method: &str) -> usize {
        self.with(|book| book.received.iter().filter(|(.., name, _)| name == method).count())
    }

    /// Changes an order as the market would, and tells whoever is subscribed.
    pub fn change(&self, net: &mut Net, id: &str, change: impl FnOnce(&mut Entry)) {
        self.0.borrow_mut().change(net, id, change);
    }
}

/// The server's clock, in microseconds.
pub fn server_time(now: Instant) -> u64 {
    EPOCH + now.as_nanos() / 1000
}

impl Venue for Floor {
    fn dial(&mut self, net: &mut Net, conn: ConnId) -> Dial {
        net.note(("dialled", conn));
        self.0.borrow_mut().dials.pop_front().unwrap_or(Dial::Accept)
    }

    fn opened(&mut self, _: &mut Net, conn: ConnId) {
        self.0.borrow_mut().subscribed.insert(conn, BTreeSet::new());
    }

    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame) {
        match frame {
            Frame::Ping(payload) => net.send(conn, Frame::Pong(payload)),
            Frame::Close(frame) => {
                net.send(conn, Frame::Close(frame));
                net.end(conn, "closed");
            }
            Frame::Message(Message::Text(text)) => {
                let request: Value = serde_json::from_str(text.as_str()).unwrap();
                self.0.borrow_mut().request(net, conn, request);
            }
            Frame::Pong(_) | Frame::Message(Message::Binary(_)) => {}
        }
    }

    fn gone(&mut self, _: &mut Net, conn: ConnId) {
        self.0.borrow_mut().subscribed.remove(&conn);
    }

    fn tick(&mut self, net: &mut Net, token: u64) {
        let mut book = self.0.borrow_mut();
        match book.later.remove(&token) {
            Some(Later::Say(conn, text)) => net.send_text(conn, text),
            Some(Later::Match { conn, request, in_time, answer }) => {
                let outcome =
                    if in_time { book.carry_out(net, &request) } else { book.execute(net, &request) };
                if answer {
                    book.reply(net, conn, &request, outcome);
                }
            }
            None => {}
        }
    }
}

type Outcome = Result<Value, (i64, &'static str)>;

impl Book {
    fn request(&mut self, net: &mut Net, conn: ConnId, request: Value) {
        let method = request["method"].as_str().unwrap_or_default().to_owned();
        self.received.push((net.now(), conn, method.clone(), request["params"].clone()));
        if is_order(&method) {
            return self.order(net, conn, request);
        }
        if method.starts_with("private/") && self.queries_fail.is_some_and(|one_in| net.chance(one_in)) {
            net.note(("query fails", conn));
            if net.chance(2) {
                net.end(conn, "cut");
            }
            return;
        }
        let outcome = self.answer(net, conn, &method, &request["params"]);
        self.reply(net, conn, &request, outcome);
    }

    fn order(&mut self, net: &mut Net, conn: ConnId, request: Value) {
        let strike = match self.strikes.pop_front() {
            Some(strike) => strike,
            None => self.storm.filter(|one_in| net.chance(*one_in)).map(|_| any_strike(net)),
        };
        net.note(("strike", conn, strike));
        match strike {
            None => {
                let outcome = self.execute(net, &request);
                self.reply(net, conn, &request, outcome);
            }
            Some(Strike::CutBefore) => net.end(conn, "cut"),
            Some(Strike::CutAfter) => {
                let _ = self.execute(net, &request);
                net.end(conn, "cut");
            }
            Some(Strike::LoseReply) => drop(self.execute(net, &request)),
            Some(Strike::CutAndDelay(time)) => {
                self.later(net, time, Later::Match { conn, request, in_time: false, answer: false });
                net.end(conn, "cut");
            }
            Some(Strike::Delay(time)) => {
                self.later(net, time, Later::Match { conn, request, in_time: false, answer: true });
            }
            Some(Strike::Lock(time)) => match in_time(net, &request) {
                Ok(()) => self.later(net, time, Later::Match { conn, request, in_time: true, answer: true }),
                Err(error) => self.reply(net, conn, &request, Err(error)),
            },
            Some(Strike::FailAfter(code)) => {
                let _ = self.execute(net, &request);
                self.reply(net, conn, &request, Err((code, "error")));
            }
            Some(Strike::FailBefore(code)) => self.reply(net, conn, &request, Err((code, "error"))),
        }
    }

    /// The match itself.
    fn execute(&mut self, net: &mut Net, request: &Value) -> Outcome {
        in_time(net, request)?;
        self.carry_out(net, request)
    }

    fn carry_out(&mut self, net: &mut Net, request: &Value) -> Outcome {
        let params = &request["params"];
        match request["method"].as_str().unwrap_or_default() {
            "private/buy" => self.place(net, params, "buy"),
            "private/sell" => self.place(net, params, "sell"),
            "private/edit" | "private/edit_by_label" => {
                let (price, amount) = (params["price"].as_f64(), params["amount"].as_f64());
                let id = self.open(params)?;
                self.change(net, &id, |order| {
                    order.price = price.unwrap_or(order.price);
                    order.amount = amount.unwrap_or(order.amount);
                    order.replaced = true;
                });
                Ok(json!({ "order": self.get(&id).map(Entry::describe), "trades": [] }))
            }
            _ => {
                let id = self.open(params)?;
                self.change(net, &id, |order| {
                    order.state = "cancelled";
                    order.reason = Some("user_request");
                });
                Ok(self.get(&id).map(Entry::describe).into())
            }
        }
    }

    /// The id of the open order that a request names.
    fn open(&self, params: &Value) -> Result<String, (i64, &'static str)> {
        let labelled = |order: &&Entry| order.is_open() && params["label"] == json!(order.label);
        let named = match params["order_id"].as_str() {
            Some(id) => self.get(id),
            None => self.ledger.iter().find(labelled),
        };
        match named {
            None => Err((10004, "order_not_found")),
            Some(order) if !order.is_open() => Err((11044, "not_open_order")),
            Some(order) => Ok(order.id.clone()),
        }
    }

    fn place(&mut self, net: &mut Net, params: &Value, direction: &'static str) -> Outcome {
        let text = |name: &str| params[name].as_str().unwrap_or_default().to_owned();
        if params["price"] == json!(0.0) {
            return Err((10023, "invalid_price"));
        }
        let now = server_time(net.now()) / 1000;
        let number = self.ledger.len();
        let trigger = params.get("trigger_price").is_some();
        let fills = text("time_in_force") == "immediate_or_cancel";
        let amount = params["amount"].as_f64().unwrap_or_default();
        let id = if trigger { format!("SLIS-{number}") } else { format!("ETH-{number}") };
        self.ledger.push(Entry {
            id: id.clone(),
            label: text("label"),
            instrument: text("instrument_name"),
            direction,
            price: params["price"].as_f64().unwrap_or_default(),
            amount,
            filled: if fills { amount } else { 0.0 },
            state: match () {
                () if trigger => "untriggered",
                () if fills => "filled",
                () => "open",
            },
            reason: None,
            created: now,
            updated: now,
            replaced: false,
            made_by: None,
            trigger,
        });
        net.note(("placed", &id));
        self.tell(net, &id);
        Ok(json!({ "order": self.get(&id).map(Entry::describe), "trades": [] }))
    }

    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.ledger.iter().rev().find(|order| order.id == id)
    }

    fn change(&mut self, net: &mut Net, id: &str, change: impl FnOnce(&mut Entry)) {
        let now = server_time(net.now()) / 1000;
        let Some(order) = self.ledger.iter_mut().find(|order| order.id == id) else { return };
        change(order);
        order.updated = now;
        self.tell(net, id);
    }

    /// Publishes an order's state.
    fn tell(&mut self, net: &mut Net, id: &str) {
        let Some(order) = self.get(id).map(Entry::describe) else { return };
        let listeners: Vec<_> = self
            .subscribed
            .iter()
            .flat_map(|(conn, channels)| channels.iter().map(|channel| (*conn, channel.clone())))
            .collect();
        for (conn, channel) in listeners.into_iter().filter(|(_, channel)| channel.starts_with("user.orders"))
        {
            let params = json!({ "channel": channel, "data": order });
            let text = json!({ "jsonrpc": "2.0", "method": "subscription", "params": params }).to_string();
            net.send_text(conn, text);
        }
    }

    fn answer(&mut self, net: &mut Net, conn: ConnId, method: &str, params: &Value) -> Outcome {
        let now = server_time(net.now());
        let label = params["label"].as_str().unwrap_or_default().to_owned();
        let instrument = params["instrument_name"].as_str().unwrap_or_default().to_owned();
        let forgotten = |order: &Entry| {
            !order.is_open()
                && self
                    .forgets_after
                    .is_some_and(|after| now / 1000 > order.updated + after.as_millis() as u64)
        };
        let list = |which: &dyn Fn(&Entry) -> bool| {
            self.ledger.iter().filter(|order| which(order)).map(Entry::describe).collect::<Vec<_>>()
        };
        Ok(match method {
            "public/auth" => {
                self.logins += 1;
                if let Some(code) = self.refuse_logins.pop_front() {
                    return Err((code, "refused"));
                }
                json!({
                    "access_token": "a", "refresh_token": "r", "expires_in": 31_536_000, "token_type": "bearer",
                    "scope": "connection mainaccount trade:read_write account:read_write",
                })
            }
            "public/get_time" => json!(now / 1000),
            "private/subscribe" | "public/subscribe" => {
                let channels: Vec<String> = serde_json::from_value(params["channels"].clone()).unwrap();
                self.subscribed.entry(conn).or_default().extend(channels.iter().cloned());
                json!(channels)
            }
            "private/unsubscribe" | "public/unsubscribe" => {
                let channels: Vec<String> = serde_json::from_value(params["channels"].clone()).unwrap();
                let subscribed = self.subscribed.entry(conn).or_default();
                subscribed.retain(|channel| !channels.contains(channel));
                json!(channels)
            }
            "public/get_instrument" if instrument == "ETH-NOTHING" => return Err((13020, "not_found")),
            "public/get_instrument" => json!({
                "instrument_name": instrument, "kind": "future", "base_currency": "ETH", "quote_currency": "USD",
                "tick_size": 0.05, "min_trade_amount": 1.0, "contract_size": 1.0, "is_active": true,
            }),
            "private/get_order_state" => {
                let id = params["order_id"].as_str().unwrap_or_default();
                match self.get(id).filter(|order| !forgotten(order)) {
                    Some(order) => order.describe(),
                    None => return Err((10004, "order_not_found")),
                }
            }
            // No account is kept in it.
            "private/get_order_state_by_label" if params["currency"] == json!("XRP") => {
                return Err((-32602, "Invalid params"));
            }
            "private/get_order_state_by_label" => {
                json!(list(&|order| order.label == label && in_currency(order, params) && !forgotten(order)))
            }
            "private/get_open_orders_by_label" => {
                json!(list(&|order| order.label == label && in_currency(order, params) && order.is_open()))
            }
            "private/get_open_orders" if self.refuse_lists > 0 => {
                self.refuse_lists -= 1;
                return Err((10040, "retry"));
            }
            "private/get_open_orders" => json!(list(&Entry::is_open)),
            "private/get_open_orders_by_currency" => {
                json!(list(&|order| order.is_open() && in_currency(order, params)))
            }
            "private/get_open_orders_by_instrument" => {
                json!(list(&|order| order.is_open() && order.instrument == instrument))
            }
            "private/get_order_history_by_instrument" => {
                let historical = params["historical"] == json!(true);
                let which = |order: &Entry| {
                    let old = self
                        .forgets_after
                        .is_some_and(|after| now / 1000 > order.updated + after.as_millis() as u64);
                    order.instrument == instrument && !order.is_open() && old == historical
                };
                self.page(params, &which)
            }
            _ => json!("ok"),
        })
    }

    /// One page of the history, newest first.
    fn page(&self, params: &Value, which: &dyn Fn(&Entry) -> bool) -> Value {
        let count = params["count"].as_u64().unwrap_or(20) as usize;
        let from: usize = params["continuation"].as_str().map_or(0, |text| text.parse().unwrap());
        let found: Vec<_> = self.ledger.iter().rev().filter(|order| which(order)).collect();
        let page: Vec<_> = found.iter().skip(from).take(count).map(|order| order.describe()).collect();
        let next = (from + count < found.len()).then(|| (from + count).to_string());
        if params["with_continuation"] == json!(true) {
            json!({ "orders": page, "continuation": next })
        } else {
            json!(page)
        }
    }

    fn reply(&mut self, net: &mut Net, conn: ConnId, request: &Value, outcome: Outcome) {
        let us = server_time(net.now());
        let mut reply = json!({
            "jsonrpc": "2.0", "id": request["id"], "usIn": us, "usOut": us, "usDiff": 0, "testnet": true,
        });
        match outcome {
            Ok(result) => reply["result"] = result,
            Err((code, message)) => reply["error"] = json!({ "code": code, "message": message }),
        }
        let after = net.between(Duration::ZERO, self.reply_within);
        self.later(net, after, Later::Say(conn, reply.to_string()));
    }

    fn later(&mut self, net: &mut Net, after: Duration, what: Later) {
        self.token += 1;
        self.later.insert(self.token, what);
        net.alarm(after, self.token);
    }
}

/// Whether the matching engine may still begin with it.
fn in_time(net: &Net, request: &Value) -> Result<(), (i64, &'static str)> {
    let now = server_time(net.now()) / 1000;
    match request["params"]["valid_until"].as_u64() {
        Some(until) if now >= until => Err((13888, "timed_out")),
        _ => Ok(()),
    }
}

fn is_order(method: &str) -> bool {
    matches!(
        method,
        "private/buy" | "private/sell" | "private/edit" | "private/edit_by_label" | "private/cancel"
    )
}

/// `BTC-PERPETUAL` is counted under BTC, `BTC_USDC-PERPETUAL` under USDC.
fn in_currency(order: &Entry, params: &Value) -> bool {
    let pair = order.instrument.split('-').next().unwrap_or_default();
    let currency = pair.split_once('_').map_or(pair, |(_, quote)| quote);
    params["currency"] == json!(currency)
}

fn any_strike(net: &mut Net) -> Strike {
    let delay = net.between(Duration::ZERO, Duration::from_secs(20));
    match net.random() % 8 {
        0 => Strike::CutBefore,
        1 => Strike::CutAfter,
        2 => Strike::LoseReply,
        3 => Strike::CutAndDelay(delay),
        4 => Strike::Delay(delay),
        5 => Strike::Lock(delay / 4),
        6 => Strike::FailAfter([10001, 11094, 13028, 10050][(net.random() % 4) as usize]),
        _ => Strike::FailBefore([10001, 11094, 13028, 10050][(net.random() % 4) as usize]),
    }
}
