//! Orders: how they enter, meet the book, change and end.

use serde_json::{Value, json};
use steadysocket_exchange::{Account, CreditPolicy, Exchange};

use crate::support::{Client, orderly};

const PERPETUAL: &str = "BTC-PERPETUAL";

/// An exchange whose market stands still, and someone who is logged in.
pub(crate) async fn start() -> (Exchange, Client) {
    let free = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let other = Account::new("other").key("other", "other-secret");
    let exchange = orderly().frozen(true).credits(free).account(other).start().await.unwrap();
    let client = trader(&exchange, "local").await;
    (exchange, client)
}

/// Someone who is logged in.
pub(crate) async fn trader(exchange: &Exchange, name: &str) -> Client {
    let mut client = Client::connect(exchange).await;
    client.log_in(name, &format!("{name}-secret")).await;
    client
}

/// The best bid and ask, with their amounts.
pub(crate) fn best(exchange: &Exchange, name: &str) -> ((f64, f64), (f64, f64)) {
    let book = exchange.book(name).unwrap();
    (book.bids[0], book.asks[0])
}

/// Sells the whole best bid. Its price is then nobody's, and the best there can be.
async fn clear_best(exchange: &Exchange, seller: &mut Client) -> f64 {
    let ((price, amount), _) = best(exchange, PERPETUAL);
    seller.result("private/sell", limit(price, amount)).await;
    assert!(best(exchange, PERPETUAL).0.0 < price);
    price
}

fn limit(price: f64, amount: f64) -> Value {
    json!({ "instrument_name": PERPETUAL, "type": "limit", "price": price, "amount": amount })
}

fn with(mut order: Value, extra: Value) -> Value {
    for (key, value) in extra.as_object().unwrap() {
        order[key] = value.clone();
    }
    order
}

#[tokio::test]
async fn a_limit_order_rests_in_the_public_book() {
    let (exchange, mut client) = start().await;
    let ((bid, _), _) = best(&exchange, PERPETUAL);
    let price = bid - 100.0;
    let before = exchange.book(PERPETUAL).unwrap();
    let at = |book: &steadysocket_exchange::BookView| {
        book.bids.iter().find(|(p, _)| *p == price).map_or(0.0, |(_, amount)| *amount)
    };
    let result = client.result("private/buy", with(limit(price, 50.0), json!({ "label": "a" }))).await;
    let order = &result["order"];
    for (key, value) in [
        ("order_state", json!("open")),
        ("order_type", json!("limit")),
        ("direction", json!("buy")),
        ("label", json!("a")),
        ("time_in_force", json!("good_til_cancelled")),
        ("filled_amount", json!(0.0)),
        ("amount", json!(50.0)),
        ("contracts", json!(5.0)),
        ("price", json!(price)),
        ("post_only", json!(false)),
        ("reduce_only", json!(false)),
        ("api", json!(true)),
    ] {
        assert_eq!(order[key], value, "{key}");
    }
    assert!(order["order_id"].is_string() && order.get("cancel_reason").is_none());
    assert_eq!(result["trades"], json!([]));
    let after = exchange.book(PERPETUAL).unwrap();
    assert_eq!(at(&after), at(&before) + 50.0);
    assert!(after.change_id > before.change_id);

    let cancelled = client.result("private/cancel", json!({ "order_id": order["order_id"] })).await;
    assert_eq!(
        (&cancelled["order_state"], &cancelled["cancel_reason"]),
        (&json!("cancelled"), &json!("user_request"))
    );
    assert_eq!(at(&exchange.book(PERPETUAL).unwrap()), at(&before));
    client.error("private/cancel", json!({ "order_id": order["order_id"] }), 11044).await;
}

#[tokio::test]
async fn a_market_order_takes_the_best_levels() {
    let (exchange, mut client) = start().await;
    let (_, (ask, standing)) = best(&exchange, PERPETUAL);
    let amount = standing + 10.0;
    let params = json!({ "instrument_name": PERPETUAL, "type": "market", "amount": amount });
    let result = client.result("private/buy", params).await;
    let trades = result["trades"].as_array().unwrap();
    assert_eq!((trades.len(), &trades[0]["price"], &trades[0]["amount"]), (2, &json!(ask), &json!(standing)));
    for trade in trades {
        assert_eq!(
            (&trade["liquidity"], &trade["state"], &trade["matching_id"]),
            (&json!("T"), &json!("filled"), &Value::Null)
        );
        assert_eq!((&trade["order_type"], &trade["fee_currency"]), (&json!("market"), &json!("BTC")));
        assert!(trade["fee"].as_f64().unwrap() > 0.0);
    }
    let order = &result["order"];
    assert_eq!((&order["order_state"], &order["filled_amount"]), (&json!("filled"), &json!(amount)));
    assert!(order["average_price"].as_f64().unwrap() >= ask && order["price"].as_f64().unwrap() > ask);
    let position = client.result("private/get_position", json!({ "instrument_name": PERPETUAL })).await;
    assert_eq!((&position["size"], &position["direction"]), (&json!(amount), &json!("buy")));
}

#[tokio::test]
async fn two_clients_meet_in_the_book_in_order_of_arrival() {
    let (exchange, mut first) = start().await;
    let mut second = trader(&exchange, "other").await;
    let price = clear_best(&exchange, &mut second).await;
    let early = first.result("private/buy", limit(price, 30.0)).await;
    let late = first.result("private/buy", limit(price, 20.0)).await;
    let sold = second.result("private/sell", limit(price, 40.0)).await;
    let parts: Vec<f64> =
        sold["trades"].as_array().unwrap().iter().map(|t| t["amount"].as_f64().unwrap()).collect();
    assert_eq!(parts, [30.0, 10.0]);
    let state = |order: &Value| json!({ "order_id": order["order"]["order_id"] });
    let early = first.result("private/get_order_state", state(&early)).await;
    let late = first.result("private/get_order_state", state(&late)).await;
    assert_eq!((&early["order_state"], &late["order_state"]), (&json!("filled"), &json!("open")));
    assert_eq!((&late["filled_amount"], &late["average_price"]), (&json!(10.0), &json!(price)));
    let trades =
        first.result("private/get_user_trades_by_instrument", json!({ "instrument_name": PERPETUAL })).await;
    assert_eq!(trades["has_more"], false);
    assert!(trades["trades"].as_array().unwrap().iter().all(|t| t["liquidity"] == "M" && t["fee"] == 0.0));
}

#[tokio::test]
async fn orders_that_cannot_be_are_refused_with_the_venue_s_codes() {
    let (exchange, mut client) = start().await;
    let ((bid, _), (ask, _)) = best(&exchange, PERPETUAL);
    let far = bid - 200.0;
    let cases: [(Value, i64); 20] = [
        (json!({ "price": far + 0.1 }), 10043),
        (json!({ "price": 0.0 }), 10023),
        (json!({ "amount": 15.0 }), 10021),
        (json!({ "amount": 5.0 }), 10002),
        (json!({ "amount": 0.0 }), 10021),
        (json!({ "contracts": 3.0 }), 10021),
        (json!({ "contracts": 1.5 }), 10027),
        (json!({ "price": ask * 1.1 - (ask * 1.1) % 0.5 }), 10007),
        (json!({ "instrument_name": "BTC-NOTHING" }), 13020),
        (json!({ "label": "x".repeat(65) }), -32602),
        (json!({ "type": "stop" }), -32602),
        (json!({ "type": "stop_limit" }), -32602),
        (json!({ "post_only": true, "time_in_force": "immediate_or_cancel" }), 11055),
        (json!({ "reject_post_only": true }), 11047),
        (json!({ "reduce_only": true }), 11030),
        (json!({ "amount": 1.0e10 }), 10009),
        (json!({ "valid_until": 1_000 }), 13888),
        (json!({ "advanced": "usd" }), 11038),
        (json!({ "price": ask, "post_only": true, "reject_post_only": true }), 11054),
        (json!({ "display_amount": 10.0, "amount": 100_000.0 }), 10036),
    ];
    for (extra, code) in cases {
        client.error("private/buy", with(limit(far, 20.0), extra), code).await;
    }
    let error = client.error("private/sell", limit((bid * 0.9).floor(), 10.0), 10005).await;
    assert!(error["message"].as_str().unwrap().starts_with("price_too_low "), "{error}");
    let without = json!({ "instrument_name": PERPETUAL, "type": "limit", "price": far });
    assert_eq!(client.error("private/buy", without, -32602).await["data"]["param"], "amount");
    assert_eq!(client.result("private/get_open_orders", json!({})).await, json!([]));
    client.error("private/cancel", json!({ "order_id": "1" }), 10004).await;
    client.error("private/cancel", json!({ "order_id": "no way" }), 10025).await;
    assert_eq!(exchange.ledger().orders.len(), 0);
}

#[tokio::test]
async fn nobody_trades_with_himself_nor_touches_what_is_not_his() {
    let (exchange, mut client) = start().await;
    let mut other = trader(&exchange, "other").await;
    let price = clear_best(&exchange, &mut other).await;
    let order = client.result("private/buy", limit(price, 30.0)).await["order"].clone();
    client.error("private/sell", limit(price, 10.0), 10003).await;
    let id = json!({ "order_id": order["order_id"] });
    other.error("private/cancel", id.clone(), 10029).await;
    other.error("private/get_order_state", id, 10029).await;
}

#[tokio::test]
async fn post_only_slides_behind_the_spread() {
    let (exchange, mut client) = start().await;
    let (_, (ask, _)) = best(&exchange, PERPETUAL);
    let order = with(limit(ask + 5.0, 10.0), json!({ "post_only": true }));
    let result = client.result("private/buy", order).await;
    assert_eq!((&result["order"]["price"], &result["trades"]), (&json!(ask - 0.5), &json!([])));
    assert_eq!(
        (&result["order"]["post_only"], &result["order"]["reject_post_only"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn immediate_orders_do_not_rest() {
    let (exchange, mut client) = start().await;
    let (_, (ask, standing)) = best(&exchange, PERPETUAL);
    let order = |amount, tif: &str| with(limit(ask, amount), json!({ "time_in_force": tif }));
    let killed = client.result("private/buy", order(standing + 10.0, "fill_or_kill")).await;
    assert_eq!((&killed["order"]["order_state"], &killed["trades"]), (&json!("cancelled"), &json!([])));
    let part = client.result("private/buy", order(standing + 10.0, "immediate_or_cancel")).await;
    assert_eq!(part["order"]["order_state"], "cancelled");
    assert_eq!(part["order"]["filled_amount"], json!(standing));
    assert_eq!(client.result("private/get_open_orders", json!({})).await, json!([]));
    let rest = json!({ "instrument_name": PERPETUAL, "type": "market_limit", "amount": 1.0e6 });
    let rest = client.result("private/buy", rest).await["order"].clone();
    assert_eq!(
        (&rest["order_type"], &rest["original_order_type"]),
        (&json!("limit"), &json!("market_limit"))
    );
}

#[tokio::test]
async fn edits_keep_their_place_only_when_they_shrink() {
    let (exchange, mut client) = start().await;
    let mut other = trader(&exchange, "other").await;
    let price = best(&exchange, PERPETUAL).0.0 - 100.0;
    let order =
        client.result("private/buy", with(limit(price, 50.0), json!({ "label": "e" }))).await["order"]
            .clone();
    let id = &order["order_id"];
    let smaller =
        client.result("private/edit", json!({ "order_id": id, "amount": 40.0, "price": price })).await;
    assert_eq!((&smaller["order"]["amount"], &smaller["order"]["replaced"]), (&json!(40.0), &json!(true)));
    let moved = json!({ "instrument_name": PERPETUAL, "label": "e", "amount": 40.0, "price": price - 5.0 });
    let moved = client.result("private/edit_by_label", moved).await;
    assert_eq!((&moved["order"]["order_id"], &moved["order"]["price"]), (id, &json!(price - 5.0)));
    client.result("private/buy", with(limit(price, 50.0), json!({ "label": "e" }))).await;
    let twice = json!({ "instrument_name": PERPETUAL, "label": "e", "amount": 30.0, "price": price });
    client.error("private/edit_by_label", twice, 13032).await;
    let none = json!({ "instrument_name": PERPETUAL, "label": "n", "amount": 30.0, "price": price });
    client.error("private/edit_by_label", none, 10004).await;
    // An edit may reach the other side.
    let (_, (ask, _)) = best(&exchange, PERPETUAL);
    let taken = client.result("private/edit", json!({ "order_id": id, "amount": 40.0, "price": ask })).await;
    assert_eq!(taken["order"]["order_state"], "filled");
    client.error("private/edit", json!({ "order_id": id, "amount": 50.0, "price": ask }), 11044).await;
    other.error("private/edit", json!({ "order_id": id, "amount": 50.0, "price": ask }), 10029).await;
}

#[tokio::test]
async fn an_edit_that_may_not_take_cancels() {
    let (exchange, mut client) = start().await;
    let ((bid, _), (ask, _)) = best(&exchange, PERPETUAL);
    let post = json!({ "post_only": true, "reject_post_only": true });
    let order = client.result("private/buy", with(limit(bid - 50.0, 50.0), post)).await["order"].clone();
    let edit = json!({ "order_id": order["order_id"], "amount": 50.0, "price": ask });
    client.error("private/edit", edit, 11054).await;
    let state = client.result("private/get_order_state", json!({ "order_id": order["order_id"] })).await;
    assert_eq!(state["cancel_reason"], "edit_post_only_reject");
}

#[tokio::test]
async fn many_orders_are_cancelled_in_every_way() {
    let (exchange, mut client) = start().await;
    let fill = |label: &str| {
        let price = best(&exchange, PERPETUAL).0.0 - 300.0;
        let eth = best(&exchange, "ETH-PERPETUAL").0.0 - 30.0;
        [
            with(limit(price, 10.0), json!({ "label": label })),
            with(limit(price - 5.0, 10.0), json!({ "label": "other" })),
            json!({ "instrument_name": "ETH-PERPETUAL", "price": eth, "amount": 1.0, "label": label }),
            json!({
                "instrument_name": PERPETUAL, "type": "stop_market", "amount": 10.0, "trigger": "index_price",
                "trigger_price": 90_000.0, "label": label,
            }),
        ]
    };
    for (method, params, count) in [
        ("cancel_all", json!({}), 4),
        ("cancel_all_by_instrument", json!({ "instrument_name": PERPETUAL }), 3),
        ("cancel_all_by_instrument", json!({ "instrument_name": PERPETUAL, "type": "limit" }), 2),
        ("cancel_all_by_currency", json!({ "currency": "ETH" }), 1),
        ("cancel_all_by_currency", json!({ "currency": "BTC", "kind": "option" }), 0),
        ("cancel_all_by_currency_pair", json!({ "currency_pair": "btc_usd" }), 3),
        ("cancel_all_by_kind_or_type", json!({ "currency": ["BTC", "ETH"], "type": "trigger_all" }), 1),
        ("cancel_all_by_kind_or_type", json!({ "currency": "any", "kind": "future" }), 4),
        ("cancel_by_label", json!({ "label": "l" }), 3),
        ("cancel_by_label", json!({ "label": "l", "currency": "BTC" }), 2),
    ] {
        for order in fill("l") {
            client.result("private/buy", order).await;
        }
        assert_eq!(client.result(&format!("private/{method}"), params).await, count, "{method}");
        client.result("private/cancel_all", json!({})).await;
    }
    client.result("private/buy", fill("l")[0].clone()).await;
    let reports = client.result("private/cancel_all", json!({ "detailed": true })).await;
    assert_eq!(
        (&reports[0]["currency"], &reports[0]["result"][0]["order_state"]),
        (&json!("BTC"), &json!("cancelled"))
    );
}

#[tokio::test]
async fn positions_close_and_only_reduce() {
    let (exchange, mut client) = start().await;
    let close = json!({ "instrument_name": PERPETUAL, "type": "market" });
    client.error("private/close_position", close.clone(), 10010).await;
    let market = |amount: f64| json!({ "instrument_name": PERPETUAL, "type": "market", "amount": amount });
    client.result("private/buy", market(100.0)).await;
    let ask = best(&exchange, PERPETUAL).1.0;
    let reduce = with(limit(ask + 50.0, 500.0), json!({ "reduce_only": true }));
    let resting = client.result("private/sell", reduce).await["order"].clone();
    assert_eq!(resting["amount"], 100.0, "no more than there is to reduce");
    client.result("private/sell", market(60.0)).await;
    let state = json!({ "order_id": resting["order_id"] });
    assert_eq!(client.result("private/get_order_state", state.clone()).await["amount"], 40.0);
    let closed = client.result("private/close_position", close).await;
    assert_eq!((&closed["order"]["reduce_only"], &closed["order"]["amount"]), (&json!(true), &json!(40.0)));
    assert_eq!(client.result("private/get_order_state", state).await["order_state"], "cancelled");
    let position = client.result("private/get_position", json!({ "instrument_name": PERPETUAL })).await;
    assert_eq!((&position["size"], &position["direction"]), (&json!(0.0), &json!("zero")));
    assert!(position["realized_profit_loss"].as_f64().unwrap() < 0.0, "it bought high and sold low");
}

#[tokio::test]
async fn an_iceberg_shows_a_part_at_a_time() {
    let (exchange, mut client) = start().await;
    let mut other = trader(&exchange, "other").await;
    let price = clear_best(&exchange, &mut other).await;
    let iceberg = with(limit(price, 10_000.0), json!({ "display_amount": 1_000.0 }));
    let order = client.result("private/buy", iceberg).await["order"].clone();
    assert_eq!((&order["display_amount"], &order["refresh_amount"]), (&json!(1_000.0), &json!(1_000.0)));
    assert_eq!(best(&exchange, PERPETUAL).0, (price, 1_000.0));
    other.result("private/sell", limit(price, 1_300.0)).await;
    assert_eq!(best(&exchange, PERPETUAL).0, (price, 700.0));
    let state = client.result("private/get_order_state", json!({ "order_id": order["order_id"] })).await;
    assert_eq!((&state["filled_amount"], &state["display_amount"]), (&json!(1_300.0), &json!(700.0)));
}

#[tokio::test]
async fn the_crowd_trades_with_clients() {
    let (exchange, mut client) = start().await;
    let ((bid, _), _) = best(&exchange, PERPETUAL);
    let order = client.result("private/buy", limit(bid + 0.5, 10.0)).await["order"].clone();
    let id = json!({ "order_id": order["order_id"] });
    for _ in 0..200 {
        exchange.step(20);
        let state = client.result("private/get_order_state", id.clone()).await;
        if state["order_state"] == "filled" {
            return assert_eq!(state["average_price"], state["price"]);
        }
    }
    panic!("the crowd did not take it");
}

#[tokio::test]
async fn spot_changes_hands_and_leaves_no_position() {
    const SPOT: &str = "BTC_USDC";
    let (exchange, mut client) = start().await;
    let balance = async |client: &mut Client, currency: &str| {
        let summary = client.result("private/get_account_summary", json!({ "currency": currency })).await;
        (summary["balance"].as_f64().unwrap(), summary["available_funds"].as_f64().unwrap())
    };
    let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-6, "{one} {other}");
    let (_, (ask, _)) = best(&exchange, SPOT);
    let order = json!({ "instrument_name": SPOT, "amount": 0.01, "type": "limit", "price": ask });
    let bought = client.result("private/buy", order).await;
    let (filled, paid) =
        bought["trades"].as_array().unwrap().iter().fold((0.0, 0.0), |(sum, paid), trade| {
            let (amount, price) = (trade["amount"].as_f64().unwrap(), trade["price"].as_f64().unwrap());
            assert!(trade.get("profit_loss").is_none() && trade["fee"] == 0.0, "{trade}");
            (sum + amount, paid + amount * price)
        });
    assert!(filled > 0.0, "{bought}");
    assert!(bought["order"].get("reduce_only").is_none() && bought["order"]["is_rebalance"] == false);
    client.result("private/cancel_all", json!({})).await;
    near(balance(&mut client, "BTC").await.0, 100.0 + filled);
    near(balance(&mut client, "USDC").await.0, 1e6 - paid);
    let positions = client.result("private/get_positions", json!({ "currency": "any" })).await;
    assert_eq!(positions, json!([]));

    // A sell binds the coins, and no more can be sold than there are.
    let sell = |amount: f64| json!({ "instrument_name": SPOT, "amount": amount, "type": "limit", "price": ask + 100.0 });
    client.result("private/sell", sell(1.0)).await;
    near(balance(&mut client, "BTC").await.1, 99.0 + filled);
    near(balance(&mut client, "USDC").await.1, 1e6 - paid);
    client.error("private/sell", sell(100.0), 10009).await;
    let reduce = json!({ "instrument_name": SPOT, "amount": 0.01, "type": "market", "reduce_only": true });
    client.error("private/sell", reduce, 11030).await;
}
