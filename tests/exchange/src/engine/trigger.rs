//! Orders that wait for a price.

use super::kinds::{Kind, State};
use super::matching::Origin;
use super::order::{Links, OrderId, Ticket};
use super::{Caller, Engine};
use crate::market::quoted::Quoted;

impl Engine {
    /// Sets off what waits for the prices of an instrument as they are now.
    pub(super) fn fire_triggers(&mut self, position: usize, now_ms: i64) {
        if !self.orders.has_waiting(position) {
            return;
        }
        self.trail(position);
        let Some(quoted) = self.market.at(position) else { return };
        let due = self.orders.waiting(position).filter(|order| {
            order.ticket.trigger.as_ref().is_some_and(|trigger| {
                let now = now(quoted, trigger.by);
                if trigger.rising { now >= trigger.price } else { now <= trigger.price }
            })
        });
        let due: Vec<OrderId> = due.map(|order| order.id).collect();
        due.into_iter().for_each(|id| self.fire(id, now_ms));
    }

    /// Trailing stops keep their distance to the best price seen so far.
    fn trail(&mut self, position: usize) {
        let Some(quoted) = self.market.at(position) else { return };
        let moved = |order: &super::Order| {
            let trigger = order.ticket.trigger.as_ref()?;
            let (offset, now) = (trigger.offset?, now(quoted, trigger.by));
            let price = if trigger.rising {
                trigger.price.min(now + offset)
            } else {
                trigger.price.max(now - offset)
            };
            (price != trigger.price).then_some((order.id, price))
        };
        let moves: Vec<(OrderId, f64)> = self.orders.waiting(position).filter_map(moved).collect();
        for (id, price) in moves {
            self.orders.change(id, |order| {
                if let Some(trigger) = &mut order.ticket.trigger {
                    trigger.price = price;
                }
            });
        }
    }

    /// The waiting order ends, and another one does what it waited for.
    fn fire(&mut self, id: OrderId, now_ms: i64) {
        let Some(order) = self.orders.get(id) else { return };
        let caller =
            Caller { account: order.account, connection: order.connection, request: order.request, now_ms };
        let mut ticket: Ticket = order.ticket.clone();
        if let Some(trigger) = &mut ticket.trigger {
            trigger.fired = true;
        }
        if ticket.kind == Kind::TrailingStop {
            ticket.price = None;
        }
        let links = Links { primary: None, ..order.links.clone() };
        let origin = Origin { links, made_by: Some(order.name.clone()), quote: None };
        self.alter(id, |order| {
            order.state = State::Triggered;
            order.updated_ms = now_ms;
            // The pair and what hangs on it go on with the new order.
            order.links.pair = None;
            order.links.secondaries.clear();
            if let Some(trigger) = &mut order.ticket.trigger {
                trigger.fired = true;
            }
        });
        if self.enter(&caller, ticket, origin).is_err() {
            self.alter(id, |order| order.state = State::Rejected);
        }
    }
}

fn now(quoted: &Quoted, by: super::kinds::TriggerBy) -> f64 {
    quoted.terms.price.steps(quoted.watched(by))
}
