//! What only a page notices.

use std::time::Duration;

use steadysocket::config::{Backoff, Heartbeat};
use steadysocket::error::Disconnect;
use steadysocket::{Event, State};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{command, config, connect, event, impatient, live};

fn happens(name: &str) {
    let event = web_sys::Event::new(name).unwrap();
    let target: web_sys::EventTarget = wasm_bindgen::JsCast::unchecked_into(js_sys::global());
    target.dispatch_event(&event).unwrap();
}

#[wasm_bindgen_test]
async fn offline_has_the_peer_asked_and_a_dead_one_found() {
    // Nothing would be asked for an hour otherwise.
    let heartbeat = Heartbeat { idle: Duration::from_secs(3600), ..impatient() };
    let client = connect(config().heartbeat(Some(heartbeat))).await;
    let mut events = client.events();
    command(&client, "stall @newest").await;
    happens("offline");
    event(&mut events, |event| (event == Event::Asked).then_some(())).await;
    let reason = event(&mut events, |event| match event {
        Event::Disconnected(reason) => Some(reason),
        _ => None,
    });
    assert!(matches!(reason.await, Disconnect::Silent(_)));
    happens("online");
    live(&mut events).await;
    client.close().await;
}

#[wasm_bindgen_test]
async fn online_does_not_wait_for_the_backoff() {
    let slow =
        Backoff { base: Duration::from_secs(3600), cap: Duration::from_secs(3600), ..Backoff::default() };
    let client = connect(config().backoff(slow)).await;
    let mut events = client.events();
    command(&client, "close-at-once 1013 x1").await;
    command(&client, "drop @newest").await;
    event(&mut events, |event| matches!(event, Event::State(State::Waiting { .. })).then_some(())).await;
    happens("online");
    event(&mut events, |event| {
        matches!(event, Event::State(State::Waiting { attempt: 2.., .. })).then_some(())
    })
    .await;
    happens("online");
    live(&mut events).await;
    client.close().await;
}
