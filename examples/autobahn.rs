//! Runs every case that a fuzzing server of the Autobahn test suite offers through this crate's transport.
//!
//! `cargo run --release --example autobahn -- ws://127.0.0.1:9001`; `make autobahn` brings the server along.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::future::poll_fn;
use std::sync::Arc;

use steadysocket::config::{Config, Url};
use steadysocket::error::{ConnectError, Disconnect};
use steadysocket::platform::native::{Native, NativeSocket};
use steadysocket::transport::{Attempt, Platform, Progress, Socket};
use steadysocket::{Frame, Message};

/// As the suite's reports name it.
const AGENT: &str = concat!("steadysocket/", env!("CARGO_PKG_VERSION"));

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = std::env::args().nth(1).ok_or("usage: autobahn ws://HOST:PORT")?;
    let count: u32 = first_text(&server, "getCaseCount").await?.parse()?;
    println!("{AGENT} runs {count} cases of {server}");
    for case in 1..=count {
        let mut socket = open(&server, &format!("runCase?case={case}&agent={AGENT}")).await?;
        // How a case ends is for the server to judge.
        let _: Disconnect = echo(&mut socket).await;
    }
    let mut socket = open(&server, &format!("updateReports?agent={AGENT}")).await?;
    let _: Disconnect = echo(&mut socket).await;
    Ok(())
}

async fn open(server: &str, target: &str) -> Result<NativeSocket, ConnectError> {
    let url = Url::parse(format!("{}/{target}", server.trim_end_matches('/')))?;
    let config = Config::new(url.as_str())?;
    Native::new().connect(Attempt { url, config: Arc::new(config), progress: Progress::default() }).await
}

/// Sends every message back, until the connection ends.
async fn echo(socket: &mut NativeSocket) -> Disconnect {
    loop {
        match poll_fn(|cx| socket.poll_receive(cx)).await {
            Ok(Frame::Message(message)) => {
                if let Err(reason) = send(socket, message).await {
                    return reason;
                }
            }
            Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Close(_)) => {}
            Err(reason) => return reason,
        }
    }
}

async fn send(socket: &mut NativeSocket, message: Message) -> Result<(), Disconnect> {
    poll_fn(|cx| socket.poll_ready(cx)).await?;
    socket.send(Frame::Message(message))?;
    poll_fn(|cx| socket.poll_flush(cx)).await
}

/// The first text that the server says there.
async fn first_text(server: &str, target: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut socket = open(server, target).await?;
    loop {
        if let Frame::Message(Message::Text(text)) = poll_fn(|cx| socket.poll_receive(cx)).await? {
            return Ok(text.to_string());
        }
    }
}
