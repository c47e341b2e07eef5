//! Mass quotes and market maker protection.

use serde_json::{Value, json};
use steadysocket_exchange::{CreditPolicy, Exchange};

use crate::support::Client;
use crate::trading::{best, start, trader};

const PERPETUAL: &str = "BTC-PERPETUAL";

async fn quoting() -> (Exchange, Client) {
    let (exchange, mut client) = start().await;
    client.result("private/enable_cancel_on_disconnect", json!({})).await;
    let config = json!({ "index_name": "btc_usd", "mmp_group": "g", "interval": 60, "frozen_time": 0, "quantity_limit": 3.0 });
    let set = client.result("private/set_mmp_config", config.clone()).await;
    assert_eq!(set[0], config);
    (exchange, client)
}

fn quote(bid: f64, ask: f64, amount: f64) -> Value {
    json!({
        "quote_id": "1", "mmp_group": "g", "detailed": true,
        "quotes": [{
            "instrument_name": PERPETUAL, "quote_set_id": "s",
            "bid": { "price": bid, "amount": amount }, "ask": { "price": ask, "amount": amount },
        }],
    })
}

#[tokio::test]
async fn quoting_needs_a_group_and_cancel_on_disconnect() {
    let (exchange, mut client) = start().await;
    let ((bid, _), (ask, _)) = best(&exchange, PERPETUAL);
    let params = quote(bid - 50.0, ask + 50.0, 10.0);
    assert_eq!(client.error("private/mass_quote", params.clone(), 13042).await["message"], "cod_not_enabled");
    client.result("private/enable_cancel_on_disconnect", json!({})).await;
    client.error("private/mass_quote", params, 13040).await;
}

#[tokio::test]
async fn quotes_replace_each_other_and_fail_alone() {
    let (exchange, mut client) = quoting().await;
    let ((bid, _), (ask, _)) = best(&exchange, PERPETUAL);
    let first = client.result("private/mass_quote", quote(bid - 50.0, ask + 50.0, 10.0)).await;
    let orders = first["orders"].as_array().unwrap();
    assert_eq!((orders.len(), &first["errors"], &first["trades"]), (2, &json!([]), &json!([])));
    for order in orders {
        assert_eq!(
            (&order["quote"], &order["mmp"], &order["mmp_group"]),
            (&json!(true), &json!(true), &json!("g"))
        );
        assert_eq!((&order["quote_id"], &order["quote_set_id"]), (&json!("1"), &json!("s")));
    }
    let too_high = client.result("private/mass_quote", quote((ask * 1.2).floor(), ask + 60.0, 20.0)).await;
    assert_eq!(too_high["errors"][0]["side"], "bid");
    assert_eq!(too_high["errors"][0]["error"]["code"], 10007);
    let open = client.result("private/get_open_orders", json!({})).await;
    let prices: Vec<f64> =
        open.as_array().unwrap().iter().map(|order| order["price"].as_f64().unwrap()).collect();
    assert_eq!(prices, [ask + 60.0]);
    let gone = client.result("private/mass_quote", quote(bid - 50.0, ask + 60.0, 0.0)).await;
    assert_eq!(gone["errors"], json!([]));
    assert_eq!(client.result("private/get_open_orders", json!({})).await, json!([]));
    let mut brief = quote(bid - 50.0, ask + 50.0, 10.0);
    brief["detailed"] = json!(false);
    let brief = client.result("private/mass_quote", brief).await;
    assert_eq!((&brief["errors_count"], brief.get("orders")), (&json!(0), None));
}

#[tokio::test]
async fn quotes_are_cancelled_by_what_they_are() {
    let (exchange, mut client) = quoting().await;
    let ((bid, _), (ask, _)) = best(&exchange, PERPETUAL);
    let params = || quote(bid - 50.0, ask + 50.0, 10.0);
    let order = json!({ "instrument_name": PERPETUAL, "price": bid - 60.0, "amount": 10.0 });
    client.result("private/buy", order).await;
    for (filter, count) in [
        (json!({ "cancel_type": "all" }), 2),
        (json!({ "cancel_type": "quote_set_id", "quote_set_id": "s" }), 2),
        (json!({ "cancel_type": "quote_set_id", "quote_set_id": "t" }), 0),
        (json!({ "cancel_type": "instrument", "instrument_name": PERPETUAL }), 2),
        (json!({ "cancel_type": "instrument_kind", "kind": "option" }), 0),
        (json!({ "cancel_type": "currency", "currency": "BTC" }), 2),
        (json!({ "cancel_type": "currency_pair", "currency_pair": "btc_usd" }), 2),
        (json!({ "cancel_type": "delta", "min_delta": 0.9, "max_delta": 1.1 }), 2),
    ] {
        client.result("private/mass_quote", params()).await;
        assert_eq!(client.result("private/cancel_quotes", filter.clone()).await, count, "{filter}");
        client.result("private/cancel_quotes", json!({ "cancel_type": "all" })).await;
    }
    assert_eq!(client.result("private/get_open_orders", json!({})).await.as_array().unwrap().len(), 1);
    let freeze = json!({ "cancel_type": "all", "freeze_quotes": true });
    client.result("private/cancel_quotes", freeze).await;
    assert_eq!(client.error("private/mass_quote", params(), 13043).await["message"], "quotes_frozen");
}

#[tokio::test]
async fn too_many_fills_take_all_quotes_away() {
    let (exchange, mut client) = quoting().await;
    let mut other = trader(&exchange, "other").await;
    client.subscribe_private(&["user.mmp_trigger.btc_usd"]).await;
    let bid = best(&exchange, PERPETUAL).0;
    let ask = best(&exchange, PERPETUAL).1.0;
    other
        .result("private/sell", json!({ "instrument_name": PERPETUAL, "price": bid.0, "amount": bid.1 }))
        .await;
    // Three coins and more.
    client.result("private/mass_quote", quote(bid.0, ask + 50.0, 400_000.0)).await;
    other
        .result("private/sell", json!({ "instrument_name": PERPETUAL, "price": bid.0, "amount": 250_000.0 }))
        .await;
    let triggered = match client.passed.iter().position(|frame| frame["method"] == "subscription") {
        Some(place) => client.passed.remove(place)["params"]["data"].clone(),
        None => client.update("user.mmp_trigger.btc_usd").await,
    };
    assert_eq!((&triggered["mmp_group"], &triggered["frozen_until"]), (&json!("g"), &json!(0)));
    let history = json!({ "currency": "BTC", "include_unfilled": true });
    let orders = client.result("private/get_order_history_by_currency", history).await;
    let reasons: Vec<&Value> =
        orders.as_array().unwrap().iter().map(|order| &order["cancel_reason"]).collect();
    assert_eq!(reasons, [&json!("mmp_trigger"), &json!("mmp_trigger")]);
    let again = quote(bid.0 - 50.0, ask + 50.0, 10.0);
    client.error("private/mass_quote", again.clone(), 13030).await;
    let status = client.result("private/get_mmp_status", json!({})).await;
    assert_eq!(status, json!([{ "index_name": "btc_usd", "mmp_group": "g", "frozen_until": 0 }]));
    let reset = json!({ "index_name": "btc_usd", "mmp_group": "g" });
    assert_eq!(client.result("private/reset_mmp", reset.clone()).await, "ok");
    assert_eq!(client.result("private/get_mmp_status", json!({})).await, json!([]));
    client.result("private/mass_quote", again).await;
    let configs = client.result("private/get_mmp_config", reset).await;
    assert_eq!(configs[0]["quantity_limit"], 3.0);
    let removed = json!({ "index_name": "btc_usd", "mmp_group": "g", "interval": 0, "frozen_time": 0 });
    assert_eq!(client.result("private/set_mmp_config", removed).await, json!([]));
    assert_eq!(client.result("private/get_mmp_config", json!({})).await, json!([]));
}

#[tokio::test]
async fn ordinary_orders_have_a_protection_too() {
    let (exchange, mut client) = start().await;
    let mut other = trader(&exchange, "other").await;
    let config = json!({ "index_name": "btc_usd", "interval": 60, "frozen_time": 30, "delta_limit": 0.001 });
    client.result("private/set_mmp_config", config).await;
    let bid = best(&exchange, PERPETUAL).0;
    other
        .result("private/sell", json!({ "instrument_name": PERPETUAL, "price": bid.0, "amount": bid.1 }))
        .await;
    let guarded = json!({ "instrument_name": PERPETUAL, "price": bid.0, "amount": 200.0, "mmp": true });
    let order = client.result("private/buy", guarded.clone()).await["order"].clone();
    other
        .result("private/sell", json!({ "instrument_name": PERPETUAL, "price": bid.0, "amount": 100.0 }))
        .await;
    let state = client.result("private/get_order_state", json!({ "order_id": order["order_id"] })).await;
    assert_eq!((&state["cancel_reason"], &state["mmp_cancelled"]), (&json!("mmp_trigger"), &json!(true)));
    client.error("private/buy", guarded, 13030).await;
    let status = client.result("private/get_mmp_status", json!({ "index_name": "btc_usd" })).await;
    assert!(status[0]["frozen_until"].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn quotes_have_a_limit_of_their_own() {
    let still = CreditPolicy { refill_percent: 0, ..CreditPolicy::default() };
    let exchange = crate::support::orderly().frozen(true).credits(still).start().await.unwrap();
    let mut client = trader(&exchange, "local").await;
    for _ in 0..10 {
        client.error("private/mass_quote", quote(1.0, 2.0, 10.0), 13042).await;
    }
    client.error("private/mass_quote", quote(1.0, 2.0, 10.0), 13903).await;
    client.result("public/test", json!({})).await;
}
