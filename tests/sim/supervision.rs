//! A panic inside a connection, contained. Where a panic ends the program there is nothing to test.
#![cfg(panic = "unwind")]

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::error::{Disconnect, Ended, Error, NotSent, RpcError, Unknown};
use steadysocket::protocol::{Confirmation, Inbound, RequestId, Step};
use steadysocket::time::Instant;
use steadysocket::{
    Bucket, Client, Config, Cost, Event, JsonRpc, Limiter, Message, Payload, Protocol, Refill, Request,
    Restarts, State, Update,
};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::{SimPlatform, World};

/// JSON-RPC that panics when it writes a request `panic`, and when it opens or reads anything while it is told to.
struct Fragile {
    rpc: JsonRpc,
    on_read: Rc<Cell<bool>>,
    on_open: Rc<Cell<bool>>,
}

impl Protocol for Fragile {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        assert!(request.method != "panic", "the pin is 48151623");
        assert!(request.method != "ramble", "{}48151623", "x".repeat(196));
        self.rpc.encode(now, id, request)
    }

    fn open(&mut self, _: Instant, _: Option<Result<&Payload, &RpcError>>) -> Step {
        assert!(!self.on_open.get(), "cannot open");
        Step::Done
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        assert!(!self.on_read.get(), "cannot read");
        self.rpc.read(now, message, found);
    }

    fn subscribe(&self, group: u8, channels: &[&str]) -> Option<Request> {
        self.rpc.subscribe(group, channels)
    }

    fn unsubscribe(&self, group: u8, routes: &[&str]) -> Option<Request> {
        self.rpc.unsubscribe(group, routes)
    }

    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        self.rpc.confirmed(channels, answer)
    }

    fn cost(&self, request: &Request) -> Cow<'static, [Cost]> {
        let held = matches!(&*request.method, "silent" | "echo");
        if held { Cow::Borrowed(&[Cost { bucket: 0, credits: 1 }]) } else { Cow::Borrowed(&[]) }
    }
}

struct Rig {
    exchange: Exchange,
    world: World,
    client: Client,
    on_read: Rc<Cell<bool>>,
    on_open: Rc<Cell<bool>>,
}

fn rig(config: Config, restarts: Restarts) -> Rig {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let (on_read, on_open) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let flags = (on_read.clone(), on_open.clone());
    let make = move || Fragile { rpc: JsonRpc::new(), on_read: flags.0.clone(), on_open: flags.1.clone() };
    let platform = SimPlatform::<true>::new(&world);
    let (client, supervisor) = Client::supervised(config, platform, restarts, make).unwrap();
    world.spawn(async move {
        let _: Ended = supervisor.await;
    });
    Rig { exchange, world, client, on_read, on_open }
}

fn panicked() -> Disconnect {
    Disconnect::Panicked("cannot read".into())
}

#[test]
fn everything_goes_on_after_a_panic() {
    let Rig { exchange, world, client, on_read, .. } = rig(config(), Restarts::default());
    exchange.with(|script| script.publish_every = Some(Duration::from_millis(100)));
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let mut events = client.events();
        let mut stream = client.subscribe_as::<u64>("a").await.unwrap();
        let Some(Update::Data(last)) = stream.next().await else { panic!("no data") };
        // One call is under way, and its fate is unknown; what was not taken from the handles yet waits.
        let (tell, told) = futures::channel::oneshot::channel();
        let order = client.request(Request::with("order", &json!({ "tag": "once" })).unwrap());
        inner.spawn(async move { drop(tell.send(order.await)) });
        on_read.set(true);
        let outcome = told.await.unwrap();
        on_read.set(false);
        assert_eq!(outcome, Err(Unknown::Disconnected(panicked()).into()));
        let answer: Value = client.call("work", json!([7])).await.unwrap();
        assert_eq!(answer, json!([7]));
        let mut last = last;
        loop {
            match stream.next().await.unwrap() {
                Update::Data(number) => {
                    assert_eq!(number, last + 1);
                    last = number;
                }
                other => break assert_eq!(other, Update::Interrupted(panicked())),
            }
        }
        assert_eq!(stream.next().await, Some(Update::Resumed));
        assert!(matches!(stream.next().await, Some(Update::Data(number)) if number > last));
        let stats = client.stats();
        assert_eq!((stats.connections, stats.disconnects), (2, 1), "the counters go on");
        assert_eq!((stats.desired, stats.confirmed), (1, 1));
        let mut seen = Vec::new();
        while seen.last() != Some(&Event::State(State::Live)) {
            seen.push(events.next().await.unwrap().data().unwrap());
        }
        assert!(seen.contains(&Event::Disconnected(panicked())), "{seen:?}");
        exchange.with(|script| {
            assert_eq!(script.executed.get("once"), Some(&1), "a call is never made again");
            // No id is given out a second time.
            let mut ids: Vec<_> =
                script.received.iter().map(|(_, _, message)| message["id"].as_u64()).collect();
            let count = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), count);
        });
        client.close().await;
    });
}

#[test]
fn data_that_came_ahead_of_the_confirmation_is_interrupted_too() {
    let Rig { exchange, world, client, on_read, .. } = rig(config(), Restarts::default());
    exchange.with(|script| script.publish_every = Some(Duration::from_millis(100)));
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let mut events = client.events();
        exchange.with(|script| script.reply_within = Duration::from_secs(1000));
        let mut subscribing = Box::pin(client.subscribe_as::<u64>("a"));
        assert!(futures::poll!(&mut subscribing).is_pending());
        inner.sleep(Duration::from_millis(450)).await;
        assert!(futures::poll!(&mut subscribing).is_pending(), "it is confirmed");
        on_read.set(true);
        while events.next().await.unwrap().data() != Some(Event::Disconnected(panicked())) {}
        on_read.set(false);
        exchange.with(|script| script.reply_within = Duration::from_millis(1));
        let mut stream = subscribing.await.unwrap();
        let mut before = 0;
        loop {
            match stream.next().await.unwrap() {
                Update::Data(number) => before = number,
                other => break assert_eq!(other, Update::Interrupted(panicked())),
            }
        }
        assert_eq!(stream.next().await, Some(Update::Resumed));
        assert!(before > 1 && matches!(stream.next().await, Some(Update::Data(number)) if number > before));
    });
}

#[test]
fn a_request_that_panics_again_and_again_ends_the_client() {
    let restarts = Restarts { most: 2, within: Duration::from_secs(60) };
    let Rig { world, client, .. } = rig(config().header("x-pin", "48151623").unwrap(), restarts);
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let mut stream = client.subscribe_as::<u64>("a").await.unwrap();
        // What it said is told without our own credentials.
        let reason = Disconnect::Panicked("the pin is ***".into());
        let long = Disconnect::Panicked(format!("{}***", "x".repeat(196)));
        for (method, reason) in [("panic", reason.clone()), ("ramble", long)] {
            let outcome = client.call::<Value>(method, ()).await;
            assert_eq!(outcome, Err(Unknown::Disconnected(reason).into()));
            client.ready().await.unwrap();
        }
        let ended = Ended::AttemptsExhausted(reason.clone());
        let outcome = client.call::<Value>("panic", ()).await;
        assert_eq!(outcome, Err(Unknown::Ended(ended.clone()).into()));
        assert_eq!(client.ended().await, ended);
        assert_eq!(client.state(), State::Ended(ended.clone()));
        assert_eq!(client.health().last_disconnect.unwrap().1, reason);
        let late = client.call::<Value>("echo", ()).await;
        assert_eq!(late, Err(NotSent::Ended(ended).into()));
        let mut last = None;
        while let Some(update) = stream.next().await {
            last = Some(update);
        }
        assert_eq!(last, Some(Update::Interrupted(reason)));
        drop(inner);
    });
}

#[test]
fn panics_that_are_rare_enough_never_end_it() {
    let restarts = Restarts { most: 2, within: Duration::from_secs(60) };
    let Rig { world, client, .. } = rig(config(), restarts);
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        for _ in 0..10 {
            assert!(client.call::<Value>("panic", ()).await.is_err());
            inner.sleep(Duration::from_secs(31)).await;
            assert_eq!(client.state(), State::Live);
        }
    });
}

#[test]
fn a_panic_before_the_first_connection_is_ready_is_told() {
    for retried in [false, true] {
        let Rig { world, client, on_open, .. } =
            rig(config().retry_initial_connect(retried), Restarts::default());
        on_open.set(true);
        let inner = world.clone();
        world.run(async move {
            let (tell, mut told) = futures::channel::oneshot::channel();
            let waiting = client.clone();
            inner.spawn(async move { drop(tell.send(waiting.ready().await)) });
            while on_open.get() {
                inner.sleep(Duration::from_millis(1)).await;
                on_open.set(client.stats().disconnects == 0 && !matches!(client.state(), State::Ended(_)));
            }
            let reason = Disconnect::Panicked("cannot open".into());
            let expected = if retried { Ok(()) } else { Err(Error::Connect(Ended::Refused(reason))) };
            inner.sleep(Duration::from_secs(2)).await;
            assert_eq!(told.try_recv().unwrap(), Some(expected));
        });
    }
}

#[test]
fn siblings_get_the_credits_back() {
    let Rig { exchange, world, client, .. } = {
        let bucket = Bucket { name: "under way", capacity: 1, refill: Refill::WhenAnswered, reserve: 0 };
        rig(config().limiter(Some(Limiter::new([bucket]))), Restarts::default())
    };
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let protocol = Fragile { rpc: JsonRpc::new(), on_read: Rc::default(), on_open: Rc::default() };
        let sibling = inner.client(config().limiter(Some(client.limiter().clone())), protocol);
        sibling.ready().await.unwrap();
        let (call, other) = (client.request(Request::new("silent")), sibling.clone());
        inner.spawn(async move { drop(call.await) });
        inner.sleep(Duration::from_millis(50)).await;
        exchange.with(|script| assert_eq!(script.calls("silent").len(), 1));
        let (tell, told) = futures::channel::oneshot::channel();
        inner.spawn(async move { drop(tell.send(other.call::<Value>("echo", json!([1])).await)) });
        inner.sleep(Duration::from_millis(50)).await;
        exchange.with(|script| assert!(script.calls("echo").is_empty(), "the only credit is taken"));
        let start = inner.now();
        assert!(client.call::<Value>("panic", ()).await.is_err());
        assert_eq!(told.await.unwrap(), Ok(json!([1])));
        assert!(inner.now().since(start) < Duration::from_millis(100));
        assert_eq!(sibling.stats().connections, 1);
    });
}

#[test]
fn without_a_supervisor_a_panic_ends_the_client_and_no_more() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let protocol = Fragile { rpc: JsonRpc::new(), on_read: Rc::default(), on_open: Rc::default() };
    let platform = SimPlatform::<true>::new(&world);
    let (client, driver) = Client::with_platform(config(), protocol, platform).unwrap();
    // As a runtime does.
    let mut driver = Box::pin(driver);
    let (tell, told) = futures::channel::oneshot::channel();
    world.spawn(async move {
        let poll = |cx: &mut std::task::Context<'_>| {
            let poll = std::panic::AssertUnwindSafe(|| driver.as_mut().poll(cx));
            std::panic::catch_unwind(poll).map_or_else(|_| std::task::Poll::Ready(()), |poll| poll.map(drop))
        };
        std::future::poll_fn(poll).await;
        drop(driver);
        let _ = tell.send(());
    });
    world.run(async move {
        client.ready().await.unwrap();
        let mut stream = client.subscribe_as::<u64>("a").await.unwrap();
        let outcome = client.call::<Value>("panic", ()).await;
        assert_eq!(outcome, Err(Unknown::Ended(Ended::Abandoned).into()));
        told.await.unwrap();
        assert_eq!(client.ended().await, Ended::Abandoned);
        assert_eq!(client.call::<Value>("echo", ()).await, Err(NotSent::Ended(Ended::Abandoned).into()));
        while stream.next().await.is_some() {}
    });
}

#[test]
fn what_a_dropped_driver_had_in_hand_is_told_as_it_is() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let bucket = Bucket { name: "under way", capacity: 1, refill: Refill::WhenAnswered, reserve: 0 };
    let config = config().limiter(Some(Limiter::new([bucket])));
    let protocol = Fragile { rpc: JsonRpc::new(), on_read: Rc::default(), on_open: Rc::default() };
    let (client, driver) = Client::with_platform(config, protocol, SimPlatform::<true>::new(&world)).unwrap();
    let (driver, handle) = futures::future::abortable(driver);
    world.spawn(async move { drop(driver.await) });
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let outcomes = ["silent", "echo"].map(|method| {
            let (tell, told) = futures::channel::oneshot::channel();
            let call = client.request(Request::new(method));
            inner.spawn(async move { drop(tell.send(call.await)) });
            told
        });
        inner.sleep(Duration::from_millis(50)).await;
        exchange.with(|script| assert_eq!(script.methods(), ["silent"]));
        handle.abort();
        let [left, waited] = outcomes;
        assert_eq!(left.await.unwrap(), Err(Unknown::Ended(Ended::Abandoned).into()));
        assert_eq!(waited.await.unwrap(), Err(NotSent::Ended(Ended::Abandoned).into()));
    });
}

/// The replay goes on after a panic as the connection did.
#[cfg(feature = "record")]
#[test]
fn a_recorded_panic_replays() {
    use steadysocket::recorder::{Memory, Reader, Recorder};
    use steadysocket::replay::Replay;

    let memory = Memory::new(10_000_000);
    let recorder = Recorder::new(memory.clone(), Duration::default);
    let Rig { exchange, world, client, on_read, .. } =
        rig(config().recorder(Some(recorder)), Restarts::default());
    exchange.with(|script| script.publish_every = Some(Duration::from_millis(100)));
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let mut stream = client.subscribe_as::<u64>("a").await.unwrap();
        inner.sleep(Duration::from_secs(1)).await;
        on_read.set(true);
        let is_panic =
            |update: &Update<u64>| matches!(update, Update::Interrupted(reason) if *reason == panicked());
        while !is_panic(&stream.next().await.unwrap()) {}
        on_read.set(false);
        client.ready().await.unwrap();
        let answer: Value = client.call("work", json!([7])).await.unwrap();
        assert_eq!(answer, json!([7]));
        // This one panics when it is written.
        client.call::<Value>("panic", ()).await.unwrap_err();
        client.ready().await.unwrap();
        client.close().await;
    });
    world.end();
    let text = memory.text();
    assert_eq!(text.matches(r#""in":{"begin""#).count(), 3);
    assert_eq!(text.matches(r#""in":{"take_over""#).count(), 2);
    // A protocol that is mended: it sends what could not be written, and that is all that differs.
    let history = Replay::new(Reader::new(text.as_bytes()), JsonRpc::new).history().unwrap();
    let [difference] = &*history.differences else { panic!("{:#?}", history.differences) };
    let [sent, rest @ ..] = &*difference.replayed else { panic!("{difference:#?}") };
    assert!(sent.contains(r#""method":"panic""#) && rest == difference.recorded, "{difference:#?}");
}
