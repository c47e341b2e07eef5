//! Replies come out of order, and data may come before the acknowledgement.

use std::time::Duration;

use serde_json::json;
use steadysocket_exchange::{CreditPolicy, Exchange};

use crate::support::Client;

#[tokio::test]
async fn each_request_is_answered_once_but_not_in_order() {
    let exchange = Exchange::builder().seed(5).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let mut sent = Vec::new();
    for _ in 0..80 {
        sent.push(client.send("public/get_time", json!({})).await);
    }
    let mut answered = Vec::new();
    for _ in 0..80 {
        answered.push(client.frame().await["id"].as_u64().unwrap());
    }
    assert_ne!(answered, sent);
    answered.sort_unstable();
    assert_eq!(answered, sent);
}

#[tokio::test]
async fn the_first_frame_sometimes_overtakes_the_acknowledgement() {
    let free = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    let exchange = Exchange::builder().credits(free).pace(Duration::from_millis(5)).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let (mut before, mut after) = (0, 0);
    for _ in 0..60 {
        client.passed.clear();
        client.subscribe(&["quote.BTC-PERPETUAL"]).await;
        match client.passed.is_empty() {
            true => after += 1,
            false => before += 1,
        }
        client.unsubscribe(&["quote.BTC-PERPETUAL"]).await;
    }
    assert!(before > 0 && after > before, "{before} before, {after} after");
}
