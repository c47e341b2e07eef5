//! The simulated network and its clock: what is on its way, when it arrives, and what goes wrong.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::Duration;

use crate::error::{ConnectError, Disconnect};
use crate::frame::Frame;
use crate::time::Instant;
use crate::transport::Signal;

/// A connection, or an attempt to make one: they are numbered from zero in the order in which they begin.
pub type ConnId = usize;

pub(super) enum Happening {
    Dialled(ConnId),
    ToClient(ConnId, Result<Frame, Disconnect>),
    ToVenue(ConnId, Frame),
    Gone(ConnId),
    Alarm(u64),
    Wake(Rc<Cell<bool>>, Waker),
}

/// What venue and platform can do to the network.
pub struct Net {
    pub(super) now: Instant,
    /// The same, for clients' handles.
    pub(super) clock: Arc<AtomicU64>,
    sequence: u64,
    pub(super) happenings: BTreeMap<(Instant, u64), Happening>,
    pub(super) conns: Vec<Conn>,
    random: u64,
    /// How long a frame travels, at least and at most; 1 ms and 5 ms unless changed.
    pub latency: (Duration, Duration),
    /// The clients' tasks do not run before: their machine sleeps.
    pub(super) frozen_until: Instant,
    /// How far the clients' clock is ahead of the network's.
    pub(super) skew: Duration,
    /// The clients' timers fire at multiples of this only, as those of a hidden page.
    pub(super) throttle: Option<Duration>,
    pub(super) signals: VecDeque<Signal>,
    pub(super) signal_waker: Option<Waker>,
    pub(super) hash: DefaultHasher,
    /// How many things were noted in the history.
    pub happened: u64,
}

#[derive(Default)]
pub(super) struct Conn {
    pub(super) dial: Option<Result<(), ConnectError>>,
    pub(super) inbox: VecDeque<Result<Frame, Disconnect>>,
    pub(super) waker: Option<Waker>,
    pub(super) write_waker: Option<Waker>,
    pub(super) arrival: [Instant; 2],
    /// Frames vanish in both directions, and nobody is told.
    pub(super) dead: bool,
    /// The venue reads nothing, so the client cannot write for ever.
    pub(super) stalled: bool,
    pub(super) over: bool,
    /// What is on its way to the venue still arrives until then, though the connection is over.
    pub(super) arrives_until: Instant,
    pub(super) in_flight: usize,
    pub(super) began: Instant,
    pub(super) opened: bool,
    /// When something last arrived at the client.
    pub(super) heard: Instant,
    /// The client let go of it.
    pub(super) left: bool,
    /// Since when the client found no room for another frame.
    pub(super) full: Option<Instant>,
}

/// A connection as an auditor sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// When the attempt began.
    pub began: Instant,
    /// Whether the server accepted it.
    pub opened: bool,
    /// When something last arrived at the client.
    pub heard: Instant,
    /// The client has let go of it.
    pub left: bool,
    /// Since when the client finds no room for another frame.
    pub full: Option<Instant>,
}

/// Far from the epoch, so that nothing works only because the clock starts at zero.
pub(super) const BEGINNING: Instant = Instant::from_nanos(1_000_000_000_000_000);

/// Frames on their way that fill the pipe.
pub(super) const PIPE: usize = 16;

impl Net {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now: BEGINNING,
            clock: Arc::new(AtomicU64::new(BEGINNING.as_nanos())),
            sequence: 0,
            happenings: BTreeMap::new(),
            conns: Vec::new(),
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            latency: (Duration::from_millis(1), Duration::from_millis(5)),
            frozen_until: Instant::ZERO,
            skew: Duration::ZERO,
            throttle: None,
            signals: VecDeque::new(),
            signal_waker: None,
            hash: DefaultHasher::new(),
            happened: 0,
        }
    }

    /// The network's time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The next of the world's random numbers, which its seed decides.
    pub fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// Whether a thing of `one_in` chances happens.
    pub fn chance(&mut self, one_in: u64) -> bool {
        self.random().is_multiple_of(one_in)
    }

    /// A random duration, from `low` to `high`.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let span = (high - low).as_nanos() as u64;
        low + Duration::from_nanos(self.random() % (span + 1))
    }

    /// Notes something in the history.
    pub fn note(&mut self, what: impl Hash) {
        self.happened += 1;
        (self.now, what).hash(&mut self.hash);
    }

    /// Calls [`Venue::tick`](super::Venue::tick) with `token` after this long.
    pub fn alarm(&mut self, after: Duration, token: u64) {
        self.schedule(self.now + after, Happening::Alarm(token));
    }

    /// Sends a frame to the client, in order.
    pub fn send(&mut self, conn: ConnId, frame: Frame) {
        self.deliver(conn, Ok(frame));
    }

    /// Sends a text message to the client, in order.
    pub fn send_text(&mut self, conn: ConnId, text: impl Into<String>) {
        self.send(conn, Frame::Message(text.into().into()));
    }

    /// Ends the connection after what was sent to the client: it sees a connection that dropped, for the reason `how`.
    pub fn end(&mut self, conn: ConnId, how: &str) {
        self.deliver(conn, Err(Disconnect::Dropped(how.into())));
        self.conns[conn].over = true;
    }

    /// Drops everything in both directions from now on, what is on its way included, and tells nobody: a cable that was
    /// pulled.
    pub fn kill(&mut self, conn: ConnId) {
        self.conns[conn].dead = true;
    }

    /// Takes nothing more from the client, and leaves the other direction alone.
    pub fn stall(&mut self, conn: ConnId) {
        self.conns[conn].stalled = true;
    }

    /// Ends the connection at once: nothing that is on its way to the client arrives, and some of what is on its way
    /// to the venue does.
    pub fn reset(&mut self, conn: ConnId) {
        if self.is_open(conn) {
            let (low, high) = self.latency;
            let (at, until) = (self.now + low, self.now + self.between(Duration::ZERO, high));
            let end = Happening::ToClient(conn, Err(Disconnect::Dropped("reset".into())));
            self.schedule(at, end);
            self.conns[conn].over = true;
            self.conns[conn].arrives_until = until;
        }
    }

    /// The clients' clock.
    pub fn clock(&self) -> Instant {
        self.now + self.skew
    }

    /// The clients' clock leaps ahead.
    pub fn jump(&mut self, by: Duration) {
        self.skew += by;
        self.set_clock(self.now);
        // Timers look at the clock again.
        let timers = self.happenings.values().filter_map(|happening| match happening {
            Happening::Wake(armed, waker) => Some((armed.clone(), waker.clone())),
            _ => None,
        });
        for (armed, waker) in timers.collect::<Vec<_>>() {
            self.schedule(self.now, Happening::Wake(armed, waker));
        }
    }

    /// From now on the clients' timers fire at multiples of `every` only, as those of a hidden page.
    pub fn throttle(&mut self, every: Option<Duration>) {
        self.throttle = every;
    }

    /// Every attempt to connect and what became of it, oldest first.
    pub fn sights(&self) -> impl DoubleEndedIterator<Item = Sight> {
        self.conns.iter().map(|conn| Sight {
            began: conn.began,
            opened: conn.opened,
            heard: conn.heard,
            left: conn.left,
            full: conn.full,
        })
    }

    /// Whether [`stall`](Self::stall) was called.
    pub fn is_stalled(&self, conn: ConnId) -> bool {
        self.conns[conn].stalled
    }

    /// Whether frames still travel on it.
    pub fn is_open(&self, conn: ConnId) -> bool {
        self.conns.get(conn).is_some_and(|conn| !conn.over && !conn.dead)
    }

    /// How many attempts to connect there were; the newest has this number less one.
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

    /// What a browser tells its clients: see [`Signal`].
    pub fn signal(&mut self, signal: Signal) {
        self.signals.push_back(signal);
        if let Some(waker) = self.signal_waker.take() {
            waker.wake();
        }
    }

    fn deliver(&mut self, conn: ConnId, what: Result<Frame, Disconnect>) {
        if self.is_open(conn) {
            let at = self.arrival(conn, 0);
            self.schedule(at, Happening::ToClient(conn, what));
        }
    }

    /// When something sent now arrives: never before what was sent before it.
    pub(super) fn arrival(&mut self, conn: ConnId, direction: usize) -> Instant {
        let (low, high) = self.latency;
        let at = (self.now + self.between(low, high)).max(self.conns[conn].arrival[direction]);
        self.conns[conn].arrival[direction] = at;
        at
    }

    pub(super) fn set_clock(&mut self, now: Instant) {
        self.now = now;
        self.clock.store(self.clock().as_nanos(), Ordering::Relaxed);
    }

    pub(super) fn schedule(&mut self, at: Instant, happening: Happening) {
        self.sequence += 1;
        self.happenings.insert((at, self.sequence), happening);
    }
}
