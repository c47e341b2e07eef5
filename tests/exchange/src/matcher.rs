//! The way of a request to the matching engine and of its answer back: it waits in the account's queue, is carried
//! out by the exchange's own task, and its answer goes to its connection, if that is still there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::accounts::AccountId;
use crate::api::error::ApiError;
use crate::channels::Floor;
use crate::connection::ending::Ending;
use crate::connection::outbox::{Handle, Item, Order};
use crate::engine::{Caller, reject};
use crate::faults::orders::Afterwards;
use crate::rpc::envelope::{self, Timing};
use crate::rpc::trading;
use crate::state::State;

/// Requests of one account that may wait; one more is refused.
pub(crate) const QUEUE: usize = 8;

/// A request that waits for the engine.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) account: AccountId,
    pub(crate) handle: Handle,
    /// Its number in the ledger.
    pub(crate) number: u64,
    pub(crate) id: Option<Value>,
    pub(crate) method: String,
    pub(crate) params: Map<String, Value>,
    pub(crate) us_in: u64,
    pub(crate) afterwards: Afterwards,
    /// A fault keeps it back, so it takes no place in the queue.
    pub(crate) kept_back: bool,
}

/// All that waits.
#[derive(Debug)]
pub(crate) struct Matcher {
    waiting: Mutex<BTreeMap<(Instant, u64), Job>>,
    /// Something is being carried out.
    busy: AtomicBool,
    wake: Notify,
    rng: Mutex<Rng>,
}

impl Matcher {
    pub(crate) fn new(rng: Rng) -> Self {
        Self {
            waiting: Mutex::default(),
            busy: AtomicBool::new(false),
            wake: Notify::new(),
            rng: Mutex::new(rng),
        }
    }

    /// Whether an account has as many requests waiting as it may.
    pub(crate) fn is_full(&self, account: AccountId) -> bool {
        self.waiting().values().filter(|job| job.account == account && !job.kept_back).count() >= QUEUE
    }

    /// Whether nothing waits or is being carried out.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting().is_empty() && !self.busy.load(Ordering::Acquire)
    }

    /// Puts a request into the queue. Requests that are due at the same moment keep their order.
    pub(crate) fn submit(&self, job: Job, due: Instant) {
        self.waiting().insert((due, job.number), job);
        self.wake.notify_one();
    }

    /// Lets everything that waits be due now.
    pub(crate) fn release(&self) {
        let mut waiting = self.waiting();
        let now = Instant::now();
        *waiting = std::mem::take(&mut *waiting)
            .into_iter()
            .map(|((_, number), job)| ((now, number), job))
            .collect();
        drop(waiting);
        self.wake.notify_one();
    }

    /// Takes the orders out that a mass cancel overtakes.
    pub(crate) fn purge(&self, account: AccountId, fits: impl Fn(&Job) -> bool) -> Vec<Job> {
        let mut waiting = self.waiting();
        let hit = waiting.iter().filter(|(_, job)| job.account == account && fits(job));
        let keys: Vec<_> = hit.map(|(key, _)| *key).collect();
        keys.iter().filter_map(|key| waiting.remove(key)).collect()
    }

    /// Answers what was purged.
    pub(crate) fn answer_purged(&self, state: &State, job: &Job) {
        let error = reject::CANCELLED_BY_USER;
        state.floor().ledger.refused(job.number, error.code);
        self.answer(state, job, &Err(error));
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<(Instant, u64), Job>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_due(&self) -> Option<Instant> {
        self.waiting().first_key_value().map(|((due, _), _)| *due)
    }

    fn take_due(&self, now: Instant) -> Option<Job> {
        let mut waiting = self.waiting();
        let entry = waiting.first_entry().filter(|entry| entry.key().0 <= now)?;
        // Said while the queue is locked, so that nobody sees it empty and idle in between.
        self.busy.store(true, Ordering::Release);
        Some(entry.remove())
    }

    /// Carries a request out, answers it, and tells the channels.
    fn carry_out(&self, state: &State, job: &Job) {
        let now_ms = state.clock.millis();
        let mut floor = state.floor();
        let caller =
            Caller { account: job.account, connection: job.handle.number(), request: job.number, now_ms };
        let outcome = match state.is_settling() {
            true => Err(reject::SETTLING),
            false => trading::execute(&mut floor.engine, &caller, &job.method, &job.params),
        };
        note(state, &mut floor, job, &outcome);
        let gossip_first = state.settings.shuffle && self.rng().bool();
        if gossip_first {
            floor.publish(now_ms, None);
        }
        self.answer(state, job, &outcome);
        floor.engine.after_request(job.handle.number(), job.account, now_ms);
        floor.publish(now_ms, None);
        drop(floor);
        self.busy.store(false, Ordering::Release);
        state.note(|_| ());
    }

    /// Sends the answer, unless a fault has other plans.
    fn answer(&self, state: &State, job: &Job, outcome: &Result<Value, ApiError>) {
        let timing = Timing { us_in: job.us_in, us_out: state.clock.micros() };
        let failed = match job.afterwards {
            Afterwards::Fail(code) => Some(Err(ApiError::coded(code))),
            _ => None,
        };
        let outcome = failed.as_ref().unwrap_or(outcome);
        let text = envelope::reply(job.id.as_ref(), outcome, timing, state.settings.testnet, &mut self.rng());
        let answer = Item::Answer { text, number: job.number };
        match &job.afterwards {
            Afterwards::Answer | Afterwards::Fail(_) => job.handle.send(answer),
            Afterwards::Nothing => {}
            Afterwards::Cut(how) => {
                job.handle.order(Order::End(Ending::fault(how.clone(), "cut after match")));
            }
            Afterwards::AnswerAndCut(how) => {
                job.handle.send(answer);
                let end = Order::End(Ending::fault(how.clone(), "answer then cut"));
                job.handle.send(Item::Then(end));
            }
        }
    }

    fn rng(&self) -> MutexGuard<'_, Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(state: &State, floor: &mut Floor, job: &Job, outcome: &Result<Value, ApiError>) {
    let result = match outcome {
        Ok(value) => {
            let order = value.get("order").unwrap_or(value);
            Ok(order.get("order_id").and_then(Value::as_str))
        }
        Err(error) => Err(error.code),
    };
    floor.ledger.matched(job.number, state.clock.uptime(), result);
}

/// Carries out what is due, for as long as the exchange runs.
pub(crate) async fn run(state: Arc<State>) {
    /// Without requests there is nothing to wait for but the wake.
    const LONG: Duration = Duration::from_secs(3_600);
    loop {
        let due = state.matcher.next_due().unwrap_or_else(|| Instant::now() + LONG);
        if due > Instant::now() {
            tokio::select! {
                () = sleep_until(due) => {}
                () = state.matcher.wake.notified() => continue,
            }
        }
        while let Some(job) = state.matcher.take_due(Instant::now()) {
            state.matcher.carry_out(&state, &job);
        }
        tokio::task::yield_now().await;
    }
}
