//! One life: a client with consumers and orders, its faults, and what is checked after each step.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use serde_json::json;
use steadysocket::config::{Backoff, Heartbeat, OutboundLimit, Overflow, Queue};
use steadysocket::error::{Disconnect, Ended, Error, NotSent, Refusal, Unknown};
use steadysocket::time::Instant;
use steadysocket::transport::{Platform, Signal};
use steadysocket::{Client, Config, Request, Restarts, State, Update};

use super::CHANNELS;
use super::plan::{Dice, Fault, PANICS, Plan, TROUBLE};
use super::protocol::{Bomb, Login};
use super::venue::Exchange;
use crate::calls::config;
use crate::world::{SimPlatform, World};

/// How long it is calm before nearly everything is well again.
const CALM: Duration = Duration::from_secs(25);
/// How much longer it may take at most: what was refused or not answered again and again waits up to a minute.
const PATIENCE: Duration = Duration::from_secs(65);
/// A margin for what takes no time in this world.
const MOMENT: Duration = Duration::from_millis(100);

const HEARTBEAT: Heartbeat = Heartbeat { idle: Duration::from_secs(4), timeout: Duration::from_secs(2) };
const CONNECT: Duration = Duration::from_secs(4);
const CLOSE: Duration = Duration::from_secs(2);
const CALL: Duration = Duration::from_secs(5);
/// The most attempts to connect in one life.
const ATTEMPTS: usize = 40;
const WAITING: usize = 12;
const QUEUE: usize = 16;

/// A promise that was broken, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    step: u64,
    at: Duration,
    promise: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}, after {:.3?}: {}", self.step, self.at, self.promise)
    }
}

/// What lives were made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub steps: u64,
    pub connections: u64,
    pub done: u64,
    pub not_sent: u64,
    pub unknown: u64,
    pub data: u64,
    pub interruptions: u64,
    pub lagged: u64,
    pub refused: u64,
    pub panics: u64,
    pub drained: u64,
    pub history: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        let Self {
            steps,
            connections,
            done,
            not_sent,
            unknown,
            data,
            interruptions,
            lagged,
            refused,
            panics,
            drained,
            history,
        } = other;
        self.steps += steps;
        self.connections += connections;
        self.done += done;
        self.not_sent += not_sent;
        self.unknown += unknown;
        self.data += data;
        self.interruptions += interruptions;
        self.lagged += lagged;
        self.refused += refused;
        self.panics += panics;
        self.drained += drained;
        self.history ^= history;
    }

    /// Whether every kind of thing was seen.
    pub fn happened_everything(&self) -> bool {
        let kinds = [
            self.connections,
            self.done,
            self.not_sent,
            self.unknown,
            self.data,
            self.interruptions,
            self.lagged,
            self.refused,
            self.drained,
        ];
        kinds.iter().all(|count| *count > 0) && (self.panics > 0) == PANICS
    }
}

/// A life under way.
#[derive(Clone)]
struct Life {
    world: World,
    exchange: Exchange,
    client: Client,
    tally: Rc<RefCell<Tally>>,
    /// Orders that are not settled, and when they must be.
    open: Rc<RefCell<BTreeMap<u64, Instant>>>,
    /// Consumers read nothing before.
    slow_until: Rc<RefCell<Instant>>,
    /// When each channel last brought data, and whether it is said to be fresh.
    fresh: Rc<RefCell<BTreeMap<&'static str, (Instant, bool)>>>,
    bomb: Bomb,
    /// Since it drains: when that must be over.
    drain: Rc<Cell<Option<Instant>>>,
    /// The channels whose streams have ended.
    ended: Rc<RefCell<BTreeSet<&'static str>>>,
    strict: bool,
}

/// Lives once, and checks every promise after every step.
pub fn live(plan: &Plan) -> Result<Tally, Broken> {
    live_with(plan, |config| config)
}

/// The same with another configuration.
pub fn live_with(plan: &Plan, change: impl FnOnce(Config) -> Config) -> Result<Tally, Broken> {
    let exchange = Exchange::default();
    let world = World::new(plan.seed, exchange.clone());
    let result = live_in(&world, exchange, plan, change);
    world.end();
    result
}

/// A client whose protocol may panic as often as it likes.
fn client<L: Platform + 'static>(world: &World, platform: L, config: Config, bomb: Bomb) -> Client {
    let restarts = Restarts { most: usize::MAX, ..Restarts::default() };
    let make = move || Login::new(bomb.clone());
    let (client, supervisor) = Client::supervised(config, platform, restarts, make).unwrap();
    world.spawn(async move {
        let _: Ended = supervisor.await;
    });
    client
}

fn live_in(
    world: &World,
    exchange: Exchange,
    plan: &Plan,
    change: impl FnOnce(Config) -> Config,
) -> Result<Tally, Broken> {
    let config = config()
        .retry_initial_connect(true)
        .connect_timeout(CONNECT)
        .call_timeout(CALL)
        .close_timeout(CLOSE)
        .heartbeat(Some(HEARTBEAT))
        .outbound(OutboundLimit { messages: WAITING, ..OutboundLimit::default() })
        .backoff(Backoff { cap: Duration::from_secs(4), ..Backoff::default() });
    let config = change(config);
    let bomb = Bomb::default();
    let client = if plan.pings {
        client(world, SimPlatform::<true>::new(world), config, bomb.clone())
    } else {
        client(world, SimPlatform::<false>::new(world), config, bomb.clone())
    };
    let strict = !plan.faults.iter().any(|(_, fault)| fault.bends_time());
    let life = Life {
        world: world.clone(),
        exchange,
        client,
        tally: Rc::default(),
        open: Rc::default(),
        slow_until: Rc::default(),
        fresh: Rc::default(),
        bomb,
        drain: Rc::default(),
        ended: Rc::default(),
        strict,
    };
    for channel in &CHANNELS[..2] {
        world.spawn(life.clone().consume(channel, None));
    }
    world.spawn(life.clone().come_and_go(CHANNELS[2], Dice::new(plan.seed ^ 1)));
    world.spawn(life.clone().trade(Dice::new(plan.seed ^ 2)));
    world.spawn(life.clone().suffer(plan.faults.clone()));
    life.watch(TROUBLE)?;
    life.calm();
    life.watch(CALM)?;
    if life.judge_the_end().is_err() {
        life.watch(PATIENCE)?;
        life.judge_the_end()?;
    }
    let mut tally = life.tally.take();
    tally.connections = life.client.stats().connections;
    tally.panics = life.bomb.gone_off();
    tally.drained = u64::from(life.drain.get().is_some());
    tally.history = world.history();
    Ok(tally)
}

impl Life {
    fn watch(&self, time: Duration) -> Result<(), Broken> {
        let broken = self.world.watch(time, || {
            self.tally.borrow_mut().steps += 1;
            self.look();
            self.exchange.with(|ledger| ledger.broken.take())
        });
        broken.map_or(Ok(()), |promise| Err(self.broken(promise)))
    }

    fn broken(&self, promise: String) -> Broken {
        let at = self.world.now().since(Instant::from_nanos(1_000_000_000_000_000));
        Broken { step: self.tally.borrow().steps, at, promise }
    }

    fn breaks(&self, promise: impl Into<String>) {
        self.exchange.with(|ledger| ledger.breaks(promise));
    }

    /// What must hold whenever one looks.
    fn look(&self) {
        let stats = self.client.stats();
        if stats.waiting > WAITING + CHANNELS.len() + 2 {
            self.breaks(format!("{} requests wait", stats.waiting));
        }
        if !self.strict {
            return;
        }
        let now = self.world.now();
        if let Some((tag, _)) = self.open.borrow().iter().find(|(_, deadline)| now > **deadline + MOMENT) {
            self.breaks(format!("order {tag} is not settled in time"));
        }
        let has_ended = matches!(self.client.state(), State::Ended(_));
        if !has_ended && self.drain.get().is_some_and(|deadline| now > deadline + MOMENT) {
            self.breaks("it drains for too long");
        }
        let last = self.world.net(|net| net.sights().next_back());
        let Some(sight) = last.filter(|sight| !sight.left) else { return };
        let patience = if sight.opened { HEARTBEAT.idle + HEARTBEAT.timeout } else { CONNECT };
        // It knows, and says goodbye.
        let patience = if self.client.state() == State::Closing { patience + CLOSE } else { patience };
        let since = if sight.opened { sight.heard } else { sight.began };
        if now > since + patience + MOMENT {
            self.breaks(format!("a silent peer is kept for {:?}", now.since(since)));
        }
        if sight.full.is_some_and(|since| now > since + patience + MOMENT) {
            self.breaks("a peer that reads nothing is kept");
        }
    }

    fn calm(&self) {
        self.world.net(|net| {
            self.exchange.calm(net);
            net.throttle(None);
            net.signal(Signal::Online);
        });
        *self.slow_until.borrow_mut() = Instant::ZERO;
        self.bomb.set(None);
    }

    /// Once it has been calm for long enough, everything that was wanted is there.
    fn judge_the_end(&self) -> Result<(), Broken> {
        // A venue that lets nobody stay must not be hammered.
        let attempts = self.world.net(|net| net.connections());
        if attempts > ATTEMPTS {
            return Err(self.broken(format!("{attempts} attempts in one life")));
        }
        if !self.open.borrow().is_empty() {
            return Err(self.broken(format!("{} orders are not settled", self.open.borrow().len())));
        }
        if self.drain.get().is_some() { self.judge_the_drained() } else { self.judge_the_living() }
    }

    /// Who was drained is at its end, and so is everything of it.
    fn judge_the_drained(&self) -> Result<(), Broken> {
        let (state, stats) = (self.client.state(), self.client.stats());
        if state != State::Ended(Ended::Closed) || (stats.waiting, stats.in_flight) != (0, 0) {
            return Err(self.broken(format!("drained: {state:?}, {stats:?}")));
        }
        let open = self.exchange.with(|ledger| ledger.subscribed.keys().next_back().copied());
        if let Some(conn) = open.filter(|conn| self.world.net(|net| net.is_open(*conn))) {
            return Err(self.broken(format!("drained, and connection {conn} is open")));
        }
        let (ended, fresh) = (self.ended.borrow(), self.fresh.borrow());
        match CHANNELS[..2].iter().find(|channel| fresh.contains_key(*channel) && !ended.contains(*channel)) {
            Some(channel) => Err(self.broken(format!("drained, and the stream of {channel} has no end"))),
            None => Ok(()),
        }
    }

    fn judge_the_living(&self) -> Result<(), Broken> {
        let stats = self.client.stats();
        let state = self.client.state();
        if state != State::Live || (stats.desired, stats.confirmed) != (2, 2) {
            return Err(self.broken(format!("not restored: {state:?}, {stats:?}")));
        }
        let subscribed = self.exchange.with(|ledger| ledger.subscribed.values().next_back().cloned());
        if !subscribed.iter().flatten().eq(&CHANNELS[..2]) {
            return Err(self.broken(format!("the venue has {subscribed:?}")));
        }
        for channel in &CHANNELS[..2] {
            match self.fresh.borrow().get(channel) {
                Some((at, true)) if self.world.now().since(*at) < Duration::from_secs(2) => {}
                other => return Err(self.broken(format!("{channel} is silent: {other:?}"))),
            }
        }
        Ok(())
    }

    async fn suffer(self, faults: Vec<(Duration, Fault)>) {
        let mut passed = Duration::ZERO;
        for (at, fault) in faults {
            self.world.sleep(at - passed).await;
            passed = at;
            self.world.net(|net| net.note(("fault", format!("{fault:?}"))));
            let until = |time| self.world.now() + time;
            match fault {
                Fault::Sleep(time) => self.world.freeze(time),
                Fault::Jump(by) => self.world.net(|net| net.jump(by)),
                Fault::Hide(time) => {
                    self.world.net(|net| net.throttle(Some(Duration::from_secs(1))));
                    self.later(time, |life| life.world.net(|net| net.throttle(None)));
                }
                Fault::Offline(time) => {
                    self.world.net(|net| net.signal(Signal::Offline));
                    self.later(time, |life| life.world.net(|net| net.signal(Signal::Online)));
                }
                Fault::Visible => self.world.net(|net| net.signal(Signal::Visible)),
                Fault::Reconnect => self.client.reconnect(),
                Fault::Panic(place) => self.bomb.set(Some(place)),
                Fault::Drain(time) => self.drain(time),
                Fault::SlowConsumers(time) => *self.slow_until.borrow_mut() = until(time),
                fault => self.world.net(|net| self.exchange.strike(net, fault)),
            }
        }
    }

    /// The first that is asked for counts, unless the next one ends before.
    fn drain(&self, time: Duration) {
        let deadline = self.world.now() + time + CLOSE;
        self.drain.set(Some(self.drain.get().map_or(deadline, |other| other.min(deadline))));
        let client = self.client.clone();
        let mut drain = Box::pin(async move { client.drain(time).await });
        // From here on, and not from when the task has its turn.
        if drain.as_mut().now_or_never().is_none() {
            self.world.spawn(drain);
        }
    }

    fn later(&self, time: Duration, act: impl FnOnce(&Self) + 'static) {
        let life = self.clone();
        self.world.spawn(async move {
            life.world.sleep(time).await;
            act(&life);
        });
    }

    /// Reads a channel, and checks that no loss is silent. With a number of updates it leaves after those.
    async fn consume(self, channel: &'static str, most: Option<u64>) {
        let queue = Queue { capacity: QUEUE, overflow: Overflow::DropOldest, ..Queue::default() };
        let mut stream = loop {
            match self.client.subscribe_with::<u64>(channel, queue).await {
                Ok(stream) => break stream,
                Err(Error::Refused { .. } | Error::NotSent(_)) if most.is_some() => return,
                Err(Error::Refused { .. } | Error::NotSent(_)) if self.drain.get().is_some() => return,
                Err(Error::Refused { .. } | Error::NotSent(_)) => {
                    self.world.sleep(Duration::from_secs(1)).await;
                }
                Err(other) => return self.breaks(format!("{channel}: {other}")),
            }
        };
        let (mut last, mut lost) = (None::<u64>, 0);
        // Whether it was told of a cut, and then that data flows again.
        let (mut cut, mut excused) = (false, false);
        let mut read = 0;
        while most.is_none_or(|most| read < most) {
            let Some(update) = stream.next().await else {
                if self.drain.get().is_none() {
                    self.breaks(format!("{channel} ended"));
                }
                self.ended.borrow_mut().insert(channel);
                return;
            };
            self.world.net(|net| net.note((channel, format!("{update:?}"))));
            if stream.waiting() > QUEUE + 1 {
                self.breaks(format!("{} updates of {channel} wait", stream.waiting()));
            }
            let mut fresh = None;
            match update {
                Update::Data(number) => {
                    if cut {
                        self.breaks(format!("{channel}: data without a word that it is fresh again"));
                    }
                    let follows = last.is_none_or(|last| match excused {
                        true => number > last,
                        false => number == last + 1 + lost,
                    });
                    if !follows {
                        self.breaks(format!("{channel}: {number} after {last:?} and {lost} that were lost"));
                    }
                    (last, excused, lost) = (Some(number), false, 0);
                    read += 1;
                    self.tally.borrow_mut().data += 1;
                    fresh = Some(true);
                }
                Update::Interrupted(_) => {
                    cut = true;
                    self.tally.borrow_mut().interruptions += 1;
                    fresh = Some(false);
                }
                Update::Renewing => (cut, fresh) = (true, Some(false)),
                Update::Resumed => {
                    if !cut {
                        self.breaks(format!("{channel}: fresh again without a word that it was not"));
                    }
                    (cut, excused) = (false, true);
                }
                Update::Lagged(count) => {
                    lost += count;
                    self.tally.borrow_mut().lagged += count;
                }
                Update::Refused(Refusal::TimedOut | Refusal::NotConfirmed) => {
                    self.tally.borrow_mut().refused += 1
                }
                other => self.breaks(format!("{channel}: {other:?}")),
            }
            if let Some(fresh) = fresh {
                self.fresh.borrow_mut().insert(channel, (self.world.now(), fresh));
            }
            let until = *self.slow_until.borrow();
            self.world.sleep(until.since(self.world.now())).await;
        }
    }

    /// Consumes for a while, lets go, and comes back, as long as there is trouble.
    async fn come_and_go(self, channel: &'static str, mut dice: Dice) {
        let end = self.world.now() + TROUBLE;
        while self.world.now() < end {
            self.clone().consume(channel, Some(1 + dice.below(5))).await;
            self.world.sleep(dice.within(Duration::from_secs(4))).await;
        }
    }

    /// Makes orders in bursts, each under its own tag.
    async fn trade(self, mut dice: Dice) {
        let pause = Duration::from_secs(3);
        // The last ones have time to settle.
        let end = self.world.now() + TROUBLE + CALM - CALL - pause - MOMENT;
        let mut tag = 0;
        while self.world.now() < end {
            self.world.sleep(dice.within(pause)).await;
            for _ in 0..1 + dice.below(4) {
                tag += 1;
                // Some have little patience.
                let patience = if dice.below(4) == 0 { Duration::from_millis(600) } else { CALL };
                self.world.spawn(self.clone().order(tag, patience));
            }
        }
    }

    async fn order(self, tag: u64, patience: Duration) {
        let request = Request::with("order", &json!({ "tag": tag })).unwrap();
        self.open.borrow_mut().insert(tag, self.world.now() + patience);
        let is_late = self.drain.get().is_some();
        let outcome = self.client.request(request).timeout(patience).await;
        self.open.borrow_mut().remove(&tag);
        self.world.net(|net| net.note((tag, format!("{outcome:?}"))));
        let (sent, executed) = self.exchange.with(|ledger| {
            let of = |book: &BTreeMap<u64, u32>| book.get(&tag).copied().unwrap_or_default();
            (of(&ledger.sent), of(&ledger.executed))
        });
        let mut tally = self.tally.borrow_mut();
        match outcome {
            outcome if is_late && sent > 0 => {
                self.breaks(format!("order {tag} is sent while it drains: {outcome:?}"))
            }
            Err(Error::NotSent(NotSent::Draining)) if !is_late => {
                self.breaks(format!("order {tag} is refused before it drains"))
            }
            Ok(_) if executed == 0 => self.breaks(format!("order {tag} is done and was not executed")),
            Ok(_) => tally.done += 1,
            Err(Error::NotSent(_)) if sent > 0 => {
                self.breaks(format!("order {tag} was sent and is said not to be"))
            }
            Err(Error::NotSent(_)) => tally.not_sent += 1,
            // How far it came is not known then.
            Err(Error::Unknown(Unknown::Disconnected(Disconnect::Panicked(_)))) => tally.unknown += 1,
            Err(Error::Unknown(_)) if sent == 0 => {
                self.breaks(format!("order {tag} was not sent and may be sent again"));
            }
            Err(Error::Unknown(_)) => tally.unknown += 1,
            Err(other) => self.breaks(format!("order {tag}: {other}")),
        }
    }
}
