//! Cancel-on-disconnect.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::kinds::CancelReason;
use super::order::OrderId;
use crate::accounts::AccountId;

/// Connections that are gone are remembered, for requests of theirs that still wait.
const GONE_KEPT: usize = 4_096;

/// Who wants to be cancelled with which connection.
#[derive(Debug, Default)]
pub(crate) struct Disconnects {
    /// What was said on a connection.
    said: BTreeMap<(u64, AccountId), bool>,
    /// What holds on connections where nothing is said.
    accounts: BTreeSet<AccountId>,
    /// Connections that are gone, and whose orders went with them.
    gone: BTreeMap<u64, BTreeSet<AccountId>>,
}

impl Disconnects {
    pub(crate) fn set(&mut self, connection: u64, account: AccountId, enabled: bool) {
        self.said.insert((connection, account), enabled);
    }

    pub(crate) fn set_account(&mut self, account: AccountId, enabled: bool) {
        if enabled {
            self.accounts.insert(account)
        } else {
            self.accounts.remove(&account)
        };
    }

    /// A login: the connection starts with what holds for the account.
    pub(crate) fn log_in(&mut self, connection: u64, account: AccountId) {
        let enabled = self.accounts.contains(&account);
        self.said.entry((connection, account)).or_insert(enabled);
    }

    pub(crate) fn is_on(&self, connection: u64, account: AccountId) -> bool {
        self.said.get(&(connection, account)).copied().unwrap_or(false)
    }

    pub(crate) fn is_on_for_account(&self, account: AccountId) -> bool {
        self.accounts.contains(&account)
    }

    /// A connection ends. Says whose orders of it are to be cancelled.
    fn leave(&mut self, connection: u64, in_peace: bool) -> BTreeSet<AccountId> {
        let range = (connection, AccountId(0))..(connection + 1, AccountId(0));
        let said: Vec<_> = self.said.range(range).map(|(key, on)| (*key, *on)).collect();
        let mut accounts = BTreeSet::new();
        for (key, on) in said {
            self.said.remove(&key);
            if on && !in_peace {
                accounts.insert(key.1);
            }
        }
        if !accounts.is_empty() {
            self.gone.insert(connection, accounts.clone());
            while self.gone.len() > GONE_KEPT {
                self.gone.pop_first();
            }
        }
        accounts
    }
}

impl Engine {
    /// A connection is gone; `in_peace` when its client logged out.
    pub(crate) fn disconnect(&mut self, connection: u64, in_peace: bool, now_ms: i64) {
        for account in self.disconnects.leave(connection, in_peace) {
            self.cancel_of(connection, account, now_ms);
        }
    }

    /// A request was carried out whose connection may have gone before: then its orders go too.
    pub(crate) fn after_request(&mut self, connection: u64, account: AccountId, now_ms: i64) {
        let gone = self.disconnects.gone.get(&connection);
        if gone.is_some_and(|accounts| accounts.contains(&account)) {
            self.cancel_of(connection, account, now_ms);
        }
    }

    fn cancel_of(&mut self, connection: u64, account: AccountId, now_ms: i64) {
        let its = self.orders.live(account).filter(|order| order.connection == connection);
        let ids: Vec<OrderId> = its.map(|order| order.id).collect();
        for id in ids {
            self.close(id, Some(CancelReason::Disconnect), now_ms);
        }
        self.finish(now_ms);
    }
}
