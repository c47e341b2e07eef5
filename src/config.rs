//! Everything that can be set about a connection, with its unit, default, and what happens when it goes wrong.

mod address;
mod url;

use std::fmt;
use std::future::Future;
use std::time::Duration;

pub use url::Url;

use crate::error::ConfigError;
use crate::platform::{BoxFuture, MaybeSend, MaybeSync, SharedFn};
use crate::redact::{Texts, redact};
use crate::secret::Secret;
use crate::session::limiter::Limiter;
use crate::show::{Quoted, Time};
use crate::telemetry::Observed;
#[cfg(feature = "telemetry")]
use crate::telemetry::Observer;

/// How to reach a server and how to behave while connected. The same on both targets.
///
/// ```
/// # use steadysocket::Config;
/// # use std::time::Duration;
/// let config = Config::new("wss://example.com/feed")?
///     .header("Authorization", "Bearer abc")?
///     .call_timeout(Duration::from_secs(3));
/// # Ok::<(), steadysocket::error::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where to connect.
    pub endpoint: Endpoint,
    /// Headers of the upgrade request, native only. Values are never printed.
    pub headers: Vec<(String, Secret)>,
    /// Subprotocols to offer (RFC 6455 section 1.9), in order of preference.
    pub subprotocols: Vec<String>,
    /// Whether `ws://` may leave this machine. Default `false`: plain text only to loopback.
    pub allow_plaintext: bool,
    /// Time for endpoint provider, DNS, TCP, TLS and upgrade together. Default 10 s.
    pub connect_timeout: Duration,
    /// How long a close waits for the peer's close frame before the socket is dropped. Default 2 s.
    pub close_timeout: Duration,
    /// Whether the first connection is retried by the backoff too. Default `false`: `connect` reports why it failed.
    pub retry_initial_connect: bool,
    /// When to try again after a connection ended.
    pub backoff: Backoff,
    /// How a silent peer is found out, and natively one that takes nothing from us. `None` trusts TCP, which may take a
    /// quarter of an hour.
    pub heartbeat: Option<Heartbeat>,
    /// How long a call may take, waiting included, unless it says otherwise. Default 10 s.
    pub call_timeout: Duration,
    /// What a call does while there is no connection. Default: wait within its deadline.
    pub when_offline: WhenBlocked,
    /// What a call does while the rate limiter has no credits for it. Default: wait within its deadline.
    pub when_limited: WhenBlocked,
    /// Whether calls that the protocol marks idempotent are made again, within their deadline, when the connection
    /// ends before they are answered. Default `false`: every call reports its outcome at once.
    pub retry_idempotent: bool,
    /// A limiter to share with other clients of the same account. Default: the protocol's own, for this client alone.
    pub limiter: Option<Limiter>,
    /// Bound of the queue of requests and messages that wait to be sent.
    pub outbound: OutboundLimit,
    /// The largest message accepted from the server, in bytes, at most 1 GiB. Default 16 MiB. A larger one ends the connection
    /// with close code 1009, or without a code in a browser, which may not send that.
    pub max_message: usize,
    /// Bound and overflow policy of each subscription's queue, unless the subscription says otherwise.
    pub queue: Queue,
    /// Size of the buffer that the native transport reads into, in bytes, at most 16 MiB. Default 16 KiB.
    pub read_buffer: usize,
    /// What records the connection. Default: nothing does.
    #[cfg(feature = "record")]
    pub recorder: Option<crate::recorder::Recorder>,
    pub(crate) observed: Observed,
}

impl Config {
    /// A configuration with the defaults for a fixed URL.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `url`: see [`Url::parse`].
    pub fn new(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        Ok(Self::with_endpoint(Endpoint::Fixed(Url::parse(url)?)))
    }

    /// A configuration whose URL is asked for at each attempt: for tokens that expire, or a choice of hosts.
    ///
    /// An error of the provider, a URL that does not parse included, is one failed attempt; its text is shown in errors
    /// and events, so it must hold no credentials. Its time counts towards
    /// [`connect_timeout`](Self::connect_timeout).
    ///
    /// ```
    /// # use steadysocket::Config;
    /// # async fn fetch_token() -> Result<String, std::io::Error> { Ok("t".into()) }
    /// let config = Config::with_provider(|| async {
    ///     let token = fetch_token().await?;
    ///     Ok::<_, std::io::Error>(format!("wss://example.com/feed?token={token}"))
    /// });
    /// ```
    pub fn with_provider<F, T, E>(provider: F) -> Self
    where
        F: Fn() -> T + MaybeSend + MaybeSync + 'static,
        T: Future<Output = Result<String, E>> + MaybeSend + 'static,
        E: fmt::Display,
    {
        let provider: SharedFn<BoxFuture<Result<Url, String>>> = std::sync::Arc::new(move || {
            let url = provider();
            Box::pin(async move {
                let url = url.await.map_err(|error| error.to_string())?;
                Url::parse(url).map_err(|error| error.to_string())
            })
        });
        Self::with_endpoint(Endpoint::Provider(provider))
    }

    fn with_endpoint(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            headers: Vec::new(),
            subprotocols: Vec::new(),
            allow_plaintext: false,
            connect_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            retry_initial_connect: false,
            backoff: Backoff::default(),
            heartbeat: Some(Heartbeat::default()),
            call_timeout: Duration::from_secs(10),
            when_offline: WhenBlocked::Wait,
            when_limited: WhenBlocked::Wait,
            retry_idempotent: false,
            limiter: None,
            outbound: OutboundLimit::default(),
            max_message: 16 * 1024 * 1024,
            queue: Queue::default(),
            read_buffer: 16 * 1024,
            #[cfg(feature = "record")]
            recorder: None,
            observed: Observed::default(),
        }
    }

    /// Adds a header to the upgrade request. Native only: a browser cannot set headers, and connecting says so.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `header` for a name that is not a token, a value with control characters (CR and
    /// LF among them), or a name that belongs to the handshake itself.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Result<Self, ConfigError> {
        let (name, value) = (name.into(), value.into());
        check_header(&name, value.expose())?;
        self.headers.push((name, value));
        Ok(self)
    }

    /// Offers a subprotocol. The server must choose one of those offered, or none.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `subprotocol` for a name that is not a token, or that is offered already.
    pub fn subprotocol(mut self, name: impl Into<String>) -> Result<Self, ConfigError> {
        let name = name.into();
        check_subprotocol(&name, &self.subprotocols)?;
        self.subprotocols.push(name);
        Ok(self)
    }

    /// Adds somebody who is told what happens inside: see [`telemetry`](crate::telemetry). Feature `telemetry`.
    #[cfg(feature = "telemetry")]
    pub fn observer(mut self, observer: std::sync::Arc<dyn Observer>) -> Self {
        self.observed = self.observed.and(observer);
        self
    }

    /// Checks the fields that can be set freely and belong together.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the first field with a value that cannot work.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let positive = [
            ("connect_timeout", self.connect_timeout),
            ("close_timeout", self.close_timeout),
            ("call_timeout", self.call_timeout),
        ];
        for (field, duration) in positive {
            if duration.is_zero() {
                return Err(ConfigError::new(field, "must be longer than zero"));
            }
        }
        self.backoff.validate()?;
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.validate()?;
        }
        let counts = [
            ("outbound.messages", self.outbound.messages),
            ("outbound.bytes", self.outbound.bytes),
            ("max_message", self.max_message),
            ("queue.capacity", self.queue.capacity),
            ("queue.bytes", self.queue.bytes),
            ("read_buffer", self.read_buffer),
        ];
        for (field, count) in counts {
            if count == 0 {
                return Err(ConfigError::new(field, "must be at least 1"));
            }
        }
        for (field, bytes, most) in [
            ("read_buffer", self.read_buffer, MAX_READ_BUFFER),
            ("max_message", self.max_message, MAX_MESSAGE),
        ] {
            if bytes > most {
                return Err(ConfigError::new(field, format!("must be at most {most} bytes")));
            }
        }
        for (name, value) in &self.headers {
            check_header(name, value.expose())?;
        }
        for (index, name) in self.subprotocols.iter().enumerate() {
            check_subprotocol(name, &self.subprotocols[..index])?;
        }
        match &self.endpoint {
            Endpoint::Fixed(url) => self.check_plaintext(url),
            Endpoint::Provider(_) => Ok(()),
        }
    }

    /// Takes the credentials that it holds out of what others wrote.
    pub(crate) fn redact(&self, said: &mut impl Texts) {
        said.texts(&mut |text| self.redact_text(text));
    }

    /// The headers' values, whole and without a scheme such as `Bearer`, and what the fixed URL's query says.
    fn redact_text(&self, text: &mut String) {
        for (_, value) in &self.headers {
            value.redact(text);
            redact(value.expose().rsplit(' ').next().unwrap_or_default(), text);
        }
        if let Endpoint::Fixed(url) = &self.endpoint
            && let Some((_, query)) = url.as_str().split_once('?')
        {
            let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
            values.for_each(|value| redact(value, text));
        }
    }

    /// Refuses `ws://` to another machine unless that was allowed; providers are checked at each attempt.
    pub(crate) fn check_plaintext(&self, url: &Url) -> Result<(), ConfigError> {
        if url.is_loopback() || !self.must_stay(url) {
            return Ok(());
        }
        Err(ConfigError::new("url", "is ws:// to another machine; use wss:// or set allow_plaintext"))
    }

    /// Whether what goes to this URL may not leave this machine.
    pub(crate) fn must_stay(&self, url: &Url) -> bool {
        !url.is_secure() && !self.allow_plaintext
    }
}

/// One chainable setter for each field that any value of its type may take.
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty),* $(,)?) => {
        impl Config {
            $($(#[$doc])* pub fn $field(mut self, $field: $type) -> Self {
                self.$field = $field;
                self
            })*
        }
    };
}

setters! {
    /// Sets [`allow_plaintext`](Self#structfield.allow_plaintext).
    allow_plaintext: bool,
    /// Sets [`connect_timeout`](Self#structfield.connect_timeout).
    connect_timeout: Duration,
    /// Sets [`close_timeout`](Self#structfield.close_timeout).
    close_timeout: Duration,
    /// Sets [`retry_initial_connect`](Self#structfield.retry_initial_connect).
    retry_initial_connect: bool,
    /// Sets [`backoff`](Self#structfield.backoff).
    backoff: Backoff,
    /// Sets [`heartbeat`](Self#structfield.heartbeat).
    heartbeat: Option<Heartbeat>,
    /// Sets [`call_timeout`](Self#structfield.call_timeout).
    call_timeout: Duration,
    /// Sets [`when_offline`](Self#structfield.when_offline).
    when_offline: WhenBlocked,
    /// Sets [`when_limited`](Self#structfield.when_limited).
    when_limited: WhenBlocked,
    /// Sets [`retry_idempotent`](Self#structfield.retry_idempotent).
    retry_idempotent: bool,
    /// Sets [`limiter`](Self#structfield.limiter).
    limiter: Option<Limiter>,
    /// Sets [`outbound`](Self#structfield.outbound).
    outbound: OutboundLimit,
    /// Sets [`max_message`](Self#structfield.max_message).
    max_message: usize,
    /// Sets [`queue`](Self#structfield.queue).
    queue: Queue,
    /// Sets [`read_buffer`](Self#structfield.read_buffer).
    read_buffer: usize,
}

#[cfg(feature = "record")]
setters! {
    /// Sets [`recorder`](Self#structfield.recorder).
    recorder: Option<crate::recorder::Recorder>,
}

/// Where to connect.
#[derive(Clone)]
pub enum Endpoint {
    /// Always the same URL.
    Fixed(Url),
    /// Asked at each attempt.
    Provider(SharedFn<BoxFuture<Result<Url, String>>>),
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(url) => url.fmt(f),
            Self::Provider(_) => f.write_str("provider"),
        }
    }
}

/// Exponential backoff with full jitter: before attempt n a random time from zero to `base × factor^(n-1)`, at most
/// `cap`, so that many clients do not come back together.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct Backoff {
    /// Upper bound of the first delay. Default 250 ms.
    pub base: Duration,
    /// What the bound is multiplied by after each failed attempt, at least 1. Default 2.
    pub factor: u32,
    /// The largest bound. Default 30 s.
    pub cap: Duration,
    /// How many attempts in a row may fail before the client ends; `None`, the default, for no limit.
    pub max_attempts: Option<u32>,
    /// How long a connection must have been up before the count of attempts starts anew. Default 5 s. A server that
    /// accepts and closes at once is therefore met with growing delays.
    pub min_uptime: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(250),
            factor: 2,
            cap: Duration::from_secs(30),
            max_attempts: None,
            min_uptime: Duration::from_secs(5),
        }
    }
}

impl Backoff {
    fn validate(&self) -> Result<(), ConfigError> {
        if self.base.is_zero() {
            return Err(ConfigError::new("backoff.base", "must be longer than zero"));
        }
        if self.factor == 0 {
            return Err(ConfigError::new("backoff.factor", "must be at least 1"));
        }
        if self.cap < self.base {
            return Err(ConfigError::new("backoff.cap", "must not be shorter than backoff.base"));
        }
        if self.max_attempts == Some(0) {
            return Err(ConfigError::new("backoff.max_attempts", "must be at least 1"));
        }
        Ok(())
    }
}

/// How a silent peer is found out: after `idle` without a frame it is asked, by a ping or by the protocol's own probe,
/// and after `timeout` more without a sign of life the connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct Heartbeat {
    /// How long nothing may be received before the peer is asked. Default 10 s.
    pub idle: Duration,
    /// How long the peer has to answer. Default 4 s.
    pub timeout: Duration,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { idle: Duration::from_secs(10), timeout: Duration::from_secs(4) }
    }
}

impl Heartbeat {
    fn validate(&self) -> Result<(), ConfigError> {
        for (field, duration) in [("heartbeat.idle", self.idle), ("heartbeat.timeout", self.timeout)] {
            if duration < MIN_HEARTBEAT {
                return Err(ConfigError::new(field, format!("must be at least {}", Time(MIN_HEARTBEAT))));
            }
        }
        Ok(())
    }
}

/// What a request does while something is in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum WhenBlocked {
    /// It waits, at most until its deadline, and then reports that it was not sent.
    Wait,
    /// It reports at once that it was not sent.
    Refuse,
}

/// Bound of what waits to be sent. A request over it reports [`NotSent::QueueFull`](crate::error::NotSent::QueueFull).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct OutboundLimit {
    /// Number of requests and messages. Default 4096.
    pub messages: usize,
    /// Their size together, in bytes. Default 4 MiB.
    pub bytes: usize,
}

impl Default for OutboundLimit {
    fn default() -> Self {
        Self { messages: 4096, bytes: 4 * 1024 * 1024 }
    }
}

/// The queue between a connection and one consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// How many updates wait at most. Default 1024. With [`Overflow::Latest`] it is 1, whatever this says.
    pub capacity: usize,
    /// How many bytes they may hold together. Default 16 MiB. One update is taken whatever its size, within
    /// [`Config::max_message`].
    pub bytes: usize,
    /// What happens at the bound. Default: the oldest update is dropped, and the consumer is told how many were.
    pub overflow: Overflow,
}

impl Default for Queue {
    fn default() -> Self {
        Self { capacity: 1024, bytes: 16 * 1024 * 1024, overflow: Overflow::DropOldest }
    }
}

/// What a full queue does with the next update. Losses are told in order with the data by `Lagged`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Drops the oldest waiting update.
    DropOldest,
    /// Drops the new update.
    DropNewest,
    /// Keeps only the newest update: for values of which only the present one matters. What is replaced is counted
    /// in [`Subscription::dropped`](crate::Subscription::dropped) and not told as a loss.
    Latest,
    /// Ends the subscription.
    Close,
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Asking more often would burden the peer more than it could tell us.
const MIN_HEARTBEAT: Duration = Duration::from_millis(10);
/// The largest [`Config::read_buffer`].
const MAX_READ_BUFFER: usize = 16 * 1024 * 1024;
/// The largest [`Config::max_message`]: a peer can make us reserve this much.
const MAX_MESSAGE: usize = 1024 * 1024 * 1024;

fn check_subprotocol(name: &str, others: &[String]) -> Result<(), ConfigError> {
    if !is_token(name) {
        return Err(ConfigError::new("subprotocol", "is not a token of RFC 7230"));
    }
    if others.iter().any(|other| other == name) {
        return Err(ConfigError::new("subprotocol", "is offered twice"));
    }
    Ok(())
}

/// Headers that the handshake writes itself, or that would change how its bytes are read.
const RESERVED: [&str; 6] =
    ["host", "upgrade", "connection", "content-length", "transfer-encoding", "expect"];

fn check_header(name: &str, value: &str) -> Result<(), ConfigError> {
    let refuse = |problem: String| Err(ConfigError::new("header", problem));
    if !is_token(name) {
        return refuse(format!("name {} is not a token of RFC 7230", Quoted(name)));
    }
    let lower = name.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("sec-websocket-") {
        return refuse(format!("{name} belongs to the handshake"));
    }
    if value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
        return refuse(format!("the value of {name} has control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new("wss://h").unwrap()
    }

    #[test]
    fn headers_cannot_smuggle_lines_or_replace_the_handshake() {
        for (name, value) in [
            ("X-A\r\nB", "v"),
            ("", "v"),
            ("X A", "v"),
            ("X-A", "v\r\nX-B: w"),
            ("X-A", "v\nw"),
            ("X-A", "\0"),
            ("Host", "h"),
            ("Sec-WebSocket-Key", "k"),
            ("upgrade", "h2c"),
        ] {
            assert_eq!(config().header(name, value).unwrap_err().field, "header", "{name:?}: {value:?}");
        }
        assert!(config().header("Authorization", "Bearer x").is_ok());
    }

    #[test]
    fn header_values_are_not_printed() {
        let config = config().header("Authorization", "Bearer hunter2").unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        let error = config.header("X", "hunter2\n").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn validation_names_the_field() {
        let backoff = Backoff::default();
        let cases = [
            (config().connect_timeout(Duration::ZERO), "connect_timeout"),
            (config().call_timeout(Duration::ZERO), "call_timeout"),
            (config().backoff(Backoff { base: Duration::ZERO, ..backoff }), "backoff.base"),
            (config().backoff(Backoff { factor: 0, ..backoff }), "backoff.factor"),
            (config().backoff(Backoff { cap: Duration::from_millis(1), ..backoff }), "backoff.cap"),
            (config().backoff(Backoff { max_attempts: Some(0), ..backoff }), "backoff.max_attempts"),
            (
                config().heartbeat(Some(Heartbeat { idle: Duration::ZERO, ..Default::default() })),
                "heartbeat.idle",
            ),
            (config().outbound(OutboundLimit { messages: 0, bytes: 1 }), "outbound.messages"),
            (config().queue(Queue { capacity: 0, ..Default::default() }), "queue.capacity"),
            (config().max_message(0), "max_message"),
            (config().max_message(usize::MAX), "max_message"),
            (config().read_buffer(usize::MAX), "read_buffer"),
            (Config::new("ws://example.com").unwrap(), "url"),
        ];
        for (config, field) in cases {
            assert_eq!(config.validate().unwrap_err().field, field);
        }
        assert!(config().validate().is_ok());
        assert!(Config::new("ws://example.com").unwrap().allow_plaintext(true).validate().is_ok());
        assert!(Config::new("ws://127.0.0.1:1").unwrap().validate().is_ok());
    }

    #[test]
    fn subprotocols_are_tokens_and_unique() {
        assert!(config().subprotocol("graphql ws").is_err());
        let config = config().subprotocol("a").unwrap();
        assert_eq!(config.subprotocol("a").unwrap_err().field, "subprotocol");
    }
}
