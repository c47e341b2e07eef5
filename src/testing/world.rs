//! The executor that runs tasks and time in one thread.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::hash::Hasher;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use futures::executor::{LocalPool, LocalSpawner};
use futures::task::LocalSpawnExt;

use super::net::{Happening, Net};
use super::platform::{SimPlatform, Sleep};
use super::venue::{Dial, Venue};
use crate::client::Client;
use crate::config::Config;
use crate::error::Ended;
use crate::protocol::Protocol;
use crate::time::Instant;
use crate::transport::Platform;

/// A clock, a network, a server, and the tasks that live there. Clones are handles to the same world.
#[derive(Clone)]
pub struct World {
    pub(super) net: Rc<RefCell<Net>>,
    pub(super) venue: Rc<RefCell<Box<dyn Venue>>>,
    pool: Rc<RefCell<LocalPool>>,
    spawner: LocalSpawner,
}

impl World {
    /// A world whose server is `venue`. The seed decides latencies, jitter and [`Net::random`].
    pub fn new(seed: u64, venue: impl Venue + 'static) -> Self {
        let pool = LocalPool::new();
        Self {
            net: Rc::new(RefCell::new(Net::new(seed))),
            venue: Rc::new(RefCell::new(Box::new(venue))),
            spawner: pool.spawner(),
            pool: Rc::new(RefCell::new(pool)),
        }
    }

    /// A client of this world, whose driver runs in it; any URL will do. For a venue's own handle, such as
    /// [`Deribit`](crate::deribit::Deribit), give a [`SimPlatform`] to its `with_platform` and [`spawn`](Self::spawn) the driver.
    ///
    /// # Panics
    /// If the configuration cannot work.
    pub fn client<P: Protocol + 'static>(&self, config: Config, protocol: P) -> Client {
        self.client_on(config, protocol, SimPlatform::<true>::new(self))
    }

    /// The same on a platform that cannot ping, as a browser.
    ///
    /// # Panics
    /// As [`client`](Self::client).
    pub fn pingless_client<P: Protocol + 'static>(&self, config: Config, protocol: P) -> Client {
        self.client_on(config, protocol, SimPlatform::<false>::new(self))
    }

    fn client_on<P: Protocol + 'static>(
        &self,
        config: Config,
        protocol: P,
        platform: impl Platform + 'static,
    ) -> Client {
        let (client, driver) = match Client::with_platform(config, protocol, platform) {
            Ok(parts) => parts,
            Err(error) => panic!("this configuration cannot work: {error}"),
        };
        self.spawn(async move {
            let _: Ended = driver.await;
        });
        client
    }

    /// Lets a task live in this world, until it ends or the world does.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let spawned = self.spawner.spawn_local(task);
        spawned.expect("the pool lives as long as its world");
    }

    /// The network, to look at or to break. It cannot be had from within a [`Venue`]'s methods, which are given it.
    pub fn net<R>(&self, with: impl FnOnce(&mut Net) -> R) -> R {
        with(&mut self.net.borrow_mut())
    }

    /// The world's time.
    pub fn now(&self) -> Instant {
        self.net.borrow().now
    }

    /// The history so far, as one number.
    pub fn history(&self) -> u64 {
        self.net.borrow().hash.finish()
    }

    /// Ends after this long of virtual time.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + use<> {
        let (world, deadline) = (self.clone(), self.now() + duration);
        let mut sleep = Sleep::default();
        std::future::poll_fn(move |cx| sleep.poll(&mut world.net.borrow_mut(), cx, deadline))
    }

    /// Runs a task to its end.
    ///
    /// # Panics
    /// When it has not come there within an hour of virtual time, or nothing is left that could wake it.
    #[track_caller]
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
