//! Floods from a peer that reads nothing, and what they cost in memory: each is sent to a process of its own, whose
//! resident memory is measured.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the child tells by it, and the table is worth reading")]

use std::process::Stdio;

use steadysocket::config::{Backoff, Queue};
use steadysocket::{Config, Event, JsonRpc, Native};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use super::support::*;
use crate::support::event;

/// Where the child connects to. Set by the parent alone.
const SERVER: &str = "STEADYSOCKET_FLOOD_SERVER";
/// What a flood may cost, in KiB.
const ALLOWED: u64 = 4 * 1024;

/// How often each flood says the same.
const COUNT: usize = 200_000;

/// Sends the same bytes again and again to a fresh client; how much its memory grew, in KiB.
async fn growth(first: &[u8], again: &[u8]) -> u64 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transport::floods::a_client_that_is_flooded", "--nocapture", "--test-threads=1"])
        .env(SERVER, listener.local_addr().unwrap().to_string())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stream = accept(&listener).await;
    let request = read_request(&mut stream).await;
    write(&mut stream, accepted(&request, "")).await;
    subscribe(&mut stream).await;
    let block = again.repeat(1000);
    let _ = stream.write_all(first).await;
    for _ in 0..COUNT / 1000 {
        // A client that has had enough hangs up.
        if stream.write_all(&block).await.is_err() {
            break;
        }
    }
    drop(stream);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = soon(lines.next_line()).await.unwrap() {
        // The harness writes before it on the same line.
        if let Some((_, grown)) = line.split_once("grown by ") {
            assert!(soon(child.wait()).await.unwrap().success());
            return grown.parse().unwrap();
        }
    }
    panic!("the child said nothing");
}

/// Confirms the child's subscription.
async fn subscribe(stream: &mut TcpStream) {
    let (_, request) = soon(read_frame(stream)).await;
    let request: serde_json::Value = serde_json::from_slice(&request).unwrap();
    let reply = serde_json::json!({ "jsonrpc": "2.0", "id": request["id"], "result": ["data"] });
    write(stream, frame(TEXT, reply.to_string().as_bytes())).await;
}

/// The child: not a test of its own.
#[tokio::test]
async fn a_client_that_is_flooded() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let backoff = Backoff { max_attempts: Some(1), ..Backoff::default() };
    let config = Config::new(format!("ws://{server}")).unwrap().backoff(backoff);
    let client = steadysocket::connect_with(config, JsonRpc::new(), Native::new()).await.unwrap();
    let mut events = client.events();
    // Nobody reads these.
    let _stream = client.subscribe_with::<steadysocket::Payload>("data", Queue::default()).await.unwrap();
    let _messages = client.messages();
    let before = reset_peak();
    event(&mut events, |event| matches!(event, Event::Disconnected(_)).then_some(())).await;
    println!("grown by {}", memory("VmHWM:").saturating_sub(before));
}

/// Lets the peak of the resident memory begin anew; what it is now.
fn reset_peak() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    memory("VmRSS:")
}

fn memory(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn text(json: &str) -> Vec<u8> {
    frame(TEXT, json.as_bytes())
}

#[tokio::test]
async fn floods_cost_less_than_four_mebibytes() {
    let floods: [(&str, &[u8], &[u8]); 14] = [
        ("pings", &[], &frame(PING, &[7; 125])),
        ("empty pings", &[], &frame(PING, b"")),
        ("pongs", &[], &frame(PONG, &[7; 125])),
        ("empty fragments", &frame(0x01, b""), &frame(0x00, b"")),
        ("tiny fragments", &frame(0x01, b"x"), &frame(0x00, b"x")),
        (
            "notifications of a subscription",
            &[],
            &text(r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"data","data":[1,2,3]}}"#),
        ),
        (
            "notifications that nobody asked for",
            &[],
            &text(r#"{"jsonrpc":"2.0","method":"hello","params":[1,2,3]}"#),
        ),
        ("answers to nothing", &[], &text(r#"{"jsonrpc":"2.0","id":123456,"result":1}"#)),
        ("calls of the server", &[], &text(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)),
        ("text that is no json", &[], &text("no JSON")),
        ("empty messages", &[], &frame(BINARY, b"")),
        ("closes", &[], &close_frame(1000)),
        ("closes that must not travel", &[], &close_frame(1005)),
        ("claims of large frames", &[], &[BINARY, 127, 0, 0, 0, 0, 0, 255, 255, 255]),
    ];
    let mut table = String::new();
    let mut most = 0;
    for (name, first, again) in floods {
        let grown = growth(first, again).await;
        table += &format!("{grown:>6} KiB  {name}\n");
        most = most.max(grown);
    }
    println!("{table}");
    assert!(most < ALLOWED, "\n{table}");
}
