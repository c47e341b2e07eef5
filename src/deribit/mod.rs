//! The Deribit venue, over its JSON-RPC WebSocket interface.
//!
//! [`Deribit`] is what users hold, [`Adapter`] the [`Protocol`] below it; [`topics`] and [`Channel`] name what can be subscribed to, [`data`] says what
//! comes. What is stated about the venue comes from its documents (docs.deribit.com, 2026) and its OpenAPI and
//! AsyncAPI files (2.1.1), or was measured on its production servers.

use std::borrow::Cow;
use std::time::Duration;

use crate::error::{NotSent, OpeningError, RpcError, Verdict};
use crate::frame::{CloseFrame, Message};
use crate::json::{self, Reader, Str};
use crate::jsonrpc::{JsonRpc, channels};
use crate::payload::Payload;
use crate::protocol::{
    Confirmation, Inbound, Protocol, Request, RequestId, Step, SubscribeLimits, Unmatched,
};
use crate::session::limiter::{Bucket, Cost, Lane};
use crate::time::Instant;

mod channel;
mod client;
mod credits;
pub mod data;
pub mod errors;
mod options;
#[cfg(test)]
mod tests;
pub mod topics;

pub use channel::{Access, Channel, Interval, Scope};
pub use client::Deribit;
pub use credits::Matching;
pub use errors::{Class, Code};
pub use options::{Environment, Options};
pub use topics::Topic;

/// The largest message that the server takes; it answers larger ones with -32600 `request entity too large`.
const MAX_MESSAGE: usize = 32 * 1024;

/// How long the venue's default pool takes to refill: to come back sooner after 10028 would be refused again.
const REFILL_TIME: Duration = Duration::from_secs(5);

const TOO_MANY_REQUESTS: i64 = 10028;
const SUBSCRIBE_ERROR: i64 = 11052;

/// Deribit's protocol: JSON-RPC without batches and positional parameters, with a heartbeat that the server asks
/// for, and subscriptions in three groups by what they [ask of the connection](Access).
#[derive(Clone, Debug)]
pub struct Adapter {
    rpc: JsonRpc,
    options: Options,
    /// The step of the opening that is under way.
    step: Option<Opening>,
    /// What the server last said about itself on this connection.
    testnet: Option<bool>,
}

/// What is done on each new connection, in this order. All of it is lost with the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    Hello,
    SetHeartbeat,
}

impl Adapter {
    /// The protocol with these options.
    pub fn new(options: Options) -> Self {
        // Subscriptions as in `JsonRpc`'s default: `subscription` notifications with `channel` and `data`.
        let rpc = JsonRpc::new().extra_member("testnet");
        Self { rpc, options, step: None, testnet: None }
    }

    /// The step after the given one.
    fn step_after(step: Option<Opening>) -> Option<Opening> {
        match step {
            None => Some(Opening::Hello),
            Some(Opening::Hello) => Some(Opening::SetHeartbeat),
            Some(Opening::SetHeartbeat) => None,
        }
    }

    fn request(&self, step: Opening) -> Request {
        match step {
            Opening::Hello => self.options.hello(),
            Opening::SetHeartbeat => self.options.set_heartbeat(),
        }
    }

    /// Refuses to go on when orders would go to another environment than the options say.
    fn check_environment(&self) -> Result<(), OpeningError> {
        match (self.options.expects_testnet(), self.testnet) {
            (Some(expected), Some(found)) if expected != found => {
                let name = |testnet| if testnet { "the test network" } else { "production" };
                let problem = format!("the server is {}, and {} was asked for", name(found), name(expected));
                Err(OpeningError::WrongServer(problem))
            }
            _ => Ok(()),
        }
    }
}

impl Protocol for Adapter {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        let is_array = |params: &String| params.trim_start().starts_with('[');
        if request.params.as_ref().is_some_and(is_array) {
            return Err(NotSent::Unsupported("positional parameters"));
        }
        let message = self.rpc.encode(now, id, request)?;
        match message.as_bytes().len() {
            size if size > MAX_MESSAGE => Err(NotSent::TooLarge { size, limit: MAX_MESSAGE }),
            _ => Ok(message),
        }
    }

    fn read<'m>(&mut self, _now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        let Self { rpc, testnet, .. } = self;
        rpc.read_with(message, &mut |inbound, flag| {
            match flag {
                Some(b"true") => *testnet = Some(true),
                Some(b"false") => *testnet = Some(false),
                _ => {}
            }
            let mut inbound = inbound;
            let error = error_of(&mut inbound);
            // The server will end this connection; the next would spend from the same pool.
            let overdrawn = error.as_ref().is_some_and(|error| error.code == TOO_MANY_REQUESTS);
            if let Some(error) = error {
                error.meaning = errors::meaning(error);
            }
            found(heartbeat_or(inbound));
            if overdrawn {
                found(Inbound::Hold(REFILL_TIME));
            }
        });
    }

    fn open(&mut self, _now: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        match (answer, self.step) {
            (None, _) => (self.step, self.testnet) = (None, None),
            (Some(Err(error)), step) => {
                let method = step.map(|step| self.request(step).method.into_owned()).unwrap_or_default();
                return Step::Fail(OpeningError::Rejected { method, error: error.clone() });
            }
            (Some(Ok(_)), _) => {
                if let Err(error) = self.check_environment() {
                    return Step::Fail(error);
                }
            }
        }
        self.step = Self::step_after(self.step);
        self.step.map_or(Step::Done, |step| Step::Call(self.request(step)))
    }

    fn probe(&mut self) -> Option<Request> {
        Some(test())
    }

    fn buckets(&self) -> Vec<Bucket> {
        credits::buckets(self.options.matching_limits())
    }

    fn cost(&self, method: &str) -> Cow<'static, [Cost]> {
        credits::cost(method)
    }

    fn lane(&self, method: &str) -> Lane {
        credits::lane(method)
    }

    fn is_idempotent(&self, method: &str) -> bool {
        credits::is_idempotent(method)
    }

    fn group(&self, channel: &str) -> u8 {
        match Access::of(channel) {
            Access::Public => 0,
            Access::Raw => 1,
            Access::Private => PRIVATE_GROUP,
        }
    }

    /// 500 channels, and far less than the 32 kB that a message may have.
    fn subscribe_limits(&self) -> SubscribeLimits {
        SubscribeLimits { channels: 500, bytes: 24_000 }
    }

    fn subscribe(&self, group: u8, names: &[&str]) -> Option<Request> {
        let method = if group == PRIVATE_GROUP { "private/subscribe" } else { "public/subscribe" };
        Some(Request { method: method.into(), params: Some(channels(names)) })
    }

    fn unsubscribe(&self, group: u8, names: &[&str]) -> Option<Request> {
        let method = if group == PRIVATE_GROUP { "private/unsubscribe" } else { "public/unsubscribe" };
        Some(Request { method: method.into(), params: Some(channels(names)) })
    }

    /// Those that the result lists. The venue leaves out what it does not know, without an error.
    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        self.rpc.confirmed(channels, answer)
    }

    /// All but 11052: a channel that is unknown is left out without an error, 13778 meets all of a group alike, and
    /// the rest speaks of the session or the exchange.
    fn is_about_all(&self, error: &RpcError) -> bool {
        error.code != SUBSCRIBE_ERROR
    }

    /// Always to try again: no close code of the venue is known to be final (4000 is a missed heartbeat), and a
    /// refused login is told by an error.
    fn close_verdict(&self, _frame: &CloseFrame) -> Verdict {
        Verdict::Retry(None)
    }
}

const PRIVATE_GROUP: u8 = 2;

fn test() -> Request {
    Request::new("public/test")
}

fn error_of<'a>(inbound: &'a mut Inbound<'_>) -> Option<&'a mut RpcError> {
    match inbound {
        Inbound::Reply { result: Err(error), .. } | Inbound::Unmatched(Unmatched::Error(error)) => {
            Some(error)
        }
        _ => None,
    }
}

/// The server's heartbeat: a `test_request` wants `public/test` within 10 seconds, or the server closes with 4000.
fn heartbeat_or(inbound: Inbound<'_>) -> Inbound<'_> {
    match inbound {
        Inbound::Unmatched(Unmatched::Notification { method, params }) if method == "heartbeat" => {
            if is_test_request(params.as_bytes()).unwrap_or_default() {
                Inbound::Answer(test())
            } else {
                Inbound::Nothing
            }
        }
        other => other,
    }
}

fn is_test_request(params: &[u8]) -> Result<bool, json::Malformed> {
    let mut reader = Reader::new(params);
    reader.object()?;
    while let Some(key) = reader.member()? {
        let value = reader.value()?;
        if key == *"type" {
            return Ok(Str::of(value).is_some_and(|kind| kind == *"test_request"));
        }
    }
    Ok(false)
}
