//! Who belongs to a pool, how they are, and who carries which channel.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use futures::task::AtomicWaker;

use super::PoolOptions;
use crate::alarm::Alarm;
use crate::client::Client;
use crate::error::{ConfigError, Error, NotSent};
use crate::session::State;
use crate::time::Instant;

/// Names a member in its pool. None is given out twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(u64);

/// How a member is. A call goes to the live one whose value is the lowest, and among equals to the one whose turn it is;
/// without a live one to the best of the others, where it waits.
///
/// `value = latency × (1 + pending) × (1 + errors)`, with the latency in milliseconds, rounded up, at least 1, and 1
/// where none is known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Score {
    /// Which member.
    pub member: MemberId,
    /// Where its connection is.
    pub state: State,
    /// Calls through the pool that have no outcome yet.
    pub pending: usize,
    /// The moving average of its answers' round trips, of which the last counts an eighth. `None` when there was none
    /// within [`PoolOptions::memory`].
    pub latency: Option<Duration>,
    /// Calls within [`PoolOptions::memory`] that were not sent for a reason of the member's, or whose outcome is unknown;
    /// at most 64 are counted.
    pub errors: usize,
    /// The channels that it carries for the pool.
    pub channels: usize,
    /// The value by which it is chosen: the lower the better.
    pub value: f64,
}

impl Score {
    fn is_live(&self) -> bool {
        self.state == State::Live
    }
}

/// More errors than this make a member no worse.
const MOST_ERRORS: usize = 64;

/// One copy of a channel; a redundant stream has two, which are never on the same member.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) channel: Arc<str>,
    pub(super) copy: u8,
}

/// Where a copy of a channel belongs.
pub(super) enum Place {
    At(MemberId, Client),
    /// No member has room for it now.
    Nowhere,
    /// No member will ever come.
    Over,
}

#[derive(Debug)]
pub(super) struct Members {
    pub(super) options: PoolOptions,
    inner: Mutex<Inner>,
    /// Changes whenever something is placed anew.
    version: AtomicU64,
}

#[derive(Debug, Default)]
struct Inner {
    members: Vec<Member>,
    places: BTreeMap<Key, Placed>,
    streams: BTreeMap<u64, Arc<AtomicWaker>>,
    /// Redundant streams whose copies have not met.
    unsettled: usize,
    watchers: Vec<std::task::Waker>,
    count: u64,
    /// Every handle of the pool is gone.
    orphaned: bool,
}

#[derive(Debug)]
struct Member {
    id: MemberId,
    client: Client,
    pending: usize,
    latency: Option<(Instant, Duration)>,
    errors: VecDeque<Instant>,
    channels: usize,
    /// When it was last chosen, as a count.
    turn: u64,
}

#[derive(Debug, Default)]
struct Placed {
    member: Option<MemberId>,
    streams: usize,
}

impl Members {
    pub(super) fn new(options: PoolOptions) -> Self {
        Self { options, inner: Mutex::default(), version: AtomicU64::new(1) }
    }

    pub(super) fn add(&self, client: Client) -> MemberId {
        let mut inner = self.lock();
        let id = MemberId(inner.number());
        let (latency, errors) = (None, VecDeque::new());
        inner.members.push(Member { id, client, pending: 0, latency, errors, channels: 0, turn: 0 });
        inner.place_all(self.options.channels);
        inner.level(id);
        self.changed(inner);
        id
    }

    pub(super) fn remove(&self, id: MemberId) -> Option<Client> {
        let mut inner = self.lock();
        let index = inner.members.iter().position(|member| member.id == id)?;
        let member = inner.members.remove(index);
        inner
            .places
            .values_mut()
            .filter(|placed| placed.member == Some(id))
            .for_each(|placed| placed.member = None);
        inner.place_all(self.options.channels);
        self.changed(inner);
        Some(member.client)
    }

    /// Lets a member go that has ended.
    pub(super) fn bury(&self, id: MemberId) {
        drop(self.remove(id));
    }

    /// Lets all members go that have ended.
    fn bury_all(&self) {
        let ended = |member: &Member| matches!(member.client.state(), State::Ended(_)).then_some(member.id);
        let ids: Vec<_> = self.lock().members.iter().filter_map(ended).collect();
        ids.into_iter().for_each(|id| self.bury(id));
    }

    pub(super) fn orphan(&self) {
        let mut inner = self.lock();
        inner.orphaned = true;
        self.changed(inner);
    }

    pub(super) fn ids(&self) -> Vec<MemberId> {
        self.lock().members.iter().map(|member| member.id).collect()
    }

    pub(super) fn client(&self, id: MemberId) -> Option<Client> {
        self.lock().member(id).map(|member| member.client.clone())
    }

    /// The other members, those that are live first.
    pub(super) fn others(&self, id: MemberId) -> Vec<Client> {
        let inner = self.lock();
        let others = inner.members.iter().filter(|member| member.id != id);
        let mut others: Vec<_> = others.map(|member| member.client.clone()).collect();
        others.sort_by_key(|client| client.state() != State::Live);
        others
    }

    pub(super) fn scores(&self) -> Vec<Score> {
        self.bury_all();
        let mut scores = self.lock().scores(self.options.memory);
        scores.sort_by(|(a, turn), (b, other)| better(a, b).then(turn.cmp(other)));
        scores.into_iter().map(|(score, _)| score).collect()
    }

    /// The best member that was not tried yet, with one call more.
    pub(super) fn choose(&self, tried: &[MemberId]) -> Option<(MemberId, Client)> {
        self.bury_all();
        let mut inner = self.lock();
        let scores = inner.scores(self.options.memory);
        let untried = scores.iter().filter(|(score, _)| !tried.contains(&score.member));
        let (best, _) = untried.min_by(|(a, turn), (b, other)| better(a, b).then(turn.cmp(other)))?;
        let turn = inner.number();
        let member = inner.members.iter_mut().find(|member| member.id == best.member)?;
        member.turn = turn;
        member.pending += 1;
        Some((member.id, member.client.clone()))
    }

    /// A call that was counted has its outcome, or nobody waits for it any more.
    pub(super) fn finished(&self, id: MemberId, verdict: Verdict) {
        let mut inner = self.lock();
        let Some(member) = inner.members.iter_mut().find(|member| member.id == id) else { return };
        member.pending = member.pending.saturating_sub(1);
        let now = member.client.now();
        match verdict {
            Verdict::Answered(took) => {
                let recent = member.latency.filter(|(at, _)| now.since(*at) < self.options.memory);
                let average = recent.map_or(took, |(_, before)| (before * 7 + took) / 8);
                member.latency = Some((now, average));
            }
            Verdict::Failed => {
                if member.errors.len() == MOST_ERRORS {
                    member.errors.pop_front();
                }
                member.errors.push_back(now);
            }
            Verdict::Nothing => {}
        }
    }

    /// A stream for this copy of a channel begins.
    pub(super) fn enter(&self, key: &Key, waker: &Arc<AtomicWaker>) -> u64 {
        let mut inner = self.lock();
        let stream = inner.number();
        inner.streams.insert(stream, waker.clone());
        inner.places.entry(key.clone()).or_default().streams += 1;
        inner.place(key, self.options.channels);
        stream
    }

    /// And ends.
    pub(super) fn leave(&self, key: &Key, stream: u64) {
        let mut inner = self.lock();
        inner.streams.remove(&stream);
        let Some(placed) = inner.places.get_mut(key) else { return };
        placed.streams -= 1;
        if placed.streams > 0 {
            return;
        }
        let member = placed.member;
        inner.places.remove(key);
        if let Some(member) = member.and_then(|id| inner.members.iter_mut().find(|member| member.id == id)) {
            member.channels = member.channels.saturating_sub(1);
        }
        // There is room for another now.
        if inner.place_all(self.options.channels) {
            self.changed(inner);
        }
    }

    pub(super) fn place(&self, key: &Key) -> Place {
        let inner = self.lock();
        let member = inner.places.get(key).and_then(|placed| inner.member(placed.member?));
        match member {
            Some(member) => Place::At(member.id, member.client.clone()),
            None if inner.orphaned && inner.members.is_empty() => Place::Over,
            None => Place::Nowhere,
        }
    }

    /// Why there is no place for a channel.
    pub(super) fn no_place(&self) -> Error {
        if self.lock().members.is_empty() {
            NotSent::Offline.into()
        } else {
            ConfigError::new("channels", "every member carries as many as it may").into()
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The time, and an alarm, of any member.
    pub(super) fn now(&self) -> Option<Instant> {
        self.lock().members.first().map(|member| member.client.now())
    }

    pub(super) fn sleep(&self, time: Duration) -> Alarm {
        let client = self.others(MemberId(0)).into_iter().next();
        client.map_or_else(Alarm::off, |client| client.sleep(time))
    }

    /// A redundant stream's copies parted, or met.
    pub(super) fn settle(&self, settled: bool) {
        let mut inner = self.lock();
        if settled {
            inner.unsettled = inner.unsettled.saturating_sub(1);
            inner.watchers.drain(..).for_each(std::task::Waker::wake);
        } else {
            inner.unsettled += 1;
        }
    }

    /// Waits until the copies of all redundant streams have met, for a bounded time.
    pub(super) async fn settled(&self) {
        if self.lock().members.len() < 2 {
            return;
        }
        let mut patience = self.sleep(self.options.hold);
        poll_fn(|cx| {
            let mut inner = self.lock();
            if inner.unsettled == 0 {
                return Poll::Ready(());
            }
            if !inner.watchers.iter().any(|watcher| watcher.will_wake(cx.waker())) {
                inner.watchers.push(cx.waker().clone());
            }
            drop(inner);
            patience.poll_unpin(cx)
        })
        .await;
    }

    /// Has every stream look where it belongs.
    fn changed(&self, inner: MutexGuard<'_, Inner>) {
        self.version.fetch_add(1, Ordering::AcqRel);
        let streams: Vec<_> = inner.streams.values().cloned().collect();
        drop(inner);
        streams.iter().for_each(|waker| waker.wake());
    }

    /// No client may be dropped under this lock: the last handle of one wakes others.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call said of the member that it was given to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verdict {
    Answered(Duration),
    Failed,
    Nothing,
}

fn better(a: &Score, b: &Score) -> std::cmp::Ordering {
    b.is_live().cmp(&a.is_live()).then(a.value.total_cmp(&b.value))
}

impl Inner {
    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// The scores, each with when the member had its turn.
    fn scores(&mut self, memory: Duration) -> Vec<(Score, u64)> {
        self.members.iter_mut().map(|member| (member.score(memory), member.turn)).collect()
    }

    /// Gives every channel a place that has none and can have one. Whether any got one.
    fn place_all(&mut self, most: usize) -> bool {
        let homeless = |(key, placed): (&Key, &Placed)| placed.member.is_none().then(|| key.clone());
        let keys: Vec<_> = self.places.iter().filter_map(homeless).collect();
        keys.iter().filter(|key| self.place(key, most)).count() > 0
    }

    fn place(&mut self, key: &Key, most: usize) -> bool {
        if self.places.get(key).is_none_or(|placed| placed.member.is_some()) {
            return false;
        }
        let has_room = |member: &&Member| member.channels < most && !self.carries(member.id, &key.channel);
        let lightest = self.members.iter().filter(has_room).min_by_key(|member| {
            let state = member.client.state();
            (matches!(state, State::Ended(_)), state != State::Live, member.channels, member.id)
        });
        let Some(id) = lightest.map(|member| member.id) else { return false };
        self.give(key, id);
        true
    }

    /// Whether a member carries a copy of this channel.
    fn carries(&self, id: MemberId, channel: &Arc<str>) -> bool {
        let copy = |copy| self.places.get(&Key { channel: channel.clone(), copy });
        (0..2).filter_map(copy).any(|placed| placed.member == Some(id))
    }

    fn give(&mut self, key: &Key, id: MemberId) {
        let Some(placed) = self.places.get_mut(key) else { return };
        let before = placed.member.replace(id);
        for member in &mut self.members {
            if Some(member.id) == before {
                member.channels = member.channels.saturating_sub(1);
            }
            if member.id == id {
                member.channels += 1;
            }
        }
    }

    /// Has a new member carry its share.
    fn level(&mut self, new: MemberId) {
        let live = self.member(new).is_some_and(|member| !matches!(member.client.state(), State::Ended(_)));
        if !live {
            return;
        }
        loop {
            let fullest = self.members.iter().max_by_key(|member| member.channels);
            let Some((from, most)) = fullest.map(|member| (member.id, member.channels)) else { return };
            let carried = self.member(new).map_or(most, |member| member.channels);
            let movable = |(key, placed): &(&Key, &Placed)| {
                placed.member == Some(from) && !self.carries(new, &key.channel)
            };
            let key = self.places.iter().find(movable).map(|(key, _)| key.clone());
            match key {
                Some(key) if most > carried + 1 => self.give(&key, new),
                _ => return,
            }
        }
    }
}

impl Member {
    fn score(&mut self, memory: Duration) -> Score {
        let now = self.client.now();
        while self.errors.front().is_some_and(|at| now.since(*at) >= memory) {
            self.errors.pop_front();
        }
        let recent = self.latency.filter(|(at, _)| now.since(*at) < memory);
        let latency = recent.map(|(_, latency)| latency);
        let millis = latency.map_or(1.0, |latency| (latency.as_secs_f64() * 1000.0).ceil().max(1.0));
        let errors = self.errors.len();
        let value = millis * (1.0 + self.pending as f64) * (1.0 + errors as f64);
        let (pending, channels) = (self.pending, self.channels);
        Score { member: self.id, state: self.client.state(), pending, latency, errors, channels, value }
    }
}
