//! What a match means for those who were in it.

use serde_json::{Value, json};

use super::Engine;
use super::book::{Maker, Match};
use super::kinds::{Kind, State};
use super::linked::Follow;
use super::margin;
use super::mmp::Exposure;
use super::news::TradeNews;
use super::order::OrderId;
use super::position::Style;
use super::trader::LogEntry;
use crate::accounts::AccountId;
use crate::market::book::Side;
use crate::market::instrument::contracts;
use crate::market::quoted::{Fill, Quoted, Trade};

/// A trade, from the side of one order in it.
struct Part<'a> {
    order: OrderId,
    side: Side,
    maker: bool,
    trade: &'a Trade,
    now_ms: i64,
}

impl Engine {
    /// Settles matches of one taker: a client's order, or the crowd.
    pub(super) fn settle_all(
        &mut self,
        position: usize,
        taker: Option<OrderId>,
        side: Side,
        matches: &[Match],
        now_ms: i64,
    ) {
        for one in matches {
            let fill = Fill { taker: side, price: one.price, amount: one.amount };
            let Some(trade) = self.market.record(position, fill, now_ms).cloned() else { return };
            if let Some(order) = taker {
                self.settle(position, &Part { order, side, maker: false, trade: &trade, now_ms });
            }
            if let Maker::Order(order) = one.maker {
                self.settle(
                    position,
                    &Part { order, side: side.other(), maker: true, trade: &trade, now_ms },
                );
            }
        }
    }

    fn settle(&mut self, position: usize, part: &Part<'_>) {
        let Fill { price, amount, .. } = part.trade.fill;
        self.alter(part.order, |order| {
            order.filled += amount;
            order.turnover += i128::from(price) * i128::from(amount);
            order.updated_ms = part.now_ms;
            if order.left() == 0 {
                order.state = State::Filled;
            }
        });
        self.book_fill(position, part);
        self.protect(position, part);
        self.follow.push_back(Follow::Filled(part.order));
        if self.orders.get(part.order).is_some_and(|order| order.left() == 0) {
            self.follow.push_back(Follow::Closed(part.order));
        }
    }

    /// Writes a fill into the account's books.
    fn book_fill(&mut self, position: usize, part: &Part<'_>) {
        let (Some(quoted), Some(order)) = (self.market.at(position), self.orders.get(part.order)) else {
            return;
        };
        let (terms, account) = (&quoted.terms, order.account);
        let price = terms.price.value(part.trade.fill.price);
        let steps = part.trade.fill.amount;
        let fee = margin::fee(quoted, steps, price, part.maker);
        let Some(trader) = self.traders.get_mut(&account) else { return };
        let bought = part.side.sign() as f64 * terms.amount.value(steps);
        let (mut profit, mut after, mut closes) = (0.0, 0, false);
        if terms.spot {
            trader.purse(terms.base).balance += bought;
        } else {
            let held = trader.positions.entry(position).or_default();
            closes = held.steps.signum() == -part.side.sign();
            profit = held.fill(terms, part.side, steps, price);
            after = held.steps;
        }
        let purse = trader.purse(terms.pool);
        // What is paid at once.
        let premium = match terms.kind() {
            "option" | "spot" => -Style::Linear.value(bought, price),
            _ => {
                purse.realized += profit;
                0.0
            }
        };
        purse.balance += premium - fee;
        let balance = purse.balance;
        let mut object = trade_object(quoted, part, fee);
        let order = &order.ticket;
        object["order_type"] = json!(if order.kind.has_price() { Kind::Limit } else { Kind::Market }.word());
        for (key, value) in [("post_only", json!(order.post_only)), ("mmp", json!(order.mmp))] {
            object[key] = value;
        }
        if !terms.spot {
            object["profit_loss"] = json!(if closes { profit } else { 0.0 });
            object["reduce_only"] = json!(order.reduce_only);
        }
        if !order.label.is_empty() {
            object["label"] = json!(order.label);
        }
        let entry = log_entry(quoted, part, &object, (premium - fee, balance, after, closes));
        trader.log_count += 1;
        let id = trader.log_count;
        let entry = LogEntry { id, ms: part.now_ms, currency: terms.pool, kind: "trade", object: entry };
        trader.keep_entry(entry);
        self.tell(account, position, part, object);
    }

    fn tell(&mut self, account: AccountId, position: usize, part: &Part<'_>, mut object: Value) {
        let Some(order) = self.orders.get(part.order) else { return };
        object["order_id"] = json!(order.name);
        if let Some(tag) = &order.quote {
            object["quote_id"] = json!(tag.quote_id);
            object["quote_set_id"] = json!(tag.set_id);
        }
        if let Some((advanced, _)) = order.ticket.advanced {
            object["advanced"] = json!(advanced.word());
        }
        let (number, seq, ms) = (part.trade.number(), part.trade.seq, part.trade.ms);
        let order = part.order;
        self.news.trades.push(TradeNews { account, instrument: position, order, seq, number, ms, object });
        if let Some(quoted) = self.market.at(position) {
            self.news.portfolios.insert((account, quoted.terms.pool));
            if quoted.terms.spot {
                self.news.portfolios.insert((account, quoted.terms.base));
            }
        }
        self.follow.push_back(Follow::Moved(account, position));
    }

    /// Counts a fill against the protection of its order.
    fn protect(&mut self, position: usize, part: &Part<'_>) {
        let (Some(quoted), Some(order)) = (self.market.at(position), self.orders.get(part.order)) else {
            return;
        };
        if !order.ticket.mmp {
            return;
        }
        let coins = quoted.coins(part.trade.fill);
        let sign = part.side.sign() as f64;
        let (delta, vega) = quoted.valuation.map_or((1.0, 0.0), |value| (value.delta, value.vega));
        let exposure = Exposure {
            ms: part.now_ms,
            quantity: coins,
            delta: sign * coins * delta,
            vega: sign * coins * vega,
        };
        let scope = (quoted.terms.index.to_owned(), order.quote.as_ref().map(|tag| tag.group.clone()));
        self.expose(order.account, scope, exposure);
    }
}

/// The trade object, as far as the trade itself goes.
fn trade_object(quoted: &Quoted, part: &Part<'_>, fee: f64) -> Value {
    let terms = &quoted.terms;
    let amount = terms.amount.value(part.trade.fill.amount);
    let mut object = json!({
        "trade_id": part.trade.id, "trade_seq": part.trade.seq, "instrument_name": terms.name,
        "timestamp": part.trade.ms, "direction": part.side.direction(), "amount": amount,
        "price": terms.price.value(part.trade.fill.price), "contracts": contracts(terms, amount),
        "tick_direction": part.trade.tick_direction, "mark_price": part.trade.mark,
        "index_price": part.trade.index, "liquidity": if part.maker { "M" } else { "T" }, "fee": fee,
        "fee_currency": terms.pool, "matching_id": null, "state": null, "api": true, "risk_reducing": false,
    });
    if let Some(option) = terms.option {
        object["iv"] = json!((option.volatility * 1e4).round() / 1e2);
        object["underlying_price"] = json!(quoted.index);
    }
    object
}

/// The same in the transaction log.
fn log_entry(
    quoted: &Quoted,
    part: &Part<'_>,
    trade: &Value,
    (change, balance, position, closes): (f64, f64, i64, bool),
) -> Value {
    let terms = &quoted.terms;
    let side = format!("{} {}", if closes { "close" } else { "open" }, part.side.direction());
    json!({
        "type": "trade", "trade_id": trade["trade_id"], "timestamp": part.now_ms, "side": side,
        "user_role": if part.maker { "maker" } else { "taker" }, "price": trade["price"],
        "price_currency": if terms.option.is_some() { terms.pool } else { terms.quote },
        "position": terms.amount.value(position), "mark_price": trade["mark_price"],
        "index_price": trade["index_price"], "interest_pl": 0.0, "instrument_name": terms.name,
        "info": "Source: api", "currency": terms.pool, "commission": trade["fee"], "change": change,
        "cashflow": change, "balance": balance, "amount": trade["amount"], "contracts": trade["contracts"],
        "profit_as_cashflow": false, "fee_role": if part.maker { "maker" } else { "taker" },
    })
}
