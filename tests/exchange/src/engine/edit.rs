//! Changing an order that is there.

use serde_json::{Map, Value};

use super::kinds::{Advanced, CancelReason, State};
use super::margin;
use super::matching::check_deadline;
use super::order::{OrderId, Ticket};
use super::{Caller, Engine, reject, request};
use crate::api::error::ApiError;
use crate::api::params;

type Params = Map<String, Value>;

impl Engine {
    /// `private/edit`.
    pub(crate) fn edit(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        check_deadline(caller, params)?;
        let id = self.live_order(caller, params::string(params, "order_id")?)?;
        self.edit_order(caller, id, params)
    }

    /// `private/edit_by_label`: only one order may have it.
    pub(crate) fn edit_by_label(&mut self, caller: &Caller, params: &Params) -> Result<Value, ApiError> {
        check_deadline(caller, params)?;
        let label = params::string(params, "label")?;
        let (position, _) = request::instrument(&self.market, params)?;
        let labelled = self.orders.by_label(caller.account, label);
        let live = labelled.filter(|o| o.state.is_live() && o.ticket.instrument == position);
        let ids: Vec<OrderId> = live.map(|order| order.id).collect();
        let id = match ids.as_slice() {
            [] => return Err(reject::ORDER_NOT_FOUND),
            [id] => *id,
            _ => return Err(reject::NON_UNIQUE_LABEL),
        };
        self.edit_order(caller, id, params)
    }

    fn edit_order(&mut self, caller: &Caller, id: OrderId, params: &Params) -> Result<Value, ApiError> {
        let order = self.orders.get(id).ok_or(reject::ORDER_NOT_FOUND)?;
        if order.quote.is_some() {
            return Err(reject::other("quotes are replaced, not edited"));
        }
        let (old, filled, state) = (order.ticket.clone(), order.filled, order.state);
        let new = self.edited(&old, params)?;
        if new.amount <= filled {
            return Err(reject::INVALID_AMOUNT);
        }
        match state {
            State::Untriggered => self.edit_waiting(id, new, caller.now_ms)?,
            _ if keeps_its_place(&old, &new) => {
                self.reduce(id, old.amount - new.amount, caller.now_ms);
                self.alter(id, |order| order.replaced = true);
            }
            _ => self.re_enter(caller, id, new)?,
        }
        self.finish(caller.now_ms);
        Ok(self.report(id))
    }

    /// The order as it shall be.
    fn edited(&self, old: &Ticket, params: &Params) -> Result<Ticket, ApiError> {
        let quoted = self.market.at(old.instrument).ok_or_else(ApiError::instrument_not_found)?;
        let flag = |name, old| params::optional_bool(params, name).map(|flag| flag.unwrap_or(old));
        let mut new = Ticket {
            amount: request::amount(&quoted.terms, params)?.unwrap_or(old.amount),
            post_only: flag("post_only", old.post_only)?,
            reject_post_only: flag("reject_post_only", old.reject_post_only)?,
            reduce_only: flag("reduce_only", old.reduce_only)?,
            mmp: flag("mmp", old.mmp)?,
            ..old.clone()
        };
        let advanced = request::word(params, "advanced", Advanced::WORDS, Advanced::parse)?;
        if advanced.is_some() && old.advanced.is_none() {
            return Err(reject::NOT_ADV_ORDER);
        }
        if let Some(value) = params::optional_number(params, "price")?
            && old.kind.has_price()
        {
            new.advanced = advanced.map(|kind| (kind, value));
            new.price = Some(match advanced {
                Some(kind) if value > 0.0 => quoted.advanced_price(kind, value),
                _ => request::ticks(&quoted.terms, value)?,
            });
        }
        if params.contains_key("display_amount") {
            new.display = request::display(&quoted.terms, new.amount, params)?;
        }
        if let Some(trigger) = &mut new.trigger {
            if let Some(price) = params::optional_number(params, "trigger_price")? {
                trigger.price = request::trigger_price(&quoted.terms, price)?;
            }
            if let Some(offset) = params::optional_number(params, "trigger_offset")?
                && trigger.offset.is_some()
            {
                let offset = quoted.terms.price.steps(offset);
                let now = quoted.terms.price.steps(quoted.watched(trigger.by));
                trigger.offset = Some(offset);
                trigger.price = if trigger.rising { now + offset } else { now - offset };
            }
        }
        Ok(new)
    }

    fn edit_waiting(&mut self, id: OrderId, new: Ticket, now_ms: i64) -> Result<(), ApiError> {
        self.check_trigger(&new)?;
        self.alter(id, |order| (order.ticket, order.replaced, order.updated_ms) = (new, true, now_ms));
        Ok(())
    }

    /// Out of the book and in again, at the end of the line or against the other side.
    fn re_enter(&mut self, caller: &Caller, id: OrderId, mut new: Ticket) -> Result<(), ApiError> {
        let Some(order) = self.orders.get(id) else { return Err(reject::ORDER_NOT_FOUND) };
        let (old, filled, freed) = (order.ticket.clone(), order.filled, super::bound(order));
        let total = new.amount;
        new.amount -= filled;
        match self.fit(caller.account, &mut new) {
            Err(error) if error == reject::POST_ONLY_REJECT => {
                self.close(id, Some(CancelReason::EditPostOnly), caller.now_ms);
                self.finish(caller.now_ms);
                return Err(error);
            }
            fitted => fitted?,
        }
        self.check_funds(caller.account, &new, freed)?;
        new.amount = total.min(new.amount + filled);
        if let (Some(price), Some(quoted)) = (old.price, self.market.at_mut(old.instrument)) {
            quoted.book.remove(old.side, price, id);
        }
        let margin = self.full_margin(&new);
        self.alter(id, |order| {
            (order.ticket, order.margin, order.replaced) = (new, margin, true);
            order.updated_ms = caller.now_ms;
        });
        self.run(id, caller.now_ms);
        Ok(())
    }

    fn full_margin(&self, ticket: &Ticket) -> f64 {
        let Some(quoted) = self.market.at(ticket.instrument) else { return 0.0 };
        let price = ticket.price.map_or(quoted.mark, |price| quoted.terms.price.value(price));
        margin::order(quoted, ticket.side, ticket.amount, price)
    }
}

/// Only less of the same at the same price stays where it is.
fn keeps_its_place(old: &Ticket, new: &Ticket) -> bool {
    let same = Ticket { amount: old.amount, ..new.clone() } == *old;
    same && new.amount <= old.amount && old.display.is_none()
}
