//! A whole life of a [`Session`], with the fuzzer as user, network, server and clock.
//!
//! After each step it must hold that
//!
//! 1. a call settles once, and not before it was made; by its deadline at the latest;
//! 2. no request leaves twice, and what settles as not sent never left;
//! 3. nothing is sent but on an open connection, nothing after a close frame, and only well-formed messages;
//! 4. consumers hear that data stops before the connection is made anew, and that it flows again before it flows;
//! 5. a silent peer, or one that takes nothing, is given up within its time;
//! 6. queues stay within their bounds, and no timer fires without end.
//!
//! At the end the network and the server behave, and everything must become live; then everything settles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use futures::FutureExt;
use serde_json::{Value, json};
use steadysocket::config::WhenBlocked;
use steadysocket::error::{ConnectError, Disconnect, Error, Phase, Refusal};
use steadysocket::protocol::{Preparation, RequestId, RequestIds};
use steadysocket::session::{Command, Effect, Note, Session, Work};
use steadysocket::time::Instant;
use steadysocket::transport::Signal;
use steadysocket::{CloseCode, CloseFrame, Config, Event, Frame, Message, Protocol, Request, State};

/// One of the things that can happen.
#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Call {
        method: u8,
        params: u8,
        timeout: Option<u16>,
    },
    Notify {
        method: u8,
    },
    Batch {
        size: u8,
    },
    Say,
    Cancel(u8),
    Subscribe(u8),
    Unsubscribe(u8),
    Renew(u8),
    Reconnect,
    Close,
    Connected,
    ConnectFailed(u8),
    Cut,
    ServerCloses(Option<u16>),
    Ping,
    Pong(bool),
    /// The server answers one of the requests.
    Answer {
        which: u8,
        how: u8,
    },
    /// It answers all of them as it should.
    Serve,
    Data {
        channel: u8,
        data: &'a str,
    },
    TestRequest,
    Text(&'a str),
    Bytes(&'a [u8]),
    Writable(bool),
    Signal(u8),
    Prepared,
    /// Time passes, timer by timer.
    Wait(u16),
    /// Until the next timer.
    Due,
    /// The machine sleeps: timers are late.
    Sleep(u16),
}

/// What differs between the protocols.
pub trait Venue {
    type Protocol: Protocol;
    const CHANNELS: &'static [&'static str];
    const METHODS: &'static [&'static str];

    fn protocol(&self) -> Self::Protocol;

    /// The result that a well-behaved server gives.
    fn result(&self, method: &str, params: &Value) -> Value;

    /// Whether it lets this client subscribe to the channel.
    fn grants(&self, channel: &str) -> bool {
        let _ = channel;
        true
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Link {
    None,
    Dialling,
    Open,
    /// Our close frame has left.
    Closing,
}

struct Call {
    deadline: Instant,
    /// It has an id that is written into the message.
    has_id: bool,
}

struct Consumer {
    channel: &'static str,
    flow: Flow,
    confirmed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flow {
    /// It has heard nothing yet.
    New,
    Live,
    Paused,
}

struct Life<V: Venue> {
    venue: V,
    /// Only to be asked.
    judge: V::Protocol,
    session: Session<V::Protocol>,
    config: Arc<Config>,
    ids: RequestIds,
    now: Instant,
    link: Link,
    writable: bool,
    calls: BTreeMap<RequestId, Call>,
    /// Cancelled ones and whole batches, of which nothing need be heard.
    quiet: BTreeSet<RequestId>,
    settled: BTreeSet<RequestId>,
    left: BTreeSet<RequestId>,
    /// What the server has not answered yet.
    asked: VecDeque<(u64, String, Value)>,
    consumers: BTreeMap<RequestId, Consumer>,
    preparation: Option<Preparation>,
    ping: Option<Frame>,
    /// When the peer was heard or the connection was made, or the machine woke up.
    heard: Instant,
    blocked: Option<Instant>,
    ended: bool,
    traced: bool,
}

/// The first bytes choose the configuration, the others are steps.
pub fn run<V: Venue>(data: &[u8], venue: V, config: Config) {
    let mut input = Unstructured::new(data);
    let choice = u8::arbitrary(&mut input).unwrap_or_default();
    let config = configure(config, choice);
    let mut life = Life::new(venue, config);
    life.session.start(life.now);
    life.settle_down();
    for _ in 0..300 {
        let Ok(step) = Step::arbitrary(&mut input) else { break };
        life.trace(&step);
        life.take(step);
        life.settle_down();
        if life.ended || input.is_empty() {
            break;
        }
    }
    life.behave();
    life.session.handle_abandoned(life.now);
    life.ended = true;
    life.carry_out();
    assert!(life.calls.is_empty(), "these never settle: {:?}", life.calls.keys());
}

fn configure(config: Config, choice: u8) -> Config {
    let blocked = |bit: u8| if choice & bit == 0 { WhenBlocked::Wait } else { WhenBlocked::Refuse };
    let mut config = config
        .retry_initial_connect(choice & 1 == 0)
        .when_offline(blocked(2))
        .when_limited(blocked(4))
        .retry_idempotent(choice & 8 != 0);
    if choice & 16 != 0 {
        config.outbound.messages = 3;
    }
    config
}

impl<V: Venue> Life<V> {
    fn new(venue: V, config: Config) -> Self {
        let (ids, config) = (RequestIds::default(), Arc::new(config));
        Self {
            session: Session::new(config.clone(), venue.protocol(), true, ids.clone(), 7),
            judge: venue.protocol(),
            venue,
            config,
            ids,
            now: Instant::ZERO,
            link: Link::None,
            writable: true,
            calls: BTreeMap::new(),
            quiet: BTreeSet::new(),
            settled: BTreeSet::new(),
            left: BTreeSet::new(),
            asked: VecDeque::new(),
            consumers: BTreeMap::new(),
            preparation: None,
            ping: None,
            heard: Instant::ZERO,
            blocked: None,
            ended: false,
            traced: std::env::var_os("TRACE").is_some(),
        }
    }

    fn take(&mut self, step: Step<'_>) {
        let now = self.now;
        let of = |list: &'static [&'static str], index: u8| list[usize::from(index) % list.len()];
        match step {
            Step::Call { method, params, timeout } => {
                let timeout = timeout.map(|ms| Duration::from_millis(ms.into()));
                let work = Work::Call(request(of(V::METHODS, method), params));
                self.submit(work, timeout, true);
            }
            Step::Notify { method } => {
                self.submit(Work::Notify(request(of(V::METHODS, method), 0)), None, false)
            }
            Step::Batch { size } => self.batch(size),
            Step::Say => self.submit(Work::Message("\"said\"".into()), None, false),
            Step::Cancel(which) => {
                if let Some(id) = nth(self.calls.keys(), which) {
                    self.calls.remove(&id);
                    self.quiet.insert(id);
                    self.session.handle_command(now, Command::Cancel(id));
                }
            }
            Step::Subscribe(channel) => {
                let (id, channel) = (self.ids.next(), of(V::CHANNELS, channel));
                self.consumers.insert(id, Consumer { channel, flow: Flow::New, confirmed: false });
                self.session.handle_command(now, Command::Subscribe(id, channel.to_owned()));
            }
            Step::Unsubscribe(which) => {
                if let Some(id) = nth(self.consumers.keys(), which) {
                    self.consumers.remove(&id);
                    self.session.handle_command(now, Command::Unsubscribe(id));
                }
            }
            Step::Renew(which) => {
                if let Some(id) = nth(self.consumers.keys(), which) {
                    self.session.handle_command(now, Command::Renew(id));
                }
            }
            Step::Reconnect => self.session.handle_command(now, Command::Reconnect),
            Step::Close => {
                let frame = CloseFrame::new(CloseCode::NORMAL, "bye");
                self.session.handle_command(now, Command::Close(frame));
            }
            Step::Connected => self.connected(),
            Step::ConnectFailed(how) => {
                if self.link == Link::Dialling {
                    self.link = Link::None;
                    self.session.handle_connect_failed(now, failure(how));
                }
            }
            Step::Cut => self.cut(),
            Step::ServerCloses(code) => {
                let frame = code.map(|code| CloseFrame::new(CloseCode(code), "closing"));
                self.receive(Frame::Close(frame));
            }
            Step::Ping => self.receive(Frame::Ping("ping".into())),
            Step::Pong(right) => match self.ping.take().filter(|_| right) {
                Some(Frame::Ping(payload)) => self.receive(Frame::Pong(payload)),
                _ => self.receive(Frame::Pong("12345678".into())),
            },
            Step::Answer { which, how } => self.answer(which, how),
            Step::Serve => self.serve(),
            Step::Data { channel, data } => {
                let params = json!({ "channel": of(V::CHANNELS, channel), "data": data });
                self.say(&json!({ "jsonrpc": "2.0", "method": "subscription", "params": params }));
            }
            Step::TestRequest => self.say(
                &json!({ "jsonrpc": "2.0", "method": "heartbeat", "params": { "type": "test_request" } }),
            ),
            Step::Text(text) => self.receive(Frame::Message(text.into())),
            Step::Bytes(bytes) => self.receive(Frame::Message(Message::from(bytes.to_vec()))),
            Step::Writable(writable) => self.writable = writable,
            Step::Signal(which) => {
                let signals = [Signal::Offline, Signal::Online, Signal::Visible];
                self.session.handle_signal(now, signals[usize::from(which) % signals.len()]);
            }
            Step::Prepared => self.prepare(),
            Step::Wait(ms) => self.wait_until(now + Duration::from_millis(ms.into())),
            Step::Due => {
                let due = self.session.poll_timeout().unwrap_or(now);
                self.wait_until(due.max(now));
            }
            Step::Sleep(seconds) => {
                self.now = now + Duration::from_secs(seconds.into());
                // Whoever slept asks before giving up.
                self.heard = self.now;
                self.blocked = self.blocked.map(|_| self.now);
                self.session.handle_timeout(self.now);
            }
        }
    }

    /// With `TRACE=1` in the environment, a life is told step by step.
    fn trace(&self, what: &dyn std::fmt::Debug) {
        if self.traced {
            eprintln!("{:?} {:?}: {what:?}", self.now, self.link);
        }
    }

    fn submit(&mut self, work: Work, timeout: Option<Duration>, has_id: bool) {
        let id = self.ids.next();
        let deadline = self.now + timeout.unwrap_or(self.config.call_timeout);
        self.calls.insert(id, Call { deadline, has_id });
        self.session.handle_command(self.now, Command::Submit { id, work, timeout });
    }

    fn batch(&mut self, size: u8) {
        let id = self.ids.next();
        let deadline = self.now + self.config.call_timeout;
        let items = (0..size % 4).map(|index| {
            let member = (index != 1).then(|| self.ids.next());
            if let Some(member) = member {
                self.calls.insert(member, Call { deadline, has_id: true });
            }
            (member, request(V::METHODS[0], index))
        });
        let work = Work::Batch(items.collect());
        self.quiet.insert(id);
        self.session.handle_command(self.now, Command::Submit { id, work, timeout: None });
    }

    fn connected(&mut self) {
        if self.link == Link::Dialling {
            self.link = Link::Open;
            self.writable = true;
            self.heard = self.now;
            self.asked.clear();
            self.session.handle_connected(self.now);
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.link, Link::Open | Link::Closing)
    }

    fn cut(&mut self) {
        if self.is_open() {
            self.link = Link::None;
            self.session.handle_disconnected(self.now, Disconnect::Dropped("cut".into()));
        }
    }

    fn receive(&mut self, frame: Frame) {
        if self.is_open() {
            self.heard = self.now;
            self.session.handle_frame(self.now, frame);
        }
    }

    fn say(&mut self, message: &Value) {
        self.receive(Frame::Message(message.to_string().into()));
    }

    fn answer(&mut self, which: u8, how: u8) {
        if self.asked.is_empty() {
            return;
        }
        let (id, method, params) = &self.asked[usize::from(which) % self.asked.len()];
        let right = self.venue.result(method, params);
        let error = |code: i64| json!({ "code": code, "message": "error" });
        let outcome = match how {
            0..=99 => ("result", right),
            100..=119 => ("result", json!(null)),
            120..=139 => ("result", json!(["nothing.that.was.asked"])),
            140..=159 => ("error", error(10_028)),
            160..=179 => ("error", error(13_009)),
            180..=199 => ("error", error(11_052)),
            200..=219 => ("error", json!("strange")),
            _ => ("error", error(-32_601)),
        };
        let mut reply =
            json!({ "jsonrpc": "2.0", "id": id, "usIn": 1, "usOut": 2, "usDiff": 1, "testnet": true });
        reply[outcome.0] = outcome.1;
        self.say(&reply);
    }

    /// Answers everything as a good server does.
    fn serve(&mut self) {
        while let Some((id, method, params)) = self.asked.pop_front() {
            let result = self.venue.result(&method, &params);
            self.say(&json!({ "jsonrpc": "2.0", "id": id, "result": result, "testnet": true }));
        }
    }

    fn prepare(&mut self) {
        let Some(preparation) = self.preparation.take().filter(|_| self.is_open()) else { return };
        if let Some(request) = preparation.now_or_never() {
            self.session.handle_prepared(self.now, request);
        }
    }

    fn wait_until(&mut self, until: Instant) {
        for _ in 0..10_000 {
            match self.session.poll_timeout().filter(|due| *due <= until) {
                Some(due) => {
                    self.now = self.now.max(due);
                    self.session.handle_timeout(self.now);
                    self.settle_down();
                }
                None => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("timers fire without end");
    }

    /// What a driver does after each input.
    fn settle_down(&mut self) {
        self.carry_out();
        if self.is_open() {
            self.session.handle_writable(self.now, self.writable);
            self.blocked = if self.writable { None } else { self.blocked.or(Some(self.now)) };
        } else {
            self.blocked = None;
        }
        for count in 0.. {
            assert!(count < 10_000, "sends without end");
            if !self.is_open() || !self.writable {
                break;
            }
            let frame = self.session.poll_transmit(self.now);
            let is_last = frame.is_none();
            if let Some(frame) = frame {
                self.transmit(frame);
            }
            self.carry_out();
            if is_last {
                break;
            }
        }
        self.fire_due();
        self.check();
    }

    /// Timers that are due by now; none may be due again at once, again and again.
    fn fire_due(&mut self) {
        for count in 0.. {
            assert!(count < 1_000, "a timer fires without end");
            if self.ended || self.session.poll_timeout().is_none_or(|due| due > self.now) {
                break;
            }
            self.session.handle_timeout(self.now);
            self.carry_out();
            if self.is_open()
                && self.writable
                && let Some(frame) = self.session.poll_transmit(self.now)
            {
                self.transmit(frame);
                self.carry_out();
            }
        }
    }

    fn carry_out(&mut self) {
        for count in 0.. {
            assert!(count < 100_000, "effects without end");
            let Some(effect) = self.session.poll_effect() else { break };
            self.carry_out_one(effect);
        }
    }

    fn carry_out_one(&mut self, effect: Effect) {
        self.trace(&effect);
        match effect {
            Effect::Connect(_) => {
                assert!(matches!(self.link, Link::None), "a second connection while {:?}", self.link);
                assert!(!self.ended, "a connection after the end");
                self.expect_paused();
                self.link = Link::Dialling;
            }
            Effect::Drop => self.link = Link::None,
            Effect::Prepare(preparation) => self.preparation = Some(preparation),
            Effect::Settle(id, outcome) => self.settle(id, &outcome),
            Effect::Deliver(consumer, _) => {
                if let Some(consumer) = self.consumers.get_mut(&consumer) {
                    assert_ne!(consumer.flow, Flow::Paused, "data on {}", consumer.channel);
                    // It may overtake the confirmation.
                    consumer.flow = Flow::Live;
                }
            }
            Effect::Tell(consumer, note) => self.tell(consumer, &note),
            Effect::Event(Event::State(State::Ended(_))) => self.ended = true,
            Effect::Event(_) | Effect::Unmatched(_) => {}
        }
    }

    fn tell(&mut self, consumer: RequestId, note: &Note) {
        if matches!(note, Note::Refused(Refusal::Offline)) {
            // It never joined.
            self.consumers.remove(&consumer);
        }
        let Some(Consumer { channel, flow, confirmed }) = self.consumers.get_mut(&consumer) else { return };
        *flow = match (note, *flow) {
            (Note::Confirmed, Flow::New) => Flow::Live,
            (Note::Confirmed, flow) if !*confirmed => flow,
            (Note::Resumed, Flow::Paused) => Flow::Live,
            (Note::Interrupted(_) | Note::Renewing, Flow::Live) => Flow::Paused,
            // The connection ends while it begins anew.
            (Note::Interrupted(_), Flow::Paused) => Flow::Paused,
            (Note::Refused(_), flow) => flow,
            (note, flow) => panic!("{note:?} for {channel}, which is {flow:?}"),
        };
        *confirmed |= matches!(note, Note::Confirmed);
    }

    fn settle(&mut self, id: RequestId, outcome: &Result<steadysocket::Payload, Error>) {
        assert!(self.settled.insert(id), "{id:?} settles twice");
        let left = self.left.contains(&id);
        let Some(call) = self.calls.remove(&id) else {
            assert!(self.quiet.contains(&id), "{id:?} was not made");
            return;
        };
        match outcome {
            Err(Error::NotSent(reason)) => assert!(!left, "{id:?} left: {reason}"),
            Ok(_) | Err(Error::Unknown(_) | Error::Rejected(_)) => {
                assert!(left || !call.has_id, "{id:?} did not leave: {outcome:?}");
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn transmit(&mut self, frame: Frame) {
        self.trace(&frame);
        assert_eq!(self.link, Link::Open, "{frame:?}");
        match frame {
            Frame::Close(_) => self.link = Link::Closing,
            Frame::Ping(_) => self.ping = Some(frame),
            Frame::Pong(_) => {}
            Frame::Message(message) => {
                let text = message.as_text().expect("text");
                let value: Value = serde_json::from_str(text).expect("well-formed JSON");
                match value {
                    Value::Array(items) => items.iter().for_each(|item| self.sent(item)),
                    item => self.sent(&item),
                }
            }
        }
    }

    fn sent(&mut self, item: &Value) {
        let Some(id) = item.get("id").and_then(Value::as_u64) else { return };
        let method = item["method"].as_str().expect("a method").to_owned();
        let id = RequestId(id);
        let again = self.config.retry_idempotent && self.judge.is_idempotent(&method);
        assert!(self.left.insert(id) || again, "{method} leaves twice");
        assert!(!self.settled.contains(&id), "{method} leaves after it settled");
        let cancelled = self.quiet.contains(&id) && !self.left.contains(&id);
        assert!(!cancelled, "{method} leaves after it was cancelled");
        self.asked.push_back((id.0, method, item["params"].clone()));
    }

    fn expect_paused(&self) {
        for Consumer { channel, flow, .. } in self.consumers.values() {
            assert_ne!(*flow, Flow::Live, "{channel} has no connection");
        }
    }

    fn check(&self) {
        for (id, call) in &self.calls {
            assert!(call.deadline >= self.now, "{id:?} is over its deadline");
        }
        if self.link == Link::None && !self.ended {
            self.expect_paused();
        }
        let stats = self.session.stats();
        let own = 16 + 2 * self.consumers.len();
        assert!(stats.waiting <= self.config.outbound.messages + own, "{stats:?}");
        // Those that were cancelled after they left are known until their deadline.
        assert!(stats.in_flight <= self.calls.len() + self.quiet.len() + own, "{stats:?}");
        assert!(stats.confirmed <= stats.desired, "{stats:?}");
        let Some(heartbeat) = self.config.heartbeat.filter(|_| self.link == Link::Open) else { return };
        let patience = heartbeat.idle + heartbeat.timeout;
        assert!(self.now.since(self.heard) <= patience, "silent for {:?}", self.now.since(self.heard));
        if let Some(since) = self.blocked {
            assert!(self.now.since(since) <= patience, "blocked for {:?}", self.now.since(since));
        }
    }

    /// A good network and a good server for two hours: everything that is wanted is there in the end.
    fn behave(&mut self) {
        self.writable = true;
        self.session.handle_signal(self.now, Signal::Online);
        self.settle_down();
        let end = self.now + Duration::from_secs(2 * 60 * 60);
        while self.now < end && !self.ended {
            self.connected();
            self.settle_down();
            self.prepare();
            self.settle_down();
            self.serve();
            self.settle_down();
            match self.ping.take() {
                Some(Frame::Ping(payload)) => self.receive(Frame::Pong(payload)),
                _ if self.link == Link::Closing => self.receive(Frame::Close(None)),
                _ => {}
            }
            self.settle_down();
            // A refused channel is asked for again after a while.
            if self.calls.is_empty() && self.asked.is_empty() && self.is_restored() {
                return;
            }
            if self.asked.is_empty() && self.link != Link::Dialling {
                let due = self.session.poll_timeout().unwrap_or(end);
                self.wait_until(due.max(self.now).min(end));
            }
        }
        assert!(
            self.ended,
            "not live after two good hours: {:?}, {:?}",
            self.session.state(),
            self.session.stats()
        );
        assert!(self.calls.is_empty(), "these outlive the end: {:?}", self.calls.keys());
    }

    fn is_restored(&self) -> bool {
        let is_live = |consumer: &Consumer| consumer.flow == Flow::Live && consumer.confirmed;
        self.session.state() == State::Live
            && self.session.stats().waiting == 0
            && self
                .consumers
                .values()
                .all(|consumer| is_live(consumer) || !self.venue.grants(consumer.channel))
    }
}

fn request(method: &'static str, params: u8) -> Request {
    let params = match params % 4 {
        0 => None,
        1 => Some("{\"a\":1}".to_owned()),
        2 => Some("[1]".to_owned()),
        _ => Some("no JSON".to_owned()),
    };
    Request { method: method.into(), params }
}

fn nth<'a>(mut ids: impl ExactSizeIterator<Item = &'a RequestId>, which: u8) -> Option<RequestId> {
    let count = ids.len().max(1);
    ids.nth(usize::from(which) % count).copied()
}

fn failure(how: u8) -> ConnectError {
    let status = |status, retry_after| ConnectError::Status { status, retry_after, location: None };
    match how % 6 {
        0 => ConnectError::Tcp("refused".into()),
        1 => ConnectError::Timeout(Phase::Tls),
        2 => status(503, Some(Duration::from_secs(u64::from(how) * 60))),
        3 => status(429, Some(Duration::MAX)),
        4 => status(401, None),
        _ => ConnectError::Upgrade("strange".into()),
    }
}
