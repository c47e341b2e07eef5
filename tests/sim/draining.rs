//! The end of a client that has work under way.

use std::time::Duration;

use serde_json::Value;
use steadysocket::error::{ConnectError, Ended, Error, NotSent, Refusal, Unknown};
use steadysocket::{Client, JsonRpc, Request, State, Update};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::{Dial, World};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A client whose calls take up to five seconds.
fn slow() -> (Exchange, World, Client) {
    let exchange = Exchange::new();
    exchange.with(|script| script.reply_within = seconds(5));
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    (exchange, world, client)
}

/// A call that is made by a task of its own; what became of it.
fn call(
    world: &World,
    client: &Client,
    method: &'static str,
) -> futures::channel::oneshot::Receiver<Outcome> {
    let (tell, told) = futures::channel::oneshot::channel();
    let call = client.request(Request::new(method));
    world.spawn(async move { drop(tell.send(call.await.map(drop))) });
    told
}

type Outcome = Result<(), Error>;

#[test]
fn what_is_under_way_ends_and_nothing_new_begins() {
    let (exchange, world, client) = slow();
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let mut stream = client.subscribe("a").await.unwrap();
        let calls = [(); 5].map(|()| call(&inner, &client, "work"));
        inner.sleep(Duration::from_millis(50)).await;
        let (drained, start) = (client.clone(), inner.now());
        inner.spawn(async move { drained.drain(seconds(60)).await });
        inner.sleep(Duration::from_millis(1)).await;
        let refused = client.call::<Value>("late", ()).await;
        assert_eq!(refused, Err(NotSent::Draining.into()));
        let refused = client.subscribe("b").await.unwrap_err();
        let reason = Refusal::NotSent(Box::new(NotSent::Draining));
        assert_eq!(refused, Error::Refused { channel: "b".into(), reason });
        for outcome in calls {
            assert_eq!(outcome.await.unwrap(), Ok(()));
        }
        assert_eq!(client.ended().await, Ended::Closed);
        // It does not wait longer than it takes.
        assert!(inner.now().since(start) <= seconds(11), "{:?}", inner.now().since(start));
        while let Some(update) = stream.next().await {
            assert!(matches!(update, Update::Data(_)), "{update:?}");
        }
        exchange.with(|script| {
            assert_eq!(script.calls("unsubscribe").len(), 1);
            assert_eq!(script.methods().last().unwrap(), "unsubscribe");
            assert!(script.calls("late").is_empty());
            assert_eq!(script.closes.len(), 1);
        });
    });
}

#[test]
fn a_client_without_work_closes_at_once() {
    let (exchange, world, client) = slow();
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let start = inner.now();
        client.drain(seconds(60)).await;
        assert!(inner.now().since(start) <= Duration::from_millis(50));
        assert_eq!(client.state(), State::Ended(Ended::Closed));
        client.drain(seconds(60)).await;
        exchange.with(|script| assert_eq!(script.closes.len(), 1));
    });
}

#[test]
fn what_is_not_done_in_time_is_told_as_it_is() {
    let (exchange, world, client) = slow();
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let _stream = client.subscribe("a").await.unwrap();
        let mute = call(&inner, &client, "silent");
        inner.sleep(Duration::from_millis(50)).await;
        let start = inner.now();
        client.drain(seconds(3)).await;
        assert_eq!(mute.await.unwrap(), Err(Unknown::Ended(Ended::Closed).into()));
        assert!(inner.now().since(start) <= seconds(4));
        exchange.with(|script| assert_eq!(script.calls("silent").len(), 1));
    });
}

#[test]
fn while_it_reconnects_what_waits_has_its_chance() {
    let (exchange, world, client) = slow();
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        exchange.with(|script| script.dials.push_back(Dial::Fail(ConnectError::Tcp("refused".into()))));
        let conn = exchange.with(|script| script.current());
        inner.net(|net| net.end(conn, "cut"));
        inner.sleep(Duration::from_millis(20)).await;
        let waiting = call(&inner, &client, "work");
        inner.sleep(Duration::from_millis(1)).await;
        client.drain(seconds(60)).await;
        assert_eq!(waiting.await.unwrap(), Ok(()));
        exchange.with(|script| assert_eq!(script.calls("work").len(), 1));
    });
}

#[test]
fn without_a_connection_and_without_work_it_ends() {
    let (exchange, world, client) = slow();
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        exchange.with(|script| script.dials.push_back(Dial::Hang));
        let _stream = client.subscribe("a").await.unwrap();
        let conn = exchange.with(|script| script.current());
        inner.net(|net| net.end(conn, "cut"));
        inner.sleep(Duration::from_millis(20)).await;
        let start = inner.now();
        client.drain(seconds(60)).await;
        assert!(inner.now().since(start) <= Duration::from_millis(1));
    });
}

#[test]
fn the_shorter_time_counts_and_close_does_not_wait() {
    let (_, world, client) = slow();
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let mute = call(&inner, &client, "silent");
        inner.sleep(Duration::from_millis(50)).await;
        let (first, second) = (client.clone(), client.clone());
        inner.spawn(async move { first.drain(seconds(5)).await });
        inner.spawn(async move { second.drain(seconds(50)).await });
        inner.sleep(seconds(1)).await;
        assert_eq!(client.state(), State::Live);
        client.close().await;
        assert_eq!(mute.await.unwrap(), Err(Unknown::Ended(Ended::Closed).into()));
    });
}

#[test]
fn a_server_that_does_not_confirm_the_leaving_holds_nothing_up() {
    let (exchange, world, client) = slow();
    exchange.with(|script| script.reply_within = Duration::from_millis(1));
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let _stream = client.subscribe("a").await.unwrap();
        exchange.with(|script| script.reply_within = seconds(1000));
        let start = inner.now();
        client.drain(seconds(3)).await;
        assert!(inner.now().since(start) <= seconds(4), "{:?}", inner.now().since(start));
        exchange.with(|script| assert_eq!(script.calls("unsubscribe").len(), 1));
    });
}
