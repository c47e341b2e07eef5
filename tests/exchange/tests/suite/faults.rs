//! Each fault does what its name says.

use std::time::Duration;

use serde_json::json;
use steadysocket_exchange::{Closed, Exchange, Fault, Target};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Client, End, Rebuilt, orderly, soon};

const BOOK: &str = "book.BTC-PERPETUAL.100ms";
const QUOTE: &str = "quote.BTC-PERPETUAL";

async fn start() -> (Exchange, Client) {
    let exchange = orderly().start().await.unwrap();
    let client = Client::connect(&exchange).await;
    (exchange, client)
}

async fn last_error(client: &mut Client) -> Option<Error> {
    loop {
        match client.message().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Some(error),
            None => return None,
        }
    }
}

#[tokio::test]
async fn drop_is_the_end_of_tcp_without_a_close_frame() {
    let (exchange, mut client) = start().await;
    assert_eq!(exchange.fault(Target::All, Fault::Drop), 1);
    let error = last_error(&mut client).await;
    assert!(
        matches!(error, Some(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))),
        "FIN, not RST: {error:?}"
    );
    soon(exchange.wait_until(|journal| {
        journal
            .connections()
            .all(|c| c.closed.as_ref().is_some_and(|(_, why)| *why == Closed::ByFault("drop".into())))
    }))
    .await;
}

#[tokio::test]
async fn reset_is_a_reset() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::Reset);
    let error = last_error(&mut client).await;
    let reset = matches!(&error, Some(Error::Io(io)) if io.kind() == std::io::ErrorKind::ConnectionReset);
    assert!(reset, "{error:?}");
}

#[tokio::test]
async fn close_carries_code_and_reason() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::Newest, Fault::Close { code: 1012, reason: "restart".into() });
    assert_eq!(client.end().await, End::Frame(1012, "restart".into()));
}

#[tokio::test]
async fn faults_can_be_for_one_connection() {
    let (exchange, mut first) = start().await;
    let mut second = Client::connect(&exchange).await;
    assert_eq!(exchange.fault(Target::Connection(1), Fault::Drop), 1);
    assert_eq!(first.end().await, End::Abrupt);
    second.result("public/test", json!({})).await;
    assert_eq!(exchange.fault(Target::Connection(1), Fault::Drop), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_knows_that_it_is_connected_can_be_reached() {
    let exchange = orderly().start().await.unwrap();
    for _ in 0..100 {
        let mut client = Client::connect(&exchange).await;
        assert_eq!(exchange.fault(Target::Newest, Fault::Reset), 1);
        assert_eq!(client.end().await, End::Abrupt);
    }
}

#[tokio::test]
async fn a_stalled_connection_is_up_but_says_nothing_until_it_resumes() {
    let (exchange, mut client) = start().await;
    client.subscribe(&[QUOTE]).await;
    exchange.fault(Target::All, Fault::Stall);
    let id = client.send("public/get_time", json!({})).await;
    // What was already on its way still arrives; then there is silence.
    while timeout(Duration::from_millis(100), client.frame()).await.is_ok() {}
    assert_eq!(exchange.look(|journal| (journal.open(), journal.count("public/get_time"))), (1, 0));
    exchange.fault(Target::All, Fault::Resume);
    client.find(|frame| frame["id"] == id).await;
}

#[tokio::test]
async fn replies_can_be_delayed_for_all_who_come() {
    let (exchange, mut client) = start().await;
    let delay = Duration::from_millis(80);
    exchange.fault(Target::All, Fault::DelayReplies(delay));
    for client in [&mut client, &mut Client::connect(&exchange).await] {
        let sent = Instant::now();
        client.result("public/test", json!({})).await;
        assert!(sent.elapsed() >= delay);
    }
    exchange.fault(Target::All, Fault::DelayReplies(Duration::ZERO));
    client.result("public/test", json!({})).await;
}

#[tokio::test]
async fn one_reply_can_be_late() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::LateReply(Duration::from_millis(60)));
    let late = client.send("public/get_time", json!({})).await;
    let early = client.send("public/get_time", json!({})).await;
    assert_eq!(client.frame().await["id"], early);
    assert_eq!(client.frame().await["id"], late);
}

#[tokio::test]
async fn one_reply_can_be_lost_or_doubled() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::LoseReply);
    client.send("public/get_time", json!({})).await;
    client.result("public/get_time", json!({})).await;
    assert!(client.passed.is_empty());
    exchange.fault(Target::All, Fault::DuplicateReply);
    let id = client.send("public/get_time", json!({})).await;
    let (one, two) = (client.frame().await, client.frame().await);
    assert_eq!((&one["id"], &one), (&json!(id), &two));
    client.result("public/get_time", json!({})).await;
}

#[tokio::test]
async fn frames_of_every_wrong_kind() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::UnknownReply);
    let reply = client.frame().await;
    assert!(reply["id"].as_u64().unwrap() > 1 << 50 && reply.get("result").is_some());
    exchange.fault(Target::All, Fault::Garbage);
    let garbage = client.text().await;
    assert!(serde_json::from_str::<serde_json::Value>(&garbage).is_err());
    exchange.fault(Target::All, Fault::Oversize(300_000));
    let long = client.text().await;
    assert_eq!(long.len(), 300_000);
    assert!(serde_json::from_str::<serde_json::Value>(&long).is_ok());
    exchange.fault(Target::All, Fault::Binary(12));
    assert!(matches!(client.message().await, Some(Ok(Message::Binary(bytes))) if bytes.len() == 12));
    exchange.fault(Target::All, Fault::Pings(50));
    for _ in 0..50 {
        assert!(matches!(client.message().await, Some(Ok(Message::Ping(_)))));
    }
    client.result("public/test", json!({})).await;
}

#[tokio::test]
async fn a_gap_loses_one_change_and_a_new_subscription_heals_it() {
    let (exchange, mut client) = start().await;
    client.subscribe(&[BOOK]).await;
    let mut book = Rebuilt::default();
    assert!(book.apply(&client.update(BOOK).await));
    exchange.fault(Target::All, Fault::Gap(BOOK.into()));
    while book.apply(&client.update(BOOK).await) {}
    client.unsubscribe(&[BOOK]).await;
    client.subscribe(&[BOOK]).await;
    client.passed.clear();
    for _ in 0..20 {
        assert!(book.apply(&client.update(BOOK).await));
    }
}

#[tokio::test]
async fn a_stray_update_comes_without_a_subscription() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::StrayUpdate(QUOTE.into()));
    assert_eq!(client.frame().await["params"]["channel"], QUOTE);
    assert!(!exchange.look(|journal| journal.subscribed(QUOTE)));
}

#[tokio::test]
async fn a_channel_can_be_refused_also_to_those_who_come_back() {
    let (exchange, mut client) = start().await;
    assert_eq!(client.subscribe(&[BOOK, QUOTE]).await, [BOOK, QUOTE]);
    exchange.fault(Target::All, Fault::RefuseChannel(BOOK.into()));
    exchange.fault(Target::All, Fault::Drop);
    assert_eq!(client.end().await, End::Abrupt);
    let mut client = Client::connect(&exchange).await;
    assert_eq!(client.subscribe(&[BOOK, QUOTE]).await, [QUOTE]);
    exchange.fault(Target::All, Fault::AllowChannel(BOOK.into()));
    assert_eq!(client.subscribe(&[BOOK]).await, [BOOK]);
}

#[tokio::test]
async fn subscribe_calls_can_fail() {
    let (exchange, mut client) = start().await;
    exchange.fault(Target::All, Fault::FailSubscribes(2));
    for _ in 0..2 {
        let error = client.error("public/subscribe", json!({ "channels": [QUOTE] }), 11052).await;
        assert_eq!(error["message"], "subscribe_error_unsubscribed");
    }
    assert_eq!(client.subscribe(&[QUOTE]).await, [QUOTE]);
}

#[tokio::test]
async fn chaos_cuts_everyone_now_and_then() {
    let exchange = orderly().chaos(Duration::from_millis(40)).start().await.unwrap();
    for _ in 0..5 {
        let mut client = Client::connect(&exchange).await;
        client.end().await;
    }
    let by_fault = exchange.look(|journal| {
        let closed = journal.connections().filter_map(|c| c.closed.as_ref());
        closed.filter(|(_, why)| matches!(why, Closed::ByFault(_))).count()
    });
    assert_eq!(by_fault, 5);
    exchange.chaos(None);
    let mut client = Client::connect(&exchange).await;
    for _ in 0..20 {
        client.result("public/test", json!({})).await;
    }
}

#[tokio::test]
async fn a_ping_is_answered() {
    let (_exchange, mut client) = start().await;
    client.ping(b"are you there").await;
    assert!(
        matches!(client.message().await, Some(Ok(Message::Pong(bytes))) if bytes == b"are you there"[..])
    );
}

#[tokio::test]
async fn a_frame_beyond_all_measure_ends_the_connection() {
    let (exchange, mut client) = start().await;
    client.send_text("x".repeat(2 * 1024 * 1024)).await;
    assert!(matches!(client.end().await, End::Frame(1009, _) | End::Abrupt));
    soon(exchange.wait_until(|journal| {
        journal.connections().all(|c| c.closed.as_ref().is_some_and(|(_, why)| *why == Closed::BadFrame))
    }))
    .await;
}

#[tokio::test]
async fn a_client_s_own_ways_to_leave_are_told_apart() {
    let (exchange, client) = start().await;
    client.close().await;
    let vanishing = Client::connect(&exchange).await;
    drop(vanishing);
    soon(exchange.wait_until(|journal| journal.opened() == 2 && journal.open() == 0)).await;
    let why: Vec<Closed> = exchange.look(|journal| {
        journal.connections().filter_map(|c| c.closed.as_ref()).map(|(_, why)| why.clone()).collect()
    });
    assert_eq!(why, [Closed::ByClient(None), Closed::Lost]);
}
