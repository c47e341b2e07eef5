//! What happened to a connection is recorded, and happens again in a replay.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::error::{ConnectError, Disconnect};
use steadysocket::recorder::{Memory, Reader, Recorder};
use steadysocket::replay::{History, Replay};
use steadysocket::{Client, Config, Event, Frame, JsonRpc, Update};

use crate::test;
use crate::world::{Answer, Script, World};

fn config(memory: &Memory) -> Config {
    let recorder = Recorder::new(memory.clone(), || Duration::from_secs(1_800_000_000));
    Config::new("wss://venue.example").unwrap().recorder(Some(recorder))
}

fn replay(text: &str) -> History {
    Replay::new(Reader::new(text.as_bytes()), JsonRpc::new).history().unwrap()
}

/// Everything that the client tells of itself, as it comes.
fn watch(world: &World, client: &Client) -> std::rc::Rc<std::cell::RefCell<Vec<Event>>> {
    let events = std::rc::Rc::<std::cell::RefCell<Vec<Event>>>::default();
    let (into, mut feed) = (events.clone(), client.events());
    world.spawn(async move {
        while let Some(event) = feed.next().await {
            if let Update::Data(event) = event {
                into.borrow_mut().push(event);
            }
        }
    });
    events
}

/// A subscription, a call, a cut with a call under way, two attempts in vain, and everything restored.
fn incident(memory: &Memory) -> Vec<Event> {
    let server = Script::new();
    server.on("add", |request| Answer::Result(json!(request.params[0].as_i64().unwrap() + 1)));
    server.on("buy", |_| Answer::Cut);
    let world = World::new(7, server.clone());
    let client = world.client(config(memory), JsonRpc::new());
    let events = watch(&world, &client);
    let (inner, there) = (world.clone(), server.clone());
    world.run(async move {
        client.ready().await.unwrap();
        let mut prices = client.subscribe_as::<f64>("price").await.unwrap();
        there.publish(&inner, "price", &json!(1.5));
        assert_eq!(prices.next().await.unwrap(), Update::Data(1.5));
        assert_eq!(client.call::<i64>("add", (1,)).await.unwrap(), 2);
        let (status, retry_after) = (503, Some(Duration::from_secs(2)));
        there.refuse([
            ConnectError::Tcp("refused".into()),
            ConnectError::Status { status, retry_after, location: None },
        ]);
        client.call::<Value>("buy", ()).await.unwrap_err();
        client.ready().await.unwrap();
        assert!(matches!(prices.next().await.unwrap(), Update::Interrupted(_)));
        assert_eq!(prices.next().await.unwrap(), Update::Resumed);
        there.publish(&inner, "price", &json!(2.5));
        assert_eq!(prices.next().await.unwrap(), Update::Data(2.5));
        drop(prices);
        inner.sleep(Duration::from_secs(30)).await;
        client.close().await;
    });
    world.end();
    events.take()
}

#[test]
fn a_cut_replays_to_the_same_events_twice_the_same() {
    let memory = Memory::new(1_000_000);
    let events = incident(&memory);
    let cut = events.iter().filter(|event| matches!(event, Event::Disconnected(Disconnect::Dropped(_))));
    assert_eq!(cut.count(), 1, "{events:?}");
    let text = memory.text();
    let (once, twice) = (replay(&text), replay(&text));
    assert_eq!(once, twice);
    assert_eq!(once.differences, []);
    let replayed: Vec<_> = once.events.iter().map(|(_, event)| event.clone()).collect();
    // The client's feed began after the first event.
    assert!(events.len() > 10 && replayed.ends_with(&events), "{replayed:#?}, and then: {events:#?}");
    assert_eq!(once.delivered.len(), 2);
    assert_eq!(once.delivered[1].2.as_str(), Some("2.5"));
    let calls = once.sent.iter().filter(|(_, frame)| matches!(frame, Frame::Message(_)));
    assert_eq!(calls.count(), 5, "subscribe, add, buy, subscribe, unsubscribe");
}
