//! Several connections used as one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::{Overflow, Queue, WhenBlocked};
use steadysocket::error::{Disconnect, Error, NotSent, Unknown};
use steadysocket::pool::Position;
use steadysocket::testing::{Answer, Dial, Net, Script, Venue};
use steadysocket::{Client, JsonRpc, Payload, Pool, PoolOptions, Request, State, Update};

use crate::calls::config;
use crate::test;
use crate::world::World;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

struct Rig {
    server: Script,
    world: World,
    members: Vec<Client>,
    pool: Pool,
}

fn rig(seed: u64, count: usize) -> Rig {
    let server = Script::new();
    let world = World::new(seed, server.clone());
    let members: Vec<_> =
        (0..count).map(|_| world.client(config().retry_initial_connect(true), JsonRpc::new())).collect();
    let pool = Pool::new(members.iter().cloned(), PoolOptions::default()).unwrap();
    Rig { server, world, members, pool }
}

impl Rig {
    /// Publishes numbers from one on for as long as the test runs; the last one.
    fn publish(&self, channel: &'static str, every: Duration) -> Rc<Cell<u64>> {
        let (server, world, last) = (self.server.clone(), self.world.clone(), Rc::new(Cell::new(0)));
        let count = last.clone();
        self.world.spawn(async move {
            loop {
                world.sleep(every).await;
                count.set(count.get() + 1);
                server.publish(&world, channel, &json!(count.get()));
            }
        });
        last
    }

    fn ready(&self) {
        let members = self.members.clone();
        self.world.run(async move {
            for member in members {
                member.ready().await.unwrap();
            }
        });
    }
}

fn open(world: &World) -> Vec<usize> {
    world.net(|net| (0..net.connections()).filter(|conn| net.is_open(*conn)).collect())
}

fn number(payload: &Payload) -> u64 {
    payload.decode().unwrap()
}

/// Numbers without a gap, or, with `proves` off, as if they were times.
fn sequence(proves: bool) -> impl FnMut(&Payload) -> Option<Position> + Unpin {
    move |payload| {
        let at = number(payload);
        Some(if proves { Position::After { after: at - 1, at } } else { Position::Later(at) })
    }
}

#[test]
fn a_hundred_cuts_of_one_of_two_are_not_seen() {
    for proves in [true, false] {
        let rig = rig(7, 2);
        rig.ready();
        let last = rig.publish("a", millis(10));
        let Rig { world, members, pool, .. } = rig;
        let heard = Rc::new(RefCell::new(Vec::new()));
        let (into, inner) = (heard.clone(), world.clone());
        world.spawn(async move {
            let mut stream = pool.redundant("a", sequence(proves)).await.unwrap();
            while let Some(update) = stream.next().await {
                into.borrow_mut().push(update);
            }
        });
        world.run(async move {
            inner.sleep(seconds(1)).await;
            for _ in 0..100 {
                let conns = open(&inner);
                assert_eq!(conns.len(), 2);
                let which = inner.net(Net::random) as usize % 2;
                inner.net(|net| net.reset(conns[which]));
                inner.sleep(millis(20)).await;
                for member in &members {
                    member.ready().await.unwrap();
                }
                inner.sleep(millis(150)).await;
            }
        });
        let numbers: Vec<_> = heard
            .take()
            .into_iter()
            .map(|update| match update {
                Update::Data(payload) => number(&payload),
                other => panic!("{other:?}"),
            })
            .collect();
        let first = numbers[0];
        assert!(numbers.len() > 1000 && first < 20, "{first}, {}", numbers.len());
        assert!(numbers.iter().copied().eq(first..first + numbers.len() as u64), "{numbers:?}");
        assert!(last.get() - numbers[numbers.len() - 1] < 5);
    }
}

#[test]
fn whatever_is_cut_nothing_comes_twice_and_no_loss_is_silent() {
    for seed in 0..60 {
        let rig = rig(seed, 2);
        rig.ready();
        rig.publish("a", millis(10));
        let Rig { world, pool, .. } = rig;
        let inner = world.clone();
        world.spawn(async move {
            loop {
                let pause = inner.net(|net| net.between(Duration::ZERO, millis(600)));
                inner.sleep(pause).await;
                let conns = open(&inner);
                inner.net(|net| {
                    let chance = net.random();
                    match conns.get(chance as usize % 3) {
                        Some(conn) if chance & 8 == 0 => net.reset(*conn),
                        Some(conn) => net.end(*conn, "cut"),
                        None => {}
                    }
                });
            }
        });
        let proves = seed % 2 == 0;
        let (losses, count) = world.run(async move {
            let mut stream = pool.redundant("a", sequence(proves)).await.unwrap();
            let (mut last, mut told, mut losses, mut count) = (0, true, 0, 0);
            while count < 3000 {
                match stream.next().await.unwrap() {
                    Update::Data(payload) => {
                        let at = number(&payload);
                        assert!(at > last, "seed {seed}: {at} after {last}");
                        assert!(told || at == last + 1, "seed {seed}: {at} after {last} without a word");
                        losses += u64::from(at != last + 1);
                        (last, told, count) = (at, false, count + 1);
                    }
                    Update::Lagged(_) | Update::Interrupted(_) => told = true,
                    Update::Resumed => {}
                    other => panic!("seed {seed}: {other:?}"),
                }
            }
            (losses, count)
        });
        assert!(losses < count / 20, "seed {seed}: {losses} losses among {count}");
    }
}

#[test]
fn planned_reconnects_are_not_seen_by_who_is_on_two() {
    let rig = rig(3, 2);
    rig.ready();
    rig.publish("a", millis(10));
    let Rig { world, members, pool, .. } = rig;
    let again = pool.clone();
    let done = Rc::new(Cell::new(false));
    let (flag, inner) = (done.clone(), world.clone());
    world.spawn(async move {
        inner.sleep(seconds(1)).await;
        for _ in 0..10 {
            again.reconnect().await;
        }
        flag.set(true);
    });
    world.run(async move {
        let mut stream = pool.redundant("a", sequence(true)).await.unwrap();
        let mut last = None;
        while !done.get() {
            let Some(Update::Data(payload)) = stream.next().await else { panic!("it was seen") };
            let at = number(&payload);
            assert!(last.is_none_or(|last| at == last + 1));
            last = Some(at);
        }
        assert_eq!(members.iter().map(|member| member.stats().connections).sum::<u64>(), 22);
    });
}

#[test]
fn who_ends_or_is_removed_hands_its_channels_on() {
    let rig = rig(1, 3);
    rig.ready();
    for channel in ["a", "b", "c"] {
        rig.publish(channel, millis(50));
    }
    let Rig { server, world, members, pool } = rig;
    let inner = world.clone();
    world.run(async move {
        let mut streams = Vec::new();
        for channel in ["a", "b", "c"] {
            streams.push(pool.subscribe::<u64>(channel).await.unwrap());
        }
        let carried: Vec<_> = pool.scores().iter().map(|score| score.channels).collect();
        assert_eq!(carried, [1, 1, 1]);
        // One is removed, and lives on; another ends.
        let removed = pool.remove(streams[0].member().unwrap()).unwrap();
        let told = loop {
            match streams[0].next().await.unwrap() {
                Update::Data(_) => {}
                other => break other,
            }
        };
        assert_eq!(told, Update::Interrupted(Disconnect::Moved));
        assert_eq!(streams[0].next().await, Some(Update::Resumed));
        assert!(matches!(streams[0].next().await, Some(Update::Data(_))));
        inner.sleep(millis(50)).await;
        assert_eq!((removed.state(), removed.stats().desired), (State::Live, 0));
        for member in &members {
            if member.stats().desired > 0 {
                member.close().await;
                break;
            }
        }
        // Whoever was on the one that ended is told why it stopped, and goes on.
        for stream in &mut streams {
            for _ in 0..100 {
                assert!(stream.next().await.is_some());
            }
        }
        assert_eq!(pool.scores().len(), 1);
        assert_eq!(pool.scores()[0].channels, 3);
        assert!(server.calls("subscribe").len() >= 5);
    });
}

#[test]
fn what_may_have_been_executed_is_made_by_one_member_only() {
    let rig = rig(5, 3);
    rig.ready();
    let executed = Rc::new(Cell::new(0_u64));
    let (count, draws) = (executed.clone(), Cell::new(0_u64));
    rig.server.on("order", move |_| {
        count.set(count.get() + 1);
        draws.set(draws.get() + 1);
        // Every seventh is executed, and its answer is lost with the connection.
        if draws.get().is_multiple_of(7) { Answer::Cut } else { Answer::Result(json!("done")) }
    });
    let Rig { server, world, pool, .. } = rig;
    let inner = world.clone();
    let (done, unknown, not_sent) = world.run(async move {
        let mut tally = (0, 0, 0);
        for tag in 0..500 {
            match pool.call::<Value>("order", json!({ "tag": tag })).await {
                Ok(_) => tally.0 += 1,
                Err(Error::Unknown(Unknown::Disconnected(_))) => tally.1 += 1,
                // All were cut at the time, and the one that it was given to did not come back in time.
                Err(Error::NotSent(NotSent::DeadlinePassed)) => tally.2 += 1,
                Err(other) => panic!("{other:?}"),
            }
            inner.sleep(millis(20)).await;
        }
        tally
    });
    server.assert_never_twice("tag", "order");
    assert_eq!(executed.get(), done + unknown);
    assert!(unknown > 50 && not_sent < 20, "{done} done, {unknown} unknown, {not_sent} not sent");
}

/// Accepts the first connection, and no other.
struct OneOnly(Script);

impl Venue for OneOnly {
    fn dial(&mut self, _: &mut Net, conn: usize) -> Dial {
        if conn == 0 { Dial::Accept } else { Dial::Hang }
    }

    fn opened(&mut self, net: &mut Net, conn: usize) {
        self.0.opened(net, conn);
    }

    fn frame(&mut self, net: &mut Net, conn: usize, frame: steadysocket::Frame) {
        self.0.frame(net, conn, frame);
    }
}

#[test]
fn calls_go_to_who_is_live_and_on_from_who_cannot_send() {
    let server = Script::new();
    server.on("work", |_| Answer::Result(json!(1)));
    let world = World::new(1, OneOnly(server.clone()));
    let refusing = || config().retry_initial_connect(true).when_offline(WhenBlocked::Refuse);
    let live = world.client(refusing(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        live.ready().await.unwrap();
        let dead = inner.client(refusing(), JsonRpc::new());
        let pool = Pool::new([dead.clone(), live.clone()], PoolOptions::default()).unwrap();
        assert_eq!(pool.scores()[0].state, State::Live);
        assert_eq!(pool.call::<u64>("work", ()).await, Ok(1));
        // Without a live one the others are asked, and each says that it did not send it.
        live.close().await;
        assert_eq!(pool.call::<u64>("work", ()).await, Err(NotSent::Offline.into()));
        assert_eq!(pool.scores().len(), 1, "who has ended is gone");
        assert_eq!(server.calls("work").len(), 1);

        let alone = PoolOptions { failover: false, ..PoolOptions::default() };
        let pool = Pool::new([dead], alone).unwrap();
        let outcome = pool.request(Request::new("work")).await;
        assert_eq!(outcome, Err(NotSent::Offline.into()));
        let nobody = Pool::new([], PoolOptions::default()).unwrap();
        assert_eq!(nobody.call::<u64>("work", ()).await, Err(NotSent::Offline.into()));
        assert!(matches!(nobody.subscribe::<u64>("a").await, Err(Error::NotSent(NotSent::Offline))));
    });
}

#[test]
fn a_stream_of_one_member_is_interrupted_with_it() {
    let rig = rig(2, 1);
    rig.ready();
    rig.publish("a", millis(50));
    let Rig { server, world, pool, .. } = rig;
    let inner = world.clone();
    world.run(async move {
        let mut stream = pool.redundant("a", sequence(true)).await.unwrap();
        assert!(matches!(stream.next().await, Some(Update::Data(_))));
        assert!(!stream.is_redundant());
        server.cut(&inner);
        let told = loop {
            match stream.next().await.unwrap() {
                Update::Data(_) => {}
                other => break other,
            }
        };
        assert_eq!(told, Update::Interrupted(Disconnect::Dropped("cut".into())));
        assert_eq!(stream.next().await, Some(Update::Resumed));
        // Another member makes it redundant, without a word.
        pool.add(inner.client(config(), JsonRpc::new()));
        for _ in 0..40 {
            assert!(matches!(stream.next().await, Some(Update::Data(_))));
        }
        assert!(stream.is_redundant());
    });
}

#[test]
fn a_consumer_whose_queue_ends_by_overflow_takes_no_member_along() {
    let rig = rig(4, 1);
    rig.ready();
    rig.publish("a", millis(50));
    rig.publish("b", millis(50));
    let Rig { world, pool, .. } = rig;
    let inner = world.clone();
    world.run(async move {
        let queue = Queue { capacity: 3, overflow: Overflow::Close, ..Queue::default() };
        let mut slow = pool.subscribe_with::<u64>("a", queue).await.unwrap();
        let mut other = pool.subscribe::<u64>("b").await.unwrap();
        inner.sleep(seconds(1)).await;
        for _ in 0..3 {
            assert!(matches!(slow.next().await, Some(Update::Data(_))));
        }
        assert_eq!(slow.next().await, Some(Update::Overflowed));
        assert_eq!(slow.next().await, None);
        assert_eq!(pool.scores().len(), 1);
        for _ in 0..30 {
            assert!(matches!(other.next().await, Some(Update::Data(_))));
        }
    });
}
