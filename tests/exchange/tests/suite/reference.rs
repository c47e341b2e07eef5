//! Public methods that look around and back.

use serde_json::{Value, json};

use crate::support::{Client, orderly};
use crate::trading::{start, trader};

const PERPETUAL: &str = "BTC-PERPETUAL";

fn named(name: &str) -> Value {
    json!({ "instrument_name": name })
}

#[tokio::test]
async fn what_there_is_can_be_asked() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let price = client.result("public/get_index_price", json!({ "index_name": "btc_usd" })).await;
    assert!(
        price["index_price"].as_f64().unwrap() > 1_000.0 && price["estimated_delivery_price"].is_number()
    );
    assert_eq!(client.result("public/get_contract_size", named(PERPETUAL)).await["contract_size"], 10);
    let linear = client.result("public/get_contract_size", named("BTC_USDC-PERPETUAL")).await;
    assert_eq!(linear["contract_size"], 0.0001);
    let names = client.result("public/get_index_price_names", json!({})).await;
    assert!(names.as_array().unwrap().contains(&json!("btc_usd")));
    assert_eq!(
        client.result("public/get_supported_index_names", json!({ "type": "derivative" })).await,
        names
    );
    let extended = client.result("public/get_index_price_names", json!({ "extended": true })).await;
    assert_eq!(extended[0]["name"], names[0]);
    let currencies = client.result("public/get_currencies", json!({})).await;
    assert!(currencies.as_array().unwrap().iter().any(|row| row["currency"] == "USDC"));
    let any = json!({ "currency": "any", "kind": "any" });
    let expirations = client.result("public/get_expirations", any).await;
    assert!(expirations["future"].as_array().unwrap().contains(&json!("PERPETUAL")));
    assert_eq!(expirations["option"].as_array().unwrap().len(), 2);
    let grouped = json!({ "currency": "grouped", "kind": "option" });
    let grouped = client.result("public/get_expirations", grouped).await;
    assert!(grouped["btc"]["option"].is_array() && grouped["btc"].get("future").is_none());
    for method in ["get_combos", "get_combo_ids", "get_announcements"] {
        assert_eq!(client.result(&format!("public/{method}"), json!({ "currency": "BTC" })).await, json!([]));
    }
    client.error("public/get_index_price", json!({ "index_name": "nothing" }), -32602).await;
    client.error("public/get_expirations", json!({ "kind": "any" }), -32602).await;
}

#[tokio::test]
async fn summaries_have_a_row_for_each_instrument() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let rows = client.result("public/get_book_summary_by_currency", json!({ "currency": "BTC" })).await;
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), exchange.instruments().iter().filter(|name| name.starts_with("BTC-")).count());
    for row in rows {
        for key in ["bid_price", "ask_price", "mid_price", "mark_price", "last", "high", "low", "volume"] {
            assert!(row.get(key).is_some(), "{key} in {row}");
        }
    }
    let one = client.result("public/get_book_summary_by_instrument", named(PERPETUAL)).await;
    assert_eq!((&one[0]["instrument_name"], one.as_array().unwrap().len()), (&json!(PERPETUAL), 1));
    assert!(one[0]["funding_8h"].is_number());
    let instrument = client.result("public/get_instrument", named(PERPETUAL)).await;
    let by_id = json!({ "instrument_id": instrument["instrument_id"], "depth": 1 });
    let book = client.result("public/get_order_book_by_instrument_id", by_id).await;
    assert_eq!((&book["instrument_name"], book["bids"].as_array().unwrap().len()), (&json!(PERPETUAL), 1));
}

#[tokio::test]
async fn trades_come_in_pages() {
    let exchange = orderly().frozen(true).start().await.unwrap();
    exchange.step(400);
    let mut client = Client::connect(&exchange).await;
    let seqs = |page: &Value| -> Vec<u64> {
        page["trades"].as_array().unwrap().iter().map(|trade| trade["trade_seq"].as_u64().unwrap()).collect()
    };
    let method = "public/get_last_trades_by_instrument";
    let latest = client.result(method, json!({ "instrument_name": PERPETUAL, "count": 20 })).await;
    let newest = seqs(&latest);
    assert_eq!((newest.len(), &latest["has_more"]), (20, &json!(true)));
    assert!(newest.is_sorted_by(|a, b| a > b));
    let (first, last) = (newest[19], newest[0]);
    let range = json!({ "instrument_name": PERPETUAL, "start_seq": first, "end_seq": last, "count": 100 });
    let page = client.result(method, range).await;
    let forward: Vec<u64> = newest.iter().rev().copied().collect();
    assert_eq!((seqs(&page), &page["has_more"]), (forward.clone(), &json!(false)));
    let asc = json!({ "instrument_name": PERPETUAL, "start_seq": first, "sorting": "desc", "count": 5 });
    assert_eq!(seqs(&client.result(method, asc).await), newest[..5]);
    let by_id = json!({ "currency": "BTC", "start_id": latest["trades"][3]["trade_id"], "count": 1 });
    let page = client.result("public/get_last_trades_by_currency", by_id).await;
    assert_eq!(page["trades"][0]["trade_id"], latest["trades"][3]["trade_id"]);
    let now = client.result("public/get_time", json!({})).await;
    let time =
        json!({ "instrument_name": PERPETUAL, "start_timestamp": 0, "end_timestamp": now, "count": 3 });
    let page = client.result("public/get_last_trades_by_instrument_and_time", time).await;
    assert!(seqs(&page).is_sorted() && seqs(&page).len() == 3);
    let without = json!({ "instrument_name": PERPETUAL, "start_timestamp": 0 });
    client.error("public/get_last_trades_by_instrument_and_time", without, -32602).await;
    client.error(method, json!({ "instrument_name": PERPETUAL, "count": 1_001 }), -32602).await;
}

#[tokio::test]
async fn bars_join_and_hold_their_prices() {
    let exchange = orderly().frozen(true).start().await.unwrap();
    exchange.step(200);
    let mut client = Client::connect(&exchange).await;
    let now = client.result("public/get_time", json!({})).await.as_i64().unwrap();
    for (resolution, length, count) in [("1", 60_000, 120), ("60", 3_600_000, 48), ("1D", 86_400_000, 30)] {
        let params = json!({
            "instrument_name": PERPETUAL, "resolution": resolution, "start_timestamp": now - count * length,
            "end_timestamp": now,
        });
        let bars = client.result("public/get_tradingview_chart_data", params).await;
        assert_eq!(bars["status"], "ok");
        let column = |name: &str| -> Vec<f64> { serde_json::from_value(bars[name].clone()).unwrap() };
        let ticks: Vec<i64> = serde_json::from_value(bars["ticks"].clone()).unwrap();
        assert!(ticks.windows(2).all(|pair| pair[1] - pair[0] == length) && ticks[0] % length == 0);
        assert_eq!(*ticks.last().unwrap(), now - now % length);
        let (open, high, low, close) = (column("open"), column("high"), column("low"), column("close"));
        for n in 0..ticks.len() {
            assert!(low[n] <= open[n].min(close[n]) && high[n] >= open[n].max(close[n]), "{resolution} {n}");
        }
        assert!(open.iter().skip(1).zip(&close).all(|(open, close)| (open - close).abs() <= 0.5));
        assert_eq!(column("volume").len(), ticks.len());
    }
    let ticker = client.result("public/ticker", named(PERPETUAL)).await;
    let params = json!({
        "instrument_name": PERPETUAL, "resolution": 1, "start_timestamp": now - 120_000, "end_timestamp": now + 5_000,
    });
    let bars = client.result("public/get_tradingview_chart_data", params).await;
    assert_eq!(bars["close"].as_array().unwrap().last(), Some(&ticker["last_price"]));
    let wrong = json!({
        "instrument_name": PERPETUAL, "resolution": "2", "start_timestamp": now - 10, "end_timestamp": now,
    });
    client.error("public/get_tradingview_chart_data", wrong, -32602).await;
}

#[tokio::test]
async fn long_histories_end_with_the_newest() {
    let exchange = orderly().frozen(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let now = client.result("public/get_time", json!({})).await.as_i64().unwrap();
    let year = 365 * 86_400_000_i64;
    let bars = json!({
        "instrument_name": PERPETUAL, "resolution": "1", "start_timestamp": now - year, "end_timestamp": now,
    });
    let bars = client.result("public/get_tradingview_chart_data", bars).await;
    assert_eq!(bars["ticks"].as_array().unwrap().len(), 5_000);
    let window = |currency: &str, resolution: &str| json!({ "currency": currency, "resolution": resolution, "start_timestamp": now - year, "end_timestamp": now });
    let volatility = client.result("public/get_volatility_index_data", window("BTC", "60")).await;
    assert!(volatility["data"].as_array().unwrap().len() == 1_000 && volatility["continuation"].is_i64());
    let days = client.result("public/get_volatility_index_data", window("ETH", "1D")).await;
    assert_eq!(days["continuation"], Value::Null);
    let hourly = client.result("public/get_historical_volatility", json!({ "currency": "BTC" })).await;
    assert!(hourly.as_array().unwrap().len() > 300);
    let span =
        json!({ "instrument_name": PERPETUAL, "start_timestamp": now - 86_400_000, "end_timestamp": now });
    let rates = client.result("public/get_funding_rate_history", span.clone()).await;
    assert_eq!(rates.as_array().unwrap().len(), 24);
    let sum: f64 = rates.as_array().unwrap().iter().map(|row| row["interest_1h"].as_f64().unwrap()).sum();
    let value = client.result("public/get_funding_rate_value", span).await.as_f64().unwrap();
    assert!((value - sum).abs() < 1e-12);
    let chart = json!({ "instrument_name": PERPETUAL, "length": "8h" });
    let chart = client.result("public/get_funding_chart_data", chart).await;
    assert_eq!(chart["data"].as_array().unwrap().len(), 8);
    let prices = json!({ "index_name": "btc_usd", "count": 3, "offset": 1 });
    let prices = client.result("public/get_delivery_prices", prices).await;
    assert_eq!((prices["data"].as_array().unwrap().len(), &prices["records_total"]), (3, &json!(365)));
    let volumes = client.result("public/get_trade_volumes", json!({})).await;
    assert_eq!(volumes.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn instruments_come_stop_and_go() {
    let (exchange, mut client) = start().await;
    let channels =
        ["instrument.state.any.any", "instrument.creation.option.BTC", "announcements", "platform_state"];
    client.subscribe(&channels).await;
    let name = exchange.instruments().into_iter().find(|name| name.ends_with("-60000-C")).unwrap();
    let new = name.replace("60000", "65000");
    let order = json!({ "instrument_name": name, "price": 0.001, "amount": 1.0 });

    exchange.command(&format!("halt {name}")).unwrap();
    assert_eq!(client.update(channels[0]).await["state"], "halted");
    assert_eq!(client.result("public/ticker", named(&name)).await["state"], "halted");
    client.error("private/buy", order.clone(), 10012).await;
    exchange.command(&format!("reopen {name}")).unwrap();
    assert_eq!(client.update(channels[0]).await["state"], "open");

    exchange.command(&format!("list {new}")).unwrap();
    let states = [client.update(channels[0]).await, client.update(channels[0]).await];
    assert_eq!((&states[0]["state"], &states[1]["instrument_name"]), (&json!("created"), &json!(new)));
    let created = match client.passed.iter().position(|frame| frame["params"]["channel"] == channels[1]) {
        Some(place) => client.passed.remove(place)["params"]["data"].clone(),
        None => client.update(channels[1]).await,
    };
    assert_eq!((&created["strike"], &created["is_active"]), (&json!(65_000.0), &json!(true)));

    exchange.command("lock btc_usd").unwrap();
    let is_locked = |frame: &Value| frame["params"]["data"]["locked"] == true;
    client.find(is_locked).await;
    assert_eq!(client.result("public/status", json!({})).await["locked_indices"], json!(["btc_usd"]));
    client.error("private/buy", order.clone(), 10019).await;
    exchange.command("unlock btc_usd").unwrap();

    client.result("private/buy", order.clone()).await;
    let bought = json!({ "instrument_name": name, "type": "market", "amount": 1.0 });
    client.result("private/buy", bought).await;
    exchange.command(&format!("expire {name}")).unwrap();
    assert_eq!(client.update(channels[0]).await["state"], "delivered");
    client.error("private/buy", order, 13019).await;
    assert_eq!(client.result("private/get_open_orders", json!({})).await, json!([]));
    assert_eq!(client.result("private/get_position", named(&name)).await["size"], 0.0);
    let settled =
        client.result("private/get_settlement_history_by_currency", json!({ "currency": "BTC" })).await;
    assert_eq!(settled["settlements"][0]["type"], "delivery");
    let expired = json!({ "currency": "BTC", "expired": true });
    assert_eq!(client.result("public/get_instruments", expired).await[0]["instrument_name"], json!(name));

    exchange.command("announce something happened").unwrap();
    assert_eq!(client.update("announcements").await["body"], "something happened");
    let told = client.result("public/get_announcements", json!({})).await;
    assert_eq!(told[0]["title"], "something happened");
}

#[tokio::test]
async fn a_day_ends() {
    let (exchange, mut client) = start().await;
    let ticker = client.result("public/ticker", named(PERPETUAL)).await;
    let price = (ticker["mark_price"].as_f64().unwrap() * 0.99).floor();
    let today = json!({
        "instrument_name": PERPETUAL, "price": price, "amount": 10.0, "time_in_force": "good_til_day",
    });
    let today = client.result("private/buy", today).await["order"].clone();
    let market = json!({ "instrument_name": PERPETUAL, "type": "market", "amount": 1_000.0 });
    client.result("private/buy", market.clone()).await;
    exchange.command("settle 3600s").unwrap();
    client.error("private/buy", market, 10041).await;
    exchange.command("settle 0s").unwrap();
    let state = client.result("private/get_order_state", json!({ "order_id": today["order_id"] })).await;
    assert_eq!((&state["order_state"], &state["cancel_reason"]), (&json!("cancelled"), &json!("settlement")));
    let log = json!({ "currency": "BTC", "start_timestamp": 0, "end_timestamp": 4_000_000_000_000_i64 });
    let log = client.result("private/get_transaction_log", log).await;
    let types: Vec<&Value> = log["logs"].as_array().unwrap().iter().map(|entry| &entry["type"]).collect();
    assert_eq!(types[0], "settlement");
    let summary = client.result("private/get_account_summary", json!({ "currency": "BTC" })).await;
    assert_eq!(summary["futures_session_rpl"], 0.0);
    drop(trader(&exchange, "local").await);
}
