//! Faults that a reading of the code found, each with the test that showed it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::WhenBlocked;
use steadysocket::error::{ConnectError, Error, NotSent, Refusal};
use steadysocket::protocol::{Confirmation, Inbound, RequestId, RequestIds, SubscribeLimits};
use steadysocket::session::{Command, Effect, Session, Work};
use steadysocket::time::Instant;
use steadysocket::transport::Signal;
use steadysocket::{
    Bucket, CloseCode, CloseFrame, Cost, Frame, JsonRpc, Message, Payload, Protocol, Refill, Request, State,
    Update,
};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::{Dial, World};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// JSON-RPC whose every method costs, from one bucket, and that is idempotent when told so.
#[derive(Clone)]
struct Priced {
    rpc: JsonRpc,
    bucket: (u64, u64),
    cost: &'static [Cost],
    again: bool,
    encoded: Rc<RefCell<Vec<String>>>,
}
impl Priced {
    fn new(capacity: u64, refill: u64, cost: &'static [Cost]) -> Self {
        Self { rpc: JsonRpc::new(), bucket: (capacity, refill), cost, again: false, encoded: Rc::default() }
    }
}
impl Protocol for Priced {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, r: &Request) -> Result<Message, NotSent> {
        self.encoded.borrow_mut().push(r.method.to_string());
        self.rpc.encode(now, id, r)
    }
    fn encode_batch(&mut self, r: &[(Option<RequestId>, Request)]) -> Result<Message, NotSent> {
        self.rpc.encode_batch(r)
    }
    fn read<'m>(&mut self, now: Instant, m: &'m Message, f: &mut dyn FnMut(Inbound<'m>)) {
        self.rpc.read(now, m, f)
    }
    fn buckets(&self) -> Vec<Bucket> {
        vec![Bucket {
            name: "b",
            capacity: self.bucket.0,
            refill: Refill::PerSecond(self.bucket.1),
            reserve: 0,
        }]
    }
    fn cost(&self, _: &Request) -> Cow<'static, [Cost]> {
        Cow::Borrowed(self.cost)
    }
    fn is_idempotent(&self, _: &str) -> bool {
        self.again
    }
    fn subscribe_limits(&self) -> SubscribeLimits {
        self.rpc.subscribe_limits()
    }
    fn subscribe(&self, g: u8, c: &[&str]) -> Option<Request> {
        self.rpc.subscribe(g, c)
    }
    fn unsubscribe(&self, g: u8, c: &[&str]) -> Option<Request> {
        self.rpc.unsubscribe(g, c)
    }
    fn confirmed(&self, c: &[&str], a: &Payload) -> Vec<Confirmation> {
        self.rpc.confirmed(c, a)
    }
}
const ONE: &[Cost] = &[Cost { bucket: 0, credits: 1 }];
const HUNDRED: &[Cost] = &[Cost { bucket: 0, credits: 100 }];

#[test]
fn a_cancelled_batch_takes_nothing_else_along() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let outcome = world.run(async move {
        let order = client.call::<Value>("order", json!({ "tag": "a" }));
        futures::pin_mut!(order);
        {
            let batch = client.batch([Request::new("echo")]);
            futures::pin_mut!(batch);
            assert!(futures::poll!(&mut batch).is_pending());
            assert!(futures::poll!(&mut order).is_pending());
        }
        order.await
    });
    assert_eq!(outcome, Ok(json!("done")));
}

#[test]
fn two_handles_that_close_say_goodbye_once() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    let took = world.run(async move {
        client.ready().await.unwrap();
        let start = inner.now();
        futures::join!(client.close(), client.close());
        inner.now().since(start)
    });
    assert_eq!((exchange.with(|s| s.closes.len()), took < ms(1000)), (1, true), "{took:?}");
}

#[test]
fn reconnect_then_close_says_goodbye() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    world.run(async move {
        client.ready().await.unwrap();
        client.reconnect();
        client.close().await;
    });
    assert_eq!(exchange.with(|s| s.closes.len()), 1);
}

#[test]
fn refuse_lets_two_affordable_calls_go_together() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config().when_limited(WhenBlocked::Refuse), Priced::new(100, 100, ONE));
    let (a, b) = world.run(async move {
        client.ready().await.unwrap();
        futures::join!(client.call::<Value>("echo", json!([1])), client.call::<Value>("echo", json!([2])))
    });
    assert_eq!((a, b), (Ok(json!([1])), Ok(json!([2]))));
}

#[test]
fn an_idempotent_call_that_left_is_never_called_not_sent() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let protocol = Priced { again: true, ..Priced::new(100, 100, ONE) };
    let client = world.client(config().retry_idempotent(true), protocol);
    let inner = world.clone();
    let outcome = world.run(async move {
        client.ready().await.unwrap();
        let cut = async {
            inner.sleep(ms(1000)).await;
            inner.net(|net| {
                net.send(0, Frame::Close(Some(CloseFrame::new(CloseCode::POLICY_VIOLATION, "no"))))
            });
        };
        futures::join!(client.call::<Value>("silent", ()), cut).0
    });
    assert_eq!(exchange.with(|s| s.calls("silent").len()), 1, "it left");
    assert!(matches!(outcome, Err(Error::Unknown(_))), "{outcome:?}");
}

#[test]
fn same_when_its_deadline_passes_while_reconnecting() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let protocol = Priced { again: true, ..Priced::new(100, 100, ONE) };
    let client = world.client(config().retry_idempotent(true), protocol);
    let inner = world.clone();
    let ex = exchange.clone();
    let outcome = world.run(async move {
        client.ready().await.unwrap();
        let cut = async {
            inner.sleep(ms(1000)).await;
            ex.with(|s| s.dials.push_back(Dial::Hang));
            inner.net(|net| net.end(0, "cut"));
        };
        futures::join!(client.call::<Value>("silent", ()), cut).0
    });
    assert!(matches!(outcome, Err(Error::Unknown(_))), "{outcome:?}");
}

#[test]
fn a_subscription_confirmed_late_is_given_back() {
    let exchange = Exchange::new();
    exchange.with(|s| s.reply_within = ms(5000));
    let world = World::new(1, exchange.clone());
    let client = world.client(config().call_timeout(ms(50)), JsonRpc::new());
    let inner = world.clone();
    let ex = exchange.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let refused = client.subscribe("a").await.unwrap_err();
        assert!(matches!(refused, Error::Refused { reason: Refusal::TimedOut, .. }), "{refused:?}");
        inner.sleep(ms(30_000)).await;
        assert_eq!(ex.with(|s| s.subscribed[&0].len()), 0, "nobody wants it any more");
    });
}

#[test]
fn an_unsubscribe_without_credits_is_made_later() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), Priced::new(100, 1, HUNDRED));
    let inner = world.clone();
    let ex = exchange.clone();
    world.run(async move {
        client.ready().await.unwrap();
        drop(client.subscribe("a").await.unwrap());
        inner.sleep(Duration::from_secs(600)).await;
        assert_eq!(ex.with(|s| s.subscribed[&0].len()), 0, "nobody wants it any more");
    });
}

#[test]
fn what_is_never_sent_is_never_encoded() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let protocol = Priced::new(100, 20, HUNDRED);
    let encoded = protocol.encoded.clone();
    let client = world.client(config(), protocol);
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        client.call::<Value>("echo", json!([1])).await.unwrap();
        {
            let call = client.call::<Value>("echo", json!([2]));
            let stop = inner.sleep(ms(1000));
            futures::pin_mut!(call, stop);
            futures::future::select(call, stop).await;
        }
        inner.sleep(ms(20_000)).await;
    });
    assert_eq!(encoded.borrow().len(), exchange.with(|s| s.calls("echo").len()));
}

fn session() -> (Session<JsonRpc>, RequestIds, Instant) {
    let ids = RequestIds::default();
    let now = Instant::from_nanos(1_000_000_000_000);
    let mut s = Session::new(Arc::new(config()), JsonRpc::new(), true, ids.clone(), 1);
    s.start(now);
    s.handle_connected(now);
    assert!(s.poll_transmit(now).is_none());
    while s.poll_effect().is_some() {}
    (s, ids, now)
}

#[test]
fn an_expired_request_does_not_leave_whatever_the_driver_does() {
    let (mut s, ids, now) = session();
    let work = Work::Call(Request::new("order"));
    s.handle_command(now, Command::Submit { id: ids.next(), work, timeout: Some(ms(100)) });
    assert!(s.poll_transmit(now + ms(200)).is_none());
}

#[test]
fn a_batch_of_nonsense_costs_little() {
    let (mut s, _, now) = session();
    let mut text = String::from("[1");
    text.push_str(&",1".repeat(8 * 1024 * 1024 - 2));
    text.push(']');
    assert!(text.len() <= 16 * 1024 * 1024);
    s.handle_frame(now, Frame::Message(text.into()));
    let mut n = 0usize;
    while s.poll_effect().is_some() {
        n += 1;
    }
    let bytes = n * size_of::<Effect>();
    assert!(bytes < 64 << 20, "{n} effects, {} MiB without their strings", bytes >> 20);
}

#[test]
fn retry_after_outlives_a_visible_page() {
    let exchange = Exchange::new();
    exchange.with(|s| {
        s.dials.extend([
            Dial::Fail(ConnectError::Status {
                status: 429,
                retry_after: Some(Duration::from_secs(60)),
                location: None,
            }),
            Dial::Accept,
        ])
    });
    let world = World::new(1, exchange.clone());
    let client = world.client(config().retry_initial_connect(true), JsonRpc::new());
    world.run_for(ms(1000));
    world.net(|net| net.signal(Signal::Visible));
    world.run_for(ms(10_000));
    assert_eq!(exchange.with(|s| s.dialled.len()), 1);
    drop(client);
}

#[test]
fn an_answer_that_is_already_there_is_no_timeout() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    let outcome = world.run(async move {
        client.ready().await.unwrap();
        exchange.with(|s| s.reply_within = ms(2000));
        let call = client.call::<Value>("echo", json!([1]));
        let sleepy = async {
            inner.sleep(ms(1)).await;
            inner.freeze(Duration::from_secs(12));
            inner.net(|net| (0..300).for_each(|_| net.send_text(0, r#"{"method":"x"}"#)));
        };
        futures::join!(call, sleepy).0
    });
    assert_eq!(outcome, Ok(json!([1])));
}

#[test]
fn debug_shows_no_message() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), JsonRpc::new());
    let shown = world.run(async move {
        let send = client.send(r#"{"login":"hunter2"}"#);
        futures::pin_mut!(send);
        assert!(futures::poll!(&mut send).is_pending());
        format!("{client:?}")
    });
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_heartbeat_that_never_asks_does_not_panic() {
    use steadysocket::config::Heartbeat;
    let world = World::new(1, Exchange::new());
    let heartbeat = Heartbeat { idle: Duration::MAX, timeout: ms(4000) };
    let client = world.client(config().heartbeat(Some(heartbeat)), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        inner.net(|net| net.stall(0));
        let calls = (0..20).map(|_| client.call::<Value>("echo", json!([1])));
        futures::future::join_all(calls).await;
    });
}

#[test]
fn messages_drop_the_oldest_as_documented() {
    use steadysocket::config::{Overflow, Queue};
    let world = World::new(1, Exchange::new());
    let queue = Queue { capacity: 16, overflow: Overflow::Latest, ..Queue::default() };
    let client = world.client(config().queue(queue), JsonRpc::new());
    let inner = world.clone();
    let n = world.run(async move {
        client.ready().await.unwrap();
        let mut messages = client.messages();
        inner.sleep(ms(10)).await;
        inner.net(|net| (0..3).for_each(|n| net.send_text(0, format!(r#"{{"id":{n},"method":"q"}}"#))));
        inner.sleep(ms(100)).await;
        client.close().await;
        let mut n = 0;
        while let Some(update) = messages.next().await {
            n += usize::from(update.data().is_some());
        }
        n
    });
    assert_eq!(n, 3);
}

#[test]
fn a_lost_snapshot_is_told_after_resumed() {
    use steadysocket::config::{Overflow, Queue};
    let exchange = Exchange::new();
    exchange.with(|s| s.publish_every = Some(ms(100)));
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    let updates = world.run(async move {
        let queue = Queue { capacity: 2, overflow: Overflow::DropOldest, ..Queue::default() };
        let mut sub = client.subscribe_with::<u64>("a", queue).await.unwrap();
        inner.sleep(ms(150)).await;
        while sub.waiting() > 0 {
            sub.next().await;
        }
        inner.net(|net| net.end(0, "cut"));
        inner.sleep(ms(2000)).await;
        let mut seen = Vec::new();
        while sub.waiting() > 0 {
            seen.push(sub.next().await.unwrap());
        }
        seen
    });
    let resumed = updates.iter().position(|u| *u == Update::Resumed).unwrap();
    assert!(matches!(updates[resumed + 1], Update::Lagged(_)), "{updates:?}");
}

#[test]
fn the_clock_runs_on_whatever_number_of_frames_came_before_the_end() {
    for frames in 100..300 {
        let exchange = Exchange::new();
        let world = World::new(1, exchange.clone());
        world.net(|net| net.latency = (ms(1), ms(1)));
        let client = world.client(config(), JsonRpc::new());
        world.run_for(ms(100));
        // The machine sleeps, so that all of it is there at once.
        world.freeze(ms(500));
        world.net(|net| {
            for _ in 0..frames {
                net.send_text(0, "{}");
            }
            net.send(0, Frame::Close(None));
            net.end(0, "closed");
        });
        world.run_for(ms(5000));
        assert_eq!((client.state(), client.stats().connections), (State::Live, 2), "{frames} frames");
    }
}

#[test]
fn a_batch_that_waits_is_not_in_flight() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), JsonRpc::new());
    world.run(async move {
        client.ready().await.unwrap();
        let inner = client.clone();
        let batch = client.batch((0..5).map(|_| Request::new("silent")));
        let look = async move {
            // The batch is posted first; offline, all of it waits.
            let _ = inner.call::<Value>("echo", json!([1])).await;
            (inner.stats().waiting, inner.stats().in_flight)
        };
        futures::pin_mut!(batch, look);
        let futures::future::Either::Right((stats, _)) = futures::future::select(batch, look).await else {
            panic!()
        };
        assert_eq!(stats, (0, 5), "on the wire now");
    });

    let exchange = Exchange::new();
    exchange.with(|script| script.dials.push_back(Dial::Hang));
    let world = World::new(1, exchange);
    let client = world.client(config(), JsonRpc::new());
    let waiting = client.clone();
    world.spawn(async move { drop(waiting.batch((0..5).map(|_| Request::new("silent"))).await) });
    world.run_for(ms(100));
    assert_eq!((client.stats().waiting, client.stats().in_flight), (1, 0));
}
