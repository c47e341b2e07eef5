//! Panics inside a connection, contained.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::client::Client;
use crate::config::Config;
use crate::driver::Driver;
use crate::error::{ConfigError, Disconnect, Ended};
use crate::protocol::Protocol;
use crate::time::Instant;
use crate::transport::Platform;

/// How often a connection may panic before its client gives up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// So many times. Default 5.
    pub most: usize,
    /// Within this time. Default one minute.
    pub within: Duration,
}

impl Default for Restarts {
    fn default() -> Self {
        Self { most: 5, within: Duration::from_secs(60) }
    }
}

/// Runs a connection as a [`Driver`] does, and contains panics of what runs inside it: the protocol, the endpoint
/// provider, whoever signs a login. Spawn it on the platform's executor. See [`Client::supervised`].
#[must_use = "a connection lives only while its supervisor is polled"]
pub struct Supervisor<L: Platform, P: Protocol, M> {
    driver: Driver<L, P>,
    make: M,
    restarts: Restarts,
    /// When it was started anew.
    history: VecDeque<Instant>,
}

impl Client {
    /// As [`with_platform`](Self::with_platform), for a connection that outlives a panic inside it: each time `protocol`
    /// makes another one, and everything else stays: the configuration, handles, subscriptions, feeds, counters.
    ///
    /// Calls that were under way end as [`Unknown`](crate::error::Unknown), because it is not known how far they came;
    /// none of them is made again, not even one whose answer had come and was not delivered yet. Streams tell
    /// [`Update::Interrupted`](crate::Update::Interrupted) with [`Disconnect::Panicked`], and go on after the backoff.
    /// That holds the first 200 characters of what the panic said, without the credentials of `config`: whatever else
    /// your own code says in a panic is shown.
    ///
    /// A client that panics more often than `restarts` allows, or whose `protocol` panics, ends as
    /// [`Ended::AttemptsExhausted`]; one whose first connection panics before it is ready ends as [`Ended::Refused`],
    /// unless [`Config::retry_initial_connect`] is on. No other client is touched, also none that shares its limiter.
    ///
    /// Where a panic ends the whole program at once, as in the browser, there is nothing to contain.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the first field of `config` that cannot work.
    pub fn supervised<L, P, M>(
        config: Config,
        platform: L,
        restarts: Restarts,
        mut protocol: M,
    ) -> Result<(Self, Supervisor<L, P, M>), ConfigError>
    where
        L: Platform,
        P: Protocol,
        M: FnMut() -> P,
    {
        let (client, driver) = Self::with_platform(config, protocol(), platform)?;
        Ok((client, Supervisor::new(driver, restarts, protocol)))
    }
}

impl<L: Platform, P: Protocol, M: FnMut() -> P> Supervisor<L, P, M> {
    /// Supervises a driver.
    pub fn new(driver: Driver<L, P>, restarts: Restarts, protocol: M) -> Self {
        Self { driver, make: protocol, restarts, history: VecDeque::new() }
    }

    /// Starts anew after a panic. Why not, when that cannot be.
    fn restart(&mut self, reason: Disconnect) -> Result<(), Ended> {
        let now = self.driver.now();
        self.history.retain(|at| now.since(*at) < self.restarts.within);
        if self.history.len() >= self.restarts.most {
            return Err(Ended::AttemptsExhausted(reason));
        }
        self.history.push_back(now);
        let restart = || self.driver.restart((self.make)(), &reason);
        catch_unwind(AssertUnwindSafe(restart))
            .map_err(|panic| Ended::AttemptsExhausted(self.driver.panicked(panic.as_ref())))
    }
}

impl<L: Platform, P: Protocol, M: FnMut() -> P + Unpin> Future for Supervisor<L, P, M> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let this = self.get_mut();
        // What a panic leaves half done is not looked at again: `Driver::restart` says what is kept.
        let panic = match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut this.driver).poll(cx))) {
            Ok(poll) => return poll,
            Err(panic) => panic,
        };
        let reason = this.driver.panicked(panic.as_ref());
        match this.restart(reason) {
            Ok(()) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Err(ended) => {
                this.driver.give_up(&ended);
                Poll::Ready(ended)
            }
        }
    }
}

impl<L: Platform, P: Protocol, M> fmt::Debug for Supervisor<L, P, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("restarts", &self.restarts).finish_non_exhaustive()
    }
}

/// The most that is told of what a panic said, in characters.
pub(crate) const LONGEST: usize = 200;

/// What a panic said.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a word").to_owned()
}
