//! An account's funds in one currency, at the prices of now.

use super::position::Style;
use super::{Engine, margin};
use crate::accounts::AccountId;

/// What an account has in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Money {
    pub(crate) balance: f64,
    pub(crate) equity: f64,
    /// What can be bound by new orders.
    pub(crate) available: f64,
    pub(crate) initial: f64,
    pub(crate) maintenance: f64,
    /// Bound by open orders.
    pub(crate) bound: f64,
    pub(crate) futures_realized: f64,
    pub(crate) futures_floating: f64,
    pub(crate) options_value: f64,
    pub(crate) options_floating: f64,
    pub(crate) options_realized: f64,
    pub(crate) futures_delta: f64,
    pub(crate) options: Greeks,
}

/// The sensitivities of all options together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Greeks {
    pub(crate) delta: f64,
    pub(crate) gamma: f64,
    pub(crate) vega: f64,
    pub(crate) theta: f64,
}

impl Engine {
    /// Counts an account's money in one currency.
    pub(crate) fn money(&self, account: AccountId, currency: &str) -> Money {
        let Some(trader) = self.trader(account) else { return Money::default() };
        let purse = trader.purses.get(currency).copied().unwrap_or_default();
        let mut money = Money {
            balance: purse.balance,
            bound: purse.bound.max(0.0),
            futures_realized: purse.realized,
            ..Money::default()
        };
        for (position, held) in &trader.positions {
            if let Some(quoted) = self.market.at(*position).filter(|quoted| quoted.terms.pool == currency) {
                money.add(quoted, held);
            }
        }
        money.equity = money.balance + money.futures_realized + money.futures_floating + money.options_value;
        money.available = money.equity - money.initial - money.bound;
        money
    }
}

impl Money {
    fn add(&mut self, quoted: &crate::market::quoted::Quoted, held: &super::position::Position) {
        let amount = quoted.terms.amount.value(held.steps);
        let floating = Style::of(&quoted.terms).profit(amount, held.average, quoted.mark);
        let (initial, maintenance) = margin::position(quoted, held);
        self.initial += initial;
        self.maintenance += maintenance;
        match quoted.valuation {
            None => {
                self.futures_floating += floating;
                self.futures_delta += quoted.coins_of(amount);
            }
            Some(value) => {
                self.options_value += amount * quoted.mark;
                self.options_floating += floating;
                self.options_realized += held.realized;
                self.options.delta += amount * value.delta;
                self.options.gamma += amount * value.gamma;
                self.options.vega += amount * value.vega;
                self.options.theta += amount * value.theta;
            }
        }
    }
}
