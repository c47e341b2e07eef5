//! The matching engine: clients' orders and the crowd's in one book, and what follows from their fills.
//!
//! One call does one thing to the end: orders are entered or taken out, matches are settled, what hangs together
//! follows, and [`News`] collects what the channels have to say about it.

mod advanced;
pub(crate) mod book;
mod cancel;
mod check;
mod close;
mod disconnect;
mod edit;
pub(crate) mod kinds;
mod lifecycle;
mod linked;
mod margin;
mod matching;
pub(crate) mod mmp;
pub(crate) mod money;
pub(crate) mod news;
pub(crate) mod order;
mod orders;
mod position;
mod quotes;
pub(crate) mod reject;
mod request;
mod settle;
mod summary;
pub(crate) mod trader;
mod trigger;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Value, json};

use self::disconnect::Disconnects;
use self::linked::Follow;
use self::news::{News, OrderNews};
use self::order::{Order, OrderId};
use self::orders::Orders;
use self::trader::{Trader, UserTrade};
use crate::accounts::AccountId;
use crate::accounts::account::Account;
use crate::market::Market;
use crate::market::book::Side;
use crate::market::quoted::Quoted;

/// Who does something, by which request, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) connection: u64,
    /// The request's number in the ledger.
    pub(crate) request: u64,
    pub(crate) now_ms: i64,
}

/// The engine and all it knows.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) market: Market,
    pub(crate) orders: Orders,
    traders: BTreeMap<AccountId, Trader>,
    pub(crate) disconnects: Disconnects,
    /// Indices that are locked: what follows them takes no orders.
    pub(crate) locked: BTreeSet<String>,
    numbers: u64,
    news: News,
    /// Orders that changed and instruments that were traded, since the last news.
    changed: Vec<OrderId>,
    touched: BTreeSet<usize>,
    follow: VecDeque<Follow>,
}

impl Engine {
    pub(crate) fn new(market: Market, accounts: impl Iterator<Item = (AccountId, Account)>) -> Self {
        let trader =
            |(id, account): (AccountId, Account)| (id, Trader::new(id, account.name, &account.balances));
        Self {
            market,
            orders: Orders::default(),
            traders: accounts.map(trader).collect(),
            disconnects: Disconnects::default(),
            locked: BTreeSet::new(),
            numbers: 403_691_823,
            news: News::default(),
            changed: Vec::new(),
            touched: BTreeSet::new(),
            follow: VecDeque::new(),
        }
    }

    /// One step of the market. `now_ms` only stamps what happens; while no client trades, what happens is the
    /// seed's alone.
    pub(crate) fn step(&mut self, now_ms: i64) {
        self.market.step_indices();
        for position in 0..self.market.instruments().len() {
            if self.check_open(position).is_err() {
                continue;
            }
            for _ in 0..self.market.begin_step(position) {
                if let Some((side, matches)) =
                    self.market.at_mut(position).and_then(|quoted| quoted.operate())
                {
                    self.settle_all(position, None, side, &matches, now_ms);
                    self.follow_up(now_ms);
                }
            }
            if let Some(quoted) = self.market.at_mut(position) {
                quoted.finish_step();
                quoted.keep_mark(now_ms);
            }
            self.follow_index(position, now_ms);
            self.touched.insert(position);
            self.finish(now_ms);
        }
    }

    /// What happened since this was last asked.
    pub(crate) fn take_news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    /// The trade objects of all accounts.
    pub(crate) fn all_trades(&self) -> impl Iterator<Item = &Value> {
        self.traders.values().flat_map(|trader| trader.trades.iter().map(|trade| &trade.object))
    }

    pub(crate) fn trader(&self, account: AccountId) -> Option<&Trader> {
        self.traders.get(&account)
    }

    /// Does what follows, numbers the books that changed, and writes the news.
    fn finish(&mut self, now_ms: i64) {
        self.follow_up(now_ms);
        while let Some(position) = self.touched.pop_first() {
            self.news.books.extend(self.market.commit(position, now_ms));
            self.fire_triggers(position, now_ms);
            self.follow_up(now_ms);
        }
        self.keep_trades();
        let mut seen = BTreeSet::new();
        for id in std::mem::take(&mut self.changed) {
            if seen.insert(id)
                && let Some(order) = self.orders.get(id)
            {
                let (account, instrument) = (order.account, order.ticket.instrument);
                self.news.orders.push(OrderNews { account, instrument, object: self.describe(order) });
            }
        }
    }

    /// Fills say what became of their order in the end.
    fn keep_trades(&mut self) {
        for trade in &mut self.news.trades {
            if trade.object["state"] != Value::Null {
                continue;
            }
            let state = self.orders.get(trade.order).map_or("archive", |order| order.state.word());
            trade.object["state"] = json!(state);
            if let Some(trader) = self.traders.get_mut(&trade.account) {
                trader.keep_trade(UserTrade {
                    instrument: trade.instrument,
                    order: trade.order,
                    seq: trade.seq,
                    number: trade.number,
                    ms: trade.ms,
                    object: trade.object.clone(),
                });
            }
        }
    }

    /// The order object.
    pub(crate) fn describe(&self, order: &Order) -> Value {
        let Some(quoted) = self.market.at(order.ticket.instrument) else { return Value::Null };
        let resting =
            order.ticket.price.and_then(|price| quoted.book.resting(order.ticket.side, price, order.id));
        order.describe(&quoted.terms, resting)
    }

    /// `{order, trades}`, with the fills since the last news.
    fn report(&self, id: OrderId) -> Value {
        let order = self.orders.get(id).map_or(Value::Null, |order| self.describe(order));
        json!({ "order": order, "trades": self.fills_of(id) })
    }

    fn fills_of(&self, id: OrderId) -> Vec<Value> {
        let fills = self.news.trades.iter().filter(|trade| trade.order == id);
        fills.map(|trade| trade.object.clone()).collect()
    }

    /// Changes an order, and what it binds of its account's funds.
    fn alter<T>(&mut self, id: OrderId, change: impl FnOnce(&mut Order) -> T) -> Option<T> {
        let before = self.orders.get(id).map(bound)?;
        let result = self.orders.change(id, change)?;
        let order = self.orders.get(id)?;
        let (after, account) = (bound(order), order.account);
        let (position, side) = (order.ticket.instrument, order.ticket.side);
        self.bind(account, (position, side), after - before);
        self.changed.push(id);
        self.touched.insert(position);
        Some(result)
    }

    fn bind(&mut self, account: AccountId, (position, side): (usize, Side), by: f64) {
        let Some(currency) = self.market.at(position).map(|quoted| quoted.terms.paid_in(side)) else {
            return;
        };
        if let Some(trader) = self.traders.get_mut(&account) {
            trader.purse(currency).bound += by;
        }
        if by != 0.0 {
            self.news.portfolios.insert((account, currency));
        }
    }

    fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

/// What a buy and a sell of an amount at a price would bind.
pub(crate) fn margins(quoted: &Quoted, amount: f64, price: f64) -> (f64, f64) {
    let steps = quoted.terms.amount.steps(amount).round() as i64;
    let of = |side| margin::order(quoted, side, steps, price);
    (of(Side::Bid), of(Side::Ask))
}

/// What an order binds: nothing once it is over, and nothing when it only reduces.
fn bound(order: &Order) -> f64 {
    if order.state.is_live() && !order.ticket.reduce_only { order.bound() } else { 0.0 }
}

#[cfg(test)]
mod tests;
