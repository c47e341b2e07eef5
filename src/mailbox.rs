//! How handles reach their driver: one bounded queue of mail, and one place where the driver says how things are.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use futures::channel::oneshot;
use futures::task::AtomicWaker;

use crate::alarm::Bell;
use crate::config::OutboundLimit;
use crate::error::{Disconnect, Ended, Error, NotSent};
use crate::health::{Backlog, Health, Pulse};
use crate::payload::Payload;
use crate::protocol::{RequestId, RequestIds, Unmatched};
use crate::queue::Queue;
use crate::session::limiter::Limiter;
use crate::session::{Command, ConsumerId, Event, State, Stats, Work};
use crate::time::Instant;
use crate::transport::Clock;

pub(crate) type Outcome = Result<Payload, Error>;

/// What a handle asks of the driver.
#[derive(Debug)]
pub(crate) enum Mail {
    /// Something for the session that has no answer, or whose answer goes to the state.
    Command(Command),
    /// One thing to send.
    Submit { id: RequestId, work: Work, timeout: Option<Duration>, outcome: oneshot::Sender<Outcome> },
    /// Several things to send as one message.
    Batch {
        id: RequestId,
        work: Work,
        timeout: Option<Duration>,
        outcomes: Vec<(RequestId, oneshot::Sender<Outcome>)>,
    },
    /// A new consumer.
    Subscribe {
        consumer: ConsumerId,
        channel: String,
        queue: Arc<Queue<Payload>>,
        confirmed: oneshot::Sender<Outcome>,
        /// Whether it needs what the server sends first, even when others consume the channel already.
        anew: bool,
    },
    /// A queue for what belongs to nobody.
    Messages(Arc<Queue<Unmatched>>),
    /// A queue for what happens.
    Events(Arc<Queue<Event>>),
    /// Tell when it is live. Dropped when it is over.
    Ready(oneshot::Sender<()>),
    /// Dropped when it is over.
    End(oneshot::Sender<()>),
    /// Ring after this time.
    Alarm(Duration, Bell),
}

impl Mail {
    /// The bytes of what is to be sent, for mail that counts towards the bound.
    fn size(&self) -> Option<usize> {
        match self {
            Self::Submit { work, .. } | Self::Batch { work, .. } => Some(work.size()),
            _ => None,
        }
    }
}

/// Something that does its work when it is dropped.
pub(crate) type Badge = Box<dyn Any + Send + Sync>;

pub(crate) struct Mailbox {
    inner: Mutex<Inner>,
    clock: Clock,
    /// The driver's.
    pub(crate) waker: Arc<AtomicWaker>,
    pub(crate) ids: RequestIds,
    limit: OutboundLimit,
    /// Updates that slow consumers lost.
    pub(crate) dropped: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Inner {
    mail: VecDeque<Mail>,
    /// Number and bytes of what is to be sent.
    submissions: (usize, usize),
    ended: Option<Ended>,
    state: State,
    stats: Stats,
    badges: Vec<Badge>,
    /// When the state began.
    since: Instant,
    last_disconnect: Option<(Instant, Disconnect)>,
    streams: Vec<(String, Weak<Queue<Payload>>)>,
    pulses: Vec<Weak<Pulse>>,
}

impl Mailbox {
    pub(crate) fn new(limit: OutboundLimit, clock: Clock) -> Self {
        let inner = Inner {
            mail: VecDeque::new(),
            submissions: (0, 0),
            ended: None,
            state: State::Connecting { attempt: 1 },
            stats: Stats::default(),
            badges: Vec::new(),
            since: clock(),
            last_disconnect: None,
            streams: Vec::new(),
            pulses: Vec::new(),
        };
        let (inner, waker) = (Mutex::new(inner), Arc::new(AtomicWaker::new()));
        Self { inner, clock, waker, ids: RequestIds::default(), limit, dropped: Arc::default() }
    }

    /// The time on the driver's clock.
    pub(crate) fn now(&self) -> Instant {
        (self.clock)()
    }

    /// Leaves mail for the driver. What is bounded in number by the handles themselves is always taken.
    pub(crate) fn post(&self, mail: Mail) -> Result<(), NotSent> {
        let mut inner = self.lock();
        if let Some(ended) = &inner.ended {
            return Err(NotSent::Ended(ended.clone()));
        }
        if let Some(size) = mail.size() {
            if size > self.limit.bytes {
                return Err(NotSent::TooLarge { size, limit: self.limit.bytes });
            }
            let (messages, bytes) = inner.submissions;
            if messages >= self.limit.messages || bytes.saturating_add(size) > self.limit.bytes {
                return Err(NotSent::QueueFull);
            }
            inner.submissions = (messages + 1, bytes + size);
        }
        inner.mail.push_back(mail);
        drop(inner);
        self.waker.wake();
        Ok(())
    }

    /// Takes all mail.
    pub(crate) fn take(&self, into: &mut VecDeque<Mail>) {
        let mut inner = self.lock();
        inner.submissions = (0, 0);
        std::mem::swap(&mut inner.mail, into);
    }

    pub(crate) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    pub(crate) fn publish(&self, state: State, stats: Stats) {
        let mut inner = self.lock();
        if inner.state != state {
            inner.since = self.now();
            inner.state = state;
        }
        inner.stats = stats;
    }

    pub(crate) fn note_disconnect(&self, reason: Disconnect) {
        let now = self.now();
        self.lock().last_disconnect = Some((now, reason));
    }

    /// A consumer's queue, for as long as it lives.
    pub(crate) fn watch_stream(&self, channel: String, queue: &Arc<Queue<Payload>>) {
        add(&mut self.lock().streams, (channel, Arc::downgrade(queue)), |(_, queue)| {
            queue.strong_count() > 0
        });
    }

    /// A maintained book, for as long as it lives.
    pub(crate) fn watch_book(&self, pulse: &Arc<Pulse>) {
        add(&mut self.lock().pulses, Arc::downgrade(pulse), |pulse| pulse.strong_count() > 0);
    }

    pub(crate) fn health(&self, limiter: &Limiter) -> Health {
        let at = self.now();
        let credits = limiter.credits(at);
        let inner = self.lock();
        let streams = inner.streams.iter().filter_map(|(channel, queue)| {
            let (channel, queue) = (channel.clone(), queue.upgrade()?);
            let (waiting, capacity, dropped) = (queue.len(), queue.capacity(), queue.dropped());
            Some(Backlog { channel, waiting, capacity, dropped })
        });
        let books = inner.pulses.iter().filter_map(|pulse| Some(pulse.upgrade()?.health(at)));
        let mut stats = inner.stats.clone();
        stats.waiting += inner.submissions.0;
        Health {
            at,
            state: inner.state.clone(),
            since: inner.since,
            stats,
            last_disconnect: inner.last_disconnect.clone(),
            outbound_limit: self.limit.messages,
            credits,
            streams: streams.collect(),
            dropped: self.dropped.load(Ordering::Relaxed),
            books: books.collect(),
        }
    }

    /// No more mail is taken. What had come is returned.
    pub(crate) fn close(&self, ended: Ended) -> VecDeque<Mail> {
        let mut inner = self.lock();
        inner.since = self.now();
        inner.state = State::Ended(ended.clone());
        inner.ended = Some(ended);
        let mail = std::mem::take(&mut inner.mail);
        drop(inner);
        self.undress();
        mail
    }

    /// Keeps something until the end. After that it goes at once.
    pub(crate) fn dress(&self, badge: Badge) -> Result<(), Ended> {
        let mut inner = self.lock();
        if let Some(ended) = inner.ended.clone() {
            // What it does when it is dropped may need the lock.
            drop(inner);
            drop(badge);
            return Err(ended);
        }
        inner.badges.push(badge);
        Ok(())
    }

    /// Drops what was kept.
    pub(crate) fn undress(&self) {
        let badges = std::mem::take(&mut self.lock().badges);
        drop(badges);
    }

    pub(crate) fn state(&self) -> State {
        self.lock().state.clone()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats.clone()
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        self.lock().ended.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// Adds to a list whose entries die without a word: before it would grow, the dead are taken out.
pub(crate) fn add<T>(list: &mut Vec<T>, item: T, is_alive: impl FnMut(&T) -> bool) {
    if list.len() == list.capacity() {
        list.retain(is_alive);
    }
    list.push(item);
}
