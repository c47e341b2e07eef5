//! Why a connection ended, and why a client does.

use std::time::Duration;

use super::{Advice, Category, ConnectError, NotSent, RpcError, Verdict};
use crate::frame::{CloseCode, CloseFrame};
use crate::show::{Quoted, Time};

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
