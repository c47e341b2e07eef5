//! Finding dead peers and sparing living ones: promise 5, and lesson 7.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::Heartbeat;
use steadysocket::error::{Disconnect, Error, NotSent, Unknown};
use steadysocket::protocol::{Inbound, RequestId};
use steadysocket::time::Instant;
use steadysocket::transport::Signal;
use steadysocket::{Event, Frame, JsonRpc, Message, Protocol, Request, State, Update};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::World;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_half_open_peer_is_found_within_the_limits() {
    for busy in [false, true] {
        let exchange = Exchange::new();
        let world = World::new(1, exchange.clone());
        let client = world.client(config(), JsonRpc::new());
        let inner = world.clone();
        world.run(async move {
            client.ready().await.unwrap();
            inner.sleep(seconds(30)).await;
            inner.net(|net| net.kill(0));
            let start = inner.now();
            let mut outcomes = Vec::new();
            while client.stats().disconnects == 0 {
                if busy {
                    // What we send ourselves is no sign of life.
                    let call = client.request(Request::new("silent")).timeout(seconds(1));
                    outcomes.push(call.await);
                } else {
                    inner.sleep(Duration::from_millis(100)).await;
                }
            }
            let found = inner.now().since(start);
            assert!(found <= seconds(15), "{found:?}");
        });
    }
}

#[test]
fn when_the_peer_was_heard_is_known_without_any_heartbeat() {
    // Where nothing can be asked, silence proves nothing; it is counted all the same.
    for (heartbeat, pings) in [(None, true), (Some(Heartbeat::default()), false)] {
        let world = World::new(1, Exchange::new());
        let config = config().heartbeat(heartbeat);
        let client = match pings {
            true => world.client(config, JsonRpc::new()),
            false => world.pingless_client(config, JsonRpc::new()),
        };
        let inner = world.clone();
        world.run(async move {
            client.ready().await.unwrap();
            let opened = client.stats().heard.unwrap();
            inner.sleep(seconds(60)).await;
            assert_eq!(client.stats().heard, Some(opened));
            client.call::<Value>("echo", json!([1])).await.unwrap();
            assert_eq!(client.stats().heard, Some(client.now()));
        });
    }
}

#[test]
fn the_question_is_a_ping_and_only_its_own_pong_answers() {
    let exchange = Exchange::new();
    exchange.with(|script| script.deaf = true);
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    let mut events = client.events();
    world.run(async move {
        client.ready().await.unwrap();
        for _ in 0..26 {
            inner.sleep(Duration::from_millis(500)).await;
            inner.net(|net| net.send(0, Frame::Pong(b"not yours".to_vec().into())));
        }
        assert_eq!(client.state(), State::Live);
        inner.sleep(seconds(2)).await;
        assert_eq!(client.stats().disconnects, 1);
    });
    assert_eq!(exchange.with(|script| script.pings.len()), 1);
    let mut silent = None;
    while let Some(Some(event)) = futures::FutureExt::now_or_never(events.next()) {
        if let Update::Data(Event::Disconnected(reason)) = event {
            silent = Some(reason);
        }
    }
    assert!(matches!(silent, Some(Disconnect::Silent(_))), "{silent:?}");
}

#[test]
fn a_quiet_peer_that_answers_stays() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    world.run_for(seconds(3600));
    assert_eq!((client.state(), client.stats().connections), (State::Live, 1));
    let pings = exchange.with(|script| script.pings.len());
    assert!((300..=360).contains(&pings), "{pings} pings in an hour");
    assert!(client.stats().round_trip.unwrap() <= Duration::from_millis(10));
}

#[test]
fn data_makes_questions_needless() {
    let exchange = Exchange::new();
    exchange.with(|script| script.publish_every = Some(seconds(3)));
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let keep = client.clone();
    let _stream = world.run(async move { keep.subscribe("a").await.unwrap() });
    world.run_for(seconds(600));
    assert_eq!(exchange.with(|script| script.pings.len()), 0);
}

#[test]
fn a_machine_that_slept_asks_before_it_gives_up() {
    for nap in [seconds(12), seconds(60), seconds(8 * 3600)] {
        let exchange = Exchange::new();
        let world = World::new(1, exchange.clone());
        let client = world.client(config(), JsonRpc::new());
        // Asleep at the worst moment: the question is out, and its answer waits in the socket.
        world.run_for(seconds(10) + Duration::from_millis(8));
        world.freeze(nap);
        world.run_for(nap + seconds(30));
        assert_eq!((client.state(), client.stats().connections), (State::Live, 1), "after {nap:?}");
    }
}

#[test]
fn a_peer_that_died_while_the_machine_slept_is_found() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), JsonRpc::new());
    world.run_for(seconds(10) + Duration::from_millis(1));
    world.net(|net| net.kill(0));
    world.freeze(seconds(600));
    world.run_for(seconds(600) + seconds(9));
    assert_eq!(client.stats().connections, 2, "asked once more, then given up");
}

#[test]
fn heartbeats_can_be_tuned_and_switched_off() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let heartbeat = Heartbeat { idle: seconds(2), timeout: seconds(1) };
    let client = world.client(config().heartbeat(Some(heartbeat)), JsonRpc::new());
    world.run_for(seconds(10));
    assert_eq!(exchange.with(|script| script.pings.len()), 4);
    world.net(|net| net.kill(0));
    world.run_for(Duration::from_millis(3900));
    assert_eq!(client.stats().connections, 2);

    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config().heartbeat(None), JsonRpc::new());
    world.run_for(seconds(1));
    world.net(|net| net.kill(0));
    world.run_for(seconds(3600));
    assert_eq!((client.stats().connections, exchange.with(|script| script.pings.len())), (1, 0));
}

/// A protocol with a heartbeat of its own, both ways.
#[derive(Debug)]
pub struct WithHeartbeat(pub JsonRpc);

impl Protocol for WithHeartbeat {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.0.encode(now, id, request)
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        if message.as_text().is_some_and(|text| text.contains("test_request")) {
            return found(Inbound::Answer(Request::new("test")));
        }
        self.0.read(now, message, found);
    }

    fn probe(&mut self) -> Option<Request> {
        Some(Request::new("probe"))
    }
}

#[test]
fn without_pings_json_rpc_asks_what_it_was_told_to() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    // Behind a pointer, which passes on what it is asked for.
    let protocol: Box<dyn Protocol> = Box::new(JsonRpc::new().probe(Request::new("probe")));
    let client = world.pingless_client(config(), protocol);
    world.run_for(seconds(60));
    assert_eq!((client.state(), client.stats().connections), (State::Live, 1));
    assert!(exchange.with(|script| script.calls("probe").len()) >= 5);
    world.net(|net| net.kill(0));
    world.run_for(seconds(16));
    assert_eq!(client.stats().connections, 2);
}

#[test]
fn without_pings_the_protocol_asks() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.pingless_client(config(), WithHeartbeat(JsonRpc::new()));
    let mut events = client.events();
    world.run_for(seconds(60));
    assert_eq!((client.state(), client.stats().connections), (State::Live, 1));
    while let Some(Some(event)) = futures::FutureExt::now_or_never(events.next()) {
        assert!(!matches!(event, Update::Data(Event::LateReply(_))), "nobody waits for a probe's reply");
    }
    assert!(exchange.with(|script| script.calls("probe").len()) >= 5);
    world.net(|net| net.kill(0));
    world.run_for(seconds(16));
    assert_eq!(client.stats().connections, 2);
}

#[test]
fn the_servers_heartbeat_is_answered_ahead_of_everything() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), WithHeartbeat(JsonRpc::new()));
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let calls = (0..500).map(|n| client.call::<Value>("echo", json!([n])));
        let ask = async {
            inner.net(|net| net.send_text(0, r#"{"method":"heartbeat","params":{"type":"test_request"}}"#));
        };
        futures::join!(futures::future::join_all(calls), ask);
    });
    let methods = exchange.with(|script| script.methods());
    let place = methods.iter().position(|method| method == "test").unwrap();
    assert!(place <= 70, "answered after {place} of 500 calls");
}

#[test]
fn a_flood_of_questions_fills_nothing() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), WithHeartbeat(JsonRpc::new()));
    world.run_for(seconds(1));
    world.net(|net| {
        net.stall(0);
        for _ in 0..100_000 {
            net.send_text(0, "test_request");
        }
    });
    world.run_for(seconds(5));
    assert!(client.stats().waiting <= 1, "{}", client.stats().waiting);
}

#[test]
fn a_signal_from_the_platform_asks_at_once() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    world.run_for(seconds(1));
    world.net(|net| {
        net.kill(0);
        net.signal(Signal::Offline);
        net.signal(Signal::Online);
    });
    world.run_for(seconds(5));
    assert_eq!(client.stats().connections, 2, "found by the question, not by ten seconds of silence");
}

#[test]
fn a_call_in_flight_when_the_peer_goes_silent_is_unknown() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    let outcome = world.run(async move {
        client.ready().await.unwrap();
        inner.net(|net| net.kill(0));
        client.request(Request::new("silent")).timeout(seconds(60)).await
    });
    assert!(
        matches!(outcome, Err(Error::Unknown(Unknown::Disconnected(Disconnect::Silent(_))))),
        "{outcome:?}"
    );
}

#[test]
fn a_peer_that_takes_nothing_is_found_while_its_data_flows() {
    let exchange = Exchange::new();
    exchange.with(|script| script.publish_every = Some(seconds(1)));
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        let _stream = client.subscribe("a").await.unwrap();
        inner.net(|net| net.stall(0));
        // More than the pipe holds, each with a deadline shorter than our patience with the peer.
        for _ in 0..20 {
            let calls = (0..5).map(|_| client.request(Request::new("silent")).timeout(seconds(2)));
            futures::future::join_all(calls).await;
        }
        assert_eq!(client.stats().connections, 2);
    });
}
