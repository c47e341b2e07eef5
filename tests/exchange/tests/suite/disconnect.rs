//! Cancel-on-disconnect.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket_exchange::{Cut, Exchange, Fault, Target};

use crate::support::{Client, End, soon};
use crate::trading::{best, start, trader};

const ENABLE: &str = "private/enable_cancel_on_disconnect";
const GET: &str = "private/get_cancel_on_disconnect";

fn order(exchange: &Exchange, label: &str) -> Value {
    let price = best(exchange, "BTC-PERPETUAL").0.0 - 100.0;
    json!({ "instrument_name": "BTC-PERPETUAL", "price": price, "amount": 10.0, "label": label })
}

/// State and reason of an order, once nobody is connected but the one who asks.
async fn fate(exchange: &Exchange, label: &str) -> (String, Option<String>) {
    soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    let ledger = exchange.ledger();
    let order = ledger.with_label(label).next().unwrap();
    (order.state.clone(), order.cancel_reason.clone())
}

fn cancelled() -> (String, Option<String>) {
    ("cancelled".into(), Some("cancel_on_disconnect".into()))
}

fn open() -> (String, Option<String>) {
    ("open".into(), None)
}

#[tokio::test]
async fn it_is_off_unless_it_is_asked_for() {
    let (exchange, mut client) = start().await;
    assert_eq!(client.result(GET, json!({})).await, json!({ "scope": "connection", "enabled": false }));
    client.result("private/buy", order(&exchange, "a")).await;
    drop(client);
    assert_eq!(fate(&exchange, "a").await, open());
}

#[tokio::test]
async fn a_dropped_connection_takes_its_own_orders_along() {
    let (exchange, mut client) = start().await;
    client.result("private/buy", order(&exchange, "before")).await;
    assert_eq!(client.result(ENABLE, json!({})).await, "ok");
    client.result("private/buy", order(&exchange, "after")).await;
    let mut other = trader(&exchange, "local").await;
    other.result("private/buy", order(&exchange, "elsewhere")).await;
    exchange.fault(Target::Connection(1), Fault::Reset);
    soon(exchange.wait_until(|journal| journal.open() == 1)).await;
    let stays = other.result("private/get_open_orders", json!({})).await;
    assert_eq!((stays.as_array().unwrap().len(), &stays[0]["label"]), (1, &json!("elsewhere")));
    other.close().await;
    assert_eq!(fate(&exchange, "after").await, cancelled());
    assert_eq!(fate(&exchange, "before").await, cancelled(), "all orders of the connection");
    assert_eq!(fate(&exchange, "elsewhere").await, open());
}

#[tokio::test]
async fn logging_out_is_no_disconnect() {
    let (exchange, mut client) = start().await;
    client.result(ENABLE, json!({ "scope": "connection" })).await;
    client.result("private/buy", order(&exchange, "a")).await;
    client.send("private/logout", json!({})).await;
    assert!(matches!(client.end().await, End::Frame(1000, _)));
    assert_eq!(fate(&exchange, "a").await, open());
}

#[tokio::test]
async fn closing_and_silence_are_disconnects() {
    let (exchange, mut client) = start().await;
    client.result(ENABLE, json!({})).await;
    client.result("private/buy", order(&exchange, "closed")).await;
    client.close().await;
    assert_eq!(fate(&exchange, "closed").await, cancelled());
    let quick = crate::support::orderly().frozen(true).second(Duration::from_millis(10));
    let exchange = quick.start().await.unwrap();
    let mut client = trader(&exchange, "local").await;
    client.result(ENABLE, json!({})).await;
    client.result("private/buy", order(&exchange, "silent")).await;
    client.result("public/set_heartbeat", json!({ "interval": 10 })).await;
    assert_eq!(client.end().await, End::Frame(4000, "heartbeat close".into()));
    assert_eq!(fate(&exchange, "silent").await, cancelled());
}

#[tokio::test]
async fn the_account_s_default_is_for_connections_to_come() {
    let (exchange, mut client) = start().await;
    client.result(ENABLE, json!({ "scope": "account" })).await;
    let scope = json!({ "scope": "account" });
    assert_eq!(client.result(GET, scope).await, json!({ "scope": "account", "enabled": true }));
    client.result("private/buy", order(&exchange, "old")).await;
    let mut late = trader(&exchange, "local").await;
    assert_eq!(late.result(GET, json!({})).await["enabled"], true);
    late.result("private/buy", order(&exchange, "new")).await;
    let mut opted_out = trader(&exchange, "local").await;
    opted_out.result("private/disable_cancel_on_disconnect", json!({})).await;
    opted_out.result("private/buy", order(&exchange, "out")).await;
    for client in [client, late, opted_out] {
        drop::<Client>(client);
    }
    assert_eq!(fate(&exchange, "old").await, open());
    assert_eq!(fate(&exchange, "new").await, cancelled());
    assert_eq!(fate(&exchange, "out").await, open());
    assert_eq!(trader(&exchange, "other").await.result(GET, json!({})).await["enabled"], false);
}

#[tokio::test]
async fn an_order_that_comes_after_the_end_goes_too() {
    let (exchange, mut client) = start().await;
    client.result(ENABLE, json!({})).await;
    exchange.fault(Target::All, Fault::CutThenMatch(Cut::Drop, Duration::from_millis(60)));
    client.send("private/buy", order(&exchange, "late")).await;
    client.end().await;
    soon(exchange.wait_for(Exchange::is_idle)).await;
    soon(exchange.wait_for(|exchange| exchange.ledger().orders.len() == 1)).await;
    assert_eq!(fate(&exchange, "late").await, cancelled());
}
