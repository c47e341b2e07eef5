//! The browser's transport: its own `WebSocket`, in a page or in a worker.
//!
//! What a browser does not offer, this cannot give: headers of the upgrade (an attempt with any fails), pings (the
//! protocol's [probe](crate::Protocol::probe) is asked instead), the HTTP status of a refused upgrade (every failure is
//! [`ConnectError::Browser`]), and close codes of our own other than 1000 and 3000–4999 (others are sent as a close
//! frame without a code).

mod connect;
mod js;
mod signals;
mod socket;
mod task;
mod text;
mod timer;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use self::signals::Signals;
use self::task::Task;
use self::timer::Timer;
use super::BoxFuture;
use crate::error::ConnectError;
use crate::time::Instant;
use crate::transport::{Attempt, Clock, Platform, Signal};

pub use self::connect::{connect, connect_with, start};
pub use self::socket::WebSocket;
pub use self::text::string_of;

/// Connections by the browser.
///
/// It notices when the page goes offline, comes back, is shown again or is thawed. A clone makes its connections in the
/// same way, and has a timer of its own.
#[derive(Default)]
pub struct Web {
    class: Option<js_sys::Function>,
    timer: Timer,
    signals: Option<Signals>,
    task: Task,
}

impl Web {
    /// The `WebSocket` of this page, worker or runtime.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another class with the interface of `WebSocket`, for runtimes without one of their own, such as Node 20.
    pub fn with_class(class: js_sys::Function) -> Self {
        Self { class: Some(class), ..Self::default() }
    }
}

impl Clone for Web {
    fn clone(&self) -> Self {
        Self { class: self.class.clone(), ..Self::default() }
    }
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web").finish_non_exhaustive()
    }
}

impl Platform for Web {
    type Socket = WebSocket;
    type Connecting = BoxFuture<Result<WebSocket, ConnectError>>;

    const PINGS: bool = false;

    fn now(&self) -> Instant {
        timer::now()
    }

    fn clock(&self) -> Clock {
        Arc::new(timer::now)
    }

    fn seed(&self) -> u64 {
        js::random()
    }

    fn connect(&self, attempt: Attempt) -> Self::Connecting {
        let (class, task) = (self.class.clone(), self.task.clone());
        Box::pin(async move { socket::open(&attempt, class.as_ref(), task)?.opened().await })
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        self.timer.poll(cx, deadline)
    }

    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        self.signals.get_or_insert_with(Signals::listen).poll(cx)
    }
}
