//! What is left at the end of a poll: a connection may fail in any step of any round, a flood may use a whole poll up.

use std::cell::Cell;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::task::noop_waker_ref;
use steadysocket::config::Backoff;
use steadysocket::error::{ConnectError, Disconnect, Ended, Error};
use steadysocket::time::Instant;
use steadysocket::transport::{Attempt, Clock, Platform, Socket};
use steadysocket::{Client, Config, Event, Frame, JsonRpc, State};

use crate::test;

/// Its sockets talk in every round and break when they are asked for room so many times.
struct Brittle(usize);

struct BrittleSocket {
    left: usize,
    talked: bool,
}

/// When everything here happens.
const ONE_SECOND: Instant = Instant::from_nanos(1_000_000_000);

impl Platform for Brittle {
    type Socket = BrittleSocket;
    type Connecting = Ready<Result<BrittleSocket, ConnectError>>;

    const PINGS: bool = true;

    fn now(&self) -> Instant {
        ONE_SECOND
    }

    fn clock(&self) -> Clock {
        Arc::new(|| ONE_SECOND)
    }

    fn seed(&self) -> u64 {
        1
    }

    fn connect(&self, _: Attempt) -> Self::Connecting {
        ready(Ok(BrittleSocket { left: self.0, talked: false }))
    }

    fn poll_sleep(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

impl Socket for BrittleSocket {
    fn poll_receive(&mut self, _: &mut Context<'_>) -> Poll<Result<Frame, Disconnect>> {
        self.talked = !self.talked;
        if self.talked { Poll::Ready(Ok(Frame::Pong(Default::default()))) } else { Poll::Pending }
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => return Poll::Ready(Err(Disconnect::Dropped("brittle".into()))),
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, _: Frame) -> Result<(), Disconnect> {
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn everybody_hears_of_the_end_whenever_it_comes() {
    for left in 0..40 {
        let backoff = Backoff { max_attempts: Some(1), ..Backoff::default() };
        let config = Config::new("wss://example.com/").unwrap().backoff(backoff);
        let (client, mut driver) = Client::with_platform(config, JsonRpc::new(), Brittle(left)).unwrap();
        let mut events = client.events();
        let mut call = Box::pin(client.call::<u64>("add", [1]));
        assert!(call.as_mut().now_or_never().is_none());
        let mut cx = Context::from_waker(noop_waker_ref());
        let ended = loop {
            if let Poll::Ready(ended) = driver.poll_unpin(&mut cx) {
                break ended;
            }
        };
        assert!(matches!(ended, Ended::AttemptsExhausted(_)), "{left}: {ended:?}");
        let outcome = call.now_or_never().expect("settled");
        let told = matches!(
            &outcome,
            Err(Error::Unknown(steadysocket::error::Unknown::Disconnected(_)))
                | Err(Error::NotSent(steadysocket::error::NotSent::Disconnected(_)))
        );
        assert!(told, "{left}: {outcome:?}");
        let mut last = None;
        while let Some(Some(update)) = events.next().now_or_never() {
            last = update.data().or(last);
        }
        assert_eq!(last, Some(Event::State(State::Ended(ended))), "{left}");
    }
}

/// Its one socket has a frame at every look, and shares a ration of looks and writes that the runtime gives to each
/// poll, as tokio does.
#[derive(Clone, Default)]
struct Rationed(Rc<Ration>);

#[derive(Default)]
struct Ration {
    left: Cell<usize>,
    taken: Cell<usize>,
    written: Cell<usize>,
}

impl Ration {
    fn take(&self) -> Poll<()> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Poll::Ready(())
            }
            None => Poll::Pending,
        }
    }
}

impl Platform for Rationed {
    type Socket = Self;
    type Connecting = Ready<Result<Self, ConnectError>>;

    const PINGS: bool = true;

    fn now(&self) -> Instant {
        ONE_SECOND
    }

    fn clock(&self) -> Clock {
        Arc::new(|| ONE_SECOND)
    }

    fn seed(&self) -> u64 {
        1
    }

    fn connect(&self, _: Attempt) -> Self::Connecting {
        ready(Ok(self.clone()))
    }

    fn poll_sleep(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

impl Socket for Rationed {
    fn poll_receive(&mut self, _: &mut Context<'_>) -> Poll<Result<Frame, Disconnect>> {
        self.0.take().map(|()| Ok(Frame::Pong(Default::default())))
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, _: Frame) -> Result<(), Disconnect> {
        self.0.taken.set(self.0.taken.get() + 1);
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        if self.0.written.get() < self.0.taken.get() {
            return self.0.take().map(|()| {
                self.0.written.set(self.0.taken.get());
                Ok(())
            });
        }
        Poll::Ready(Ok(()))
    }
}

#[test]
fn a_flood_does_not_use_up_what_writing_needs() {
    for ration in [16, 128, 1024] {
        let platform = Rationed::default();
        let config = Config::new("wss://example.com/").unwrap();
        let (client, mut driver) = Client::with_platform(config, JsonRpc::new(), platform.clone()).unwrap();
        let mut poll = || {
            platform.0.left.set(ration);
            assert!(driver.poll_unpin(&mut Context::from_waker(noop_waker_ref())).is_pending());
        };
        poll();
        let mut call = Box::pin(client.call::<u64>("add", [1]));
        assert!(call.as_mut().now_or_never().is_none());
        poll();
        poll();
        assert_eq!(platform.0.written.get(), 1, "with {ration} a poll");
    }
}
