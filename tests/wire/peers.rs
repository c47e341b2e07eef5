//! What the client talks to: a WebSocket server, and a name server that lies.

use std::collections::HashSet;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::wire::say;

/// `ADDRESS [tick] [cut]`: answers requests and pings. It prints its port, the port of each client, and each number that
/// is the first parameter of two requests. `tick` says something ten times a second; `cut` resets each connection in the
/// middle of a frame after two seconds.
pub fn serve(args: &[String]) {
    let does = |what: &str| args.iter().any(|arg| arg == what);
    let (tick, cut) = (does("tick"), does("cut"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind(&args[0]).await.unwrap();
        say(format!("listening {}", listener.local_addr().unwrap().port()));
        let seen = Seen::default();
        loop {
            let (stream, from) = listener.accept().await.unwrap();
            say(format!("port {}", from.port()));
            tokio::spawn(one(stream, tick, cut, seen.clone()));
        }
    });
}

type Seen = Arc<Mutex<HashSet<u64>>>;

async fn one(stream: TcpStream, tick: bool, cut: bool, seen: Seen) {
    stream.set_nodelay(true).unwrap();
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let cutting = tokio::time::sleep(Duration::from_secs(2));
    tokio::pin!(cutting);
    loop {
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let Ok(request) = serde_json::from_str::<Value>(&text) else { return };
                    let number = request["params"][0].as_u64();
                    if number.is_some_and(|number| !seen.lock().unwrap().insert(number)) {
                        say(format!("twice {request}"));
                    }
                    if request.get("id").is_some() {
                        let answer = json!({ "jsonrpc": "2.0", "id": request["id"], "result": "ok" });
                        let _ = socket.send(Message::text(answer.to_string())).await;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            _ = ticks.tick(), if tick => {
                let text = json!({ "jsonrpc": "2.0", "method": "tick", "params": ["x".repeat(100)] }).to_string();
                // One that does not get through is no reason to read no more.
                let _ = socket.send(Message::text(text)).now_or_never();
            }
            () = &mut cutting, if cut => {
                let mut stream = socket.into_inner();
                let _ = stream.write_all(b"\x81\x7e\x03\xe8half a frame").await;
                tokio::time::sleep(Duration::from_millis(200)).await;
                stream.set_zero_linger().unwrap();
                say("cut");
                return;
            }
        }
    }
}

/// `ADDRESS FILE`: answers each question for an IPv4 address as the file says: with that address, `nothing` (NXDOMAIN)
/// or `failure` (SERVFAIL).
pub fn answer_dns(args: &[String]) {
    let socket = UdpSocket::bind(&args[0]).unwrap();
    say("listening");
    let mut buffer = [0; 512];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        let answer = std::fs::read_to_string(&args[1]).unwrap();
        let _ = socket.send_to(&dns_answer(&buffer[..length], answer.trim()), from);
    }
}

/// RFC 1035 section 4: the question again, and at most one answer to it.
fn dns_answer(query: &[u8], answer: &str) -> Vec<u8> {
    let end_of_name = 12 + query[12..].iter().position(|&byte| byte == 0).unwrap() + 1;
    let question = &query[12..end_of_name + 4];
    let is_v4 = query[end_of_name..].starts_with(&[0, 1]);
    let (code, address) = match answer {
        "nothing" => (3, None),
        "failure" => (2, None),
        address => (0, Some(address.parse::<std::net::Ipv4Addr>().unwrap()).filter(|_| is_v4)),
    };
    let count = u8::from(address.is_some());
    let mut message = vec![query[0], query[1], 0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
    message.extend(question);
    if let Some(address) = address {
        // The name of the question, an IPv4 address of the Internet, for no time at all.
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        message.extend(address.octets());
    }
    message
}
