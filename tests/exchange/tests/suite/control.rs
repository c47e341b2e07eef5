//! `local/*`, which is not the venue's.

use serde_json::json;

use crate::support::{Client, End, orderly};

#[tokio::test]
async fn control_is_off_unless_asked_for() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.error("local/fault", json!({ "command": "drop" }), -32601).await;
}

#[tokio::test]
async fn a_command_runs_after_its_reply() {
    let exchange = orderly().control(true).start().await.unwrap();
    let (mut first, mut second) = (Client::connect(&exchange).await, Client::connect(&exchange).await);
    let close = json!({ "command": "close 4001 by order" });
    assert_eq!(first.result("local/fault", close).await, "ok");
    for client in [&mut first, &mut second] {
        assert_eq!(client.end().await, End::Frame(4001, "by order".into()));
    }
}

#[tokio::test]
async fn wrong_commands_are_explained() {
    let exchange = orderly().control(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let error = client.error("local/fault", json!({ "command": "explode" }), -32602).await;
    assert!(error["data"]["reason"].as_str().unwrap().contains("explode"));
    client.error("local/fault", json!({}), -32602).await;
    assert!(exchange.command("gap").is_err());
    assert!(exchange.command("pings 3").is_ok());
}

#[tokio::test]
async fn stats_tell_what_is_spent() {
    let exchange = orderly().control(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&["quote.BTC-PERPETUAL"]).await;
    let stats = client.result("local/stats", json!({})).await;
    assert_eq!((&stats["connection"], &stats["open"]), (&json!(1), &json!(1)));
    assert_eq!(stats["channels"], json!(["quote.BTC-PERPETUAL"]));
    assert_eq!(stats["credits"]["non_matching"], 50_000);
    assert!(stats["credits"]["subscribe"].as_u64().unwrap() >= 27_000);
}
