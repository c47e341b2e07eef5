//! What the client is made to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::{Backoff, Queue};
use steadysocket::error::{Error, NotSent, Unknown};
use steadysocket::{Client, Config, JsonRpc, Native, Payload, Subscription, Update};
use tokio::task::JoinSet;
use tokio::time::sleep;

pub const CHANNELS: [&str; 4] = ["book", "trades", "ticker", "quote"];
const CALLERS: usize = 4;

/// One client under load, and others that come and go.
pub struct Load {
    client: Client,
    /// Reconnections of the others, which are not the point.
    data: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Load {
    pub async fn start(url: &str) -> Self {
        let client = connect(url).await;
        let data = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for channel in CHANNELS {
            let stream = client.subscribe_with(channel, Queue::default()).await.unwrap();
            tasks.spawn(read(stream, data.clone()));
        }
        for _ in 0..CALLERS {
            tasks.spawn(call(client.clone()));
        }
        tasks.spawn(subscribe_anew(client.clone()));
        tasks.spawn(connect_anew(url.to_owned()));
        tasks.spawn(read_events(client.clone()));
        Self { client, data, tasks }
    }

    /// Messages that streams delivered, and connections that were made.
    pub fn counts(&self) -> (u64, u64) {
        (self.data.load(Ordering::Relaxed), self.client.stats().connections)
    }

    /// Stops everything, and waits until it has.
    pub async fn end(mut self) {
        self.tasks.abort_all();
        while let Some(ended) = self.tasks.join_next().await {
            assert!(ended.is_err_and(|error| error.is_cancelled()), "a part of the load failed");
        }
        self.client.close().await;
        drop(self.client);
        // The sockets' tasks end in their own time.
        sleep(Duration::from_secs(3)).await;
    }
}

async fn connect(url: &str) -> Client {
    let (base, cap) = (Duration::from_millis(1), Duration::from_millis(5));
    let backoff = Backoff { base, cap, min_uptime: Duration::ZERO, ..Backoff::default() };
    let config = Config::new(url).unwrap().backoff(backoff).retry_initial_connect(true);
    steadysocket::connect_with(config, JsonRpc::new(), Native::new()).await.unwrap()
}

async fn read(mut stream: Subscription<Payload>, data: Arc<AtomicU64>) {
    loop {
        match stream.next().await {
            Some(Update::Data(_)) => drop(data.fetch_add(1, Ordering::Relaxed)),
            Some(_) => {}
            None => panic!("the stream ended"),
        }
    }
}

async fn read_events(client: Client) {
    let mut events = client.events();
    while events.next().await.is_some() {}
    panic!("the client ended");
}

async fn call(client: Client) {
    loop {
        match client.call::<Value>("echo", json!({ "text": "y".repeat(100) })).await {
            Ok(_)
            | Err(Error::NotSent(NotSent::Disconnected(_)) | Error::Unknown(Unknown::Disconnected(_))) => {}
            Err(other) => panic!("{other:?}"),
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// Channels that nobody asked for before, each for a moment.
async fn subscribe_anew(client: Client) {
    for number in 0_u64.. {
        let stream: Subscription<Payload> =
            client.subscribe_with(format!("new.{number}"), Queue::default()).await.unwrap();
        sleep(Duration::from_millis(20)).await;
        drop(stream);
    }
}

/// Clients that live for a moment, and end in either way.
async fn connect_anew(url: String) {
    for number in 0_u64.. {
        let client = connect(&url).await;
        let _ = client.call::<Value>("echo", json!({})).await;
        if number % 2 == 0 {
            client.close().await;
        }
        drop(client);
        sleep(Duration::from_millis(100)).await;
    }
}
