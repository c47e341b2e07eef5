//! Orders that hang together: one triggers others, one cancels the other, and both.

use super::kinds::{CancelReason, FillCondition, LinkType, State};
use super::matching::Origin;
use super::order::{Links, OrderId, Ticket};
use super::request::Linked;
use super::{Caller, Engine};
use crate::accounts::AccountId;
use crate::api::error::ApiError;

/// Something that happened and may have consequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// An order was filled, in part at least.
    Filled(OrderId),
    /// An order is over.
    Closed(OrderId),
    /// A position moved.
    Moved(AccountId, usize),
}

impl Engine {
    /// Enters an order and those that hang on it.
    pub(super) fn enter_linked(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        linked: Linked,
    ) -> Result<OrderId, ApiError> {
        match linked.kind {
            LinkType::Oco => self.enter_pair(caller, ticket, linked),
            LinkType::Oto | LinkType::Otoco => self.enter_primary(caller, ticket, linked),
        }
    }

    /// Two orders at once. What is wrong with either is wrong with both.
    fn enter_pair(&mut self, caller: &Caller, ticket: Ticket, linked: Linked) -> Result<OrderId, ApiError> {
        let mut legs = linked.legs.into_iter();
        let Some(other) = legs.next() else { return self.enter(caller, ticket, Origin::default()) };
        self.dry_run(caller, &other)?;
        let links = Links {
            kind: Some(linked.kind),
            condition: Some(linked.condition),
            pair: Some(self.next_pair()),
            ..Links::default()
        };
        let origin = |links| Origin { links, ..Origin::default() };
        let first = self.enter(caller, ticket, origin(links.clone()))?;
        self.follow_up(caller.now_ms);
        if self.orders.get(first).is_some_and(|order| order.state.is_live())
            && let Err(error) = self.enter(caller, other, origin(links))
        {
            self.close(first, Some(CancelReason::OtherClosed), caller.now_ms);
            self.finish(caller.now_ms);
            return Err(error);
        }
        Ok(first)
    }

    fn enter_primary(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        linked: Linked,
    ) -> Result<OrderId, ApiError> {
        let links = Links { kind: Some(linked.kind), condition: Some(linked.condition), ..Links::default() };
        // The primary may be filled as it comes, so what it triggers must be there before: it is made first and
        // run last.
        let mut checked = ticket.clone();
        let waits = ticket.trigger.is_some();
        let margin = if waits {
            self.check_trigger(&ticket)?;
            0.0
        } else {
            self.fit(caller.account, &mut checked)?;
            self.check_funds(caller.account, &checked, 0.0)?
        };
        let state = if waits { State::Untriggered } else { State::Open };
        let origin = Origin { links, ..Origin::default() };
        let primary = self.create(caller, checked, origin, state, margin);
        self.attach(caller, primary, linked);
        if !waits {
            self.run(primary, caller.now_ms);
        }
        Ok(primary)
    }

    fn attach(&mut self, caller: &Caller, primary: OrderId, linked: Linked) {
        let name = self.orders.get(primary).map(|order| order.name.clone()).unwrap_or_default();
        let pair = (linked.kind == LinkType::Otoco).then(|| self.next_pair());
        let mut secondaries = Vec::new();
        for leg in linked.legs {
            let links = Links {
                kind: Some(linked.kind),
                condition: Some(linked.condition),
                primary: Some((primary, name.clone())),
                pair: pair.clone(),
                ..Links::default()
            };
            let id = self.create(caller, leg, Origin { links, ..Origin::default() }, State::Untriggered, 0.0);
            secondaries.extend(self.orders.get(id).map(|order| (id, order.name.clone())));
        }
        self.alter(primary, |order| order.links.secondaries = secondaries);
    }

    fn dry_run(&self, caller: &Caller, ticket: &Ticket) -> Result<(), ApiError> {
        if ticket.trigger.is_some() {
            return self.check_trigger(ticket);
        }
        self.fit(caller.account, &mut ticket.clone())
    }

    fn next_pair(&mut self) -> String {
        let number = self.next_number();
        format!("{number}")
    }

    /// Lets everything have its consequences, and those theirs.
    pub(super) fn follow_up(&mut self, now_ms: i64) {
        while let Some(follow) = self.follow.pop_front() {
            match follow {
                Follow::Filled(id) => self.after_fill(id, now_ms),
                Follow::Closed(id) => self.after_close(id, now_ms),
                Follow::Moved(account, position) => self.curtail(account, position, now_ms),
            }
        }
    }

    fn after_fill(&mut self, id: OrderId, now_ms: i64) {
        let Some(order) = self.orders.get(id) else { return };
        let (links, whole, filled, amount) =
            (order.links.clone(), order.left() == 0, order.filled, order.ticket.amount);
        let condition = links.condition.unwrap_or(FillCondition::FirstHit);
        for (secondary, _) in &links.secondaries {
            match condition {
                FillCondition::FirstHit => self.release(*secondary, None, now_ms),
                FillCondition::CompleteFill if whole => self.release(*secondary, None, now_ms),
                FillCondition::CompleteFill => {}
                FillCondition::Incremental => self.release(*secondary, Some((filled, amount)), now_ms),
            }
        }
        for other in self.rest_of_pair(id) {
            match condition {
                FillCondition::CompleteFill if !whole => {}
                FillCondition::Incremental if !whole => self.shrink(other, (filled, amount), now_ms),
                _ => self.close(other, Some(CancelReason::OtherClosed), now_ms),
            }
        }
    }

    fn after_close(&mut self, id: OrderId, now_ms: i64) {
        let Some(order) = self.orders.get(id) else { return };
        let (state, secondaries) = (order.state, order.links.secondaries.clone());
        if state == State::Triggered {
            return;
        }
        for (secondary, _) in secondaries {
            self.close(secondary, Some(CancelReason::PrimaryClosed), now_ms);
        }
        for other in self.rest_of_pair(id) {
            self.close(other, Some(CancelReason::OtherClosed), now_ms);
        }
    }

    /// The others of the pair that an order belongs to, while it waits for nothing itself.
    fn rest_of_pair(&self, id: OrderId) -> Vec<OrderId> {
        let Some(order) = self.orders.get(id) else { return Vec::new() };
        let Some(pair) = &order.links.pair else { return Vec::new() };
        let others = self.orders.live(order.account).filter(|other| {
            other.id != id
                && other.links.pair.as_ref() == Some(pair)
                && other.links.primary == order.links.primary
        });
        others.map(|other| other.id).collect()
    }

    /// Turns a secondary order, or its share of the primary's fill, into an order of its own.
    fn release(&mut self, id: OrderId, share: Option<(i64, i64)>, now_ms: i64) {
        let Some(order) = self.orders.get(id).filter(|order| order.state == State::Untriggered) else {
            return;
        };
        let whole = order.ticket.amount;
        let due = share.map_or(whole, |(filled, amount)| {
            let due = i128::from(whole) * i128::from(filled) / i128::from(amount.max(1));
            i64::try_from(due).unwrap_or(whole)
        });
        let fresh = due - order.links.released;
        if fresh <= 0 {
            return;
        }
        let caller =
            Caller { account: order.account, connection: order.connection, request: order.request, now_ms };
        let ticket = Ticket { amount: fresh, ..order.ticket.clone() };
        // Released together, the pair cancels each other from now on.
        let links =
            Links { pair: order.links.pair.clone(), condition: order.links.condition, ..Links::default() };
        let made_by = Some(order.name.clone());
        self.alter(id, |order| {
            order.links.released = due;
            order.updated_ms = now_ms;
            if due == whole {
                order.state = State::Triggered;
            }
        });
        if self.enter(&caller, ticket, Origin { links, made_by, quote: None }).is_err() {
            self.alter(id, |order| order.state = State::Rejected);
        }
    }

    /// Takes as much off an order as its pair was filled.
    fn shrink(&mut self, id: OrderId, (filled, amount): (i64, i64), now_ms: i64) {
        let Some(order) = self.orders.get(id) else { return };
        let whole = order.ticket.amount + order.links.released;
        let off = i128::from(whole) * i128::from(filled) / i128::from(amount.max(1));
        let by = i64::try_from(off).unwrap_or(0) - order.links.released;
        if by <= 0 {
            return;
        }
        if by >= order.left() {
            return self.close(id, Some(CancelReason::OtherClosed), now_ms);
        }
        self.reduce(id, by, now_ms);
        self.alter(id, |order| order.links.released += by);
    }

    /// Makes an order smaller where it stands.
    pub(super) fn reduce(&mut self, id: OrderId, by: i64, now_ms: i64) {
        let Some(order) = self.orders.get(id) else { return };
        let (instrument, side, price) = (order.ticket.instrument, order.ticket.side, order.ticket.price);
        if let (Some(price), Some(quoted)) = (price, self.market.at_mut(instrument)) {
            quoted.book.reduce(side, price, id, by);
        }
        self.alter(id, |order| {
            let before = order.ticket.amount;
            order.ticket.amount -= by;
            order.margin *= order.ticket.amount as f64 / before.max(1) as f64;
            order.updated_ms = now_ms;
        });
    }

    /// Orders that may only reduce a position are cut to what is left of it.
    fn curtail(&mut self, account: AccountId, position: usize, now_ms: i64) {
        let held = self.trader(account).and_then(|trader| trader.positions.get(&position));
        let steps = held.map_or(0, |held| held.steps);
        for id in self.orders.reducing(account, position) {
            let Some(order) = self.orders.get(id) else { continue };
            let room = if steps * order.ticket.side.sign() < 0 { steps.abs() } else { 0 };
            let left = order.left();
            if room == 0 {
                self.close(id, Some(CancelReason::User), now_ms);
            } else if left > room {
                self.reduce(id, left - room, now_ms);
            }
        }
    }
}
