//! How a client is, at one moment, and what to make of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Disconnect, Ended};
use crate::payload::Payload;
use crate::queue::Queue;
use crate::session::{State, Stats};
use crate::time::Instant;

/// Everything that there is to know about how a client is, at one moment: see [`Client::health`](crate::Client::health).
///
/// ```
/// # fn f(client: steadysocket::Client) {
/// use steadysocket::Verdict;
///
/// let health = client.health();
/// match health.verdict() {
///     Verdict::Healthy => {}
///     Verdict::Degraded(troubles) => troubles.iter().for_each(|trouble| println!("{trouble}")),
///     Verdict::Down(trouble) => println!("{trouble}, for {:?}", health.at.since(health.since)),
///     other => println!("{other}"),
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// When this was, on the clock of [`Client::now`](crate::Client::now).
    pub at: Instant,
    /// Where the connection is.
    pub state: State,
    /// Since when it is there.
    pub since: Instant,
    /// The counters: when the peer was last heard and whether it has been asked for a sign of life, round trip,
    /// subscriptions desired and confirmed, requests that wait and that are under way, connections.
    pub stats: Stats,
    /// When a connection last ended or an attempt failed, and why.
    pub last_disconnect: Option<(Instant, Disconnect)>,
    /// How many requests and messages may wait to be sent: [`OutboundLimit::messages`](crate::config::OutboundLimit).
    pub outbound_limit: usize,
    /// The limiter's buckets, which other clients may share.
    pub credits: Vec<Credits>,
    /// The queues of the subscriptions.
    pub streams: Vec<Backlog>,
    /// How many updates slow consumers have lost, those of subscriptions that are gone included.
    pub dropped: u64,
    /// The maintained order books, [`deribit::Book`](crate::deribit::book::Book).
    pub books: Vec<BookHealth>,
}

/// What a limiter's [`Bucket`](crate::Bucket) holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credits {
    /// The bucket's name.
    pub name: &'static str,
    /// Whole credits that are there.
    pub available: u64,
    /// The most that there can be.
    pub capacity: u64,
    /// Those that only urgent requests may use.
    pub reserve: u64,
}

/// What waits in a subscription's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backlog {
    /// The channel.
    pub channel: String,
    /// Updates that wait to be read.
    pub waiting: usize,
    /// The most that may wait; 1 for [`Overflow::Latest`](crate::config::Overflow::Latest).
    pub capacity: usize,
    /// How many this queue has lost or replaced.
    pub dropped: u64,
}

/// A maintained order book.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BookHealth {
    /// The channel.
    pub channel: String,
    /// How fresh it is.
    pub freshness: BookFreshness,
}

/// How fresh a maintained order book is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookFreshness {
    /// Its levels are the venue's: it is live, and all that has arrived is applied.
    Live,
    /// It was live when it was last read; so many messages wait to be applied, and may say anything.
    Unread(usize),
    /// Its levels are not known to be the venue's, since then.
    Stale(Instant),
}

/// What to make of a [`Health`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// Live, and nothing is amiss.
    Healthy,
    /// Requests can be sent, but not all is as it should be.
    Degraded(Vec<Trouble>),
    /// No request can be sent now.
    Down(Trouble),
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The client is over.
    #[error("it has ended: {0}")]
    Ended(Ended),
    /// There is no connection; why the last one ended, if there was one.
    #[error("there is no connection{}", Because(.0.as_ref()))]
    Disconnected(Option<Disconnect>),
    /// It is logging in, or restoring subscriptions.
    #[error("it is being restored")]
    Restoring,
    /// The peer was asked for a sign of life this long ago, and has given none.
    #[error("the peer is silent: it was asked {} ago whether it is there", crate::show::Time(*.0))]
    Silent(Duration),
    /// The server has not confirmed so many channels that somebody consumes.
    #[error("{0} channels are not confirmed")]
    Unconfirmed(usize),
    /// Three quarters of what may wait to be sent wait.
    #[error("{waiting} requests wait to be sent, of {limit} at most")]
    Congested {
        /// Requests and messages that wait to be sent.
        waiting: usize,
        /// The most that may.
        limit: usize,
    },
    /// The limiter holds no credit of this bucket that an ordinary request may use.
    #[error("no credits are left in {}", crate::show::Quoted(.0))]
    OutOfCredits(&'static str),
    /// Three quarters of what this channel's consumer may leave unread wait. Consumers that want only the latest are
    /// never behind.
    #[error("the consumer of {channel} is {waiting} updates behind", channel = crate::show::Quoted(.0), waiting = .1)]
    Behind(String, usize),
    /// This channel's book is not known to be the venue's.
    #[error("the book of {} is not live", crate::show::Quoted(.0))]
    StaleBook(String),
}

/// From which part of a queue on it counts as nearly full.
const NEARLY_FULL: (usize, usize) = (3, 4);

fn is_nearly_full(used: usize, limit: usize) -> bool {
    used.saturating_mul(NEARLY_FULL.1) >= limit.saturating_mul(NEARLY_FULL.0)
}

impl Health {
    /// What to make of it. Down: [`Trouble::Ended`] or [`Trouble::Disconnected`], since no request can be sent. Degraded:
    /// any of the other [`Trouble`]s, in their order. Healthy otherwise.
    pub fn verdict(&self) -> Verdict {
        match &self.state {
            State::Ended(ended) => return Verdict::Down(Trouble::Ended(ended.clone())),
            State::Connecting { .. } | State::Waiting { .. } | State::Closing => {
                let reason = self.last_disconnect.as_ref().map(|(_, reason)| reason.clone());
                return Verdict::Down(Trouble::Disconnected(reason));
            }
            State::Restoring | State::Live => {}
        }
        let troubles = self.troubles();
        if troubles.is_empty() { Verdict::Healthy } else { Verdict::Degraded(troubles) }
    }

    /// The age of the last sign of life; `None` before the first.
    pub fn silence(&self) -> Option<Duration> {
        self.stats.heard.map(|heard| self.at.since(heard))
    }

    fn troubles(&self) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        let Stats { asked, desired, confirmed, waiting, .. } = self.stats;
        if self.state == State::Restoring {
            troubles.push(Trouble::Restoring);
        }
        if let Some(asked) = asked {
            troubles.push(Trouble::Silent(self.at.since(asked)));
        }
        if confirmed < desired {
            troubles.push(Trouble::Unconfirmed(desired - confirmed));
        }
        if is_nearly_full(waiting, self.outbound_limit) {
            troubles.push(Trouble::Congested { waiting, limit: self.outbound_limit });
        }
        let spent = self.credits.iter().filter(|bucket| bucket.available <= bucket.reserve);
        troubles.extend(spent.map(|bucket| Trouble::OutOfCredits(bucket.name)));
        let behind = self.streams.iter().filter(|stream| stream.is_behind());
        troubles.extend(behind.map(|stream| Trouble::Behind(stream.channel.clone(), stream.waiting)));
        let stale = self.books.iter().filter(|book| matches!(book.freshness, BookFreshness::Stale(_)));
        troubles.extend(stale.map(|book| Trouble::StaleBook(book.channel.clone())));
        troubles
    }
}

impl Backlog {
    fn is_behind(&self) -> bool {
        self.capacity > 1 && is_nearly_full(self.waiting, self.capacity)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Healthy => f.write_str("healthy"),
            Self::Degraded(troubles) => {
                f.write_str("degraded")?;
                let mut separator = ": ";
                troubles
                    .iter()
                    .try_for_each(|trouble| write!(f, "{}{trouble}", std::mem::replace(&mut separator, "; ")))
            }
            Self::Down(trouble) => write!(f, "down: {trouble}"),
        }
    }
}

/// `: reason`, when there is one.
struct Because<'a>(Option<&'a Disconnect>);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// What a maintained book says of itself to whoever asks for its client's health.
#[derive(Debug)]
pub(crate) struct Pulse {
    channel: String,
    queue: Arc<Queue<Payload>>,
    /// On the client's clock; 0 while it is live.
    stale_since: AtomicU64,
}

impl Pulse {
    pub(crate) fn new(channel: String, queue: Arc<Queue<Payload>>, now: Instant) -> Self {
        Self { channel, queue, stale_since: AtomicU64::new(now.as_nanos().max(1)) }
    }

    pub(crate) fn set(&self, stale_since: Option<Instant>) {
        let nanos = stale_since.map_or(0, |since| since.as_nanos().max(1));
        self.stale_since.store(nanos, Ordering::Relaxed);
    }

    pub(crate) fn health(&self, now: Instant) -> BookHealth {
        let since = self.stale_since.load(Ordering::Relaxed);
        let freshness = match self.queue.len() {
            _ if since > 0 => BookFreshness::Stale(Instant::from_nanos(since)),
            // That the data stopped was not read yet.
            _ if self.queue.has_news() => BookFreshness::Stale(now),
            0 => BookFreshness::Live,
            waiting => BookFreshness::Unread(waiting),
        };
        BookHealth { channel: self.channel.clone(), freshness }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_nanos(100_000_000_000);

    fn health() -> Health {
        Health {
            at: NOW,
            state: State::Live,
            since: NOW - Duration::from_secs(60),
            stats: Stats { desired: 2, confirmed: 2, heard: Some(NOW), ..Stats::default() },
            last_disconnect: None,
            outbound_limit: 100,
            credits: vec![Credits { name: "calls", available: 20, capacity: 30, reserve: 5 }],
            streams: vec![Backlog { channel: "a".into(), waiting: 1, capacity: 1, dropped: 9 }],
            dropped: 9,
            books: vec![BookHealth { channel: "book".into(), freshness: BookFreshness::Unread(3) }],
        }
    }

    /// A health with one change.
    fn with(change: impl FnOnce(&mut Health)) -> Verdict {
        let mut health = health();
        change(&mut health);
        health.verdict()
    }

    #[test]
    fn healthy_is_what_nothing_is_amiss_with() {
        assert_eq!(health().verdict(), Verdict::Healthy);
        assert_eq!(with(|health| health.stats.waiting = 74), Verdict::Healthy);
        assert_eq!(with(|health| health.credits[0].available = 6), Verdict::Healthy);
    }

    #[test]
    fn each_trouble_degrades() {
        let degraded = |trouble| Verdict::Degraded(vec![trouble]);
        let second = Duration::from_secs(1);
        assert_eq!(with(|health| health.state = State::Restoring), degraded(Trouble::Restoring));
        assert_eq!(with(|health| health.stats.asked = Some(NOW - second)), degraded(Trouble::Silent(second)));
        assert_eq!(with(|health| health.stats.confirmed = 0), degraded(Trouble::Unconfirmed(2)));
        let congested = Trouble::Congested { waiting: 75, limit: 100 };
        assert_eq!(with(|health| health.stats.waiting = 75), degraded(congested));
        assert_eq!(with(|health| health.credits[0].available = 5), degraded(Trouble::OutOfCredits("calls")));
        let full = Backlog { channel: "b".into(), waiting: 75, capacity: 100, dropped: 0 };
        assert_eq!(with(|health| health.streams.push(full)), degraded(Trouble::Behind("b".into(), 75)));
        assert_eq!(
            with(|health| health.books[0].freshness = BookFreshness::Stale(NOW)),
            degraded(Trouble::StaleBook("book".into()))
        );
    }

    #[test]
    fn without_a_connection_it_is_down_whatever_else_is_amiss() {
        let cut = Disconnect::Closed(None);
        let down = Verdict::Down(Trouble::Disconnected(Some(cut.clone())));
        for state in [
            State::Connecting { attempt: 2 },
            State::Waiting { attempt: 2, delay: Duration::ZERO, reason: cut.clone() },
            State::Closing,
        ] {
            let verdict = with(|health| {
                health.state = state;
                health.last_disconnect = Some((NOW, cut.clone()));
                health.stats.confirmed = 0;
            });
            assert_eq!(verdict, down);
        }
        let ended = with(|health| health.state = State::Ended(Ended::Closed));
        assert_eq!(ended, Verdict::Down(Trouble::Ended(Ended::Closed)));
    }

    #[test]
    fn it_reads_as_a_sentence() {
        let verdict = with(|health| {
            health.state = State::Restoring;
            health.stats.confirmed = 1;
        });
        assert_eq!(verdict.to_string(), "degraded: it is being restored; 1 channels are not confirmed");
        let down = with(|health| health.state = State::Connecting { attempt: 1 });
        assert_eq!(down.to_string(), "down: there is no connection");
    }
}
