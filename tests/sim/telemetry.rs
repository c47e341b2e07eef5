//! What an observer is told, in order and to the millisecond.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::telemetry::Observation;
use steadysocket::testing::{Answer, Script, World};
use steadysocket::{Client, Config, JsonRpc, Request};

use crate::calls::config;
use crate::test;

/// Writes down everything but the counters.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// A configuration that this log observes.
    fn observe(&self, config: Config) -> Config {
        let log = self.clone();
        config.observer(Arc::new(move |what: &Observation<'_>| {
            if !matches!(what, Observation::Stats(_)) {
                log.0.lock().unwrap().push(format!("{what:?}"));
            }
        }))
    }

    /// What was told since the last look.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    #[track_caller]
    fn expect(&self, expected: &[&str]) {
        let told = self.take();
        assert_eq!(told, expected, "{told:#?}");
    }
}

/// A server, and a client of it that is observed. Every frame travels for 10 ms.
fn observed(config: Config) -> (Script, World, Client, Log) {
    let (server, log) = (Script::new(), Log::default());
    let world = World::new(1, server.clone());
    world.net(|net| net.latency = (Duration::from_millis(10), Duration::from_millis(10)));
    let client = world.client(log.observe(config), JsonRpc::new());
    (server, world, client, log)
}

#[test]
fn a_life_from_the_first_attempt_to_the_close() {
    let (_, world, client, log) = observed(config());
    world.run(async move {
        client.ready().await.unwrap();
        log.expect(&[
            "Event(State(Connecting { attempt: 1 }))",
            "Connected { after: 10ms }",
            "Event(State(Restoring))",
            "Restored { after: 0ns }",
            "Event(State(Live))",
        ]);
        client.close().await;
        log.expect(&[
            "Event(State(Closing))",
            "FrameOut { kind: Close, bytes: 2 }",
            "FrameIn { kind: Close, bytes: 2 }",
            "Event(State(Ended(Closed)))",
        ]);
    });
}

#[test]
fn calls_answered_rejected_and_timed_out() {
    let (server, world, client, log) = observed(config());
    server.on("ping", |_| Answer::Result(json!("pong")));
    server.on("fail", |_| Answer::Error(7, "no".into()));
    server.on("silent", |_| Answer::Silence);
    world.run(async move {
        client.ready().await.unwrap();
        log.take();
        client.call::<Value>("ping", json!({ "secret": 1 })).await.unwrap();
        log.expect(&[
            r#"Submitted { method: "ping" }"#,
            r#"Sent { method: "ping", waited: 0ns }"#,
            "FrameOut { kind: Text, bytes: 62 }",
            "FrameIn { kind: Text, bytes: 40 }",
            r#"Settled { method: "ping", outcome: Answered, round_trip: Some(20ms) }"#,
        ]);
        client.call::<Value>("fail", ()).await.unwrap_err();
        log.expect(&[
            r#"Submitted { method: "fail" }"#,
            r#"Sent { method: "fail", waited: 0ns }"#,
            "FrameOut { kind: Text, bytes: 40 }",
            "FrameIn { kind: Text, bytes: 58 }",
            r#"Settled { method: "fail", outcome: Rejected { code: 7, category: Application }, round_trip: Some(20ms) }"#,
        ]);
        client.request(Request::new("silent")).timeout(Duration::from_secs(2)).await.unwrap_err();
        log.expect(&[
            r#"Submitted { method: "silent" }"#,
            r#"Sent { method: "silent", waited: 0ns }"#,
            "FrameOut { kind: Text, bytes: 42 }",
            r#"Settled { method: "silent", outcome: Unknown(Connection), round_trip: None }"#,
        ]);
    });
}
