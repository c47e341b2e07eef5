//! Positions and money as the wire has them.

use serde_json::{Map, Value, json};

use super::money::Money;
use super::position::{Position, Style};
use super::{Engine, margin};
use crate::accounts::AccountId;
use crate::market::quoted::Quoted;

impl Engine {
    /// The position object of an account in an instrument; of size zero where there is none.
    pub(crate) fn position(&self, account: AccountId, position: usize) -> Option<Value> {
        let quoted = self.market.at(position).filter(|quoted| !quoted.terms.spot)?;
        let held = self.trader(account)?.positions.get(&position).copied().unwrap_or_default();
        let orders = self.orders.live(account).filter(|order| order.ticket.instrument == position);
        let bound: f64 = orders.map(super::bound).sum();
        Some(describe(quoted, &held, bound))
    }

    /// The positions of an account that there are, or were.
    pub(crate) fn held(&self, account: AccountId) -> Vec<usize> {
        self.trader(account).map(|trader| trader.positions.keys().copied().collect()).unwrap_or_default()
    }

    /// The data of `user.portfolio`, and the heart of an account summary.
    pub(crate) fn portfolio(&self, account: AccountId, currency: &str) -> Value {
        let money = self.money(account, currency);
        let mut object = totals(currency, &money);
        let index = format!("{}_usd", currency.to_lowercase());
        let mut maps = Map::new();
        let has_index = self.market.index(&index).is_some();
        for (name, value) in [
            ("delta_total_map", money.futures_delta + money.options.delta),
            ("options_gamma_map", money.options.gamma),
            ("options_vega_map", money.options.vega),
            ("options_theta_map", money.options.theta),
            ("estimated_liquidation_ratio_map", 0.0),
        ] {
            let of_index = if has_index { json!({ index.as_str(): round(value) }) } else { json!({}) };
            maps.insert(name.to_owned(), of_index);
        }
        if let Some(members) = object.as_object_mut() {
            members.append(&mut maps);
        }
        object
    }
}

fn totals(currency: &str, money: &Money) -> Value {
    let session_upl = money.futures_floating + money.options_floating;
    let session_rpl = money.futures_realized + money.options_realized;
    let delta = money.futures_delta + money.options.delta;
    json!({
        "currency": currency, "balance": round(money.balance), "equity": round(money.equity),
        "margin_balance": round(money.equity - money.options_value), "margin_model": "segregated_sm",
        "available_funds": round(money.available), "available_withdrawal_funds": round(money.available.max(0.0)),
        "initial_margin": round(money.initial + money.bound),
        "maintenance_margin": round(money.maintenance),
        "projected_initial_margin": round(money.initial), "projected_maintenance_margin": round(money.maintenance),
        "session_upl": round(session_upl), "session_rpl": round(session_rpl),
        "total_pl": round(session_upl + session_rpl),
        "futures_pl": round(money.futures_floating + money.futures_realized),
        "futures_session_upl": round(money.futures_floating),
        "futures_session_rpl": round(money.futures_realized),
        "options_pl": round(money.options_floating + money.options_realized),
        "options_session_upl": round(money.options_floating),
        "options_session_rpl": round(money.options_realized), "options_value": round(money.options_value),
        "options_delta": round(money.options.delta), "options_gamma": round(money.options.gamma),
        "options_vega": round(money.options.vega), "options_theta": round(money.options.theta),
        "delta_total": round(delta), "projected_delta_total": round(delta), "fee_balance": 0.0,
        "spot_reserve": 0.0, "additional_reserve": 0.0, "estimated_liquidation_ratio": 0.0,
        "portfolio_margining_enabled": false, "cross_collateral_enabled": false,
    })
}

fn describe(quoted: &Quoted, held: &Position, bound: f64) -> Value {
    let terms = &quoted.terms;
    let amount = terms.amount.value(held.steps);
    let floating = Style::of(terms).profit(amount, held.average, quoted.mark);
    let (initial, maintenance) = margin::position(quoted, held);
    let direction = match held.steps {
        0 => "zero",
        1.. => "buy",
        _ => "sell",
    };
    let mut object = json!({
        "instrument_name": terms.name, "kind": terms.kind(), "direction": direction, "size": amount,
        "average_price": held.average, "mark_price": quoted.mark, "index_price": quoted.index,
        "settlement_price": quoted.day.first, "floating_profit_loss": round(floating),
        "realized_profit_loss": round(held.realized), "total_profit_loss": round(floating + held.realized),
        "initial_margin": round(initial), "maintenance_margin": round(maintenance),
        "open_orders_margin": round(bound), "delta": round(quoted.coins_of(amount) * quoted.delta()),
    });
    let mut set = |name: &str, value: f64| object[name] = json!(round(value));
    match quoted.valuation {
        None => {
            set("size_currency", quoted.coins_of(amount));
            set("leverage", 50.0);
            if terms.is_perpetual() {
                set("realized_funding", 0.0);
                set("interest_value", 1.7 + terms.temper.basis);
            }
        }
        Some(value) => {
            set("gamma", amount * value.gamma);
            set("vega", amount * value.vega);
            set("theta", amount * value.theta);
            let dollars = if terms.linear { 1.0 } else { quoted.index };
            set("average_price_usd", held.average * dollars);
            set("floating_profit_loss_usd", floating * dollars);
        }
    }
    object
}

/// To a billionth, as far as anyone looks.
fn round(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}
