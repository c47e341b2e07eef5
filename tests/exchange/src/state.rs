//! What all parts of a running exchange share.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::accounts::Accounts;
use crate::builder::Settings;
use crate::channels::Floor;
use crate::clock::Clock;
use crate::connection::ending::Ending;
use crate::connection::outbox::{Handle, Order};
use crate::credits::Credits;
use crate::engine::Engine;
use crate::faults::chaos::Chaos;
use crate::faults::command::Command;
use crate::faults::door::Doorway;
use crate::faults::maintenance::{Maintenance, Phase};
use crate::faults::orders::Hazard;
use crate::faults::{Fault, Target};
use crate::journal::Journal;
use crate::market::Market;
use crate::matcher::Matcher;

/// How long the daily settlement takes.
const SETTLEMENT: Duration = Duration::from_secs(2);

/// The state of a running exchange. Each lock is held for a moment and none while waiting.
/// Where two are held, the floor is taken first.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    floor: Mutex<Floor>,
    journal: Mutex<Journal>,
    changes: watch::Sender<()>,
    accounts: Mutex<Accounts>,
    credits: Mutex<Credits>,
    doorway: Mutex<Doorway>,
    handles: Mutex<BTreeMap<u64, Handle>>,
    lasting: Mutex<Vec<Fault>>,
    maintenance: Mutex<Maintenance>,
    chaos: Mutex<Chaos>,
    hazard: Mutex<Hazard>,
    settling: Mutex<Option<Instant>>,
    /// The time of the last beat.
    beaten_ms: Mutex<i64>,
    pub(crate) matcher: Matcher,
}

impl State {
    pub(crate) fn new(settings: Settings) -> Self {
        let clock = Clock::start();
        let market = Market::open(settings.seed, clock.millis(), settings.pace);
        let accounts = Accounts::new(&settings.accounts, token_luck(settings.seed));
        let traders = accounts.profiles().map(|profile| profile.id).zip(settings.accounts.iter().cloned());
        let mut floor = Floor::new(Engine::new(market, traders), Rng::with_seed(settings.seed ^ 0x00f1_0075));
        floor.frozen = settings.frozen;
        Self {
            clock,
            accounts: Mutex::new(accounts),
            floor: Mutex::new(floor),
            journal: Mutex::default(),
            changes: watch::Sender::new(()),
            credits: Mutex::new(Credits::new(settings.credits)),
            doorway: Mutex::default(),
            handles: Mutex::default(),
            lasting: Mutex::default(),
            maintenance: Mutex::default(),
            chaos: Mutex::new(Chaos::new(settings.chaos, Rng::with_seed(settings.seed ^ 0xc4a0_5000))),
            hazard: Mutex::new(Hazard::new(settings.hazard, Rng::with_seed(settings.seed ^ 0x0a2a_12d5))),
            settling: Mutex::default(),
            beaten_ms: Mutex::new(clock.millis()),
            matcher: Matcher::new(Rng::with_seed(settings.seed ^ 0x3a7c_4e12)),
            settings,
        }
    }

    pub(crate) fn floor(&self) -> MutexGuard<'_, Floor> {
        lock(&self.floor)
    }

    pub(crate) fn accounts(&self) -> MutexGuard<'_, Accounts> {
        lock(&self.accounts)
    }

    pub(crate) fn credits(&self) -> MutexGuard<'_, Credits> {
        lock(&self.credits)
    }

    pub(crate) fn hazard(&self) -> MutexGuard<'_, Hazard> {
        lock(&self.hazard)
    }

    pub(crate) fn doorway(&self) -> MutexGuard<'_, Doorway> {
        lock(&self.doorway)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    /// Writes to the journal and wakes those who wait for it.
    pub(crate) fn note<T>(&self, write: impl FnOnce(&mut Journal) -> T) -> T {
        let result = write(&mut self.journal());
        self.changes.send_replace(());
        result
    }

    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Makes a connection known, and tells which faults already wait for it.
    pub(crate) fn enter(&self, handle: &Handle) -> Vec<Fault> {
        lock(&self.handles).insert(handle.number(), handle.clone());
        lock(&self.lasting).clone()
    }

    /// A connection is gone; `in_peace` when its client logged out.
    pub(crate) fn leave(&self, number: u64, in_peace: bool) {
        lock(&self.handles).remove(&number);
        let mut floor = self.floor();
        let now_ms = self.clock.millis();
        floor.engine.disconnect(number, in_peace, now_ms);
        floor.publish(now_ms, None);
        drop(floor);
        self.accounts().grants.forget_connection(number);
    }

    pub(crate) fn handles(&self, target: Target) -> Vec<Handle> {
        let handles = lock(&self.handles);
        match target {
            Target::All => handles.values().cloned().collect(),
            Target::Newest => handles.values().next_back().cloned().into_iter().collect(),
            Target::Connection(number) => handles.get(&number).cloned().into_iter().collect(),
        }
    }

    /// Gives a fault to its target. Says how many connections it reached.
    pub(crate) fn fault(&self, target: Target, fault: &Fault) -> usize {
        if target == Target::All && fault.is_lasting() {
            self.remember(fault);
        }
        let reached = self.handles(target);
        reached.iter().filter(|handle| handle.order(Order::Misbehave(fault.clone()))).count()
    }

    fn remember(&self, fault: &Fault) {
        let mut lasting = lock(&self.lasting);
        lasting.retain(|old| match (old, fault) {
            (Fault::RefuseChannel(old), Fault::RefuseChannel(new) | Fault::AllowChannel(new)) => old != new,
            (Fault::FailCalls { method: old, .. }, Fault::FailCalls { method: new, .. }) => old != new,
            (old, new) => std::mem::discriminant(old) != std::mem::discriminant(new),
        });
        if !matches!(fault, Fault::AllowChannel(_)) {
            lasting.push(fault.clone());
        }
    }

    /// Which part of the maintenance script is on.
    pub(crate) fn phase(&self) -> Phase {
        lock(&self.maintenance).phase(Instant::now())
    }

    /// Carries out a command.
    pub(crate) fn run(&self, command: Command) {
        match command {
            Command::Fault(target, fault) => {
                self.fault(target, &fault);
            }
            Command::Door(door, span) => self.doorway().set(door, span, Instant::now()),
            Command::Open => self.doorway().open(),
            Command::Maintenance { notice, outage } => self.start_maintenance(notice, outage),
            Command::Chaos(every) => lock(&self.chaos).set(every),
            Command::Release => self.matcher.release(),
            Command::Hazard(one_in) => self.hazard().set(one_in),
            Command::Freeze(frozen) => self.floor().frozen = frozen,
            Command::Halt(name, halted) => self.on_market(|engine, now| engine.halt(&name, halted, now)),
            Command::Expire(name) => self.on_market(|engine, now| engine.expire(&name, now)),
            Command::List(name) => self.on_market(|engine, now| engine.list(&name, now)),
            Command::Lock(index, locked) => self.floor().lock(&index, locked),
            Command::Settle(length) => self.settle(length),
            Command::ExpireTokens => self.accounts().grants.expire_all(self.clock.uptime()),
            Command::RevokeTokens => self.accounts().grants.revoke_all(),
            Command::Announce(text) => self.floor().announce_text(&text, self.clock.millis()),
        }
    }

    fn on_market(&self, change: impl FnOnce(&mut Engine, i64) -> bool) {
        let now_ms = self.clock.millis();
        let mut floor = self.floor();
        change(&mut floor.engine, now_ms);
        floor.publish(now_ms, None);
    }

    /// The end of a day: for a while the matching engine is busy with itself.
    fn settle(&self, length: Duration) {
        *lock(&self.settling) = Some(Instant::now() + length);
        self.on_market(|engine, now_ms| {
            engine.settle_day(now_ms);
            true
        });
    }

    /// Whether the day is being settled.
    pub(crate) fn is_settling(&self) -> bool {
        lock(&self.settling).is_some_and(|until| Instant::now() < until)
    }

    fn start_maintenance(&self, notice: Duration, outage: Duration) {
        lock(&self.maintenance).start(Instant::now(), notice, outage);
        self.floor().announce("platform_state", &json!({ "maintenance": true }));
    }

    /// One beat of everything that moves by itself.
    pub(crate) fn beat(&self) {
        let now = Instant::now();
        let now_ms = self.clock.millis();
        let before_ms = std::mem::replace(&mut *lock(&self.beaten_ms), now_ms);
        self.floor().beat(now_ms);
        if Engine::is_settlement_between(before_ms, now_ms) {
            self.settle(SETTLEMENT);
        }
        if lock(&self.maintenance).closes(now) {
            let end = Order::End(Ending::maintenance());
            for handle in self.handles(Target::All) {
                handle.order(end.clone());
            }
        }
        self.changes.send_replace(());
        let due = lock(&self.chaos).poll(now);
        if let Some(fault) = due {
            self.fault(Target::All, &fault);
        }
    }

    /// A generator for one purpose, so that connections do not disturb each other's luck.
    pub(crate) fn luck(&self, purpose: u64) -> Rng {
        Rng::with_seed(self.settings.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose)
    }
}

/// Tokens differ between runs too, so that one of an earlier run is not taken for one of this.
fn token_luck(seed: u64) -> Rng {
    Rng::with_seed(seed ^ Rng::new().u64(..))
}

/// A poisoned lock means that a thread died while it wrote; this state stays usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
