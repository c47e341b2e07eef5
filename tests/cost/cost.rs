//! A fixed amount of work for a client without a network, whose instructions `tests/cost/run` counts: `cost WORK COUNT
//! [observed]`. `ingest` is data of a subscription, read by its consumer; `calls` are calls, answered one by one.

use std::collections::VecDeque;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use steadysocket::error::{ConnectError, Disconnect};
use steadysocket::time::Instant;
use steadysocket::transport::{Attempt, Clock, Platform, Socket};
use steadysocket::{Client, Config, Frame, JsonRpc, Message, Text, Update};

/// What a ticker of Deribit looks like.
const TICK: &str = r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.BTC-PERPETUAL.100ms","data":{"timestamp":1700000000000,"stats":{"volume_usd":284061480.0,"volume":4178.3,"price_change":0.4,"low":67000.0,"high":69000.5},"state":"open","settlement_price":67900.12,"open_interest":1234567890.0,"min_price":66900.0,"max_price":69000.0,"mark_price":67950.21,"last_price":67951.5,"instrument_name":"BTC-PERPETUAL","index_price":67949.0,"funding_8h":0.00001,"current_funding":0.0,"best_bid_price":67951.0,"best_bid_amount":120340.0,"best_ask_price":67951.5,"best_ask_amount":45670.0}}}"#;

/// A server in the socket itself: it answers what it is asked, and once it has been asked for ticks it sends them.
struct Fixed {
    answers: VecDeque<Frame>,
    is_asked: bool,
    ticks: u64,
    tick: Frame,
    /// Stops to let the consumer read.
    pause: u64,
}

impl Socket for Fixed {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Disconnect>> {
        if let Some(answer) = self.answers.pop_front() {
            return Poll::Ready(Ok(answer));
        }
        if self.ticks == 0 || !self.is_asked {
            return Poll::Pending;
        }
        self.pause += 1;
        if self.pause.is_multiple_of(65) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.ticks -= 1;
        Poll::Ready(Ok(self.tick.clone()))
    }

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, frame: Frame) -> Result<(), Disconnect> {
        if let Frame::Message(Message::Text(text)) = frame {
            let request: serde_json::Value = serde_json::from_slice(text.as_bytes()).unwrap();
            let channels = request["params"].get("channels");
            self.is_asked |= channels.is_some();
            let result = channels.unwrap_or(&serde_json::Value::Null);
            let reply = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, request["id"]);
            self.answers.push_back(Frame::Message(reply.into()));
        }
        Ok(())
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        Poll::Ready(Ok(()))
    }
}

/// Every look at the clock finds a microsecond more.
struct Still {
    time: Arc<AtomicU64>,
    ticks: u64,
}

impl Platform for Still {
    type Socket = Fixed;
    type Connecting = Ready<Result<Fixed, ConnectError>>;
    const PINGS: bool = true;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.time.fetch_add(1000, Ordering::Relaxed))
    }

    fn clock(&self) -> Clock {
        let time = self.time.clone();
        Arc::new(move || Instant::from_nanos(time.fetch_add(1000, Ordering::Relaxed)))
    }

    fn seed(&self) -> u64 {
        1
    }

    fn connect(&self, _: Attempt) -> Self::Connecting {
        let tick = Text::try_from(Bytes::from_static(TICK.as_bytes())).unwrap();
        let (answers, tick) = (VecDeque::new(), Frame::Message(tick.into()));
        ready(Ok(Fixed { answers, is_asked: false, ticks: self.ticks, tick, pause: 0 }))
    }

    fn poll_sleep(&mut self, _: &mut Context<'_>, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

async fn ingest(client: Client, count: u64) {
    let mut ticks = client.subscribe("ticker.BTC-PERPETUAL.100ms").await.unwrap();
    for _ in 0..count {
        assert!(matches!(ticks.next().await, Some(Update::Data(_))));
    }
}

async fn calls(client: Client, count: u64) {
    for _ in 0..count {
        client.call::<()>("public/test", ()).await.unwrap();
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (work, count) = (arguments.next().unwrap(), arguments.next().unwrap().parse().unwrap());
    let config = configure(arguments.next().is_some());
    let ticks = if work == "ingest" { count } else { 0 };
    let platform = Still { time: Arc::default(), ticks };
    let (client, driver) = Client::with_platform(config, JsonRpc::new(), platform).unwrap();
    let mut pool = LocalPool::new();
    pool.spawner().spawn_local(async move { drop(driver.await) }).unwrap();
    match work.as_str() {
        "ingest" => pool.run_until(ingest(client, count)),
        _ => pool.run_until(calls(client, count)),
    }
}

#[cfg(feature = "telemetry")]
fn configure(is_observed: bool) -> Config {
    let config = Config::new("wss://venue.example").unwrap();
    let seen = AtomicU64::new(0);
    let count = move |_: &steadysocket::telemetry::Observation<'_>| {
        seen.fetch_add(1, Ordering::Relaxed);
    };
    if is_observed { config.observer(Arc::new(count)) } else { config }
}

#[cfg(not(feature = "telemetry"))]
fn configure(_: bool) -> Config {
    Config::new("wss://venue.example").unwrap()
}
