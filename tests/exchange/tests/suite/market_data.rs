//! Market data: the methods, the channels, and the seed.

use serde_json::{Value, json};
use steadysocket_exchange::{BookView, Exchange};

use crate::support::{Client, orderly};

fn keys_of(object: &Value, keys: &[&str]) {
    for key in keys {
        assert!(object.get(key).is_some(), "{key} in {object}");
    }
}

fn no_keys_of(object: &Value, keys: &[&str]) {
    for key in keys {
        assert!(object.get(key).is_none(), "{key} in {object}");
    }
}

#[tokio::test]
async fn small_methods_answer() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let hello = json!({ "client_name": "test", "client_version": "1" });
    assert!(client.result("public/hello", hello).await["version"].is_string());
    assert!(client.result("public/get_time", json!({})).await.as_i64().unwrap() > 1_700_000_000_000);
    keys_of(&client.result("public/status", json!({})).await, &["locked"]);
}

#[tokio::test]
async fn instruments_have_all_documented_fields() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let all = client.result("public/get_instruments", json!({ "currency": "any" })).await;
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), exchange.instruments().len());
    for instrument in all {
        keys_of(
            instrument,
            &[
                "instrument_name",
                "instrument_id",
                "kind",
                "base_currency",
                "quote_currency",
                "counter_currency",
                "price_index",
                "tick_size",
                "tick_size_steps",
                "min_trade_amount",
                "contract_size",
                "instrument_type",
                "creation_timestamp",
                "expiration_timestamp",
                "is_active",
                "maker_commission",
                "taker_commission",
            ],
        );
        let settled = ["settlement_currency", "settlement_period"];
        match instrument["kind"].as_str().unwrap() {
            "option" => keys_of(instrument, &["strike", "option_type"]),
            "spot" => no_keys_of(instrument, &[settled[0], settled[1], "max_leverage"]),
            _ => keys_of(instrument, &["max_leverage"]),
        }
        if instrument["kind"] != "spot" {
            keys_of(instrument, &settled);
        }
        let one = json!({ "instrument_name": instrument["instrument_name"] });
        assert_eq!(client.result("public/get_instrument", one).await, *instrument);
    }
    let perpetual = &all[0];
    assert_eq!((&perpetual["tick_size"], &perpetual["contract_size"]), (&json!(0.5), &json!(10)));
    assert_eq!(perpetual["expiration_timestamp"], 32_503_708_800_000_i64);
    let linear = all.iter().find(|i| i["instrument_type"] == "linear").unwrap();
    assert!(linear["contract_size"].as_f64().unwrap() < 1.0);
}

#[tokio::test]
async fn instruments_are_filtered() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for (params, fits) in [
        (json!({ "currency": "BTC", "kind": "option" }), "BTC-"),
        (json!({ "currency": "ETH" }), "ETH-"),
        (json!({ "currency": "USDC", "kind": "future" }), "USDC-PERPETUAL"),
        (json!({ "currency": "any", "kind": "spot" }), "BTC_USDC"),
    ] {
        let list = client.result("public/get_instruments", params).await;
        let list = list.as_array().unwrap();
        assert!(
            !list.is_empty() && list.iter().all(|i| i["instrument_name"].as_str().unwrap().contains(fits))
        );
    }
    let none = client.result("public/get_instruments", json!({ "currency": "any", "expired": true })).await;
    assert_eq!(none, json!([]));
    client.error("public/get_instrument", json!({ "instrument_name": "NO-SUCH" }), 13020).await;
}

#[tokio::test]
async fn ticker_and_order_book_show_the_true_book() {
    let exchange = orderly().frozen(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for name in exchange.instruments() {
        let truth = exchange.book(&name).unwrap();
        let params = json!({ "instrument_name": name, "depth": 10_000 });
        let book = client.result("public/get_order_book", params.clone()).await;
        assert_eq!(book["change_id"], truth.change_id);
        assert_eq!(serde_json::from_value::<Vec<(f64, f64)>>(book["bids"].clone()).unwrap(), truth.bids);
        assert_eq!(serde_json::from_value::<Vec<(f64, f64)>>(book["asks"].clone()).unwrap(), truth.asks);
        let ticker = client.result("public/ticker", json!({ "instrument_name": name })).await;
        keys_of(
            &ticker,
            &[
                "best_bid_price",
                "best_ask_amount",
                "mark_price",
                "index_price",
                "last_price",
                "min_price",
                "max_price",
                "state",
                "stats",
                "timestamp",
                "estimated_delivery_price",
            ],
        );
        assert_eq!(
            ticker["best_bid_price"].as_f64().unwrap(),
            truth.bids.first().map_or(0.0, |level| level.0)
        );
        let summary =
            client.result("public/get_book_summary_by_instrument", json!({ "instrument_name": name })).await;
        if name.contains('-') {
            keys_of(&ticker, &["open_interest", "settlement_price"]);
            keys_of(&summary[0], &["open_interest"]);
        } else {
            no_keys_of(&ticker, &["open_interest", "settlement_price", "funding_8h"]);
            no_keys_of(&summary[0], &["open_interest", "funding_8h"]);
        }
        if name.ends_with("PERPETUAL") {
            keys_of(&ticker, &["current_funding", "funding_8h", "interest_value"]);
        }
        if name.ends_with("-C") || name.ends_with("-P") {
            keys_of(&ticker, &["mark_iv", "bid_iv", "ask_iv", "underlying_price", "underlying_index"]);
            keys_of(&ticker["greeks"], &["delta", "gamma", "vega", "theta", "rho"]);
        }
    }
    let shallow = json!({ "instrument_name": "BTC-PERPETUAL", "depth": 1 });
    assert_eq!(client.result("public/get_order_book", shallow).await["bids"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn every_channel_family_speaks() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let channels = [
        ("book.ETH-PERPETUAL.agg2", "bids"),
        ("ticker.SOL_USDC-PERPETUAL.100ms", "stats"),
        ("ticker.BTC-PERPETUAL.agg2", "funding_8h"),
        ("quote.BTC-PERPETUAL", "best_bid_price"),
        ("deribit_price_index.btc_usd", "price"),
        ("platform_state.public_methods_state", "allow_unauthenticated_public_requests"),
    ];
    let names: Vec<&str> = channels.iter().map(|(name, _)| *name).collect();
    client.subscribe(&names).await;
    for (name, key) in channels {
        // In a connection of its own, so that the order of the channels does not matter.
        let mut reader = Client::connect(&exchange).await;
        reader.subscribe(&[name]).await;
        keys_of(&reader.update(name).await, &[key]);
    }
}

#[tokio::test]
async fn trades_come_as_arrays_and_follow_on() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let (one, kind) = ("trades.BTC-PERPETUAL.100ms", "trades.future.USDC.100ms");
    client.subscribe(&[one, kind]).await;
    let mut last = None;
    for _ in 0..5 {
        for trade in client.update(one).await.as_array().unwrap() {
            keys_of(
                trade,
                &["trade_id", "timestamp", "price", "amount", "contracts", "direction", "mark_price"],
            );
            assert!(trade["trade_id"].is_string() && trade["tick_direction"].as_u64().unwrap() < 4);
            let seq = trade["trade_seq"].as_u64().unwrap();
            assert!(last.is_none_or(|last| seq == last + 1));
            last = Some(seq);
        }
    }
    let of_kind = client.update(kind).await;
    assert!(of_kind.as_array().unwrap().iter().all(|t| t["trade_id"].as_str().unwrap().starts_with("USDC-")));
}

/// The futures of an exchange: a name is as good as another, so the date of the options does not matter.
fn books(exchange: &Exchange) -> Vec<BookView> {
    let books = exchange.instruments().into_iter().filter_map(|name| exchange.book(&name));
    books.map(|book| BookView { timestamp: 0, ..book }).collect()
}

#[tokio::test]
async fn the_same_seed_gives_the_same_market() {
    let mut markets = Vec::new();
    for seed in [7, 7, 8] {
        let exchange = orderly().seed(seed).frozen(true).start().await.unwrap();
        exchange.step(1_000);
        markets.push(books(&exchange));
    }
    assert_eq!(markets[0], markets[1]);
    assert_ne!(markets[0], markets[2]);
}

#[tokio::test]
async fn a_handful_of_channels_is_lively_at_the_usual_pace() {
    let exchange = Exchange::builder().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let mut channels = Vec::new();
    for name in ["BTC-PERPETUAL", "ETH-PERPETUAL", "SOL_USDC-PERPETUAL"] {
        channels.extend([
            format!("ticker.{name}.100ms"),
            format!("book.{name}.100ms"),
            format!("quote.{name}"),
        ]);
    }
    client.subscribe(&channels.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let begun = tokio::time::Instant::now();
    for _ in 0..90 {
        client.find(|frame| frame["method"] == "subscription").await;
    }
    assert!(begun.elapsed().as_secs_f64() < 3.0, "{:?}", begun.elapsed());
}
