//! What subscribing means on this venue.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, orderly};

const BOOK: &str = "book.BTC-PERPETUAL.100ms";
const TICKER: &str = "ticker.BTC-PERPETUAL.100ms";

#[tokio::test]
async fn unknown_channels_are_dropped_in_silence() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let unknown =
        ["book.BTC-PERPETUAL.50ms", "book.BTC-PERPETUAL.none.50.100ms", "ticker.DOGE-PERPETUAL.100ms"];
    assert!(client.subscribe(&unknown).await.is_empty());
    let mixed = [TICKER, unknown[0], BOOK, unknown[2]];
    assert_eq!(client.subscribe(&mixed).await, [BOOK, TICKER]);
    exchange.wait_until(|journal| journal.subscribed(BOOK) && !journal.subscribed(unknown[0])).await;
}

#[tokio::test]
async fn the_result_is_in_no_order() {
    let exchange = orderly().start().await.unwrap();
    let names: Vec<String> = exchange.instruments().iter().map(|name| format!("quote.{name}")).collect();
    let mut orders = BTreeSet::new();
    for _ in 0..4 {
        let mut client = Client::connect(&exchange).await;
        orders.insert(client.result("public/subscribe", json!({ "channels": names })).await.to_string());
    }
    assert!(orders.len() > 1, "{orders:?}");
}

#[tokio::test]
async fn one_raw_channel_spoils_the_whole_call() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for raw in ["book.BTC-PERPETUAL.raw", "trades.any.any.raw", "ticker.NO-SUCH.raw"] {
        let error = client.error("public/subscribe", json!({ "channels": [TICKER, raw] }), 13778).await;
        assert_eq!(error["message"], "raw_subscriptions_not_available_for_unauthorized");
    }
    assert!(!exchange.look(|journal| journal.subscribed(TICKER)));
}

#[tokio::test]
async fn private_methods_need_authentication() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for method in ["private/subscribe", "private/unsubscribe", "private/buy", "private/get_open_orders"] {
        client.error(method, json!({ "channels": [TICKER] }), 13009).await;
    }
    assert!(!exchange.look(|journal| journal.subscribed(TICKER)));
}

#[tokio::test]
async fn subscribing_again_gives_no_second_snapshot() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&[BOOK]).await;
    assert_eq!(client.update(BOOK).await["type"], "snapshot");
    assert_eq!(client.subscribe(&[BOOK, BOOK]).await, [BOOK]);
    let mut last = Value::Null;
    for _ in 0..20 {
        let change = client.update(BOOK).await;
        assert_eq!(change["type"], "change");
        assert!(last.is_null() || change["prev_change_id"] == last);
        last = change["change_id"].clone();
    }
}

#[tokio::test]
async fn leaving_and_coming_back_gives_one() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for _ in 0..2 {
        client.subscribe(&[BOOK]).await;
        assert_eq!(client.update(BOOK).await["type"], "snapshot");
        assert_eq!(client.update(BOOK).await["type"], "change");
        assert_eq!(client.unsubscribe(&[BOOK]).await, [BOOK]);
    }
}

#[tokio::test]
async fn unsubscribe_answers_with_what_it_ended() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&[BOOK, TICKER]).await;
    assert_eq!(client.unsubscribe(&[BOOK, "quote.BTC-PERPETUAL", "nonsense"]).await, [BOOK]);
    assert!(client.unsubscribe(&[BOOK]).await.is_empty());
    assert_eq!(client.result("public/unsubscribe_all", json!({})).await, "ok");
    assert!(client.unsubscribe(&[TICKER]).await.is_empty());
    exchange.wait_until(|journal| !journal.subscribed(TICKER)).await;
}

#[tokio::test]
async fn nothing_comes_after_the_end_of_a_subscription() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&[BOOK, TICKER]).await;
    client.update(TICKER).await;
    client.unsubscribe(&[TICKER]).await;
    for _ in 0..50 {
        assert_ne!(client.frame().await["params"]["channel"], TICKER);
    }
}

#[tokio::test]
async fn subscriptions_are_the_connection_s_own() {
    let exchange = orderly().start().await.unwrap();
    let (mut first, mut second) = (Client::connect(&exchange).await, Client::connect(&exchange).await);
    first.subscribe(&[BOOK]).await;
    second.subscribe(&[BOOK]).await;
    // Both follow the channel's one sequence, each from a snapshot of its own.
    let (one, two) = (first.update(BOOK).await, second.update(BOOK).await);
    assert_eq!((&one["type"], &two["type"]), (&json!("snapshot"), &json!("snapshot")));
    first.close().await;
    exchange.wait_until(|journal| journal.open() == 1).await;
    assert_eq!(second.update(BOOK).await["type"], "change");
}
