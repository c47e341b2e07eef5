//! Logins: the three grants, scopes, sessions, and what a token is good for.

use ring::hmac;
use serde_json::{Value, json};
use steadysocket_exchange::{Account, DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Exchange};

use crate::support::{Client, End, orderly};

async fn start() -> (Exchange, Client) {
    let exchange = orderly().start().await.unwrap();
    let client = Client::connect(&exchange).await;
    (exchange, client)
}

fn credentials(scope: &str) -> Value {
    json!({
        "grant_type": "client_credentials", "client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET,
        "scope": scope,
    })
}

/// Logs in and gives back the tokens.
async fn login(client: &mut Client, scope: &str) -> Value {
    client.result("public/auth", credentials(scope)).await
}

/// Whether private calls pass, with this token or with none.
async fn is_in(client: &mut Client, token: Option<&Value>) -> bool {
    let mut params = json!({ "channels": [] });
    if let Some(token) = token {
        params["access_token"] = token.clone();
    }
    let reply = client.call("private/unsubscribe", params).await;
    if let Some(error) = reply.get("error") {
        assert_eq!((&error["code"], &error["message"]), (&json!(13009), &json!("unauthorized")));
        assert_eq!(error["data"]["reason"], "invalid_token");
    }
    reply.get("result").is_some()
}

fn signed(timestamp: i64, nonce: &str, data: &str) -> Value {
    let key = hmac::Key::new(hmac::HMAC_SHA256, DEMO_CLIENT_SECRET.as_bytes());
    let tag = hmac::sign(&key, format!("{timestamp}\n{nonce}\n{data}").as_bytes());
    let signature: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "grant_type": "client_signature", "client_id": DEMO_CLIENT_ID, "timestamp": timestamp, "nonce": nonce,
        "data": data, "signature": signature,
    })
}

async fn time(client: &mut Client) -> i64 {
    client.result("public/get_time", json!({})).await.as_i64().unwrap()
}

#[tokio::test]
async fn credentials_open_what_is_private() {
    let (_exchange, mut client) = start().await;
    assert!(!is_in(&mut client, None).await);
    let mut params = credentials("");
    params["state"] = json!("any words");
    let tokens = client.result("public/auth", params).await;
    assert_eq!((&tokens["token_type"], &tokens["state"]), (&json!("bearer"), &json!("any words")));
    assert_eq!(tokens["expires_in"], 31_536_000);
    let scope = tokens["scope"].as_str().unwrap();
    assert!(scope.contains("connection custody:read_write mainaccount trade:read_write"), "{scope}");
    assert!(is_in(&mut client, None).await && is_in(&mut client, Some(&tokens["access_token"])).await);
    assert!(!is_in(&mut client, Some(&json!("made.up"))).await);
    assert!(!is_in(&mut client, Some(&tokens["refresh_token"])).await);
}

#[tokio::test]
async fn wrong_credentials_are_told_from_wrong_calls() {
    let (_exchange, mut client) = start().await;
    for (key, value) in [("client_id", "nobody"), ("client_secret", "guess")] {
        let mut params = credentials("");
        params[key] = json!(value);
        assert_eq!(client.error("public/auth", params, 13004).await["message"], "invalid_credentials");
    }
    for (key, value) in [
        ("grant_type", json!("password")),
        ("client_id", json!(7)),
        ("client_secret", Value::Null),
        ("scope", json!("trade:everything")),
    ] {
        let mut params = credentials("");
        params[key] = value;
        assert_eq!(client.error("public/auth", params, -32602).await["data"]["param"], key);
    }
    assert!(!is_in(&mut client, None).await);
}

#[tokio::test]
async fn a_signature_is_good_once_and_for_a_minute() {
    let (_exchange, mut client) = start().await;
    let now = time(&mut client).await;
    for (timestamp, nonce, data) in
        [(now, "a", ""), (now, "b", "data"), (now - 55_000, "c", ""), (now + 55_000, "d", "")]
    {
        client.result("public/auth", signed(timestamp, nonce, data)).await;
    }
    let again = client.error("public/auth", signed(now, "a", ""), -32602).await;
    assert_eq!(again["data"]["param"], "nonce");
    for late in [now - 61_000, now + 66_000] {
        client.error("public/auth", signed(late, "e", ""), 13009).await;
    }
    let mut forged = signed(now, "f", "");
    forged["data"] = json!("changed");
    assert_eq!(client.error("public/auth", forged, 13009).await["data"]["reason"], "invalid_signature");
    let mut unknown = signed(now, "g", "");
    unknown["client_id"] = json!("nobody");
    client.error("public/auth", unknown, 13004).await;
}

#[tokio::test]
async fn a_connection_token_is_good_on_its_connection_alone() {
    let (exchange, mut client) = start().await;
    let tokens = login(&mut client, "").await;
    let mut other = Client::connect(&exchange).await;
    assert!(!is_in(&mut other, Some(&tokens["access_token"])).await);
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"] });
    other.error("public/auth", refresh, 13009).await;
    drop(client);
    let mut later = Client::connect(&exchange).await;
    assert!(!is_in(&mut later, Some(&tokens["access_token"])).await);
}

#[tokio::test]
async fn a_session_token_is_good_everywhere_until_it_is_removed() {
    let (exchange, mut client) = start().await;
    let tokens = login(&mut client, "session:bot").await;
    assert!(tokens["scope"].as_str().unwrap().contains("session:bot"));
    let mut other = Client::connect(&exchange).await;
    assert!(is_in(&mut other, Some(&tokens["access_token"])).await);
    assert!(!is_in(&mut other, None).await, "a token in a call is no login");
    client.close().await;
    assert!(is_in(&mut other, Some(&tokens["access_token"])).await);
}

#[tokio::test]
async fn refreshing_replaces_both_tokens() {
    let (_exchange, mut client) = start().await;
    for scope in ["connection", "session:a"] {
        let old = login(&mut client, scope).await;
        let refresh = json!({ "grant_type": "refresh_token", "refresh_token": old["refresh_token"] });
        let new = client.result("public/auth", refresh.clone()).await;
        assert_eq!(new["scope"], old["scope"]);
        assert!(is_in(&mut client, Some(&new["access_token"])).await && is_in(&mut client, None).await);
        assert!(!is_in(&mut client, Some(&old["access_token"])).await);
        client.error("public/auth", refresh, 13009).await;
    }
}

#[tokio::test]
async fn tokens_end_when_they_say() {
    let (_exchange, mut client) = start().await;
    let tokens = login(&mut client, "expires:1").await;
    assert_eq!(tokens["expires_in"], 1);
    assert!(is_in(&mut client, None).await);
    // The only way to see a token of whole seconds end is to wait for it; how long does not matter.
    while is_in(&mut client, None).await {
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
    assert!(!is_in(&mut client, Some(&tokens["access_token"])).await);
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"] });
    client.result("public/auth", refresh).await;
    assert!(is_in(&mut client, None).await, "a refresh token outlives its access token");
}

#[tokio::test]
async fn the_seventeenth_session_removes_the_oldest() {
    let (_exchange, mut client) = start().await;
    let mut tokens = Vec::new();
    for number in 0..17 {
        tokens.push(login(&mut client, &format!("session:{number}")).await["access_token"].clone());
    }
    assert!(!is_in(&mut client, Some(&tokens[0])).await);
    for token in &tokens[1..] {
        assert!(is_in(&mut client, Some(token)).await);
    }
    // Connections take no slot, and neither does a session of a name that is there.
    login(&mut client, "").await;
    login(&mut client, "session:16").await;
    assert!(is_in(&mut client, Some(&tokens[1])).await);
}

#[tokio::test]
async fn a_session_can_be_forked_and_a_connection_cannot() {
    let (_exchange, mut client) = start().await;
    let first = login(&mut client, "session:one trade:read").await;
    let params = json!({ "refresh_token": first["refresh_token"], "session_name": "two" });
    let second = client.result("public/fork_token", params).await;
    assert!(second["scope"].as_str().unwrap().contains("session:two trade:read"));
    assert!(is_in(&mut client, Some(&first["access_token"])).await);
    assert!(is_in(&mut client, Some(&second["access_token"])).await);
    let plain = login(&mut client, "").await;
    let params = json!({ "refresh_token": plain["refresh_token"], "session_name": "three" });
    client.error("public/fork_token", params, 13021).await;
}

#[tokio::test]
async fn a_token_can_be_exchanged_for_a_subaccount_s() {
    let main = Account::new("main").key("m", "ms");
    let sub = Account::new("sub").subaccount_of("main");
    let exchange = orderly().account(main).account(sub).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    let params = json!({ "grant_type": "client_credentials", "client_id": "m", "client_secret": "ms", "scope": "trade:read" });
    let tokens = client.result("public/auth", params).await;
    let subject = exchange.user_id("sub").unwrap();
    let params = |scope: &str| json!({ "refresh_token": tokens["refresh_token"], "subject_id": subject, "scope": scope });
    client.error("public/exchange_token", params("trade:read_write"), 13403).await;
    let other = client.result("public/exchange_token", params("session:s")).await;
    assert!(!other["scope"].as_str().unwrap().contains("mainaccount"));
    let stranger =
        json!({ "refresh_token": tokens["refresh_token"], "subject_id": exchange.user_id("local") });
    client.error("public/exchange_token", stranger, 13021).await;
}

#[tokio::test]
async fn logging_out_ends_the_connection_without_a_reply() {
    let (exchange, mut client) = start().await;
    let tokens = login(&mut client, "session:s").await;
    client.send("private/logout", json!({ "invalidate_token": false })).await;
    assert_eq!(client.end().await, End::Frame(1000, String::new()));
    let mut client = Client::connect(&exchange).await;
    let token = &tokens["access_token"];
    assert!(is_in(&mut client, Some(token)).await);
    client.send("private/logout", json!({ "access_token": token })).await;
    assert_eq!(client.end().await, End::Frame(1000, String::new()));
    let mut client = Client::connect(&exchange).await;
    assert!(!is_in(&mut client, Some(token)).await);
    client.error("private/logout", json!({}), 13009).await;
    client.error("public/logout", json!({}), -32601).await;
}

#[tokio::test]
async fn a_login_opens_raw_channels_and_private_ones() {
    let (exchange, mut client) = start().await;
    let raw = "book.BTC-PERPETUAL.raw";
    let params = json!({ "channels": [raw, "quote.BTC-PERPETUAL"] });
    client.error("public/subscribe", params.clone(), 13778).await;
    client.error("private/subscribe", params.clone(), 13009).await;
    login(&mut client, "").await;
    assert_eq!(client.subscribe(&[raw]).await, [raw]);
    client.update(raw).await;
    let orders = "user.orders.any.any.raw";
    assert_eq!(client.subscribe(&[orders]).await, [""; 0], "that one is not public");
    let params = json!({ "channels": [orders, "user.portfolio.btc", "user.nothing"], "label": "mine" });
    let granted = client.result("private/subscribe", params).await;
    assert_eq!(granted.as_array().unwrap().len(), 2);
    assert!(exchange.look(|journal| journal.subscribed(orders)));
    let long = json!({ "channels": [orders], "label": "x".repeat(17) });
    assert_eq!(client.error("private/subscribe", long, -32602).await["data"]["param"], "label");
}

#[tokio::test]
async fn a_small_scope_keeps_out() {
    let (_exchange, mut client) = start().await;
    login(&mut client, "trade:none").await;
    let params = json!({ "channels": ["user.orders.any.any.raw"] });
    let error = client.error("private/subscribe", params, 13021).await;
    assert_eq!(error["message"], "forbidden");
    client.result("private/subscribe", json!({ "channels": ["user.portfolio.any"] })).await;
}

#[tokio::test]
async fn tokens_can_be_ended_on_command() {
    let (exchange, mut client) = start().await;
    let tokens = login(&mut client, "").await;
    exchange.expire_tokens(false);
    assert!(!is_in(&mut client, None).await);
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"] });
    let tokens = client.result("public/auth", refresh).await;
    assert!(is_in(&mut client, None).await);
    exchange.command("revoke-tokens").unwrap();
    let refresh = json!({ "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"] });
    client.error("public/auth", refresh, 13009).await;
    login(&mut client, "").await;
    assert!(is_in(&mut client, None).await);
}
