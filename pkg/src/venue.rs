//! The protocol as one type, so that the session is compiled once.

use std::borrow::Cow;

use steadysocket::error::{NotSent, RpcError, Verdict};
use steadysocket::protocol::{Confirmation, Inbound, RequestId, Step, SubscribeLimits};
use steadysocket::time::Instant;
use steadysocket::{Bucket, CloseFrame, Cost, Error, Lane, Message, Payload, Protocol, Request};

/// Any protocol, with a probe from the options: a browser cannot ping, and plain JSON-RPC has nothing to ask.
pub struct Venue {
    protocol: Box<dyn Protocol>,
    probe: Option<Request>,
}

impl Venue {
    /// This protocol, asking `probe` of a silent peer.
    pub fn new(protocol: impl Protocol + 'static, probe: Option<Request>) -> Self {
        Self { protocol: Box::new(protocol), probe }
    }
}

impl Protocol for Venue {
    fn seed(&mut self, seed: u64) {
        self.protocol.seed(seed);
    }

    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.protocol.encode(now, id, request)
    }

    fn encode_batch(&mut self, requests: &[(Option<RequestId>, Request)]) -> Result<Message, NotSent> {
        self.protocol.encode_batch(requests)
    }

    fn forget(&mut self, id: RequestId) {
        self.protocol.forget(id);
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.protocol.read(now, message, found);
    }

    fn open(&mut self, now: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        self.protocol.open(now, answer)
    }

    fn upkeep_at(&self) -> Option<Instant> {
        self.protocol.upkeep_at()
    }

    fn upkeep(&mut self, now: Instant, outcome: Option<Result<&Payload, &Error>>) -> Step {
        self.protocol.upkeep(now, outcome)
    }

    fn probe(&mut self) -> Option<Request> {
        self.probe.clone().or_else(|| self.protocol.probe())
    }

    fn buckets(&self) -> Vec<Bucket> {
        self.protocol.buckets()
    }

    fn cost(&self, method: &str) -> Cow<'static, [Cost]> {
        self.protocol.cost(method)
    }

    fn lane(&self, method: &str) -> Lane {
        self.protocol.lane(method)
    }

    fn is_idempotent(&self, method: &str) -> bool {
        self.protocol.is_idempotent(method)
    }

    fn group(&self, channel: &str) -> u8 {
        self.protocol.group(channel)
    }

    fn subscribe_limits(&self) -> SubscribeLimits {
        self.protocol.subscribe_limits()
    }

    fn subscribe(&self, group: u8, channels: &[&str]) -> Option<Request> {
        self.protocol.subscribe(group, channels)
    }

    fn unsubscribe(&self, group: u8, routes: &[&str]) -> Option<Request> {
        self.protocol.unsubscribe(group, routes)
    }

    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        self.protocol.confirmed(channels, answer)
    }

    fn is_about_all(&self, error: &RpcError) -> bool {
        self.protocol.is_about_all(error)
    }

    fn close_verdict(&self, frame: &CloseFrame) -> Verdict {
        self.protocol.close_verdict(frame)
    }
}
