//! How a client is, and what is made of it.

use std::time::Duration;

use steadysocket::config::{Heartbeat, Queue};
use steadysocket::error::{Disconnect, Ended};
use steadysocket::{
    Bucket, Client, Cost, JsonRpc, Lane, Limiter, Payload, Refill, State, Subscription, Trouble, Verdict,
};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::{Dial, World};

/// A client with a channel that brings ten numbers a second.
fn publishing() -> (Exchange, World, Client) {
    let exchange = Exchange::new();
    exchange.with(|script| script.publish_every = Some(Duration::from_millis(100)));
    let world = World::new(1, exchange.clone());
    let config = config().heartbeat(Some(Heartbeat { idle: seconds(4), timeout: seconds(2) }));
    let client = world.client(config, JsonRpc::new());
    (exchange, world, client)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn subscribe(client: &Client, capacity: usize) -> Subscription<Payload> {
    let queue = Queue { capacity, ..Queue::default() };
    client.subscribe_with("a", queue).await.unwrap()
}

#[test]
fn it_follows_a_cut_and_the_recovery() {
    let (exchange, world, client) = publishing();
    let inner = world.clone();
    world.run(async move {
        assert_eq!(client.health().verdict(), Verdict::Down(Trouble::Disconnected(None)));
        let _stream = subscribe(&client, 4096).await;
        let live_since = inner.now();
        inner.sleep(seconds(1)).await;
        let health = client.health();
        assert_eq!((health.verdict(), health.since <= live_since), (Verdict::Healthy, true));
        assert_eq!((health.stats.desired, health.stats.confirmed), (1, 1));
        assert!(health.silence().unwrap() <= Duration::from_millis(110));

        // The peer goes without a word: first it is asked, then it is given up.
        let conn = exchange.with(|script| script.current());
        inner.net(|net| net.kill(conn));
        inner.sleep(seconds(5)).await;
        let Verdict::Degraded(troubles) = client.health().verdict() else { panic!("{:?}", client.health()) };
        assert!(matches!(troubles[..], [Trouble::Silent(asked)] if asked <= 2 * seconds(1)), "{troubles:?}");
        exchange.with(|script| script.dials.push_back(Dial::Hang));
        while client.state() == State::Live {
            inner.sleep(Duration::from_millis(10)).await;
        }
        let health = client.health();
        let Verdict::Down(Trouble::Disconnected(Some(reason))) = health.verdict() else {
            panic!("{health:?}")
        };
        assert!(matches!(reason, Disconnect::Silent(_)), "{reason:?}");
        let (when, noted) = health.last_disconnect.clone().unwrap();
        assert_eq!((noted, health.since), (reason, when));

        client.ready().await.unwrap();
        let health = client.health();
        assert_eq!((health.verdict(), health.stats.confirmed), (Verdict::Healthy, 1));
        assert!(health.last_disconnect.is_some(), "what was is not forgotten");
        client.close().await;
        let health = client.health();
        assert_eq!(health.verdict(), Verdict::Down(Trouble::Ended(Ended::Closed)));
        assert!(health.at.since(health.since) <= seconds(1));
    });
}

#[test]
fn a_slow_consumer_and_what_it_lost_are_seen() {
    let (_, world, client) = publishing();
    let inner = world.clone();
    world.run(async move {
        let mut stream = subscribe(&client, 20).await;
        inner.sleep(Duration::from_millis(1650)).await;
        let health = client.health();
        assert_eq!((health.streams.len(), health.dropped), (1, 0));
        assert_eq!(health.verdict(), Verdict::Degraded(vec![Trouble::Behind("a".into(), 16)]));
        inner.sleep(seconds(1)).await;
        let health = client.health();
        assert_eq!((health.dropped, health.streams[0].dropped), (6, 6));
        while stream.waiting() > 5 {
            stream.next().await;
        }
        assert_eq!(client.health().verdict(), Verdict::Healthy);
        drop(stream);
        inner.sleep(Duration::from_millis(1)).await;
        let health = client.health();
        assert_eq!((health.streams.len(), health.dropped), (0, 6), "a count outlives its queue");
    });
}

#[test]
fn credits_and_refused_channels_are_seen() {
    let exchange = Exchange::new();
    exchange.with(|script| script.unknown.insert("a".into()));
    let world = World::new(1, exchange.clone());
    let bucket = Bucket { name: "calls", capacity: 2, refill: Refill::PerSecond(1), reserve: 0 };
    let limiter = Limiter::new([bucket]);
    let client = world.client(config().limiter(Some(limiter.clone())), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let refused = client.subscribe("a").await;
        assert!(refused.is_err());
        inner.sleep(seconds(1)).await;
        let spend = [Cost { bucket: 0, credits: 2 }];
        limiter.spend(client.now(), &spend, Lane::Normal).unwrap();
        let health = client.health();
        assert_eq!(health.credits[0].available, 0);
        assert_eq!(health.verdict(), Verdict::Degraded(vec![Trouble::OutOfCredits("calls")]));
        inner.sleep(seconds(2)).await;
        assert_eq!(client.health().verdict(), Verdict::Healthy);
    });
}
