//! Answers reach their callers, whatever comes between.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::error::{Disconnect, Error, NotSent, Unknown};
use steadysocket::{Client, CloseCode, Event, Request, Update};
use steadysocket_exchange::{Exchange, Fault, Journal, Target};

use crate::support::*;

async fn still_works(exchange: &Exchange, client: &Client) {
    let _: u64 = soon(client.call("public/get_time", ())).await.unwrap();
    assert_eq!(exchange.look(Journal::opened), 1);
}

#[tokio::test]
async fn delayed_and_reordered_replies_reach_their_callers() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let names = exchange.instruments();
    let calls = (0..400).map(|n| {
        let (client, name) = (&client, &names[n % names.len()]);
        async move {
            let ticker: Value =
                client.call("public/ticker", json!({ "instrument_name": name })).await.unwrap();
            assert_eq!(ticker["instrument_name"], **name);
        }
    });
    soon(futures::future::join_all(calls)).await;
    exchange.look(|journal| {
        let mut ids: Vec<_> =
            journal.requests().map(|request| request.id.clone().unwrap().as_u64()).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((ids.len(), journal.count("public/ticker")), (count, 400));
    });
}

#[tokio::test]
async fn the_venues_errors_are_typed() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    for (method, params, code) in [
        ("public/no_such_method", json!({}), -32601),
        ("public/get_instrument", json!({}), -32602),
        ("private/buy", json!({ "amount": 10, "access_token": "nobody's" }), 13009),
    ] {
        let outcome = soon(client.call::<Value>(method, params)).await;
        assert!(matches!(&outcome, Err(Error::Rejected(error)) if error.code == code), "{outcome:?}");
    }
    let outcome = soon(client.call::<Value>("private/buy", json!({ "amount": 10 }))).await;
    assert_eq!(outcome, Err(Error::NotSent(NotSent::NotLoggedIn)));
    let outcome = soon(client.call::<String>("public/get_time", ())).await;
    assert!(matches!(outcome, Err(Error::Decode(_))), "{outcome:?}");
    let outcome = soon(client.call::<Value>("public/test", json!([1]))).await;
    assert!(matches!(outcome, Err(Error::NotSent(NotSent::Unsupported(_)))), "{outcome:?}");
    let large = json!({ "text": "x".repeat(40_000) });
    let outcome = soon(client.call::<Value>("public/test", large)).await;
    assert!(matches!(outcome, Err(Error::NotSent(NotSent::TooLarge { limit: 32_768, .. }))), "{outcome:?}");
    still_works(&exchange, &client).await;
}

#[tokio::test]
async fn replies_that_come_twice_or_belong_to_nobody_are_events() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut events = client.events();
    exchange.fault(Target::All, Fault::UnknownReply);
    let unknown = event(&mut events, |event| match event {
        Event::UnknownReply(id) => Some(*id),
        other => panic!("{other:?}"),
    });
    assert!(unknown.await.0 > 1 << 50);
    exchange.fault(Target::All, Fault::DuplicateReply);
    still_works(&exchange, &client).await;
    let late = |event: &Event| match event {
        Event::LateReply(id) => Some(*id),
        other => panic!("{other:?}"),
    };
    let twice = event(&mut events, late).await;
    exchange.fault(Target::All, Fault::LateReply(millis(300)));
    let call = client.request(Request::new("public/get_time")).timeout(millis(50));
    let outcome = soon(call).await;
    assert!(matches!(outcome, Err(Error::Unknown(Unknown::TimedOut))), "{outcome:?}");
    assert!(event(&mut events, late).await > twice);
    still_works(&exchange, &client).await;
}

#[tokio::test]
async fn a_reply_that_is_lost_ends_its_call_alone() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    exchange.fault(Target::All, Fault::LoseReply);
    let lost = client.request(Request::new("public/get_time")).timeout(millis(200));
    let outcome = soon(lost).await;
    assert!(matches!(outcome, Err(Error::Unknown(Unknown::TimedOut))), "{outcome:?}");
    still_works(&exchange, &client).await;
}

#[tokio::test]
async fn a_dropped_call_is_forgotten() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    exchange.fault(Target::All, Fault::DelayReplies(millis(100)));
    for _ in 0..20 {
        let call = client.call::<u64>("public/get_time", ());
        let _gone = tokio::time::timeout(millis(1), call).await;
    }
    exchange.fault(Target::All, Fault::DelayReplies(Duration::ZERO));
    still_works(&exchange, &client).await;
    still_works(&exchange, &client).await;
    assert_eq!((client.stats().waiting, client.stats().in_flight), (0, 0));
}

#[tokio::test]
async fn garbage_binary_and_pings_are_harmless() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let (mut events, mut messages) = (client.events(), client.messages());
    let mut quotes: Raw = subscribe(&client, QUOTE).await.unwrap();
    exchange.fault(Target::All, Fault::Garbage);
    event(&mut events, |event| matches!(event, Event::Invalid(_)).then_some(())).await;
    exchange.fault(Target::All, Fault::Binary(64));
    exchange.fault(Target::All, Fault::Oversize(300_000));
    for _ in 0..2 {
        // What is no JSON-RPC is an event or the user's.
        soon(async {
            futures::future::select(Box::pin(messages.next()), Box::pin(events.next())).await;
        })
        .await;
    }
    exchange.fault(Target::All, Fault::Pings(3_000));
    for _ in 0..20 {
        only_data(&mut quotes).await;
    }
    still_works(&exchange, &client).await;
}

#[tokio::test]
async fn a_message_over_the_limit_ends_the_connection_and_no_more() {
    let exchange = exchange().start().await.unwrap();
    let client = connect_to(config(exchange.url()).max_message(64 * 1024)).await.unwrap();
    let mut quotes: Raw = subscribe(&client, QUOTE).await.unwrap();
    exchange.fault(Target::All, Fault::Oversize(64 * 1024 + 1));
    let reason = interrupted(&mut quotes).await;
    let Disconnect::Violation { code, .. } = reason else { panic!("{reason:?}") };
    assert_eq!(code, CloseCode::TOO_BIG);
    resumed(&mut quotes).await;
    exchange.fault(Target::All, Fault::Oversize(64 * 1024));
    for _ in 0..20 {
        assert!(matches!(next(&mut quotes).await, Update::Data(_)));
    }
    assert_eq!(exchange.look(Journal::opened), 2);
}

#[tokio::test]
async fn notifications_and_plain_messages_are_sent() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut messages = client.messages();
    soon(client.notify("public/hello", json!({ "client_name": "a", "client_version": "b" }))).await.unwrap();
    soon(client.send("this is not JSON")).await.unwrap();
    // The venue answers even that, without an id.
    let mut found = Vec::new();
    while found.len() < 2 {
        let update = soon(messages.next()).await;
        found.push(format!("{update:?}"));
    }
    assert_eq!(exchange.look(|journal| journal.count("public/hello")), 2);
    still_works(&exchange, &client).await;
}
