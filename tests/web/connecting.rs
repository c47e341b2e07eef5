//! An attempt succeeds or fails; it never hangs.

use std::time::Duration;

use steadysocket::error::{ConnectError, Disconnect, Ended, Error, Phase};
use steadysocket::{Client, Config, JsonRpc, Web, connect_with};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{command, config, connect, refusal, sleep, soon, starting};

fn cause(error: Error) -> ConnectError {
    match error {
        Error::Connect(Ended::Refused(Disconnect::Connect(error))) => error,
        Error::Connect(Ended::AttemptsExhausted(Disconnect::Connect(error))) => error,
        other => panic!("{other:?}"),
    }
}

/// The exchange closes its door only after it has answered, so this needs a connection of its own.
async fn exchange_that(does: &str) -> Client {
    let client = connect(config()).await;
    command(&client, does).await;
    client
}

#[wasm_bindgen_test]
async fn a_refused_port_is_told() {
    let error = refusal(Config::new("ws://127.0.0.1:59999").unwrap()).await;
    assert_eq!(cause(error), ConnectError::Browser);
}

#[wasm_bindgen_test]
async fn a_refused_upgrade_is_told() {
    let client = exchange_that("refuse 503 x1").await;
    assert_eq!(cause(refusal(config()).await), ConnectError::Browser);
    client.close().await;
}

#[wasm_bindgen_test]
async fn an_upgrade_that_is_never_answered_ends_at_the_timeout() {
    let client = exchange_that("silent x1").await;
    let error = refusal(config().connect_timeout(Duration::from_millis(300))).await;
    assert_eq!(cause(error), ConnectError::Timeout(Phase::Browser));
    client.close().await;
}

/// What our own rules let through, browsers accept so far; should one not, it throws, and quotes the URL.
#[wasm_bindgen_test]
async fn a_url_that_only_the_browser_refuses_is_told_without_its_query() {
    let throws = "throw new DOMException(`The URL '${url}' is invalid.`, 'SyntaxError')";
    let web = Web::with_class(js_sys::Function::new_with_args("url", throws));
    let config = Config::new("wss://example.com/?token=hunter2").unwrap();
    let error = connect_with(config, JsonRpc::new(), web).await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(error.to_string().contains("SyntaxError"), "{error}");
    match cause(error) {
        ConnectError::Config(error) => assert_eq!(error.field, "url"),
        other => panic!("{other:?}"),
    }
}

#[wasm_bindgen_test]
async fn headers_are_refused_and_not_forgotten() {
    let error = refusal(config().header("Authorization", "Bearer x").unwrap()).await;
    match cause(error) {
        ConnectError::Config(error) => assert_eq!(error.field, "headers"),
        other => panic!("{other:?}"),
    }
}

#[wasm_bindgen_test]
async fn a_client_can_go_before_it_is_connected() {
    let client = exchange_that("silent x1").await;
    let going = starting(config());
    sleep(50).await;
    soon(going.close()).await;
    assert_eq!(soon(going.ended()).await, Ended::Closed);
    client.close().await;
}
