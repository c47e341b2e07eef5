//! Credits: the published budgets, and what happens beyond them.

use serde_json::json;
use steadysocket_exchange::{Bucket, Closed, CreditPolicy};

use crate::support::{Client, End, orderly, soon};

/// No refill to speak of, so that a slow machine does not earn extra calls.
fn still() -> CreditPolicy {
    CreditPolicy { refill_percent: 0, ..CreditPolicy::default() }
}

async fn calls_until_refused(client: &mut Client, method: &str, params: serde_json::Value) -> usize {
    for count in 0..1_000 {
        let reply = client.call(method, params.clone()).await;
        if reply["error"]["code"] == 10028 {
            assert_eq!(reply["error"]["message"], "too_many_requests");
            return count;
        }
        assert!(reply.get("result").is_some(), "{reply}");
    }
    panic!("no limit on {method}")
}

#[tokio::test]
async fn bursts_are_the_published_ones_and_then_the_connection_is_cut() {
    for (method, params, burst) in [
        ("public/get_time", json!({}), 100),
        ("public/subscribe", json!({ "channels": ["quote.BTC-PERPETUAL"] }), 10),
        ("public/get_instruments", json!({ "currency": "BTC" }), 50),
    ] {
        let exchange = orderly().credits(still()).start().await.unwrap();
        let mut client = Client::connect(&exchange).await;
        assert_eq!(calls_until_refused(&mut client, method, params).await, burst, "{method}");
        assert_eq!(client.end().await, End::Abrupt);
        soon(exchange.wait_until(|journal| {
            journal.connections().all(|c| c.closed.as_ref().is_some_and(|(_, why)| *why == Closed::NoCredits))
        }))
        .await;
        assert_eq!(exchange.calls_refused(), 1);
    }
}

#[tokio::test]
async fn a_new_connection_shares_what_is_left() {
    let exchange = orderly().credits(still()).start().await.unwrap();
    let mut first = Client::connect(&exchange).await;
    for _ in 0..99 {
        first.result("public/get_time", json!({})).await;
    }
    let mut second = Client::connect(&exchange).await;
    second.result("public/get_time", json!({})).await;
    second.error("public/get_time", json!({}), 10028).await;
    assert_eq!(second.end().await, End::Abrupt);
    assert_eq!(exchange.credits_spent(Bucket::NonMatching), 50_000);
    assert_eq!(exchange.credits_left(std::net::Ipv4Addr::LOCALHOST.into(), Bucket::NonMatching), 0);
}

#[tokio::test]
async fn after_the_refusal_nothing_more_is_answered() {
    let exchange = orderly().credits(still()).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for _ in 0..30 {
        client.send("public/subscribe", json!({ "channels": [] })).await;
    }
    for _ in 0..10 {
        assert_eq!(client.frame().await["result"], json!([]));
    }
    assert_eq!(client.frame().await["error"]["code"], 10028);
    assert!(matches!(client.message().await, Some(Err(_)) | None));
}

#[tokio::test]
async fn credits_come_back() {
    let quick = CreditPolicy { refill_percent: 2_000, ..CreditPolicy::default() };
    let exchange = orderly().credits(quick).start().await.unwrap();
    // 200,000 a second: one subscription every 15 ms.
    loop {
        let mut client = Client::connect(&exchange).await;
        for _ in 0..50 {
            client.send("public/subscribe", json!({ "channels": [] })).await;
        }
        client.find(|frame| frame["error"]["code"] == 10028).await;
        assert_eq!(client.end().await, End::Abrupt);
        if exchange.credits_spent(Bucket::Subscribe) > 60_000 {
            return;
        }
    }
}

#[tokio::test]
async fn counting_can_be_without_consequence() {
    let free = CreditPolicy { enforced: false, refill_percent: 0, ..CreditPolicy::default() };
    let exchange = orderly().credits(free).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for _ in 0..200 {
        client.result("public/get_time", json!({})).await;
    }
    assert_eq!((exchange.credits_spent(Bucket::NonMatching), exchange.calls_refused()), (100_000, 0));
}
