//! Orders, built so that what cannot be cannot be written.
//!
//! ```
//! use steadysocket::deribit::data::Order;
//! use steadysocket::deribit::order::{Contracts, Leg, TriggerAt};
//!
//! Order::limit("BTC-PERPETUAL", 100.0, 60_000.0).post_only().label("mm-1");
//! Order::market("BTC-PERPETUAL", Contracts(10.0)).reduce_only();
//! // An entry, and once it is executed a stop and a target of which one cancels the other.
//! let target = Leg::sell(Order::limit("BTC-PERPETUAL", 100.0, 66_000.0).reduce_only());
//! let stop = Leg::sell(Order::stop_market("BTC-PERPETUAL", 100.0, TriggerAt::mark(57_000.0)).reduce_only());
//! Order::limit("BTC-PERPETUAL", 100.0, 60_000.0).one_triggers_one_cancels_other(target, stop);
//! ```
//!
//! A market order has no time in force, and an order that is cancelled if it is not executed cannot be post-only:
//!
//! ```compile_fail
//! # use steadysocket::deribit::data::Order;
//! Order::market("BTC-PERPETUAL", 100.0).good_til_day();
//! ```
//! ```compile_fail
//! # use steadysocket::deribit::data::Order;
//! Order::limit("BTC-PERPETUAL", 100.0, 60_000.0).immediate_or_cancel().post_only();
//! ```
//!
//! What depends on the instrument (ticks, amounts) is checked before an order leaves, and refused by an error that names
//! the field; [`Instrument`] rounds.

use std::marker::PhantomData;

use super::data::{Advanced, Instrument, Order, TimeInForce, Trigger};
use crate::error::{ConfigError, Error};
use crate::protocol::Request;

mod draft;
mod edit;
pub mod kinds;
mod label;
mod linked;
mod place;
#[cfg(test)]
mod tests;

use draft::Draft;
pub(crate) use draft::{check_instrument, check_price, check_size};
pub(crate) use edit::Target;
pub use edit::{ById, ByLabel, Edit, Named};
use kinds::{
    AdvancedLimit, GoodTilCancelled, GoodTilDay, Immediate, Limit, Market, PostOnly, Postable, Priced,
    Quotable, Resting, TriggerLimit,
};
pub use label::Label;
pub(crate) use label::split as split_label;
pub use linked::{Leg, LinkedOrder};
pub use place::Close;

/// Buy or sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Buy.
    Buy,
    /// Sell.
    Sell,
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// In US dollars for inverse futures, in the base currency for all others.
    Amount(f64),
    /// In contracts.
    Contracts(f64),
}

/// An amount, for a plain number.
impl From<f64> for Size {
    fn from(amount: f64) -> Self {
        Self::Amount(amount)
    }
}

/// A size in contracts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contracts(pub f64);

impl From<Contracts> for Size {
    fn from(Contracts(contracts): Contracts) -> Self {
        Self::Contracts(contracts)
    }
}

/// What sets off a trigger order.
#[derive(Clone, Debug, PartialEq)]
pub struct TriggerAt {
    /// Which price.
    pub trigger: Trigger,
    /// At what price.
    pub price: f64,
}

impl TriggerAt {
    /// The mark price.
    pub fn mark(price: f64) -> Self {
        Self { trigger: Trigger::MarkPrice, price }
    }

    /// The index.
    pub fn index(price: f64) -> Self {
        Self { trigger: Trigger::IndexPrice, price }
    }

    /// The price of the last trade.
    pub fn last(price: f64) -> Self {
        Self { trigger: Trigger::LastPrice, price }
    }
}

/// An order to be placed, of a [kind](kinds) and with a time in force. [`Order::limit`] and its neighbours begin one.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order is not placed until it is given to `buy` or `sell`"]
pub struct NewOrder<K, T> {
    draft: Draft,
    state: PhantomData<fn() -> (K, T)>,
}

/// # New orders
impl Order {
    /// At this price or better. It stays until it is cancelled, unless it is told otherwise.
    pub fn limit(
        instrument: impl Into<String>,
        size: impl Into<Size>,
        price: f64,
    ) -> NewOrder<Limit, GoodTilCancelled> {
        NewOrder::of(Draft { price: Some(price), ..Draft::new(instrument, size, "limit") })
    }

    /// At whatever price there is.
    pub fn market(instrument: impl Into<String>, size: impl Into<Size>) -> NewOrder<Market, Immediate> {
        NewOrder::of(Draft::new(instrument, size, "market"))
    }

    /// At whatever price there is; what is left stays as a limit order at the price that was reached.
    pub fn market_limit(instrument: impl Into<String>, size: impl Into<Size>) -> NewOrder<Market, Immediate> {
        NewOrder::of(Draft::new(instrument, size, "market_limit"))
    }

    /// A limit order, once the market has gone against the position: up for a buy, down for a sell.
    pub fn stop_limit(
        instrument: impl Into<String>,
        size: impl Into<Size>,
        price: f64,
        at: TriggerAt,
    ) -> NewOrder<TriggerLimit, GoodTilCancelled> {
        NewOrder::of(Draft { price: Some(price), ..Draft::new(instrument, size, "stop_limit") }).triggered(at)
    }

    /// A market order, once the market has gone against the position: up for a buy, down for a sell.
    pub fn stop_market(
        instrument: impl Into<String>,
        size: impl Into<Size>,
        at: TriggerAt,
    ) -> NewOrder<Market, Immediate> {
        NewOrder::of(Draft::new(instrument, size, "stop_market")).triggered(at)
    }

    /// A limit order, once the market has gone with the position: down for a buy, up for a sell.
    pub fn take_limit(
        instrument: impl Into<String>,
        size: impl Into<Size>,
        price: f64,
        at: TriggerAt,
    ) -> NewOrder<TriggerLimit, GoodTilCancelled> {
        NewOrder::of(Draft { price: Some(price), ..Draft::new(instrument, size, "take_limit") }).triggered(at)
    }

    /// A market order, once the market has gone with the position: down for a buy, up for a sell.
    pub fn take_market(
        instrument: impl Into<String>,
        size: impl Into<Size>,
        at: TriggerAt,
    ) -> NewOrder<Market, Immediate> {
        NewOrder::of(Draft::new(instrument, size, "take_market")).triggered(at)
    }

    /// A market order, once a price has come back from its peak by `offset`.
    pub fn trailing_stop(
        instrument: impl Into<String>,
        size: impl Into<Size>,
        offset: f64,
        trigger: Trigger,
    ) -> NewOrder<Market, Immediate> {
        let draft = Draft::new(instrument, size, "trailing_stop");
        NewOrder::of(Draft { trigger: Some(trigger), trigger_offset: Some(offset), ..draft })
    }
}

impl<K, T> NewOrder<K, T> {
    fn of(draft: Draft) -> Self {
        Self { draft, state: PhantomData }
    }

    fn triggered(mut self, at: TriggerAt) -> Self {
        self.draft.trigger = Some(at.trigger);
        self.draft.trigger_price = Some(at.price);
        self
    }

    fn becoming<L, U>(self) -> NewOrder<L, U> {
        NewOrder::of(self.draft)
    }

    /// A name of your own for it: a [`Label`], or a text that is refused when it is no label.
    pub fn label<L: TryInto<Label, Error: Into<ConfigError>>>(mut self, label: L) -> Self {
        self.draft.label = Some(label.try_into().map_err(Into::into));
        self
    }

    /// It may only reduce a position. Not for spot.
    pub fn reduce_only(mut self) -> Self {
        self.draft.reduce_only = true;
        self
    }

    /// The venue refuses it after this time, in its own milliseconds since 1970 (13888).
    pub fn valid_until(mut self, timestamp: u64) -> Self {
        self.draft.valid_until = Some(timestamp);
        self
    }
}

/// How long it stays.
impl<K: Priced> NewOrder<K, GoodTilCancelled> {
    /// Until 08:00 UTC.
    pub fn good_til_day(mut self) -> NewOrder<K, GoodTilDay> {
        self.draft.time_in_force = Some(TimeInForce::GoodTilDay);
        self.becoming()
    }

    /// Executed in full at once, or not at all.
    pub fn fill_or_kill(mut self) -> NewOrder<K, Immediate> {
        self.draft.time_in_force = Some(TimeInForce::FillOrKill);
        self.becoming()
    }

    /// Executed at once as far as it goes; the rest is cancelled.
    pub fn immediate_or_cancel(mut self) -> NewOrder<K, Immediate> {
        self.draft.time_in_force = Some(TimeInForce::ImmediateOrCancel);
        self.becoming()
    }
}

/// Only as long as it does not take.
impl<K: Postable> NewOrder<K, GoodTilCancelled> {
    /// Where it would take, the venue moves its price one tick inside the spread.
    pub fn post_only(mut self) -> NewOrder<K, PostOnly> {
        self.draft.post_only = true;
        self.becoming()
    }

    /// Where it would take, the venue refuses it (11054).
    pub fn reject_post_only(mut self) -> NewOrder<K, PostOnly> {
        self.draft.reject_post_only = true;
        self.post_only()
    }
}

impl<K: Quotable, T> NewOrder<K, T> {
    /// Under market maker protection.
    pub fn mmp(mut self) -> Self {
        self.draft.mmp = true;
        self
    }
}

impl<T: Resting> NewOrder<Limit, T> {
    /// An iceberg, of which only this much is shown: at least 100 times the instrument's smallest amount, and more
    /// than a hundredth of what is hidden.
    pub fn display_amount(mut self, amount: f64) -> Self {
        self.draft.display_amount = Some(amount);
        self
    }
}

/// Prices in other units, for options.
impl NewOrder<Limit, GoodTilCancelled> {
    /// The price is in US dollars; the venue moves the order with the index. Not for linear options.
    pub fn price_in_usd(mut self) -> NewOrder<AdvancedLimit, GoodTilCancelled> {
        self.draft.advanced = Some(Advanced::Usd);
        self.becoming()
    }

    /// The price is an implied volatility in percent; the venue moves the order with the market.
    pub fn price_in_volatility(mut self) -> NewOrder<AdvancedLimit, GoodTilCancelled> {
        self.draft.advanced = Some(Advanced::ImpliedVolatility);
        self.becoming()
    }
}

/// An order of any kind, ready to be placed.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order is not placed until it is given to `buy` or `sell`"]
pub struct AnyOrder(Draft);

impl AnyOrder {
    /// The instrument.
    pub fn instrument_name(&self) -> &str {
        &self.0.instrument_name
    }

    /// The label, when there is one and it is valid.
    pub fn label(&self) -> Option<&Label> {
        self.0.label.as_ref().and_then(|label| label.as_ref().ok())
    }

    /// The label, or what is wrong with it.
    pub(crate) fn checked_label(&self) -> Result<Option<&Label>, ConfigError> {
        self.0.label.as_ref().map(Result::as_ref).transpose().map_err(Clone::clone)
    }

    /// The same order with this label.
    pub fn with_label(mut self, label: Label) -> Self {
        self.0.label = Some(Ok(label));
        self
    }

    /// The time after which the venue refuses it.
    pub fn valid_until(&self) -> Option<u64> {
        self.0.valid_until
    }

    /// The same order, which the venue refuses after this time, in its own milliseconds since 1970.
    pub fn with_valid_until(mut self, timestamp: u64) -> Self {
        self.0.valid_until = Some(timestamp);
        self
    }

    /// The request that places it. Its numbers are checked against the instrument, and sent without the digits that
    /// arithmetic leaves behind.
    ///
    /// # Errors
    /// [`Error::Config`] with the parameter that cannot be.
    pub fn request(&self, side: Side, instrument: &Instrument) -> Result<Request, Error> {
        let method = match side {
            Side::Buy => "private/buy",
            Side::Sell => "private/sell",
        };
        Ok(Request::with(method, &self.0.clone().checked(instrument)?)?)
    }
}

impl<K, T> From<NewOrder<K, T>> for AnyOrder {
    fn from(order: NewOrder<K, T>) -> Self {
        Self(order.draft)
    }
}
