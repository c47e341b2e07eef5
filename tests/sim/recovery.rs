//! Opening and limits: promises 2 and 6, and lessons 8 and 9.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::WhenBlocked;
use steadysocket::error::{Disconnect, Ended, Error, NotSent, OpeningError, RpcError};
use steadysocket::protocol::{Inbound, RequestId, Step};
use steadysocket::time::Instant;
use steadysocket::{Bucket, Cost, JsonRpc, Lane, Limiter, Message, Payload, Protocol, Refill, Request};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::World;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Logs in on every connection, and pays for what it does.
#[derive(Clone, Debug)]
struct Venue {
    rpc: JsonRpc,
    login: &'static str,
    step: u8,
}

fn venue(login: &'static str) -> Venue {
    Venue { rpc: JsonRpc::new(), login, step: 0 }
}

const CALL: Cost = Cost { bucket: 0, credits: 500 };

impl Protocol for Venue {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.rpc.encode(now, id, request)
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.rpc.read(now, message, found);
    }

    fn open(&mut self, _now: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        match answer {
            None => {
                self.step = 0;
                Step::Call(Request::new("hello"))
            }
            Some(Err(error)) => Step::Fail(OpeningError::Authentication(error.clone())),
            Some(Ok(_)) if self.step == 0 => {
                self.step = 1;
                Step::Call(Request::new(self.login))
            }
            Some(Ok(_)) => Step::Done,
        }
    }

    fn buckets(&self) -> Vec<Bucket> {
        vec![
            Bucket { name: "calls", capacity: 5000, refill: Refill::PerSecond(1000), reserve: 500 },
            Bucket { name: "huge", capacity: 10, refill: Refill::PerSecond(1), reserve: 0 },
        ]
    }

    fn cost(&self, request: &Request) -> Cow<'static, [Cost]> {
        match &*request.method {
            "free" => Cow::Borrowed(&[]),
            "huge" => Cow::Borrowed(&[Cost { bucket: 1, credits: 10 }]),
            "never" => Cow::Borrowed(&[Cost { bucket: 1, credits: 11 }]),
            _ => Cow::Borrowed(&[CALL]),
        }
    }

    fn lane(&self, method: &str) -> Lane {
        if method == "cancel" { Lane::Urgent } else { Lane::Normal }
    }

    fn subscribe(&self, group: u8, channels: &[&str]) -> Option<Request> {
        self.rpc.subscribe(group, channels)
    }

    fn unsubscribe(&self, group: u8, routes: &[&str]) -> Option<Request> {
        self.rpc.unsubscribe(group, routes)
    }

    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<steadysocket::protocol::Confirmation> {
        self.rpc.confirmed(channels, answer)
    }
}

#[test]
fn nothing_overtakes_the_login() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), venue("login"));
    let inner = world.clone();
    let script = exchange.clone();
    world.run(async move {
        // Asked for before there is a connection.
        let (first, stream) = futures::join!(client.call::<Value>("echo", json!([1])), client.subscribe("a"));
        first.unwrap();
        let _stream = stream.unwrap();
        let conn = script.with(|script| script.current());
        inner.net(|net| net.end(conn, "cut"));
        inner.sleep(Duration::from_millis(10)).await;
        client.call::<Value>("echo", json!([2])).await.unwrap();
    });
    let methods = exchange.with(|script| script.methods());
    assert_eq!(methods, ["hello", "login", "subscribe", "echo", "hello", "login", "subscribe", "echo"]);
}

#[test]
fn a_refused_login_stops_and_says_so() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config().retry_initial_connect(true), venue("fail"));
    let outcome = world.run(async move {
        let outcome = client.ready().await;
        assert!(matches!(client.call::<Value>("echo", ()).await, Err(Error::NotSent(NotSent::Ended(_)))));
        outcome
    });
    let Err(Error::Connect(Ended::Refused(Disconnect::Opening(OpeningError::Authentication(error))))) =
        outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.code, 7);
    world.run_for(seconds(600));
    assert_eq!(exchange.with(|script| script.dialled.len()), 1);
}

#[test]
fn a_step_that_is_not_answered_is_tried_on_a_new_connection() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let _client = world.client(config().retry_initial_connect(true), venue("silent"));
    world.run_for(seconds(60));
    let dialled = exchange.with(|script| script.dialled.len());
    assert!((4..8).contains(&dialled), "{dialled} attempts");
    assert!(exchange.with(|script| script.closes.len()) >= 3, "each was closed properly");
}

/// Checks the venue's own books: no more credits spent than it grants.
fn spent(exchange: &Exchange) {
    let times: Vec<_> = exchange.with(|script| script.received.iter().map(|(at, _, _)| *at).collect());
    let (mut level, mut last) = (5_000_000_000_000u128, times[0]);
    for at in times {
        level = (level + at.since(last).as_nanos() * 1000).min(5_000_000_000_000);
        level = level.checked_sub(500_000_000_000).expect("over budget");
        last = at;
    }
}

#[test]
fn the_venues_budget_is_never_exceeded() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    // What leaves evenly must arrive evenly for the venue's books to agree.
    world.net(|net| net.latency = (Duration::from_millis(1), Duration::from_millis(1)));
    let client = world.client(config().call_timeout(seconds(120)), venue("login"));
    world.run(async move {
        let calls = (0..100).map(|n| client.call::<Value>("echo", json!([n])));
        for outcome in futures::future::join_all(calls).await {
            outcome.unwrap();
        }
    });
    spent(&exchange);
    let received = exchange.with(|script| script.received.len());
    assert_eq!(received, 102);
}

#[test]
fn one_limiter_serves_several_clients() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    world.net(|net| net.latency = (Duration::from_millis(1), Duration::from_millis(1)));
    let limiter = Limiter::new(venue("login").buckets());
    let config = config().call_timeout(seconds(120)).limiter(Some(limiter));
    let clients: Vec<_> = (0..4).map(|_| world.client(config.clone(), venue("login"))).collect();
    world.run(async move {
        let calls =
            clients.iter().flat_map(|client| (0..20).map(move |n| client.call::<Value>("echo", json!([n]))));
        for outcome in futures::future::join_all(calls).await {
            outcome.unwrap();
        }
    });
    spent(&exchange);
}

#[test]
fn waiting_for_credits_is_bounded_by_the_deadline() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), venue("login"));
    let outcomes = world.run(async move {
        client.ready().await.unwrap();
        let call =
            |n| client.request(Request::with("order", &json!({ "tag": n })).unwrap()).timeout(seconds(2));
        futures::future::join_all((0..40).map(|n| call(n.to_string()))).await
    });
    let sent = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let late = outcomes.iter().filter(|outcome| {
        matches!(outcome, Err(Error::NotSent(NotSent::DeadlinePassed | NotSent::RateLimited(_))))
    });
    assert_eq!(sent + late.count(), 40);
    assert!((10..14).contains(&sent), "{sent}");
    world.run_for(seconds(60));
    assert_eq!(exchange.with(|script| script.executed.len()), sent, "nothing left late");
}

#[test]
fn limited_calls_can_be_refused_at_once() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config().when_limited(WhenBlocked::Refuse), venue("login"));
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let start = inner.now();
        let calls = (0..20).map(|n| client.call::<Value>("echo", json!([n])));
        let outcomes = futures::future::join_all(calls).await;
        let refused =
            |outcome: &&Result<Value, Error>| matches!(outcome, Err(Error::NotSent(NotSent::RateLimited(_))));
        assert!(outcomes.iter().filter(refused).count() >= 11);
        assert!(inner.now().since(start) < seconds(1));
    });
}

#[test]
fn what_can_never_be_paid_is_refused_and_blocks_nobody() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), venue("login"));
    world.run(async move {
        client.ready().await.unwrap();
        let (never, huge, small) = futures::join!(
            client.call::<Value>("never", ()),
            client.call::<Value>("huge", json!([1])),
            client.call::<Value>("echo", json!([2])),
        );
        assert_eq!(never, Err(Error::NotSent(NotSent::TooExpensive)));
        assert_eq!((huge.unwrap(), small.unwrap()), (json!([1]), json!([2])));
    });
}

#[test]
fn an_empty_bucket_does_not_hold_up_another_and_cancels_go_first() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), venue("login"));
    world.run(async move {
        client.ready().await.unwrap();
        let mut calls: Vec<_> =
            (0..12).map(|n| client.request(Request::with("echo", &json!([n])).unwrap())).collect();
        calls.push(client.request(Request::new("cancel")));
        calls.push(client.request(Request::new("free")));
        futures::future::join_all(calls).await;
    });
    let methods = exchange.with(|script| script.methods());
    let place = |method: &str| methods.iter().position(|other| other == method).unwrap();
    assert_eq!(place("cancel"), 2, "{methods:?}");
    assert!(place("free") < 11, "{methods:?}");
}
