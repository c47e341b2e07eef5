//! Books: what the channels say must be the book that the exchange has.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use steadysocket_exchange::{BookView, Exchange};

use crate::support::{Client, Rebuilt, orderly, soon};

/// Follows channels of all instruments until the market has been frozen and every book is the true one.
async fn follow(interval: &str, frames: usize) {
    let exchange = orderly().raw_for_all(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let names = exchange.instruments();
    let channels: Vec<String> = names.iter().map(|name| format!("book.{name}.{interval}")).collect();
    let granted = client.subscribe(&channels.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(granted.len(), names.len());

    let mut books = BTreeMap::<String, Rebuilt>::new();
    let mut changes = 0;
    for count in 0.. {
        let frame = client.frame().await;
        let data = &frame["params"]["data"];
        let name = data["instrument_name"].as_str().unwrap().to_owned();
        assert!(books.entry(name).or_default().apply(data), "gap: {data}");
        changes += usize::from(data["type"] == "change");
        if count == frames {
            exchange.freeze(true);
        }
        if count >= frames && all_true(&exchange, &books) {
            break;
        }
    }
    assert!(changes > frames / 2, "{changes}");
}

fn all_true(exchange: &Exchange, books: &BTreeMap<String, Rebuilt>) -> bool {
    let truths = exchange.instruments().into_iter().filter_map(|name| exchange.book(&name));
    truths.into_iter().all(|truth| books.get(&truth.instrument).is_some_and(|book| book.equals(&truth)))
}

#[tokio::test]
async fn a_book_rebuilt_from_100ms_is_the_true_one() {
    follow("100ms", 400).await;
}

#[tokio::test]
async fn a_book_rebuilt_from_agg2_is_the_true_one() {
    follow("agg2", 60).await;
}

#[tokio::test]
async fn a_book_rebuilt_from_raw_is_the_true_one() {
    follow("raw", 800).await;
}

#[tokio::test]
async fn change_numbers_jump_and_are_shared() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&["book.BTC_USDC-PERPETUAL.100ms", "book.SOL_USDC-PERPETUAL.100ms"]).await;
    let mut seen = BTreeMap::<u64, String>::new();
    while seen.len() < 60 {
        let data = client.find(|frame| frame["method"] == "subscription").await["params"]["data"].clone();
        let id = data["change_id"].as_u64().unwrap();
        assert!(seen.insert(id, data["instrument_name"].to_string()).is_none(), "a number is used once");
    }
    let ids: Vec<u64> = seen.keys().copied().collect();
    assert!(ids.windows(2).all(|pair| pair[1] > pair[0] + 1) && ids[0] > 100_000_000_000);
    let switches = seen.values().zip(seen.values().skip(1)).filter(|(one, next)| one != next).count();
    assert!(switches > 10, "the two books draw from one counter: {switches}");
}

#[tokio::test]
async fn a_snapshot_and_its_changes_are_ordered_best_first() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&["book.BTC-PERPETUAL.100ms"]).await;
    for count in 0..10 {
        let data = client.update("book.BTC-PERPETUAL.100ms").await;
        let prices = |side: &str| -> Vec<f64> {
            data[side].as_array().unwrap().iter().map(|level| level[1].as_f64().unwrap()).collect()
        };
        assert!(prices("bids").is_sorted_by(|a, b| a > b) && prices("asks").is_sorted_by(|a, b| a < b));
        let fresh = data["bids"].as_array().unwrap().iter().all(|level| level[0] == "new");
        assert!(count > 0 || fresh);
    }
}

#[tokio::test]
async fn the_grouped_book_is_a_whole_window_without_a_type() {
    let exchange = orderly().frozen(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let truth = exchange.book("BTC-PERPETUAL").unwrap();
    for (channel, depth) in [("book.BTC-PERPETUAL.none.10.100ms", 10), ("book.BTC-PERPETUAL.none.1.agg2", 1)]
    {
        client.subscribe(&[channel]).await;
        let data = client.update(channel).await;
        assert!(data.get("type").is_none() && data.get("prev_change_id").is_none());
        assert_eq!(data["change_id"], truth.change_id);
        assert_eq!(pairs(&data["bids"]), truth.bids[..depth]);
        assert_eq!(pairs(&data["asks"]), truth.asks[..depth]);
    }
    let channel = "book.BTC-PERPETUAL.25.20.100ms";
    client.subscribe(&[channel]).await;
    let data = client.update(channel).await;
    assert!(pairs(&data["bids"]).iter().all(|(price, _)| price % 25.0 == 0.0));
    let total = |levels: &[(f64, f64)]| levels.iter().map(|(_, amount)| amount).sum::<f64>();
    assert_eq!(total(&pairs(&data["asks"])), total(&truth.asks));
}

fn pairs(levels: &Value) -> Vec<(f64, f64)> {
    serde_json::from_value(levels.clone()).unwrap()
}

/// Moves a frozen market until a book looks as wanted.
fn step_until(exchange: &Exchange, name: &str, wanted: impl Fn(&BookView) -> bool) {
    let found = (0..20_000).any(|_| {
        exchange.step(1);
        exchange.book(name).is_some_and(|book| wanted(&book))
    });
    assert!(found);
}

#[tokio::test]
async fn an_empty_side_is_told_in_every_form() {
    let exchange = orderly().frozen(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let name = exchange
        .instruments()
        .into_iter()
        .find(|name| name.starts_with("ETH-") && name.ends_with("-C"))
        .unwrap();
    let (book, quote) = (format!("book.{name}.100ms"), format!("quote.{name}"));
    client.subscribe(&[&book]).await;
    let mut rebuilt = Rebuilt::default();
    assert!(rebuilt.apply(&client.update(&book).await));
    step_until(&exchange, &name, |book| book.asks.is_empty() && !book.bids.is_empty());
    assert!(rebuilt.apply(&client.update(&book).await));
    assert!(rebuilt.equals(&exchange.book(&name).unwrap()) && rebuilt.asks.is_empty());

    let params = json!({ "instrument_name": name });
    let whole = client.result("public/get_order_book", params).await;
    assert_eq!((&whole["asks"], &whole["best_ask_price"]), (&json!([]), &json!(0.0)));
    client.subscribe(&[&quote]).await;
    let data = client.update(&quote).await;
    assert_eq!((&data["best_ask_price"], &data["best_ask_amount"]), (&Value::Null, &json!(0.0)));
    assert!(data["best_bid_price"].is_f64());
}

#[tokio::test]
async fn quotes_come_only_when_the_best_prices_change() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&["quote.BTC-PERPETUAL"]).await;
    let best = |data: &Value| {
        ["best_bid_price", "best_bid_amount", "best_ask_price", "best_ask_amount"]
            .map(|key| data[key].clone())
    };
    let mut last = None;
    for _ in 0..50 {
        let now = best(&soon(client.update("quote.BTC-PERPETUAL")).await);
        assert_ne!(last.as_ref(), Some(&now));
        last = Some(now);
    }
}
