//! What the tests share: configurations, waiting, streams, and a server of which the test writes every frame.

use std::future::Future;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use steadysocket::config::{Backoff, Queue};
use steadysocket::deribit::{Adapter, Options};
use steadysocket::error::{Disconnect, Ended, Error};
use steadysocket::{Bucket, Client, Config, Event, Feed, FromPayload, Limiter, Native, Payload, Refill};
use steadysocket::{Protocol, Subscription, Update};
use steadysocket_exchange::{Builder, CreditPolicy, Exchange};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

pub const BOOK: &str = "book.BTC-PERPETUAL.100ms";
pub const QUOTE: &str = "quote.BTC-PERPETUAL";
pub const TICKER: &str = "ticker.BTC-PERPETUAL.100ms";

/// Turns a test that hangs into one that fails.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("the test hangs")
}

pub fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A quick exchange that counts credits and lets everything pass.
pub fn exchange() -> Builder {
    let credits = CreditPolicy { enforced: false, ..CreditPolicy::default() };
    Exchange::builder().pace(millis(5)).credits(credits)
}

/// Comes back at once, and has a thousand times the venue's credits.
pub fn config(url: &str) -> Config {
    Config::new(url).unwrap().backoff(quick()).limiter(Some(plenty()))
}

pub fn quick() -> Backoff {
    Backoff { base: millis(5), cap: millis(50), min_uptime: millis(100), ..Backoff::default() }
}

pub fn plenty() -> Limiter {
    let plentiful = |bucket: Bucket| {
        let refill = match bucket.refill {
            Refill::PerSecond(credits) => Refill::PerSecond(credits * 1000),
            Refill::WhenAnswered => Refill::WhenAnswered,
        };
        Bucket { capacity: bucket.capacity * 1000, refill, ..bucket }
    };
    Limiter::new(deribit().buckets().into_iter().map(plentiful))
}

pub fn deribit() -> Adapter {
    Adapter::new(Options::testnet())
}

pub async fn connect_to(config: Config) -> Result<Client, Error> {
    soon(steadysocket::connect_with(config, deribit(), Native::new())).await
}

pub async fn connect(exchange: &Exchange) -> Client {
    connect_to(config(exchange.url())).await.unwrap()
}

pub async fn subscribe<T: FromPayload>(client: &Client, channel: &str) -> Result<Subscription<T>, Error> {
    soon(client.subscribe_with(channel, Queue::default())).await
}

pub async fn next<T: FromPayload>(stream: &mut Subscription<T>) -> Update<T> {
    soon(stream.next()).await.expect("the stream ended")
}

/// The next data; only news of a lost connection may come before it.
pub async fn data<T: FromPayload + std::fmt::Debug>(stream: &mut Subscription<T>) -> T {
    loop {
        match next(stream).await {
            Update::Data(data) => return data,
            Update::Interrupted(_) | Update::Resumed => {}
            other => panic!("not data: {other:?}"),
        }
    }
}

/// The next data, which nothing may precede.
pub async fn only_data<T: FromPayload + std::fmt::Debug>(stream: &mut Subscription<T>) -> T {
    match next(stream).await {
        Update::Data(data) => data,
        other => panic!("not data: {other:?}"),
    }
}

/// Reads up to the next cut.
pub async fn interrupted<T: FromPayload + std::fmt::Debug>(stream: &mut Subscription<T>) -> Disconnect {
    loop {
        match next(stream).await {
            Update::Data(_) => {}
            Update::Interrupted(reason) => return reason,
            other => panic!("neither data nor a cut: {other:?}"),
        }
    }
}

/// What must follow a cut: `Resumed`, then data.
pub async fn resumed<T: FromPayload + std::fmt::Debug>(stream: &mut Subscription<T>) -> T {
    let update = next(stream).await;
    assert!(matches!(update, Update::Resumed), "{update:?}");
    only_data(stream).await
}

/// Reads events until one is what is looked for.
pub async fn event<T>(events: &mut Feed<Event>, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
    soon(async {
        loop {
            match events.next().await {
                Some(Update::Data(event)) => {
                    if let Some(found) = pick(&event) {
                        return found;
                    }
                }
                Some(_) => {}
                None => panic!("the client ended without it"),
            }
        }
    })
    .await
}

pub async fn disconnected(events: &mut Feed<Event>) -> Disconnect {
    event(events, |event| match event {
        Event::Disconnected(reason) => Some(reason.clone()),
        _ => None,
    })
    .await
}

/// What is waiting in a feed, without waiting for more. Whatever the client did before is in it once a call has been
/// answered.
pub async fn waiting(client: &Client, events: &mut Feed<Event>) -> Vec<Event> {
    let _: Value = soon(client.call("public/get_time", ())).await.unwrap();
    let mut found = Vec::new();
    while let Some(Some(update)) = futures::FutureExt::now_or_never(events.next()) {
        found.extend(update.data());
    }
    found
}

pub fn ended(result: Result<Client, Error>) -> Ended {
    match result {
        Err(Error::Connect(ended)) => ended,
        other => panic!("it should have ended: {other:?}"),
    }
}

/// A listener on which the test plays the venue.
pub struct Venue {
    listener: TcpListener,
    pub url: String,
}

impl Venue {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", listener.local_addr().unwrap());
        Self { listener, url }
    }

    pub fn config(&self) -> Config {
        config(&self.url)
    }

    /// The next client, upgraded.
    pub async fn accept(&self) -> Peer {
        let (tcp, _) = soon(self.listener.accept()).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        Peer(tokio_tungstenite::accept_async(tcp).await.unwrap())
    }

    /// The next client, after its opening.
    pub async fn welcome(&self) -> Peer {
        let mut peer = self.accept().await;
        let heartbeat = peer.serve_until("public/set_heartbeat").await;
        peer.answer(&heartbeat).await;
        peer
    }
}

/// The venue's side of one connection.
pub struct Peer(pub WebSocketStream<TcpStream>);

impl Peer {
    /// The next request; `None` once the client is gone.
    pub async fn try_request(&mut self) -> Option<Value> {
        loop {
            match self.0.next().await?.ok()? {
                Message::Text(text) => return serde_json::from_str(&text).ok(),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    pub async fn request(&mut self) -> Value {
        soon(self.try_request()).await.expect("the client left")
    }

    /// Answers as a venue does until a request with this method comes, which it returns unanswered.
    pub async fn serve_until(&mut self, method: &str) -> Value {
        loop {
            let request = self.request().await;
            if request["method"] == method {
                return request;
            }
            self.answer(&request).await;
        }
    }

    /// Answers as a venue does until the client leaves.
    pub async fn serve(&mut self) {
        while let Some(request) = self.try_request().await {
            if self.0.send(answer(&request)).await.is_err() {
                break;
            }
        }
    }

    pub async fn answer(&mut self, request: &Value) {
        self.send(answer(request)).await;
    }

    pub async fn send(&mut self, message: Message) {
        soon(self.0.send(message)).await.unwrap();
    }
}

/// What a venue without faults answers.
pub fn answer(request: &Value) -> Message {
    let params = &request["params"];
    let result = match request["method"].as_str().unwrap_or_default() {
        "public/subscribe" | "public/unsubscribe" => params["channels"].clone(),
        "echo" => params.clone(),
        _ => json!("ok"),
    };
    reply(request, &result)
}

pub fn reply(request: &Value, result: &Value) -> Message {
    let id = &request["id"];
    Message::text(json!({ "jsonrpc": "2.0", "id": id, "result": result, "testnet": true }).to_string())
}

pub fn notification(channel: &str, data: &Value) -> Message {
    let params = json!({ "channel": channel, "data": data });
    Message::text(json!({ "jsonrpc": "2.0", "method": "subscription", "params": params }).to_string())
}

/// A stream of raw data, as most of these tests want it.
pub type Raw = Subscription<Payload>;
