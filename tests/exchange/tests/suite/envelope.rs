//! The envelope: ids, timing fields, and what is answered to frames that are no requests.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Client, orderly};

#[tokio::test]
async fn ids_come_back_as_they_were() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for id in [json!(7), json!("seven"), json!(0), json!(-3), json!(u64::MAX), json!(""), json!("a\"b\u{e9}")]
    {
        client
            .send_text(json!({ "jsonrpc": "2.0", "id": id, "method": "public/get_time" }).to_string())
            .await;
        let reply = client.frame().await;
        assert_eq!(reply["id"], id);
        assert!(reply["result"].is_u64());
    }
}

#[tokio::test]
async fn a_request_without_id_is_answered_without_id() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.send_text(r#"{"jsonrpc":"2.0","method":"public/test","params":{}}"#).await;
    let reply = client.frame().await;
    assert_eq!((reply.get("id"), &reply["result"]), (None, &json!({ "version": "1.2.26" })));
}

#[tokio::test]
async fn every_reply_carries_timing_and_environment() {
    for testnet in [true, false] {
        let exchange = orderly().testnet(testnet).start().await.unwrap();
        let mut client = Client::connect(&exchange).await;
        for method in ["public/get_time", "public/no_such_method"] {
            let reply = client.call(method, json!({})).await;
            let us = |key: &str| reply[key].as_u64().unwrap();
            assert!(us("usIn") > 1_700_000_000_000_000);
            assert_eq!(us("usOut") - us("usIn"), us("usDiff"));
            assert_eq!((&reply["testnet"], &reply["jsonrpc"]), (&json!(testnet), &json!("2.0")));
            assert_ne!(reply.get("result").is_some(), reply.get("error").is_some());
        }
    }
}

#[tokio::test]
async fn keys_come_in_any_order() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let mut beginnings = BTreeSet::new();
    for _ in 0..40 {
        client.send("public/get_time", json!({})).await;
        beginnings.extend(client.text().await.split('"').nth(1).map(str::to_owned));
    }
    assert!(beginnings.len() >= 4, "{beginnings:?}");
}

#[tokio::test]
async fn nonsense_is_answered_and_the_socket_stays_open() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let long =
        json!({ "id": 5, "method": "public/test", "params": { "x": "y".repeat(32 * 1024) } }).to_string();
    let cases: [(&str, i64, Value, Value); 6] = [
        ("{\"jsonrpc\":", 11050, json!("invalid json"), Value::Null),
        (
            "[{\"id\":1,\"method\":\"public/test\"}]",
            11050,
            json!("batch requests are not supported"),
            Value::Null,
        ),
        ("{\"id\":4}", 11050, json!("method is missing"), json!(4)),
        (
            "{\"id\":5,\"method\":\"public/ticker\",\"params\":[\"BTC-PERPETUAL\"]}",
            -32602,
            json!({ "param": "params", "reason": "must be an object" }),
            json!(5),
        ),
        ("{\"id\":\"x\",\"method\":\"public/buy\"}", -32601, Value::Null, json!("x")),
        (&long, -32600, Value::Null, Value::Null),
    ];
    for (text, code, data, id) in cases {
        client.send_text(text).await;
        let reply = client.frame().await;
        assert_eq!(
            (&reply["error"]["code"], &reply["error"]["data"], &reply["id"]),
            (&json!(code), &data, &id)
        );
    }
    client.send_binary(b"{\"id\":6,\"method\":\"public/test\"}").await;
    assert_eq!(client.frame().await["error"]["code"], 11050);
    client.result("public/test", json!({})).await;
}

#[tokio::test]
async fn error_messages_are_the_documented_ones() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.send_text("}").await;
    assert_eq!(client.frame().await["error"]["message"], "bad_request");
    client.send_text("x".repeat(40_000)).await;
    assert_eq!(client.frame().await["error"]["message"], "request entity too large");
    assert_eq!(client.error("public/nope", json!({}), -32601).await["message"], "Method not found");
    assert_eq!(client.error("public/ticker", json!({}), -32602).await["message"], "Invalid params");
    let unauthorized = client.error("private/get_positions", json!({}), 13009).await;
    assert_eq!(
        (&unauthorized["message"], &unauthorized["data"]["reason"]),
        (&json!("unauthorized"), &json!("invalid_token"))
    );
}

#[tokio::test]
async fn parameters_that_are_wrong_are_named() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    for (method, params, param) in [
        ("public/ticker", json!({}), "instrument_name"),
        ("public/ticker", json!({ "instrument_name": 7 }), "instrument_name"),
        ("public/subscribe", json!({}), "channels"),
        ("public/subscribe", json!({ "channels": "ticker.BTC-PERPETUAL.100ms" }), "channels"),
        ("public/subscribe", json!({ "channels": [1] }), "channels"),
        ("public/hello", json!({ "client_name": "x" }), "client_version"),
        ("public/set_heartbeat", json!({}), "interval"),
        ("public/set_heartbeat", json!({ "interval": 9 }), "interval"),
        ("public/set_heartbeat", json!({ "interval": "10" }), "interval"),
        ("public/get_order_book", json!({ "instrument_name": "BTC-PERPETUAL", "depth": 7 }), "depth"),
        ("public/get_instruments", json!({ "currency": "DOGE" }), "currency"),
        ("public/test", json!({ "expected_result": "else" }), "expected_result"),
    ] {
        let error = client.error(method, params, -32602).await;
        assert_eq!(error["data"]["param"], param, "{method}");
        assert!(error["data"]["reason"].is_string());
    }
}

#[tokio::test]
async fn test_fails_when_it_is_asked_to() {
    let exchange = orderly().start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    client.error("public/test", json!({ "expected_result": "exception" }), 10001).await;
}
