//! What users hold: a book that follows its channel.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;

use super::levels::Levels;
use super::order_book::OrderBook;
use super::status::{Reason, Status};
use crate::client::{Client, Subscription};
use crate::config::{Overflow, Queue};
use crate::deribit::{Deribit, Interval};
use crate::error::Error;
use crate::health::Pulse;
use crate::queue::Update;

/// An order book that is kept for you, and never called live when it is not.
///
/// It is polled in your own task: whatever has arrived is applied when you ask for something, all of it at once, so that
/// what you see is the newest there is. Levels to trade on come from [`live`](Self::live) alone.
///
/// ```no_run
/// use steadysocket::deribit::{Deribit, Interval, Options, book::Change};
///
/// # async fn f() -> Result<(), steadysocket::Error> {
/// let deribit = Deribit::connect(Options::testnet()).await?;
/// let mut book = deribit.book("BTC-PERPETUAL", Interval::Ms100).await?;
/// while let Some(change) = book.next().await {
///     if let Change::Stale(why) = &change {
///         eprintln!("not to be traded on: {why}");
///     }
///     match book.live() {
///         Some(levels) => println!("{:?} / {:?}", levels.best_bid(), levels.best_ask()),
///         None => println!("cancel the quotes"),
///     }
/// }
/// # Ok(()) }
/// ```
///
/// When a message is missing the book has its channel subscribed anew, which brings a snapshot, and touches no other
/// channel. It is stale until then. The more often that happens the longer it waits, up to a minute.
///
/// Live means that nothing is known to be missing. That a connection died without a word is known once the server has
/// been silent for [`Heartbeat::idle`](crate::config::Heartbeat::idle) and has not answered within
/// [`Heartbeat::timeout`](crate::config::Heartbeat::timeout), 14 s by default: who quotes on a book may want less.
///
/// The venue sends one snapshot for each subscription, and all consumers of a channel in one client share one. So a book
/// of a channel that has consumers already has it subscribed anew, too, and other books of it are resyncing for that
/// moment. Keep one book a channel where you can, and share what you make of it.
#[derive(Debug)]
#[must_use = "dropping a book leaves its channel"]
pub struct Book {
    source: Subscription,
    book: OrderBook,
    /// A snapshot was asked for since the book became stale.
    asked: bool,
    /// What has changed since it was last told.
    changed: Changed,
    ended: bool,
    pulse: Arc<Pulse>,
}

/// What happened to a book.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// It was live and is live. Levels may have changed.
    Updated,
    /// It is live from here on.
    Live,
    /// It is not to be traded on.
    Stale(Reason),
    /// It is not to be traded on, and a snapshot is on its way.
    Resyncing(Reason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Changed {
    Nothing,
    Levels,
    Status,
}

impl Book {
    /// A book of `book.{instrument}.{interval}`, with every level; once the server has confirmed the channel.
    /// [`Deribit::book`] is the short form.
    ///
    /// # Errors
    /// As [`Client::subscribe`]: the venue refuses an unknown instrument, and `raw` without a login.
    pub async fn open(
        client: &Client,
        instrument: impl Into<String>,
        interval: Interval,
    ) -> Result<Self, Error> {
        let instrument = instrument.into();
        let channel = format!("book.{instrument}.{interval}");
        // A loss makes what waits worthless, so it is no use to keep the oldest.
        let source = follow(client, channel, Overflow::DropOldest).await?;
        let book = OrderBook::new(source.now(), instrument);
        Ok(Self::new(source, book))
    }

    /// A book of `book.{instrument}.{group}.{depth}.{interval}`: the best `depth` levels (1, 10 or 20), in price steps
    /// of `group` (`none`, `1`, `2`, `5`, `10`, …).
    ///
    /// Each message holds all of them, and does not say what came before: that one was missed cannot be noticed, and
    /// lasts until the next.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_grouped(
        client: &Client,
        instrument: impl Into<String>,
        group: impl Into<String>,
        depth: u16,
        interval: Interval,
    ) -> Result<Self, Error> {
        let (instrument, group) = (instrument.into(), group.into());
        let channel = format!("book.{instrument}.{group}.{depth}.{interval}");
        let source = follow(client, channel, Overflow::Latest).await?;
        let book = OrderBook::grouped(source.now(), instrument);
        Ok(Self::new(source, book))
    }

    fn new(source: Subscription, book: OrderBook) -> Self {
        let pulse = source.pulse();
        Self { source, book, asked: false, changed: Changed::Nothing, ended: false, pulse }
    }

    /// Waits until something has changed, and says what; several messages may have been applied by then. `None` once the
    /// client has ended, after the book was told stale.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Change> {
        std::future::poll_fn(|cx| self.poll_change(cx)).await
    }

    /// The levels, with everything applied that has arrived, when they are the venue's; else `None`: then nothing is to
    /// be quoted.
    pub fn live(&mut self) -> Option<&Levels> {
        self.catch_up();
        self.book.live()
    }

    /// The levels as they were known last, and whether they are the venue's, with everything applied that has arrived:
    /// to be shown, not to be traded on.
    pub fn last_known(&mut self) -> (&Levels, &Status) {
        self.catch_up();
        self.book.last_known()
    }

    /// Whether the levels are the venue's, with everything applied that has arrived.
    pub fn status(&mut self) -> &Status {
        self.catch_up();
        self.book.status()
    }

    /// How long the book has not been live; `None` while it is.
    pub fn stale_for(&mut self) -> Option<Duration> {
        let since = self.status().since()?;
        Some(self.source.now().since(since))
    }

    /// The instrument's name.
    pub fn instrument(&self) -> &str {
        self.book.instrument()
    }

    /// The channel's name.
    pub fn channel(&self) -> &str {
        self.source.channel()
    }

    fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        self.catch_up();
        // With nothing to tell, it waits for what comes next, which need not be worth telling.
        while self.changed == Changed::Nothing && !self.ended {
            match self.source.poll_update(cx) {
                Poll::Ready(update) => self.take(update),
                Poll::Pending => return Poll::Pending,
            }
            self.catch_up();
        }
        Poll::Ready(self.tell())
    }

    /// What has changed.
    fn tell(&mut self) -> Option<Change> {
        match std::mem::replace(&mut self.changed, Changed::Nothing) {
            Changed::Nothing => None,
            Changed::Levels => Some(Change::Updated),
            Changed::Status => Some(match self.book.status().clone() {
                Status::Live => Change::Live,
                Status::Stale { why, .. } => Change::Stale(why),
                Status::Resyncing { why, .. } => Change::Resyncing(why),
            }),
        }
    }

    /// Applies what has arrived.
    fn catch_up(&mut self) {
        // No more than was there at first, or a flood would keep it here; news comes in between.
        for _ in 0..=self.source.waiting().saturating_mul(4) {
            match self.source.try_next() {
                Some(update) if !self.ended => self.take(update),
                _ => break,
            }
        }
        self.ask();
    }

    fn take(&mut self, update: Option<Update<crate::Payload>>) {
        let (now, book) = (self.source.now(), &mut self.book);
        let was = std::mem::discriminant(book.status());
        let mut changed = Changed::Status;
        match update {
            Some(Update::Data(data)) => {
                let applied = book.apply(now, data.as_bytes());
                if std::mem::discriminant(book.status()) == was {
                    changed = if applied { Changed::Levels } else { Changed::Nothing };
                }
            }
            Some(Update::Interrupted(reason)) => book.stale(now, Reason::Disconnected(reason)),
            Some(Update::Lagged(count)) => book.stale(now, Reason::Lagged(count)),
            Some(Update::Refused(reason)) => book.stale(now, Reason::Refused(reason)),
            Some(Update::Renewing | Update::Resumed) => book.resync(now),
            Some(Update::Invalid(problem)) => book.stale(now, Reason::Malformed(problem.to_string())),
            // Its queue has another policy.
            Some(Update::Overflowed) => book.stale(now, Reason::Lagged(1)),
            None => {
                self.ended = true;
                book.stale(now, Reason::Ended(self.source.why_ended()));
            }
        }
        self.pulse.set(book.status().since());
        self.asked &= matches!(book.status(), Status::Stale { .. });
        self.changed = self.changed.max(changed);
    }

    /// Asks for a snapshot, once, when nothing else will bring one.
    fn ask(&mut self) {
        let Status::Stale { why, .. } = self.book.status() else { return };
        if !self.asked && why.wants_snapshot() {
            self.asked = true;
            self.source.renew();
        }
    }
}

impl Deribit {
    /// The order book of an instrument, maintained, with every level: see [`Book`].
    ///
    /// ```no_run
    /// # async fn f(deribit: steadysocket::deribit::Deribit) -> Result<(), steadysocket::Error> {
    /// use steadysocket::deribit::Interval;
    /// let mut book = deribit.book("BTC-PERPETUAL", Interval::Ms100).await?;
    /// while book.next().await.is_some() {
    ///     if let Some(levels) = book.live() {
    ///         println!("{:?} / {:?}", levels.best_bid(), levels.best_ask());
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn book(&self, instrument: impl Into<String>, interval: Interval) -> Result<Book, Error> {
        Book::open(self.client(), instrument, interval).await
    }

    /// The best levels of an instrument's order book, in price steps: see [`Book::open_grouped`].
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn grouped_book(
        &self,
        instrument: impl Into<String>,
        group: impl Into<String>,
        depth: u16,
        interval: Interval,
    ) -> Result<Book, Error> {
        Book::open_grouped(self.client(), instrument, group, depth, interval).await
    }
}

async fn follow(client: &Client, channel: String, overflow: Overflow) -> Result<Subscription, Error> {
    let default = client.default_queue();
    // No capacity is enough for a client whose queues keep the latest, and not for this one.
    let queue = Queue { overflow, capacity: default.capacity.max(1), ..default };
    client.subscribe_anew(channel, queue).await
}

impl Stream for Book {
    type Item = Change;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Change>> {
        self.get_mut().poll_change(cx)
    }
}
