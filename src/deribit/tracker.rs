//! The account's live orders, held true through cuts.

use std::collections::VecDeque;
use std::future::IntoFuture;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::{FutureExt, Stream};

use super::channel::{Channel, Interval, Scope};
use super::data::{CancelReason, OneOrMany, Order, OrderState};
use super::errors::Code;
use super::order::{Label, Side};
use super::query::Answer;
use super::topics::Topic;
use super::{Deribit, ServerTime};
use crate::alarm::Alarm;
use crate::client::Subscription;
use crate::config::{Overflow, Queue};
use crate::error::{DecodeError, Disconnect, Ended, Error, Refusal};
use crate::queue::Update;

mod merge;
#[cfg(test)]
mod tests;

use merge::{Listed, Merge};

/// The live orders of an account: those in the book, and those that wait for a trigger.
///
/// It is polled in the user's own task: as long as nobody calls [`next`](Self::next), nothing changes. It
/// subscribes to the account's orders, then asks for a list of those that are live, and merges the two. When the
/// connection is cut it says [`Stale`](OrderEvent::Stale); once it is back, it asks for a new list, looks up every order
/// that is not in it any more, tells what changed meanwhile, and says [`Live`](OrderEvent::Live).
///
/// ```no_run
/// # use steadysocket::deribit::{Deribit, OrderEvent, OrderKind};
/// # async fn f(deribit: Deribit) -> Result<(), steadysocket::Error> {
/// let mut orders = deribit.track_orders().await?;
/// while let Some(event) = orders.next().await {
///     match event {
///         OrderEvent::Live => println!("{} live orders", orders.len()),
///         OrderEvent::Stale(why) => println!("do not rely on them: {why}"),
///         OrderEvent::Changed(change) => match change.kind() {
///             OrderKind::Executed(amount) | OrderKind::Filled(amount) => println!("executed {amount}"),
///             kind => println!("{}: {kind:?}", change.order.order_id),
///         },
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok(()) }
/// ```
///
/// It holds as many orders as the exchange says are live.
#[derive(Debug)]
#[must_use = "dropping it leaves its channel"]
pub struct OrderTracker {
    deribit: Deribit,
    scope: Scope,
    stream: Subscription<OneOrMany<Order>>,
    orders: Merge,
    stage: Stage,
    /// How long to wait before the next attempt after one that failed.
    pause: Duration,
    events: VecDeque<OrderEvent>,
}

/// What happened to the orders of a tracker, or to what it knows of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OrderEvent {
    /// From here on its orders are those of the exchange.
    Live,
    /// From here on they may not be, until it is live again.
    Stale(Staleness),
    /// An order came, changed or ended.
    Changed(Change),
    /// An order ended while the connection was away, and the exchange does not know any more how. This is how it stood
    /// when it was last heard of. An exchange forgets after a while what was cancelled without having been executed.
    Forgotten(Box<Order>),
}

/// Why a tracker is not live.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Staleness {
    /// It has not been told all orders yet.
    #[error("not all orders are known yet")]
    Starting,
    /// The connection is away.
    #[error("{0}")]
    Interrupted(Disconnect),
    /// The user was too slow to read; this many changes were lost.
    #[error("{0} changes were lost because they were not read in time")]
    Lagged(u64),
    /// The exchange refuses the channel.
    #[error("{0}")]
    Refused(Refusal),
    /// A change was not understood.
    #[error(transparent)]
    Invalid(DecodeError),
    /// A [refresh](OrderTracker::refresh) was asked for, or another consumer had the channel begin anew.
    #[error("all orders are asked for anew")]
    Refreshing,
    /// The client has ended.
    #[error("{0}")]
    Ended(Ended),
}

/// How an order stands, and how it stood before.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// How it stood; `None` for an order that was not known.
    pub before: Option<Box<Order>>,
    /// How it stands.
    pub order: Box<Order>,
    /// Whether this was found out afterwards, because the connection was away when it happened.
    pub missed: bool,
}

/// The one thing about a change that matters most.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OrderKind {
    /// It is new, or was not known before.
    Opened,
    /// This much more of it was executed, and the rest is live.
    Executed(f64),
    /// It was executed in full, this much of it now.
    Filled(f64),
    /// Its price, its amount or another of its terms changed.
    Amended,
    /// It was cancelled, maybe after a part of it was executed: see [`Change::executed`].
    Cancelled(Option<CancelReason>),
    /// The matching engine refused it.
    Rejected,
    /// Its trigger made another order of it, which comes on its own.
    Triggered,
    /// It ended in a way that this version does not know.
    Ended(OrderState),
}

impl Change {
    /// What happened, in one word. When several things did, the first of: it ended, it is new, some of it was executed, it
    /// was amended.
    pub fn kind(&self) -> OrderKind {
        match &self.order.order_state {
            OrderState::Open | OrderState::Untriggered if self.before.is_none() => OrderKind::Opened,
            OrderState::Open | OrderState::Untriggered if self.executed() > 0.0 => {
                OrderKind::Executed(self.executed())
            }
            OrderState::Open | OrderState::Untriggered => OrderKind::Amended,
            OrderState::Filled => OrderKind::Filled(self.executed()),
            OrderState::Cancelled => OrderKind::Cancelled(self.order.cancel_reason.clone()),
            OrderState::Rejected => OrderKind::Rejected,
            OrderState::Triggered => OrderKind::Triggered,
            other => OrderKind::Ended(other.clone()),
        }
    }

    /// How much was executed since it was last heard of.
    pub fn executed(&self) -> f64 {
        self.order.filled() - self.before.as_ref().map_or(0.0, |before| before.filled())
    }
}

#[derive(Debug)]
enum Stage {
    Live,
    /// The channel is away: it says itself when it is back.
    Away(Staleness),
    /// A list was asked for.
    Listing(Staleness, Answer<Vec<Order>>),
    /// Orders that are not in the list are asked about, some at a time.
    Asking(Staleness, Vec<(String, Answer<Order>)>, Vec<String>),
    /// Something failed; it begins again after a while.
    Pausing(Staleness, Alarm),
}

/// How many questions about single orders are under way at a time.
const QUESTIONS: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Changes that wait to be read.
const QUEUE: Queue = Queue { capacity: 16_384, overflow: Overflow::DropOldest, bytes: 32 << 20 };

impl Deribit {
    /// Tracks all live orders of the account: see [`OrderTracker`].
    ///
    /// # Errors
    /// As [`Client::subscribe`](crate::Client::subscribe): without a login the channel is refused.
    pub async fn track_orders(&self) -> Result<OrderTracker, Error> {
        self.track_orders_of(Scope::Market { kind: "any".into(), currency: "any".into() }).await
    }

    /// Tracks the live orders of one instrument, or of a kind of instruments in a currency.
    ///
    /// # Errors
    /// As [`track_orders`](Self::track_orders).
    pub async fn track_orders_of(&self, scope: Scope) -> Result<OrderTracker, Error> {
        let channel = Channel::UserOrders { scope: scope.clone(), interval: Interval::Raw };
        let stream = Topic::new(channel).subscribe_with(self.client(), QUEUE).await?;
        let mut tracker = OrderTracker {
            deribit: self.clone(),
            scope,
            stream,
            orders: Merge::default(),
            stage: Stage::Live,
            pause: FIRST_PAUSE,
            events: VecDeque::new(),
        };
        tracker.ask(Staleness::Starting);
        Ok(tracker)
    }
}

impl OrderTracker {
    /// The next thing that happened; `None` once the client has ended. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<OrderEvent> {
        std::future::poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Whether its orders are those of the exchange, as far as they were [read](Self::next).
    pub fn is_live(&self) -> bool {
        self.staleness().is_none()
    }

    /// Why it is not live, when it is not.
    pub fn staleness(&self) -> Option<&Staleness> {
        match &self.stage {
            Stage::Live => None,
            Stage::Away(why) | Stage::Listing(why, _) | Stage::Asking(why, ..) | Stage::Pausing(why, _) => {
                Some(why)
            }
        }
    }

    /// Asks the exchange for all live orders anew. It is stale until the answer is there.
    pub fn refresh(&mut self) {
        if !matches!(self.stage, Stage::Away(_)) {
            self.stale(Staleness::Refreshing);
            self.ask(Staleness::Refreshing);
        }
    }

    /// Takes in how the answer to a call says that an order stands, so that it is known before the channel tells of it:
    /// who looks here for an order that he has just placed finds it. What the channel has said already is not undone.
    ///
    /// Orders that are certain not to be in the tracker's scope change nothing, nor do unknown ones in a scope of a kind
    /// or currency, of which an order does not say whether it belongs there.
    ///
    /// ```no_run
    /// # use steadysocket::deribit::{Deribit, Order, OrderTracker};
    /// # async fn f(deribit: Deribit, mut orders: OrderTracker) -> Result<(), steadysocket::Error> {
    /// let settled = deribit.buy(Order::limit("BTC-PERPETUAL", 10.0, 60_000.0)).settled().await?;
    /// if let Some(order) = settled.order() {
    ///     orders.observe(order.clone());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn observe(&mut self, order: Order) {
        const ANY: &str = "any";
        let is_in_scope = match &self.scope {
            Scope::Instrument(instrument) => *instrument == order.instrument_name,
            Scope::Market { kind, currency } => kind == ANY && currency == ANY,
        };
        if is_in_scope || self.get(&order.order_id).is_some() {
            let change = self.orders.answered(order);
            self.events.extend(change.map(OrderEvent::Changed));
        }
    }

    /// How many orders are live.
    pub fn len(&self) -> usize {
        self.orders.live().len()
    }

    /// Whether no order is live.
    pub fn is_empty(&self) -> bool {
        self.orders.live().is_empty()
    }

    /// All live orders, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Order> {
        self.orders.live().values()
    }

    /// The live order with this id.
    pub fn get(&self, order_id: &str) -> Option<&Order> {
        self.orders.live().get(order_id)
    }

    /// The live orders of an instrument.
    pub fn of_instrument<'a>(&'a self, instrument: &'a str) -> impl Iterator<Item = &'a Order> {
        self.iter().filter(move |order| order.instrument_name == instrument)
    }

    /// The live orders of an instrument on one side.
    pub fn on_side<'a>(&'a self, instrument: &'a str, side: Side) -> impl Iterator<Item = &'a Order> {
        self.of_instrument(instrument).filter(move |order| order.direction.as_str() == side.as_str())
    }

    /// The live orders with this whole label, unique ending included.
    pub fn by_label<'a>(&'a self, label: &'a Label) -> impl Iterator<Item = &'a Order> {
        self.iter().filter(move |order| order.label() == Some(label.as_str()))
    }

    /// The live orders that their owner called so, whatever their unique endings: see [`Label::user`].
    pub fn by_user_label<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a Order> {
        self.iter().filter(move |order| order.user_label() == Some(user))
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<OrderEvent>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(event));
            }
            // What the stream has said already is older than the answer that is still to be read.
            match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Ready(Some(update)) => self.hear(update),
                Poll::Ready(None) if self.is_over() => return Poll::Ready(None),
                Poll::Ready(None) => self.away(Staleness::Ended(self.stream.why_ended())),
                Poll::Pending => {
                    if self.poll_stage(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Away(Staleness::Ended(_)))
    }

    fn hear(&mut self, update: Update<OneOrMany<Order>>) {
        match update {
            Update::Data(orders) => {
                for order in orders {
                    let change = self.orders.told(order, false);
                    self.events.extend(change.map(OrderEvent::Changed));
                }
            }
            Update::Interrupted(reason) => self.away(Staleness::Interrupted(reason)),
            // Another consumer had the channel begin anew: what is said meanwhile is missed.
            Update::Renewing => self.away(Staleness::Refreshing),
            Update::Refused(reason) => self.away(Staleness::Refused(reason)),
            // Sent again for a channel that was not away, it changes nothing.
            Update::Resumed if !matches!(self.stage, Stage::Away(_)) => {}
            Update::Resumed => {
                let why = self.staleness().cloned().unwrap_or(Staleness::Starting);
                self.ask(why);
            }
            Update::Lagged(count) => self.lost(Staleness::Lagged(count)),
            Update::Invalid(error) => self.lost(Staleness::Invalid(error)),
            // Not with this policy.
            Update::Overflowed => self.away(Staleness::Lagged(1)),
        }
    }

    /// Something was missed, and the channel is there: only a new list helps.
    fn lost(&mut self, why: Staleness) {
        if matches!(self.stage, Stage::Away(_)) {
            return;
        }
        self.stale(why.clone());
        self.ask(why);
    }

    fn away(&mut self, why: Staleness) {
        self.stale(why.clone());
        self.stage = Stage::Away(why);
    }

    /// Says that it is stale, once.
    fn stale(&mut self, why: Staleness) {
        if self.is_live() {
            self.events.push_back(OrderEvent::Stale(why));
        }
    }

    fn ask(&mut self, why: Staleness) {
        self.orders.asking(self.deribit.server_time().map(ServerTime::earliest_millis));
        let list = list(&self.deribit, &self.scope);
        self.stage = Stage::Listing(why, list);
    }

    /// Moves what is under way on; ready when something came of it.
    fn poll_stage(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.stage {
            Stage::Live | Stage::Away(_) => Poll::Pending,
            Stage::Listing(_, answer) => {
                let list = ready!(answer.poll_unpin(cx));
                self.listed(list);
                Poll::Ready(())
            }
            Stage::Asking(_, asked, _) => {
                let done = asked.iter_mut().enumerate().find_map(|(place, (_, answer))| {
                    match answer.poll_unpin(cx) {
                        Poll::Ready(answer) => Some((place, answer)),
                        Poll::Pending => None,
                    }
                });
                let Some((place, answer)) = done else { return Poll::Pending };
                let (id, _) = asked.swap_remove(place);
                self.answered(&id, answer);
                Poll::Ready(())
            }
            Stage::Pausing(why, alarm) => {
                ready!(alarm.poll_unpin(cx));
                let why = why.clone();
                self.ask(why);
                Poll::Ready(())
            }
        }
    }

    fn listed(&mut self, list: Result<Vec<Order>, Error>) {
        let Ok(list) = list else { return self.pause() };
        match self.orders.listed(list) {
            None => self.pause(),
            Some(Listed { changes, missing }) => {
                self.events.extend(changes.into_iter().map(OrderEvent::Changed));
                let why = self.staleness().cloned().unwrap_or(Staleness::Starting);
                self.stage = Stage::Asking(why, Vec::new(), missing);
                self.ask_on();
            }
        }
    }

    fn answered(&mut self, id: &str, answer: Result<Order, Error>) {
        match answer {
            Ok(order) => {
                let change = self.orders.told(order, true);
                self.events.extend(change.map(OrderEvent::Changed));
            }
            Err(error) if Code::of(&error) == Some(Code::OrderNotFound) => {
                let order = self.orders.forgotten(id);
                self.events.extend(order.map(|order| OrderEvent::Forgotten(Box::new(order))));
            }
            Err(_) => return self.pause(),
        }
        self.ask_on();
    }

    /// Asks about the next orders, or is live when none is left.
    fn ask_on(&mut self) {
        let Stage::Asking(_, asked, left) = &mut self.stage else { return };
        while asked.len() < QUESTIONS
            && let Some(id) = left.pop()
        {
            asked.push((id.clone(), self.deribit.get_order_state(id).into_future()));
        }
        if asked.is_empty() {
            self.stage = Stage::Live;
            self.pause = FIRST_PAUSE;
            self.events.push_back(OrderEvent::Live);
        }
    }

    /// Begins again after a while. A connection that was cut says so by the stream, and ends the pause.
    fn pause(&mut self) {
        let why = self.staleness().cloned().unwrap_or(Staleness::Starting);
        self.stage = Stage::Pausing(why, self.deribit.client().sleep(self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

impl Stream for OrderTracker {
    type Item = OrderEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<OrderEvent>> {
        self.poll_event(cx)
    }
}

/// Asks for the live orders of a scope.
fn list(deribit: &Deribit, scope: &Scope) -> Answer<Vec<Order>> {
    const ANY: &str = "any";
    match scope {
        Scope::Instrument(instrument) => {
            deribit.get_open_orders_by_instrument(instrument.as_str()).into_future()
        }
        Scope::Market { kind, currency } if currency == ANY => match kind.as_str() {
            ANY => deribit.get_open_orders().into_future(),
            kind => deribit.get_open_orders().kind(kind).into_future(),
        },
        Scope::Market { kind, currency } => {
            let query = deribit.get_open_orders_by_currency(currency.as_str());
            if kind == ANY { query.into_future() } else { query.kind(kind.as_str()).into_future() }
        }
    }
}
