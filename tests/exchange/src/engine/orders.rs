//! All orders, living and dead, and the ways to find them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::kinds::State;
use super::order::{Order, OrderId};
use crate::accounts::AccountId;

/// The oldest dead orders are forgotten beyond this.
const ORDERS_KEPT: usize = 500_000;

/// The store of orders.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    all: BTreeMap<OrderId, Order>,
    by_name: HashMap<String, OrderId>,
    by_label: HashMap<(AccountId, String), Vec<OrderId>>,
    live: BTreeMap<AccountId, BTreeSet<OrderId>>,
    /// Those that wait for a price, by instrument.
    waiting: BTreeMap<usize, BTreeSet<OrderId>>,
    /// Those in the book that may only reduce a position.
    reducing: BTreeMap<(AccountId, usize), BTreeSet<OrderId>>,
    /// Those in the book whose price follows the index, by instrument.
    following: BTreeMap<usize, BTreeSet<OrderId>>,
}

impl Orders {
    pub(crate) fn insert(&mut self, order: Order) {
        let id = order.id;
        self.by_name.insert(order.name.clone(), id);
        if !order.ticket.label.is_empty() {
            self.by_label.entry((order.account, order.ticket.label.clone())).or_default().push(id);
        }
        self.all.insert(id, order);
        self.sort_in(id);
        self.forget();
    }

    pub(crate) fn get(&self, id: OrderId) -> Option<&Order> {
        self.all.get(&id)
    }

    /// Changes an order, and keeps the lists right.
    pub(crate) fn change<T>(&mut self, id: OrderId, change: impl FnOnce(&mut Order) -> T) -> Option<T> {
        let result = change(self.all.get_mut(&id)?);
        self.sort_in(id);
        Some(result)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Order> {
        self.all.get(self.by_name.get(name)?)
    }

    /// The orders of an account with a label, oldest first.
    pub(crate) fn by_label(&self, account: AccountId, label: &str) -> impl Iterator<Item = &Order> {
        let ids = self.by_label.get(&(account, label.to_owned()));
        ids.into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// The orders of an account that can still be filled or cancelled, oldest first.
    pub(crate) fn live(&self, account: AccountId) -> impl Iterator<Item = &Order> {
        self.live.get(&account).into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// The trigger orders of an instrument.
    pub(crate) fn waiting(&self, instrument: usize) -> impl Iterator<Item = &Order> {
        self.waiting.get(&instrument).into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    /// The orders in the book whose price follows the index.
    pub(crate) fn following(&self, instrument: usize) -> impl Iterator<Item = &Order> {
        self.following.get(&instrument).into_iter().flatten().filter_map(|id| self.all.get(id))
    }

    pub(crate) fn has_waiting(&self, instrument: usize) -> bool {
        self.waiting.contains_key(&instrument)
    }

    /// The open orders of an account that may only reduce its position in an instrument.
    pub(crate) fn reducing(&self, account: AccountId, instrument: usize) -> Vec<OrderId> {
        self.reducing.get(&(account, instrument)).into_iter().flatten().copied().collect()
    }

    /// All orders, oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.all.values()
    }

    fn sort_in(&mut self, id: OrderId) {
        let Some(order) = self.all.get(&id) else { return };
        let reduces = order.ticket.reduce_only && order.state == State::Open;
        set(&mut self.reducing, (order.account, order.ticket.instrument), id, reduces);
        let follows = order.ticket.advanced.is_some() && order.state == State::Open;
        set(&mut self.following, order.ticket.instrument, id, follows);
        let waits = order.state == State::Untriggered && order.ticket.trigger.is_some();
        set(&mut self.live, order.account, id, order.state.is_live());
        // One that waits for another order does not look at prices yet.
        set(&mut self.waiting, order.ticket.instrument, id, waits && order.links.primary.is_none());
    }

    fn forget(&mut self) {
        while self.all.len() > ORDERS_KEPT {
            let Some(id) = self.all.values().find(|order| !order.state.is_live()).map(|order| order.id)
            else {
                return;
            };
            if let Some(order) = self.all.remove(&id) {
                self.by_name.remove(&order.name);
                let key = (order.account, order.ticket.label);
                if let Some(ids) = self.by_label.get_mut(&key) {
                    ids.retain(|other| *other != id);
                    if ids.is_empty() {
                        self.by_label.remove(&key);
                    }
                }
            }
        }
    }
}

fn set<K: Ord>(lists: &mut BTreeMap<K, BTreeSet<OrderId>>, key: K, id: OrderId, belongs: bool) {
    if belongs {
        lists.entry(key).or_default().insert(id);
    } else if let Some(list) = lists.get_mut(&key) {
        list.remove(&id);
        if list.is_empty() {
            lists.remove(&key);
        }
    }
}
