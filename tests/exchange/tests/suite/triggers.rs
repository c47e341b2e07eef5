//! Orders that wait: for a price, or for another order.

use serde_json::{Value, json};
use steadysocket_exchange::Exchange;

use crate::support::Client;
use crate::trading::{best, start, trader};

const PERPETUAL: &str = "BTC-PERPETUAL";

async fn price_of(client: &mut Client, what: &str) -> f64 {
    let ticker = client.result("public/ticker", json!({ "instrument_name": PERPETUAL })).await;
    ticker[what].as_f64().unwrap()
}

fn on_tick(price: f64) -> f64 {
    (price * 2.0).round() / 2.0
}

fn order(extra: Value) -> Value {
    let mut order = json!({ "instrument_name": PERPETUAL, "amount": 10.0 });
    order.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    order
}

async fn state(client: &mut Client, order: &Value) -> Value {
    client.result("private/get_order_state", json!({ "order_id": order["order_id"] })).await
}

async fn open(client: &mut Client) -> Vec<Value> {
    client.result("private/get_open_orders", json!({})).await.as_array().unwrap().clone()
}

/// Moves the market until an order is no longer what it was.
async fn until_changed(exchange: &Exchange, client: &mut Client, order: &Value) -> Value {
    for _ in 0..400 {
        exchange.step(50);
        let now = state(client, order).await;
        if now["order_state"] != order["order_state"] {
            return now;
        }
    }
    panic!("nothing happened to {order}");
}

#[tokio::test]
async fn a_waiting_order_shows_what_it_waits_for() {
    let (_exchange, mut client) = start().await;
    let index = price_of(&mut client, "index_price").await;
    let stop = order(json!({
        "type": "stop_market", "trigger": "index_price", "trigger_price": on_tick(index - 500.0), "label": "s",
    }));
    let stop = client.result("private/sell", stop).await["order"].clone();
    for (key, value) in [
        ("order_state", json!("untriggered")),
        ("order_type", json!("stop_market")),
        ("price", json!("market_price")),
        ("trigger", json!("index_price")),
        ("trigger_price", json!(on_tick(index - 500.0))),
        ("triggered", json!(false)),
    ] {
        assert_eq!(stop[key], value, "{key}");
    }
    assert!(stop.get("filled_amount").is_none() && stop.get("average_price").is_none());
    assert!(stop["order_id"].as_str().unwrap().starts_with("SLIS-"), "{stop}");
    let id = json!({ "order_id": stop["order_id"], "amount": 20.0, "trigger_price": on_tick(index - 600.0) });
    let edited = client.result("private/edit", id).await["order"].clone();
    assert_eq!((&edited["amount"], &edited["trigger_price"]), (&json!(20.0), &json!(on_tick(index - 600.0))));
    for (filter, count) in
        [("stop_all", 1), ("stop_market", 1), ("take_all", 0), ("trigger_all", 1), ("limit", 0)]
    {
        let open = client.result("private/get_open_orders", json!({ "type": filter })).await;
        assert_eq!(open.as_array().unwrap().len(), count, "{filter}");
    }
    let history = client.result("private/get_trigger_order_history", json!({ "currency": "BTC" })).await;
    assert_eq!(history["entries"][0]["trigger_order_id"], stop["order_id"]);
    let cancelled = client.result("private/cancel", json!({ "order_id": stop["order_id"] })).await;
    assert_eq!(cancelled["order_state"], "cancelled");
}

#[tokio::test]
async fn triggers_on_the_wrong_side_are_refused() {
    let (_exchange, mut client) = start().await;
    let mark = on_tick(price_of(&mut client, "mark_price").await);
    for (side, kind, price, code) in [
        ("buy", "stop_market", mark - 100.0, 10035),
        ("sell", "stop_market", mark + 100.0, 10034),
        ("buy", "take_market", mark + 100.0, 10034),
        ("sell", "take_market", mark - 100.0, 10035),
        ("sell", "stop_market", 0.0, 11036),
        ("sell", "stop_market", mark - 100.2, 10044),
    ] {
        let order = order(json!({ "type": kind, "trigger": "mark_price", "trigger_price": price }));
        client.error(&format!("private/{side}"), order, code).await;
    }
    let nothing = order(json!({ "type": "stop_market", "trigger_price": mark + 10.0 }));
    assert_eq!(client.error("private/buy", nothing, -32602).await["data"]["param"], "trigger");
}

#[tokio::test]
async fn a_trigger_makes_an_order_of_its_own() {
    let (exchange, mut client) = start().await;
    client.subscribe_private(&["user.orders.any.any.raw"]).await;
    let mark = on_tick(price_of(&mut client, "mark_price").await);
    // One of these is bound to come first, wherever the market goes.
    let up = order(
        json!({ "type": "stop_market", "trigger": "mark_price", "trigger_price": mark + 2.0, "label": "up" }),
    );
    let down = order(json!({
        "type": "stop_limit", "trigger": "mark_price", "trigger_price": mark - 2.0, "label": "down",
        "price": mark - 100.0,
    }));
    let up = client.result("private/buy", up).await["order"].clone();
    let down = client.result("private/sell", down).await["order"].clone();
    for _ in 0..400 {
        exchange.step(20);
        if open(&mut client).await.len() < 2 {
            break;
        }
    }
    for waiting in [up, down] {
        let now = state(&mut client, &waiting).await;
        if now["order_state"] == "untriggered" {
            continue;
        }
        assert_eq!((&now["order_state"], &now["triggered"]), (&json!("triggered"), &json!(true)));
        let label = json!({ "currency": "BTC", "label": waiting["label"] });
        let both = client.result("private/get_order_state_by_label", label).await;
        let made =
            both.as_array().unwrap().iter().find(|order| order.get("trigger_order_id").is_some()).unwrap();
        assert_eq!(
            (&made["trigger_order_id"], &made["order_type"]),
            (&waiting["order_id"], &waiting["order_type"])
        );
        assert_eq!((&made["order_state"], &made["filled_amount"]), (&json!("filled"), &json!(10.0)));
        let ledger = exchange.ledger();
        assert!(ledger.duplicate_labels().is_empty(), "what the exchange makes is not the client's");
        return;
    }
    panic!("none was triggered");
}

#[tokio::test]
async fn a_trailing_stop_follows() {
    let (exchange, mut client) = start().await;
    let mark = price_of(&mut client, "mark_price").await;
    let trailing = order(json!({ "type": "trailing_stop", "trigger": "mark_price", "trigger_offset": 10.0 }));
    let order = client.result("private/sell", trailing).await["order"].clone();
    let at = |order: &Value| order["trigger_price"].as_f64().unwrap();
    assert!((at(&order) - (mark - 10.0)).abs() < 1e-6 && order["trigger_offset"] == 10.0);
    assert!((order["trigger_reference_price"].as_f64().unwrap() - mark).abs() < 1e-6);
    let mut highest = at(&order);
    let mut moved = false;
    for _ in 0..3_000 {
        exchange.step(1);
        let now = state(&mut client, &order).await;
        if now["order_state"] != "untriggered" {
            assert_eq!(now["order_state"], "triggered");
            return assert!(moved || at(&now) == at(&order));
        }
        assert!(at(&now) >= highest - 1e-6, "it only ever rises");
        moved |= at(&now) > highest;
        highest = at(&now);
    }
    panic!("it was never triggered");
}

fn leg(direction: &str, price: f64) -> Value {
    json!({ "direction": direction, "type": "limit", "amount": 10.0, "price": price, "label": "leg" })
}

fn linked(kind: &str, price: f64, legs: &[Value]) -> Value {
    order(json!({ "price": price, "label": "main", "linked_order_type": kind, "otoco_config": legs }))
}

#[tokio::test]
async fn one_triggers_the_other_when_it_is_filled() {
    let (exchange, mut client) = start().await;
    let ((bid, _), (ask, _)) = best(&exchange, PERPETUAL);
    let far = [leg("sell", ask + 200.0)];
    let main =
        client.result("private/buy", linked("one_triggers_other", bid - 50.0, &far)).await["order"].clone();
    let ids = main["oto_order_ids"].as_array().unwrap();
    assert!(ids.len() == 1 && ids[0].as_str().unwrap().starts_with("OTO-"));
    let waiting = open(&mut client).await.into_iter().find(|order| order["label"] == "leg").unwrap();
    assert_eq!(
        (&waiting["is_secondary_oto"], &waiting["order_state"]),
        (&json!(true), &json!("untriggered"))
    );
    assert_eq!(waiting["primary_order_id"], main["order_id"]);
    client.result("private/cancel", json!({ "order_id": main["order_id"] })).await;
    assert_eq!(state(&mut client, &waiting).await["cancel_reason"], "oto_primary_closed");

    let main = client.result("private/buy", linked("one_triggers_other", ask, &far)).await["order"].clone();
    assert_eq!(main["order_state"], "filled");
    let open = open(&mut client).await;
    assert_eq!((open.len(), &open[0]["label"], &open[0]["direction"]), (1, &json!("leg"), &json!("sell")));
    assert_eq!((&open[0]["order_state"], &open[0]["price"]), (&json!("open"), &json!(ask + 200.0)));
}

#[tokio::test]
async fn one_cancels_the_other() {
    let (exchange, mut client) = start().await;
    let ((bid, _), (ask, _)) = best(&exchange, PERPETUAL);
    let pair = linked("one_cancels_other", bid - 50.0, &[leg("sell", ask + 200.0)]);
    let main = client.result("private/buy", pair).await["order"].clone();
    let both = open(&mut client).await;
    assert!(both.len() == 2 && both.iter().all(|order| order["oco_ref"] == main["oco_ref"]));
    let other = both.iter().find(|order| order["label"] == "leg").unwrap();
    client
        .result("private/edit", json!({ "order_id": main["order_id"], "amount": 10.0, "price": ask }))
        .await;
    let gone = state(&mut client, other).await;
    assert_eq!(
        (&gone["order_state"], &gone["cancel_reason"]),
        (&json!("cancelled"), &json!("oco_other_closed"))
    );
}

#[tokio::test]
async fn one_triggers_two_of_which_one_cancels_the_other() {
    let (exchange, mut client) = start().await;
    let mut other = trader(&exchange, "other").await;
    let ((_, _), (ask, _)) = best(&exchange, PERPETUAL);
    let stop = json!({
        "direction": "sell", "type": "stop_market", "amount": 10.0, "trigger": "mark_price",
        "trigger_price": ask - 500.0, "label": "stop",
    });
    let main = linked("one_triggers_one_cancels_other", ask, &[leg("sell", ask + 200.0), stop]);
    let main = client.result("private/buy", main).await["order"].clone();
    assert_eq!((&main["is_primary_otoco"], &main["order_state"]), (&json!(true), &json!("filled")));
    let both = open(&mut client).await;
    assert_eq!(both.len(), 2, "{both:?}");
    let stop = both.iter().find(|order| order["label"] == "stop").unwrap();
    assert_eq!(stop["order_state"], "untriggered");
    let take = both.iter().find(|order| order["label"] == "leg").unwrap();
    // Someone buys everything up to it.
    let sweep = order(json!({ "price": ask + 200.0, "amount": 10_000_000.0 }));
    other.result("private/buy", sweep).await;
    assert_eq!(state(&mut client, take).await["order_state"], "filled");
    assert_eq!(state(&mut client, stop).await["cancel_reason"], "oco_other_closed");
}

#[tokio::test]
async fn a_part_of_a_fill_sets_off_a_part() {
    let (exchange, mut client) = start().await;
    let (_, (ask, _)) = best(&exchange, PERPETUAL);
    let mut other = trader(&exchange, "other").await;
    let bid = best(&exchange, PERPETUAL).0;
    other.result("private/sell", order(json!({ "price": bid.0, "amount": bid.1 }))).await;
    let mut main = linked("one_triggers_other", bid.0, &[leg("sell", ask + 200.0)]);
    main["amount"] = json!(100.0);
    main["otoco_config"][0]["amount"] = json!(50.0);
    main["trigger_fill_condition"] = json!("incremental");
    let main = client.result("private/buy", main).await["order"].clone();
    other.result("private/sell", order(json!({ "price": bid.0, "amount": 40.0 }))).await;
    let made = |open: &[Value]| -> f64 {
        open.iter()
            .filter(|o| o["label"] == "leg" && o["order_state"] == "open")
            .filter_map(|o| o["amount"].as_f64())
            .sum()
    };
    assert_eq!(made(&open(&mut client).await), 20.0);
    other.result("private/sell", order(json!({ "price": bid.0, "amount": 60.0 }))).await;
    assert_eq!(state(&mut client, &main).await["order_state"], "filled");
    assert_eq!(made(&open(&mut client).await), 50.0);
}

#[tokio::test]
async fn wrong_links_are_refused_whole() {
    let (exchange, mut client) = start().await;
    let ((bid, _), (ask, _)) = best(&exchange, PERPETUAL);
    let price = bid - 50.0;
    let sell = leg("sell", ask + 200.0);
    for (order, code) in [
        (linked("one_cancels_other", price, &[]), -32602),
        (linked("one_cancels_other", price, &[sell.clone(), sell.clone()]), -32602),
        (linked("one_triggers_one_cancels_other", price, std::slice::from_ref(&sell)), -32602),
        (linked("one_triggers_everything", price, std::slice::from_ref(&sell)), -32602),
        (linked("one_triggers_other", price, &[leg("up", price)]), -32602),
        (linked("one_triggers_other", price, &[leg("sell", 0.3)]), 10043),
        (order(json!({ "price": price, "otoco_config": [sell] })), 11047),
    ] {
        client.error("private/buy", order, code).await;
    }
    assert!(open(&mut client).await.is_empty());
    let mut text = linked("one_triggers_other", price, &[]);
    text["otoco_config"] = json!(json!([leg("sell", ask + 200.0)]).to_string());
    let main = client.result("private/buy", text).await["order"].clone();
    assert_eq!(main["oto_order_ids"].as_array().unwrap().len(), 1, "the schema calls it a text");
    until_gone(&exchange, &mut client).await;
}

async fn until_gone(exchange: &Exchange, client: &mut Client) {
    let order = open(client).await.into_iter().find(|order| order["label"] == "main").unwrap();
    client.result("private/cancel_all", json!({})).await;
    assert_eq!(until_changed(exchange, client, &order).await["cancel_reason"], "user_request");
}
