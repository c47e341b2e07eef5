//! This library, as its README shows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{Stream, StreamExt};
use steadysocket::deribit::data::Level;
use steadysocket::deribit::{Deribit, Interval, Options};
use steadysocket::error::NotSent;
use steadysocket::protocol::{Inbound, RequestId, Unmatched};
use steadysocket::time::Instant;
use steadysocket::{Client, Config, JsonRpc, Message, Native, Protocol, Request, Update};
use tokio::spawn;

use super::{Caller, Ingest, Result, shares};
use crate::data::{self, BookChange, METHOD, ORDER, Placed, Ticker, Trade};
use crate::server::{FLOOD, Flood};
use crate::{frames, measure};

/// Typed subscriptions of the Deribit client, each read by a task of its own.
pub struct Typed(Deribit);

impl Ingest for Typed {
    async fn open(port: u16, channels: Vec<String>) -> Result<Self> {
        let deribit = connect(port).await?;
        let client = deribit.client();
        let reads = channels.into_iter().map(async |channel| -> Result<()> {
            match channel.split('.').next() {
                Some("ticker") => read(client.subscribe_as(channel).await?, Ticker::proof),
                Some("book") => read(client.subscribe_as(channel).await?, BookChange::proof),
                _ => read(client.subscribe_as(channel).await?, |trades: &Vec<Trade>| data::proof(trades)),
            }
            Ok(())
        });
        futures::future::try_join_all(reads).await?;
        Ok(Self(deribit))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        start(self.0.client(), flood).await
    }
}

/// The text of each channel, each read by a task of its own.
pub struct Channels(Deribit);

impl Ingest for Channels {
    async fn open(port: u16, channels: Vec<String>) -> Result<Self> {
        let deribit = connect(port).await?;
        for channel in channels {
            // As long as the whole message, so that the work can be compared.
            let around = frames::notification(&channel, "").len() as u64;
            let length =
                move |payload: &steadysocket::Payload| around + payload.as_str().map_or(0, str::len) as u64;
            read(deribit.subscribe_raw(channel).await?, length);
        }
        Ok(Self(deribit))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        start(self.0.client(), flood).await
    }
}

/// The text of every message, in one stream.
pub struct Raw(Client);

/// A protocol that reads nothing.
struct Verbatim;

impl Protocol for Verbatim {
    fn encode(
        &mut self,
        _: Instant,
        _: Option<RequestId>,
        _: &Request,
    ) -> std::result::Result<Message, NotSent> {
        Err(NotSent::Unsupported("requests"))
    }

    fn read<'m>(&mut self, _: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        found(Inbound::Unmatched(Unmatched::Message(message.clone())));
    }
}

impl Ingest for Raw {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        let config = Config::new(url(port))?;
        let client = steadysocket::connect_with(config, Verbatim, Native::new()).await?;
        let length = |message: &Unmatched| {
            let Unmatched::Message(Message::Text(text)) = message else { return None };
            let text = text.as_str();
            // The server's answer to the request for a flood is no part of it.
            (!text.starts_with(r#"{"jsonrpc":"2.0","id"#)).then_some(text.len() as u64)
        };
        let mut messages = client.messages();
        spawn(async move {
            while let Some(update) = messages.next().await {
                match update {
                    Update::Data(message) => length(&message).into_iter().for_each(measure::saw),
                    other => panic!("{other:?}"),
                }
            }
        });
        Ok(Self(client))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        self.0.send(flood.request()).await?;
        measure::completed().await;
        Ok(())
    }
}

/// A maintained book.
pub struct Book(Deribit, Arc<AtomicU64>);

impl Ingest for Book {
    async fn open(port: u16, _: Vec<String>) -> Result<Self> {
        let deribit = connect(port).await?;
        let mut book = deribit.book("BTC-PERPETUAL", Interval::Ms100).await?;
        let at = Arc::new(AtomicU64::new(0));
        let seen = at.clone();
        spawn(async move {
            while book.next().await.is_some() {
                let Some(levels) = book.live() else { continue };
                let half = |level: Option<Level>| level.map_or(0, |level| (level.price * 2.0).round() as u64);
                let (change, best) = (levels.change_id(), half(levels.best_bid()) + half(levels.best_ask()));
                // Several messages may have been applied. The changes are numbered from 1 again and again.
                let before = seen.swap(change, Ordering::Relaxed);
                let count = (change + frames::FRAMES as u64 - before) % frames::FRAMES as u64;
                // The state after the last one is what shows the work.
                let is_last = measure::missing() == count;
                measure::saw_many(count, if is_last { change + best } else { 0 });
            }
        });
        Ok(Self(deribit, at))
    }

    async fn take(&mut self, flood: Flood) -> Result<()> {
        self.1.store(0, Ordering::Relaxed);
        start(self.0.client(), flood).await
    }
}

/// Calls of the JSON-RPC client.
pub struct Calls(Client);

impl Caller for Calls {
    async fn open(port: u16) -> Result<Self> {
        Ok(Self(steadysocket::connect_with(Config::new(url(port))?, JsonRpc::new(), Native::new()).await?))
    }

    async fn call(&self, calls: u64, in_flight: u64) -> Result<()> {
        for share in shares(calls, in_flight) {
            let client = self.0.clone();
            spawn(async move {
                for _ in 0..share {
                    let placed: Placed = client.call(METHOD, ORDER).await.expect("it is answered");
                    measure::saw(placed.proof());
                }
            });
        }
        measure::completed().await;
        Ok(())
    }
}

/// A client that has made a call, and waits.
pub async fn idle(port: u16) -> Result<Client> {
    let client = steadysocket::connect_with(Config::new(url(port))?, JsonRpc::new(), Native::new()).await?;
    client.call::<serde_json::Value>("public/test", ()).await?;
    Ok(client)
}

fn url(port: u16) -> String {
    format!("ws://127.0.0.1:{port}/")
}

async fn connect(port: u16) -> Result<Deribit> {
    Ok(Deribit::connect(Options::at(url(port))?).await?)
}

async fn start(client: &Client, flood: Flood) -> Result<()> {
    client.call::<bool>(FLOOD, flood).await?;
    measure::completed().await;
    Ok(())
}

fn read<T: Send + 'static>(
    mut stream: impl Stream<Item = Update<T>> + Send + Unpin + 'static,
    proof: impl Fn(&T) -> u64 + Send + 'static,
) {
    spawn(async move {
        while let Some(update) = stream.next().await {
            match update {
                Update::Data(data) => measure::saw(proof(&data)),
                Update::Lagged(count) => panic!("{count} messages were lost"),
                Update::Invalid(error) => panic!("{error}"),
                _ => {}
            }
        }
    });
}
