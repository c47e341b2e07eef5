//! What an instrument is: its fixed terms, and the object that describes it on the wire.

use serde_json::{Map, Value, json};

use super::book::Side;

/// The expiration of an instrument that never expires.
pub(crate) const NEVER_MS: i64 = 32_503_708_800_000;

/// A scale of whole steps: `steps * num / den` is the value. Dividing whole numbers gives the float nearest
/// to the decimal, which multiplying by `0.05` would not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) num: i64,
    pub(crate) den: i64,
}

impl Grid {
    pub(crate) const fn new(num: i64, den: i64) -> Self {
        Self { num, den }
    }

    pub(crate) fn value(self, steps: i64) -> f64 {
        (steps * self.num) as f64 / self.den as f64
    }

    /// The value of a number of steps that need not be whole.
    pub(crate) fn at(self, steps: f64) -> f64 {
        steps * self.num as f64 / self.den as f64
    }

    /// Whole steps in a value, when it is one of the scale.
    pub(crate) fn whole(self, value: f64) -> Option<i64> {
        let steps = self.steps(value);
        let nearest = steps.round();
        // A decimal literal is off by less than this, and the next value of the scale by more.
        let near = (steps - nearest).abs() <= 1e-7 * nearest.abs().max(1.0);
        (near && nearest.abs() < 9e15).then_some(nearest as i64)
    }

    /// Steps in a value, not rounded.
    pub(crate) fn steps(self, value: f64) -> f64 {
        value * self.den as f64 / self.num as f64
    }

    pub(crate) fn step(self) -> f64 {
        self.value(1)
    }
}

/// An amount counted in contracts.
pub(crate) fn contracts(terms: &Instrument, amount: f64) -> f64 {
    let contracts = amount / terms.contract_size.as_f64().unwrap_or(1.0);
    (contracts * 1e6).round() / 1e6
}

/// An option's own terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OptionTerms {
    pub(crate) strike: f64,
    pub(crate) call: bool,
    /// Implied volatility, as a fraction.
    pub(crate) volatility: f64,
}

/// How an instrument trades in this market.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Temper {
    /// Book operations per step.
    pub(crate) activity: f64,
    /// Levels a side.
    pub(crate) depth: usize,
    /// Usual amount of a level, in steps.
    pub(crate) size: i64,
    /// How far the mark stands from the index, as a fraction.
    pub(crate) basis: f64,
    /// Whether a side is empty now and then.
    pub(crate) hollow: bool,
}

/// The fixed terms of an instrument.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instrument {
    pub(crate) name: String,
    pub(crate) id: u64,
    /// The currency whose matching engine runs the book; instruments of one pool share the change counter.
    pub(crate) pool: &'static str,
    pub(crate) base: &'static str,
    pub(crate) quote: &'static str,
    pub(crate) counter: &'static str,
    pub(crate) index: &'static str,
    pub(crate) linear: bool,
    pub(crate) period: &'static str,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) price: Grid,
    pub(crate) amount: Grid,
    /// Above this many steps of price, only multiples of so many steps are prices.
    pub(crate) coarse: Option<(i64, i64)>,
    pub(crate) contract_size: Value,
    pub(crate) option: Option<OptionTerms>,
    /// What is traded are the coins themselves: there are no positions, and nothing is settled.
    pub(crate) spot: bool,
    pub(crate) temper: Temper,
}

impl Instrument {
    pub(crate) fn kind(&self) -> &'static str {
        match self.option {
            Some(_) => "option",
            None if self.spot => "spot",
            None => "future",
        }
    }

    pub(crate) fn is_perpetual(&self) -> bool {
        self.expires_ms == NEVER_MS && !self.spot
    }

    /// The currency that an order binds.
    pub(crate) fn paid_in(&self, side: Side) -> &'static str {
        match side {
            Side::Ask if self.spot => self.base,
            Side::Bid | Side::Ask => self.pool,
        }
    }

    /// The distance between prices near this one, in steps.
    pub(crate) fn tick_at(&self, price_steps: f64) -> i64 {
        match self.coarse {
            Some((above, tick)) if price_steps > above as f64 => tick,
            _ => 1,
        }
    }

    /// Whether a group width of the grouped book is one that this instrument offers, and how many steps it is.
    pub(crate) fn group_steps(&self, group: &str) -> Option<i64> {
        if group == "none" {
            return Some(1);
        }
        let width: i64 = group.parse().ok()?;
        let steps = self.price.steps(width as f64);
        let offered = ["1", "2", "5", "10", "25", "100", "250"].contains(&group);
        (offered && self.option.is_none() && steps >= 1.0 && steps.fract() == 0.0).then_some(steps as i64)
    }

    /// The instrument object of `public/get_instrument`.
    pub(crate) fn describe(&self, is_active: bool) -> Value {
        let mut object = json!({
            "instrument_name": self.name, "instrument_id": self.id, "kind": self.kind(),
            "base_currency": self.base, "quote_currency": self.quote, "counter_currency": self.counter,
            "price_index": self.index,
            "instrument_type": if self.linear { "linear" } else { "reversed" },
            "is_active": is_active,
            "creation_timestamp": self.created_ms, "expiration_timestamp": self.expires_ms,
            "tick_size": self.price.step(), "tick_size_steps": self.tick_steps(),
            "min_trade_amount": self.amount.step(), "contract_size": self.contract_size,
        });
        if !self.spot {
            object["settlement_currency"] = json!(self.pool);
            object["settlement_period"] = json!(self.period);
        }
        if let Some(members) = object.as_object_mut() {
            members.append(&mut self.fees());
            members.append(&mut self.option_terms());
        }
        object
    }

    fn tick_steps(&self) -> Value {
        let steps = self.coarse.map(|(above, tick)| {
            json!({ "above_price": self.price.value(above), "tick_size": self.price.value(tick) })
        });
        steps.into_iter().collect()
    }

    /// What makers and takers pay.
    pub(crate) fn commissions(&self) -> (f64, f64) {
        match self.kind() {
            "option" => (0.0003, 0.0003),
            "spot" => (0.0, 0.0),
            _ => (0.0, 0.0005),
        }
    }

    fn fees(&self) -> Map<String, Value> {
        let (maker, taker) = self.commissions();
        let fees = match self.option {
            Some(_) => json!({
                "maker_commission": maker, "taker_commission": taker, "block_trade_commission": 0.00015,
                "block_trade_tick_size": 0.0001, "block_trade_min_trade_amount": 25,
            }),
            None if self.spot => json!({ "maker_commission": maker, "taker_commission": taker }),
            None => json!({
                "maker_commission": maker, "taker_commission": taker, "block_trade_commission": 0.00025,
                "block_trade_tick_size": 0.01, "block_trade_min_trade_amount": 200_000,
                "max_leverage": 50, "max_liquidation_commission": 0.0075,
            }),
        };
        fees.as_object().cloned().unwrap_or_default()
    }

    fn option_terms(&self) -> Map<String, Value> {
        let terms = self.option.map(
            |terms| json!({ "strike": terms.strike, "option_type": if terms.call { "call" } else { "put" } }),
        );
        terms.as_ref().and_then(Value::as_object).cloned().unwrap_or_default()
    }
}
