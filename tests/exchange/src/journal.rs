//! What happened: connections, refusals and requests, for tests to look at and to wait for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::connection::ending::Closed;

/// Older entries are forgotten beyond these.
const REQUESTS_KEPT: usize = 20_000;
const CONNECTIONS_KEPT: usize = 5_000;
const REFUSALS_KEPT: usize = 5_000;

/// One request that came in.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRecord {
    /// The number of the connection.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// The id, when there was one.
    pub id: Option<Value>,
    /// The parameters.
    pub params: Map<String, Value>,
    /// Time since the exchange started.
    pub at: Duration,
}

/// One connection, open or closed.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionRecord {
    /// Its number; the first is 1.
    pub number: u64,
    /// Where it came from.
    pub ip: IpAddr,
    /// When it opened, since the exchange started.
    pub opened: Duration,
    /// When it closed, and why.
    pub closed: Option<(Duration, Closed)>,
    /// What it is subscribed to.
    pub channels: BTreeSet<String>,
}

/// An upgrade that did not become a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When, since the exchange started.
    pub at: Duration,
    /// The HTTP status that was sent, if any was.
    pub status: Option<u16>,
}

/// The record of everything.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    requests: VecDeque<RequestRecord>,
    connections: BTreeMap<u64, ConnectionRecord>,
    refusals: VecDeque<Refusal>,
    opened: u64,
}

impl Journal {
    /// The requests, oldest first.
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = &RequestRecord> {
        self.requests.iter()
    }

    /// How many requests of a method came in.
    pub fn count(&self, method: &str) -> usize {
        self.requests.iter().filter(|request| request.method == method).count()
    }

    /// The connections, oldest first.
    pub fn connections(&self) -> impl DoubleEndedIterator<Item = &ConnectionRecord> {
        self.connections.values()
    }

    /// One connection.
    pub fn connection(&self, number: u64) -> Option<&ConnectionRecord> {
        self.connections.get(&number)
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.connections.values().filter(|connection| connection.closed.is_none()).count()
    }

    /// How many connections were ever opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Whether an open connection is subscribed to a channel.
    pub fn subscribed(&self, channel: &str) -> bool {
        let mut open = self.connections.values().filter(|connection| connection.closed.is_none());
        open.any(|connection| connection.channels.contains(channel))
    }

    /// Upgrades that did not become connections, oldest first.
    pub fn refusals(&self) -> impl DoubleEndedIterator<Item = &Refusal> {
        self.refusals.iter()
    }

    pub(crate) fn open_from(&self, ip: IpAddr) -> usize {
        self.connections.values().filter(|c| c.closed.is_none() && c.ip == ip).count()
    }

    pub(crate) fn note_request(&mut self, request: RequestRecord) {
        push(&mut self.requests, request, REQUESTS_KEPT);
    }

    pub(crate) fn note_refusal(&mut self, at: Duration, status: Option<u16>) {
        push(&mut self.refusals, Refusal { at, status }, REFUSALS_KEPT);
    }

    /// Takes a connection in and gives it its number.
    pub(crate) fn note_open(&mut self, ip: IpAddr, opened: Duration) -> u64 {
        self.opened += 1;
        let number = self.opened;
        let record = ConnectionRecord { number, ip, opened, closed: None, channels: BTreeSet::new() };
        self.connections.insert(number, record);
        while self.connections.len() > CONNECTIONS_KEPT {
            let oldest = self.connections.values().find(|c| c.closed.is_some()).map(|c| c.number);
            let Some(oldest) = oldest else { break };
            self.connections.remove(&oldest);
        }
        number
    }

    pub(crate) fn note_close(&mut self, number: u64, at: Duration, why: Closed) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.closed.get_or_insert((at, why));
        }
    }

    pub(crate) fn note_channels(&mut self, number: u64, channels: BTreeSet<String>) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.channels = channels;
        }
    }
}

fn push<T>(queue: &mut VecDeque<T>, item: T, limit: usize) {
    if queue.len() == limit {
        queue.pop_front();
    }
    queue.push_back(item);
}
