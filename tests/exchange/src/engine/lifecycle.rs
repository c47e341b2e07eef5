//! Instruments come, stop and go, and days end.

use serde_json::json;

use super::kinds::{CancelReason, TimeInForce};
use super::news::InstrumentNews;
use super::order::{Order, OrderId};
use super::position::Style;
use super::trader::LogEntry;
use super::{Engine, reject};
use crate::accounts::AccountId;
use crate::api::error::ApiError;
use crate::market::book::Side;
use crate::market::calendar::DAY_MS;
use crate::market::quoted::Status;

impl Engine {
    /// Whether an instrument takes orders now.
    pub(super) fn check_open(&self, position: usize) -> Result<(), ApiError> {
        let quoted = self.market.at(position).ok_or_else(ApiError::instrument_not_found)?;
        match quoted.status {
            Status::Closed => Err(reject::ORDERBOOK_CLOSED),
            Status::Halted => Err(reject::BOOK_CLOSED),
            Status::Open if self.locked.contains(quoted.terms.index) => Err(reject::LOCKED_BY_ADMIN),
            Status::Open => Ok(()),
        }
    }

    /// Stops trading in an instrument, or lets it go on. False when there is no such instrument.
    pub(crate) fn halt(&mut self, name: &str, halted: bool, now_ms: i64) -> bool {
        let Some(position) = self.market.position(name) else { return false };
        let Some(quoted) = self.market.at_mut(position).filter(|q| q.status != Status::Closed) else {
            return false;
        };
        quoted.status = if halted { Status::Halted } else { Status::Open };
        self.tell_state(position, if halted { "halted" } else { "open" }, now_ms);
        true
    }

    /// Lists a new instrument beside one that is there: `BTC-27NOV26-65000-C` beside any other option of that date.
    pub(crate) fn list(&mut self, name: &str, now_ms: i64) -> bool {
        let Some(position) = self.market.list_beside(name, now_ms) else { return false };
        self.news.listed.push(position);
        self.tell_state(position, "created", now_ms);
        self.tell_state(position, "open", now_ms);
        true
    }

    /// Ends an instrument at the price of its index: orders are cancelled and positions delivered.
    pub(crate) fn expire(&mut self, name: &str, now_ms: i64) -> bool {
        let Some(position) = self.market.position(name) else { return false };
        self.cancel_settled(now_ms, |order| order.ticket.instrument == position);
        let Some(quoted) = self.market.at_mut(position).filter(|q| q.status != Status::Closed) else {
            return false;
        };
        quoted.close();
        let price = quoted.delivery.unwrap_or(0.0);
        let accounts: Vec<AccountId> = self.traders.keys().copied().collect();
        for account in accounts {
            self.deliver(account, position, price, now_ms);
        }
        self.touched.insert(position);
        self.finish(now_ms);
        self.tell_state(position, "delivered", now_ms);
        true
    }

    /// The end of a day: orders that were good for it are over, and futures' profits become cash.
    pub(crate) fn settle_day(&mut self, now_ms: i64) {
        self.cancel_settled(now_ms, |order| order.ticket.time_in_force == TimeInForce::GoodTilDay);
        let accounts: Vec<AccountId> = self.traders.keys().copied().collect();
        for account in accounts {
            self.settle_futures(account, now_ms);
        }
        self.finish(now_ms);
    }

    /// Whether 08:00 UTC lies between two moments.
    pub(crate) fn is_settlement_between(from_ms: i64, to_ms: i64) -> bool {
        let day = |ms: i64| (ms - DAY_MS / 3).div_euclid(DAY_MS);
        day(from_ms) < day(to_ms)
    }

    fn cancel_settled(&mut self, now_ms: i64, fits: impl Fn(&Order) -> bool) {
        let accounts: Vec<AccountId> = self.traders.keys().copied().collect();
        for account in accounts {
            let hit: Vec<OrderId> =
                self.orders.live(account).filter(|o| fits(o)).map(|order| order.id).collect();
            hit.into_iter().for_each(|id| self.close(id, Some(CancelReason::Settlement), now_ms));
        }
        self.finish(now_ms);
    }

    fn tell_state(&mut self, position: usize, state: &'static str, now_ms: i64) {
        let Some(quoted) = self.market.at(position) else { return };
        let object = json!({ "instrument_name": quoted.terms.name, "state": state, "timestamp": now_ms });
        self.news.instruments.push(InstrumentNews { position, object });
    }

    /// A position ends at the delivery price.
    fn deliver(&mut self, account: AccountId, position: usize, price: f64, now_ms: i64) {
        let (Some(quoted), Some(trader)) = (self.market.at(position), self.traders.get_mut(&account)) else {
            return;
        };
        let terms = &quoted.terms;
        let Some(held) = trader.positions.get_mut(&position).filter(|held| held.steps != 0) else { return };
        let steps = held.steps;
        let side = if steps > 0 { Side::Ask } else { Side::Bid };
        let profit = held.fill(terms, side, steps.abs(), price);
        let change = match terms.option {
            Some(_) => Style::Linear.value(terms.amount.value(steps), price),
            None => profit,
        };
        trader.purse(terms.pool).balance += change;
        self.settled(account, position, "delivery", (steps, change, profit), now_ms);
    }

    /// Realized and floating profits of futures become cash, and the mark price the price that they were made at.
    fn settle_futures(&mut self, account: AccountId, now_ms: i64) {
        let Some(trader) = self.traders.get(&account) else { return };
        let held: Vec<(usize, i64)> = trader.positions.iter().map(|(p, held)| (*p, held.steps)).collect();
        for (position, steps) in held {
            let (Some(quoted), Some(trader)) = (self.market.at(position), self.traders.get_mut(&account))
            else {
                continue;
            };
            if quoted.terms.option.is_some() || steps == 0 {
                continue;
            }
            let Some(held) = trader.positions.get_mut(&position) else { continue };
            let amount = quoted.terms.amount.value(steps);
            let floating = Style::of(&quoted.terms).profit(amount, held.average, quoted.mark);
            held.average = quoted.mark;
            trader.purse(quoted.terms.pool).balance += floating;
            self.settled(account, position, "settlement", (steps, floating, floating), now_ms);
        }
        if let Some(trader) = self.traders.get_mut(&account) {
            for purse in trader.purses.values_mut() {
                purse.balance += std::mem::take(&mut purse.realized);
            }
        }
    }

    fn settled(
        &mut self,
        account: AccountId,
        position: usize,
        kind: &'static str,
        (steps, change, profit): (i64, f64, f64),
        now_ms: i64,
    ) {
        let (Some(quoted), Some(trader)) = (self.market.at(position), self.traders.get_mut(&account)) else {
            return;
        };
        let terms = &quoted.terms;
        let balance = trader.purse(terms.pool).balance;
        trader.log_count += 1;
        let side = if steps > 0 { "long" } else { "short" };
        let object = json!({
            "type": kind, "timestamp": now_ms, "instrument_name": terms.name, "currency": terms.pool,
            "side": side, "position": terms.amount.value(steps), "amount": terms.amount.value(steps).abs(),
            "price": quoted.delivery.unwrap_or(quoted.mark), "price_currency": terms.quote, "change": change,
            "cashflow": change, "balance": balance, "commission": null, "interest_pl": 0.0, "trade_id": null,
            "order_id": null, "session_upl": profit, "session_rpl": 0.0,
            "info": { "settlement_price": quoted.delivery.unwrap_or(quoted.mark), "floating_pl": profit },
        });
        let entry = LogEntry { id: trader.log_count, ms: now_ms, currency: terms.pool, kind, object };
        trader.keep_entry(entry);
        trader.settlements.push(json!({
            "type": kind, "timestamp": now_ms, "instrument_name": terms.name, "mark_price": quoted.mark,
            "index_price": quoted.index, "position": terms.amount.value(steps), "profit_loss": profit,
            "session_profit_loss": change,
        }));
        self.news.portfolios.insert((account, terms.pool));
    }
}
