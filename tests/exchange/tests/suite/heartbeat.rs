//! Heartbeats, with seconds that are short.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket_exchange::Closed;
use tokio::time::Instant;

use crate::support::{Client, End, orderly, soon};

/// One second of the venue's timers.
const SECOND: Duration = Duration::from_millis(20);

fn kind(frame: &Value) -> &str {
    match frame["method"] == "heartbeat" {
        true => frame["params"]["type"].as_str().unwrap(),
        false => "",
    }
}

#[tokio::test]
async fn requests_come_at_the_venue_s_times() {
    let exchange = orderly().second(SECOND).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let set = Instant::now();
    assert_eq!(client.result("public/set_heartbeat", json!({ "interval": 10 })).await, "ok");
    client.find(|frame| kind(frame) == "test_request").await;
    assert!(set.elapsed() >= SECOND * 12, "{:?}", set.elapsed());
    for _ in 0..3 {
        let answered = Instant::now();
        client.result("public/test", json!({})).await;
        client.find(|frame| kind(frame) == "test_request").await;
        assert!(answered.elapsed() >= SECOND * 10, "{:?}", answered.elapsed());
    }
}

#[tokio::test]
async fn a_quiet_connection_also_gets_heartbeat_frames() {
    let exchange = orderly().second(SECOND).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.result("public/set_heartbeat", json!({ "interval": 10 })).await;
    assert_eq!(kind(&client.frame().await), "heartbeat");
    assert_eq!(kind(&client.frame().await), "test_request");
}

#[tokio::test]
async fn a_busy_connection_gets_only_test_requests() {
    let exchange = orderly().second(SECOND).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&["ticker.BTC-PERPETUAL.100ms"]).await;
    client.result("public/set_heartbeat", json!({ "interval": 10 })).await;
    for _ in 0..3 {
        client.find(|frame| kind(frame) == "test_request").await;
        client.result("public/test", json!({})).await;
    }
    assert!(client.passed.iter().all(|frame| kind(frame) != "heartbeat"));
}

#[tokio::test]
async fn an_unanswered_request_ends_the_connection() {
    let exchange = orderly().second(SECOND).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.result("public/set_heartbeat", json!({ "interval": 10 })).await;
    client.find(|frame| kind(frame) == "test_request").await;
    let asked = Instant::now();
    // Another call shows life but is no answer.
    client.result("public/get_time", json!({})).await;
    assert_eq!(client.end().await, End::Frame(4000, "heartbeat close".into()));
    assert!(asked.elapsed() >= SECOND * 9, "{:?}", asked.elapsed());
    soon(exchange.wait_until(|journal| {
        journal
            .connection(1)
            .is_some_and(|c| c.closed.as_ref().is_some_and(|(_, why)| *why == Closed::Heartbeat))
    }))
    .await;
}

#[tokio::test]
async fn without_heartbeat_and_subscription_it_dies_idle_and_without_a_word() {
    let exchange = orderly().second(Duration::from_millis(4)).start().await.unwrap();
    let mut subscribed = Client::connect(&exchange).await;
    subscribed.subscribe(&["platform_state.public_methods_state"]).await;
    let mut disabled = Client::connect(&exchange).await;
    disabled.result("public/set_heartbeat", json!({ "interval": 60 })).await;
    assert_eq!(disabled.result("public/disable_heartbeat", json!({})).await, "ok");
    let mut idle = Client::connect(&exchange).await;
    let opened = Instant::now();
    assert_eq!(idle.end().await, End::Abrupt);
    assert!(opened.elapsed() >= Duration::from_millis(235), "{:?}", opened.elapsed());
    assert_eq!(disabled.end().await, End::Abrupt);
    // One quiet subscription keeps a connection alive.
    soon(exchange.wait_until(|journal| journal.open() == 1)).await;
    subscribed.result("public/test", json!({})).await;
}
