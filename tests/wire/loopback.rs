//! On this machine: how fast a client is back, and servers that others wrote.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::Backoff;
use steadysocket::error::Disconnect;
use steadysocket::{Client, CloseCode, Config, Event, Feed, JsonRpc, Native};
use tokio::net::TcpListener;

use crate::front::{live, lost, waiting};
use crate::report::{Measured, Outcome, Scenario};
use crate::wire::{Program, now};

pub const SCENARIOS: [Scenario; 3] = [
    ("loopback: 500 resets", reconnect_quickly),
    ("npm ws: echo, close 1012, terminate", || foreign(npm_ws())),
    ("PyPI websockets: echo, close 1012, abort", || foreign(pypi_websockets())),
];

const SLACK: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await.expect("it hangs") })
}

fn reconnect_quickly() -> Outcome {
    const RESETS: usize = 500;
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
                socket.get_ref().set_zero_linger().unwrap();
            }
        });
        let (base, cap) = (Duration::from_millis(1), Duration::from_millis(1));
        let backoff = Backoff { base, cap, min_uptime: Duration::ZERO, ..Backoff::default() };
        let config = Config::new(url).unwrap().retry_initial_connect(true).backoff(backoff);
        let client = steadysocket::start(config, JsonRpc::new(), Native::new()).unwrap();
        let mut events = client.events();
        live(&mut events).await;
        let mut times = Vec::new();
        while times.len() < RESETS {
            let (_, at) = lost(&mut events).await;
            let delay = waiting(&mut events).await;
            times.push(live(&mut events).await.saturating_sub(at + delay));
        }
        times.sort();
        let (median, p99) = (times[RESETS / 2], times[RESETS * 99 / 100]);
        Outcome {
            noticed: format!("median {median:.1?}; p99 on the right"),
            detection: None,
            recovery: Some(Measured { time: p99, bound: SLACK }),
        }
    })
}

fn npm_ws() -> Program {
    Program::start(Command::new("node").arg(in_foreign("server.mjs")))
}

/// In an environment of its own, where `make wire` made one.
fn pypi_websockets() -> Program {
    let own = format!("{}/target/wire-python/bin/python3", env!("CARGO_MANIFEST_DIR"));
    let python = if std::path::Path::new(&own).exists() { own } else { "python3".to_owned() };
    Program::start(Command::new(python).arg(in_foreign("server.py")).stderr(Stdio::null()))
}

fn in_foreign(file: &str) -> String {
    format!("{}/tests/wire/foreign/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn foreign(mut server: Program) -> Outcome {
    let port = server.wait("listening", PATIENCE).text;
    block_on(async {
        let config = Config::new(format!("ws://127.0.0.1:{port}")).unwrap();
        let client = steadysocket::start(config, JsonRpc::new(), Native::new()).unwrap();
        client.ready().await.unwrap();
        let mut events = client.events();
        // Around every boundary of the frame's length, and the largest of common servers.
        for size in [0, 1, 100, 126, 65_400, 65_536, 1 << 20] {
            let text = "ü".repeat(size / 2);
            let answer: Value = client.call("echo", json!({ "text": text })).await.unwrap();
            assert_eq!(answer["text"], text, "{size}");
        }
        let closed = ended_by(&client, &mut events, "close").await;
        let is_1012 = matches!(&closed.0, Disconnect::Closed(Some(frame)) if frame.code == CloseCode(1012));
        assert!(is_1012, "{:?}", closed.0);
        let dropped = ended_by(&client, &mut events, "terminate").await;
        assert!(matches!(dropped.0, Disconnect::Dropped(_)), "{:?}", dropped.0);
        let _: Value = client.call("echo", json!({})).await.unwrap();
        Outcome {
            noticed: "all sizes up to 1 MiB; closed 1012; dropped".into(),
            detection: Some(Measured { time: closed.1.max(dropped.1), bound: SLACK }),
            recovery: Some(Measured { time: closed.2.max(dropped.2), bound: SLACK }),
        }
    })
}

/// The reason, how soon it was noticed, and how soon after the backoff the client was back.
async fn ended_by(
    client: &Client,
    events: &mut Feed<Event>,
    method: &'static str,
) -> (Disconnect, Duration, Duration) {
    let since = now();
    client.notify(method, json!({})).await.unwrap();
    let (reason, at) = lost(events).await;
    let delay = waiting(events).await;
    let again = live(events).await;
    (reason, at - since, again.saturating_sub(at + delay))
}
