//! What happened in an engine since someone last asked: material for channels.

use std::collections::BTreeSet;

use serde_json::Value;

use super::order::OrderId;
use crate::accounts::AccountId;
use crate::market::BookChange;

/// An order as it is now.
#[derive(Debug, Clone)]
pub(crate) struct OrderNews {
    pub(crate) account: AccountId,
    pub(crate) instrument: usize,
    pub(crate) object: Value,
}

/// A fill of an account's order.
#[derive(Debug, Clone)]
pub(crate) struct TradeNews {
    pub(crate) account: AccountId,
    pub(crate) instrument: usize,
    pub(crate) order: OrderId,
    pub(crate) seq: u64,
    pub(crate) number: u64,
    pub(crate) ms: i64,
    pub(crate) object: Value,
}

/// A protection that was triggered.
#[derive(Debug, Clone)]
pub(crate) struct MmpNews {
    pub(crate) account: AccountId,
    pub(crate) index: String,
    pub(crate) object: Value,
}

/// An instrument that came, stopped or went.
#[derive(Debug, Clone)]
pub(crate) struct InstrumentNews {
    pub(crate) position: usize,
    pub(crate) object: Value,
}

/// All of it, in the order in which it happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct News {
    pub(crate) books: Vec<BookChange>,
    pub(crate) orders: Vec<OrderNews>,
    pub(crate) trades: Vec<TradeNews>,
    pub(crate) mmp: Vec<MmpNews>,
    pub(crate) instruments: Vec<InstrumentNews>,
    /// Instruments that are new.
    pub(crate) listed: Vec<usize>,
    /// Whose money or positions moved, and in which currency.
    pub(crate) portfolios: BTreeSet<(AccountId, &'static str)>,
}

impl News {
    pub(crate) fn is_empty(&self) -> bool {
        self.books.is_empty()
            && self.orders.is_empty()
            && self.trades.is_empty()
            && self.mmp.is_empty()
            && self.portfolios.is_empty()
            && self.instruments.is_empty()
            && self.listed.is_empty()
    }
}
