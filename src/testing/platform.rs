//! A platform whose clock and sockets are those of a [`World`].

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use super::net::{Conn, ConnId, Happening, Net, PIPE};
use super::venue::Venue;
use super::world::World;
use crate::error::{ConnectError, Disconnect, Phase};
use crate::frame::Frame;
use crate::time::Instant;
use crate::transport::{Attempt, Clock, Platform, Signal, Socket};

/// A platform of the simulated network. With `PINGS` its sockets send pings, as native ones do; without, it is as a
/// browser's.
pub struct SimPlatform<const PINGS: bool> {
    net: Rc<RefCell<Net>>,
    venue: Rc<RefCell<Box<dyn Venue>>>,
    sleep: Sleep,
    seed: u64,
}

impl<const PINGS: bool> SimPlatform<PINGS> {
    /// A platform of this world, for one client.
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
        attempt.progress.enter(Phase::Upgrade);
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
pub(super) struct Sleep {
    armed: Option<(Instant, Rc<Cell<bool>>)>,
}

impl Sleep {
    /// Waits until this time of the network's clock.
    pub(super) fn poll(&mut self, net: &mut Net, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
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

/// A WebSocket of the simulated network.
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
