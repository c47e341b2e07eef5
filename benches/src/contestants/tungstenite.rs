//! tokio-tungstenite with its defaults, and what one writes by hand on top of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures::stream::SplitSink;
use futures::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::spawn;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::{Caller, Ingest, Result, shares};
use crate::data::{Data, Envelope, HandBook, METHOD, ORDER, Order, Placed};
use crate::measure;
use crate::server::Flood;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub async fn connect(port: u16) -> Result<Socket> {
    let url = format!("ws://127.0.0.1:{port}/");
    Ok(tokio_tungstenite::connect_async_with_config(url, None, true).await?.0)
}

/// A connection on which a request was answered, and whose reader waits.
pub async fn idle(port: u16) -> Result<()> {
    let mut socket = connect(port).await?;
    socket.send(Message::Text(r#"{"jsonrpc":"2.0","id":1,"method":"public/test"}"#.into())).await?;
    socket.next().await.ok_or("the answer is missing")??;
    spawn(async move { while socket.next().await.is_some() {} });
    Ok(())
}

/// Asks for a flood and gives its texts to `each`.
async fn take(socket: &mut Socket, flood: Flood, mut each: impl FnMut(&str) -> Result<u64>) -> Result<()> {
    socket.send(Message::Text(flood.request().into())).await?;
    socket.next().await.ok_or("the answer to the request is missing")??;
    while !measure::complete() {
        // It answers pings by itself.
        if let Message::Text(text) = socket.next().await.ok_or("the connection ended")?? {
            measure::saw(each(text.as_str())?);
        }
    }
    Ok(())
}

/// The text of every message.
pub struct Raw(Socket);

impl Ingest for Raw {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        Ok(Self(connect(port).await?))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        take(&mut self.0, flood, |text| Ok(text.len() as u64)).await
    }
}

/// Two passes: the envelope with its data left as text, then the data.
pub struct Typed(Socket);

impl Ingest for Typed {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        Ok(Self(connect(port).await?))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        let decode = |text: &str| {
            let envelope: Envelope<'_> = serde_json::from_str(text)?;
            if envelope.method != "subscription" {
                return Err("not a notification".into());
            }
            Ok(Data::decode(envelope.params.channel, envelope.params.data.get())?.proof())
        };
        take(&mut self.0, flood, decode).await
    }
}

/// One pass: the channel is peeked at where this server writes it, and the message decoded as what it says.
pub struct Peek(Socket);

impl Ingest for Peek {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        Ok(Self(connect(port).await?))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        #[derive(Deserialize)]
        struct Whole<T> {
            params: Params<T>,
        }
        #[derive(Deserialize)]
        struct Params<T> {
            data: T,
        }
        let decode = |text: &str| {
            let head = r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":""#;
            let channel = text.strip_prefix(head).ok_or("another shape")?;
            let data = match channel.as_bytes() {
                [b'b', ..] => Data::Book(serde_json::from_str::<Whole<_>>(text)?.params.data),
                [b't', b'i', ..] => Data::Ticker(serde_json::from_str::<Whole<_>>(text)?.params.data),
                _ => Data::Trades(serde_json::from_str::<Whole<_>>(text)?.params.data),
            };
            Ok(data.proof())
        };
        take(&mut self.0, flood, decode).await
    }
}

/// A book in two `BTreeMap`s.
pub struct Book(Socket, HandBook);

impl Ingest for Book {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        Ok(Self(connect(port).await?, HandBook::default()))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        let Self(socket, book) = self;
        let apply = |text: &str| {
            let envelope: Envelope<'_> = serde_json::from_str(text)?;
            if !book.apply(&serde_json::from_str(envelope.params.data.get())?) {
                return Err("a message is missing".into());
            }
            // The best prices are looked at after each message; the last counts.
            std::hint::black_box(book.proof());
            Ok(0)
        };
        take(socket, flood, apply).await?;
        measure::saw_many(0, self.1.proof());
        Ok(())
    }
}

/// A split socket, and a map of who waits for which answer.
pub struct Calls {
    sink: tokio::sync::Mutex<SplitSink<Socket, Message>>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Message>>>,
    next: AtomicU64,
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'a str,
    id: u64,
    method: &'a str,
    params: Order<'a>,
}

#[derive(Deserialize)]
struct Reply<'a> {
    id: u64,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

impl Caller for Arc<Calls> {
    async fn open(port: u16) -> Result<Self> {
        let (sink, mut stream) = connect(port).await?.split();
        let (waiting, next) = (Mutex::default(), AtomicU64::new(1));
        let calls = Self::new(Calls { sink: tokio::sync::Mutex::new(sink), waiting, next });
        let reader = calls.clone();
        spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                let Message::Text(text) = &message else { continue };
                let Ok(reply) = serde_json::from_str::<Reply<'_>>(text.as_str()) else { continue };
                let waits = reader.waiting.lock().expect("nobody panics").remove(&reply.id);
                if let Some(waits) = waits {
                    let _ = waits.send(message);
                }
            }
        });
        Ok(calls)
    }

    async fn call(&self, calls: u64, in_flight: u64) -> Result<()> {
        for share in shares(calls, in_flight) {
            let caller = self.clone();
            spawn(async move {
                for _ in 0..share {
                    measure::saw(caller.one().await.expect("it is answered").proof());
                }
            });
        }
        measure::completed().await;
        Ok(())
    }
}

impl Calls {
    async fn one(&self) -> Result<Placed> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let text = serde_json::to_string(&Request { jsonrpc: "2.0", id, method: METHOD, params: ORDER })?;
        let (tell, told) = oneshot::channel();
        self.waiting.lock().expect("nobody panics").insert(id, tell);
        self.sink.lock().await.send(Message::Text(text.into())).await?;
        let Message::Text(text) = told.await? else { return Err("not a text".into()) };
        let reply: Reply<'_> = serde_json::from_str(text.as_str())?;
        Ok(serde_json::from_str(reply.result.ok_or("an error")?.get())?)
    }
}
