//! How a connection ends, from either side.

use serde_json::Value;
use steadysocket::error::Disconnect;
use steadysocket::{Client, CloseCode, CloseFrame, Event};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{command, config, connect, event, live, sleep, soon, starting};

/// Why the connection ended on this command.
async fn end_by(client: &Client, by: &str) -> Disconnect {
    let mut events = client.events();
    command(client, by).await;
    let reason = event(&mut events, |event| match event {
        Event::Disconnected(reason) => Some(reason),
        _ => None,
    })
    .await;
    live(&mut events).await;
    reason
}

#[wasm_bindgen_test]
async fn close_codes_and_reasons_are_kept() {
    let client = connect(config()).await;
    for (code, reason) in [(1000, ""), (1001, "away"), (1012, "restart"), (4321, "enough")] {
        let frame = CloseFrame::new(CloseCode(code), reason);
        let found = end_by(&client, &format!("close {code} {reason} @newest")).await;
        assert_eq!(found, Disconnect::Closed(Some(frame)));
    }
    client.close().await;
}

#[wasm_bindgen_test]
async fn an_end_without_a_close_frame_is_a_drop() {
    let client = connect(config()).await;
    for fault in ["drop @newest", "reset @newest"] {
        assert!(matches!(end_by(&client, fault).await, Disconnect::Dropped(_)), "{fault}");
    }
    client.close().await;
}

#[wasm_bindgen_test]
async fn a_message_that_is_too_large_ends_the_connection() {
    let client = connect(config().max_message(50_000)).await;
    let found = end_by(&client, "oversize 60000 @newest").await;
    assert!(matches!(found, Disconnect::Violation { code: CloseCode::TOO_BIG, .. }), "{found:?}");
    client.close().await;
}

#[wasm_bindgen_test]
async fn closing_says_goodbye_with_any_code_that_may_be_sent() {
    for code in [1000, 3000, 4999] {
        let client = connect(config()).await;
        client.close_with(CloseCode(code), "bye").await.unwrap();
    }
    let client = connect(config()).await;
    assert_eq!(client.close_with(CloseCode::GOING_AWAY, "").await.unwrap_err().field, "code");
    client.close().await;
}

#[wasm_bindgen_test]
async fn dropping_the_last_handle_closes_the_socket() {
    let watcher = connect(config()).await;
    let open = async || -> u64 {
        let stats: Value = watcher.call("local/stats", ()).await.unwrap();
        stats["open"].as_u64().unwrap()
    };
    // Earlier tests' connections may still be closing.
    sleep(200).await;
    let before = open().await;
    let clients = [connect(config()).await, connect(config()).await];
    assert_eq!(open().await, before + 2);
    drop((clients, starting(config())));
    let gone = async {
        while open().await > before {
            sleep(10).await;
        }
    };
    soon(gone).await;
    watcher.close().await;
}
