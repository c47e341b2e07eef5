//! A small JSON-RPC server that keeps a ledger of what it executed, and misbehaves as told.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::error::Disconnect;
use steadysocket::time::Instant;
use steadysocket::{CloseCode, CloseFrame, Frame, Message};

use crate::world::{ConnId, Dial, Net, Venue};

/// What a test sets and sees. Shared between the test and the venue.
#[derive(Default)]
pub struct Script {
    /// Answers to the next attempts; accepted when there is none.
    pub dials: VecDeque<Dial>,
    /// Ends connections the moment they open.
    pub close_at_open: Option<CloseFrame>,
    /// Channels that are left out of the list of confirmed ones.
    pub unknown: BTreeSet<String>,
    /// Channels that make the server refuse the whole request.
    pub poison: BTreeSet<String>,
    /// Time between data of a channel; none without.
    pub publish_every: Option<Duration>,
    /// Replies to calls are kept back this long, each a different part of it.
    pub reply_within: Duration,
    /// Pongs are not sent: the transport of the far side hangs.
    pub deaf: bool,
    /// What arrived: when, on which connection, what.
    pub received: Vec<(Instant, ConnId, Value)>,
    /// When each attempt was made.
    pub dialled: Vec<Instant>,
    /// Pings that arrived.
    pub pings: Vec<Instant>,
    /// Close frames that arrived.
    pub closes: Vec<Option<CloseFrame>>,
    /// How often each order was executed.
    pub executed: BTreeMap<String, u32>,
    /// The last number published on each channel.
    pub published: BTreeMap<String, u64>,
    /// Channels subscribed on each open connection.
    pub subscribed: BTreeMap<ConnId, BTreeSet<String>>,
    /// Random faults, and how long a connection lives at most before one.
    pub storm: Option<Duration>,
    held: BTreeMap<u64, (ConnId, String)>,
    next_token: u64,
}

impl Script {
    pub fn current(&self) -> ConnId {
        *self.subscribed.keys().next_back().expect("a connection")
    }

    /// The methods received, in order.
    pub fn methods(&self) -> Vec<String> {
        self.received
            .iter()
            .map(|(_, _, message)| message["method"].as_str().unwrap_or("?").to_owned())
            .collect()
    }

    pub fn calls(&self, method: &str) -> Vec<Value> {
        let of = |message: &&Value| message["method"] == method;
        self.received.iter().map(|(_, _, message)| message).filter(of).cloned().collect()
    }
}

#[derive(Clone, Default)]
pub struct Exchange(pub Rc<RefCell<Script>>);

impl Exchange {
    pub fn new() -> Self {
        let exchange = Self::default();
        exchange.0.borrow_mut().reply_within = Duration::from_millis(1);
        exchange
    }

    pub fn with<R>(&self, with: impl FnOnce(&mut Script) -> R) -> R {
        with(&mut self.0.borrow_mut())
    }
}

/// Tokens below are publishing of a connection, then its fault, then held replies.
const FAULT: u64 = 1 << 32;
const REPLY: u64 = 1 << 33;

impl Venue for Exchange {
    fn dial(&mut self, net: &mut Net, conn: ConnId) -> Dial {
        let mut script = self.0.borrow_mut();
        script.dialled.push(net.now());
        if let Some(dial) = script.dials.pop_front() {
            return dial;
        }
        if script.storm.is_some() && net.chance(3) {
            net.note(("refused", conn));
            return refusal(net);
        }
        Dial::Accept
    }

    fn opened(&mut self, net: &mut Net, conn: ConnId) {
        let mut script = self.0.borrow_mut();
        if let Some(frame) = script.close_at_open.clone() {
            net.send(conn, Frame::Close(Some(frame)));
            return net.end(conn, "closed at open");
        }
        script.subscribed.insert(conn, BTreeSet::new());
        if let Some(every) = script.publish_every {
            net.alarm(every, conn as u64);
        }
        if let Some(longest) = script.storm {
            let life = net.between(Duration::ZERO, longest);
            net.alarm(life, FAULT | conn as u64);
        }
    }

    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame) {
        let mut script = self.0.borrow_mut();
        match frame {
            Frame::Ping(payload) => {
                script.pings.push(net.now());
                if !script.deaf {
                    net.send(conn, Frame::Pong(payload));
                }
            }
            Frame::Pong(_) => {}
            Frame::Close(frame) => {
                script.closes.push(frame.clone());
                net.send(conn, Frame::Close(frame));
                net.end(conn, "closed");
            }
            Frame::Message(Message::Text(text)) => {
                let Ok(message) = serde_json::from_str::<Value>(text.as_str()) else { return };
                script.received.push((net.now(), conn, message.clone()));
                script.message(net, conn, &message);
            }
            Frame::Message(Message::Binary(_)) => {}
        }
    }

    fn gone(&mut self, net: &mut Net, conn: ConnId) {
        net.note(("gone", conn));
        self.0.borrow_mut().subscribed.remove(&conn);
    }

    fn tick(&mut self, net: &mut Net, token: u64) {
        let mut script = self.0.borrow_mut();
        if token >= REPLY {
            if let Some((conn, text)) = script.held.remove(&token) {
                net.send_text(conn, text);
            }
        } else if token >= FAULT {
            script.fault(net, (token - FAULT) as ConnId);
        } else {
            script.publish(net, token as ConnId);
        }
    }
}

impl Script {
    fn message(&mut self, net: &mut Net, conn: ConnId, message: &Value) {
        if let Value::Array(items) = message {
            let replies: Vec<Value> = items.iter().filter_map(|item| self.answer(conn, item)).collect();
            if !replies.is_empty() {
                let mut replies = replies;
                replies.reverse();
                self.reply(net, conn, Value::Array(replies).to_string());
            }
            return;
        }
        if let Some(reply) = self.answer(conn, message) {
            let text = reply.to_string();
            if self.storm.is_some() && net.chance(50) {
                // Twice, and once as if it were for somebody else.
                self.reply(net, conn, text.clone());
                self.reply(
                    net,
                    conn,
                    json!({"jsonrpc": "2.0", "id": 999_999_999_u64, "result": 1}).to_string(),
                );
            }
            self.reply(net, conn, text);
        }
    }

    /// Executes one request; its reply, if it gets one.
    fn answer(&mut self, conn: ConnId, message: &Value) -> Option<Value> {
        let params = &message["params"];
        let outcome = match message["method"].as_str().unwrap_or_default() {
            "subscribe" => self.subscribe(conn, params),
            "unsubscribe" => {
                let channels: Vec<String> =
                    serde_json::from_value(params["channels"].clone()).unwrap_or_default();
                let subscribed = self.subscribed.entry(conn).or_default();
                Ok(json!(
                    channels.into_iter().filter(|channel| subscribed.remove(channel)).collect::<Vec<_>>()
                ))
            }
            "order" => {
                let tag = params["tag"].as_str().unwrap_or_default().to_owned();
                *self.executed.entry(tag).or_default() += 1;
                Ok(json!("done"))
            }
            "fail" => Err(json!({"code": 7, "message": "no", "data": {"why": "because"}})),
            "silent" | "ignored" => return None,
            _ => Ok(params.clone()),
        };
        let id = message.get("id")?;
        Some(match outcome {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        })
    }

    fn subscribe(&mut self, conn: ConnId, params: &Value) -> Result<Value, Value> {
        let channels: Vec<String> = serde_json::from_value(params["channels"].clone()).unwrap_or_default();
        if channels.iter().any(|channel| self.poison.contains(channel)) {
            return Err(json!({"code": 13778, "message": "not for you"}));
        }
        let known: Vec<_> =
            channels.into_iter().filter(|channel| !self.unknown.contains(channel)).rev().collect();
        self.subscribed.entry(conn).or_default().extend(known.iter().cloned());
        Ok(json!(known))
    }

    fn reply(&mut self, net: &mut Net, conn: ConnId, text: String) {
        let after = net.between(Duration::ZERO, self.reply_within);
        self.next_token += 1;
        let token = REPLY | self.next_token;
        self.held.insert(token, (conn, text));
        net.alarm(after, token);
    }

    /// Numbers go on whether anybody listens or not, so that a listener can see what it missed.
    fn publish(&mut self, net: &mut Net, conn: ConnId) {
        let Some(every) = self.publish_every else { return };
        let Some(channels) = self.subscribed.get(&conn).cloned() else { return };
        for channel in channels {
            let number = self.published.entry(channel.clone()).or_default();
            *number += 1;
            let params = json!({"channel": channel, "data": *number});
            net.send_text(
                conn,
                json!({"jsonrpc": "2.0", "method": "subscription", "params": params}).to_string(),
            );
        }
        if net.is_open(conn) {
            net.alarm(every, conn as u64);
        }
    }

    /// Something goes wrong with a connection.
    fn fault(&mut self, net: &mut Net, conn: ConnId) {
        if !net.is_open(conn) {
            return;
        }
        let kind = net.random() % 8;
        net.note(("fault", conn, kind));
        match kind {
            0 => net.end(conn, "reset"),
            1 => net.kill(conn),
            2 => net.stall(conn),
            3 => {
                net.send(conn, Frame::Close(Some(CloseFrame::new(CloseCode::GOING_AWAY, "restart"))));
                net.end(conn, "restart");
            }
            4 => {
                net.send(conn, Frame::Close(None));
                net.end(conn, "closed");
            }
            5 => net.send_text(conn, "{\"not json"),
            6 => net
                .send_text(conn, r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"what?"},"id":null}"#),
            _ => net.send(conn, Frame::Pong(b"nobody asked".to_vec().into())),
        }
        if kind > 4 {
            let life = net.between(Duration::ZERO, self.storm.unwrap_or_default());
            net.alarm(life, FAULT | conn as u64);
        }
    }
}

fn refusal(net: &mut Net) -> Dial {
    use steadysocket::error::{ConnectError, Phase};
    let retry_after = Some(Duration::from_secs(net.random() % 20));
    match net.random() % 5 {
        0 => Dial::Hang,
        1 => Dial::Fail(ConnectError::Tcp("refused".into())),
        2 => Dial::Fail(ConnectError::Status { status: 503, retry_after, location: None }),
        3 => Dial::Fail(ConnectError::Io { phase: Phase::Tls, problem: "reset".into() }),
        _ => Dial::Fail(ConnectError::Status { status: 429, retry_after: None, location: None }),
    }
}

/// The kind of end that [`Net::end`] gives.
pub fn dropped(how: &str) -> Disconnect {
    Disconnect::Dropped(how.into())
}
