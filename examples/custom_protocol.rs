//! A venue that speaks no JSON-RPC: binary frames, 16-bit numbers that wrap, its own acknowledgements and heartbeat.
//!
//! The library keeps the connection, deadlines, subscriptions and outcomes; the venue's [`Protocol`] only says how
//! things are written and read. `cargo run --example custom_protocol` runs both sides, cuts the connection once, checks
//! what it shows, and ends.
//!
//! ```text
//! every frame:   kind (1 byte), number (2 bytes), body
//! to the server: CALL and SUBSCRIBE with a sequence number, HERE
//! to the client: ANSWER and ERROR with the sequence number of what they answer, DATA with the channel's number,
//!                THERE? to which the client says HERE
//! ```

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use steadysocket::error::{NotSent, OpeningError, RpcError};
use steadysocket::protocol::{Confirmation, Inbound, RequestId, Step, Unmatched};
use steadysocket::time::Instant;
use steadysocket::{Config, Error, Message, Native, Payload, Protocol, Request, Update};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite;

type AnyError = Box<dyn std::error::Error>;

const CALL: u8 = 1;
const SUBSCRIBE: u8 = 2;
const HERE: u8 = 3;
const ANSWER: u8 = 11;
const ERROR: u8 = 12;
const DATA: u8 = 13;
const ARE_YOU_THERE: u8 = 14;

fn write_frame(kind: u8, number: u16, body: &str) -> Vec<u8> {
    [&[kind], &number.to_be_bytes()[..], body.as_bytes()].concat()
}

fn read_frame(frame: &[u8]) -> Option<(u8, u16, &[u8])> {
    let (head, body) = frame.split_first_chunk::<3>()?;
    let [kind, high, low] = *head;
    Some((kind, u16::from_be_bytes([high, low]), body))
}

// ---- The protocol: all that the library has to be told ----

/// The client's side of the venue.
struct Wire {
    /// Which of the library's ids each number in use stands for.
    in_flight: HashMap<u16, RequestId>,
    last: u16,
}

impl Wire {
    fn new() -> Self {
        // Near its end, so that the numbers wrap in this short program.
        Self { in_flight: HashMap::new(), last: u16::MAX - 2 }
    }

    /// The next number that nothing in flight uses.
    fn number_for(&mut self, id: RequestId) -> Result<u16, NotSent> {
        let mut next = (1..=u16::MAX).map(|step| self.last.wrapping_add(step));
        let free = next.find(|number| !self.in_flight.contains_key(number));
        self.last = free.ok_or(NotSent::QueueFull)?;
        self.in_flight.insert(self.last, id);
        Ok(self.last)
    }

    fn reply<'m>(&mut self, number: u16, result: Result<&'m [u8], RpcError>) -> Inbound<'m> {
        match self.in_flight.remove(&number) {
            Some(id) => Inbound::Reply { id, result },
            None => Inbound::Invalid(format!("an answer to {number}, which was not asked")),
        }
    }
}

impl Protocol for Wire {
    fn encode(
        &mut self,
        _now: Instant,
        id: Option<RequestId>,
        request: &Request,
    ) -> Result<Message, NotSent> {
        let params = request.params.as_deref().unwrap_or_default();
        let frame = match (&*request.method, id) {
            // Never answered, so it needs no number.
            ("here", _) => write_frame(HERE, 0, ""),
            ("subscribe", Some(id)) => write_frame(SUBSCRIBE, self.number_for(id)?, params),
            (method, Some(id)) => write_frame(CALL, self.number_for(id)?, &format!("{method} {params}")),
            (_, None) => return Err(NotSent::Unsupported("notifications")),
        };
        Ok(Message::Binary(frame.into()))
    }

    fn read<'m>(&mut self, _now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        found(match read_frame(message.as_bytes()) {
            Some((ANSWER, number, body)) => self.reply(number, Ok(body)),
            Some((ERROR, number, body)) => {
                let message = String::from_utf8_lossy(body).into_owned();
                self.reply(number, Err(RpcError::new(1, message)))
            }
            Some((DATA, channel, data)) => Inbound::Data { route: Cow::Owned(channel.to_string()), data },
            Some((ARE_YOU_THERE, ..)) => Inbound::Answer(Request::new("here")),
            _ => Inbound::Unmatched(Unmatched::Message(message.clone())),
        });
    }

    /// Each new connection starts with an empty table and says hello.
    fn open(&mut self, _now: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        match answer {
            None => {
                self.in_flight.clear();
                Step::Call(Request::new("hello"))
            }
            Some(Ok(_)) => Step::Done,
            Some(Err(error)) => {
                let (method, error) = ("hello".to_owned(), error.clone());
                Step::Fail(OpeningError::Rejected { method, error })
            }
        }
    }

    fn subscribe(&self, _group: u8, channels: &[&str]) -> Option<Request> {
        Some(Request { method: "subscribe".into(), params: Some(channels.join(",")) })
    }

    /// The server acknowledges channels by the numbers under which their data comes: `clock=7,…`.
    fn confirmed(&self, _channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        let pairs = answer.as_str().unwrap_or_default().split(',').filter_map(|pair| pair.split_once('='));
        pairs.map(|(channel, route)| Confirmation { channel: channel.into(), route: route.into() }).collect()
    }
}

// ---- The program: it sees nothing of all that ----

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let config = Config::new(format!("ws://{}", listener.local_addr()?))?;
    let venue = tokio::spawn(serve(listener));
    let client = steadysocket::connect_with(config, Wire::new(), Native::new()).await?;

    // Calls find their answers, also where the numbers wrap from 65535 to 0.
    for n in 0..5_u32 {
        let double: u32 = client.call("double", n).await?;
        assert_eq!(double, 2 * n);
    }
    println!("5 calls answered across the wrap");

    // The venue's own errors come as such.
    let refused = client.call::<u32>("triple", 1).await;
    assert!(matches!(&refused, Err(Error::Rejected(error)) if error.message == "unknown method"));
    println!("an unknown method is rejected: {refused:?}");

    // A subscription, acknowledged by number and decoded as what we want.
    let mut clock = client.subscribe_with::<u64>("clock", Default::default()).await?;
    let first = clock.next().await;
    assert!(matches!(first, Some(Update::Data(_))));
    println!("the clock ticks: {first:?}");

    // The venue cuts the connection while an order is in flight. Nobody knows whether it was executed, and the library
    // does not pretend to: the order is neither lost in silence nor sent again.
    let order = client.call::<String>("order", "buy").await;
    assert!(matches!(order, Err(Error::Unknown(_))));
    println!("the order's outcome is unknown: {order:?}");

    // The subscription says where its data has a hole, and goes on behind it.
    let mut story = Vec::new();
    while story.last() != Some(&"fresh data") {
        match clock.next().await {
            Some(Update::Data(_)) if story.is_empty() => {}
            Some(Update::Data(_)) => story.push("fresh data"),
            Some(Update::Interrupted(_)) => story.push("interrupted"),
            Some(Update::Resumed) => story.push("resumed"),
            other => return Err(format!("not expected here: {other:?}").into()),
        }
    }
    assert_eq!(story, ["interrupted", "resumed", "fresh data"]);
    println!("the subscription: {}", story.join(", "));

    // Meanwhile the venue asks whether we are there. The library answers by itself, ahead of everything.
    while client.call::<u32>("heartbeats", ()).await? == 0 {
        clock.next().await;
    }
    println!("the venue's heartbeat was answered");

    client.close().await;
    venue.abort();
    Ok(())
}

// ---- The venue ----

/// Serves one connection after the other. The first is cut when an order comes.
async fn serve(listener: TcpListener) -> std::io::Result<()> {
    for connection in 1.. {
        let (stream, _) = listener.accept().await?;
        // However it ended: the next one, please.
        let _ended = converse(stream, connection).await;
    }
    Ok(())
}

async fn converse(stream: TcpStream, connection: u32) -> Result<(), tungstenite::Error> {
    let mut socket = tokio_tungstenite::accept_async(stream).await?;
    let (mut ticks, mut heartbeats, mut subscribed) = (0_u64, 0_u32, false);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        let replies = tokio::select! {
            _ = tick.tick() => {
                ticks += 1;
                let data = subscribed.then(|| write_frame(DATA, CLOCK, &ticks.to_string()));
                let question = (ticks % 5 == 0).then(|| write_frame(ARE_YOU_THERE, 0, ""));
                data.into_iter().chain(question).collect()
            }
            message = socket.next() => {
                let Some(message) = message else { return Ok(()) };
                let message = message?.into_data();
                let Some((kind, number, body)) = read_frame(&message) else { continue };
                let body = String::from_utf8_lossy(body);
                subscribed |= kind == SUBSCRIBE;
                heartbeats += u32::from(kind == HERE);
                // TCP ends here, without an answer and without a close frame.
                if connection == 1 && body.starts_with("order") { return Ok(()) }
                answer(kind, number, &body, heartbeats)
            }
        };
        for reply in replies {
            socket.send(tungstenite::Message::Binary(reply.into())).await?;
        }
    }
}

/// The number of the channel `clock`.
const CLOCK: u16 = 7;

fn answer(kind: u8, number: u16, body: &str, heartbeats: u32) -> Vec<Vec<u8>> {
    let (method, params) = body.split_once(' ').unwrap_or((body, ""));
    vec![match (kind, method) {
        (SUBSCRIBE, _) => write_frame(ANSWER, number, &format!("clock={CLOCK}")),
        (CALL, "hello") => write_frame(ANSWER, number, "welcome"),
        (CALL, "double") => {
            let double = params.parse::<u32>().map(|n| (n * 2).to_string());
            write_frame(ANSWER, number, &double.unwrap_or_default())
        }
        (CALL, "heartbeats") => write_frame(ANSWER, number, &heartbeats.to_string()),
        (CALL, _) => write_frame(ERROR, number, "unknown method"),
        _ => return Vec::new(),
    }]
}
