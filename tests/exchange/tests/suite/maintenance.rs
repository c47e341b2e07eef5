//! The platform's own messages, and the maintenance script.

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Error;

use crate::support::{Client, End, orderly, soon};

#[tokio::test]
async fn the_platform_talks_about_its_indices() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&["platform_state"]).await;
    for _ in 0..5 {
        let data = client.update("platform_state").await;
        assert!(data["price_index"].is_string());
        assert_eq!((&data["locked"], &data["reasons"]), (&json!(false), &json!([])));
    }
}

#[tokio::test]
async fn maintenance_is_announced_then_refuses_then_closes_then_is_away() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.subscribe(&["platform_state"]).await;
    exchange.maintenance(Duration::from_millis(300), Duration::from_millis(300));
    client.find(|frame| frame["params"]["data"] == json!({ "maintenance": true })).await;
    assert_eq!(client.error("public/test", json!({}), 11051).await["message"], "system_maintenance");
    assert!(matches!(client.end().await, End::Frame(1001, _)));
    match Client::try_connect(exchange.url()).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("the exchange should be away: {:?}", other.err()),
    }
    let mut back = soon(async {
        loop {
            if let Ok(client) = Client::try_connect(exchange.url()).await {
                return client;
            }
        }
    })
    .await;
    back.result("public/test", json!({})).await;
}
