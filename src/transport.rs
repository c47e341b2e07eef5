//! What the core asks of a platform: a clock, a timer, entropy, and sockets.
//!
//! Two implementations live in `platform/`; `testing` is a third, on virtual time.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use crate::config::{Config, Url};
use crate::error::{ConnectError, Disconnect, Phase};
use crate::frame::Frame;
use crate::time::Instant;

/// A runtime and its way to make WebSocket connections.
///
/// Nothing here is `Send`: a [`Driver`](crate::Driver) is `Send` when its platform's types are.
pub trait Platform: Unpin {
    /// An open WebSocket.
    type Socket: Socket;
    /// An attempt to open one. Dropping it abandons the attempt.
    type Connecting: Future<Output = Result<Self::Socket, ConnectError>>;

    /// Whether sockets can send pings. A browser's cannot; there the protocol's own probe is asked instead.
    const PINGS: bool;

    /// The time on the platform's monotonic clock.
    fn now(&self) -> Instant;

    /// The same clock, to be read by those who hold a [`Client`](crate::Client).
    fn clock(&self) -> Clock;

    /// Entropy for jitter and ping payloads, different for each client.
    fn seed(&self) -> u64;

    /// Starts an attempt. The deadline for it is the session's affair.
    fn connect(&self, attempt: Attempt) -> Self::Connecting;

    /// Ready once `deadline` has come; otherwise the task is woken then. Only the last deadline asked for counts.
    fn poll_sleep(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()>;

    /// What the platform notices about the network or the page. Natively nothing.
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Signal> {
        let _ = cx;
        Poll::Pending
    }
}

/// Reads a platform's clock, from any thread.
pub type Clock = Arc<dyn Fn() -> Instant + Send + Sync>;

/// An open WebSocket: frames in, frames out. Dropping it closes the connection at once, without a close frame.
///
/// When the connection breaks, what the peer said last is still to be read, its close frame above all. So a socket may
/// let [`poll_ready`](Self::poll_ready) and [`poll_flush`](Self::poll_flush) wait instead of failing, and report the
/// failure by [`poll_receive`](Self::poll_receive), after everything that can be read; it is polled in every round.
pub trait Socket: Unpin {
    /// The next frame, or why there will be none. Pings are answered by the socket itself.
    ///
    /// # Errors
    /// Why the connection ended. It is not polled again after that.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Disconnect>>;

    /// Whether one more frame may be given to [`send`](Self::send).
    ///
    /// # Errors
    /// Why the connection ended.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnect>>;

    /// Takes one frame to be sent. After a close frame nothing else may be sent.
    ///
    /// # Errors
    /// Why the connection ended.
    fn send(&mut self, frame: Frame) -> Result<(), Disconnect>;

    /// Moves what was taken towards the wire.
    ///
    /// # Errors
    /// Why the connection ended.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnect>>;
}

/// What an attempt to connect needs to know.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The URL, from the configuration or its provider.
    pub url: Url,
    /// Headers, subprotocols, limits and sizes.
    pub config: Arc<Config>,
    /// Where the platform notes how far it came, so that a timeout can name it.
    pub progress: Progress,
}

/// How far an attempt came. Clones share the same note.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU8>);

impl Progress {
    /// Notes that `phase` begins.
    pub fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    /// The phase that began last.
    pub fn phase(&self) -> Phase {
        const PHASES: [Phase; 7] = [
            Phase::Endpoint,
            Phase::Dns,
            Phase::Tcp,
            Phase::Tls,
            Phase::Upgrade,
            Phase::Browser,
            Phase::Proxy,
        ];
        let noted = usize::from(self.0.load(Ordering::Relaxed));
        PHASES.get(noted).copied().unwrap_or(Phase::Endpoint)
    }
}

/// What a platform notices besides frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Signal {
    /// The machine lost its network: attempts wait, and an open connection is asked for a sign of life.
    Offline,
    /// The network is back: the next attempt is made at once.
    Online,
    /// The page is visible again or was thawed: the next attempt is made at once, an open connection is asked.
    Visible,
}
