//! How an instrument's state looks on the wire: ticker, quote, trades, order book.

use serde_json::{Value, json};

use super::book::{Side, pairs};
use super::instrument::contracts;
use super::quoted::{Quoted, Status, Trade};

impl Quoted {
    /// The data of `ticker.*`, and the result of `public/ticker`.
    pub(crate) fn ticker(&self, now_ms: i64) -> Value {
        let (price, amount) = (self.terms.price, self.terms.amount);
        // An empty side shows as zero here.
        let best =
            |level: Option<(i64, i64)>| level.map_or((0.0, 0.0), |(p, a)| (price.value(p), amount.value(a)));
        let ((bid, bid_amount), (ask, ask_amount)) =
            (best(self.book.shown().best_bid()), best(self.book.shown().best_ask()));
        let (lowest, highest) = self.band();
        let mut ticker = json!({
            "instrument_name": self.terms.name, "timestamp": now_ms, "state": self.status.word(),
            "best_bid_price": bid, "best_bid_amount": bid_amount,
            "best_ask_price": ask, "best_ask_amount": ask_amount,
            "mark_price": self.mark, "index_price": self.index, "last_price": self.last,
            "min_price": lowest, "max_price": highest,
            "estimated_delivery_price": self.index, "stats": self.stats(),
        });
        if !self.terms.spot {
            ticker["open_interest"] = json!(self.open_interest);
            ticker["settlement_price"] = json!(self.day.first);
        }
        if let Some(price) = self.delivery {
            ticker["delivery_price"] = json!(price);
        }
        self.extend_ticker(&mut ticker);
        ticker
    }

    /// The instrument object.
    pub(crate) fn describe(&self) -> Value {
        let mut object = self.terms.describe(self.status != Status::Closed);
        object["state"] = json!(self.status.word());
        object
    }

    /// One element of `public/get_book_summary_*`.
    pub(crate) fn summary(&self) -> Value {
        let price = |level: Option<(i64, i64)>| level.map(|(price, _)| self.terms.price.value(price));
        let (bid, ask) = (price(self.book.shown().best_bid()), price(self.book.shown().best_ask()));
        let mid = bid.zip(ask).map(|(bid, ask)| (bid + ask) / 2.0);
        let traded = self.last.is_some();
        let mut summary = json!({
            "instrument_name": self.terms.name, "base_currency": self.terms.base,
            "quote_currency": self.terms.quote, "bid_price": bid, "ask_price": ask, "mid_price": mid,
            "mark_price": self.mark, "last": self.last, "high": traded.then_some(self.day.high),
            "low": traded.then_some(self.day.low),
            "creation_timestamp": self.valued_ms(), "estimated_delivery_price": self.index,
        });
        if !self.terms.spot {
            summary["open_interest"] = json!(self.open_interest);
        }
        let stats = self.stats();
        for name in ["volume", "volume_usd", "volume_notional", "price_change"] {
            summary[name] = stats[name].clone();
        }
        self.extend_summary(&mut summary);
        summary
    }

    fn extend_summary(&self, summary: &mut Value) {
        if self.terms.is_perpetual() {
            summary["current_funding"] = json!(0.0);
            summary["funding_8h"] = json!(round(self.terms.temper.basis * 0.11, 8));
        }
        if let Some(option) = self.terms.option {
            summary["mark_iv"] = json!(round(option.volatility * 100.0, 2));
            summary["underlying_price"] = json!(self.index);
            summary["underlying_index"] = json!("index_price");
            summary["interest_rate"] = json!(0.0);
        }
    }

    /// The data of `perpetual.*`.
    pub(crate) fn perpetual(&self, now_ms: i64) -> Value {
        let interest = round(self.terms.temper.basis * 0.11, 8);
        json!({ "interest": interest, "index_price": self.index, "timestamp": now_ms })
    }

    /// The data of `quote.*`. An empty side has no price.
    pub(crate) fn quote(&self) -> Value {
        let price = |level: Option<(i64, i64)>| level.map(|(price, _)| self.terms.price.value(price));
        let amount =
            |level: Option<(i64, i64)>| level.map_or(0.0, |(_, amount)| self.terms.amount.value(amount));
        let (bid, ask) = (self.book.shown().best_bid(), self.book.shown().best_ask());
        json!({
            "instrument_name": self.terms.name, "timestamp": self.changed_ms,
            "best_bid_price": price(bid), "best_bid_amount": amount(bid),
            "best_ask_price": price(ask), "best_ask_amount": amount(ask),
        })
    }

    /// The result of `public/get_order_book`.
    pub(crate) fn order_book(&self, depth: usize, now_ms: i64) -> Value {
        let mut book = self.ticker(now_ms);
        book["change_id"] = json!(self.change_id);
        book["timestamp"] = json!(self.changed_ms);
        for (key, side) in [("bids", Side::Bid), ("asks", Side::Ask)] {
            book[key] = pairs(&self.book.shown().top(side, depth), self.terms.price, self.terms.amount);
        }
        book
    }

    /// One element of the data of `trades.*`.
    pub(crate) fn trade(&self, trade: &Trade) -> Value {
        let amount = self.terms.amount.value(trade.fill.amount);
        let mut object = json!({
            "trade_id": trade.id, "trade_seq": trade.seq, "timestamp": trade.ms,
            "instrument_name": self.terms.name, "price": self.terms.price.value(trade.fill.price),
            "amount": amount, "contracts": contracts(&self.terms, amount),
            "direction": trade.fill.taker.direction(),
            "tick_direction": trade.tick_direction, "mark_price": trade.mark, "index_price": trade.index,
        });
        if let Some(option) = self.terms.option {
            object["iv"] = json!(round(option.volatility * 100.0, 2));
        }
        object
    }

    fn stats(&self) -> Value {
        let day = self.day;
        let change = if day.first > 0.0 { (self.mark / day.first - 1.0) * 100.0 } else { 0.0 };
        json!({
            "high": day.high, "low": day.low, "price_change": round(change, 4),
            "volume": round(day.volume, 8), "volume_usd": round(day.turnover, 2),
            "volume_notional": round(day.turnover, 2),
        })
    }

    fn extend_ticker(&self, ticker: &mut Value) {
        if self.terms.is_perpetual() {
            ticker["current_funding"] = json!(0.0);
            ticker["funding_8h"] = json!(round(self.terms.temper.basis * 0.11, 8));
            ticker["interest_value"] = json!(round(1.7 + self.terms.temper.basis, 8));
        }
        let (Some(terms), Some(value)) = (self.terms.option, self.valuation) else { return };
        let volatility = terms.volatility * 100.0;
        ticker["mark_iv"] = json!(round(volatility, 2));
        ticker["bid_iv"] =
            json!(if self.book.shown().bids.is_empty() { 0.0 } else { round(volatility - 0.7, 2) });
        ticker["ask_iv"] =
            json!(if self.book.shown().asks.is_empty() { 0.0 } else { round(volatility + 0.7, 2) });
        ticker["underlying_price"] = json!(self.index);
        ticker["underlying_index"] = json!(format!("SYN.{}", underlying(&self.terms.name)));
        ticker["interest_rate"] = json!(0.0);
        ticker["greeks"] = json!({
            "delta": round(value.delta, 5), "gamma": round(value.gamma, 5), "vega": round(value.vega, 5),
            "theta": round(value.theta, 5), "rho": round(value.rho, 5),
        });
    }
}

/// `BTC-25DEC26` of `BTC-25DEC26-90000-C`.
fn underlying(name: &str) -> String {
    name.splitn(3, '-').take(2).collect::<Vec<_>>().join("-")
}

fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}
