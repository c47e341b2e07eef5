//! The rules for closing of the WHATWG WebSockets standard, section 3.1, which both targets keep.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::error::{Ended, Error};
use steadysocket::{Client, CloseCode, CloseFrame, JsonRpc};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::World;

/// The close frames that a venue receives while a client does this.
fn closes<F: Future<Output = ()> + 'static>(
    act: impl FnOnce(Client) -> F + 'static,
) -> Vec<Option<CloseFrame>> {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    // Dropping the last handle would close too.
    let held = client.clone();
    world.run(async move {
        client.ready().await.unwrap();
        act(client).await;
    });
    world.run_for(Duration::from_secs(1));
    let closes = exchange.with(|script| script.closes.clone());
    drop(held);
    closes
}

fn frame(code: u16, reason: &str) -> Option<CloseFrame> {
    Some(CloseFrame::new(CloseCode(code), reason))
}

#[test]
fn rule_1_without_a_code_it_is_1000() {
    // A browser would send no code; that says less.
    assert_eq!(closes(|client| async move { client.close().await }), [frame(1000, "")]);
}

#[test]
fn rule_2_1000_and_3000_to_4999_may_be_sent() {
    for code in [1000, 3000, 3999, 4000, 4999] {
        let sent =
            closes(move |client| async move { client.close_with(CloseCode(code), "bye").await.unwrap() });
        assert_eq!(sent, [frame(code, "bye")]);
    }
}

#[test]
fn rule_3_no_other_code_may() {
    for code in [0, 999, 1001, 1002, 1005, 1006, 1011, 1015, 2999, 5000, u16::MAX] {
        let sent = closes(move |client| async move {
            let error = client.close_with(CloseCode(code), "").await.unwrap_err();
            assert_eq!(error.field, "code", "{code}");
            // It does nothing else.
            let _: Value = client.call("echo", json!([1])).await.unwrap();
        });
        assert_eq!(sent, [], "{code}");
    }
}

#[test]
fn rule_4_a_reason_has_at_most_123_bytes_of_utf8() {
    for reason in ["x".repeat(123), "é".repeat(61) + "x"] {
        let given = reason.clone();
        let sent = closes(move |client| async move {
            client.close_with(CloseCode::NORMAL, &given).await.unwrap();
        });
        assert_eq!(sent, [frame(1000, &reason)]);
    }
    for reason in ["x".repeat(124), "é".repeat(62)] {
        let sent = closes(move |client| async move {
            let error = client.close_with(CloseCode::NORMAL, &reason).await.unwrap_err();
            assert_eq!(error.field, "reason");
        });
        assert_eq!(sent, []);
    }
}

#[test]
fn rule_5_closing_twice_closes_once() {
    let sent = closes(|client| async move {
        let again = client.clone();
        futures::join!(
            client.close_with(CloseCode(4000), "first"),
            again.close_with(CloseCode(4001), "second")
        )
        .0
        .unwrap();
        again.close().await;
    });
    assert_eq!(sent, [frame(4000, "first")]);
}

#[test]
fn rule_6_closing_while_it_connects_fails_the_connection() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let outcome = world.run(async move {
        client.close().await;
        client.ready().await
    });
    assert_eq!(outcome, Err(Error::Connect(Ended::Closed)));
    world.run_for(Duration::from_secs(1));
    assert_eq!(exchange.with(|script| script.closes.clone()), []);
}

#[test]
fn rule_7_nothing_is_sent_behind_the_close() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    world.run(async move {
        client.ready().await.unwrap();
        let late = client.clone();
        let (_, call) = futures::join!(client.close(), async move {
            futures::pending!();
            late.call::<Value>("echo", json!([1])).await
        });
        assert!(matches!(call, Err(Error::NotSent(_))), "{call:?}");
    });
    assert_eq!(exchange.with(|script| (script.closes.len(), script.methods())), (1, vec![]));
}
