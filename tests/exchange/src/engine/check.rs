//! Whether the market has a place for an order.

use super::kinds::State;
use super::margin;
use super::order::Ticket;
use super::reject;
use super::{Caller, Engine};
use crate::accounts::AccountId;
use crate::api::error::ApiError;
use crate::market::book::Side;
use crate::market::quoted::Quoted;

impl Engine {
    /// Fits an order into the market: its price is set where it has none, moved where it may only make, and its
    /// amount cut where it may only reduce.
    pub(super) fn fit(&self, account: AccountId, ticket: &mut Ticket) -> Result<(), ApiError> {
        self.check_open(ticket.instrument)?;
        let quoted = self.market.at(ticket.instrument).ok_or_else(ApiError::instrument_not_found)?;
        if ticket.reduce_only {
            self.fit_to_position(account, ticket)?;
        }
        ticket.price = match ticket.price {
            Some(price) => {
                check_band(quoted, ticket.side, price)?;
                Some(if ticket.post_only { make_only(quoted, ticket, price)? } else { price })
            }
            None => Some(furthest(quoted, ticket.side)),
        };
        self.check_own(quoted, account, ticket)
    }

    fn fit_to_position(&self, account: AccountId, ticket: &mut Ticket) -> Result<(), ApiError> {
        let position = self.trader(account).and_then(|trader| trader.positions.get(&ticket.instrument));
        let steps = position.map_or(0, |position| position.steps);
        if steps * ticket.side.sign() >= 0 {
            return Err(reject::other("reduce_only"));
        }
        ticket.amount = ticket.amount.min(steps.abs());
        Ok(())
    }

    /// Nobody trades with himself.
    fn check_own(&self, quoted: &Quoted, account: AccountId, ticket: &Ticket) -> Result<(), ApiError> {
        let Some(limit) = ticket.price else { return Ok(()) };
        let probe = quoted.book.probe(ticket.side, limit, ticket.amount, Some(account));
        if probe.meets_own { Err(reject::ORDER_OVERLAP) } else { Ok(()) }
    }

    /// What an order binds, when the account has it.
    pub(super) fn check_funds(
        &self,
        account: AccountId,
        ticket: &Ticket,
        freed: f64,
    ) -> Result<f64, ApiError> {
        let quoted = self.market.at(ticket.instrument).ok_or_else(ApiError::instrument_not_found)?;
        let price = ticket.price.map_or(quoted.mark, |price| quoted.terms.price.value(price));
        let needed = margin::order(quoted, ticket.side, ticket.amount, price);
        let available = self.money(account, quoted.terms.paid_in(ticket.side)).available + freed;
        if !ticket.reduce_only && needed > available {
            return Err(reject::NOT_ENOUGH_FUNDS);
        }
        Ok(needed)
    }

    /// Whether an order may be given at all: its deadline, its trigger.
    pub(super) fn check_trigger(&self, ticket: &Ticket) -> Result<(), ApiError> {
        self.check_open(ticket.instrument)?;
        let Some(trigger) = &ticket.trigger else { return Ok(()) };
        let quoted = self.market.at(ticket.instrument).ok_or_else(ApiError::instrument_not_found)?;
        let now = quoted.terms.price.steps(quoted.watched(trigger.by));
        match (trigger.rising, trigger.price <= now, trigger.price >= now) {
            (true, true, _) => Err(reject::TRIGGER_TOO_LOW),
            (false, _, true) => Err(reject::TRIGGER_TOO_HIGH),
            _ => Ok(()),
        }
    }

    /// An order of the caller's that can still be changed.
    pub(super) fn live_order(&self, caller: &Caller, name: &str) -> Result<super::OrderId, ApiError> {
        let order = self.own_order(caller.account, name)?;
        if order.state.is_live() { Ok(order.id) } else { Err(reject::NOT_OPEN) }
    }

    /// An order of an account, by its name.
    pub(crate) fn own_order(&self, account: AccountId, name: &str) -> Result<&super::Order, ApiError> {
        let plausible = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(plausible) {
            return Err(reject::INVALID_ORDER_ID);
        }
        let order = self.orders.by_name(name).ok_or(reject::ORDER_NOT_FOUND)?;
        if order.account == account { Ok(order) } else { Err(reject::NOT_OWNER) }
    }

    /// Whether an order would be filled at once and whole.
    pub(super) fn fills_whole(&self, id: super::OrderId) -> bool {
        let Some(order) = self.orders.get(id) else { return false };
        let (Some(quoted), Some(limit)) = (self.market.at(order.ticket.instrument), order.ticket.price)
        else {
            return false;
        };
        let probe = quoted.book.probe(order.ticket.side, limit, order.left(), None);
        order.state == State::Open && probe.available == order.left()
    }
}

/// Nothing is bought above the band and nothing sold below it.
fn check_band(quoted: &Quoted, side: Side, price: i64) -> Result<(), ApiError> {
    let (lowest, highest) = quoted.band();
    let price = quoted.terms.price.value(price);
    match side {
        Side::Bid if price > highest => Err(reject::price_out_of_band(true, highest)),
        Side::Ask if price < lowest => Err(reject::price_out_of_band(false, lowest)),
        _ => Ok(()),
    }
}

/// The furthest price that an order without one goes to.
pub(super) fn furthest(quoted: &Quoted, side: Side) -> i64 {
    let (lowest, highest) = quoted.band();
    let grid = quoted.terms.price;
    let edge = if side == Side::Bid { grid.steps(highest).floor() } else { grid.steps(lowest).ceil() };
    let tick = quoted.terms.tick_at(edge);
    let edge = edge as i64;
    let on_tick = match side {
        Side::Bid => edge.div_euclid(tick) * tick,
        Side::Ask => -(-edge).div_euclid(tick) * tick,
    };
    on_tick.max(tick)
}

/// The price of an order that may only make: as given, or just this side of the spread.
fn make_only(quoted: &Quoted, ticket: &Ticket, price: i64) -> Result<i64, ApiError> {
    let Some((best, _)) = quoted.book.shown().best(ticket.side.other()) else { return Ok(price) };
    if !ticket.side.reaches(price, best) {
        return Ok(price);
    }
    if ticket.reject_post_only {
        return Err(reject::POST_ONLY_REJECT);
    }
    let tick = quoted.terms.tick_at(best as f64);
    let inside = best - ticket.side.sign() * tick;
    if inside > 0 { Ok(inside) } else { Err(reject::POST_ONLY_REJECT) }
}
