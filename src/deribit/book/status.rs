//! Whether a book is to be trusted.

use crate::error::{Disconnect, Ended, Refusal};
use crate::json::Malformed;
use crate::time::Instant;

/// Whether a book's levels are the venue's.
#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    /// They are, as of [`Levels::change_id`](super::Levels::change_id): nothing is known to be missing.
    Live,
    /// They may be wrong, and nothing that mends them is under way yet.
    Stale {
        /// When the book was found not to be live any more, on the clock of [`Client::now`](crate::Client::now).
        since: Instant,
        /// What happened last.
        why: Reason,
    },
    /// They may be wrong. The channel has been subscribed anew, and a snapshot is on its way.
    Resyncing {
        /// When the book was found not to be live any more, on the clock of [`Client::now`](crate::Client::now).
        since: Instant,
        /// What happened last.
        why: Reason,
    },
}

/// Why a book is not live.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It waits for its first snapshot.
    #[error("no snapshot has come yet")]
    New,
    /// The connection ended.
    #[error("{0}")]
    Disconnected(Disconnect),
    /// A message was lost: a change does not continue what came before.
    #[error("a message is missing after change {last}")]
    Gap {
        /// The `change_id` of the message before.
        last: u64,
        /// The `prev_change_id` of this one.
        found: Option<u64>,
    },
    /// A change came where a snapshot was due.
    #[error("a change came before any snapshot")]
    NoSnapshot,
    /// So many messages were lost because the book was read too slowly.
    #[error("{0} messages were lost because the book was read too slowly")]
    Lagged(u64),
    /// A message is not what it should be.
    #[error("a message cannot be read: {0}")]
    Malformed(String),
    /// The best bid is not below the best ask, which the venue's matching does not let happen.
    // Without the numbers: the standard library's code to write them would be a good part of a page's download.
    #[error("the best bid is not below the best ask")]
    Crossed {
        /// The best bid.
        bid: f64,
        /// The best ask.
        ask: f64,
    },
    /// A side has more than 16,384 levels, or one message names so many.
    #[error("there are too many levels")]
    TooDeep,
    /// The server refused the channel. It is asked for again from time to time.
    #[error("{0}")]
    Refused(Refusal),
    /// Another consumer of the channel asked for it to begin anew.
    #[error("another consumer of the channel had it begin anew")]
    Renewed,
    /// The client has ended: there will be no more.
    #[error("{0}")]
    Ended(Ended),
}

impl Status {
    /// Whether the levels are the venue's.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }

    /// When the book ceased to be live; `None` while it is.
    pub fn since(&self) -> Option<Instant> {
        match self {
            Self::Live => None,
            Self::Stale { since, .. } | Self::Resyncing { since, .. } => Some(*since),
        }
    }

    /// Why the book is not live; `None` while it is.
    pub fn why(&self) -> Option<&Reason> {
        match self {
            Self::Live => None,
            Self::Stale { why, .. } | Self::Resyncing { why, .. } => Some(why),
        }
    }
}

impl Reason {
    /// Whether only a new snapshot mends it, which nobody sends unasked.
    pub(super) fn wants_snapshot(&self) -> bool {
        match self {
            Self::Gap { .. } | Self::NoSnapshot | Self::Lagged(_) | Self::Malformed(_) => true,
            Self::Crossed { .. } | Self::TooDeep => true,
            // The session asks by itself, or it is on its way, or there will be none.
            Self::Disconnected(_) | Self::Refused(_) | Self::New | Self::Renewed | Self::Ended(_) => false,
        }
    }
}

impl From<Malformed> for Reason {
    fn from(problem: Malformed) -> Self {
        Self::Malformed(problem.to_string())
    }
}
