//! The venue of the lives, and the ledger that it keeps of what really happened.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::error::ConnectError;
use steadysocket::time::Instant;
use steadysocket::{CloseCode, CloseFrame, Frame, Message};

use super::plan::{Door, Fault};
use crate::world::{ConnId, Dial, Net, Venue};

/// What the limiter may spend on orders: at once, and more each second.
pub const CAPACITY: u64 = 5;
pub const A_SECOND: u64 = 2;

/// Time between updates of every channel.
const TICK: Duration = Duration::from_millis(700);

/// What really happened, and what the venue will do next.
#[derive(Default)]
pub struct Ledger {
    /// How often each order was given to a socket.
    pub sent: BTreeMap<u64, u32>,
    /// How often each order was executed.
    pub executed: BTreeMap<u64, u32>,
    /// The number of the last update of each channel.
    pub published: BTreeMap<String, u64>,
    /// What each connection that is open is subscribed to.
    pub subscribed: BTreeMap<ConnId, BTreeSet<String>>,
    /// When the peer of each connection went silent.
    pub half_open: BTreeMap<ConnId, Instant>,
    /// The first promise that was broken.
    pub broken: Option<String>,
    /// No attempt may be made before, by the clients' clock; the venue said so.
    not_before: Option<Instant>,
    door: Option<(Door, Instant)>,
    mute_until: Instant,
    no_login_until: Instant,
    partial_until: Instant,
    slow: Duration,
    logged_in: BTreeSet<ConnId>,
    held: BTreeMap<u64, (ConnId, String)>,
    next_token: u64,
    /// What the limiter has left, in billionths, and since when.
    credits: u128,
    counted: Option<Instant>,
}

impl Ledger {
    pub fn breaks(&mut self, promise: impl Into<String>) {
        self.broken.get_or_insert(promise.into());
    }

    /// The limiter's budget, by the clock that it is given.
    fn spend(&mut self, now: Instant) {
        const NANO: u128 = 1_000_000_000;
        let full = u128::from(CAPACITY) * NANO;
        let earned = match self.counted {
            Some(then) => now.since(then).as_nanos() * u128::from(A_SECOND),
            None => full,
        };
        self.counted = Some(now);
        self.credits = full.min(self.credits + earned);
        match self.credits.checked_sub(NANO) {
            Some(left) => self.credits = left,
            None => self.breaks(format!("the limiter is over its budget: {} left", self.credits)),
        }
    }
}

#[derive(Clone, Default)]
pub struct Exchange(pub Rc<RefCell<Ledger>>);

const CLOCK: u64 = 0;

impl Exchange {
    pub fn with<R>(&self, with: impl FnOnce(&mut Ledger) -> R) -> R {
        with(&mut self.0.borrow_mut())
    }

    /// Lets something go wrong on the newest connection or with all of them.
    pub fn strike(&self, net: &mut Net, fault: Fault) {
        let mut ledger = self.0.borrow_mut();
        let now = net.now();
        match fault {
            Fault::Shut(door, time) => ledger.door = Some((door, now + time)),
            Fault::RefuseLogin(time) => ledger.no_login_until = now + time,
            Fault::Partial(time) => ledger.partial_until = now + time,
            Fault::Mute(time) => ledger.mute_until = now + time,
            Fault::Slow(time) => ledger.slow = time,
            Fault::Latency(most) => {
                net.latency = (Duration::from_millis(1), most.max(Duration::from_millis(2)))
            }
            _ => {}
        }
        let Some(&conn) = ledger.subscribed.keys().next_back() else { return };
        match fault {
            Fault::Reset => net.reset(conn),
            Fault::Goodbye(code) => {
                net.send(conn, Frame::Close(Some(CloseFrame::new(CloseCode(code), "so long"))));
                net.end(conn, "goodbye");
            }
            Fault::End => net.end(conn, "end"),
            Fault::HalfOpen if net.is_open(conn) => {
                net.kill(conn);
                ledger.half_open.insert(conn, now);
            }
            Fault::Stall => net.stall(conn),
            Fault::Garbage(kind) => net.send(conn, garbage(kind)),
            Fault::Flood(count) => (0..count).for_each(|_| ledger.publish(net)),
            _ => {}
        }
    }

    /// The network and the venue are kind from now on.
    pub fn calm(&self, net: &mut Net) {
        let mut ledger = self.0.borrow_mut();
        net.latency = (Duration::from_millis(1), Duration::from_millis(20));
        (ledger.door, ledger.slow) = (None, Duration::ZERO);
        ledger.mute_until = Instant::ZERO;
        ledger.no_login_until = Instant::ZERO;
        ledger.partial_until = Instant::ZERO;
        // A venue that reads nothing is found out only by a client that has much to say.
        let stalled: Vec<_> =
            ledger.subscribed.keys().copied().filter(|conn| net.is_stalled(*conn)).collect();
        stalled.into_iter().for_each(|conn| net.reset(conn));
    }
}

fn garbage(kind: u8) -> Frame {
    let text = match kind {
        0 => "{\"not json",
        1 => r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"what?"},"id":null}"#,
        2 => r#"{"jsonrpc":"2.0","id":18446744073709551615,"result":1}"#,
        3 => r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"nobodys","data":1}}"#,
        _ => return Frame::Message(vec![0xff, 0x00].into()),
    };
    Frame::Message(text.into())
}

impl Venue for Exchange {
    fn dial(&mut self, net: &mut Net, conn: ConnId) -> Dial {
        let mut ledger = self.0.borrow_mut();
        net.note(("dialled", conn));
        let now = net.now();
        if conn == 0 {
            net.alarm(TICK, CLOCK);
        }
        match ledger.door {
            Some((door, until)) if now < until => match door {
                Door::Refused => Dial::Fail(ConnectError::Tcp("refused".into())),
                Door::Silent => Dial::Hang,
                Door::Busy(seconds) => {
                    let wait = Duration::from_secs(seconds);
                    // Who has let go of the attempt never hears of it.
                    if net.sights().nth(conn).is_some_and(|sight| !sight.left) {
                        ledger.not_before = Some(net.clock() + wait);
                    }
                    Dial::Fail(ConnectError::Status { status: 503, retry_after: Some(wait), location: None })
                }
                Door::TooMany => {
                    Dial::Fail(ConnectError::Status { status: 429, retry_after: None, location: None })
                }
                Door::Revolving => Dial::Accept,
            },
            _ => Dial::Accept,
        }
    }

    fn opened(&mut self, net: &mut Net, conn: ConnId) {
        let mut ledger = self.0.borrow_mut();
        ledger.subscribed.insert(conn, BTreeSet::new());
        let now = net.now();
        if matches!(ledger.door, Some((Door::Revolving, until)) if now < until) {
            net.end(conn, "in and out");
        }
    }

    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame) {
        let mut ledger = self.0.borrow_mut();
        match frame {
            Frame::Ping(payload) => net.send(conn, Frame::Pong(payload)),
            Frame::Pong(_) | Frame::Message(Message::Binary(_)) => {}
            Frame::Close(frame) => {
                net.send(conn, Frame::Close(frame));
                net.end(conn, "closed");
            }
            Frame::Message(Message::Text(text)) => {
                let message: Value = serde_json::from_str(text.as_str()).unwrap();
                ledger.carry_out(net, conn, &message);
            }
        }
    }

    fn gone(&mut self, net: &mut Net, conn: ConnId) {
        net.note(("gone", conn));
        let mut ledger = self.0.borrow_mut();
        ledger.subscribed.remove(&conn);
        ledger.half_open.remove(&conn);
    }

    fn tick(&mut self, net: &mut Net, token: u64) {
        let mut ledger = self.0.borrow_mut();
        if token == CLOCK {
            ledger.publish(net);
            net.alarm(TICK, CLOCK);
        } else if let Some((conn, text)) = ledger.held.remove(&token) {
            net.send_text(conn, text);
        }
    }

    /// Judges what leaves, as it leaves.
    fn sent(&mut self, net: &mut Net, _: ConnId, frame: &Frame) {
        let Frame::Message(Message::Text(text)) = frame else { return };
        let message: Value = serde_json::from_str(text.as_str()).unwrap();
        if message["method"] == "order" {
            let mut ledger = self.0.borrow_mut();
            let tag = message["params"]["tag"].as_u64().unwrap();
            let times = ledger.sent.entry(tag).or_default();
            *times += 1;
            if *times > 1 {
                ledger.breaks(format!("order {tag} is sent again"));
            }
            ledger.spend(net.clock());
        }
    }

    fn dialling(&mut self, net: &mut Net, conn: ConnId) {
        let mut ledger = self.0.borrow_mut();
        let now = net.clock();
        if ledger.not_before.is_some_and(|until| now < until) {
            ledger.breaks(format!("attempt {conn} comes before the venue allows one"));
        }
    }
}

impl Ledger {
    fn carry_out(&mut self, net: &mut Net, conn: ConnId, message: &Value) {
        let (params, now) = (&message["params"], net.now());
        let is_welcome = self.logged_in.contains(&conn);
        let outcome = match message["method"].as_str().unwrap() {
            "login" if now < self.no_login_until => Err(json!({"code": 10, "message": "not now"})),
            "login" => {
                self.logged_in.insert(conn);
                Ok(json!("welcome"))
            }
            "time" => Ok(json!(1)),
            _ if !is_welcome => {
                self.breaks(format!("before the login: {message}"));
                return;
            }
            "order" => {
                let times = self.executed.entry(params["tag"].as_u64().unwrap()).or_default();
                *times += 1;
                if *times > 1 {
                    self.breaks(format!("executed twice: {message}"));
                }
                Ok(json!("done"))
            }
            "subscribe" => {
                let mut channels = names(params);
                if now < self.partial_until {
                    channels.retain(|_| net.chance(2));
                }
                // In another order than it was asked.
                channels.reverse();
                self.subscribed.entry(conn).or_default().extend(channels.iter().cloned());
                Ok(json!(channels))
            }
            "unsubscribe" => {
                let subscribed = self.subscribed.entry(conn).or_default();
                let removed: Vec<_> =
                    names(params).into_iter().filter(|channel| subscribed.remove(channel)).collect();
                Ok(json!(removed))
            }
            other => panic!("{other}"),
        };
        let id = &message["id"];
        let reply = match outcome {
            Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
            Err(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        };
        if now >= self.mute_until {
            self.reply(net, conn, reply.to_string());
        }
    }

    /// Replies overtake each other, and updates.
    fn reply(&mut self, net: &mut Net, conn: ConnId, text: String) {
        let after = net.between(Duration::ZERO, self.slow);
        let times = if net.chance(50) { 2 } else { 1 };
        for _ in 0..times {
            self.next_token += 1;
            self.held.insert(self.next_token, (conn, text.clone()));
            net.alarm(after, self.next_token);
        }
    }

    /// Numbers go on whether anybody listens or not, so that a listener can see what it missed.
    fn publish(&mut self, net: &mut Net) {
        for channel in super::CHANNELS {
            let number = self.published.entry(channel.to_owned()).or_default();
            *number += 1;
            let text = format!(
                r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{number}}}}}"#
            );
            for (conn, _) in self.subscribed.iter().filter(|(_, channels)| channels.contains(channel)) {
                net.send_text(*conn, text.clone());
            }
        }
    }
}

fn names(params: &Value) -> Vec<String> {
    serde_json::from_value(params["channels"].clone()).unwrap()
}
