//! The channels of an account: its orders, fills, positions and money.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::name::{Filter, Interval, Private};
use crate::accounts::AccountId;
use crate::api::filters::CURRENCIES;
use crate::engine::Engine;
use crate::engine::news::News;

/// Orders and fills of one instrument that are not told yet.
#[derive(Debug, Default)]
struct Changes {
    orders: Vec<Value>,
    trades: Vec<Value>,
}

/// One private channel of one account.
#[derive(Debug)]
pub(super) struct UserFeed {
    channel: Private,
    account: AccountId,
    changes: BTreeMap<usize, Changes>,
    frames: Vec<Value>,
    currencies: BTreeSet<&'static str>,
}

impl UserFeed {
    pub(super) fn open(channel: Private, account: AccountId) -> Self {
        let (changes, frames, currencies) = Default::default();
        Self { channel, account, changes, frames, currencies }
    }

    /// What a new reader gets at once.
    pub(super) fn greeting(&self, engine: &Engine) -> Vec<Value> {
        match &self.channel {
            Private::Portfolio(currency) => self.portfolio(engine, currency, |_| true),
            _ => Vec::new(),
        }
    }

    pub(super) fn hear(&mut self, news: &News, engine: &Engine) {
        let account = self.account;
        let fits = |filter: &Filter, position: usize| {
            engine.market.at(position).is_some_and(|quoted| filter.fits(&quoted.terms))
        };
        match &self.channel {
            Private::Orders(filter, interval) => {
                let mine = news.orders.iter().filter(|order| order.account == account);
                for order in mine.filter(|order| fits(filter, order.instrument)) {
                    add_order(&mut self.frames, &order.object, *interval == Interval::Raw);
                }
            }
            Private::Trades(filter, _) => {
                let mine = news.trades.iter().filter(|trade| trade.account == account);
                let mine = mine.filter(|trade| fits(filter, trade.instrument));
                self.frames.extend(mine.map(|trade| trade.object.clone()));
            }
            Private::Changes(filter, _) => {
                for order in news.orders.iter().filter(|order| order.account == account) {
                    if fits(filter, order.instrument) {
                        let changes = self.changes.entry(order.instrument).or_default();
                        add_order(&mut changes.orders, &order.object, false);
                    }
                }
                for trade in news.trades.iter().filter(|trade| trade.account == account) {
                    if fits(filter, trade.instrument) {
                        self.changes.entry(trade.instrument).or_default().trades.push(trade.object.clone());
                    }
                }
            }
            Private::Portfolio(_) => {
                let mine = news.portfolios.iter().filter(|(of, _)| *of == account);
                self.currencies.extend(mine.map(|(_, currency)| *currency));
            }
            Private::MmpTrigger(index) => {
                let mine = news.mmp.iter().filter(|mmp| mmp.account == account && mmp.index == *index);
                self.frames.extend(mine.map(|mmp| mmp.object.clone()));
            }
            Private::AccessLog | Private::Lock | Private::Silent => {}
        }
    }

    /// How often the channel speaks.
    pub(super) fn interval(&self) -> Interval {
        match &self.channel {
            Private::Orders(_, interval) | Private::Trades(_, interval) | Private::Changes(_, interval) => {
                *interval
            }
            Private::Portfolio(_) => Interval::Ms100,
            _ => Interval::Raw,
        }
    }

    /// What there is to say now.
    pub(super) fn next(&mut self, engine: &Engine) -> Vec<Value> {
        match &self.channel {
            Private::Orders(_, Interval::Raw) | Private::MmpTrigger(_) => std::mem::take(&mut self.frames),
            Private::Orders(..) | Private::Trades(..) => {
                let items = std::mem::take(&mut self.frames);
                if items.is_empty() { Vec::new() } else { vec![Value::Array(items)] }
            }
            Private::Changes(..) => {
                let changes = std::mem::take(&mut self.changes).into_iter();
                changes.filter_map(|(position, changes)| self.change(engine, position, changes)).collect()
            }
            Private::Portfolio(currency) => {
                let news = std::mem::take(&mut self.currencies);
                self.portfolio(engine, currency, |currency| news.contains(currency))
            }
            Private::AccessLog | Private::Lock | Private::Silent => Vec::new(),
        }
    }

    fn change(&self, engine: &Engine, position: usize, changes: Changes) -> Option<Value> {
        let name = &engine.market.at(position)?.terms.name;
        let held = if changes.trades.is_empty() { None } else { engine.position(self.account, position) };
        Some(json!({
            "instrument_name": name, "orders": changes.orders, "trades": changes.trades,
            "positions": held.into_iter().collect::<Vec<_>>(),
        }))
    }

    fn portfolio(&self, engine: &Engine, asked: &str, wanted: impl Fn(&str) -> bool) -> Vec<Value> {
        let currencies = CURRENCIES.into_iter();
        let fitting =
            currencies.filter(|currency| (asked == "any" || asked == *currency) && wanted(currency));
        fitting.map(|currency| engine.portfolio(self.account, currency)).collect()
    }
}

/// Adds an order's newest state; in a list that is told at once in one frame, only the last of each counts.
fn add_order(list: &mut Vec<Value>, object: &Value, every_state: bool) {
    if !every_state {
        list.retain(|old| old["order_id"] != object["order_id"]);
    }
    list.push(object.clone());
}
