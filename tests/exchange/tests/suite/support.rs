//! A bare WebSocket client and what tests need around it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use steadysocket_exchange::{Builder, Exchange};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// Nothing here takes this long unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How a connection ended, as the client saw it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum End {
    /// A close frame.
    Frame(u16, String),
    /// The end of TCP without one.
    Abrupt,
}

/// A quick exchange whose replies keep their order.
pub(crate) fn orderly() -> Builder {
    Exchange::builder().shuffle_replies(false).pace(Duration::from_millis(5))
}

/// Waits for something that must happen.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it should have happened by now")
}

/// Anything that carries bytes: TCP, or TLS on it.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Bytes for T {}

/// The client.
pub(crate) struct Client {
    socket: WebSocketStream<Box<dyn Bytes>>,
    next_id: u64,
    /// Frames read while looking for another.
    pub(crate) passed: Vec<Value>,
}

impl Client {
    pub(crate) async fn connect(exchange: &Exchange) -> Self {
        Self::try_connect(exchange.url()).await.expect("the upgrade should succeed")
    }

    pub(crate) async fn try_connect(url: &str) -> Result<Self, Error> {
        let tcp = TcpStream::connect(authority(url)).await?;
        Self::upgrade(url, Box::new(tcp)).await
    }

    /// Upgrades over a stream that is already there.
    pub(crate) async fn upgrade(url: &str, stream: Box<dyn Bytes>) -> Result<Self, Error> {
        let (socket, _) = soon(client_async(url, stream)).await?;
        Ok(Self { socket, next_id: 1, passed: Vec::new() })
    }

    pub(crate) async fn send_text(&mut self, text: impl Into<String>) {
        self.socket.send(Message::text(text.into())).await.expect("the socket should take a frame");
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        self.socket
            .send(Message::Binary(bytes.to_vec().into()))
            .await
            .expect("the socket should take a frame");
    }

    pub(crate) async fn ping(&mut self, bytes: &[u8]) {
        self.socket.send(Message::Ping(bytes.to_vec().into())).await.expect("the socket should take a frame");
    }

    /// Sends a request to someone who may be gone.
    pub(crate) async fn try_send(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let _gone = self.socket.send(Message::text(request.to_string())).await;
        id
    }

    /// Sends a request and does not wait.
    pub(crate) async fn send(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send_text(request.to_string()).await;
        id
    }

    /// Sends a request and waits for the whole reply.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        self.find(|frame| frame["id"] == id).await
    }

    /// Calls, and expects a result.
    pub(crate) async fn result(&mut self, method: &str, params: Value) -> Value {
        let reply = self.call(method, params).await;
        assert!(reply.get("error").is_none(), "{method}: {reply}");
        reply["result"].clone()
    }

    /// Calls, and expects an error with this code.
    pub(crate) async fn error(&mut self, method: &str, params: Value, code: i64) -> Value {
        let reply = self.call(method, params).await;
        assert_eq!(reply["error"]["code"], code, "{method}: {reply}");
        reply["error"].clone()
    }

    /// Logs in with a key.
    pub(crate) async fn log_in(&mut self, id: &str, secret: &str) -> Value {
        let params = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
        self.result("public/auth", params).await
    }

    /// Subscribes to private channels.
    pub(crate) async fn subscribe_private(&mut self, channels: &[&str]) -> Vec<String> {
        names(&self.result("private/subscribe", json!({ "channels": channels })).await)
    }

    pub(crate) async fn subscribe(&mut self, channels: &[&str]) -> Vec<String> {
        names(&self.result("public/subscribe", json!({ "channels": channels })).await)
    }

    pub(crate) async fn unsubscribe(&mut self, channels: &[&str]) -> Vec<String> {
        names(&self.result("public/unsubscribe", json!({ "channels": channels })).await)
    }

    /// The next message of any kind.
    pub(crate) async fn message(&mut self) -> Option<Result<Message, Error>> {
        soon(self.socket.next()).await
    }

    /// The next text frame, as JSON.
    pub(crate) async fn frame(&mut self) -> Value {
        serde_json::from_str(&self.text().await).expect("frames are JSON")
    }

    pub(crate) async fn text(&mut self) -> String {
        loop {
            match self.message().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a text frame should have come, not {other:?}"),
            }
        }
    }

    /// Reads until a frame fits; keeps the others.
    pub(crate) async fn find(&mut self, mut fits: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let frame = self.frame().await;
            if fits(&frame) {
                return frame;
            }
            self.passed.push(frame);
        }
    }

    /// The id of the first frame that fits; `None` when the connection ends before.
    pub(crate) async fn find_or_end(&mut self, mut fits: impl FnMut(&Value) -> bool) -> Option<Value> {
        loop {
            match self.message().await? {
                Ok(Message::Text(text)) => {
                    let frame: Value = serde_json::from_str(&text).expect("frames are JSON");
                    if fits(&frame) {
                        return Some(frame["id"].clone());
                    }
                }
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    /// The data of the next update of a channel.
    pub(crate) async fn update(&mut self, channel: &str) -> Value {
        self.find(|frame| frame["params"]["channel"] == channel).await["params"]["data"].clone()
    }

    /// Reads until the connection ends.
    pub(crate) async fn end(&mut self) -> End {
        loop {
            match self.message().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return End::Frame(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return End::Abrupt,
            }
        }
    }

    pub(crate) async fn close(mut self) {
        self.socket.close(None).await.expect("the socket should take a close frame");
        // The close is answered: the stream ends without an error.
        while let Some(message) = soon(self.socket.next()).await {
            message.expect("a close in order");
        }
    }
}

/// `127.0.0.1:8080` of a URL.
pub(crate) fn authority(url: &str) -> &str {
    url.split('/').nth(2).expect("a URL with an authority")
}

fn names(list: &Value) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    let mut names: Vec<String> = items.map(|name| name.as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

/// A book as a client rebuilds it: prices are kept as the bits of the number received.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Rebuilt {
    pub(crate) bids: BTreeMap<u64, f64>,
    pub(crate) asks: BTreeMap<u64, f64>,
    pub(crate) change_id: Option<u64>,
}

impl Rebuilt {
    /// Applies a frame. False when something is missing before it.
    pub(crate) fn apply(&mut self, data: &Value) -> bool {
        if data["type"] == "snapshot" {
            assert!(data.get("prev_change_id").is_none(), "{data}");
            *self = Self::default();
        } else if data["prev_change_id"].as_u64() != self.change_id || self.change_id.is_none() {
            return false;
        }
        self.change_id = data["change_id"].as_u64();
        Self::apply_side(&mut self.bids, &data["bids"]);
        Self::apply_side(&mut self.asks, &data["asks"]);
        true
    }

    fn apply_side(side: &mut BTreeMap<u64, f64>, changes: &Value) {
        for change in changes.as_array().expect("a list of changes") {
            let (price, amount) =
                (change[1].as_f64().expect("a price"), change[2].as_f64().expect("an amount"));
            assert_eq!(change[0] == "delete", amount == 0.0, "{change}");
            match amount == 0.0 {
                true => side.remove(&price.to_bits()),
                false => side.insert(price.to_bits(), amount),
            };
        }
    }

    pub(crate) fn equals(&self, truth: &steadysocket_exchange::BookView) -> bool {
        let side = |levels: &[(f64, f64)]| levels.iter().map(|(p, a)| (p.to_bits(), *a)).collect();
        self.change_id == Some(truth.change_id)
            && self.bids == side(&truth.bids)
            && self.asks == side(&truth.asks)
    }
}
