//! What an observer is told.

use std::time::Duration;

use crate::error::{Category, Disconnect};
use crate::frame::{Frame, Message};
use crate::session::{Event, Note, Stats};

/// Something that happened to a connection.
///
/// It holds no payloads and no parameters, so that what is made of it may be shown: of a call the method, of data the
/// channel and the number of bytes. What servers say in [`Event`]s and [`Note`]s is free of our credentials.
///
/// Methods are those that the program and the protocol use. A plain message is no call: it is seen as a frame. Of a
/// batch each request that is answered is a call of its own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Observation<'a> {
    /// What [`Client::events`](crate::Client::events) tells: every step of the connection's life, why it ended, what the
    /// server did wrong, channels that it refused, and heartbeats with their round trip.
    Event(&'a Event),
    /// A connection was made, this long after the attempt began: endpoint provider, DNS, TCP, TLS and upgrade together.
    Connected {
        /// How long it took.
        after: Duration,
    },
    /// Login and subscriptions are as they should be: the connection is live, this long after it was made.
    Restored {
        /// How long it took.
        after: Duration,
    },
    /// A frame arrived.
    FrameIn {
        /// Its kind.
        kind: FrameKind,
        /// Bytes of its payload.
        bytes: usize,
    },
    /// A frame was given to the socket.
    FrameOut {
        /// Its kind.
        kind: FrameKind,
        /// Bytes of its payload.
        bytes: usize,
    },
    /// A call wants to be sent: the program's, or one of the session's own for logins, heartbeats and subscriptions.
    Submitted {
        /// Its method.
        method: &'a str,
    },
    /// The rate limiter has no credits for a call that is first in its line. Told once for each call.
    Limited {
        /// Its method.
        method: &'a str,
        /// How long it waits at least; `None` until another call has been answered.
        wait: Option<Duration>,
    },
    /// A call will not be sent, because the rate limiter has no credits for it within its deadline, or never will. That it
    /// is settled is told next.
    LimiterRefused {
        /// Its method.
        method: &'a str,
    },
    /// A call was given to the socket. Told again for one that is
    /// [made again](crate::Config::retry_idempotent).
    Sent {
        /// Its method.
        method: &'a str,
        /// How long it waited for that since it was submitted.
        waited: Duration,
    },
    /// What became of a call. Each call that was submitted is settled once.
    Settled {
        /// Its method.
        method: &'a str,
        /// What became of it.
        outcome: Outcome,
        /// From when it was sent until it was answered; `None` for what was not answered.
        round_trip: Option<Duration>,
    },
    /// What a consumer of a channel was told: confirmed, interrupted, renewing, resumed, refused.
    Subscription {
        /// The channel.
        channel: &'a str,
        /// What it was told.
        note: &'a Note,
    },
    /// Data was put into a consumer's queue.
    Delivered {
        /// The channel.
        channel: &'a str,
        /// How many updates wait in the queue now.
        waiting: usize,
        /// How many updates the queue lost or replaced for it.
        lost: u64,
    },
    /// A message is missing from a channel whose messages follow each other: a maintained order book is stale until it has
    /// a new snapshot.
    Gap {
        /// The channel.
        channel: &'a str,
    },
    /// How long a message was on its way from the server, by the server's own clock: `usOut` of Deribit's replies.
    Skew {
        /// How long; zero where the error is larger.
        after: Duration,
        /// How far off that may be, either way.
        error: Duration,
    },
    /// The counters, whenever they are made known: after each turn of the connection's task, and before each event.
    Stats(&'a Stats),
}

impl Observation<'_> {
    pub(crate) fn received(frame: &Frame) -> Self {
        let (kind, bytes) = measure(frame);
        Self::FrameIn { kind, bytes }
    }

    pub(crate) fn sent(frame: &Frame) -> Self {
        let (kind, bytes) = measure(frame);
        Self::FrameOut { kind, bytes }
    }

    /// Whose fault it is, when it tells of an error.
    pub fn category(&self) -> Option<Category> {
        match self {
            Self::Event(event) => match event {
                // The program or a pool wanted that.
                Event::Disconnected(Disconnect::Requested | Disconnect::Moved) => None,
                Event::Disconnected(reason) => Some(reason.category()),
                Event::Invalid(_) | Event::UnknownReply(_) => Some(Category::Protocol),
                Event::Refused { reason, .. } => Some(reason.category()),
                #[cfg(feature = "record")]
                Event::NotRecorded(_) => Some(Category::Application),
                Event::State(_) | Event::LateReply(_) | Event::Unmatched => None,
                Event::Asked | Event::Answered(_) => None,
            },
            Self::Settled { outcome, .. } => outcome.category(),
            Self::Gap { .. } => Some(Category::Protocol),
            Self::Connected { .. } | Self::Restored { .. } | Self::Skew { .. } | Self::Stats(_) => None,
            Self::FrameIn { .. } | Self::FrameOut { .. } => None,
            Self::Submitted { .. } | Self::Sent { .. } => None,
            Self::Limited { .. } | Self::LimiterRefused { .. } => None,
            Self::Subscription { .. } | Self::Delivered { .. } => None,
        }
    }
}

/// A frame's kind (RFC 6455 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// A text message.
    Text,
    /// A binary message.
    Binary,
    /// A ping.
    Ping,
    /// A pong.
    Pong,
    /// A close frame.
    Close,
}

impl FrameKind {
    /// Its name in metrics: `text`, `binary`, `ping`, `pong`, `close`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Close => "close",
        }
    }
}

fn measure(frame: &Frame) -> (FrameKind, usize) {
    match frame {
        Frame::Message(Message::Text(text)) => (FrameKind::Text, text.as_bytes().len()),
        Frame::Message(Message::Binary(bytes)) => (FrameKind::Binary, bytes.len()),
        Frame::Ping(payload) => (FrameKind::Ping, payload.len()),
        Frame::Pong(payload) => (FrameKind::Pong, payload.len()),
        // Two bytes are the code.
        Frame::Close(frame) => (FrameKind::Close, frame.as_ref().map_or(0, |frame| 2 + frame.reason.len())),
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The server answered with a result.
    Answered,
    /// It left, and there is no answer to wait for: notifications, and answers to the server's own requests.
    Sent,
    /// The server answered with an error.
    Rejected {
        /// The server's code.
        code: i64,
        /// Whose fault that is.
        category: Category,
    },
    /// It never left.
    NotSent(Category),
    /// It left, and no answer came: the server may have executed it.
    Unknown(Category),
    /// Nobody waits for it any more: its future was dropped.
    Cancelled,
}

impl Outcome {
    /// Its name in metrics: `answered`, `sent`, `rejected`, `not_sent`, `unknown`, `cancelled`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Sent => "sent",
            Self::Rejected { .. } => "rejected",
            Self::NotSent(_) => "not_sent",
            Self::Unknown(_) => "unknown",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whose fault it is that it was not done.
    pub fn category(self) -> Option<Category> {
        match self {
            Self::Answered | Self::Sent | Self::Cancelled => None,
            Self::Rejected { category, .. } | Self::NotSent(category) | Self::Unknown(category) => {
                Some(category)
            }
        }
    }
}
