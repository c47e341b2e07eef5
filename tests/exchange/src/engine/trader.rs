//! What an account has: money, positions, fills.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::mmp::Mmp;
use super::order::OrderId;
use super::position::Position;
use crate::accounts::AccountId;
use crate::api::filters::CURRENCIES;

/// Older fills and entries of the log are forgotten beyond this.
const KEPT: usize = 100_000;

/// Money in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Purse {
    /// Cash, after fees and option premiums.
    pub(crate) balance: f64,
    /// Profit of futures since the start: here nothing is ever settled.
    pub(crate) realized: f64,
    /// What open orders bind.
    pub(crate) bound: f64,
}

/// A fill of an order of this account.
#[derive(Debug, Clone)]
pub(crate) struct UserTrade {
    pub(crate) instrument: usize,
    pub(crate) order: OrderId,
    pub(crate) seq: u64,
    /// The number in its trade id.
    pub(crate) number: u64,
    pub(crate) ms: i64,
    pub(crate) object: Value,
}

/// An entry of the transaction log.
#[derive(Debug, Clone)]
pub(crate) struct LogEntry {
    pub(crate) id: u64,
    pub(crate) ms: i64,
    pub(crate) currency: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) object: Value,
}

impl LogEntry {
    /// Whether a word of a query fits it.
    pub(crate) fn speaks_of(&self, word: &str) -> bool {
        let texts = ["type", "side", "user_role", "instrument_name"];
        let says = |name: &str| {
            let text = self.object[name].as_str().unwrap_or("");
            text.split(' ').any(|part| part == word)
        };
        self.kind == word || texts.into_iter().any(says)
    }
}

/// An account in the engine.
#[derive(Debug)]
pub(crate) struct Trader {
    pub(crate) id: AccountId,
    pub(crate) name: String,
    pub(crate) purses: BTreeMap<&'static str, Purse>,
    pub(crate) positions: BTreeMap<usize, Position>,
    pub(crate) trades: VecDeque<UserTrade>,
    pub(crate) log: VecDeque<LogEntry>,
    pub(crate) log_count: u64,
    pub(crate) mmp: Mmp,
    pub(crate) settlements: Vec<Value>,
    /// Quotes are refused until then.
    pub(crate) quotes_frozen_until: i64,
}

impl Trader {
    pub(crate) fn new(id: AccountId, name: String, balances: &BTreeMap<String, f64>) -> Self {
        let purse = |currency: &'static str| {
            let balance = balances.get(currency).copied().unwrap_or(0.0);
            (currency, Purse { balance, ..Purse::default() })
        };
        Self {
            id,
            name,
            purses: CURRENCIES.into_iter().map(purse).collect(),
            positions: BTreeMap::new(),
            trades: VecDeque::new(),
            log: VecDeque::new(),
            log_count: 0,
            mmp: Mmp::default(),
            settlements: Vec::new(),
            quotes_frozen_until: 0,
        }
    }

    pub(crate) fn purse(&mut self, currency: &'static str) -> &mut Purse {
        self.purses.entry(currency).or_default()
    }

    pub(crate) fn keep_trade(&mut self, trade: UserTrade) {
        keep(&mut self.trades, trade);
    }

    pub(crate) fn keep_entry(&mut self, entry: LogEntry) {
        keep(&mut self.log, entry);
    }
}

fn keep<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == KEPT {
        queue.pop_front();
    }
    queue.push_back(item);
}
