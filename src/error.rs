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

use crate::show::Time;

mod connect;
mod disconnect;
#[cfg(test)]
mod tests;

pub use connect::{ConnectError, Phase, ProxyFailure, TlsFailure, Verdict, close_verdict, status_verdict};
pub use disconnect::{Disconnect, Ended, OpeningError};

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
