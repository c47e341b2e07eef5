//! Requests whose outcome is unknown, and how it is learned.

use std::pin::pin;

use futures::TryStreamExt;

use super::calls::cancel;
use super::search::{List, Next, Pauses, Search, is_settled};
use crate::deribit::data::Order;
use crate::deribit::order::{Label, Target};
use crate::deribit::{Code, Deribit};
use crate::error::{Advice, Error, NotSent, RpcError};

/// A new order whose outcome is unknown.
///
/// It keeps what is needed to find the order: its [label](Self::label), and the time after which the exchange refuses it
/// ([`valid_until`](Self::valid_until)).
#[derive(Clone, Debug)]
#[must_use = "the order may be live: resolve it"]
pub struct PendingOrder {
    pub(super) deribit: Deribit,
    pub(super) label: Label,
    pub(super) instrument: String,
    pub(super) born: u64,
    pub(super) valid_until: u64,
    pub(super) reason: Box<Error>,
}

/// What became of a new order.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum Resolution {
    /// The exchange has it. This is how it stands: open, executed, cancelled, or refused by the matching engine.
    Resolved(Box<Order>),
    /// The exchange does not have it and will not take it any more: it is safe to place another.
    NeverArrived,
}

impl PendingOrder {
    /// Why the outcome is unknown.
    pub fn reason(&self) -> &Error {
        &self.reason
    }

    /// The order's label.
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// The order's instrument.
    pub fn instrument(&self) -> &str {
        &self.instrument
    }

    /// From when on the exchange refuses the order, in milliseconds of its clock.
    pub fn valid_until(&self) -> u64 {
        self.valid_until
    }

    /// Finds out what became of the order.
    ///
    /// It waits for the connection as long as it takes, and goes on through more cuts; drop it to give up. An order that
    /// is there is found by the first look-up. That there is none is only certain some seconds after
    /// [`valid_until`](Self::valid_until), since until then it may still be on its way; so that takes as long as the
    /// call's timeout, and 6 seconds more. Meanwhile it is looked for ever more rarely. After an outage that lasted from
    /// 25 to 60 minutes it takes until the hour is full, because then an order that ended is in none of the venue's lists
    /// for certain.
    ///
    /// # Errors
    /// [`Error::Connect`] when the client has ended: [`resolve_by`](Self::resolve_by) another one.
    /// [`Error::Rejected`] when the exchange does not let this account look.
    pub async fn resolve(&self) -> Result<Resolution, Error> {
        self.resolve_by(&self.deribit).await
    }

    /// As [`resolve`](Self::resolve), by another client of the same account.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub async fn resolve_by(&self, deribit: &Deribit) -> Result<Resolution, Error> {
        let currencies = currencies(&self.instrument);
        let mut search = Search::new(self.born, self.valid_until, currencies.len());
        loop {
            deribit.client().ready().await?;
            match search.next(deribit.server_time()) {
                Next::Wait(time) => deribit.client().sleep(time).await,
                Next::NeverArrived => return Ok(Resolution::NeverArrived),
                Next::Look(list) => match self.look(deribit, list, &currencies).await {
                    Ok(Some(order)) => return Ok(Resolution::Resolved(Box::new(order))),
                    Ok(None) => search.absent(),
                    Err(error) => {
                        check_passing(error)?;
                        deribit.client().sleep(search.failed()).await;
                    }
                },
            }
        }
    }

    async fn look(&self, deribit: &Deribit, list: List, currencies: &[&str]) -> Result<Option<Order>, Error> {
        let label = self.label.as_str();
        let (currency, found) = match list {
            List::Label(number) => {
                (number, deribit.get_order_state_by_label(currencies[number]).label(label).await)
            }
            List::OpenLabel(number) => {
                (number, deribit.get_open_orders_by_label(currencies[number]).label(label).await)
            }
            List::Recent => return self.look_back(deribit, false).await,
            List::History => return self.look_back(deribit, true).await,
        };
        Ok(self.choose(counted_under(currency, found)?))
    }

    /// Looks through the orders of the instrument that ended, the newest first.
    async fn look_back(&self, deribit: &Deribit, historical: bool) -> Result<Option<Order>, Error> {
        let history = deribit.get_order_history_by_instrument(&*self.instrument).count(PAGE);
        let history = history.include_old(true).include_unfilled(true).historical(historical).all();
        let mut history = pin!(history);
        while let Some(order) = history.try_next().await? {
            if self.is_it(&order) {
                return Ok(Some(order));
            }
            // Whatever ended before it was born cannot be it, nor can what follows.
            if order.last_update_timestamp.is_some_and(|updated| updated.saturating_add(SLACK) < self.born) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// The order among those that were found. One that a trigger order made has the label, too, and is not the one that
    /// was placed.
    fn choose(&self, orders: Vec<Order>) -> Option<Order> {
        let first = |order: &Order| (order.trigger_order_id.is_some(), order.creation_timestamp);
        orders.into_iter().filter(|order| self.is_it(order)).min_by_key(first)
    }

    /// Only a label that is not unique can belong to an order from before.
    fn is_it(&self, order: &Order) -> bool {
        order.label() == Some(self.label.as_str())
            && order.instrument_name == self.instrument
            && (self.label.is_unique() || order.creation_timestamp.is_none_or(|created| created >= self.born))
    }
}

/// The most that a page of the history holds.
const PAGE: u64 = 1000;

/// How far the times of the exchange's machines may differ, in milliseconds.
const SLACK: u64 = 60_000;

/// An edit whose outcome is unknown.
#[derive(Clone, Debug)]
#[must_use = "the order may be changed: resolve it"]
pub struct PendingEdit {
    pub(super) deribit: Deribit,
    pub(super) target: Target,
    pub(super) valid_until: u64,
    pub(super) reason: Box<Error>,
}

impl PendingEdit {
    /// Why the outcome is unknown.
    pub fn reason(&self) -> &Error {
        &self.reason
    }

    /// How the order stands, once the edit cannot change it any more: its price and amount show whether it was edited.
    ///
    /// It waits and goes on as [`PendingOrder::resolve`]. For an order that is not live any more the first look-up is
    /// enough; for another it takes until some seconds after the edit's `valid_until`.
    ///
    /// # Errors
    /// As [`PendingOrder::resolve`], and [`Error::Rejected`] with 10004 when the exchange does not know the order: it
    /// forgets after a while those that were cancelled without having been executed.
    pub async fn resolve(&self) -> Result<Order, Error> {
        self.resolve_by(&self.deribit).await
    }

    /// As [`resolve`](Self::resolve), by another client of the same account.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub async fn resolve_by(&self, deribit: &Deribit) -> Result<Order, Error> {
        let mut pauses = Pauses::default();
        loop {
            deribit.client().ready().await?;
            let asked = deribit.server_time();
            let wait = match self.look(deribit).await {
                Ok(order) if !order.is_live() || is_settled(self.valid_until, asked) => return Ok(order),
                Ok(_) => pauses.next_until(self.valid_until, asked),
                Err(error) => {
                    check_passing(error)?;
                    pauses.next()
                }
            };
            deribit.client().sleep(wait).await;
        }
    }

    async fn look(&self, deribit: &Deribit) -> Result<Order, Error> {
        let (instrument, label) = match &self.target {
            Target::Id(id) => return order_state(deribit, id).await,
            Target::Label { instrument, label } => (instrument, label),
        };
        let mut found = Vec::new();
        for (number, currency) in currencies(instrument).into_iter().enumerate() {
            let orders = deribit.get_order_state_by_label(currency).label(&**label).await;
            found.extend(counted_under(number, orders)?);
        }
        // The one that was open is the newest.
        let newest = found
            .into_iter()
            .filter(|order| order.instrument_name == *instrument)
            .max_by_key(|order| (order.is_live(), order.creation_timestamp));
        let unknown = || RpcError::new(Code::OrderNotFound.number(), "no order has this label");
        Ok(newest.ok_or_else(unknown)?)
    }
}

/// A cancellation whose outcome is unknown.
#[derive(Clone, Debug)]
#[must_use = "the order may be live: resolve it"]
pub struct PendingCancel {
    pub(super) deribit: Deribit,
    pub(super) order_id: String,
    pub(super) reason: Box<Error>,
}

impl PendingCancel {
    /// Why the outcome is unknown.
    pub fn reason(&self) -> &Error {
        &self.reason
    }

    /// The order that was to be cancelled.
    pub fn order_id(&self) -> &str {
        &self.order_id
    }

    /// Makes sure that the order is not live any more, and says how it ended.
    ///
    /// It waits and goes on as [`PendingOrder::resolve`]: it looks the order up, and while that is live cancels it again.
    /// A cancellation has no `valid_until`; but to cancel an order twice does no harm.
    ///
    /// # Errors
    /// As [`PendingOrder::resolve`], and [`Error::Rejected`] when the exchange does not know the order, as it forgets
    /// after a while those that were cancelled without having been executed, or refuses to cancel it.
    pub async fn resolve(&self) -> Result<Order, Error> {
        self.resolve_by(&self.deribit).await
    }

    /// As [`resolve`](Self::resolve), by another client of the same account.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub async fn resolve_by(&self, deribit: &Deribit) -> Result<Order, Error> {
        let mut pauses = Pauses::default();
        loop {
            deribit.client().ready().await?;
            let error = match self.end(deribit).await {
                Ok(order) => return Ok(order),
                Err(error) => error,
            };
            // It ended just now: look again.
            if !matches!(&error, Error::Rejected(error) if ended_meanwhile(error)) {
                check_passing(error)?;
            }
            deribit.client().sleep(pauses.next()).await;
        }
    }

    async fn end(&self, deribit: &Deribit) -> Result<Order, Error> {
        let order = order_state(deribit, &self.order_id).await?;
        if !order.is_live() {
            return Ok(order);
        }
        cancel(deribit, &self.order_id, None).await
    }
}

/// Whether a cancellation was refused because the order had ended.
pub(super) fn ended_meanwhile(error: &RpcError) -> bool {
    matches!(Code::from(error.code), Code::NotOpenOrder | Code::AlreadyClosed | Code::AlreadyFilled)
}

pub(super) async fn order_state(deribit: &Deribit, order_id: &str) -> Result<Order, Error> {
    deribit.get_order_state(order_id).await
}

/// Whether a question that failed may be answered later.
pub(super) fn check_passing(error: Error) -> Result<(), Error> {
    let passes = match &error {
        Error::Unknown(_) => true,
        Error::NotSent(reason) => !matches!(
            reason,
            NotSent::TooExpensive
                | NotSent::TooLarge { .. }
                | NotSent::Params(_)
                | NotSent::Unsupported(_)
                | NotSent::NotLoggedIn
        ),
        // A login that ran out is renewed; one that is refused ends the client.
        Error::Rejected(error) => !matches!(error.meaning.advice, Advice::Change | Advice::Stop),
        Error::Config(_) | Error::Connect(_) | Error::Refused { .. } | Error::Decode(_) => false,
    };
    if passes { Ok(()) } else { Err(error) }
}

/// The currencies that an instrument may be counted under, the likelier first: `BTC-PERPETUAL` under BTC,
/// `BTC_USDC-PERPETUAL` under USDC; which of the two it is for `BTC_USDC`, which is spot, the venue does not say.
fn currencies(instrument: &str) -> Vec<&str> {
    let pair = instrument.split('-').next().unwrap_or(instrument);
    match pair.split_once('_') {
        None => vec![pair],
        Some((_, quote)) if pair.len() < instrument.len() => vec![quote],
        Some((base, quote)) => vec![quote, base],
    }
}

/// The orders that were found under the currency with this number. The second of a pair is asked for in case: it need not
/// be one that the exchange keeps accounts in.
fn counted_under(currency: usize, found: Result<Vec<Order>, Error>) -> Result<Vec<Order>, Error> {
    match found {
        Err(Error::Rejected(error)) if currency > 0 && error.meaning.advice == Advice::Change => {
            Ok(Vec::new())
        }
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_instruments_are_counted() {
        let cases: [(&str, &[&str]); 6] = [
            ("BTC-PERPETUAL", &["BTC"]),
            ("ETH-27DEC26-4000-C", &["ETH"]),
            ("SOL_USDC-PERPETUAL", &["USDC"]),
            ("XRP_USDC-30JUN23-0d625-C", &["USDC"]),
            ("BTC-FS-27DEC26_PERP", &["BTC"]),
            ("ETH_BTC", &["BTC", "ETH"]),
        ];
        for (instrument, expected) in cases {
            assert_eq!(currencies(instrument), expected, "{instrument}");
        }
    }
}
