//! Live orders from two sources that know nothing of each other: the stream, and lists that are asked for. Whichever
//! comes first, no order is lost, and none that has ended comes back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Change;
use crate::deribit::data::Order;

/// How many orders that ended are remembered, so that an older word of them does not bring them back.
const ENDED: usize = 10_000;

#[derive(Debug, Default)]
pub(super) struct Merge {
    live: BTreeMap<String, Order>,
    ended: Ended,
    /// A list is on its way: the orders that the stream told of since it was asked for.
    asked: Option<BTreeSet<String>>,
    /// No earlier than this the last list was made, in milliseconds of the exchange's clock.
    list_time: u64,
}

#[derive(Debug, Default)]
struct Ended {
    ids: BTreeSet<String>,
    by_age: VecDeque<String>,
    /// How many came since the present list was asked for.
    since: usize,
}

impl Ended {
    fn insert(&mut self, id: String) {
        self.since += 1;
        if self.ids.insert(id.clone()) {
            self.by_age.push_back(id);
        }
        if self.by_age.len() > ENDED
            && let Some(oldest) = self.by_age.pop_front()
        {
            self.ids.remove(&oldest);
        }
    }
}

/// What a list showed.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) changes: Vec<Change>,
    /// Orders that were live and are not in the list: they must be asked about one by one.
    pub(super) missing: Vec<String>,
}

impl Merge {
    pub(super) fn live(&self) -> &BTreeMap<String, Order> {
        &self.live
    }

    /// The stream, or an answer to a question about one order, says how it stands.
    pub(super) fn told(&mut self, order: Order, missed: bool) -> Option<Change> {
        if let Some(told) = &mut self.asked {
            told.insert(order.order_id.clone());
        }
        self.merge(order, missed)
    }

    /// The answer to a call says how an order stood. The stream tells the same in order: at the same time it is right.
    ///
    /// The answer may be from before the last list, even from before a cut. An order that was live then, and is unknown
    /// though the list was made later, has ended meanwhile. Where that cannot be told, it is asked about when the list that
    /// is on its way does not have it.
    pub(super) fn answered(&mut self, order: Order) -> Option<Change> {
        let is_from_before = order.last_update_timestamp.is_some_and(|updated| updated < self.list_time);
        if order.is_live() && is_from_before && !self.live.contains_key(&order.order_id) {
            return None;
        }
        let is_newer = |known: &Order| order.last_update_timestamp > known.last_update_timestamp;
        if order.is_live() && !self.live.get(&order.order_id).is_none_or(is_newer) {
            return None;
        }
        self.merge(order, false)
    }

    /// A list is asked for at this time, if that is known: what the stream says from here on may be newer than what it will
    /// show.
    pub(super) fn asking(&mut self, now: Option<u64>) {
        self.list_time = now.unwrap_or_default();
        self.asked = Some(BTreeSet::new());
        self.ended.since = 0;
    }

    /// The list that was asked for. `None` when too much happened meanwhile for it to be of use.
    pub(super) fn listed(&mut self, orders: Vec<Order>) -> Option<Listed> {
        let told = self.asked.take().unwrap_or_default();
        if self.ended.since > ENDED {
            return None;
        }
        let listed: BTreeSet<_> = orders.iter().map(|order| order.order_id.clone()).collect();
        let is_missing = |id: &&String| !listed.contains(*id) && !told.contains(*id);
        let missing = self.live.keys().filter(is_missing).cloned().collect();
        let changes = orders.into_iter().filter_map(|order| {
            // At the same time the stream is right: of what the list missed it will speak again.
            let is_newer = |known: &Order| order.last_update_timestamp > known.last_update_timestamp;
            let tie = told.contains(&order.order_id) && !self.live.get(&order.order_id).is_none_or(is_newer);
            if tie { None } else { self.merge(order, true) }
        });
        Some(Listed { changes: changes.collect(), missing })
    }

    /// The exchange does not know an order any more.
    pub(super) fn forgotten(&mut self, id: &str) -> Option<Order> {
        let order = self.live.remove(id)?;
        self.ended.insert(order.order_id.clone());
        Some(order)
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.ended.ids.len().max(self.ended.by_age.len())
    }

    fn merge(&mut self, order: Order, missed: bool) -> Option<Change> {
        if self.ended.ids.contains(&order.order_id) {
            return None;
        }
        let before = self.live.get(&order.order_id);
        if before.is_some_and(|before| is_older(&order, before) || *before == order) {
            return None;
        }
        let before = if order.is_live() {
            self.live.insert(order.order_id.clone(), order.clone())
        } else {
            self.ended.insert(order.order_id.clone());
            self.live.remove(&order.order_id)
        };
        Some(Change { before: before.map(Box::new), order: Box::new(order), missed })
    }
}

/// Whether this is a state from before. An end is an end whatever its time, and nothing executed is taken back.
fn is_older(order: &Order, than: &Order) -> bool {
    order.is_live()
        && (order.last_update_timestamp < than.last_update_timestamp || order.filled() < than.filled())
}
