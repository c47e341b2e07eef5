//! Orders on their way into the book.

use serde_json::{Map, Value};

use super::book::Resting;
use super::kinds::{CancelReason, Kind, State, TimeInForce};
use super::linked::Follow;
use super::order::{Links, Order, OrderId, QuoteTag, Ticket};
use super::reject;
use super::request;
use super::{Caller, Engine};
use crate::api::error::ApiError;
use crate::api::params;
use crate::market::book::Side;
use crate::market::named;

type Params = Map<String, Value>;

/// What an order has besides what was asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    pub(super) links: Links,
    pub(super) quote: Option<QuoteTag>,
    pub(super) made_by: Option<String>,
}

impl Engine {
    /// `private/buy` and `private/sell`.
    pub(crate) fn place(&mut self, caller: &Caller, side: Side, params: &Params) -> Result<Value, ApiError> {
        check_deadline(caller, params)?;
        let (ticket, linked) = request::order(&self.market, side, params)?;
        self.check_mmp(caller, &ticket)?;
        let id = match linked {
            None => self.enter(caller, ticket, Origin::default())?,
            Some(linked) => self.enter_linked(caller, ticket, linked)?,
        };
        self.finish(caller.now_ms);
        Ok(self.report(id))
    }

    /// Takes an order in, and lets it meet the book unless it waits for a price.
    pub(super) fn enter(
        &mut self,
        caller: &Caller,
        mut ticket: Ticket,
        origin: Origin,
    ) -> Result<OrderId, ApiError> {
        let waits = ticket.trigger.as_ref().is_some_and(|trigger| !trigger.fired);
        let margin = if waits {
            self.check_trigger(&ticket)?;
            0.0
        } else {
            self.fit(caller.account, &mut ticket)?;
            self.check_funds(caller.account, &ticket, 0.0)?
        };
        let state = if waits { State::Untriggered } else { State::Open };
        let id = self.create(caller, ticket, origin, state, margin);
        if !waits {
            self.run(id, caller.now_ms);
        }
        Ok(id)
    }

    /// Makes an order without letting it meet anything.
    pub(super) fn create(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        origin: Origin,
        state: State,
        margin: f64,
    ) -> OrderId {
        let number = self.next_number();
        let bound_by = (ticket.instrument, ticket.side);
        let name = self.name(&ticket, state, origin.links.primary.is_some(), number);
        let order = Order {
            id: OrderId(number),
            name,
            account: caller.account,
            connection: caller.connection,
            request: caller.request,
            ticket,
            original: None,
            state,
            filled: 0,
            turnover: 0,
            cancel_reason: None,
            replaced: false,
            auto_replaced: false,
            created_ms: caller.now_ms,
            updated_ms: caller.now_ms,
            links: origin.links,
            quote: origin.quote,
            made_by: origin.made_by,
            margin,
        };
        let (id, bound) = (order.id, super::bound(&order));
        self.orders.insert(order);
        self.bind(caller.account, bound_by, bound);
        self.changed.push(id);
        id
    }

    /// Names say what an order waits for: another one, or a price.
    fn name(&self, ticket: &Ticket, state: State, secondary: bool, number: u64) -> String {
        let pool = self.market.at(ticket.instrument).map_or("", |quoted| quoted.terms.pool);
        match &ticket.trigger {
            _ if secondary && state == State::Untriggered => format!("OTO-{number}"),
            Some(trigger) if !trigger.fired => {
                let what = if ticket.kind.is_take() { "TP" } else { "SL" };
                let by = trigger.by.word().get(..1).unwrap_or("i").to_uppercase();
                let prefix = if pool == "BTC" { String::new() } else { format!("{pool}-") };
                format!("{prefix}{what}{by}S-{number}")
            }
            _ => named(pool, number),
        }
    }

    /// Lets an open order meet the book, and rest there if anything is left that may.
    pub(super) fn run(&mut self, id: OrderId, now_ms: i64) {
        let Some(order) = self.orders.get(id) else { return };
        let Ticket { instrument, side, kind, time_in_force, price, .. } = order.ticket.clone();
        let (want, Some(limit)) = (order.left(), price) else { return };
        self.touched.insert(instrument);
        if time_in_force == TimeInForce::FillOrKill && !self.fills_whole(id) {
            return self.close(id, None, now_ms);
        }
        let Some(quoted) = self.market.at_mut(instrument) else { return };
        let matches = quoted.book.take(side, limit, want);
        let last = matches.last().map(|one| one.price);
        self.settle_all(instrument, Some(id), side, &matches, now_ms);
        if self.orders.get(id).is_none_or(|order| order.left() == 0 || !order.rests()) {
            return;
        }
        match (kind, time_in_force, last) {
            (Kind::MarketLimit, _, Some(price)) => {
                self.alter(id, |order| {
                    order.original = Some(Kind::MarketLimit);
                    (order.ticket.kind, order.ticket.price) = (Kind::Limit, Some(price));
                });
                self.rest(id);
            }
            _ if !kind.has_price() => self.close(id, None, now_ms),
            (_, TimeInForce::ImmediateOrCancel | TimeInForce::FillOrKill, _) => self.close(id, None, now_ms),
            _ => self.rest(id),
        }
    }

    /// Puts what is left of an order into the book.
    fn rest(&mut self, id: OrderId) {
        let Some(order) = self.orders.get(id) else { return };
        let (Some(price), side, left) = (order.ticket.price, order.ticket.side, order.left()) else { return };
        let shown = order.ticket.display.unwrap_or(left).min(left);
        let resting = Resting {
            order: id,
            account: order.account,
            shown,
            hidden: left - shown,
            refresh: order.ticket.display.unwrap_or(left),
        };
        if let Some(quoted) = self.market.at_mut(order.ticket.instrument) {
            quoted.book.rest(side, price, resting);
        }
    }

    /// Takes a live order out of everything.
    pub(super) fn close(&mut self, id: OrderId, reason: Option<CancelReason>, now_ms: i64) {
        let Some(order) = self.orders.get(id).filter(|order| order.state.is_live()) else { return };
        let (instrument, side, price) = (order.ticket.instrument, order.ticket.side, order.ticket.price);
        if let (Some(price), Some(quoted)) = (price, self.market.at_mut(instrument)) {
            quoted.book.remove(side, price, id);
        }
        self.alter(id, |order| {
            (order.state, order.cancel_reason, order.updated_ms) = (State::Cancelled, reason, now_ms);
        });
        self.follow.push_back(Follow::Closed(id));
    }
}

/// A request that comes too late is not carried out.
pub(super) fn check_deadline(caller: &Caller, params: &Params) -> Result<(), ApiError> {
    if !params.contains_key("valid_until") {
        return Ok(());
    }
    if params::integer(params, "valid_until")? <= caller.now_ms { Err(reject::TIMED_OUT) } else { Ok(()) }
}
