//! What an account can ask about itself.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket_exchange::{Account, CreditPolicy, Exchange};

use crate::support::{Client, orderly};
use crate::trading::{best, start, trader};

const PERPETUAL: &str = "BTC-PERPETUAL";

fn limit(exchange: &Exchange, label: &str) -> Value {
    let price = best(exchange, PERPETUAL).0.0 - 100.0;
    json!({ "instrument_name": PERPETUAL, "price": price, "amount": 10.0, "label": label })
}

fn market(amount: f64) -> Value {
    json!({ "instrument_name": PERPETUAL, "type": "market", "amount": amount })
}

async fn number(client: &mut Client, key: &str) -> f64 {
    let summary = client.result("private/get_account_summary", json!({ "currency": "BTC" })).await;
    summary[key].as_f64().unwrap_or_else(|| panic!("{key} in {summary}"))
}

#[tokio::test]
async fn open_orders_are_found_in_every_way() {
    let (exchange, mut client) = start().await;
    client.result("private/buy", limit(&exchange, "a")).await;
    client.result("private/buy", limit(&exchange, "b")).await;
    let eth = best(&exchange, "ETH-PERPETUAL").0.0 - 20.0;
    client
        .result("private/buy", json!({ "instrument_name": "ETH-PERPETUAL", "price": eth, "amount": 1.0 }))
        .await;
    for (method, params, count) in [
        ("get_open_orders", json!({}), 3),
        ("get_open_orders", json!({ "kind": "option" }), 0),
        ("get_open_orders", json!({ "kind": "future", "type": "limit" }), 3),
        ("get_open_orders_by_instrument", json!({ "instrument_name": PERPETUAL }), 2),
        ("get_open_orders_by_currency", json!({ "currency": "ETH" }), 1),
        ("get_open_orders_by_currency", json!({ "currency": "BTC", "type": "trigger_all" }), 0),
        ("get_open_orders_by_label", json!({ "currency": "BTC", "label": "b" }), 1),
        ("get_open_orders_by_label", json!({ "currency": "ETH", "label": "b" }), 0),
        ("get_order_state_by_label", json!({ "currency": "BTC", "label": "a" }), 1),
    ] {
        let found = client.result(&format!("private/{method}"), params).await;
        assert_eq!(found.as_array().unwrap().len(), count, "{method}");
    }
    let mut other = trader(&exchange, "other").await;
    assert_eq!(other.result("private/get_open_orders", json!({})).await, json!([]));
    client.error("private/get_open_orders_by_currency", json!({}), -32602).await;
    client.error("private/get_open_orders_by_instrument", json!({ "instrument_name": "X" }), 13020).await;
}

#[tokio::test]
async fn history_has_what_was_filled_and_the_rest_on_request() {
    let (exchange, mut client) = start().await;
    for label in ["a", "b", "c"] {
        client.result("private/buy", limit(&exchange, label)).await;
    }
    client.result("private/cancel_all", json!({})).await;
    client.result("private/buy", market(10.0)).await;
    let method = "private/get_order_history_by_currency";
    let filled = client.result(method, json!({ "currency": "BTC" })).await;
    assert_eq!((filled.as_array().unwrap().len(), &filled[0]["order_state"]), (1, &json!("filled")));
    let all = json!({ "currency": "BTC", "include_unfilled": true });
    assert_eq!(client.result(method, all).await.as_array().unwrap().len(), 4);
    let page = json!({ "currency": "BTC", "include_unfilled": true, "count": 3, "with_continuation": true });
    let first = client.result(method, page.clone()).await;
    assert_eq!(first["orders"].as_array().unwrap().len(), 3);
    let mut next = page;
    next["continuation"] = first["continuation"].clone();
    let second = client.result(method, next).await;
    assert_eq!((second["orders"].as_array().unwrap().len(), &second["continuation"]), (1, &Value::Null));
    assert_eq!(second["orders"][0]["label"], "a", "newest first");
    let by_name = json!({ "instrument_name": PERPETUAL, "include_unfilled": true, "offset": 3 });
    let rest = client.result("private/get_order_history_by_instrument", by_name).await;
    assert_eq!(rest.as_array().unwrap().len(), 1);
    client.error(method, json!({ "currency": "BTC", "count": 1_001 }), -32602).await;
}

#[tokio::test]
async fn cancelled_orders_without_fills_are_forgotten() {
    let free = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let builder = orderly().frozen(true).credits(free).order_retention(Duration::from_millis(30));
    let exchange = builder.start().await.unwrap();
    let mut client = trader(&exchange, "local").await;
    let gone = client.result("private/buy", limit(&exchange, "gone")).await["order"].clone();
    let open = client.result("private/buy", limit(&exchange, "open")).await["order"].clone();
    let filled = client.result("private/buy", market(10.0)).await["order"].clone();
    let id = |order: &Value| json!({ "order_id": order["order_id"] });
    client.result("private/cancel", id(&gone)).await;
    // Forgetting is seen by asking until it has happened.
    loop {
        let reply = client.call("private/get_order_state", id(&gone)).await;
        if reply["error"]["code"] == 10004 {
            break;
        }
    }
    let by_label = json!({ "currency": "BTC", "label": "gone" });
    assert_eq!(client.result("private/get_order_state_by_label", by_label).await, json!([]));
    assert_eq!(client.result("private/get_order_state", id(&open)).await["order_state"], "open");
    assert_eq!(client.result("private/get_order_state", id(&filled)).await["order_state"], "filled");
    let recent = json!({ "currency": "BTC", "include_unfilled": true });
    let history = "private/get_order_history_by_currency";
    assert_eq!(client.result(history, recent).await, json!([]));
    let past = json!({ "currency": "BTC", "include_unfilled": true, "historical": true });
    assert_eq!(client.result(history, past).await.as_array().unwrap().len(), 2);
    assert_eq!(exchange.ledger().with_label("gone").count(), 1, "the ledger forgets nothing");
}

#[tokio::test]
async fn fills_are_listed_in_three_shapes() {
    let (_exchange, mut client) = start().await;
    let order = client.result("private/buy", market(20.0)).await["order"].clone();
    let second = client.result("private/sell", market(10.0)).await["order"].clone();
    let by_order = json!({ "order_id": order["order_id"] });
    let list = client.result("private/get_user_trades_by_order", by_order).await;
    assert!(list.as_array().unwrap().iter().all(|trade| trade["order_id"] == order["order_id"]));
    let by_name = json!({ "instrument_name": PERPETUAL, "count": 1 });
    let page = client.result("private/get_user_trades_by_instrument", by_name).await;
    assert_eq!((&page["trades"][0]["order_id"], &page["has_more"]), (&second["order_id"], &json!(true)));
    let asc = json!({ "currency": "BTC", "sorting": "asc", "count": 1 });
    let page = client.result("private/get_user_trades_by_currency", asc).await;
    assert_eq!(page["trades"][0]["order_id"], order["order_id"]);
    let time = json!({ "currency": "BTC", "start_timestamp": 0, "end_timestamp": 1 });
    let page = client.result("private/get_user_trades_by_currency_and_time", time).await;
    assert_eq!(page, json!({ "trades": [], "has_more": false }));
    let historical = json!({ "currency": "BTC", "historical": true });
    let page = client.result("private/get_user_trades_by_currency", historical).await;
    assert_eq!(page["trades"], json!([]), "recent ones are not there yet");
    client.error("private/get_user_trades_by_order", json!({ "order_id": "1" }), 10004).await;
}

#[tokio::test]
async fn the_books_balance() {
    let (exchange, mut client) = start().await;
    let start = number(&mut client, "balance").await;
    let bought = client.result("private/buy", market(10_000.0)).await;
    let fee: f64 =
        bought["trades"].as_array().unwrap().iter().map(|trade| trade["fee"].as_f64().unwrap()).sum();
    assert!((number(&mut client, "balance").await - (start - fee)).abs() < 1e-8);
    let average = bought["order"]["average_price"].as_f64().unwrap();
    let position = client.result("private/get_position", json!({ "instrument_name": PERPETUAL })).await;
    assert!((position["average_price"].as_f64().unwrap() / average - 1.0).abs() < 1e-6);
    assert_eq!(position["size"], 10_000.0);
    let mark = position["mark_price"].as_f64().unwrap();
    let floating = 10_000.0 * (1.0 / position["average_price"].as_f64().unwrap() - 1.0 / mark);
    assert!((position["floating_profit_loss"].as_f64().unwrap() - floating).abs() < 1e-8);
    assert!((number(&mut client, "equity").await - (start - fee + floating)).abs() < 1e-8);

    let free = number(&mut client, "available_funds").await;
    let price = best(&exchange, PERPETUAL).0.0 - 100.0;
    let resting = json!({ "instrument_name": PERPETUAL, "price": price, "amount": 50_000.0 });
    client.result("private/buy", resting).await;
    assert!(number(&mut client, "available_funds").await < free, "an open order binds");
    client.result("private/cancel_all", json!({})).await;
    assert!((number(&mut client, "available_funds").await - free).abs() < 1e-8);

    let positions =
        client.result("private/get_positions", json!({ "currency": "BTC", "kind": "future" })).await;
    assert_eq!(positions.as_array().unwrap().len(), 1);
    assert_eq!(client.result("private/get_positions", json!({ "currency": "ETH" })).await, json!([]));
}

#[tokio::test]
async fn an_option_is_paid_for_and_a_linear_future_settles_in_its_quote_currency() {
    let (exchange, mut client) = start().await;
    let option = exchange.instruments().into_iter().find(|name| name.ends_with("-60000-P")).unwrap();
    let before = number(&mut client, "balance").await;
    let params = json!({ "instrument_name": option, "type": "market", "amount": 1.0 });
    let bought = client.result("private/buy", params).await;
    let (paid, fee): (f64, f64) =
        bought["trades"].as_array().unwrap().iter().fold((0.0, 0.0), |sum, trade| {
            let of = |key: &str| trade[key].as_f64().unwrap();
            (sum.0 + of("price") * of("amount"), sum.1 + of("fee"))
        });
    assert!((number(&mut client, "balance").await - (before - paid - fee)).abs() < 1e-8);
    assert!(number(&mut client, "options_value").await > 0.0);
    let trade = &bought["trades"][0];
    assert!(trade["iv"].is_number() && trade["underlying_price"].is_number());

    let params = json!({ "instrument_name": "BTC_USDC-PERPETUAL", "type": "market", "amount": 0.1 });
    let bought = client.result("private/buy", params).await;
    assert_eq!(bought["trades"][0]["fee_currency"], "USDC");
    let usdc = client.result("private/get_account_summary", json!({ "currency": "USDC" })).await;
    assert!(usdc["balance"].as_f64().unwrap() < 1e6 && usdc["delta_total"].as_f64().unwrap() > 0.09);
}

#[tokio::test]
async fn summaries_carry_limits_and_on_request_who_it_is() {
    let (exchange, mut client) = start().await;
    let plain = client.result("private/get_account_summary", json!({ "currency": "BTC" })).await;
    assert!(plain.get("username").is_none() && plain["fees"].is_array());
    assert_eq!(plain["limits"]["matching_engine"]["trading"]["total"], json!({ "burst": 20, "rate": 5 }));
    assert_eq!(plain["limits"]["non_matching_engine"], json!({ "burst": 100, "rate": 20 }));
    let extended = json!({ "currency": "BTC", "extended": true });
    let extended = client.result("private/get_account_summary", extended).await;
    assert_eq!((&extended["username"], &extended["type"]), (&json!("local"), &json!("main")));
    assert_eq!(extended["id"], json!(exchange.user_id("local")));
    let all = client.result("private/get_account_summaries", json!({ "extended": true })).await;
    assert_eq!((all["summaries"].as_array().unwrap().len(), &all["username"]), (5, &json!("local")));
    let log = json!({ "currency": "BTC", "start_timestamp": 0, "end_timestamp": "4000000000000" });
    client.result("private/buy", market(10.0)).await;
    client.result("private/sell", market(10.0)).await;
    let page = client.result("private/get_transaction_log", log.clone()).await;
    let entries = page["logs"].as_array().unwrap();
    assert!(entries.len() >= 2 && entries[0]["side"] == "close sell" && entries[1]["side"] == "open buy");
    assert_eq!((&entries[0]["username"], &page["continuation"]), (&json!("local"), &Value::Null));
    let mut only = log;
    only["query"] = json!("open buy");
    let page = client.result("private/get_transaction_log", only).await;
    assert!(page["logs"].as_array().unwrap().iter().all(|entry| entry["side"] == "open buy"));
    let margins = json!({ "instrument_name": PERPETUAL, "amount": 1_000.0, "price": 60_000.0 });
    let margins = client.result("private/get_margins", margins).await;
    assert!(margins["buy"].as_f64().unwrap() > 0.0 && margins["max_price"].is_number());
    let order = client.result("private/buy", limit(&exchange, "m")).await["order"].clone();
    let ids = json!({ "ids": [order["order_id"]] });
    let bound = client.result("private/get_order_margin_by_ids", ids).await;
    assert_eq!(bound[0]["initial_margin_currency"], "BTC");
    assert_eq!(client.result("private/get_user_locks", json!({})).await[0]["locked"], false);
}

#[tokio::test]
async fn a_main_account_sees_its_subaccounts() {
    let exchange = orderly()
        .frozen(true)
        .account(Account::new("main").key("main", "main-secret"))
        .account(Account::new("sub").key("sub", "sub-secret").subaccount_of("main").balance("BTC", 7.0))
        .start()
        .await
        .unwrap();
    let (mut main, mut sub) = (trader(&exchange, "main").await, trader(&exchange, "sub").await);
    let both = main.result("private/get_subaccounts", json!({ "with_portfolio": true })).await;
    assert_eq!((both.as_array().unwrap().len(), &both[1]["portfolio"]["btc"]["balance"]), (2, &json!(7.0)));
    let id = exchange.user_id("sub").unwrap();
    let params = json!({ "currency": "BTC", "subaccount_id": id });
    assert_eq!(main.result("private/get_account_summary", params).await["balance"], 7.0);
    let details = main.result("private/get_subaccounts_details", json!({ "currency": "BTC" })).await;
    assert_eq!(details.as_array().unwrap().len(), 2);
    let stranger = json!({ "currency": "BTC", "subaccount_id": exchange.user_id("local") });
    sub.error("private/get_account_summary", stranger, 13021).await;
}

#[tokio::test]
async fn a_key_that_may_only_read_reads_only() {
    let free = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let account = Account::new("r").read_only_key("reader", "reader-secret");
    let exchange = orderly().frozen(true).credits(free).account(account).start().await.unwrap();
    let mut client = trader(&exchange, "reader").await;
    client.result("private/get_positions", json!({})).await;
    let error = client.error("private/buy", limit(&exchange, "x"), 13021).await;
    assert_eq!(error["message"], "forbidden");
    client.error("private/enable_cancel_on_disconnect", json!({}), 13021).await;
    client.error("private/no_such_method", json!({}), -32601).await;
    assert!(exchange.ledger().requests.is_empty());
}
