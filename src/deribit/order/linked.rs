//! Orders that place or cancel each other.

use super::draft::{Draft, Links};
use super::{AnyOrder, NewOrder, Side};
use crate::deribit::data::{FillCondition, LinkedOrderType};

/// An order that follows another. It is for the same instrument. Its label is sent as it is: no ending makes it unique.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    pub(super) side: Side,
    pub(super) draft: Draft,
}

impl Leg {
    /// A buy.
    pub fn buy<K, T>(order: NewOrder<K, T>) -> Self {
        Self { side: Side::Buy, draft: order.draft }
    }

    /// A sell.
    pub fn sell<K, T>(order: NewOrder<K, T>) -> Self {
        Self { side: Side::Sell, draft: order.draft }
    }
}

/// An order with those that follow it.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an order is not placed until it is given to `buy` or `sell`"]
pub struct LinkedOrder(Draft);

/// Linked orders.
impl<K, T> NewOrder<K, T> {
    /// Once it is executed, another is placed (OTO).
    pub fn one_triggers_other(self, other: Leg) -> LinkedOrder {
        self.linked(LinkedOrderType::OneTriggersOther, vec![other])
    }

    /// Once one of the two is executed, the other is cancelled (OCO).
    pub fn one_cancels_other(self, other: Leg) -> LinkedOrder {
        self.linked(LinkedOrderType::OneCancelsOther, vec![other])
    }

    /// Once it is executed, two are placed of which one cancels the other (OTOCO): a target and a stop.
    pub fn one_triggers_one_cancels_other(self, one: Leg, other: Leg) -> LinkedOrder {
        self.linked(LinkedOrderType::OneTriggersOneCancelsOther, vec![one, other])
    }

    fn linked(mut self, how: LinkedOrderType, legs: Vec<Leg>) -> LinkedOrder {
        self.draft.linked = Some(Box::new(Links { how, fill_condition: None, legs }));
        LinkedOrder(self.draft)
    }
}

impl LinkedOrder {
    /// How much of an execution it takes. At the first one by default.
    pub fn fill_condition(mut self, condition: FillCondition) -> Self {
        if let Some(links) = &mut self.0.linked {
            links.fill_condition = Some(condition);
        }
        self
    }
}

impl From<LinkedOrder> for AnyOrder {
    fn from(order: LinkedOrder) -> Self {
        Self(order.0)
    }
}
