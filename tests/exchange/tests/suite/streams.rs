//! The smaller streams.

use serde_json::{Value, json};
use steadysocket_exchange::CreditPolicy;

use crate::support::{Client, orderly};
use crate::trading::{start, trader};

#[tokio::test]
async fn every_stream_of_a_market_speaks_in_its_shape() {
    let free = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let exchange = orderly().credits(free).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let shapes: [(&str, &[&str]); 10] = [
        ("deribit_price_index.btc_usd", &["index_name", "price", "timestamp"]),
        (
            "deribit_price_statistics.btc_usd",
            &["index_name", "high24h", "low24h", "change24h", "high_volatility"],
        ),
        ("deribit_volatility_index.eth_usd", &["index_name", "volatility", "timestamp"]),
        ("estimated_expiration_price.btc_usd", &["is_estimated", "price", "seconds"]),
        ("perpetual.BTC-PERPETUAL.100ms", &["interest", "index_price", "timestamp"]),
        ("chart.trades.BTC-PERPETUAL.1", &["tick", "open", "high", "low", "close", "volume", "cost"]),
        ("chart.trades.ETH-PERPETUAL.1D", &["tick", "open", "high", "low", "close", "volume", "cost"]),
        (
            "incremental_ticker.BTC-PERPETUAL",
            &["type", "instrument_name", "stats", "mark_price", "timestamp"],
        ),
        ("platform_state", &["price_index", "locked", "reasons"]),
        ("platform_state.public_methods_state", &["allow_unauthenticated_public_requests"]),
    ];
    for (channel, keys) in shapes {
        assert_eq!(client.subscribe(&[channel]).await, [channel]);
        let data = client.update(channel).await;
        for key in keys {
            assert!(data.get(key).is_some(), "{channel}: {key} in {data}");
        }
        client.unsubscribe(&[channel]).await;
        client.passed.clear();
    }
    let lists = [
        ("deribit_price_ranking.btc_usd", ["identifier", "enabled", "weight", "price", "original_price"]),
        ("markprice.options.btc_usd", ["instrument_name", "mark_price", "iv", "timestamp", "timestamp"]),
    ];
    for (channel, keys) in lists {
        client.subscribe(&[channel]).await;
        let data = client.update(channel).await;
        assert!(data.as_array().unwrap().len() > 1);
        assert!(keys.iter().all(|key| data[0].get(key).is_some()), "{data}");
    }
}

#[tokio::test]
async fn an_incremental_ticker_merges_into_the_ticker() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let channel = "incremental_ticker.BTC-PERPETUAL";
    client.subscribe(&[channel]).await;
    let mut merged = client.update(channel).await;
    assert_eq!(merged["type"], "snapshot");
    let whole = merged.as_object().unwrap().len();
    for _ in 0..3 {
        let change = client.update(channel).await;
        assert_eq!(change["type"], "change");
        assert!(change.as_object().unwrap().len() < whole);
        merge(&mut merged, &change);
    }
    exchange.freeze(true);
    let truth = client.result("public/ticker", json!({ "instrument_name": "BTC-PERPETUAL" })).await;
    let now = |merged: &Value| {
        merged["stats"] == truth["stats"] && merged["best_bid_price"] == truth["best_bid_price"]
    };
    while !now(&merged) {
        let known = client.passed.iter().position(|frame| frame["params"]["channel"] == channel);
        let change = match known {
            Some(place) => client.passed.remove(place)["params"]["data"].clone(),
            None => client.update(channel).await,
        };
        merge(&mut merged, &change);
    }
}

fn merge(into: &mut Value, change: &Value) {
    for (key, value) in change.as_object().unwrap() {
        match value.is_object() && into[key].is_object() {
            true => merge(&mut into[key], value),
            false => into[key] = value.clone(),
        }
    }
}

#[tokio::test]
async fn bars_close_when_the_next_one_opens_and_hold_what_is_traded() {
    let (_exchange, mut client) = start().await;
    let channel = "chart.trades.BTC-PERPETUAL.1";
    client.subscribe(&[channel]).await;
    let market = json!({ "instrument_name": "BTC-PERPETUAL", "type": "market", "amount": 100.0 });
    let result = client.result("private/buy", market).await;
    let last = result["trades"].as_array().unwrap().last().unwrap()["price"].clone();
    let bar = match client.passed.iter().position(|frame| frame["params"]["channel"] == channel) {
        Some(place) => client.passed.remove(place)["params"]["data"].clone(),
        None => client.update(channel).await,
    };
    assert_eq!((&bar["close"], bar["tick"].as_i64().unwrap() % 60_000), (&last, 0));
    assert!(bar["high"].as_f64() >= last.as_f64() && bar["cost"].as_f64() >= Some(100.0));
}

#[tokio::test]
async fn an_account_hears_of_its_logins() {
    let (exchange, mut client) = start().await;
    client.subscribe_private(&["user.access_log", "user.lock", "user.mmp_trigger.btc_usd"]).await;
    trader(&exchange, "other").await;
    trader(&exchange, "local").await;
    let entry = client.update("user.access_log").await;
    assert_eq!((&entry["log"], &entry["ip"]), (&json!("success"), &json!("127.0.0.1")));
    let log = client.result("private/get_access_log", json!({ "count": 1 })).await;
    assert_eq!((&log["records_total"], &log["data"][0]["id"]), (&json!(2), &entry["id"]));
}
