//! What passes over a connection, and over the next one.

use futures::future::join_all;
use serde_json::{Value, json};
use steadysocket::config::{OutboundLimit, Overflow, Queue};
use steadysocket::deribit::{Adapter, Options};
use steadysocket::error::Disconnect;
use steadysocket::{Event, Limiter, Payload, Protocol, Transport, Update};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{TICKER, command, config, connect, connect_on, event, impatient, live, sleep, soon};

#[wasm_bindgen_test]
async fn calls_are_answered_and_text_of_any_script_survives() {
    let client = connect(config()).await;
    let time: u64 = client.call("public/get_time", ()).await.unwrap();
    assert!(time > 1_600_000_000_000);
    // The exchange says back what it could not do with this.
    for word in ["explode", "größer", "価格", "🚀🚀", "a\u{7ff}\u{ffff}\u{10ffff}"] {
        let error = client.call::<Value>("local/fault", json!({ "command": word })).await.unwrap_err();
        let steadysocket::Error::Rejected(error) = error else { panic!("{error:?}") };
        let said = format!("{word:?}");
        let data: Value = serde_json::from_str(&error.data.unwrap()).unwrap();
        assert!(data["reason"].as_str().unwrap().contains(&said), "{data} for {said}");
    }
    client.close().await;
}

#[wasm_bindgen_test]
async fn a_subscription_survives_a_cut() {
    let client = connect(config()).await;
    let mut ticks = soon(client.subscribe(TICKER)).await.unwrap();
    assert!(matches!(soon(ticks.next()).await, Some(Update::Data(_))));
    command(&client, "drop @newest").await;
    let mut story = Vec::new();
    while story.len() < 3 {
        let word = match soon(ticks.next()).await.unwrap() {
            Update::Data(_) => "data",
            Update::Interrupted(Disconnect::Dropped(_)) => "interrupted",
            Update::Resumed => "resumed",
            other => panic!("{other:?}"),
        };
        if story.last() != Some(&word) && (word != "data" || !story.is_empty()) {
            story.push(word);
        }
    }
    assert_eq!(story, ["interrupted", "resumed", "data"]);
    assert_eq!(client.stats().connections, 2);
    client.close().await;
}

#[wasm_bindgen_test]
async fn binary_messages_arrive() {
    let client = connect(config()).await;
    let mut events = client.events();
    let before = client.stats().received_bytes;
    // Bytes that are no JSON are nothing to JSON-RPC, which says so.
    command(&client, "binary 16 @newest").await;
    event(&mut events, |event| matches!(event, Event::Invalid(_)).then_some(())).await;
    assert!(client.stats().received_bytes > before + 16);
    client.close().await;
}

#[wasm_bindgen_test]
async fn a_half_open_peer_is_found_by_asking() {
    let client = connect(config().heartbeat(Some(impatient()))).await;
    let mut events = client.events();
    command(&client, "stall @newest").await;
    let reason = event(&mut events, |event| match event {
        Event::Disconnected(reason) => Some(reason),
        _ => None,
    });
    assert!(matches!(reason.await, Disconnect::Silent(_)));
    live(&mut events).await;
    client.close().await;
}

#[wasm_bindgen_test]
async fn a_browser_that_cannot_send_is_given_no_more() {
    let limit = OutboundLimit { messages: 10_000, bytes: 256 << 20 };
    let client = connect(config().outbound(limit)).await;
    command(&client, "stall @newest").await;
    sleep(50).await;
    let text = " ".repeat(1 << 20);
    let sends = (0..64).map(|_| client.send(text.clone()));
    let mut sends = Box::pin(join_all(sends));
    // What the network's own buffers take, the browser does not count.
    let full = async {
        let _ = futures::poll!(&mut sends);
        sleep(500).await;
        client.stats().waiting
    };
    assert!(soon(full).await > 0, "everything was given to the browser");
    client.reconnect();
    let outcomes = soon(sends).await;
    assert!(outcomes.iter().any(Result::is_ok) && outcomes.iter().any(Result::is_err));
    client.close().await;
}

/// Every socket that was made, so that one can look at what became of it.
fn noted_sockets() -> (js_sys::Function, js_sys::Array) {
    let make = js_sys::Function::new_with_args(
        "sockets",
        "return class extends WebSocket { constructor(...a) { super(...a); sockets.push(this) } }",
    );
    let sockets = js_sys::Array::new();
    let class = make.call1(&wasm_bindgen::JsValue::NULL, &sockets).unwrap();
    (class.unchecked_into(), sockets)
}

#[wasm_bindgen_test]
async fn two_hundred_reconnects_leave_nothing_behind() {
    let (class, sockets) = noted_sockets();
    // The venue's allowance for subscribing would make this take a minute.
    let mut buckets = Adapter::new(Options::testnet()).buckets();
    buckets.iter_mut().for_each(|bucket| bucket.capacity *= 1000);
    let config = config().limiter(Some(Limiter::new(buckets)));
    let client = connect_on(config, Transport::with_class(class)).await;
    let mut events = client.events();
    // Nobody reads, so that what waits must not grow.
    let queue = Queue { capacity: 1, overflow: Overflow::Latest, ..Queue::default() };
    let _ticks = soon(client.subscribe_with::<Payload>(TICKER, queue)).await.unwrap();
    let mut marks = Vec::new();
    for n in 0..200 {
        if n % 100 == 20 {
            marks.push((wasm_bindgen::externref_heap_live_count(), pages()));
        }
        client.reconnect();
        live(&mut events).await;
    }
    assert_eq!(client.stats().connections, 201);
    for index in 0..sockets.length() - 1 {
        let socket: web_sys::WebSocket = sockets.get(index).unchecked_into();
        assert!(socket.onopen().is_none() && socket.onmessage().is_none());
        // What hears of errors then is a function of the language's own.
        let errors = socket.onerror().map(|function| String::from(function.name()));
        assert!(socket.onclose().is_none() && errors.as_deref() == Some("Boolean"));
        assert!(socket.ready_state() >= web_sys::WebSocket::CLOSING, "socket {index} is still open");
    }
    let after = (wasm_bindgen::externref_heap_live_count(), pages());
    assert!(after.0 <= marks[0].0 + 8, "{marks:?}, then {after:?}");
    // A page more may be the allocator's way of cutting; a leak would take one every few reconnects.
    assert!(after.1 <= marks[0].1 + 1, "memory grew: {marks:?}, then {after:?}");
    client.close().await;
}

/// Size of this program's memory.
fn pages() -> u32 {
    let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    let buffer: js_sys::ArrayBuffer = memory.buffer().unchecked_into();
    buffer.byte_length() / 65_536
}
