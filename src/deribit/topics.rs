//! Channels with the type of their data, so that a subscription need not be told what to decode.

use std::fmt;
use std::marker::PhantomData;

use super::channel::{Channel, Interval, Scope};
use super::data::{BookMessage, GroupedBook, PlatformState, PriceIndex, Quote, Ticker, Trade};
use crate::client::{Client, FromPayload, Subscription};
use crate::config::Queue;
use crate::error::Error;

/// A channel whose data is a `T`.
///
/// ```
/// use steadysocket::deribit::{Channel, Interval, Topic, data::Ticker, topics};
/// let ticker: Topic<Ticker> = topics::ticker("BTC-PERPETUAL", Interval::Ms100);
/// assert_eq!(ticker.to_string(), "ticker.BTC-PERPETUAL.100ms");
///
/// // Any other channel, with a type of your own.
/// let dvol = Topic::<serde_json::Value>::new(Channel::VolatilityIndex { index: "btc_usd".into() });
/// ```
pub struct Topic<T> {
    channel: Channel,
    data: PhantomData<fn() -> T>,
}

impl<T> Topic<T> {
    /// A channel of which you know that its data is a `T`.
    pub fn new(channel: impl Into<Channel>) -> Self {
        Self { channel: channel.into(), data: PhantomData }
    }

    /// The channel.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }
}

impl<T: FromPayload> Topic<T> {
    /// Subscribes to the channel, with data decoded as `T`: see [`Client::subscribe`].
    ///
    /// ```no_run
    /// # async fn f(client: steadysocket::Client) -> Result<(), steadysocket::Error> {
    /// use steadysocket::{Update, deribit::{Interval, topics}};
    /// let mut ticks = topics::ticker("BTC-PERPETUAL", Interval::Ms100).subscribe(&client).await?;
    /// while let Some(update) = ticks.next().await {
    ///     if let Update::Data(ticker) = update {
    ///         println!("{:?}", ticker.best_bid());
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn subscribe(&self, client: &Client) -> Result<Subscription<T>, Error> {
        self.subscribe_with(client, client.default_queue()).await
    }

    /// As [`subscribe`](Self::subscribe), with a queue of its own: see [`Client::subscribe_with`].
    ///
    /// # Errors
    /// As [`Client::subscribe_with`].
    pub async fn subscribe_with(&self, client: &Client, queue: Queue) -> Result<Subscription<T>, Error> {
        client.subscribe_with(self.channel.to_string(), queue).await
    }
}

/// The order book: a snapshot, then changes to it.
///
/// The venue sends one snapshot for each subscription, and consumers of one channel share a subscription: who joins
/// later starts in the middle. After a gap (`prev_change_id` is not the last `change_id`) or
/// [`Lagged`](crate::Update::Lagged), drop every consumer of the channel and subscribe again, which brings a new snapshot;
/// [`Client::reconnect`] would interrupt all other channels too. After [`Resumed`](crate::Update::Resumed) a new snapshot
/// comes by itself.
pub fn book(instrument: impl Into<String>, interval: Interval) -> Topic<BookMessage> {
    Topic::new(Channel::Book { instrument: instrument.into(), interval })
}

/// The best 1, 10 or 20 levels, whole each time, in price steps of `group` (`none`, `1`, `2`, `5`, `10`, …).
pub fn grouped_book(
    instrument: impl Into<String>,
    group: impl Into<String>,
    depth: u16,
    interval: Interval,
) -> Topic<GroupedBook> {
    Topic::new(Channel::GroupedBook { instrument: instrument.into(), group: group.into(), depth, interval })
}

/// Prices and statistics.
pub fn ticker(instrument: impl Into<String>, interval: Interval) -> Topic<Ticker> {
    Topic::new(Channel::Ticker { instrument: instrument.into(), interval })
}

/// The best bid and ask, at every change.
pub fn quote(instrument: impl Into<String>) -> Topic<Quote> {
    Topic::new(Channel::Quote { instrument: instrument.into() })
}

/// Trades, several a message.
pub fn trades(scope: Scope, interval: Interval) -> Topic<Vec<Trade>> {
    Topic::new(Channel::Trades { scope, interval })
}

/// An index such as `btc_usd`, about once a second.
pub fn price_index(index: impl Into<String>) -> Topic<PriceIndex> {
    Topic::new(Channel::PriceIndex { index: index.into() })
}

/// Locks of indices, and maintenance.
pub fn platform_state() -> Topic<PlatformState> {
    Topic::new(Channel::PlatformState)
}

impl<T> From<Topic<T>> for Channel {
    fn from(topic: Topic<T>) -> Self {
        topic.channel
    }
}

// Not derived, because that would ask the same of `T`.
impl<T> Clone for Topic<T> {
    fn clone(&self) -> Self {
        Self::new(self.channel.clone())
    }
}

impl<T> fmt::Debug for Topic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Topic").field(&self.channel).finish()
    }
}

impl<T> fmt::Display for Topic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt(f)
    }
}
