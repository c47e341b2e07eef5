//! The protocol of the lives: JSON-RPC with a login, a price for orders, and a question for platforms without pings. It
//! panics when its life says so.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;
use steadysocket::error::{NotSent, OpeningError, RpcError};
use steadysocket::protocol::{Confirmation, Inbound, RequestId, Step, SubscribeLimits};
use steadysocket::time::Instant;
use steadysocket::{Bucket, Cost, JsonRpc, Message, Payload, Protocol, Refill, Request};

use super::venue::{A_SECOND, CAPACITY};

/// Where a protocol may panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Encode,
    Read,
    Open,
    Probe,
    Cost,
    Subscribe,
    Unsubscribe,
    Confirmed,
}

impl Place {
    pub const ALL: [Self; 8] = [
        Self::Encode,
        Self::Read,
        Self::Open,
        Self::Probe,
        Self::Cost,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Confirmed,
    ];
}

/// A panic that waits for its place. Clones are handles to the same one.
#[derive(Clone, Default)]
pub struct Bomb(Rc<Fuse>);

#[derive(Default)]
struct Fuse {
    place: Cell<Option<Place>>,
    gone_off: Cell<u64>,
}

impl Bomb {
    /// It goes off once, the next time that the protocol comes there; `None` takes it away.
    pub fn set(&self, place: Option<Place>) {
        self.0.place.set(place);
    }

    pub fn gone_off(&self) -> u64 {
        self.0.gone_off.get()
    }

    fn at(&self, place: Place) {
        if self.0.place.get() == Some(place) {
            self.0.place.set(None);
            self.0.gone_off.set(self.gone_off() + 1);
            // As a panic does, without the words of the hook.
            std::panic::resume_unwind(Box::new("a bomb"));
        }
    }
}

pub struct Login {
    rpc: JsonRpc,
    bomb: Bomb,
}

impl Login {
    pub fn new(bomb: Bomb) -> Self {
        Self { rpc: JsonRpc::new().probe(Request::new("time")), bomb }
    }
}

impl Protocol for Login {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.bomb.at(Place::Encode);
        self.rpc.encode(now, id, request)
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.bomb.at(Place::Read);
        self.rpc.read(now, message, found);
    }

    fn open(&mut self, _: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        self.bomb.at(Place::Open);
        let method = "login".to_owned();
        match answer {
            None => Step::Call(Request::with("login", &json!({ "key": "secret" })).unwrap()),
            Some(Ok(_)) => Step::Done,
            Some(Err(error)) => Step::Fail(OpeningError::Rejected { method, error: error.clone() }),
        }
    }

    fn probe(&mut self) -> Option<Request> {
        self.bomb.at(Place::Probe);
        Protocol::probe(&mut self.rpc)
    }

    fn buckets(&self) -> Vec<Bucket> {
        let refill = Refill::PerSecond(A_SECOND);
        vec![Bucket { name: "orders", capacity: CAPACITY, refill, reserve: 0 }]
    }

    fn cost(&self, request: &Request) -> Cow<'static, [Cost]> {
        self.bomb.at(Place::Cost);
        match &*request.method {
            "order" => Cow::Borrowed(&[Cost { bucket: 0, credits: 1 }]),
            _ => Cow::Borrowed(&[]),
        }
    }

    fn subscribe_limits(&self) -> SubscribeLimits {
        self.rpc.subscribe_limits()
    }

    fn subscribe(&self, group: u8, channels: &[&str]) -> Option<Request> {
        self.bomb.at(Place::Subscribe);
        self.rpc.subscribe(group, channels)
    }

    fn unsubscribe(&self, group: u8, routes: &[&str]) -> Option<Request> {
        self.bomb.at(Place::Unsubscribe);
        self.rpc.unsubscribe(group, routes)
    }

    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        self.bomb.at(Place::Confirmed);
        self.rpc.confirmed(channels, answer)
    }
}
