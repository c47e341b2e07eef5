//! What happened to a connection is recorded, and happens again in a replay.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::error::{ConnectError, Disconnect};
use steadysocket::recorder::{Memory, Reader, Record, Recorder, Redaction, Sink};
use steadysocket::replay::{History, Replay, ReplayError};
use steadysocket::{
    Bucket, Client, CloseCode, CloseFrame, Config, Event, Frame, JsonRpc, Limiter, Refill, Update,
};

use crate::test;
use crate::world::{Answer, ConnId, Net, Script, World};

fn config(memory: &Memory) -> Config {
    let recorder = Recorder::new(memory.clone(), || Duration::from_secs(1_800_000_000));
    Config::new("wss://venue.example").unwrap().recorder(Some(recorder))
}

fn replay(text: &str) -> History {
    Replay::new(Reader::new(text.as_bytes()), JsonRpc::new).history().unwrap()
}

/// The connection that is open.
fn open(net: &Net) -> ConnId {
    (0..net.connections()).rev().find(|conn| net.is_open(*conn)).unwrap()
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

/// The recording that `make recordings` made.
const CUT: &str = include_str!("../recordings/cut.jsonl");

#[test]
fn a_recording_on_file_replays() {
    let memory = Memory::new(1_000_000);
    let events = incident(&memory);
    if let Ok(path) = std::env::var("RECORD") {
        std::fs::write(path, memory.text()).unwrap();
        return;
    }
    let (once, twice) = (replay(CUT), replay(CUT));
    assert_eq!(once, twice);
    assert_eq!(once.differences, [], "if this is how it should be now: make recordings");
    let replayed: Vec<_> = once.events.iter().map(|(_, event)| event.clone()).collect();
    assert!(replayed.ends_with(&events), "{replayed:#?}, and now: {events:#?}");
}

/// What is recorded is what has happened, in words that the documents give.
#[test]
fn a_recording_can_be_read() {
    let line = |member: &str| {
        let lines = CUT.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let found: Vec<_> = lines.filter_map(|line| line.pointer(member).cloned()).collect();
        found
    };
    let header = CUT.lines().next().unwrap();
    assert_eq!(header, r#"{"recording":"steadysocket","version":1,"wall":"2027-01-15T08:00:00.000000Z"}"#);
    assert_eq!(line("/in/begin/url"), ["wss://venue.example/"]);
    assert_eq!(line("/out/dial").len(), 4);
    assert_eq!(
        line("/in/connect_failed"),
        [
            json!({ "tcp": "refused" }),
            json!({ "status": { "status": 503, "retry_after": { "secs": 2, "nanos": 0 }, "location": null } }),
        ]
    );
    assert_eq!(line("/in/disconnected"), [json!({ "dropped": "cut" })]);
    assert_eq!(line("/in/command/submit/work/call/method"), ["add", "buy"]);
    assert_eq!(line("/in/frame/json/params/data"), [1.5, 2.5]);
    assert_eq!(line("/out/frame/json/method"), ["subscribe", "add", "buy", "subscribe", "unsubscribe"]);
    assert_eq!(line("/connection").last(), Some(&json!(4)));
}

#[test]
fn what_is_missing_or_makes_no_sense_ends_a_replay() {
    let play = |text: &str| Replay::new(Reader::new(text.as_bytes()), JsonRpc::new).history();
    let lines: Vec<_> = CUT.lines().collect();
    // A crash in the middle of a line, whatever it is; and another recording that goes on in the same file.
    for end in 1..=lines.len() {
        let whole = format!("{}\n", lines[..end].join("\n"));
        let history = play(&whole).unwrap();
        assert_eq!(history.differences, [], "{end}");
        assert_eq!(play(&format!("{whole}{{\"at\":1,")).unwrap(), history, "{end}");
        if end > 1 {
            assert_eq!(play(&format!("{whole}{CUT}")).unwrap(), history, "{end}");
        }
    }
    let with = |line: &str| {
        let mut lines = lines.clone();
        lines.insert(10, line);
        play(&(lines.join("\n") + "\n"))
    };
    assert!(matches!(with(r#"{"lost":3}"#), Err(ReplayError::Lost(3))));
    for line in [
        r#"{"at":1,"wall":"","session":1,"connection":1,"in":"dance"}"#,
        r#"{"at":1,"wall":"","session":1,"connection":1,"in":{"take_over":"requested"}}"#,
    ] {
        assert!(matches!(with(line), Err(ReplayError::Senseless { at: 1, .. })), "{line}");
    }
    for line in ["{}", "[]", "", "x", r#"{"at":1,"session":1,"connection":1}"#] {
        let end = with(line);
        assert!(line.is_empty() == end.is_ok(), "{line}: {end:?}");
    }
    assert!(matches!(play("{\"at\":1}\n"), Err(ReplayError::Read(_))));
    assert_eq!(play("").unwrap(), History::default());
    // It does not do what it did.
    let other =
        CUT.replace(r#""params":{"channel":"price","data":2.5}"#, r#""params":{"channel":"x","data":2.5}"#);
    assert_ne!(play(&other).unwrap().delivered, play(CUT).unwrap().delivered);
    let other = CUT.replace(r#""method":"buy"}"#, r#""method":"sell"}"#);
    let differences = play(&other).unwrap().differences;
    assert!(!differences.is_empty() && differences.len() < 3, "{differences:#?}");
}

/// Everything that holds a text holds a secret; none of them is in the recording, and it replays all the same.
#[test]
fn no_secret_is_recorded() {
    const HEADER: &str = "hunter2-header-canary";
    const QUERY: &str = "hunter2-query-canary";
    const LOGIN: &str = "hunter2-login-canary";
    const TOKEN: &str = "hunter2-token-canary";
    const OURS: &str = "hunter2-ours-canary";
    let said = || format!("you said {HEADER} and {QUERY} and {LOGIN} and {TOKEN} and {OURS}");
    let memory = Memory::new(10_000_000);
    let recorder =
        Recorder::new(memory.clone(), Duration::default).redaction(Redaction::default().secret(OURS));
    let url = format!("wss://venue.example/ws?token={QUERY}");
    let config = Config::new(url).unwrap().header("Authorization", format!("Bearer {HEADER}")).unwrap();
    let config = config.recorder(Some(recorder));
    let server = Script::new();
    server.on("login", |_| Answer::Result(json!({ "access_token": TOKEN, "n": 1 })));
    server.on("echo", move |_| Answer::Result(json!([said(), { "deep": { "er": said() } }])));
    server.on("fail", move |_| Answer::Error(-1, said()));
    server.on("close", move |_| Answer::Close(CloseFrame::new(CloseCode(4000), said())));
    let world = World::new(3, server.clone());
    let client = world.client(config, JsonRpc::new());
    let _events = watch(&world, &client);
    let (inner, there) = (world.clone(), server.clone());
    world.run(async move {
        client.ready().await.unwrap();
        client.call::<Value>("login", json!({ "client_secret": LOGIN })).await.unwrap();
        for method in ["echo", "fail", "unknown"] {
            let _ = client.call::<Value>(method, json!([said()])).await;
        }
        let _ = client.notify("notify", json!({ "said": said(), "password": LOGIN })).await;
        let _ = client.batch([]).await;
        client.send(json!(said()).to_string()).await.unwrap();
        client.send(said().into_bytes()).await.unwrap();
        let mut stream = client.subscribe(said()).await.unwrap();
        there.publish(&inner, &said(), &json!(said()));
        assert!(matches!(stream.next().await, Some(Update::Data(_))));
        inner.net(|net| {
            let conn = open(net);
            net.send(conn, Frame::Ping(said().into_bytes().into()));
            net.send(conn, Frame::Message(said().into_bytes().into()));
            net.send_text(conn, said());
        });
        there.refuse([
            ConnectError::Tcp(said()),
            ConnectError::Upgrade(said()),
            ConnectError::Dns { host: said(), problem: said() },
            ConnectError::Status { status: 503, retry_after: None, location: Some(said()) },
        ]);
        let _ = client.call::<Value>("close", ()).await;
        client.ready().await.unwrap();
        inner.net(|net| net.end(open(net), &said()));
        client.ready().await.unwrap();
        client.close_with(CloseCode(4001), &said()[..100]).await.unwrap();
    });
    world.end();
    let text = memory.text();
    for secret in [HEADER, QUERY, LOGIN, TOKEN, OURS, "hunter2", "canary"] {
        let found = text.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
    assert!(text.matches("***").count() > 50);
    let history = Replay::new(Reader::new(text.as_bytes()), JsonRpc::new).history().unwrap();
    assert_eq!(history.differences, []);
    assert_eq!(history.delivered.len(), 1);
}

#[test]
fn clients_share_a_recorder_and_replay_alone() {
    let memory = Memory::new(1_000_000);
    let recorder = Recorder::new(memory.clone(), Duration::default);
    let world = World::new(5, Script::new());
    let config = Config::new("wss://venue.example").unwrap().recorder(Some(recorder));
    let buckets = vec![Bucket { name: "all", capacity: 2, refill: Refill::PerSecond(1), reserve: 0 }];
    let clients = [
        world.client(config.clone(), JsonRpc::new()),
        world.client(config.clone().limiter(Some(Limiter::new(buckets.clone()))), JsonRpc::new()),
        world.pingless_client(config, JsonRpc::new()),
    ];
    let inner = world.clone();
    world.run(async move {
        for (client, name) in clients.iter().zip(["a", "b", "c"]) {
            client.ready().await.unwrap();
            drop(client.subscribe(name).await.unwrap());
        }
        inner.net(|net| (0..net.connections()).for_each(|conn| net.end(conn, "cut")));
        inner.sleep(Duration::from_secs(60)).await;
        for client in &clients {
            client.ready().await.unwrap();
        }
    });
    world.end();
    let text = memory.text();
    for number in 1..=3 {
        let replay = Replay::new(Reader::new(text.as_bytes()), JsonRpc::new).session(number);
        let history = replay.limiter(Limiter::new(buckets.clone())).history().unwrap();
        assert_eq!(history.differences, [], "{number}");
        assert!(history.sent.len() > 1, "{number}");
    }
    let sessions = Reader::new(text.as_bytes()).filter_map(|record| match record.unwrap() {
        Record::Line(line) => Some(line.session),
        _ => None,
    });
    assert_eq!(sessions.max(), Some(3));
}

/// A sink that keeps nothing.
struct Full;

impl Sink for Full {
    fn write(&self, _: String) {}

    fn lost(&self) -> u64 {
        1
    }

    fn problem(&self) -> Option<String> {
        Some("no space".into())
    }
}

#[test]
fn a_recorder_in_trouble_is_an_event_and_no_failure() {
    let recorder = Recorder::new(Full, Duration::default);
    let world = World::new(1, Script::new());
    let config = Config::new("wss://venue.example").unwrap().recorder(Some(recorder.clone()));
    let client = world.client(config, JsonRpc::new());
    let events = watch(&world, &client);
    world.run(async move {
        client.ready().await.unwrap();
        client.reconnect();
        let _stream = client.subscribe("a").await.unwrap();
    });
    let told = events.borrow().iter().filter(|event| matches!(event, Event::NotRecorded(_))).count();
    assert_eq!(told, 1, "{events:?}");
    assert_eq!((recorder.lost(), recorder.problem().as_deref()), (1, Some("no space")));
    world.end();
}
