//! Subscriptions: promises 2 and 3, and lessons 6, 9 and 12.

use std::time::Duration;

use serde_json::Value;
use steadysocket::config::{Overflow, Queue};
use steadysocket::error::{Error, NotSent, Refusal};
use steadysocket::{Client, Config, Event, JsonRpc, State, Subscription, Update};

use crate::test;
use crate::venue::{Exchange, dropped};
use crate::world::World;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn config() -> Config {
    crate::calls::config()
}

fn publishing() -> (Exchange, World, Client) {
    let exchange = Exchange::new();
    exchange.with(|script| script.publish_every = Some(Duration::from_millis(100)));
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    (exchange, world, client)
}

async fn number(stream: &mut Subscription<u64>) -> u64 {
    loop {
        if let Update::Data(number) = stream.next().await.expect("more data") {
            return number;
        }
    }
}

async fn subscribe(client: &Client, channel: &str) -> Result<Subscription<u64>, Error> {
    client.subscribe_with(channel, Queue::default()).await
}

#[test]
fn data_arrives_in_order() {
    let (_, world, client) = publishing();
    world.run(async move {
        let mut stream = subscribe(&client, "a").await.unwrap();
        for expected in 1..200 {
            assert_eq!(stream.next().await, Some(Update::Data(expected)));
        }
    });
}

#[test]
fn a_cut_is_told_in_order_with_the_data() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    world.run(async move {
        let mut stream = subscribe(&client, "a").await.unwrap();
        let last = number(&mut stream).await;
        let conn = exchange.with(|script| script.current());
        inner.net(|net| net.end(conn, "cut"));
        let mut seen = last;
        let interrupted = loop {
            match stream.next().await.unwrap() {
                Update::Data(number) => {
                    assert_eq!(number, seen + 1);
                    seen = number;
                }
                other => break other,
            }
        };
        assert_eq!(interrupted, Update::Interrupted(dropped("cut")));
        assert_eq!(stream.next().await, Some(Update::Resumed));
        assert!(matches!(stream.next().await, Some(Update::Data(number)) if number > seen));
    });
}

#[test]
fn consumers_of_one_channel_share_one_subscription() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    let script = exchange.clone();
    world
        .run(async move {
            let (mut one, two) = futures::join!(subscribe(&client, "a"), subscribe(&client, "a"));
            let mut three = subscribe(&client, "a").await.unwrap();
            let mut two = two.unwrap();
            let one = one.as_mut().unwrap();
            assert_eq!(number(one).await, number(&mut two).await);
            assert_eq!(number(&mut three).await, 1);
            assert_eq!((client.stats().desired, client.stats().confirmed), (1, 1));
            drop(two);
            drop(three);
            inner.sleep(seconds(1)).await;
            assert!(script.with(|script| script.calls("unsubscribe").is_empty()), "somebody is still there");
            number(one).await;
            Ok::<_, ()>(())
        })
        .unwrap();
    world.run_for(seconds(1));
    assert_eq!(exchange.with(|script| script.calls("subscribe").len()), 1);
}

#[test]
fn the_last_to_leave_unsubscribes() {
    let (exchange, world, client) = publishing();
    let keep = client.clone();
    world.run(async move { drop(subscribe(&keep, "a").await.unwrap()) });
    world.run_for(seconds(1));
    assert_eq!(exchange.with(|script| script.calls("unsubscribe").len()), 1);
    assert_eq!((client.stats().desired, client.stats().confirmed), (0, 0));
    // A late tick does not bring it back, and neither does a reconnect.
    world.net(|net| {
        net.send_text(0, r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"a","data":9}}"#);
        net.end(0, "cut");
    });
    world.run_for(seconds(10));
    assert_eq!(exchange.with(|script| script.calls("subscribe").len()), 1);
    assert_eq!(client.state(), State::Live);
}

#[test]
fn coming_back_while_leaving_subscribes_anew() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    world.run(async move {
        for pause in [0, 1, 2, 3, 5, 8, 13, 21] {
            drop(subscribe(&client, "a").await.unwrap());
            inner.sleep(Duration::from_millis(pause)).await;
            let mut again = subscribe(&client, "a").await.unwrap();
            let first = number(&mut again).await;
            assert_eq!(number(&mut again).await, first + 1, "after {pause} ms");
        }
    });
    let open = exchange.with(|script| script.subscribed.clone());
    assert!(open.values().all(|channels| channels.len() <= 1));
}

#[test]
fn what_the_server_does_not_list_is_refused() {
    let (exchange, world, client) = publishing();
    exchange.with(|script| script.unknown.insert("typo".into()));
    world.run(async move {
        let (good, bad) = futures::join!(subscribe(&client, "good"), subscribe(&client, "typo"));
        number(&mut good.unwrap()).await;
        let reason = Refusal::NotConfirmed;
        assert_eq!(bad.unwrap_err(), Error::Refused { channel: "typo".into(), reason });
    });
}

#[test]
fn one_bad_channel_does_not_take_the_others_along() {
    let (exchange, world, client) = publishing();
    exchange.with(|script| script.poison.insert("c17".into()));
    let keep = client.clone();
    world.run(async move {
        let names: Vec<_> = (0..40).map(|n| format!("c{n}")).collect();
        let streams = futures::future::join_all(names.iter().map(|name| subscribe(&keep, name))).await;
        for (name, stream) in names.iter().zip(&streams) {
            assert_eq!(stream.is_ok(), name != "c17", "{name}");
        }
        assert_eq!(keep.stats().confirmed, 39);
        let Err(Error::Refused { reason: Refusal::Error(error), .. }) = &streams[17] else { panic!() };
        assert_eq!(error.code, 13778);
    });
    let requests = exchange.with(|script| script.calls("subscribe").len());
    assert!(requests <= 16, "found by halving, in {requests} requests");
}

#[test]
fn restoring_is_chunked_and_complete() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    let keep = client.clone();
    let streams = world.run(async move {
        let names: Vec<_> = (0..1300).map(|n| format!("channel.number.{n}")).collect();
        futures::future::join_all(names.iter().map(|name| subscribe(&keep, name))).await
    });
    assert!(streams.iter().all(Result::is_ok));
    let before = exchange.with(|script| std::mem::take(&mut script.received).len());
    assert!(before <= 5, "{before}");
    let conn = exchange.with(|script| script.current());
    world.net(|net| net.end(conn, "cut"));
    world.run_for(seconds(5));
    assert_eq!((client.stats().desired, client.stats().confirmed), (1300, 1300));
    let requests = exchange.with(|script| script.calls("subscribe"));
    for request in &requests {
        assert!(request["params"]["channels"].as_array().unwrap().len() <= 500);
        assert!(request.to_string().len() < 32 * 1024);
    }
    assert_eq!(requests.len(), 3);
    drop(inner);
}

#[test]
fn a_refusal_is_one_event_however_many_consume_the_channel() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    world.run(async move {
        let streams =
            futures::future::join_all(["a", "a", "b", "a"].map(|name| subscribe(&client, name))).await;
        assert!(streams.iter().all(Result::is_ok));
        exchange.with(|script| script.unknown.extend(["a".into(), "b".into()]));
        let mut events = client.events();
        let conn = exchange.with(|script| script.current());
        inner.net(|net| net.end(conn, "cut"));
        let mut refused = Vec::new();
        loop {
            match events.next().await.and_then(Update::data) {
                Some(Event::Refused { channel, .. }) => refused.push(channel),
                Some(Event::State(State::Live)) => break,
                _ => {}
            }
        }
        assert_eq!(refused, ["a", "b"]);
    });
}

#[test]
fn a_refused_restore_is_told_and_stays_desired() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    let script = exchange.clone();
    world.run(async move {
        let mut stream = subscribe(&client, "a").await.unwrap();
        number(&mut stream).await;
        script.with(|script| script.unknown.insert("a".into()));
        let conn = script.with(|script| script.current());
        inner.net(|net| net.end(conn, "cut"));
        let mut told = Vec::new();
        while !matches!(told.last(), Some(Update::Refused(_))) {
            told.push(stream.next().await.unwrap());
        }
        assert_eq!(told.last(), Some(&Update::Refused(Refusal::NotConfirmed)));
        assert_eq!((client.stats().desired, client.stats().confirmed), (1, 0));
        assert_eq!(client.state(), State::Live, "what was refused does not hold up the rest");
        script.with(|script| script.unknown.clear());
        loop {
            if stream.next().await == Some(Update::Resumed) {
                break;
            }
        }
        number(&mut stream).await;
    });
    let asked = exchange.with(|script| script.calls("subscribe").len());
    assert!((3..8).contains(&asked), "asked again from time to time: {asked}");
}

#[test]
fn a_subscription_that_is_never_confirmed_gives_up_at_the_deadline() {
    let exchange = Exchange::new();
    exchange.with(|script| script.dials.extend((0..9).map(|_| crate::world::Dial::Hang)));
    let world = World::new(1, exchange.clone());
    let client = world.client(config().retry_initial_connect(true), JsonRpc::new());
    let start = world.now();
    let outcome = world.run(async move { subscribe(&client, "a").await.map(drop) });
    // It never left, and says so.
    let reason = Refusal::NotSent(Box::new(NotSent::DeadlinePassed));
    assert_eq!(outcome, Err(Error::Refused { channel: "a".into(), reason }));
    assert_eq!(world.now().since(start), seconds(10));
}

#[test]
fn a_slow_consumer_is_told_what_it_lost_and_harms_nobody() {
    let (_, world, client) = publishing();
    let inner = world.clone();
    world.run(async move {
        let queue = |overflow| Queue { capacity: 4, overflow, ..Queue::default() };
        let mut oldest = client.subscribe_with::<u64>("a", queue(Overflow::DropOldest)).await.unwrap();
        let mut newest = client.subscribe_with::<u64>("a", queue(Overflow::DropNewest)).await.unwrap();
        let mut latest = client.subscribe_with::<u64>("a", queue(Overflow::Latest)).await.unwrap();
        let mut close = client.subscribe_with::<u64>("a", queue(Overflow::Close)).await.unwrap();
        inner.sleep(Duration::from_millis(1090)).await;
        let Some(Update::Lagged(lost)) = oldest.next().await else { panic!() };
        assert_eq!(oldest.next().await, Some(Update::Data(lost + 1)));
        assert_eq!(oldest.dropped(), lost);
        assert_eq!(newest.next().await, Some(Update::Data(1)));
        for expected in 2..=4 {
            assert_eq!(newest.next().await, Some(Update::Data(expected)));
        }
        assert_eq!(newest.next().await, Some(Update::Lagged(lost)));
        assert_eq!(latest.next().await, Some(Update::Data(lost + 4)));
        for expected in 1..=4 {
            assert_eq!(close.next().await, Some(Update::Data(expected)));
        }
        assert_eq!(close.next().await, Some(Update::Overflowed));
        assert_eq!(close.next().await, None);
        // Calls are answered meanwhile.
        assert_eq!(client.call::<Value>("echo", [1]).await.unwrap(), serde_json::json!([1]));
    });
}

#[test]
fn data_that_does_not_decode_is_told_and_the_stream_goes_on() {
    let (_, world, client) = publishing();
    world.run(async move {
        let mut stream = client.subscribe_with::<String>("a", Queue::default()).await.unwrap();
        let Some(Update::Invalid(error)) = stream.next().await else { panic!() };
        assert_eq!(error.what, "a");
        assert!(matches!(stream.next().await, Some(Update::Invalid(_))));
    });
}

#[test]
fn an_explicit_reconnect_keeps_everything() {
    let (exchange, world, client) = publishing();
    let script = exchange.clone();
    world.run(async move {
        let mut stream = subscribe(&client, "a").await.unwrap();
        number(&mut stream).await;
        client.reconnect();
        loop {
            if stream.next().await == Some(Update::Resumed) {
                break;
            }
        }
        number(&mut stream).await;
        assert_eq!(client.stats().connections, 2);
    });
    assert_eq!(script.with(|script| script.dialled.len()), 2);
    assert_eq!(exchange.with(|script| script.closes.len()), 1, "the old connection was closed, not dropped");
}

#[test]
fn a_stream_ends_when_the_client_does() {
    let (_, world, client) = publishing();
    world.run(async move {
        let mut stream = subscribe(&client, "a").await.unwrap();
        client.close().await;
        while let Some(update) = stream.next().await {
            assert!(matches!(update, Update::Data(_) | Update::Interrupted(_)), "{update:?}");
        }
    });
}

/// Reads up to the next thing that is not data.
async fn news(stream: &mut Subscription<u64>) -> Update<u64> {
    loop {
        match stream.next().await.expect("more") {
            Update::Data(_) => {}
            other => return other,
        }
    }
}

#[test]
fn a_renewed_channel_begins_anew_and_no_other_notices() {
    let (exchange, world, client) = publishing();
    world.net(|net| net.latency = (Duration::from_millis(150), Duration::from_millis(200)));
    world.run(async move {
        let mut one = subscribe(&client, "a").await.unwrap();
        let mut two = subscribe(&client, "a").await.unwrap();
        let mut other = subscribe(&client, "b").await.unwrap();
        let (first, last) = (number(&mut other).await, number(&mut one).await);
        one.renew();
        // What comes before the server has unsubscribed it still belongs to those who can use it.
        assert_eq!(one.next().await, Some(Update::Data(last + 1)));
        for stream in [&mut one, &mut two] {
            assert_eq!(news(stream).await, Update::Renewing);
            assert_eq!(stream.next().await, Some(Update::Resumed));
            assert!(matches!(stream.next().await, Some(Update::Data(_))));
        }
        for n in 1..20 {
            assert_eq!(other.next().await, Some(Update::Data(first + n)));
        }
    });
    let count = |method: &str| exchange.with(|script| script.calls(method).len());
    assert_eq!((count("unsubscribe"), count("subscribe")), (1, 3));
}

#[test]
fn a_channel_that_is_about_to_begin_is_not_renewed() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    world.run(async move {
        let mut stream = subscribe(&client, "a").await.unwrap();
        stream.renew();
        assert_eq!(stream.next().await, Some(Update::Data(1)), "nothing had come yet");
        inner.sleep(seconds(1)).await;
        // Asking twice is asking once.
        stream.renew();
        stream.renew();
        assert_eq!(news(&mut stream).await, Update::Renewing);
        stream.renew();
        assert_eq!(stream.next().await, Some(Update::Resumed));
        inner.sleep(seconds(100)).await;
    });
    assert_eq!(exchange.with(|script| script.calls("unsubscribe").len()), 1);
}

#[test]
fn a_connection_that_ends_during_a_renewal_is_told() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    exchange.with(|script| script.reply_within = seconds(2));
    world.run(async move {
        let mut stream = subscribe(&client, "a").await.unwrap();
        number(&mut stream).await;
        stream.renew();
        assert_eq!(news(&mut stream).await, Update::Renewing);
        inner.net(|net| net.end(0, "cut"));
        assert_eq!(news(&mut stream).await, Update::Interrupted(dropped("cut")));
        assert_eq!(news(&mut stream).await, Update::Resumed);
    });
}

#[test]
fn renewals_without_end_become_rare() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    let script = exchange.clone();
    world.run(async move {
        let mut stream = subscribe(&client, "a").await.unwrap();
        let count = || script.with(|script| script.calls("unsubscribe").len());
        let mut renew = async |time: Duration| {
            let (end, before) = (inner.now() + time, count());
            while inner.now() < end {
                number(&mut stream).await;
                stream.renew();
            }
            count() - before
        };
        assert!((3..=5).contains(&renew(seconds(4)).await));
        renew(seconds(120)).await;
        assert!((4..=10).contains(&renew(seconds(300)).await), "every 30 to 60 seconds");
        // After a quiet time it begins from the start.
        inner.sleep(seconds(200)).await;
        assert!((2..=5).contains(&renew(seconds(4)).await));
    });
}
