//! What becomes of a call: promise 1, and lessons 3 and 5.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::error::{Advice, Disconnect, Error, Executed, NotSent, RpcError, Unknown};
use steadysocket::protocol::{Inbound, RequestId, Unmatched};
use steadysocket::time::Instant;
use steadysocket::{Config, Event, JsonRpc, Message, Protocol, Request, Update};

use crate::test;
use crate::venue::{Exchange, dropped};
use crate::world::World;

pub fn config() -> Config {
    Config::new("wss://venue.example").unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn answers_reach_their_callers_in_any_order() {
    let exchange = Exchange::new();
    exchange.with(|script| script.reply_within = seconds(5));
    let world = World::new(1, exchange);
    let client = world.client(config(), JsonRpc::new());
    world.run(async move {
        let calls = (0..100u64).map(|n| client.call::<Value>("echo", json!({ "n": n })));
        for (n, answer) in futures::future::join_all(calls).await.into_iter().enumerate() {
            assert_eq!(answer.unwrap(), json!({ "n": n }));
        }
    });
}

#[test]
fn an_error_keeps_code_message_and_data() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), JsonRpc::new());
    let error = world.run(async move { client.call::<Value>("fail", ()).await.unwrap_err() });
    let data = Some(r#"{"why":"because"}"#.to_owned());
    assert_eq!(error, Error::Rejected(RpcError { data, ..RpcError::new(7, "no") }));
}

#[test]
fn a_dropped_connection_settles_calls_at_once() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let call = client.request(Request::new("silent"));
        let cut = async {
            inner.sleep(seconds(2)).await;
            inner.net(|net| net.end(0, "cut"));
            inner.now()
        };
        let (outcome, cut) = futures::join!(call, cut);
        assert_eq!(outcome, Err(Error::Unknown(Unknown::Disconnected(dropped("cut")))));
        assert!(inner.now().since(cut) < Duration::from_millis(10), "it did not wait for its deadline");
    });
    assert_eq!(exchange.with(|script| script.calls("silent").len()), 1);
}

#[test]
fn what_was_waiting_when_the_connection_dropped_was_not_sent() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        // Nobody reads, so the pipe fills and later calls wait.
        inner.net(|net| net.stall(0));
        let calls = (0..200).map(|n| client.call::<Value>("order", json!({ "tag": n.to_string() })));
        let cut = async {
            inner.sleep(seconds(2)).await;
            inner.net(|net| net.end(0, "cut"));
        };
        let (outcomes, ()) = futures::join!(futures::future::join_all(calls), cut);
        let waiting =
            |outcome: &&Result<_, Error>| matches!(outcome, Err(Error::NotSent(NotSent::Disconnected(_))));
        let left =
            |outcome: &&Result<_, Error>| matches!(outcome, Err(Error::Unknown(Unknown::Disconnected(_))));
        assert_eq!(outcomes.iter().filter(left).count(), 16);
        assert_eq!(outcomes.iter().filter(waiting).count(), 184);
        // And none of them goes out later.
        inner.sleep(seconds(60)).await;
    });
    assert_eq!(exchange.with(|script| script.executed.len()), 0);
}

#[test]
fn a_call_without_an_answer_ends_at_its_deadline() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let start = inner.now();
        assert_eq!(client.call::<Value>("silent", ()).await, Err(Error::Unknown(Unknown::TimedOut)));
        assert_eq!(inner.now().since(start), seconds(10));
        let start = inner.now();
        let call = client.request(Request::new("silent")).timeout(seconds(3));
        assert_eq!(call.await, Err(Error::Unknown(Unknown::TimedOut)));
        assert_eq!(inner.now().since(start), seconds(3));
        assert_eq!(client.stats().in_flight, 0);
    });
}

#[test]
fn a_late_reply_meets_no_other_call() {
    let exchange = Exchange::new();
    exchange.with(|script| script.reply_within = seconds(4));
    let world = World::new(3, exchange);
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    let mut events = client.events();
    world.run(async move {
        client.ready().await.unwrap();
        for n in 0..50u64 {
            let request = Request::with("echo", &json!({ "n": n })).unwrap();
            if let Ok(answer) = client.request(request).timeout(seconds(2)).await {
                assert_eq!(answer.decode::<Value>().unwrap(), json!({ "n": n }));
            }
        }
        inner.sleep(seconds(5)).await;
        client.close().await;
    });
    let late = world.run(async move {
        let mut late = 0;
        while let Some(event) = events.next().await {
            late += usize::from(matches!(event, Update::Data(Event::LateReply(_))));
        }
        late
    });
    assert!(late > 10, "{late} late replies");
}

#[test]
fn a_dropped_call_that_has_not_left_never_leaves() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        inner.net(|net| net.kill(0));
        client.reconnect();
        {
            let call = client.call::<Value>("order", json!({ "tag": "a" }));
            let give_up = inner.sleep(Duration::from_millis(1));
            futures::pin_mut!(call, give_up);
            assert!(matches!(
                futures::future::select(call, give_up).await,
                futures::future::Either::Right(_)
            ));
        }
        client.ready().await.unwrap();
        inner.sleep(seconds(20)).await;
    });
    assert_eq!(exchange.with(|script| script.executed.len()), 0);
}

#[test]
fn a_call_without_a_connection_waits_for_one_within_its_deadline() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        inner.net(|net| net.end(0, "cut"));
        inner.sleep(Duration::from_millis(10)).await;
        assert_eq!(client.call::<Value>("echo", json!([1])).await, Ok(json!([1])));
    });
}

#[test]
fn an_expired_call_is_never_sent_late() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    let script = exchange.clone();
    world.run(async move {
        client.ready().await.unwrap();
        for _ in 0..5 {
            script.with(|script| script.dials.push_back(crate::world::Dial::Hang));
        }
        inner.net(|net| net.end(0, "cut"));
        inner.sleep(Duration::from_millis(10)).await;
        let outcome = client.call::<Value>("order", json!({ "tag": "late" })).await;
        assert_eq!(outcome, Err(Error::NotSent(NotSent::DeadlinePassed)));
        client.ready().await.unwrap();
        inner.sleep(seconds(60)).await;
    });
    assert_eq!(exchange.with(|script| script.executed.len()), 0);
}

#[test]
fn offline_calls_can_be_refused_at_once() {
    use steadysocket::config::WhenBlocked;
    let world = World::new(1, Exchange::new());
    let client = world.client(config().when_offline(WhenBlocked::Refuse), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        inner.net(|net| net.end(0, "cut"));
        inner.sleep(Duration::from_millis(10)).await;
        assert_eq!(client.call::<Value>("echo", ()).await, Err(Error::NotSent(NotSent::Offline)));
        let refused = client.subscribe("a").await.unwrap_err();
        assert!(matches!(refused, Error::Refused { .. }), "{refused:?}");
    });
}

/// Calls of one method do no harm twice, and no error says whether the call was executed.
#[derive(Debug)]
struct Idempotent(JsonRpc, &'static str);

impl Protocol for Idempotent {
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        self.0.encode(now, id, request)
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        self.0.read(now, message, &mut |mut inbound| {
            if let Inbound::Reply { result: Err(error), .. } = &mut inbound {
                error.meaning.advice = Advice::Reconcile;
                error.meaning.executed = Executed::Unknown;
            }
            found(inbound);
        });
    }

    fn is_idempotent(&self, method: &str) -> bool {
        method == self.1
    }
}

#[test]
fn an_error_that_leaves_the_outcome_open_does_so_only_where_it_matters() {
    for (idempotent, advice) in [("fail", Advice::Retry(None)), ("echo", Advice::Reconcile)] {
        let world = World::new(1, Exchange::new());
        let client = world.client(config(), Idempotent(JsonRpc::new(), idempotent));
        let error = world.run(async move { client.call::<Value>("fail", ()).await.unwrap_err() });
        assert_eq!((error.advice(), error.executed()), (advice, Executed::Unknown));
    }
}

#[test]
fn only_idempotent_calls_are_made_again_and_only_when_asked() {
    for asked in [false, true] {
        let exchange = Exchange::new();
        exchange.with(|script| script.reply_within = seconds(3));
        let world = World::new(1, exchange.clone());
        let client = world.client(config().retry_idempotent(asked), Idempotent(JsonRpc::new(), "echo"));
        let inner = world.clone();
        let (read, order) = world.run(async move {
            client.ready().await.unwrap();
            let cut = async {
                inner.sleep(Duration::from_millis(20)).await;
                inner.net(|net| net.end(0, "cut"));
            };
            let read = client.call::<Value>("echo", json!([1]));
            let order = client.call::<Value>("order", json!({ "tag": "a" }));
            let (read, order, ()) = futures::join!(read, order, cut);
            inner.sleep(seconds(30)).await;
            (read, order)
        });
        let unknown = Error::Unknown(Unknown::Disconnected(dropped("cut")));
        assert_eq!(order, Err(unknown.clone()));
        assert_eq!(read, if asked { Ok(json!([1])) } else { Err(unknown) });
        assert_eq!(exchange.with(|script| script.executed["a"]), 1);
    }
}

#[test]
fn a_batch_is_answered_in_order_with_errors_among_the_results() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    let outcomes = world.run(async move {
        client.ready().await.unwrap();
        let request = |method: &'static str, n: u64| Request::with(method, &json!({ "n": n })).unwrap();
        let start = inner.now();
        let requests = [request("echo", 1), request("fail", 2), request("ignored", 3), request("echo", 4)];
        let outcomes = client.batch(requests).await;
        assert!(inner.now().since(start) < seconds(1), "what was left out is known at once");
        outcomes
    });
    assert_eq!(outcomes[0].as_ref().unwrap().as_str(), Some(r#"{"n":1}"#));
    assert!(matches!(&outcomes[1], Err(Error::Rejected(RpcError { code: 7, .. }))));
    assert_eq!(outcomes[2], Err(Error::Unknown(Unknown::MissingFromBatch)));
    assert_eq!(outcomes[3].as_ref().unwrap().as_str(), Some(r#"{"n":4}"#));
    assert_eq!(exchange.with(|script| script.received.len()), 1, "one message");
}

#[test]
fn a_cancelled_part_of_a_waiting_batch_does_not_leave() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    world.run(async move {
        // Not connected yet: dropping the batch before it leaves takes all of it back.
        let batch = client.batch([Request::new("echo")]);
        futures::pin_mut!(batch);
        assert!(futures::poll!(&mut batch).is_pending());
    });
    world.run_for(seconds(30));
    assert!(exchange.with(|script| script.calls("echo").is_empty()));
}

#[test]
fn server_requests_reach_the_user_and_can_be_answered() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let mut messages = client.messages();
        inner.sleep(seconds(1)).await;
        inner.net(|net| {
            net.send_text(0, r#"{"jsonrpc":"2.0","id":"s-1","method":"confirm","params":{"x":1}}"#);
            net.send_text(0, r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"parse"},"id":null}"#);
            net.send_text(0, "[\"not a message\"]");
            net.send_text(0, "{nonsense");
        });
        let Some(Update::Data(Unmatched::Request { id, method, params })) = messages.next().await else {
            panic!()
        };
        assert_eq!((method.as_str(), params.as_str()), ("confirm", Some(r#"{"x":1}"#)));
        client.respond(&id, Ok(json!(true))).await.unwrap();
        let Some(Update::Data(Unmatched::Error(error))) = messages.next().await else { panic!() };
        assert_eq!(error.code, -32700);
        assert_eq!(client.call::<Value>("echo", json!([1])).await, Ok(json!([1])), "nonsense did no harm");
    });
    let answer = exchange.with(|script| script.received[0].2.clone());
    assert_eq!(answer, json!({"jsonrpc": "2.0", "id": "s-1", "result": true}));
}

#[test]
fn the_outbound_queue_is_bounded_in_messages_and_bytes() {
    use steadysocket::config::OutboundLimit;
    for limit in [OutboundLimit { messages: 3, bytes: 1 << 20 }, OutboundLimit { messages: 100, bytes: 60 }] {
        let exchange = Exchange::new();
        exchange.with(|script| script.dials.push_back(crate::world::Dial::Hang));
        let world = World::new(1, exchange.clone());
        let client = world.client(config().outbound(limit), JsonRpc::new());
        let outcomes = world.run(async move {
            let sends = (0..10).map(|_| client.send("x".repeat(20)));
            futures::future::join_all(sends).await
        });
        let full = |outcome: &&Result<(), Error>| matches!(outcome, Err(Error::NotSent(NotSent::QueueFull)));
        assert_eq!(outcomes.iter().filter(full).count(), 7);
    }
}

#[test]
fn closing_settles_everything_and_says_goodbye() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let call = client.call::<Value>("silent", ());
        let close = async {
            inner.sleep(seconds(1)).await;
            client.close().await;
        };
        let (outcome, ()) = futures::join!(call, close);
        assert!(matches!(outcome, Err(Error::Unknown(Unknown::Ended(_)))), "{outcome:?}");
        assert!(matches!(client.call::<Value>("echo", ()).await, Err(Error::NotSent(NotSent::Ended(_)))));
        assert!(client.subscribe("a").await.is_err());
        assert!(client.events().next().await.is_none());
        client.close().await;
    });
    let closes = exchange.with(|script| script.closes.clone());
    assert_eq!(closes.len(), 1);
    assert_eq!(closes[0].as_ref().unwrap().code, steadysocket::CloseCode::NORMAL);
}

#[test]
fn explicit_reconnects_tell_calls_why() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        let again = async {
            inner.sleep(seconds(1)).await;
            client.reconnect();
        };
        let (outcome, ()) = futures::join!(client.call::<Value>("silent", ()), again);
        assert_eq!(outcome, Err(Error::Unknown(Unknown::Disconnected(Disconnect::Requested))));
        assert_eq!(client.call::<Value>("echo", json!([2])).await, Ok(json!([2])));
        assert_eq!(client.stats().connections, 2);
    });
}
