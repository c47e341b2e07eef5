//! A hundred hours of connection life with random faults, and what must hold whatever happens.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::{Overflow, Queue};
use steadysocket::error::{Error, Refusal};
use steadysocket::transport::{Platform, Signal};
use steadysocket::{Client, JsonRpc, State, Transport, Update};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::World;

const HOUR: Duration = Duration::from_secs(3600);

/// What callers were told of their orders.
#[derive(Default)]
struct Told {
    done: Vec<String>,
    not_sent: Vec<String>,
    unknown: Vec<String>,
    refused: u64,
}

/// What a consumer went through.
#[derive(Default, Debug)]
struct Heard {
    data: u64,
    interruptions: u64,
    lagged: u64,
}

struct Outcome {
    history: u64,
    happened: u64,
    connections: u64,
    orders: usize,
    heard: Heard,
}

/// One life: three streams, a stream of orders, and every fault that the venue and the world know.
fn live(seed: u64, hours: u32) -> Outcome {
    let exchange = Exchange::new();
    exchange.with(|script| {
        script.storm = Some(Duration::from_secs(120));
        script.publish_every = Some(Duration::from_millis(2500));
        script.reply_within = Duration::from_secs(3);
    });
    let world = World::new(seed, exchange.clone());
    world.net(|net| net.latency = (Duration::from_millis(1), Duration::from_millis(200)));
    let client = world.client(config().retry_initial_connect(true), JsonRpc::new());
    let heard = Rc::new(RefCell::new(Heard::default()));
    for channel in ["a", "b", "c"] {
        world.spawn(consume(world.clone(), client.clone(), channel, heard.clone()));
    }
    let told = Rc::new(RefCell::new(Told::default()));
    world.spawn(trade(world.clone(), client.clone(), seed, told.clone()));
    for hour in 0..hours {
        disturb(&world, hour);
        world.run_for(HOUR);
        judge(&exchange, &told.borrow(), seed);
    }
    // The network is kind again, once the last fault on its way has struck: everything desired must come back. A peer that
    // reads no more, while its data still comes, is found out only when the socket has no room for another order.
    exchange.with(|script| script.storm = None);
    world.run_for(Duration::from_secs(900));
    let stats = client.stats();
    assert_eq!((client.state(), stats.desired, stats.confirmed), (State::Live, 3, 3), "seed {seed}");
    assert!(stats.waiting + stats.in_flight <= 3, "seed {seed}: {stats:?}");
    let heard = heard.take();
    let orders = exchange.with(|script| script.executed.len());
    let happened = world.net(|net| net.happened);
    Outcome { history: world.history(), happened, connections: stats.connections, orders, heard }
}

/// Sleeps, lost networks and pages that come and go.
fn disturb(world: &World, hour: u32) {
    let (nap, kind) =
        world.net(|net| (net.between(Duration::ZERO, Duration::from_secs(300)), net.random() % 4));
    world.net(|net| net.note(("disturb", hour, kind)));
    match kind {
        0 => world.freeze(nap),
        1 => world.net(|net| net.signal(Signal::Visible)),
        2 => {
            world.net(|net| net.signal(Signal::Offline));
            world.run_for(nap);
            world.net(|net| net.signal(Signal::Online));
        }
        _ => {}
    }
}

/// Reads one channel, sometimes slowly, and checks that no loss is silent.
async fn consume(world: World, client: Client, channel: &'static str, heard: Rc<RefCell<Heard>>) {
    let queue = Queue { capacity: 8, overflow: Overflow::DropOldest, ..Queue::default() };
    let mut stream = loop {
        match client.subscribe_with::<u64>(channel, queue).await {
            Ok(stream) => break stream,
            Err(_) => world.sleep(Duration::from_secs(1)).await,
        }
    };
    let (mut last, mut excused) = (None::<u64>, true);
    while let Some(update) = stream.next().await {
        world.net(|net| net.note((channel, format!("{update:?}"))));
        let is_data = matches!(update, Update::Data(_));
        match update {
            Update::Data(number) => {
                if let Some(last) = last {
                    assert!(number > last, "{channel}: {number} after {last}");
                    assert!(excused || number == last + 1, "{channel}: {last} to {number} without a word");
                }
                (last, excused) = (Some(number), false);
                heard.borrow_mut().data += 1;
            }
            Update::Interrupted(_) => {
                excused = true;
                heard.borrow_mut().interruptions += 1;
            }
            Update::Lagged(lost) => {
                excused = true;
                heard.borrow_mut().lagged += lost;
            }
            // A venue that stalls does not answer; it is asked again.
            Update::Resumed | Update::Refused(Refusal::TimedOut) => {}
            other => panic!("{channel}: {other:?}"),
        }
        if is_data && world.net(|net| net.chance(500)) {
            world.sleep(Duration::from_secs(60)).await;
        }
    }
}

/// Makes orders for ever, each under its own tag, and keeps what became of them.
async fn trade(world: World, client: Client, seed: u64, told: Rc<RefCell<Told>>) {
    for n in 0u64.. {
        let pause = world.net(|net| net.between(Duration::ZERO, Duration::from_secs(20)));
        world.sleep(pause).await;
        let tag = format!("{seed}-{n}");
        let outcome = client.call::<Value>("order", json!({ "tag": tag })).await;
        let mut told = told.borrow_mut();
        match outcome {
            Ok(_) => told.done.push(tag),
            Err(Error::NotSent(_)) => told.not_sent.push(tag),
            Err(Error::Unknown(_)) => told.unknown.push(tag),
            Err(_) => told.refused += 1,
        }
    }
}

/// The venue's ledger against what callers were told.
fn judge(exchange: &Exchange, told: &Told, seed: u64) {
    exchange.with(|script| {
        let executed: &BTreeMap<String, u32> = &script.executed;
        assert!(executed.values().all(|times| *times == 1), "seed {seed}: an order was executed twice");
        for tag in &told.done {
            assert!(executed.contains_key(tag), "seed {seed}: {tag} was answered and not executed");
        }
        for tag in &told.not_sent {
            assert!(!executed.contains_key(tag), "seed {seed}: {tag} was executed and called not sent");
        }
        assert_eq!(told.refused, 0, "seed {seed}");
        // The ledger of what arrived would grow for ever.
        script.received.clear();
    });
}

/// Prints in the ordinary test run too, where the harness keeps what `println!` says to itself.
pub fn say(line: &str) {
    if cfg!(target_family = "wasm") {
        println!("{line}");
    } else {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{line}\n").as_bytes());
    }
}

pub fn seed() -> u64 {
    let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| Transport::new().seed())
}

#[test]
fn a_hundred_hours() {
    let first = seed();
    say(&format!("storm: replay with SEED={first}"));
    let (mut connections, mut orders, mut happened) = (0, 0, 0);
    let mut heard = Heard::default();
    for seed in (0..10).map(|n| first.wrapping_add(n)) {
        let life = live(seed, 10);
        connections += life.connections;
        orders += life.orders;
        happened += life.happened;
        heard.data += life.heard.data;
        heard.interruptions += life.heard.interruptions;
        heard.lagged += life.heard.lagged;
    }
    say(&format!("storm: 100 h, {connections} connections, {orders} orders, {happened} events, {heard:?}"));
    assert!(connections > 1000 && orders > 5000 && heard.interruptions > 1000 && heard.lagged > 0);
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [1, 2, 3] {
        let (one, two) = (live(seed, 2), live(seed, 2));
        assert_eq!((one.history, one.happened), (two.history, two.happened));
    }
    assert_ne!(live(1, 1).history, live(2, 1).history);
}
