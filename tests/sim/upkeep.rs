//! What a protocol does by itself: steps that wait for somebody, and upkeep while calls go on.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use serde_json::{Value, json};
use steadysocket::error::{Disconnect, Ended, Error, NotSent, OpeningError, RpcError, Unknown};
use steadysocket::protocol::{Inbound, Preparation, RequestId, Step};
use steadysocket::time::Instant;
use steadysocket::{Event, JsonRpc, Message, Payload, Protocol, Request, State};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::World;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

type Signature = oneshot::Receiver<Result<Request, OpeningError>>;

/// What the test and the protocol share.
#[derive(Debug, Default)]
struct Notes {
    /// What the next openings wait for; one that finds none here needs nothing.
    signatures: VecDeque<Signature>,
    /// The method of the renewals.
    renewal: &'static str,
    /// When renewals began, and how they ended.
    began: Vec<Instant>,
    outcomes: Vec<Result<Payload, Error>>,
}

/// Logs in with a request that somebody signs, and renews the login every ten seconds.
#[derive(Debug)]
struct Signed {
    rpc: JsonRpc,
    notes: Rc<RefCell<Notes>>,
    due: Option<Instant>,
}

impl Protocol for Signed {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.rpc.encode(now, id, request)
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.rpc.read(now, message, found);
    }

    fn open(&mut self, now: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        self.due = None;
        match (answer, self.notes.borrow_mut().signatures.pop_front()) {
            (None, Some(signature)) => {
                let abandoned = |_| Err(OpeningError::Unprepared("nobody signs".into()));
                Step::Prepare(Preparation::new(async move { signature.await.unwrap_or_else(abandoned) }))
            }
            (None, None) => Step::Call(Request::new("login")),
            (Some(_), _) => {
                self.due = Some(now + seconds(10));
                Step::Done
            }
        }
    }

    fn upkeep_at(&self) -> Option<Instant> {
        self.due
    }

    fn upkeep(&mut self, now: Instant, outcome: Option<Result<&Payload, &Error>>) -> Step {
        let mut notes = self.notes.borrow_mut();
        match outcome {
            None => {
                notes.began.push(now);
                Step::Call(Request::new(notes.renewal))
            }
            Some(outcome) => {
                notes.outcomes.push(outcome.cloned().map_err(Clone::clone));
                self.due = Some(now + seconds(10));
                match outcome {
                    Ok(_) => Step::Done,
                    Err(_) => Step::Fail(OpeningError::Unexpected("the login was lost".into())),
                }
            }
        }
    }
}

fn signed(renewal: &'static str) -> (Signed, Rc<RefCell<Notes>>) {
    let notes = Rc::new(RefCell::new(Notes { renewal, ..Notes::default() }));
    (Signed { rpc: JsonRpc::new(), notes: notes.clone(), due: None }, notes)
}

#[test]
fn upkeep_is_made_when_it_is_due_and_holds_nobody_up() {
    let exchange = Exchange::new();
    exchange.with(|script| script.reply_within = seconds(2));
    let world = World::new(1, exchange.clone());
    let (protocol, notes) = signed("renew");
    let client = world.client(config(), protocol);
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        while inner.now()
            < notes.borrow().began.first().copied().unwrap_or(inner.now() + seconds(1)) + seconds(60)
        {
            client.call::<Value>("echo", json!([1])).await.unwrap();
        }
        let notes = notes.borrow();
        assert!((5..=6).contains(&notes.outcomes.len()), "{notes:?}");
        assert!(notes.outcomes.iter().all(Result::is_ok));
        assert!(
            notes.began.is_sorted_by(|a, b| (seconds(10)..=seconds(13)).contains(&b.since(*a))),
            "{notes:?}"
        );
        assert_eq!(client.stats().connections, 1);
    });
    let echoes = exchange.with(|script| script.calls("echo").len());
    assert!(echoes > 40, "{echoes} calls beside the upkeep");
}

#[test]
fn the_protocol_hears_what_became_of_a_step_of_its_upkeep() {
    let rejected =
        Error::Rejected(RpcError { data: Some(r#"{"why":"because"}"#.into()), ..RpcError::new(7, "no") });
    for (renewal, expected) in [("silent", Error::Unknown(Unknown::TimedOut)), ("fail", rejected)] {
        let world = World::new(1, Exchange::new());
        let (protocol, notes) = signed(renewal);
        let client = world.client(config(), protocol);
        let mut events = client.events();
        let lost = world.run(async move {
            loop {
                if let Some(Event::Disconnected(reason)) = events.next().await.unwrap().data() {
                    return reason;
                }
            }
        });
        assert_eq!(lost, Disconnect::Opening(OpeningError::Unexpected("the login was lost".into())));
        assert_eq!(notes.borrow().outcomes, [Err(expected)]);
        world.run_for(seconds(5));
        assert_eq!((client.state(), client.stats().connections), (State::Live, 2));
    }
}

#[test]
fn upkeep_ends_with_its_connection() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let (protocol, notes) = signed("silent");
    let client = world.client(config(), protocol);
    world.run_for(seconds(11));
    assert_eq!(notes.borrow().began.len(), 1);
    world.net(|net| net.end(0, "cut"));
    world.run_for(seconds(2));
    assert_eq!(client.state(), State::Live);
    assert_eq!(notes.borrow().outcomes, [], "nobody waits for the lost answer");
    world.run_for(seconds(10));
    assert_eq!(notes.borrow().began.len(), 2, "the next connection has its own");
}

#[test]
fn an_opening_waits_for_its_signature() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let (protocol, notes) = signed("renew");
    let (sign, signature) = oneshot::channel();
    notes.borrow_mut().signatures.push_back(signature);
    let client = world.client(config(), protocol);
    world.run_for(seconds(9));
    assert_eq!(client.state(), State::Restoring);
    assert!(exchange.with(|script| script.methods().is_empty()));
    sign.send(Ok(Request::new("signed"))).unwrap();
    world.run_for(seconds(1));
    assert_eq!(client.state(), State::Live);
    assert_eq!(exchange.with(|script| script.methods()), ["signed"]);
}

#[test]
fn a_signature_that_does_not_come_fails_the_opening() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let (protocol, notes) = signed("renew");
    let (sign, signature) = oneshot::channel();
    notes.borrow_mut().signatures.push_back(signature);
    let client = world.client(config().retry_initial_connect(true), protocol);
    world.run_for(seconds(11));
    assert_eq!((client.state(), client.stats().connections), (State::Live, 2));
    // It was not waited for beyond its connection.
    assert!(sign.is_canceled());

    let refused = OpeningError::Unprepared("the signer is out".into());
    let (sign, signature) = oneshot::channel();
    sign.send(Err(refused.clone())).unwrap();
    let (protocol, notes) = signed("renew");
    notes.borrow_mut().signatures.push_back(signature);
    let client = world.client(config(), protocol);
    let outcome = world.run(async move { client.ready().await });
    assert_eq!(outcome, Err(Error::Connect(Ended::Refused(Disconnect::Opening(refused)))));
}
