//! The contestants: each does the same work as well as its documentation lets one.

use std::future::Future;

use crate::server::Flood;

pub mod deribit_websocket;
pub mod fastwebsockets;
pub mod jsonrpsee;
pub mod steadysocket;
pub mod tungstenite;
pub mod yawc;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Takes in floods.
pub trait Ingest: Send + Sized {
    /// Connects, and subscribes to these channels.
    fn open(port: u16, channels: Vec<String>) -> impl Future<Output = Result<Self>> + Send;

    /// Asks for a flood, and calls [`saw`](crate::measure::saw) for each message of it where a user would have it, until
    /// it is [complete](crate::measure::complete).
    fn take(&mut self, flood: Flood) -> impl Future<Output = Result<()>> + Send;
}

/// Makes calls.
pub trait Caller: Send + Sync + Sized {
    fn open(port: u16) -> impl Future<Output = Result<Self>> + Send;

    /// Makes so many calls, so many at a time, each by a task that waits for its answer; as above.
    fn call(&self, calls: u64, in_flight: u64) -> impl Future<Output = Result<()>> + Send;
}

/// How many of the calls each of the tasks makes.
pub fn shares(calls: u64, tasks: u64) -> impl Iterator<Item = u64> {
    (0..tasks).map(move |task| calls / tasks + u64::from(task < calls % tasks))
}
