//! Everything that can go wrong, by who is at fault, with what the library does about it.
//!
//! Four questions, four types:
//!
//! | question | type |
//! | --- | --- |
//! | what became of my call? | [`Error`]; in one word, [`Executed`] |
//! | why did this attempt to connect fail? | [`ConnectError`] |
//! | why did this connection end? | [`Disconnect`] |
//! | why does the client not try again? | [`Ended`] |

use std::time::Duration;

use crate::frame::{CloseCode, CloseFrame};
use crate::show::{Quoted, Time};

#[cfg(test)]
mod tests;

/// By this name it is no borrow of what it is read from.
type Word = &'static str;

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Error {
    /// The configuration or an argument cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The client ended instead of becoming live.
    #[error("could not connect: {0}")]
    Connect(Ended),
    /// The request never left this machine: it is safe to make it again.
    #[error("not sent: {0}")]
    NotSent(#[from] NotSent),
    /// The request left and no answer came: the server may have executed it.
    #[error("outcome unknown: {0}")]
    Unknown(#[from] Unknown),
    /// The server answered with an error.
    #[error(transparent)]
    Rejected(#[from] RpcError),
    /// The server did not confirm the channel.
    #[error("no subscription to {channel}: {reason}")]
    Refused {
        /// The channel that was asked for.
        channel: String,
        /// Why, as far as the server said.
        reason: Refusal,
    },
    /// The server's answer is not what the caller asked to decode it as. The call was executed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// The four categories of the specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Category {
    /// The network or the peer's machine: refused, reset, silent, closed.
    Connection,
    /// One side broke a protocol: bad frame, bad JSON, an answer of the wrong shape.
    Protocol,
    /// Credentials are missing, wrong, expired or not sufficient.
    Authentication,
    /// The request itself, or how it was configured.
    Application,
}

/// What a caller should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Advice {
    /// Nothing was executed: try again, after the given time when there is one.
    Retry(Option<Duration>),
    /// It may have been executed: ask the server what became of it before trying again.
    Reconcile,
    /// Log in again or mend the credentials.
    Reauthenticate,
    /// The same request will fail again: change it.
    Change,
    /// The client is over; make a new one.
    Stop,
}

/// Whether the server did what it was asked to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Executed {
    /// It did not: the request never arrived, or was refused.
    #[default]
    No,
    /// Nobody here can know.
    Unknown,
    /// It did.
    Yes,
}

impl Error {
    /// Which of the four categories this belongs to. An error that the server answered with is an application error,
    /// unless the protocol knows the venue's codes.
    pub fn category(&self) -> Category {
        match self {
            Self::Config(_) => Category::Application,
            Self::Connect(ended) => ended.category(),
            Self::NotSent(reason) => reason.category(),
            Self::Unknown(reason) => reason.category(),
            Self::Rejected(error) => error.meaning.category,
            Self::Refused { reason, .. } => reason.category(),
            Self::Decode(_) => Category::Protocol,
        }
    }

    /// What to do next. For an error that the server answered with it is [`Advice::Change`], unless the protocol
    /// knows the venue's codes.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Config(_) => Advice::Change,
            Self::Connect(ended) => ended.advice(),
            Self::NotSent(reason) => reason.advice(),
            Self::Unknown(_) => Advice::Reconcile,
            Self::Rejected(error) => error.meaning.advice,
            Self::Refused { reason, .. } => reason.advice(),
            Self::Decode(_) => Advice::Reconcile,
        }
    }

    /// Whether the server did what it was asked to. A request that was answered with an error was not executed,
    /// unless the protocol knows that the venue may answer so in spite of it.
    pub fn executed(&self) -> Executed {
        match self {
            Self::Config(_) | Self::Connect(_) | Self::NotSent(_) => Executed::No,
            Self::Unknown(_) => Executed::Unknown,
            Self::Rejected(error) => error.meaning.executed,
            Self::Refused { reason, .. } => reason.executed(),
            Self::Decode(_) => Executed::Yes,
        }
    }
}

/// A value that cannot be used, and the field that holds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct ConfigError {
    /// The field or argument, as it is named in the API.
    #[cfg_attr(feature = "record", serde(deserialize_with = "crate::recorder::word"))]
    pub field: Word,
    /// What is wrong with it. Never holds the value when that may be secret.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// Why a request never left.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum NotSent {
    /// The outbound queue is full: [`Config::outbound`](crate::Config::outbound).
    #[error("the outbound queue is full")]
    QueueFull,
    /// The connection ended while the request was still waiting its turn.
    #[error("{0}")]
    Disconnected(Disconnect),
    /// There is no connection, and the caller chose not to wait for one.
    #[error("not connected")]
    Offline,
    /// The call's deadline passed while it waited for a connection, for credits or for its turn.
    #[error("the deadline passed before it could be sent")]
    DeadlinePassed,
    /// The rate limiter has no credits for it now: they suffice only after this time. The caller chose not to wait, or its
    /// deadline comes before that.
    #[error("rate limited for {}", Time(*.0))]
    RateLimited(Duration),
    /// As many requests are on their way as may be, and the caller chose not to wait.
    #[error("as many requests are on their way as may be")]
    Busy,
    /// It costs more than the limiter can ever hold.
    #[error("it costs more credits than the limit allows at once")]
    TooExpensive,
    /// It is larger than the protocol or the configuration allows.
    #[error("{size} bytes where at most {limit} are allowed")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The parameters could not be written as JSON.
    #[error("parameters: {0}")]
    Params(String),
    /// The protocol cannot express it.
    #[error("the protocol does not support {0}")]
    Unsupported(#[cfg_attr(feature = "record", serde(deserialize_with = "crate::recorder::word"))] Word),
    /// It needs a login, and no credentials were given.
    #[error("it needs a login, and no credentials were given")]
    NotLoggedIn,
    /// The client takes on nothing new, because it is about to close: [`Client::drain`](crate::Client::drain).
    #[error("the client is about to close, and takes on nothing new")]
    Draining,
    /// The client has ended.
    #[error("the client has ended: {0}")]
    Ended(Ended),
}

impl NotSent {
    fn category(&self) -> Category {
        match self {
            Self::Disconnected(_) | Self::Offline | Self::DeadlinePassed => Category::Connection,
            Self::QueueFull | Self::RateLimited(_) | Self::Busy | Self::TooExpensive => Category::Application,
            Self::TooLarge { .. } | Self::Params(_) | Self::Unsupported(_) => Category::Application,
            Self::NotLoggedIn => Category::Authentication,
            Self::Draining => Category::Application,
            Self::Ended(ended) => ended.category(),
        }
    }

    fn advice(&self) -> Advice {
        match self {
            Self::Disconnected(_) | Self::Offline | Self::DeadlinePassed | Self::QueueFull | Self::Busy => {
                Advice::Retry(None)
            }
            Self::RateLimited(wait) => Advice::Retry(Some(*wait)),
            Self::NotLoggedIn => Advice::Reauthenticate,
            Self::TooExpensive | Self::TooLarge { .. } | Self::Params(_) | Self::Unsupported(_) => {
                Advice::Change
            }
            Self::Draining => Advice::Stop,
            Self::Ended(ended) => ended.advice(),
        }
    }
}

/// Why the outcome of a request that left is not known.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Unknown {
    /// The connection ended before an answer came.
    #[error("{0}")]
    Disconnected(Disconnect),
    /// No answer came within the call's deadline. An answer that comes later is ignored.
    #[error("no answer within the deadline")]
    TimedOut,
    /// The server answered the batch and left this request out.
    #[error("the batch was answered without it")]
    MissingFromBatch,
    /// It was to be made again after a reconnect ([`Config::retry_idempotent`](crate::Config::retry_idempotent)), and
    /// that could not be sent. The first one may have been executed.
    #[error("no answer to the first, and the second was not sent: {0}")]
    NotRepeated(Box<NotSent>),
    /// The client was closed before an answer came.
    #[error("the client has ended: {0}")]
    Ended(Ended),
}

impl Unknown {
    fn category(&self) -> Category {
        match self {
            Self::Disconnected(_) | Self::TimedOut => Category::Connection,
            Self::MissingFromBatch => Category::Protocol,
            Self::NotRepeated(reason) => reason.category(),
            Self::Ended(ended) => ended.category(),
        }
    }
}

/// A JSON-RPC error object (JSON-RPC 2.0 section 5.1), or what a protocol makes of its venue's errors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct RpcError {
    /// The server's code.
    pub code: i64,
    /// The server's message.
    pub message: String,
    /// The server's `data` as JSON text, when it sent any. An explicit `null` is kept as `null`.
    pub data: Option<String>,
    /// What the protocol makes of it.
    pub meaning: Meaning,
}

impl RpcError {
    /// An error without data, and with the default meaning.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None, meaning: Meaning::default() }
    }

    /// The same error for a request that may be made twice: whether it was executed does not matter.
    pub(crate) fn of_idempotent(mut self) -> Self {
        if self.meaning.advice == Advice::Reconcile {
            self.meaning.advice = Advice::Retry(None);
        }
        self
    }
}

/// What a server's error means. A protocol that knows its venue's codes sets it when it reads one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct Meaning {
    /// Who is at fault. Default: [`Category::Application`].
    pub category: Category,
    /// What to do next. Default: [`Advice::Change`].
    pub advice: Advice,
    /// Whether the request was executed all the same. Default: [`Executed::No`].
    pub executed: Executed,
}

impl Default for Meaning {
    fn default() -> Self {
        Self { category: Category::Application, advice: Advice::Change, executed: Executed::No }
    }
}

/// Why a channel is not subscribed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Refusal {
    /// The server answered the request and did not list the channel.
    #[error("the server did not confirm it")]
    NotConfirmed,
    /// The server answered with an error.
    #[error(transparent)]
    Error(#[from] RpcError),
    /// The request for it could not be sent.
    #[error("not asked for: {0}")]
    NotSent(Box<NotSent>),
    /// It was asked for and not confirmed in time: no answer came, or the connection ended before.
    #[error("not confirmed within the deadline")]
    TimedOut,
    /// There is no connection, and the configuration says not to wait for one.
    #[error("not connected")]
    Offline,
}

impl Refusal {
    pub(crate) fn category(&self) -> Category {
        match self {
            Self::NotConfirmed => Category::Application,
            Self::Error(error) => error.meaning.category,
            Self::NotSent(reason) => reason.category(),
            Self::TimedOut | Self::Offline => Category::Connection,
        }
    }

    fn advice(&self) -> Advice {
        match self {
            Self::NotConfirmed => Advice::Change,
            Self::Error(error) => error.meaning.advice,
            Self::NotSent(reason) => reason.advice(),
            // Subscribing twice does no harm.
            Self::TimedOut | Self::Offline => Advice::Retry(None),
        }
    }

    fn executed(&self) -> Executed {
        match self {
            Self::NotConfirmed | Self::NotSent(_) | Self::Offline => Executed::No,
            Self::Error(error) => error.meaning.executed,
            Self::TimedOut => Executed::Unknown,
        }
    }
}

/// A payload that does not have the expected form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode {what}: {problem}")]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct DecodeError {
    /// The method or channel that the payload belongs to.
    pub what: String,
    /// What did not fit, and where. Does not quote the payload.
    pub problem: String,
}

/// The part of connecting that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Phase {
    /// Waiting for the endpoint provider.
    Endpoint,
    /// Looking up the host's addresses.
    Dns,
    /// Opening the TCP connection.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// The HTTP upgrade.
    Upgrade,
    /// The browser connects and does not say how far it came.
    Browser,
    /// Reaching the proxy, and asking it for a way to the server.
    Proxy,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "asking for the endpoint",
            Self::Dns => "looking up the host",
            Self::Tcp => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Upgrade => "the upgrade",
            Self::Browser => "connecting",
            Self::Proxy => "connecting through the proxy",
        })
    }
}

/// Why an attempt to connect failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum ConnectError {
    /// The endpoint provider failed.
    #[error("endpoint provider: {0}")]
    Endpoint(String),
    /// This platform cannot use the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The host has no address.
    #[error("cannot resolve {host}: {problem}")]
    Dns {
        /// The host name.
        host: String,
        /// What the resolver said.
        problem: String,
    },
    /// No address of the host accepted a TCP connection.
    #[error("{0}")]
    Tcp(String),
    /// The TLS handshake failed.
    #[error("TLS: {problem}")]
    Tls {
        /// What kind of failure it was.
        kind: TlsFailure,
        /// What the TLS library said.
        problem: String,
    },
    /// The server answered the upgrade with an HTTP status other than 101.
    #[error("the server answered HTTP {status}{}", .location.as_ref().map(|to| format!(", a redirect to {to}, which is not followed")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        status: u16,
        /// How long the server asked us to wait, from `Retry-After` in either form.
        retry_after: Option<Duration>,
        /// Where a redirect points. Redirects are not followed.
        location: Option<String>,
    },
    /// The answer to the upgrade breaks RFC 6455 section 4.
    #[error("not a valid upgrade: {0}")]
    Upgrade(String),
    /// The connection ended during the handshake.
    #[error("the connection ended during {phase}: {problem}")]
    Io {
        /// What was under way.
        phase: Phase,
        /// What the operating system said.
        problem: String,
    },
    /// The proxy could not be used, or made no way to the server.
    #[error("proxy: {problem}")]
    Proxy {
        /// What kind of failure it was.
        kind: ProxyFailure,
        /// What happened.
        problem: String,
        /// How long the proxy asked us to wait, from `Retry-After` in either form.
        retry_after: Option<Duration>,
    },
    /// The overall deadline for DNS, proxy, TCP, TLS and upgrade passed.
    #[error("timed out in {0}")]
    Timeout(Phase),
    /// The browser failed to connect and does not say why.
    #[error("the browser could not connect and does not say why")]
    Browser,
}

/// Kinds of TLS failure that call for different action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum TlsFailure {
    /// The certificate is expired or not yet valid.
    Expired,
    /// No trusted root signed it.
    UnknownIssuer,
    /// Nobody but its own key vouches for it.
    SelfSigned,
    /// It is for another host.
    WrongHost,
    /// It was revoked.
    Revoked,
    /// Its public key is none of those that were pinned.
    NotPinned,
    /// Any other fault of the certificate.
    Certificate,
    /// The two sides have no version or cipher in common, or one of them broke the protocol.
    Handshake,
}

impl TlsFailure {
    fn verdict(self) -> Verdict {
        match self {
            Self::Handshake => Verdict::Retry(None),
            Self::Expired | Self::UnknownIssuer | Self::SelfSigned | Self::WrongHost => Verdict::Stop,
            Self::Revoked | Self::NotPinned | Self::Certificate => Verdict::Stop,
        }
    }
}

/// Kinds of failure at a proxy that call for different action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum ProxyFailure {
    /// It could not be reached, or ended the connection without an answer: tried again.
    Unreachable,
    /// The TLS handshake with an `https://` proxy failed.
    Tls(TlsFailure),
    /// It wants other credentials: HTTP 407, or SOCKS5 refused them or our ways to show them.
    Authentication,
    /// It does not let us go to this server: HTTP 403 and other final answers, SOCKS5 "not allowed by ruleset".
    Refused,
    /// It could not reach the server, or not now: HTTP 429 and 5xx, SOCKS5 "host unreachable" and the like; tried again.
    Unavailable,
    /// Its answer breaks HTTP or SOCKS5: tried again, because it may be restarting.
    Protocol,
}

impl ProxyFailure {
    fn category(self) -> Category {
        match self {
            Self::Unreachable | Self::Tls(_) | Self::Refused | Self::Unavailable => Category::Connection,
            Self::Authentication => Category::Authentication,
            Self::Protocol => Category::Protocol,
        }
    }

    fn verdict(self, retry_after: Option<Duration>) -> Verdict {
        match self {
            Self::Unreachable | Self::Unavailable | Self::Protocol => Verdict::Retry(retry_after),
            Self::Tls(kind) => kind.verdict(),
            Self::Authentication | Self::Refused => Verdict::Stop,
        }
    }
}

/// Whether to try again, and after what time at the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Try again by the backoff, and not before the given time when there is one.
    Retry(Option<Duration>),
    /// The same attempt would fail again: the client ends.
    Stop,
}

/// What an HTTP status in answer to the upgrade means for the next attempt.
///
/// A client that was live once is more patient: for it only 401, 403 and 407 are final, because a proxy may answer
/// anything while a server is deployed.
pub fn status_verdict(status: u16, retry_after: Option<Duration>) -> Verdict {
    match status {
        // Request timeout, misdirected, too early, too many requests; and the server's own trouble.
        408 | 421 | 425 | 429 | 500 | 502..=504 | 506..=599 => Verdict::Retry(retry_after),
        // Redirects, refusals (401, 403, 407) and requests that cannot succeed (404, 426, 501 …).
        _ => Verdict::Stop,
    }
}

/// What a close code from the server means, unless the protocol knows better.
///
/// 4000–4999 belong to the application: a [`Protocol`](crate::Protocol) decides, and the default is to try again.
pub fn close_verdict(code: CloseCode) -> Verdict {
    match code {
        CloseCode::UNSUPPORTED_DATA | CloseCode::POLICY_VIOLATION | CloseCode::MANDATORY_EXTENSION => {
            Verdict::Stop
        }
        CloseCode::UNAUTHORIZED | CloseCode::FORBIDDEN => Verdict::Stop,
        CloseCode::TRY_AGAIN_LATER => Verdict::Retry(Some(Duration::from_secs(1))),
        _ => Verdict::Retry(None),
    }
}

impl ConnectError {
    /// Which of the four categories this belongs to.
    pub fn category(&self) -> Category {
        match self {
            Self::Status { status: 401 | 403 | 407, .. } => Category::Authentication,
            Self::Status { status: 408 | 425 | 429 | 500.., .. } => Category::Connection,
            Self::Status { .. } | Self::Upgrade(_) => Category::Protocol,
            Self::Config(_) => Category::Application,
            Self::Endpoint(_) | Self::Dns { .. } | Self::Tcp(_) | Self::Io { .. } => Category::Connection,
            Self::Tls { .. } | Self::Timeout(_) | Self::Browser => Category::Connection,
            Self::Proxy { kind, .. } => kind.category(),
        }
    }

    /// Whether another attempt makes sense.
    ///
    /// A server that answers the upgrade with something else than HTTP may be restarting, so that is retried;
    /// a certificate that does not verify will not get better by asking again.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Status { status, retry_after, .. } => status_verdict(*status, *retry_after),
            Self::Tls { kind, .. } => kind.verdict(),
            Self::Proxy { kind, retry_after, .. } => kind.verdict(*retry_after),
            Self::Config(_) => Verdict::Stop,
            Self::Endpoint(_) | Self::Dns { .. } | Self::Tcp(_) | Self::Upgrade(_) => Verdict::Retry(None),
            Self::Io { .. } | Self::Timeout(_) | Self::Browser => Verdict::Retry(None),
        }
    }
}

/// Why a connection ended, or an attempt to make one failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Disconnect {
    /// The attempt failed.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The server closed it with a close frame; `None` when that carried no code.
    #[error("closed by the server{}", .0.as_ref().map(|frame| format!(": {frame}")).unwrap_or_default())]
    Closed(Option<CloseFrame>),
    /// It ended without a close frame (what browsers call 1006).
    #[error("dropped without a close frame: {0}")]
    Dropped(String),
    /// Nothing was received for this long, and the peer did not answer when asked.
    #[error("nothing was received for {}", Time(*.0))]
    Silent(Duration),
    /// The peer took nothing from us for this long, or its machine did not acknowledge it.
    #[error("nothing could be sent for {}", Time(*.0))]
    Stalled(Duration),
    /// The peer broke the WebSocket protocol or one of our limits; the code is what we closed with.
    #[error("the peer broke the protocol: {problem}")]
    Violation {
        /// The close code for it: 1002, 1007 or 1009.
        code: CloseCode,
        /// What the peer did.
        problem: String,
    },
    /// The protocol's opening (login, heartbeat) failed.
    #[error("opening failed: {0}")]
    Opening(#[from] OpeningError),
    /// The protocol asked for a new connection.
    #[error("{0}")]
    Protocol(String),
    /// The user asked for a new connection.
    #[error("reconnect requested")]
    Requested,
    /// A pool has the channel on another connection from here on.
    #[error("moved to another connection")]
    Moved,
    /// Something inside the connection panicked: see [`Client::supervised`](crate::Client::supervised).
    #[error("it panicked: {0}")]
    Panicked(String),
}

/// Why the protocol's opening failed after the connection was made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum OpeningError {
    /// The server refused the credentials, or does not let them do what a step does: the client ends.
    #[error("not authorized: {0}")]
    Authentication(RpcError),
    /// The login grants less than was asked for: the client ends.
    #[error("the login was asked for {} and grants {}", Quoted(.asked), Quoted(.granted))]
    Narrowed {
        /// The scope that was asked for.
        asked: String,
        /// The scope that was granted.
        granted: String,
    },
    /// Whoever signs the login does not want to: the client ends.
    #[error("{0}")]
    Unsigned(String),
    /// The user logged out: the client ends.
    #[error("logged out")]
    LoggedOut,
    /// The server refused a step; it is tried again on the next connection.
    #[error("{method} refused: {error}")]
    Rejected {
        /// The step's method.
        method: String,
        /// The server's error.
        error: RpcError,
    },
    /// The server did not answer a step in time.
    #[error("{method} was not answered")]
    TimedOut {
        /// The step's method.
        method: String,
    },
    /// A step could not be sent. Where that would be so again, as without a login, the client ends.
    #[error("{method} could not be sent: {reason}")]
    NotSent {
        /// The step's method.
        method: String,
        /// Why it did not leave.
        reason: Box<NotSent>,
    },
    /// A step's request could not be prepared, and why; it is tried again on the next connection.
    #[error("{0}")]
    Unprepared(String),
    /// The server's answer to a step makes no sense; it is tried again on the next connection.
    #[error("{0}")]
    Unexpected(String),
    /// This is not the server that the configuration speaks of: the client ends.
    #[error("{0}")]
    WrongServer(String),
}

impl OpeningError {
    /// Which of the four categories this belongs to.
    pub fn category(&self) -> Category {
        match self {
            Self::Authentication(_) | Self::Narrowed { .. } | Self::Unsigned(_) => Category::Authentication,
            Self::TimedOut { .. } => Category::Connection,
            Self::NotSent { reason, .. } => reason.category(),
            Self::Unexpected(_) => Category::Protocol,
            Self::Rejected { error, .. } => error.meaning.category,
            Self::Unprepared(_) | Self::WrongServer(_) | Self::LoggedOut => Category::Application,
        }
    }

    /// Whether another attempt makes sense.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Authentication(_) | Self::Narrowed { .. } | Self::Unsigned(_) => Verdict::Stop,
            Self::WrongServer(_) | Self::LoggedOut => Verdict::Stop,
            // Without a login, or too large: it would not leave the next time either.
            Self::NotSent { reason, .. } if !matches!(reason.advice(), Advice::Retry(_)) => Verdict::Stop,
            Self::Rejected { .. } | Self::TimedOut { .. } | Self::NotSent { .. } => Verdict::Retry(None),
            Self::Unprepared(_) | Self::Unexpected(_) => Verdict::Retry(None),
        }
    }
}

/// Why the client does not try again.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Ended {
    /// The user closed it, or dropped the last handle.
    #[error("closed by the user")]
    Closed,
    /// The last attempt met a refusal that another attempt would meet again; or the very first attempt failed, and
    /// [`Config::retry_initial_connect`](crate::Config::retry_initial_connect) is off.
    #[error("{0}")]
    Refused(Disconnect),
    /// The allowed number of attempts is used up; this ended the last one.
    #[error("no attempts left: {0}")]
    AttemptsExhausted(Disconnect),
    /// The driver was dropped or its runtime shut down.
    #[error("the connection's task is gone")]
    Abandoned,
}

impl Ended {
    /// Which of the four categories this belongs to.
    pub fn category(&self) -> Category {
        match self {
            Self::Closed | Self::Abandoned => Category::Application,
            Self::Refused(reason) | Self::AttemptsExhausted(reason) => reason.category(),
        }
    }
}

impl Ended {
    /// What to do before making a new client.
    pub fn advice(&self) -> Advice {
        let reason = match self {
            Self::Closed | Self::Abandoned => return Advice::Stop,
            Self::Refused(reason) | Self::AttemptsExhausted(reason) => reason,
        };
        match (reason, reason.category()) {
            (_, Category::Authentication) => Advice::Reauthenticate,
            (Disconnect::Connect(error), _) => match error.verdict() {
                Verdict::Retry(after) => Advice::Retry(after),
                Verdict::Stop => Advice::Change,
            },
            (_, Category::Connection) => Advice::Retry(None),
            (_, Category::Protocol | Category::Application) => Advice::Stop,
        }
    }
}

impl Disconnect {
    /// Which of the four categories this belongs to.
    pub fn category(&self) -> Category {
        match self {
            Self::Connect(error) => error.category(),
            Self::Closed(Some(CloseFrame { code, .. })) => match *code {
                CloseCode::UNAUTHORIZED | CloseCode::FORBIDDEN | CloseCode::POLICY_VIOLATION => {
                    Category::Authentication
                }
                CloseCode::PROTOCOL_ERROR | CloseCode::INVALID_DATA => Category::Protocol,
                _ => Category::Connection,
            },
            Self::Closed(None) | Self::Dropped(_) => Category::Connection,
            Self::Silent(_) | Self::Stalled(_) => Category::Connection,
            Self::Violation { .. } => Category::Protocol,
            Self::Opening(error) => error.category(),
            Self::Protocol(_) | Self::Requested | Self::Moved | Self::Panicked(_) => Category::Application,
        }
    }
}
