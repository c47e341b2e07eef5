//! The native transport: tokio, rustls with ring, and tungstenite's framing.
//!
//! The handshake is this crate's own and checks all that RFC 6455 section 4 asks for. Nagle's algorithm is off, every
//! address of a host is tried (RFC 8305), and TLS is always verified: [`Tls`] has the options.
//!
//! tungstenite writes the frames that it sends and receives to the `log` facade at level `trace`, logins included, and
//! close frames at `debug`: keep its target from both, as in `RUST_LOG=trace,tungstenite=info`.

mod connect;
mod dial;
mod inspect;
mod proxy;
#[cfg(feature = "record")]
mod record;
mod socket;
mod stream;
mod tls;
mod upgrade;
mod utf8;
mod verify;

use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant as TokioInstant, Sleep};
/// The TLS library, in the version that [`Tls::from_rustls`] takes.
pub use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

pub use self::connect::{connect, connect_with, start, supervise};
pub use self::proxy::Proxy;
#[cfg(feature = "record")]
pub use self::record::FileSink;
pub use self::socket::NativeSocket;
pub use self::tls::{Tls, TlsVersion};

use self::proxy::Proxies;
use self::stream::Stream;
use self::tls::Connector;
use super::BoxFuture;
use crate::config::{Config, Url};
use crate::error::{ConfigError, ConnectError, Phase};
use crate::time::Instant;
use crate::transport::{Attempt, Clock, Platform};

/// Connections by tokio and rustls.
///
/// It works inside a tokio runtime whose I/O and time drivers are enabled, as `#[tokio::main]` does; tokio panics
/// without them. A clone shares the TLS configuration and its session cache, and has a timer of its own.
///
/// tungstenite writes the contents of frames to the `log` crate at level `trace`. A program that enables this level
/// for `tungstenite` logs the credentials that it sends.
pub struct Native {
    connector: Arc<Connector>,
    proxies: Proxies,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Native {
    /// The default TLS options.
    pub fn new() -> Self {
        Self::with_tls(Tls::default())
    }

    /// These TLS options. What only shows when they are used, such as a machine without any trusted root, fails the
    /// first `wss://` attempt with a [`ConnectError::Config`] on field `tls`.
    pub fn with_tls(tls: Tls) -> Self {
        Self { connector: Arc::new(Connector::new(tls)), proxies: Proxies::default(), sleep: None }
    }

    /// Makes every connection through this proxy, except where [`Proxy::except`] says otherwise. Without it and
    /// [`proxy_from_env`](Self::proxy_from_env) every connection is direct, whatever the environment says.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxies = Proxies::all(proxy);
        self
    }

    /// Makes connections through the proxies that the environment names now:
    ///
    /// | for | the first that is set and not empty |
    /// | --- | --- |
    /// | `wss://` | `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY` |
    /// | `ws://` | `http_proxy` (lower case only, because CGI sets the other from a request), `all_proxy`, `ALL_PROXY` |
    /// | exceptions | `no_proxy`, `NO_PROXY`, a list as in [`Proxy::except`] |
    ///
    /// A value without a scheme is an `http://` proxy.
    ///
    /// # Errors
    /// A [`ConfigError`] whose field is the variable's name for a value that is not understood.
    pub fn proxy_from_env(mut self) -> Result<Self, ConfigError> {
        self.proxies = Proxies::from_env()?;
        Ok(self)
    }
}

impl Default for Native {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Native {
    fn clone(&self) -> Self {
        Self { connector: self.connector.clone(), proxies: self.proxies.clone(), sleep: None }
    }
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Native")
            .field("tls", self.connector.tls())
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}

impl Platform for Native {
    type Socket = NativeSocket;
    type Connecting = BoxFuture<Result<NativeSocket, ConnectError>>;

    const PINGS: bool = true;

    /// tokio's clock, so that its paused time works.
    fn now(&self) -> Instant {
        now()
    }

    fn clock(&self) -> Clock {
        Arc::new(now)
    }

    fn seed(&self) -> u64 {
        // The operating system seeds the hasher's keys once a thread and each new one differs; what is drawn from it
        // spreads clients over time and labels pings, and guards nothing.
        RandomState::new().hash_one(())
    }

    fn connect(&self, attempt: Attempt) -> Self::Connecting {
        Box::pin(open(attempt, self.connector.clone(), self.proxies.clone()))
    }

    fn poll_sleep(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if deadline <= self.now() {
            return Poll::Ready(());
        }
        let deadline = *EPOCH + deadline.since(Instant::ZERO);
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut().poll(cx)
    }
}

/// What [`Instant`]s count from. It lies before the first use, because tokio's paused clocks, one for each runtime,
/// may run ahead of one another.
static EPOCH: LazyLock<TokioInstant> = LazyLock::new(|| {
    let first_use = TokioInstant::now();
    first_use.checked_sub(Duration::from_secs(365 * 24 * 60 * 60)).unwrap_or(first_use)
});

fn now() -> Instant {
    Instant::ZERO + TokioInstant::now().saturating_duration_since(*EPOCH)
}

async fn open(
    attempt: Attempt,
    connector: Arc<Connector>,
    proxies: Proxies,
) -> Result<NativeSocket, ConnectError> {
    let Attempt { url, config, progress } = attempt;
    config.check_plaintext(&url)?;
    let mut stream = proxies.connect(&url, &config, &progress).await?;
    if url.is_secure() {
        progress.enter(Phase::Tls);
        stream = Box::new(connector.connect(url.host(), stream).await?);
    }
    progress.enter(Phase::Upgrade);
    let first = upgrade(&mut stream, &url, &config).await?;
    Ok(NativeSocket::new(stream, first, &config).await)
}

/// Makes the opening handshake; returns what came behind the response's head.
async fn upgrade(stream: &mut Box<dyn Stream>, url: &Url, config: &Config) -> Result<Vec<u8>, ConnectError> {
    let failed = |error: io::Error| tls::io_failure(&error, Phase::Upgrade);
    let key = generate_key();
    stream.write_all(&upgrade::request(url, config, &key)).await.map_err(failed)?;
    stream.flush().await.map_err(failed)?;
    let mut response = upgrade::Response::new(&key, &config.subprotocols);
    let mut piece = BytesMut::with_capacity(4096);
    loop {
        if stream.read_buf(&mut piece).await.map_err(failed)? == 0 {
            let problem = "the server closed the connection".to_owned();
            return Err(ConnectError::Io { phase: Phase::Upgrade, problem });
        }
        if let Some(first) = response.handle_bytes(&piece, wall_clock())? {
            return Ok(first);
        }
        piece.clear();
    }
}

/// The time of day: HTTP dates are in it, and the monotonic clock cannot say it.
#[allow(clippy::disallowed_methods)]
fn wall_clock() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// A driver on this platform can be spawned on any runtime.
const _: () = {
    const fn send<T: Send>() {}
    send::<Native>();
    send::<NativeSocket>();
};

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_and_the_timer_follow_tokios() {
        let mut native = Native::new();
        let start = native.now();
        assert!(start > Instant::ZERO);
        let deadline = start + Duration::from_secs(3600);
        poll_fn(|cx| native.poll_sleep(cx, deadline)).await;
        assert!(native.now() >= deadline);
        assert!(native.now() < deadline + Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_last_deadline_counts() {
        let mut native = Native::new();
        let start = native.now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for (first, last) in [(60, 1), (2, 90)] {
            let poll = poll_fn(|cx| Poll::Ready(native.poll_sleep(cx, after(first)))).await;
            assert!(poll.is_pending());
            poll_fn(|cx| native.poll_sleep(cx, after(last))).await;
            assert!(native.now() >= after(last) && native.now() < after(last) + Duration::from_millis(10));
        }
        let poll = poll_fn(|cx| Poll::Ready(native.poll_sleep(cx, start))).await;
        assert!(poll.is_ready(), "a deadline that has passed");
        let poll = poll_fn(|cx| Poll::Ready(native.poll_sleep(cx, Instant::from_nanos(u64::MAX)))).await;
        assert!(poll.is_pending(), "a deadline that no clock reaches");
    }

    #[test]
    fn seeds_differ() {
        let native = Native::new();
        assert_ne!(native.seed(), native.seed());
    }
}
