//! The protocol of the lives: JSON-RPC with a login, a price for orders, and a question for platforms without pings.

use std::borrow::Cow;

use serde_json::json;
use steadysocket::error::{NotSent, OpeningError, RpcError};
use steadysocket::protocol::{Confirmation, Inbound, RequestId, Step, SubscribeLimits};
use steadysocket::time::Instant;
use steadysocket::{Bucket, Cost, JsonRpc, Message, Payload, Protocol, Refill, Request};

use super::venue::{A_SECOND, CAPACITY};

pub struct Login(JsonRpc);

impl Default for Login {
    fn default() -> Self {
        Self(JsonRpc::new().probe(Request::new("time")))
    }
}

impl Protocol for Login {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.0.encode(now, id, request)
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.0.read(now, message, found);
    }

    fn open(&mut self, _: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        let method = "login".to_owned();
        match answer {
            None => Step::Call(Request::with("login", &json!({ "key": "secret" })).unwrap()),
            Some(Ok(_)) => Step::Done,
            Some(Err(error)) => Step::Fail(OpeningError::Rejected { method, error: error.clone() }),
        }
    }

    fn probe(&mut self) -> Option<Request> {
        Protocol::probe(&mut self.0)
    }

    fn buckets(&self) -> Vec<Bucket> {
        let refill = Refill::PerSecond(A_SECOND);
        vec![Bucket { name: "orders", capacity: CAPACITY, refill, reserve: 0 }]
    }

    fn cost(&self, request: &Request) -> Cow<'static, [Cost]> {
        match &*request.method {
            "order" => Cow::Borrowed(&[Cost { bucket: 0, credits: 1 }]),
            _ => Cow::Borrowed(&[]),
        }
    }

    fn subscribe_limits(&self) -> SubscribeLimits {
        self.0.subscribe_limits()
    }

    fn subscribe(&self, group: u8, channels: &[&str]) -> Option<Request> {
        self.0.subscribe(group, channels)
    }

    fn unsubscribe(&self, group: u8, routes: &[&str]) -> Option<Request> {
        self.0.unsubscribe(group, routes)
    }

    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        self.0.confirmed(channels, answer)
    }
}
