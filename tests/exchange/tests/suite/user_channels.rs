//! The channels of an account.

use serde_json::{Value, json};
use steadysocket_exchange::Exchange;

use crate::support::Client;
use crate::trading::{best, start, trader};

const PERPETUAL: &str = "BTC-PERPETUAL";

fn order(exchange: &Exchange, label: &str) -> Value {
    let price = best(exchange, PERPETUAL).0.0 - 100.0;
    json!({ "instrument_name": PERPETUAL, "price": price, "amount": 10.0, "label": label })
}

fn market(amount: f64) -> Value {
    json!({ "instrument_name": PERPETUAL, "type": "market", "amount": amount })
}

/// The data of updates that came while something else was waited for, and those still to come.
async fn updates(client: &mut Client, channel: &str) -> Value {
    let known = client.passed.iter().position(|frame| frame["params"]["channel"] == channel);
    match known {
        Some(place) => client.passed.remove(place)["params"]["data"].clone(),
        None => client.update(channel).await,
    }
}

#[tokio::test]
async fn orders_come_one_by_one_on_raw_and_in_lists_otherwise() {
    let (exchange, mut client) = start().await;
    let (raw, list) = ("user.orders.any.any.raw", "user.orders.BTC-PERPETUAL.100ms");
    let granted = client.subscribe_private(&[raw, list, "user.orders.future.ETH.raw"]).await;
    assert_eq!(granted.len(), 3);
    let placed = client.result("private/buy", order(&exchange, "a")).await["order"].clone();
    assert_eq!(updates(&mut client, raw).await, placed);
    client.result("private/cancel", json!({ "order_id": placed["order_id"] })).await;
    let cancelled = updates(&mut client, raw).await;
    assert_eq!((&cancelled["order_state"], &cancelled["label"]), (&json!("cancelled"), &json!("a")));
    let mut seen = Vec::new();
    while seen.last() != Some(&json!("cancelled")) {
        let frame = updates(&mut client, list).await;
        seen.extend(frame.as_array().unwrap().iter().map(|order| order["order_state"].clone()));
    }
    assert!(client.passed.iter().all(|frame| frame["params"]["channel"] != "user.orders.future.ETH.raw"));
}

#[tokio::test]
async fn fills_come_as_lists_and_changes_bring_it_all() {
    let (_exchange, mut client) = start().await;
    let (trades, changes) = ("user.trades.future.BTC.raw", "user.changes.any.any.raw");
    client.subscribe_private(&[trades, changes]).await;
    let result = client.result("private/buy", market(50.0)).await;
    assert_eq!(updates(&mut client, trades).await, result["trades"]);
    let change = updates(&mut client, changes).await;
    assert_eq!((&change["instrument_name"], &change["trades"]), (&json!(PERPETUAL), &result["trades"]));
    assert_eq!((&change["orders"][0], &change["positions"][0]["size"]), (&result["order"], &json!(50.0)));
}

#[tokio::test]
async fn a_maker_hears_of_its_fill_on_every_connection_of_its_account() {
    let (exchange, mut client) = start().await;
    let (mut twin, mut other) = (trader(&exchange, "local").await, trader(&exchange, "other").await);
    let raw = "user.orders.any.any.raw";
    for listener in [&mut client, &mut twin, &mut other] {
        listener.subscribe_private(&[raw]).await;
    }
    let (bid, _) = best(&exchange, PERPETUAL);
    other
        .result("private/sell", json!({ "instrument_name": PERPETUAL, "price": bid.0, "amount": bid.1 }))
        .await;
    let mine = json!({ "instrument_name": PERPETUAL, "price": bid.0, "amount": 30.0 });
    client.result("private/buy", mine).await;
    other.result("private/sell", market(30.0)).await;
    for listener in [&mut client, &mut twin] {
        assert_eq!(updates(listener, raw).await["order_state"], "open");
        let filled = updates(listener, raw).await;
        assert_eq!((&filled["order_state"], &filled["filled_amount"]), (&json!("filled"), &json!(30.0)));
    }
    let sells = [updates(&mut other, raw).await, updates(&mut other, raw).await];
    assert!(sells.iter().all(|order| order["direction"] == "sell"), "others hear only of themselves");
}

#[tokio::test]
async fn the_portfolio_follows_the_money() {
    let (_exchange, mut client) = start().await;
    let channel = "user.portfolio.btc";
    client.subscribe_private(&[channel]).await;
    let before = updates(&mut client, channel).await;
    assert_eq!((&before["currency"], &before["balance"]), (&json!("BTC"), &json!(100.0)));
    client.result("private/buy", market(1_000.0)).await;
    let after = updates(&mut client, channel).await;
    assert!(after["balance"].as_f64() < before["balance"].as_f64(), "the fee");
    assert!(after["initial_margin"].as_f64() > Some(0.0) && after["delta_total"].as_f64() > Some(0.0));
}

#[tokio::test]
async fn notifications_carry_the_label_of_the_subscription() {
    let (exchange, mut client) = start().await;
    let raw = "user.orders.any.any.raw";
    let params = json!({ "channels": [raw, "quote.BTC-PERPETUAL"], "label": "mine" });
    client.result("private/subscribe", params).await;
    client.result("private/buy", order(&exchange, "a")).await;
    let frame = match client.passed.iter().position(|frame| frame["params"]["channel"] == raw) {
        Some(place) => client.passed.remove(place),
        None => client.find(|frame| frame["params"]["channel"] == raw).await,
    };
    assert_eq!(frame["params"]["label"], "mine");
    let public =
        client.passed.iter().find(|frame| frame["params"]["channel"] == "quote.BTC-PERPETUAL").unwrap();
    assert_eq!(public["params"].get("label"), None);
}

#[tokio::test]
async fn raw_books_follow_each_order() {
    let (exchange, mut client) = start().await;
    let channel = "book.BTC-PERPETUAL.raw";
    client.subscribe(&[channel]).await;
    let mut book = crate::support::Rebuilt::default();
    assert!(book.apply(&updates(&mut client, channel).await));
    for n in 0..5 {
        client.result("private/buy", order(&exchange, &format!("{n}"))).await;
        assert!(book.apply(&updates(&mut client, channel).await));
        assert!(book.equals(&exchange.book(PERPETUAL).unwrap()));
    }
    client.result("private/cancel_all", json!({})).await;
    assert!(book.apply(&updates(&mut client, channel).await));
    assert!(book.equals(&exchange.book(PERPETUAL).unwrap()));
}
