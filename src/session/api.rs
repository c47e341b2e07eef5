//! What goes into a session and what comes out of it.

use std::time::Duration;

use super::requests::Work;
use super::subscriptions::{ConsumerId, Note};
use crate::error::{Disconnect, Ended, Error, Refusal};
use crate::frame::CloseFrame;
use crate::payload::Payload;
use crate::protocol::{Preparation, RequestId, Unmatched};
use crate::time::Instant;
use crate::transport::Progress;

/// What a driver has to do.
#[derive(Debug)]
pub enum Effect {
    /// Start an attempt to connect, noting how far it comes.
    Connect(Progress),
    /// Drop the socket or abandon the attempt, after flushing once what was given to it.
    Drop,
    /// Await this for as long as the socket is open, and give it to
    /// [`handle_prepared`](super::Session::handle_prepared).
    Prepare(Preparation),
    /// A request ended.
    Settle(RequestId, Result<Payload, Error>),
    /// Data for a consumer.
    Deliver(ConsumerId, Payload),
    /// News for a consumer.
    Tell(ConsumerId, Note),
    /// Something the server said that belongs to nobody.
    Unmatched(Unmatched),
    /// Something happened that the user may want to know.
    Event(Event),
}

/// What the user wants.
#[derive(Clone, Debug)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Command {
    /// Send something. It settles under `id`.
    Submit {
        /// A new id from the client's [`RequestIds`](crate::protocol::RequestIds).
        id: RequestId,
        /// What to send.
        work: Work,
        /// How long it may take; `None` for the configuration's `call_timeout`.
        timeout: Option<Duration>,
    },
    /// The user does not wait for this request any more.
    Cancel(RequestId),
    /// A new consumer for a channel.
    Subscribe(ConsumerId, String),
    /// A consumer left.
    Unsubscribe(ConsumerId),
    /// A consumer needs what the server sends first on its channel. Unless that is still to come, the channel is
    /// unsubscribed and subscribed anew, which its consumers are told by [`Note::Renewing`] and [`Note::Resumed`].
    Renew(ConsumerId),
    /// Make a new connection, keeping everything.
    Reconnect,
    /// Take on nothing new, and close with code 1000 once everything under way has ended, or this much later.
    Drain(Duration),
    /// Close for good, with this code and reason.
    Close(CloseFrame),
}

/// Where a connection is in its life.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum State {
    /// Making a connection. The first attempt after a stable connection has number 1.
    Connecting {
        /// The attempt's number.
        attempt: u32,
    },
    /// Connected; logging in and restoring subscriptions.
    Restoring,
    /// Everything that was desired when the connection opened is confirmed or reported as refused.
    Live,
    /// Waiting before the next attempt.
    Waiting {
        /// The number of the attempt to come.
        attempt: u32,
        /// How long, from when this state began.
        delay: Duration,
        /// Why the last connection or attempt ended.
        reason: Disconnect,
    },
    /// Closing; the peer has been told.
    Closing,
    /// Over, and why.
    Ended(Ended),
}

/// Something that happened to a connection.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Event {
    /// The state changed to this.
    State(State),
    /// A connection ended, or an attempt failed.
    Disconnected(Disconnect),
    /// The server broke the protocol; the connection stays.
    Invalid(String),
    /// A reply came for a request that was answered already, was cancelled, or whose deadline had passed.
    LateReply(RequestId),
    /// A message or an error came that answers no request of ours, such as a reply with an id of another type. It went to
    /// [`Client::messages`](crate::Client::messages).
    Unmatched,
    /// A reply came with an id that was never given out.
    UnknownReply(RequestId),
    /// The server refused a channel that stays desired.
    Refused {
        /// The channel.
        channel: String,
        /// Why.
        reason: Refusal,
    },
    /// The peer was silent and is asked for a sign of life.
    Asked,
    /// It answered our ping after this time.
    Answered(Duration),
    /// The [recorder](crate::recorder) could not write something, and why. The connection goes on.
    #[cfg(feature = "record")]
    NotRecorded(String),
}

/// Counters of a connection's whole life.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages received.
    pub received: u64,
    /// Bytes of these messages.
    pub received_bytes: u64,
    /// Messages sent.
    pub sent: u64,
    /// Connections that were made.
    pub connections: u64,
    /// Connections that ended and attempts that failed.
    pub disconnects: u64,
    /// When the peer was last heard, on the present connection or the last one.
    pub heard: Option<Instant>,
    /// Since when the peer has been asked for a sign of life without having given one.
    pub asked: Option<Instant>,
    /// The last round trip of a ping.
    pub round_trip: Option<Duration>,
    /// Requests and messages that wait to be sent.
    pub waiting: usize,
    /// Requests that wait for an answer.
    pub in_flight: usize,
    /// Channels that somebody consumes.
    pub desired: usize,
    /// Channels among these that the server has confirmed.
    pub confirmed: usize,
}
