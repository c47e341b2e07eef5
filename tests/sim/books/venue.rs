//! A venue that publishes order books and does everything to them that a network and a bad day can do.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::{CloseCode, CloseFrame, Frame, Message};

use super::market::{Ladder, Market};
use crate::world::{ConnId, Dial, Net, Venue};

/// Time between two moves of the markets.
const PACE: Duration = Duration::from_millis(100);

/// One channel of one connection.
struct Feed {
    market: usize,
    grouped: Option<usize>,
    /// Speaks every so many moves.
    every: u64,
    /// What its listener was told last, and its name; nothing before the snapshot.
    told: Option<(Ladder, u64)>,
    /// Messages sent before, to be repeated.
    past: Vec<String>,
    /// A message that comes after the next one.
    held: Option<String>,
}

/// What happened, for the summary.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub messages: u64,
    pub snapshots: u64,
    pub dropped: u64,
    pub repeated: u64,
    pub swapped: u64,
    pub malformed: u64,
    /// Messages of a subscription that came after the confirmation that it had ended.
    pub stragglers: u64,
    pub cuts: u64,
    /// Channels, or requests as a whole.
    pub refused: u64,
    pub unsubscribes: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.snapshots += other.snapshots;
        self.dropped += other.dropped;
        self.repeated += other.repeated;
        self.swapped += other.swapped;
        self.malformed += other.malformed;
        self.stragglers += other.stragglers;
        self.cuts += other.cuts;
        self.refused += other.refused;
        self.unsubscribes += other.unsubscribes;
    }
}

pub struct Script {
    pub markets: Vec<Market>,
    feeds: BTreeMap<ConnId, BTreeMap<String, Feed>>,
    /// What each state of each book was: by instrument and depth, by its name.
    pub truth: HashMap<(usize, Option<usize>), HashMap<u64, u64>>,
    last_change_id: u64,
    moves: u64,
    /// Whether anything goes wrong.
    pub trouble: bool,
    /// Nothing moves any more.
    pub still: bool,
    pub tally: Tally,
    /// What is sent when its alarm rings.
    later: HashMap<u64, (ConnId, String)>,
    next_token: u64,
    running: bool,
}

#[derive(Clone)]
pub struct Books(Rc<RefCell<Script>>);

const MOVE: u64 = 0;
const CUT: u64 = 1 << 32;
const LATER: u64 = 1 << 33;

impl Books {
    pub fn new() -> Self {
        let markets = vec![
            Market::new("BTC-PERPETUAL", 1, 12_000),
            Market::new("ETH-PERPETUAL", 2, 60_000),
            // A combo's prices are about zero and on either side of it.
            Market::new("BTC-FS-27DEC26_PERP", 1, 3),
            Market::new("BTC-25DEC26-90000-C", 4, 90),
        ];
        Self(Rc::new(RefCell::new(Script {
            markets,
            feeds: BTreeMap::new(),
            truth: HashMap::new(),
            last_change_id: 193_809_616_666,
            moves: 0,
            trouble: true,
            still: false,
            tally: Tally::default(),
            later: HashMap::new(),
            next_token: LATER,
            running: false,
        })))
    }

    pub fn with<R>(&self, with: impl FnOnce(&mut Script) -> R) -> R {
        with(&mut self.0.borrow_mut())
    }
}

impl Venue for Books {
    fn dial(&mut self, net: &mut Net, _conn: ConnId) -> Dial {
        if self.0.borrow().trouble && net.chance(4) {
            return Dial::Fail(steadysocket::error::ConnectError::Tcp("refused".into()));
        }
        Dial::Accept
    }

    fn opened(&mut self, net: &mut Net, conn: ConnId) {
        let mut script = self.0.borrow_mut();
        script.feeds.insert(conn, BTreeMap::new());
        if !std::mem::replace(&mut script.running, true) {
            net.alarm(PACE, MOVE);
        }
        let life = net.between(Duration::ZERO, Duration::from_secs(120));
        net.alarm(life, CUT | conn as u64);
    }

    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame) {
        match frame {
            Frame::Ping(payload) => net.send(conn, Frame::Pong(payload)),
            Frame::Pong(_) => {}
            Frame::Close(frame) => {
                net.send(conn, Frame::Close(frame));
                net.end(conn, "closed");
            }
            Frame::Message(Message::Text(text)) => {
                let request: Value = serde_json::from_str(text.as_str()).unwrap();
                self.0.borrow_mut().request(net, conn, &request);
            }
            Frame::Message(Message::Binary(_)) => panic!("a binary message"),
        }
    }

    fn gone(&mut self, _net: &mut Net, conn: ConnId) {
        self.0.borrow_mut().feeds.remove(&conn);
    }

    fn tick(&mut self, net: &mut Net, token: u64) {
        let mut script = self.0.borrow_mut();
        match token {
            MOVE => {
                script.publish(net);
                net.alarm(PACE, MOVE);
            }
            token if token >= LATER => {
                if let Some((conn, text)) = script.later.remove(&token) {
                    net.send_text(conn, text);
                }
            }
            token => script.cut(net, (token - CUT) as ConnId),
        }
    }
}

impl Script {
    /// Whether trouble of `one_in` chances happens.
    fn chance(&self, net: &mut Net, one_in: u64) -> bool {
        self.trouble && net.chance(one_in)
    }

    fn request(&mut self, net: &mut Net, conn: ConnId, request: &Value) {
        let channels = || -> Vec<String> {
            serde_json::from_value(request["params"]["channels"].clone()).unwrap_or_default()
        };
        let result = match request["method"].as_str().unwrap_or_default() {
            "public/subscribe" => self.subscribe(net, conn, channels()),
            "public/unsubscribe" => self.unsubscribe(net, conn, channels()),
            _ => Ok(json!("ok")),
        };
        let (id, member) = (&request["id"], if result.is_ok() { "result" } else { "error" });
        let reply = json!({ "jsonrpc": "2.0", "id": id, member: result.unwrap_or_else(|error| error) });
        let unanswered =
            matches!(request["method"].as_str(), Some("public/subscribe" | "public/unsubscribe"));
        if unanswered && self.chance(net, 60) {
            return;
        }
        self.send_later(net, conn, reply.to_string(), Duration::from_millis(500));
    }

    fn subscribe(&mut self, net: &mut Net, conn: ConnId, channels: Vec<String>) -> Result<Value, Value> {
        if self.chance(net, 30) {
            self.tally.refused += 1;
            return Err(json!({ "code": 11052, "message": "subscribe_error_unsubscribed" }));
        }
        let mut confirmed = Vec::new();
        for channel in channels {
            if self.chance(net, 30) {
                self.tally.refused += 1;
                continue;
            }
            if !self.feeds[&conn].contains_key(&channel) {
                let feed = self.feed(&channel);
                self.feeds.get_mut(&conn).unwrap().insert(channel.clone(), feed);
                // The snapshot may come ahead of the confirmation, and changes after both.
                if net.chance(2) {
                    self.speak(net, conn, &channel);
                }
            }
            confirmed.insert(0, channel);
        }
        Ok(json!(confirmed))
    }

    fn feed(&self, channel: &str) -> Feed {
        let parts: Vec<_> = channel.split('.').collect();
        let market = self.markets.iter().position(|market| market.name == parts[1]).unwrap();
        let every = match *parts.last().unwrap() {
            "raw" => 1,
            "100ms" => 2,
            _ => 10,
        };
        let grouped = (parts.len() == 5).then(|| parts[3].parse().unwrap());
        Feed { market, grouped, every, told: None, past: Vec::new(), held: None }
    }

    fn unsubscribe(&mut self, net: &mut Net, conn: ConnId, channels: Vec<String>) -> Result<Value, Value> {
        let mut left = Vec::new();
        for channel in channels {
            self.tally.unsubscribes += 1;
            if self.chance(net, 3) {
                // One more message is on its way already, and slow.
                self.tally.stragglers += 1;
                if let Some(text) = self.write(net, conn, &channel) {
                    self.send_later(net, conn, text, Duration::from_secs(1));
                }
            }
            if self.feeds.get_mut(&conn).unwrap().remove(&channel).is_some() {
                left.push(channel);
            }
        }
        Ok(json!(left))
    }

    fn publish(&mut self, net: &mut Net) {
        if self.still {
            return self.tell_all(net);
        }
        self.moves += 1;
        for at in 0..self.markets.len() {
            if net.chance(2) {
                self.last_change_id += 1 + net.random() % 1000;
                self.markets[at].step(net, self.last_change_id);
            }
        }
        self.tell_all(net);
    }

    fn tell_all(&mut self, net: &mut Net) {
        let due = |feed: &Feed| feed.told.is_none() || self.moves.is_multiple_of(feed.every) || self.still;
        let channels = self.feeds.iter().flat_map(|(conn, feeds)| {
            feeds.iter().filter(|(_, feed)| due(feed)).map(|(channel, _)| (*conn, channel.clone()))
        });
        for (conn, channel) in channels.collect::<Vec<_>>() {
            self.speak(net, conn, &channel);
        }
    }

    /// The next message of a channel, if there is news. Its state is what the listener has from then on.
    fn write(&mut self, net: &mut Net, conn: ConnId, channel: &str) -> Option<String> {
        let feed = self.feeds.get_mut(&conn)?.get_mut(channel)?;
        let market = &self.markets[feed.market];
        let now = market.top(feed.grouped.unwrap_or(usize::MAX));
        let told = feed.told.take();
        let news = told.as_ref().is_none_or(|(_, id)| *id != market.change_id || feed.grouped.is_some());
        if !news {
            feed.told = told;
            return None;
        }
        let before = told.as_ref().filter(|_| feed.grouped.is_none());
        let data = market.message(net, before.map(|(ladder, id)| (ladder, *id)), feed.grouped);
        let prints = self.truth.entry((feed.market, feed.grouped)).or_default();
        prints.insert(market.change_id, market.print(&now));
        self.tally.messages += 1;
        self.tally.snapshots += u64::from(told.is_none());
        feed.told = Some((now, market.change_id));
        Some(format!(
            r#"{{"jsonrpc":"2.0","method":"subscription","params":{{"channel":"{channel}","data":{data}}}}}"#
        ))
    }

    /// Sends the next message of a channel, or does something else with it.
    fn speak(&mut self, net: &mut Net, conn: ConnId, channel: &str) {
        let snapshot = self.feeds[&conn][channel].told.is_none();
        let Some(text) = self.write(net, conn, channel) else { return };
        if self.chance(net, if snapshot { 20 } else { 400 }) {
            self.tally.dropped += 1;
            return;
        }
        if self.chance(net, 600) {
            self.tally.malformed += 1;
            let spoilt = spoil(net, &text);
            return net.send_text(conn, spoilt);
        }
        let (swap, again, old) = (self.chance(net, 500), self.chance(net, 400), self.chance(net, 500));
        let feed = self.feeds.get_mut(&conn).unwrap().get_mut(channel).unwrap();
        if swap && feed.held.is_none() {
            self.tally.swapped += 1;
            feed.held = Some(text);
            return;
        }
        net.send_text(conn, text.clone());
        if let Some(held) = feed.held.take() {
            net.send_text(conn, held);
        }
        if again {
            self.tally.repeated += 1;
            net.send_text(conn, text.clone());
        }
        feed.past.push(text);
        if feed.past.len() > 8 {
            // The snapshot stays among them.
            feed.past.remove(1);
        }
        if old {
            self.tally.repeated += 1;
            let at = net.random() as usize % feed.past.len();
            net.send_text(conn, feed.past[at].clone());
        }
    }

    fn send_later(&mut self, net: &mut Net, conn: ConnId, text: String, within: Duration) {
        self.next_token += 1;
        self.later.insert(self.next_token, (conn, text));
        let after = net.between(Duration::ZERO, within);
        net.alarm(after, self.next_token);
    }

    fn cut(&mut self, net: &mut Net, conn: ConnId) {
        if !self.trouble || !net.is_open(conn) {
            return;
        }
        self.tally.cuts += 1;
        match net.random() % 4 {
            0 => net.kill(conn),
            1 => {
                net.send(conn, Frame::Close(Some(CloseFrame::new(CloseCode::GOING_AWAY, "restart"))));
                net.end(conn, "restart");
            }
            _ => net.end(conn, "reset"),
        }
    }
}

/// A message that cannot be what it was meant to be.
fn spoil(net: &mut Net, text: &str) -> String {
    match net.random() % 6 {
        // The frame itself is no JSON.
        0 => text[..text.len() / 2].to_owned(),
        1 => text.replacen("\"bids\":[", "\"bids\":[[],", 1),
        2 => text.replacen("\"asks\":[", "\"asks\":[[\"new\",null,1],", 1),
        3 => text.replacen("\"change_id\":", "\"change_id\":-", 1),
        4 => text.replacen("\"timestamp\":", "\"time\":", 1),
        _ => text.replacen("\"bids\":[", "\"bids\":[[\"new\",1e999,1],", 1),
    }
}
