//! A server that talks much and ends every connection soon, each in another way.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{interval, sleep};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::load::CHANNELS;

/// Messages in each burst, and the time between two: 5,000 a second.
const BURST: usize = 25;
const PAUSE: Duration = Duration::from_millis(5);

/// Prints its URL, then serves. A connection lives so long.
pub fn run(life: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("ws://{}", listener.local_addr().unwrap());
        for count in 0_usize.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(stream, life, count));
        }
    });
}

async fn serve(stream: TcpStream, life: Duration, count: usize) {
    stream.set_nodelay(true).unwrap();
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let mut bursts = interval(PAUSE);
    let end = sleep(life);
    tokio::pin!(end);
    let mut number = 0;
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let request: Value = serde_json::from_str(&text).unwrap();
                    let result = request["params"].get("channels").unwrap_or(&request["params"]);
                    let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result });
                    if request.get("id").is_some() && socket.send(Message::text(answer.to_string())).await.is_err() {
                        return;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            _ = bursts.tick() => {
                for _ in 0..BURST {
                    let channel = CHANNELS[number % CHANNELS.len()];
                    let params = json!({ "channel": channel, "data": { "number": number, "text": "x".repeat(100) } });
                    let text = json!({ "jsonrpc": "2.0", "method": "subscription", "params": params }).to_string();
                    number += 1;
                    if socket.feed(Message::text(text)).await.is_err() {
                        return;
                    }
                }
                if socket.flush().await.is_err() {
                    return;
                }
            }
            () = &mut end => break,
        }
    }
    match count % 4 {
        0 => socket.get_ref().set_zero_linger().unwrap(),
        1 => {}
        2 => {
            let reason = CloseFrame { code: CloseCode::Restart, reason: "restart".into() };
            let _ = socket.close(Some(reason)).await;
        }
        _ => {
            let mut stream = socket.into_inner();
            let _ = stream.write_all(b"\x81\x7e\x03\xe8half a frame").await;
        }
    }
}
