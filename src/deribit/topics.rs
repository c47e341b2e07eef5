//! Channels with the type of their data, so that a subscription need not be told what to decode.

use std::fmt;
use std::marker::PhantomData;

use super::channel::{Channel, Interval, Scope};
use super::data::{
    AccessLogEntry, AccountSummary, Announcement, Bar, BlockRfq, BlockRfqQuote, BlockRfqTrade,
    BlockTradeConfirmation, BookMessage, EstimatedExpirationPrice, GroupedBook, Instrument,
    InstrumentStateChange, MmpStatus, OneOrMany, OptionMarkPrice, Order, PerpetualInterest, PlatformState,
    PriceIndex, PriceRanking, PriceStatistics, PublicMethodsState, Quote, Ticker, TickerChange, Trade,
    UserChanges, UserLock, UserTrade, VolatilityIndex,
};
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
/// [`Deribit::book`](super::Deribit::book) maintains a book of these messages for you. If you do that yourself: the venue
/// sends one snapshot for each subscription, and consumers of one channel share a subscription, so who joins later starts
/// in the middle. Then, after a gap (`prev_change_id` is not the last `change_id`) and after
/// [`Lagged`](crate::Update::Lagged), ask for a new snapshot by [`Subscription::renew`]. After
/// [`Resumed`](crate::Update::Resumed) one comes by itself.
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

/// Prices and statistics: all of them once, then what changes, at most once a second.
/// [`Deribit::incremental_ticker`](super::Deribit::incremental_ticker) puts them together.
pub fn incremental_ticker(instrument: impl Into<String>) -> Topic<TickerChange> {
    Topic::new(Channel::IncrementalTicker { instrument: instrument.into() })
}

/// The best bid and ask, at every change.
pub fn quote(instrument: impl Into<String>) -> Topic<Quote> {
    Topic::new(Channel::Quote { instrument: instrument.into() })
}

/// Trades, several a message.
pub fn trades(scope: Scope, interval: Interval) -> Topic<Vec<Trade>> {
    Topic::new(Channel::Trades { scope, interval })
}

/// Bars. Resolutions are in minutes (`1`, `3`, `5`, `10`, `15`, `30`, `60`, `120`, `180`, `360`, `720`), or `1D`. A
/// bar comes many times; it is over when the next one begins. [`Deribit::bars`](super::Deribit::bars) adds the history.
pub fn chart(instrument: impl Into<String>, resolution: impl Into<String>) -> Topic<Bar> {
    Topic::new(Channel::Chart { instrument: instrument.into(), resolution: resolution.into() })
}

/// The interest of a perpetual. Of other instruments nothing comes.
pub fn perpetual(instrument: impl Into<String>, interval: Interval) -> Topic<PerpetualInterest> {
    Topic::new(Channel::Perpetual { instrument: instrument.into(), interval })
}

/// An index such as `btc_usd`, about once a second.
pub fn price_index(index: impl Into<String>) -> Topic<PriceIndex> {
    Topic::new(Channel::PriceIndex { index: index.into() })
}

/// The exchanges that make up an index, about once a second.
pub fn price_ranking(index: impl Into<String>) -> Topic<Vec<PriceRanking>> {
    Topic::new(Channel::PriceRanking { index: index.into() })
}

/// The last 24 hours of an index.
pub fn price_statistics(index: impl Into<String>) -> Topic<PriceStatistics> {
    Topic::new(Channel::PriceStatistics { index: index.into() })
}

/// The volatility index (DVOL) of an index such as `btc_usd`.
pub fn volatility_index(index: impl Into<String>) -> Topic<VolatilityIndex> {
    Topic::new(Channel::VolatilityIndex { index: index.into() })
}

/// The mark prices of all options of an index.
pub fn option_mark_prices(index: impl Into<String>) -> Topic<Vec<OptionMarkPrice>> {
    Topic::new(Channel::OptionMarkPrices { index: index.into() })
}

/// The price at which the next expiry will be settled, as far as it is known.
pub fn estimated_expiration_price(index: impl Into<String>) -> Topic<EstimatedExpirationPrice> {
    Topic::new(Channel::EstimatedExpirationPrice { index: index.into() })
}

/// Changes of instruments' states, of a kind and a currency; `any` for all.
pub fn instrument_state(
    kind: impl Into<String>,
    currency: impl Into<String>,
) -> Topic<InstrumentStateChange> {
    Topic::new(Channel::InstrumentState { kind: kind.into(), currency: currency.into() })
}

/// New instruments, of a kind and a currency; `any` for all. Not every server has this channel yet.
pub fn instrument_creation(kind: impl Into<String>, currency: impl Into<String>) -> Topic<Instrument> {
    Topic::new(Channel::InstrumentCreation { kind: kind.into(), currency: currency.into() })
}

/// Locks of indices, and maintenance.
pub fn platform_state() -> Topic<PlatformState> {
    Topic::new(Channel::PlatformState)
}

/// Whether one may ask without a login.
pub fn public_methods_state() -> Topic<PublicMethodsState> {
    Topic::new(Channel::PublicMethodsState)
}

/// Announcements.
pub fn announcements() -> Topic<Announcement> {
    Topic::new(Channel::Announcements)
}

/// Requests for quotes that traded, of a currency; `any` for all.
pub fn block_rfq_trades(currency: impl Into<String>) -> Topic<BlockRfqTrade> {
    Topic::new(Channel::BlockRfqTrades { currency: currency.into() })
}

/// Requests for quotes that the account may quote for.
pub fn block_rfq_maker(currency: impl Into<String>) -> Topic<BlockRfq> {
    Topic::new(Channel::BlockRfqMaker { currency: currency.into() })
}

/// The account's own requests for quotes.
pub fn block_rfq_taker(currency: impl Into<String>) -> Topic<BlockRfq> {
    Topic::new(Channel::BlockRfqTaker { currency: currency.into() })
}

/// The account's quotes for requests.
pub fn block_rfq_maker_quotes(currency: impl Into<String>) -> Topic<OneOrMany<BlockRfqQuote>> {
    Topic::new(Channel::BlockRfqMakerQuotes { currency: currency.into() })
}

/// Block trades that wait for approval, of one currency or of all.
pub fn block_trade_confirmations(currency: Option<String>) -> Topic<BlockTradeConfirmation> {
    Topic::new(Channel::BlockTradeConfirmations { currency })
}

/// The account's orders, as they change. The open ones do not come by themselves:
/// [`get_open_orders`](super::Deribit::get_open_orders).
pub fn user_orders(scope: Scope, interval: Interval) -> Topic<OneOrMany<Order>> {
    Topic::new(Channel::UserOrders { scope, interval })
}

/// The account's trades.
pub fn user_trades(scope: Scope, interval: Interval) -> Topic<OneOrMany<UserTrade>> {
    Topic::new(Channel::UserTrades { scope, interval })
}

/// The account's trades of combos, with their legs.
pub fn user_combo_trades(scope: Scope, interval: Interval) -> Topic<OneOrMany<UserTrade>> {
    Topic::new(Channel::UserComboTrades { scope, interval })
}

/// Orders, trades and positions that changed together.
pub fn user_changes(scope: Scope, interval: Interval) -> Topic<UserChanges> {
    Topic::new(Channel::UserChanges { scope, interval })
}

/// The account in a currency; `any` for each of them in turn.
pub fn user_portfolio(currency: impl Into<String>) -> Topic<AccountSummary> {
    Topic::new(Channel::UserPortfolio { currency: currency.into() })
}

/// Market maker protection that sets in.
pub fn user_mmp_trigger(index: impl Into<String>) -> Topic<MmpStatus> {
    Topic::new(Channel::UserMmpTrigger { index: index.into() })
}

/// What is done in the account.
pub fn user_access_log() -> Topic<AccessLogEntry> {
    Topic::new(Channel::UserAccessLog)
}

/// Locks of the account.
pub fn user_lock() -> Topic<UserLock> {
    Topic::new(Channel::UserLock)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deribit::Access;

    #[test]
    fn each_topic_has_the_venues_name() {
        let (every, raw) = (Interval::Ms100, Interval::Raw);
        let one = || Scope::Instrument("BTC-PERPETUAL".into());
        let all = || Scope::Market { kind: "option".into(), currency: "any".into() };
        let rows: [(Channel, &str); 34] = [
            (book("BTC-PERPETUAL", every).into(), "book.BTC-PERPETUAL.100ms"),
            (grouped_book("ETH-PERPETUAL", "none", 20, every).into(), "book.ETH-PERPETUAL.none.20.100ms"),
            (ticker("BTC-PERPETUAL", raw).into(), "ticker.BTC-PERPETUAL.raw"),
            (incremental_ticker("BTC-PERPETUAL").into(), "incremental_ticker.BTC-PERPETUAL"),
            (quote("BTC-PERPETUAL").into(), "quote.BTC-PERPETUAL"),
            (trades(one(), every).into(), "trades.BTC-PERPETUAL.100ms"),
            (trades(all(), Interval::Agg2).into(), "trades.option.any.agg2"),
            (chart("BTC-PERPETUAL", "1D").into(), "chart.trades.BTC-PERPETUAL.1D"),
            (perpetual("BTC-PERPETUAL", every).into(), "perpetual.BTC-PERPETUAL.100ms"),
            (price_index("btc_usd").into(), "deribit_price_index.btc_usd"),
            (price_ranking("btc_usd").into(), "deribit_price_ranking.btc_usd"),
            (price_statistics("btc_usd").into(), "deribit_price_statistics.btc_usd"),
            (volatility_index("btc_usd").into(), "deribit_volatility_index.btc_usd"),
            (option_mark_prices("btc_usd").into(), "markprice.options.btc_usd"),
            (estimated_expiration_price("btc_usd").into(), "estimated_expiration_price.btc_usd"),
            (instrument_state("any", "any").into(), "instrument.state.any.any"),
            (instrument_creation("future", "BTC").into(), "instrument.creation.future.BTC"),
            (platform_state().into(), "platform_state"),
            (public_methods_state().into(), "platform_state.public_methods_state"),
            (announcements().into(), "announcements"),
            (block_rfq_trades("BTC").into(), "block_rfq.trades.BTC"),
            (block_rfq_maker("BTC").into(), "block_rfq.maker.BTC"),
            (block_rfq_taker("any").into(), "block_rfq.taker.any"),
            (block_rfq_maker_quotes("BTC").into(), "block_rfq.maker.quotes.BTC"),
            (block_trade_confirmations(None).into(), "block_trade_confirmations"),
            (block_trade_confirmations(Some("BTC".into())).into(), "block_trade_confirmations.BTC"),
            (user_orders(one(), raw).into(), "user.orders.BTC-PERPETUAL.raw"),
            (user_trades(all(), every).into(), "user.trades.option.any.100ms"),
            (user_combo_trades(one(), raw).into(), "user.combo_trades.BTC-PERPETUAL.raw"),
            (user_changes(all(), raw).into(), "user.changes.option.any.raw"),
            (user_portfolio("any").into(), "user.portfolio.any"),
            (user_mmp_trigger("btc_usd").into(), "user.mmp_trigger.btc_usd"),
            (user_access_log().into(), "user.access_log"),
            (user_lock().into(), "user.lock"),
        ];
        for (channel, name) in rows {
            assert_eq!(channel.to_string(), name);
            assert_eq!(name.parse(), Ok(channel.clone()), "read as what it was made of");
            let interval = [Interval::Raw, Interval::Ms100, Interval::Agg2]
                .into_iter()
                .find(|interval| name.ends_with(&format!(".{interval}")));
            assert_eq!(channel.interval(), interval, "{name}");
            let private = name.starts_with("user.") || name.contains("maker") || name.contains("taker");
            let private = private || name.starts_with("block_trade");
            assert_eq!(channel.access() == Access::Private, private, "{name}");
            let for_all = channel.access() == Access::Public;
            assert_eq!(channel.access().needs_login(), !for_all, "{name}");
        }
    }

    #[test]
    fn a_topic_is_its_channel() {
        let topic = quote("BTC-PERPETUAL");
        assert_eq!(topic.clone().channel(), &Channel::Quote { instrument: "BTC-PERPETUAL".into() });
        assert_eq!(format!("{topic:?}"), r#"Topic(Quote { instrument: "BTC-PERPETUAL" })"#);
    }
}
