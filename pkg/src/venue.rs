//! The protocol as one type, so that the session is compiled once.

use std::borrow::Cow;

use steadysocket::error::{NotSent, RpcError, Verdict};
use steadysocket::protocol::{Confirmation, Inbound, OpenStep, RequestId, SubscribeLimits};
use steadysocket::{Bucket, CloseFrame, Cost, Lane, Message, Payload, Protocol, Request};

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
    fn encode(&mut self, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.protocol.encode(id, request)
    }

    fn encode_batch(&mut self, requests: &[(Option<RequestId>, Request)]) -> Result<Message, NotSent> {
        self.protocol.encode_batch(requests)
    }

    fn read<'m>(&mut self, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.protocol.read(message, found);
    }

    fn open(&mut self, answer: Option<Result<&Payload, &RpcError>>) -> OpenStep {
        self.protocol.open(answer)
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

    fn close_verdict(&self, frame: &CloseFrame) -> Verdict {
        self.protocol.close_verdict(frame)
    }
}
