//! A clock, a network and an executor in one thread. The same seed gives the same history.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::executor::{LocalPool, LocalSpawner};
use futures::task::LocalSpawnExt;
use steadysocket::error::{ConnectError, Disconnect, Ended};
use steadysocket::time::Instant;
use steadysocket::transport::{Attempt, Clock, Platform, Signal, Socket};
use steadysocket::{Client, Config, Frame, Protocol};

pub type ConnId = usize;

/// The far side of the network.
pub trait Venue {
    /// Somebody connects.
    fn dial(&mut self, net: &mut Net, conn: ConnId) -> Dial;
    /// The connection is open.
    fn opened(&mut self, net: &mut Net, conn: ConnId);
    /// A frame arrived from the client.
    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame);
    /// The client's side is gone.
    fn gone(&mut self, net: &mut Net, conn: ConnId);
    /// A time that was asked for by [`Net::alarm`] has come.
    fn tick(&mut self, net: &mut Net, token: u64);
    /// The client gave a frame to its socket. The venue has no part in it; whoever audits the client does.
    fn sent(&mut self, net: &mut Net, conn: ConnId, frame: &Frame) {
        let _ = (net, conn, frame);
    }
    /// The client begins an attempt, in the same way.
    fn dialling(&mut self, net: &mut Net, conn: ConnId) {
        let _ = (net, conn);
    }
}

/// What happens to an attempt to connect.
pub enum Dial {
    Accept,
    Fail(ConnectError),
    /// No answer, ever.
    Hang,
}

enum Happening {
    Dialled(ConnId),
    ToClient(ConnId, Result<Frame, Disconnect>),
    ToVenue(ConnId, Frame),
    Gone(ConnId),
    Alarm(u64),
    Wake(Rc<Cell<bool>>, Waker),
}

/// What venue and platform can do to the network.
pub struct Net {
    now: Instant,
    /// The same, for clients' handles.
    clock: Arc<AtomicU64>,
    sequence: u64,
    happenings: BTreeMap<(Instant, u64), Happening>,
    conns: Vec<Conn>,
    random: u64,
    /// How long a frame travels, at least and at most.
    pub latency: (Duration, Duration),
    /// The clients' tasks do not run before: their machine sleeps.
    frozen_until: Instant,
    /// How far the clients' clock is ahead of the network's.
    skew: Duration,
    /// The clients' timers fire at multiples of this only, as those of a hidden page.
    throttle: Option<Duration>,
    signals: VecDeque<Signal>,
    signal_waker: Option<Waker>,
    hash: DefaultHasher,
    pub happened: u64,
}

#[derive(Default)]
struct Conn {
    dial: Option<Result<(), ConnectError>>,
    inbox: VecDeque<Result<Frame, Disconnect>>,
    waker: Option<Waker>,
    write_waker: Option<Waker>,
    arrival: [Instant; 2],
    /// Frames vanish in both directions, and nobody is told.
    dead: bool,
    /// The venue reads nothing, so the client cannot write for ever.
    stalled: bool,
    over: bool,
    /// What is on its way to the venue still arrives until then, though the connection is over.
    arrives_until: Instant,
    in_flight: usize,
    began: Instant,
    opened: bool,
    /// When something last arrived at the client.
    heard: Instant,
    /// The client let go of it.
    left: bool,
    /// Since when the client found no room for another frame.
    full: Option<Instant>,
}

/// A connection as an auditor sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    pub began: Instant,
    pub opened: bool,
    pub heard: Instant,
    /// The client has let go of it.
    pub left: bool,
    /// Since when the client finds no room for another frame.
    pub full: Option<Instant>,
}

/// Far from the epoch, so that nothing works only because the clock starts at zero.
const BEGINNING: Instant = Instant::from_nanos(1_000_000_000_000_000);

/// Frames on their way that fill the pipe.
const PIPE: usize = 16;

impl Net {
    pub fn now(&self) -> Instant {
        self.now
    }

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

    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        let span = (high - low).as_nanos() as u64;
        low + Duration::from_nanos(self.random() % (span + 1))
    }

    /// Notes something in the history.
    pub fn note(&mut self, what: impl Hash) {
        self.happened += 1;
        (self.now, what).hash(&mut self.hash);
    }

    pub fn alarm(&mut self, after: Duration, token: u64) {
        self.schedule(self.now + after, Happening::Alarm(token));
    }

    /// Sends a frame to the client, in order.
    pub fn send(&mut self, conn: ConnId, frame: Frame) {
        self.deliver(conn, Ok(frame));
    }

    pub fn send_text(&mut self, conn: ConnId, text: impl Into<String>) {
        self.send(conn, Frame::Message(text.into().into()));
    }

    /// Ends the connection after what was sent.
    pub fn end(&mut self, conn: ConnId, how: &str) {
        self.deliver(conn, Err(Disconnect::Dropped(how.into())));
        self.conns[conn].over = true;
    }

    /// Drops everything in both directions from now on, what is on its way included.
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

    /// From now on the clients' timers fire at multiples of `every` only.
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

    pub fn is_stalled(&self, conn: ConnId) -> bool {
        self.conns[conn].stalled
    }

    pub fn is_open(&self, conn: ConnId) -> bool {
        self.conns.get(conn).is_some_and(|conn| !conn.over && !conn.dead)
    }

    /// How many attempts to connect there were; the newest has this number less one.
    pub fn connections(&self) -> usize {
        self.conns.len()
    }

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
    fn arrival(&mut self, conn: ConnId, direction: usize) -> Instant {
        let (low, high) = self.latency;
        let at = (self.now + self.between(low, high)).max(self.conns[conn].arrival[direction]);
        self.conns[conn].arrival[direction] = at;
        at
    }

    fn set_clock(&mut self, now: Instant) {
        self.now = now;
        self.clock.store(self.clock().as_nanos(), Ordering::Relaxed);
    }

    fn schedule(&mut self, at: Instant, happening: Happening) {
        self.sequence += 1;
        self.happenings.insert((at, self.sequence), happening);
    }
}

/// Handle to the whole.
#[derive(Clone)]
pub struct World {
    net: Rc<RefCell<Net>>,
    venue: Rc<RefCell<Box<dyn Venue>>>,
    pool: Rc<RefCell<LocalPool>>,
    spawner: LocalSpawner,
}

impl World {
    pub fn new(seed: u64, venue: impl Venue + 'static) -> Self {
        let net = Net {
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
        };
        let pool = LocalPool::new();
        Self {
            net: Rc::new(RefCell::new(net)),
            venue: Rc::new(RefCell::new(Box::new(venue))),
            spawner: pool.spawner(),
            pool: Rc::new(RefCell::new(pool)),
        }
    }

    /// A client of this world, whose driver runs in it.
    pub fn client<P: Protocol + 'static>(&self, config: Config, protocol: P) -> Client {
        self.client_on(config, protocol, SimPlatform::<true>::new(self))
    }

    /// The same on a platform that cannot ping, as a browser.
    pub fn pingless_client<P: Protocol + 'static>(&self, config: Config, protocol: P) -> Client {
        self.client_on(config, protocol, SimPlatform::<false>::new(self))
    }

    fn client_on<P: Protocol + 'static>(
        &self,
        config: Config,
        protocol: P,
        platform: impl Platform + 'static,
    ) -> Client {
        let (client, driver) = Client::with_platform(config, protocol, platform).unwrap();
        self.spawn(async move {
            let _: Ended = driver.await;
        });
        client
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.spawner.spawn_local(task).unwrap();
    }

    pub fn net<R>(&self, with: impl FnOnce(&mut Net) -> R) -> R {
        with(&mut self.net.borrow_mut())
    }

    pub fn now(&self) -> Instant {
        self.net.borrow().now
    }

    /// The history so far, as one number.
    pub fn history(&self) -> u64 {
        self.net.borrow().hash.finish()
    }

    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + use<> {
        let (world, deadline) = (self.clone(), self.now() + duration);
        let mut sleep = Sleep::default();
        std::future::poll_fn(move |cx| sleep.poll(&mut world.net.borrow_mut(), cx, deadline))
    }

    /// Runs a task to its end, and fails when it has not come there within an hour of virtual time.
    pub fn run<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> T {
        let result = Rc::new(RefCell::new(None));
        let into = result.clone();
        self.spawn(async move { *into.borrow_mut() = Some(task.await) });
        let end = self.now() + Duration::from_secs(3600);
        loop {
            self.pool.borrow_mut().run_until_stalled();
            if let Some(result) = result.borrow_mut().take() {
                return result;
            }
            assert!(self.now() < end && self.step(), "the task waits for something that never comes");
        }
    }

    /// Drops every task: they hold this world, and it holds them.
    pub fn end(&self) {
        let tasks = std::mem::take(&mut *self.pool.borrow_mut());
        drop(tasks);
    }

    /// Lets time pass.
    pub fn run_for(&self, duration: Duration) {
        let end = self.now() + duration;
        loop {
            self.pool.borrow_mut().run_until_stalled();
            let next = self.net.borrow().happenings.first_key_value().map(|((at, _), _)| *at);
            if next.is_none_or(|at| at > end) {
                break;
            }
            self.step();
        }
        self.net.borrow_mut().set_clock(end);
    }

    /// Lets the next thing happen, and everybody act on it.
    pub fn advance(&self) {
        self.step();
        self.pool.borrow_mut().run_until_stalled();
    }

    /// Lets time pass, and looks after everything that happens; what is found ends it.
    pub fn watch<T>(&self, duration: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let end = self.now() + duration;
        loop {
            self.pool.borrow_mut().run_until_stalled();
            if let Some(found) = look() {
                return Some(found);
            }
            let next = self.net.borrow().happenings.first_key_value().map(|((at, _), _)| *at);
            if next.is_none_or(|at| at > end) {
                self.net.borrow_mut().set_clock(end);
                return None;
            }
            self.step();
        }
    }

    /// The clients' tasks do not run for this long, as when a machine sleeps; the network goes on.
    pub fn freeze(&self, duration: Duration) {
        let mut net = self.net.borrow_mut();
        net.frozen_until = net.now + duration;
    }

    /// Makes the next thing happen; whether there was one.
    fn step(&self) -> bool {
        let mut net = self.net.borrow_mut();
        let Some(((at, sequence), happening)) = net.happenings.pop_first() else { return false };
        let now = net.now.max(at);
        net.set_clock(now);
        let thaw = net.frozen_until;
        let frozen = at < thaw;
        match happening {
            // A sleeping machine notices nothing; its kernel receives what comes.
            Happening::Wake(..) | Happening::Dialled(_) if frozen => {
                net.happenings.insert((thaw, sequence), happening);
            }
            Happening::Wake(armed, waker) => {
                if armed.get() {
                    drop(net);
                    waker.wake();
                }
            }
            Happening::ToClient(id, what) => {
                let now = net.now;
                let conn = &mut net.conns[id];
                if !conn.dead {
                    conn.heard = now;
                    conn.inbox.push_back(what);
                    let waker = conn.waker.take();
                    if let Some(waker) = waker {
                        if frozen {
                            net.schedule(thaw, Happening::Wake(Rc::new(Cell::new(true)), waker));
                        } else {
                            drop(net);
                            waker.wake();
                        }
                    }
                }
            }
            Happening::Dialled(id) => {
                let answer = self.venue.borrow_mut().dial(&mut net, id);
                let now = net.now;
                let conn = &mut net.conns[id];
                let open = matches!(answer, Dial::Accept);
                (conn.opened, conn.heard) = (open, now);
                match answer {
                    Dial::Accept => conn.dial = Some(Ok(())),
                    Dial::Fail(error) => conn.dial = Some(Err(error)),
                    Dial::Hang => {}
                }
                let waker = conn.waker.take();
                if open && !conn.over {
                    self.venue.borrow_mut().opened(&mut net, id);
                }
                drop(net);
                waker.into_iter().for_each(Waker::wake);
            }
            Happening::ToVenue(id, frame) => {
                let now = net.now;
                let conn = &mut net.conns[id];
                conn.in_flight -= 1;
                let arrives = !conn.over || now <= conn.arrives_until;
                let (reaches, waker) = (!conn.dead && arrives, conn.write_waker.take());
                if reaches {
                    self.venue.borrow_mut().frame(&mut net, id, frame);
                }
                drop(net);
                waker.into_iter().for_each(Waker::wake);
            }
            Happening::Gone(id) => self.venue.borrow_mut().gone(&mut net, id),
            Happening::Alarm(token) => self.venue.borrow_mut().tick(&mut net, token),
        }
        true
    }
}

/// A platform of the simulated network.
pub struct SimPlatform<const PINGS: bool> {
    net: Rc<RefCell<Net>>,
    venue: Rc<RefCell<Box<dyn Venue>>>,
    sleep: Sleep,
    seed: u64,
}

impl<const PINGS: bool> SimPlatform<PINGS> {
    pub fn new(world: &World) -> Self {
        let seed = world.net(|net| net.random());
        Self { net: world.net.clone(), venue: world.venue.clone(), sleep: Sleep::default(), seed }
    }
}

impl<const PINGS: bool> Platform for SimPlatform<PINGS> {
    type Socket = SimSocket;
    type Connecting = Pin<Box<dyn Future<Output = Result<SimSocket, ConnectError>>>>;

    const PINGS: bool = PINGS;

    fn now(&self) -> Instant {
        self.net.borrow().clock()
    }

    fn clock(&self) -> Clock {
        let clock = self.net.borrow().clock.clone();
        Arc::new(move || Instant::from_nanos(clock.load(Ordering::Relaxed)))
    }

    fn seed(&self) -> u64 {
        self.seed
    }

    fn connect(&self, attempt: Attempt) -> Self::Connecting {
        attempt.progress.enter(steadysocket::error::Phase::Upgrade);
        let mut net = self.net.borrow_mut();
        let (id, began) = (net.conns.len(), net.now);
        net.conns.push(Conn { began, heard: began, ..Conn::default() });
        net.note(("dial", id));
        self.venue.borrow_mut().dialling(&mut net, id);
        let at = net.arrival(id, 1);
        net.schedule(at, Happening::Dialled(id));
        // Abandoning the attempt closes the socket too.
        let socket = SimSocket { net: self.net.clone(), venue: self.venue.clone(), id };
        Box::pin(async move {
            std::future::poll_fn(|cx| {
                let mut net = socket.net.borrow_mut();
                let conn = &mut net.conns[socket.id];
                conn.waker = Some(cx.waker().clone());
                conn.dial.take().map_or(Poll::Pending, Poll::Ready)
            })
            .await?;
            Ok(socket)
        })
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let mut net = self.net.borrow_mut();
        if net.clock() >= deadline {
            return Poll::Ready(());
        }
        let mut at = deadline - net.skew;
        if let Some(every) = net.throttle {
            at = Instant::from_nanos(at.as_nanos().next_multiple_of(every.as_nanos() as u64));
        }
        self.sleep.poll(&mut net, cx, at)
    }

    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        let mut net = self.net.borrow_mut();
        net.signal_waker = Some(cx.waker().clone());
        net.signals.pop_front().map_or(Poll::Pending, Poll::Ready)
    }
}

#[derive(Default)]
struct Sleep {
    armed: Option<(Instant, Rc<Cell<bool>>)>,
}

impl Sleep {
    /// Waits until this time of the network's clock.
    fn poll(&mut self, net: &mut Net, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if net.now >= deadline {
            return Poll::Ready(());
        }
        if self.armed.as_ref().is_none_or(|(at, _)| *at != deadline) {
            if let Some((_, armed)) = self.armed.take() {
                armed.set(false);
            }
            let armed = Rc::new(Cell::new(true));
            net.schedule(deadline, Happening::Wake(armed.clone(), cx.waker().clone()));
            self.armed = Some((deadline, armed));
        }
        Poll::Pending
    }
}

pub struct SimSocket {
    net: Rc<RefCell<Net>>,
    venue: Rc<RefCell<Box<dyn Venue>>>,
    id: ConnId,
}

impl Socket for SimSocket {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Disconnect>> {
        let mut net = self.net.borrow_mut();
        let conn = &mut net.conns[self.id];
        let Some(what) = conn.inbox.pop_front() else {
            conn.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        // As transports do.
        if let Ok(Frame::Ping(payload)) = &what {
            let payload = payload.clone();
            drop(net);
            let _ = self.send(Frame::Pong(payload));
        }
        Poll::Ready(what)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        let mut net = self.net.borrow_mut();
        let now = net.now;
        let conn = &mut net.conns[self.id];
        if conn.in_flight < PIPE {
            conn.full = None;
            return Poll::Ready(Ok(()));
        }
        conn.full.get_or_insert(now);
        conn.write_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn send(&mut self, frame: Frame) -> Result<(), Disconnect> {
        let mut net = self.net.borrow_mut();
        self.venue.borrow_mut().sent(&mut net, self.id, &frame);
        net.conns[self.id].in_flight += 1;
        if !net.conns[self.id].stalled {
            let text = match &frame {
                Frame::Message(message) => message.as_bytes().to_vec(),
                other => format!("{other:?}").into_bytes(),
            };
            net.note(("sent", self.id, text));
            let at = net.arrival(self.id, 1);
            net.schedule(at, Happening::ToVenue(self.id, frame));
        }
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        // A world that is torn down while a venue runs needs no word of it.
        let Ok(mut net) = self.net.try_borrow_mut() else { return };
        let at = net.arrival(self.id, 1);
        let conn = &mut net.conns[self.id];
        (conn.over, conn.left) = (true, true);
        conn.inbox.clear();
        net.schedule(at, Happening::Gone(self.id));
    }
}
