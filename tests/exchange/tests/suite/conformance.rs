//! The list by which the exchange is measured, point by point. Most points have more tests of their own elsewhere.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket_exchange::{CreditPolicy, Cut, Exchange, Fault, Target};
use tokio_tungstenite::tungstenite::Error;

use crate::support::{Client, End, Rebuilt, orderly, soon};
use crate::trading::{best, start, trader};

const PERPETUAL: &str = "BTC-PERPETUAL";

#[tokio::test]
async fn point_1_the_envelope() {
    let exchange = Exchange::builder().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for id in [json!(1), json!("one")] {
        client.send_text(json!({ "id": id, "method": "public/test" }).to_string()).await;
        let reply = client.find(|frame| frame["id"] == id).await;
        for key in ["usIn", "usOut", "usDiff", "testnet", "jsonrpc"] {
            assert!(reply.get(key).is_some(), "{key}");
        }
    }
    client.send_text(json!({ "method": "public/test" }).to_string()).await;
    assert!(client.frame().await.get("id").is_none());
}

#[tokio::test]
async fn point_2_replies_overtake_each_other() {
    let free = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let exchange = Exchange::builder().credits(free).frozen(true).seed(2).start().await.unwrap();
    let mut client = trader(&exchange, "local").await;
    let price = best(&exchange, PERPETUAL).0.0 - 50.0;
    let (mut public, mut private, mut notices_first) = (0, 0, 0);
    client.subscribe_private(&["user.orders.any.any.raw"]).await;
    for _ in 0..40 {
        let order = json!({ "instrument_name": PERPETUAL, "price": price, "amount": 10.0 });
        let sent = [
            client.send("private/buy", order.clone()).await,
            client.send("public/get_time", json!({})).await,
            client.send("public/get_time", json!({})).await,
        ];
        let mut order_of_arrival = Vec::new();
        let mut told = false;
        while order_of_arrival.len() < 3 {
            let frame = client.frame().await;
            match sent.iter().position(|id| frame["id"] == *id) {
                Some(0) => {
                    notices_first += usize::from(told);
                    order_of_arrival.push(0);
                }
                Some(place) => order_of_arrival.push(place),
                None => told = true,
            }
        }
        public += usize::from(
            order_of_arrival.iter().position(|n| *n == 2) < order_of_arrival.iter().position(|n| *n == 1),
        );
        private += usize::from(order_of_arrival[0] != 0);
    }
    assert!(public > 2 && private > 2 && notices_first > 5, "{public} {private} {notices_first}");
}

#[tokio::test]
async fn point_3_subscriptions() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let (book, nothing) = ("book.BTC-PERPETUAL.100ms", "book.BTC-PERPETUAL.50ms");
    assert_eq!(client.subscribe(&[book, nothing]).await, [book]);
    assert_eq!(client.update(book).await["type"], "snapshot");
    assert_eq!(client.subscribe(&[nothing]).await, [""; 0]);
    let raw = json!({ "channels": ["quote.BTC-PERPETUAL", "book.BTC-PERPETUAL.raw"] });
    client.error("public/subscribe", raw, 13778).await;
    client.error("private/subscribe", json!({ "channels": [book] }), 13009).await;
    assert!(!exchange.look(|journal| journal.subscribed("quote.BTC-PERPETUAL")));
    client.subscribe(&[book]).await;
    client.passed.clear();
    assert_eq!(client.update(book).await["type"], "change");
    client.unsubscribe(&[book]).await;
    client.subscribe(&[book]).await;
    client.passed.clear();
    assert_eq!(client.update(book).await["type"], "snapshot");
}

#[tokio::test]
async fn point_4_logins() {
    let exchange = orderly().start().await.unwrap();
    let (mut client, mut other) = (Client::connect(&exchange).await, Client::connect(&exchange).await);
    let tokens = client.log_in("local", "local-secret").await;
    let elsewhere = json!({ "access_token": tokens["access_token"] });
    other.error("private/get_positions", elsewhere.clone(), 13009).await;
    client.result("private/get_positions", elsewhere).await;
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"] });
    client.result("public/auth", refresh.clone()).await;
    client.error("public/auth", refresh, 13009).await;
    other
        .error(
            "public/auth",
            json!({
                "grant_type": "client_credentials", "client_id": "local", "client_secret": "wrong",
            }),
            13004,
        )
        .await;
}

#[tokio::test]
async fn point_5_heartbeats() {
    let exchange = orderly().second(Duration::from_millis(10)).start().await.unwrap();
    let mut silent = Client::connect(&exchange).await;
    silent.error("public/set_heartbeat", json!({ "interval": 9 }), -32602).await;
    silent.result("public/set_heartbeat", json!({ "interval": 10 })).await;
    let mut idle = Client::connect(&exchange).await;
    assert_eq!(silent.end().await, End::Frame(4000, "heartbeat close".into()));
    assert_eq!(idle.end().await, End::Abrupt);
}

#[tokio::test]
async fn point_6_credits_and_connections() {
    let still = CreditPolicy { refill_percent: 0, ..CreditPolicy::default() };
    let exchange = orderly().credits(still).start().await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(Client::connect(&exchange).await);
    }
    let refused = Client::try_connect(exchange.url()).await.err().unwrap();
    assert!(matches!(refused, Error::Http(response) if response.status() == 429));
    let mut client = clients.pop().unwrap();
    for _ in 0..10 {
        client.subscribe(&["platform_state"]).await;
    }
    client.error("public/subscribe", json!({ "channels": ["platform_state"] }), 10028).await;
    assert_eq!(client.end().await, End::Abrupt);
}

#[tokio::test]
async fn point_7_books() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let channel = "book.BTC-PERPETUAL.100ms";
    client.subscribe(&[channel]).await;
    let mut book = Rebuilt::default();
    let mut last = 0;
    for _ in 0..20 {
        let data = client.update(channel).await;
        assert!(book.apply(&data) && data["change_id"].as_u64().unwrap() > last + 1);
        last = data["change_id"].as_u64().unwrap();
    }
    exchange.fault(Target::All, Fault::Gap(channel.into()));
    while book.apply(&client.update(channel).await) {}
}

#[tokio::test]
async fn point_8_orders() {
    let (exchange, mut client) = start().await;
    client.result("private/enable_cancel_on_disconnect", json!({})).await;
    let (ask, standing) = best(&exchange, PERPETUAL).1;
    let order =
        json!({ "instrument_name": PERPETUAL, "price": ask, "amount": standing + 20.0, "label": "part" });
    let part = client.result("private/buy", order).await["order"].clone();
    assert_eq!((&part["order_state"], &part["filled_amount"]), (&json!("open"), &json!(standing)));
    let cancelled = client.result("private/cancel", json!({ "order_id": part["order_id"] })).await;
    assert_eq!(
        (&cancelled["order_state"], &cancelled["filled_amount"]),
        (&json!("cancelled"), &json!(standing))
    );
    let waiting = json!({
        "instrument_name": PERPETUAL, "type": "take_market", "amount": 10.0, "trigger": "index_price",
        "trigger_price": 10_000.0,
    });
    let waiting = client.result("private/buy", waiting).await["order"].clone();
    assert_eq!((&waiting["price"], waiting.get("filled_amount")), (&json!("market_price"), None));
    exchange.fault(Target::All, Fault::CutAfterMatch(Cut::Reset));
    let price = ask - 100.0;
    let order = json!({ "instrument_name": PERPETUAL, "price": price, "amount": 10.0, "label": "cut" });
    client.send("private/buy", order).await;
    assert_eq!(client.end().await, End::Abrupt);
    soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    let ledger = exchange.ledger();
    let states: Vec<Option<&str>> =
        ledger.orders.iter().map(|order| order.cancel_reason.as_deref()).collect();
    assert_eq!(states, [Some("user_request"), Some("cancel_on_disconnect"), Some("cancel_on_disconnect")]);
}

#[tokio::test]
async fn point_9_what_is_no_request() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for (text, code) in [("{", 11050), (&"x".repeat(33_000), -32600)] {
        client.send_text(text).await;
        let reply = client.frame().await;
        assert_eq!((&reply["error"]["code"], reply.get("id")), (&json!(code), None));
    }
    client.error("public/nothing", json!({}), -32601).await;
    client.error("public/test", json!({ "expected_result": "exception" }), 10001).await;
}

#[tokio::test]
async fn point_10_the_platform() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&["platform_state"]).await;
    for _ in 0..3 {
        assert_eq!(client.update("platform_state").await["locked"], false);
    }
    exchange.maintenance(Duration::from_secs(1), Duration::from_secs(30));
    client.find(|frame| frame["params"]["data"] == json!({ "maintenance": true })).await;
    client.error("public/get_time", json!({}), 11051).await;
    assert!(matches!(client.end().await, End::Frame(..)));
    let refused: Option<Value> = Client::try_connect(exchange.url()).await.err().map(|_| Value::Null);
    assert_eq!(refused, Some(Value::Null));
}
