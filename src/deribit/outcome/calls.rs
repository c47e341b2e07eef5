//! The calls that trade: how each is made, and what its outcome is.

use std::future::IntoFuture;
use std::time::Duration;

use futures::future::{Either, select};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::pending::{ended_meanwhile, order_state};
use super::{Outcome, PendingCancel, PendingEdit, PendingOrder, Settled};
use crate::deribit::data::{Order, OrderResponse};
use crate::deribit::order::{AnyOrder, Edit, Label, Named, Side};
use crate::deribit::{Deribit, ServerTime};
use crate::error::{ConfigError, Error, NotSent, Unknown};
use crate::platform::BoxFuture;
use crate::protocol::Request;

/// A new order on its way: see [`Deribit::buy`].
///
/// Give it a [`timeout`](Self::timeout) rather than dropping it: an order that had left when it was dropped may be live,
/// and nobody holds the label by which to find out.
#[derive(Clone, Debug)]
#[must_use = "an order is not placed until it is awaited"]
pub struct Placing {
    deribit: Deribit,
    side: Side,
    order: AnyOrder,
    exact: bool,
    timeout: Option<Duration>,
}

/// An edit on its way: see [`Deribit::edit`].
#[derive(Clone, Debug)]
#[must_use = "an order is not edited until it is awaited"]
pub struct Editing<B> {
    deribit: Deribit,
    edit: Edit<B>,
    timeout: Option<Duration>,
}

/// A cancellation on its way: see [`Deribit::cancel`].
#[derive(Clone, Debug)]
#[must_use = "an order is not cancelled until it is awaited"]
pub struct Cancelling {
    deribit: Deribit,
    order_id: String,
    timeout: Option<Duration>,
}

impl Deribit {
    /// Places an order to buy: `private/buy`.
    ///
    /// Every order has a [label that no other has](Label), of which yours is the readable part, and a `valid_until` at the
    /// end of the call's timeout, after which the exchange refuses it. So whatever happens to the connection, it can be
    /// found out what became of it.
    ///
    /// The error names what is wrong with the order, which is checked against the instrument: a price off its tick, a
    /// label that is too long. All else is the [`Outcome`].
    ///
    /// ```no_run
    /// # use steadysocket::deribit::{Deribit, Order};
    /// # use std::time::Duration;
    /// # async fn f(deribit: Deribit) -> Result<(), steadysocket::Error> {
    /// let order = Order::limit("BTC-PERPETUAL", 10.0, 60_000.0).post_only().label("mm-1");
    /// let settled = deribit.buy(order).timeout(Duration::from_secs(2)).settled().await?;
    /// if let Some(order) = settled.order() {
    ///     println!("{} is {}", order.order_id, order.order_state);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn buy(&self, order: impl Into<AnyOrder>) -> Placing {
        self.place(Side::Buy, order)
    }

    /// Places an order to sell: `private/sell`. As [`buy`](Self::buy).
    pub fn sell(&self, order: impl Into<AnyOrder>) -> Placing {
        self.place(Side::Sell, order)
    }

    /// Places an order on either side: as [`buy`](Self::buy).
    pub fn place(&self, side: Side, order: impl Into<AnyOrder>) -> Placing {
        Placing { deribit: self.clone(), side, order: order.into(), exact: false, timeout: None }
    }

    /// Changes an order: `private/edit` or `private/edit_by_label`.
    ///
    /// The error names what is wrong with the edit. All else is the [`Outcome`]. An edit that is refused leaves the order as
    /// it was, with one exception: an order that is [only to wait](Edit::reject_post_only) and would take (11054) is
    /// cancelled by the venue.
    ///
    /// ```no_run
    /// # use steadysocket::deribit::{Deribit, Order, order::Edit};
    /// # async fn f(deribit: Deribit, order: Order) -> Result<(), steadysocket::Error> {
    /// let order = deribit.edit(Edit::of(&order).price(60_001.0)).settled().await?;
    /// println!("it is at {:?}", order.limit_price());
    /// # Ok(()) }
    /// ```
    pub fn edit<B: Named>(&self, edit: Edit<B>) -> Editing<B> {
        Editing { deribit: self.clone(), edit, timeout: None }
    }

    /// Cancels an order: `private/cancel`. It goes ahead of orders that wait.
    ///
    /// ```no_run
    /// # use steadysocket::deribit::{Deribit, Outcome};
    /// # async fn f(deribit: Deribit) -> Result<(), steadysocket::Error> {
    /// match deribit.cancel("ETH-349249").await {
    ///     Outcome::Accepted(order) => println!("{} was executed before", order.filled()),
    ///     other => println!("{other:?}"),
    /// }
    /// // Or until it is certain that it is not live any more.
    /// let order = deribit.cancel("ETH-349249").settled().await?;
    /// # Ok(()) }
    /// ```
    pub fn cancel(&self, order_id: impl Into<String>) -> Cancelling {
        Cancelling { deribit: self.clone(), order_id: order_id.into(), timeout: None }
    }

    /// Gets what a call needs to know before it is made, within its time: its instruments, and the exchange's clock.
    pub(super) async fn prepare<I>(
        &self,
        instruments: impl Future<Output = Result<I, Error>>,
        timeout: Option<Duration>,
    ) -> Result<Prepared<I>, Error> {
        let timeout = timeout.unwrap_or_else(|| self.client().call_timeout());
        let deadline = self.client().now() + timeout;
        let asking = async {
            let known = instruments.await?;
            let now = match self.server_time() {
                Some(now) => now,
                None => self.ask_time().await?,
            };
            Ok((known, now))
        };
        let found = match select(std::pin::pin!(asking), self.client().sleep(timeout)).await {
            Either::Left((found, _)) => found,
            Either::Right(_) => Err(NotSent::DeadlinePassed.into()),
        };
        let (known, now) = found.map_err(of_preparation)?;
        let left = deadline.since(self.client().now());
        if left.is_zero() {
            return Err(NotSent::DeadlinePassed.into());
        }
        let born = now.earliest_millis();
        let end = born.saturating_add(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        Ok(Prepared { known, left, born, end })
    }

    /// The exchange's time, when no reply has told it yet.
    async fn ask_time(&self) -> Result<ServerTime, Error> {
        const NO_TIME: NotSent = NotSent::Unsupported("orders on an exchange that does not tell the time");
        let asked = self.client().now();
        let millis = self.call("public/get_time", ()).await?;
        self.clock().told(asked, self.client().now(), millis);
        Ok(self.server_time().ok_or(NO_TIME)?)
    }

    pub(super) async fn answer<T: DeserializeOwned>(
        &self,
        request: Request,
        timeout: Duration,
    ) -> Result<T, Error> {
        let method = request.method.clone();
        Ok(self.client().request(request).timeout(timeout).await?.decode_as(&method)?)
    }
}

/// What a call needs to know. Times are in milliseconds of the exchange's clock.
pub(super) struct Prepared<I> {
    /// The instrument or instruments.
    pub(super) known: I,
    /// What is left of its time.
    pub(super) left: Duration,
    /// No later than now.
    pub(super) born: u64,
    /// No later than the end of its time.
    pub(super) end: u64,
}

/// What failed before the call itself was made leaves no doubt: that was not sent.
fn of_preparation(error: Error) -> Error {
    match error {
        Error::Unknown(Unknown::Disconnected(reason)) => NotSent::Disconnected(reason).into(),
        Error::Unknown(Unknown::Ended(ended)) => NotSent::Ended(ended).into(),
        Error::Unknown(_) => NotSent::DeadlinePassed.into(),
        other => other,
    }
}

/// What an error before the call means for it.
pub(super) fn early<T, P>(error: Error) -> Result<Outcome<T, P>, ConfigError> {
    match error {
        Error::Config(error) => Err(error),
        Error::Rejected(error) => Ok(Outcome::Rejected(error)),
        Error::NotSent(reason) => Ok(Outcome::NotSent(reason)),
        Error::Connect(ended) => Ok(Outcome::NotSent(NotSent::Ended(ended))),
        Error::Unknown(_) | Error::Refused { .. } | Error::Decode(_) => {
            Ok(Outcome::NotSent(NotSent::Params(error.to_string())))
        }
    }
}

impl Placing {
    /// How long it may take, waiting included. The exchange refuses the order after that. Default:
    /// [`Config::call_timeout`](crate::Config::call_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends the order's label as it is, instead of making it unique; it may then have 64 characters.
    ///
    /// That no other order of the account has had it is then **your duty**. When it is not so, an unknown outcome may be
    /// resolved to another order with the same label and instrument, placed after this call began.
    pub fn exact_label(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Places the order and finds out what became of it, however long that takes.
    ///
    /// # Errors
    /// [`Error::Config`] for an order that cannot be placed, and as [`PendingOrder::resolve`].
    pub async fn settled(self) -> Result<Settled, Error> {
        self.await?.settled().await
    }

    async fn run(self) -> Result<Outcome<OrderResponse>, ConfigError> {
        let label = self.label()?;
        let Self { deribit, side, order, timeout, .. } = self;
        let instrument = deribit.instruments().require(order.instrument_name());
        let Prepared { known: instrument, left, born, end } = match deribit.prepare(instrument, timeout).await
        {
            Ok(prepared) => prepared,
            Err(error) => return early(error),
        };
        let valid_until = order.valid_until().map_or(end, |wanted| wanted.min(end));
        let order = order.with_valid_until(valid_until).with_label(label.clone());
        let request = match order.request(side, &instrument) {
            Ok(request) => request,
            Err(error) => return early(error),
        };
        let instrument = order.instrument_name().to_owned();
        Ok(match deribit.answer(request, left).await {
            Ok(placed) => Outcome::Accepted(placed),
            Err(error) => Outcome::of_error(error, |reason| PendingOrder {
                deribit,
                label,
                instrument,
                born,
                valid_until,
                reason,
            }),
        })
    }

    /// The label to send.
    fn label(&self) -> Result<Label, ConfigError> {
        match self.order.checked_label()? {
            Some(label) if self.exact => Ok(label.clone()),
            None if self.exact => {
                Err(ConfigError::new("label", "an exact label was asked for, and there is none"))
            }
            wanted => {
                let (client, number) = self.deribit.client().unique();
                Label::unique(wanted, client, number)
            }
        }
    }
}

impl<B: Named> Editing<B> {
    /// How long it may take, waiting included. The exchange refuses the edit after that. Default:
    /// [`Config::call_timeout`](crate::Config::call_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Edits the order and finds out how it stands afterwards, however long that takes.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the exchange refused the edit, [`Error::NotSent`] when it never left, [`Error::Config`] for
    /// one that cannot be made, and as [`PendingEdit::resolve`].
    pub async fn settled(self) -> Result<Order, Error> {
        match self.run().await? {
            Outcome::Accepted(edited) => Ok(edited.order),
            Outcome::Rejected(error) => Err(error.into()),
            Outcome::NotSent(reason) => Err(reason.into()),
            Outcome::Unknown(pending) => pending.resolve().await,
        }
    }

    async fn run(self) -> Result<Outcome<OrderResponse, PendingEdit>, ConfigError> {
        let Self { deribit, edit, timeout } = self;
        let target = edit.target()?;
        let instrument = deribit.instruments().require(edit.instrument_name());
        let Prepared { known: instrument, left, end, .. } = match deribit.prepare(instrument, timeout).await {
            Ok(prepared) => prepared,
            Err(error) => return early(error),
        };
        let valid_until = edit.end().map_or(end, |wanted| wanted.min(end));
        let request = match edit.valid_until(valid_until).request(&instrument) {
            Ok(request) => request,
            Err(error) => return early(error),
        };
        Ok(match deribit.answer(request, left).await {
            Ok(edited) => Outcome::Accepted(edited),
            Err(error) => {
                Outcome::of_error(error, |reason| PendingEdit { deribit, target, valid_until, reason })
            }
        })
    }
}

impl Cancelling {
    /// How long it may take, waiting included. Default: [`Config::call_timeout`](crate::Config::call_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Cancels the order and makes sure that it is not live any more, however long that takes: see
    /// [`PendingCancel::resolve`]. An order that had ended before is told as it ended.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the exchange refused the cancellation, [`Error::NotSent`] when it never left, and as
    /// [`PendingCancel::resolve`].
    pub async fn settled(self) -> Result<Order, Error> {
        let (deribit, order_id) = (self.deribit.clone(), self.order_id.clone());
        match self.run().await {
            Outcome::Accepted(order) => Ok(order),
            Outcome::Rejected(error) if ended_meanwhile(&error) => order_state(&deribit, &order_id).await,
            Outcome::Rejected(error) => Err(error.into()),
            Outcome::NotSent(reason) => Err(reason.into()),
            Outcome::Unknown(pending) => pending.resolve().await,
        }
    }

    async fn run(self) -> Outcome<Order, PendingCancel> {
        let Self { deribit, order_id, timeout } = self;
        match cancel(&deribit, &order_id, timeout).await {
            Ok(order) => Outcome::Accepted(order),
            Err(error) => Outcome::of_error(error, |reason| PendingCancel { deribit, order_id, reason }),
        }
    }
}

pub(super) async fn cancel(
    deribit: &Deribit,
    order_id: &str,
    timeout: Option<Duration>,
) -> Result<Order, Error> {
    #[derive(Serialize)]
    struct Cancel<'a> {
        order_id: &'a str,
    }
    let timeout = timeout.unwrap_or_else(|| deribit.client().call_timeout());
    deribit.answer(Request::with("private/cancel", &Cancel { order_id })?, timeout).await
}

impl IntoFuture for Placing {
    type Output = Result<Outcome<OrderResponse>, ConfigError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<B: Named + 'static> IntoFuture for Editing<B> {
    type Output = Result<Outcome<OrderResponse, PendingEdit>, ConfigError>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl IntoFuture for Cancelling {
    type Output = Outcome<Order, PendingCancel>;
    type IntoFuture = BoxFuture<Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
