//! The exchange's address, clients of it, and patience.

use std::future::Future;
use std::time::Duration;

use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use serde_json::{Value, json};
use steadysocket::config::{Backoff, Heartbeat};
use steadysocket::deribit::{Adapter, Options};
use steadysocket::error::Error;
use steadysocket::{Client, Config, Event, Feed, State, Transport, Update, connect_with, start};

/// Where the exchange listens: given when the tests are built, because a page has no environment.
pub const EXCHANGE: &str = match option_env!("STEADYSOCKET_EXCHANGE") {
    Some(url) => url,
    None => "ws://127.0.0.1:8080/ws/api/v2",
};

pub const TICKER: &str = "ticker.BTC-PERPETUAL.100ms";

pub fn config() -> Config {
    let quick = Backoff { base: Duration::from_millis(5), ..Backoff::default() };
    Config::new(EXCHANGE).unwrap().backoff(quick)
}

pub fn impatient() -> Heartbeat {
    Heartbeat { idle: Duration::from_millis(400), timeout: Duration::from_millis(400) }
}

pub async fn connect(config: Config) -> Client {
    connect_on(config, Transport::new()).await
}

pub async fn connect_on(config: Config, transport: Transport) -> Client {
    let protocol = Adapter::new(Options::testnet());
    soon(connect_with(config, protocol, transport)).await.expect("the exchange runs")
}

pub async fn refusal(config: Config) -> Error {
    soon(connect_with(config, Adapter::new(Options::testnet()), Transport::new())).await.unwrap_err()
}

pub fn starting(config: Config) -> Client {
    start(config, Adapter::new(Options::testnet()), Transport::new()).unwrap()
}

/// Has the exchange do something to its newest connection.
pub async fn command(client: &Client, command: &str) {
    let _: Value = client.call("local/fault", json!({ "command": command })).await.expect(command);
}

/// Waits for the event that `wanted` finds something in.
pub async fn event<T>(events: &mut Feed<Event>, wanted: impl Fn(Event) -> Option<T>) -> T {
    soon(async {
        loop {
            let Some(Update::Data(event)) = events.next().await else { panic!("the client has ended") };
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    })
    .await
}

pub async fn live(events: &mut Feed<Event>) {
    event(events, |event| (event == Event::State(State::Live)).then_some(())).await;
}

pub async fn sleep(millis: u32) {
    TimeoutFuture::new(millis).await;
}

/// A test that waits for what never comes should say so itself.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    match select(Box::pin(future), TimeoutFuture::new(10_000)).await {
        Either::Left((value, _)) => value,
        Either::Right(_) => panic!("nothing came in ten seconds"),
    }
}
