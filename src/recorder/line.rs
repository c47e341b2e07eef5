//! What a line holds, and how it is written and read.

use std::borrow::Cow;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::config::{Backoff, Config, Endpoint, Heartbeat, OutboundLimit, WhenBlocked};
use crate::error::{ConnectError, Disconnect, Error, OpeningError, Phase};
use crate::frame::{CloseFrame, Frame, Message};
use crate::protocol::{Request, RequestId};
use crate::session::{Command, ConsumerId, Event, Note};
use crate::time::Instant;
use crate::transport::Signal;

/// Something that went into a connection, or came out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// When, on the monotonic clock of whoever recorded it.
    pub at: Instant,
    /// When, by the wall clock: RFC 3339 in UTC.
    pub wall: String,
    /// Which client, counted from 1 since the header.
    pub session: u32,
    /// Which of its connections or attempts, counted from 1; 0 before the first.
    pub connection: u32,
    /// What it was, as JSON.
    pub(crate) body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    In(String),
    Out(String),
}

impl Line {
    /// What went in, when that is what the line tells.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn input(&self) -> Result<Option<Input>, serde_json::Error> {
        match &self.body {
            Body::In(json) => serde_json::from_str(json).map(Some),
            Body::Out(_) => Ok(None),
        }
    }

    /// What came out, when that is what the line tells.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn output(&self) -> Result<Option<Output>, serde_json::Error> {
        match &self.body {
            Body::In(_) => Ok(None),
            Body::Out(json) => serde_json::from_str(json).map(Some),
        }
    }
}

/// What goes into a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Input {
    /// A client begins, or begins anew after a panic.
    Begin {
        /// Of its jitter, and of what its protocol draws.
        #[serde(with = "digits")]
        seed: u64,
        /// Whether its sockets can ping.
        pings: bool,
        /// What its configuration says.
        #[serde(flatten)]
        options: Box<Options>,
    },
    /// It makes its first attempt.
    Start,
    /// The user wants something.
    Command(Command),
    /// The attempt succeeded.
    Connected,
    /// The attempt failed.
    ConnectFailed(ConnectError),
    /// A frame arrived.
    Frame(#[serde(with = "frame")] Frame),
    /// The socket failed or ended.
    Disconnected(Disconnect),
    /// The socket has room, or has none.
    Writable(bool),
    /// A step that had to be awaited is ready.
    Prepared(Result<Request, OpeningError>),
    /// The platform noticed something.
    Signal(Signal),
    /// A timer is due.
    Timeout {
        /// How far an attempt to connect has come.
        phase: Option<Phase>,
    },
    /// There is room for a frame.
    Poll,
    /// A stream of the session that panicked goes on.
    Adopt(ConsumerId, String),
    /// The session that panicked is over, and why.
    TakeOver(Disconnect),
    /// The driver was dropped.
    Abandoned,
}

/// What comes out of a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Output {
    /// A frame to send.
    Frame(#[serde(with = "frame")] Frame),
    /// An attempt begins.
    Connect,
    /// Where to; what the endpoint provider said, too.
    Dial(String),
    /// The socket is dropped, or the attempt is abandoned.
    HangUp,
    /// A step of the protocol is awaited.
    Prepare,
    /// The numbers of its own requests.
    Ids(Vec<RequestId>),
    /// A request ended.
    Settled {
        /// Its number.
        id: RequestId,
        /// What went wrong, if anything did.
        error: Option<Error>,
    },
    /// A stream is told something.
    Told(ConsumerId, Note),
    /// Something happened.
    Event(Event),
}

/// The options of a [`Config`] that decide what a session does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Options {
    /// The fixed URL without its query.
    pub url: Option<String>,
    /// See [`Config::connect_timeout`].
    pub connect_timeout: std::time::Duration,
    /// See [`Config::close_timeout`].
    pub close_timeout: std::time::Duration,
    /// See [`Config::retry_initial_connect`].
    pub retry_initial_connect: bool,
    /// See [`Config::backoff`].
    pub backoff: Backoff,
    /// See [`Config::heartbeat`].
    pub heartbeat: Option<Heartbeat>,
    /// See [`Config::call_timeout`].
    pub call_timeout: std::time::Duration,
    /// See [`Config::when_offline`].
    pub when_offline: WhenBlocked,
    /// See [`Config::when_limited`].
    pub when_limited: WhenBlocked,
    /// See [`Config::retry_idempotent`].
    pub retry_idempotent: bool,
    /// See [`Config::outbound`].
    pub outbound: OutboundLimit,
}

impl From<&Config> for Options {
    fn from(config: &Config) -> Self {
        Self {
            url: match &config.endpoint {
                Endpoint::Fixed(url) => Some(url.to_string()),
                Endpoint::Provider(_) => None,
            },
            connect_timeout: config.connect_timeout,
            close_timeout: config.close_timeout,
            retry_initial_connect: config.retry_initial_connect,
            backoff: config.backoff,
            heartbeat: config.heartbeat,
            call_timeout: config.call_timeout,
            when_offline: config.when_offline,
            when_limited: config.when_limited,
            retry_idempotent: config.retry_idempotent,
            outbound: config.outbound,
        }
    }
}

impl Options {
    /// Makes a configuration the same in these respects.
    pub(crate) fn apply(self, config: Config) -> Config {
        config
            .connect_timeout(self.connect_timeout)
            .close_timeout(self.close_timeout)
            .retry_initial_connect(self.retry_initial_connect)
            .backoff(self.backoff)
            .heartbeat(self.heartbeat)
            .call_timeout(self.call_timeout)
            .when_offline(self.when_offline)
            .when_limited(self.when_limited)
            .retry_idempotent(self.retry_idempotent)
            .outbound(self.outbound)
    }
}

/// A line on its way out or in.
#[derive(Serialize, Deserialize)]
pub(super) struct Wire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recording: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lost: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wall: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) connection: Option<u32>,
    #[serde(borrow, rename = "in", skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow, rename = "out", skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<&'a RawValue>,
}

/// Something as JSON. What is written here can be written.
pub(crate) fn json<T: Serialize>(what: &T) -> String {
    serde_json::to_string(what).unwrap_or_default()
}

/// A line without its line feed.
pub(super) fn write(head: (Instant, &str, u32, u32), direction: &str, body: &str) -> String {
    let (at, wall, session, connection) = head;
    let at = at.as_nanos();
    format!(
        r#"{{"at":{at},"wall":"{wall}","session":{session},"connection":{connection},"{direction}":{body}}}"#
    )
}

/// Words that our own errors hold, which live as long as the program.
const WORDS: [&str; 11] = [
    "url",
    "header",
    "headers",
    "tls",
    "tls.server_name",
    "proxy",
    "runtime",
    "batches",
    "an empty batch",
    "positional parameters",
    "orders on an exchange that does not tell the time",
];

/// One of the words that errors hold; another one is left open.
pub(crate) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static str, D::Error> {
    let word = Cow::<str>::deserialize(deserializer)?;
    Ok(WORDS.into_iter().find(|known| *known == word).unwrap_or("something"))
}

/// A number that is too large for other languages' numbers.
mod digits {
    use super::*;

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A frame as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shown<'a> {
    #[serde(borrow)]
    Json(&'a RawValue),
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Binary(String),
    Ping(String),
    Pong(String),
    Close(Option<CloseFrame>),
}

impl<'a> Shown<'a> {
    fn of_message(message: &'a Message) -> Self {
        match message {
            Message::Binary(bytes) => Self::Binary(BASE64.encode(bytes)),
            Message::Text(text) => Self::of_text(text.as_str()),
        }
    }

    /// Shown as JSON only if it is there again byte for byte.
    fn of_text(text: &'a str) -> Self {
        let one_line = !text.contains(['\n', '\r']);
        let raw = one_line.then(|| serde_json::from_str::<&RawValue>(text).ok()).flatten();
        match raw {
            Some(raw) if raw.get().len() == text.len() => Self::Json(raw),
            _ => Self::Text(text.into()),
        }
    }

    fn message(self) -> Result<Message, Self> {
        match self {
            Self::Json(raw) => Ok(Message::from(raw.get())),
            Self::Text(text) => Ok(Message::from(text.into_owned())),
            other => Err(other),
        }
    }
}

fn bytes<E: serde::de::Error>(text: &str) -> Result<Bytes, E> {
    BASE64.decode(text.as_bytes()).map(Bytes::from).map_err(E::custom)
}

mod frame {
    use super::*;

    pub(super) fn serialize<S: Serializer>(frame: &Frame, serializer: S) -> Result<S::Ok, S::Error> {
        match frame {
            Frame::Message(message) => Shown::of_message(message),
            Frame::Ping(payload) => Shown::Ping(BASE64.encode(payload)),
            Frame::Pong(payload) => Shown::Pong(BASE64.encode(payload)),
            Frame::Close(frame) => Shown::Close(frame.clone()),
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Frame, D::Error> {
        Ok(match Shown::deserialize(deserializer)?.message() {
            Ok(message) => Frame::Message(message),
            Err(Shown::Ping(payload)) => Frame::Ping(bytes(&payload)?),
            Err(Shown::Pong(payload)) => Frame::Pong(bytes(&payload)?),
            Err(Shown::Binary(payload)) => Frame::Message(bytes(&payload)?.into()),
            Err(Shown::Close(frame)) => Frame::Close(frame),
            Err(Shown::Json(_) | Shown::Text(_)) => Frame::Close(None),
        })
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shown::of_message(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Shown::deserialize(deserializer)?.message() {
            Ok(message) => Ok(message),
            Err(Shown::Binary(payload)) => Ok(bytes(&payload)?.into()),
            Err(_) => Err(D::Error::custom("a message is json, text or binary")),
        }
    }
}
