//! Prices on an instrument's ticks, amounts on its steps.

use crate::deribit::data::{Instrument, InstrumentType, Kind};

/// Which way to round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the lower neighbour: bids that may not pay more.
    Down,
    /// To the higher neighbour: asks that may not take less.
    Up,
    /// To the nearer neighbour; halfway away from zero.
    Nearest,
}

/// How far a number may be from a multiple, in steps, to count as one: what arithmetic with decimal fractions as `f64`
/// leaves behind is far less, and a typing error far more.
const TOLERANCE: f64 = 1e-6;

/// # Rounding
///
/// ```
/// use steadysocket::deribit::{Rounding, data::Instrument};
/// let option: Instrument = serde_json::from_str(
///     r#"{"instrument_name": "BTC-27JUN25-100000-C", "kind": "option", "base_currency": "BTC", "contract_size": 1,
///         "tick_size": 0.0001, "tick_size_steps": [{"above_price": 0.005, "tick_size": 0.0005}],
///         "min_trade_amount": 0.1}"#,
/// )?;
/// assert_eq!(option.round_price(0.00478, Rounding::Nearest), 0.0048);
/// assert_eq!(option.round_price(0.04178, Rounding::Up), 0.042);
/// assert_eq!(option.round_amount(0.37, Rounding::Down), 0.3);
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Instrument {
    /// The step of prices at this price. Steps of higher prices begin above their bound; on it both fit.
    pub fn tick_size_at(&self, price: f64) -> f64 {
        let steps = self.tick_size_steps.iter().filter(|step| price.abs() > step.above_price);
        let highest = steps.max_by(|one, other| one.above_price.total_cmp(&other.above_price));
        highest.map_or(self.tick_size, |step| step.tick_size)
    }

    /// The nearest price that an order may have, without the digits that arithmetic leaves behind.
    pub fn round_price(&self, price: f64, rounding: Rounding) -> f64 {
        round(price, self.tick_size_at(price), rounding)
    }

    /// The price as it is to be sent, when it lies on a tick.
    pub fn price_on_tick(&self, price: f64) -> Option<f64> {
        on_step(price, self.tick_size_at(price))
    }

    /// The next higher price that an order may have.
    pub fn tick_above(&self, price: f64) -> f64 {
        let rounded = self.round_price(price, Rounding::Up);
        if rounded > price { rounded } else { self.moved(rounded, 1.0) }
    }

    /// The next lower price that an order may have.
    pub fn tick_below(&self, price: f64) -> f64 {
        let rounded = self.round_price(price, Rounding::Down);
        if rounded < price { rounded } else { self.moved(rounded, -1.0) }
    }

    /// One tick further: by the step of where it leads to, which differs on a bound.
    fn moved(&self, price: f64, direction: f64) -> f64 {
        let nudge = direction * self.tick_size * 0.5;
        let tick = self.tick_size_at(price + nudge);
        round(price + direction * tick, tick, Rounding::Nearest)
    }

    /// The step of amounts: contracts, or where less than one can be traded, the smallest amount.
    pub fn amount_step(&self) -> f64 {
        self.contract_size.min(self.min_trade_amount)
    }

    /// The nearest amount that an order may have. Rounding down may give 0, which no order may have.
    pub fn round_amount(&self, amount: f64, rounding: Rounding) -> f64 {
        let rounded = round(amount, self.amount_step(), rounding);
        match rounding {
            _ if rounded >= self.min_trade_amount => rounded,
            Rounding::Up => self.min_trade_amount,
            Rounding::Nearest if amount * 2.0 >= self.min_trade_amount => self.min_trade_amount,
            Rounding::Nearest | Rounding::Down => 0.0,
        }
    }

    /// The amount as it is to be sent, when an order may have it.
    pub fn valid_amount(&self, amount: f64) -> Option<f64> {
        on_step(amount, self.amount_step()).filter(|amount| *amount >= self.min_trade_amount)
    }

    /// An amount in contracts.
    pub fn contracts(&self, amount: f64) -> f64 {
        tidy(amount / self.contract_size, 1e-9)
    }

    /// Contracts as an amount.
    pub fn amount_of(&self, contracts: f64) -> f64 {
        tidy(contracts * self.contract_size, self.amount_step())
    }

    /// Whether it is an option, or a combination of options.
    pub fn is_option(&self) -> bool {
        matches!(self.kind, Kind::Option | Kind::OptionCombo)
    }

    /// Whether it is linear: settled in the quote currency, with amounts in the base currency.
    pub fn is_linear(&self) -> bool {
        let kind = self.instrument_type.as_ref().or(self.future_type.as_ref());
        kind == Some(&InstrumentType::Linear)
    }
}

/// The multiple of `step` next to a value.
fn round(value: f64, step: f64, rounding: Rounding) -> f64 {
    if !(step > 0.0 && value.is_finite()) {
        return value;
    }
    let steps = value / step;
    let nearest = steps.round();
    let steps = match rounding {
        // It is on a step, but for what arithmetic left behind.
        _ if (steps - nearest).abs() < TOLERANCE => nearest,
        Rounding::Down => steps.floor(),
        Rounding::Up => steps.ceil(),
        Rounding::Nearest => nearest,
    };
    tidy(steps * step, step)
}

/// The value without what arithmetic left behind, when it is a multiple of `step`.
fn on_step(value: f64, step: f64) -> Option<f64> {
    let rounded = round(value, step, Rounding::Nearest);
    (value.is_finite() && (rounded - value).abs() <= step * TOLERANCE).then_some(rounded)
}

/// The decimal fraction with no more digits after the point than `step` has, that is nearest to a value.
fn tidy(value: f64, step: f64) -> f64 {
    let digits = format!("{step}");
    let places = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    format!("{value:.places$}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn instrument(tick: f64, steps: &[(f64, f64)], min: f64, contract: f64) -> Instrument {
        let steps: Vec<_> = steps
            .iter()
            .map(|(above, tick)| serde_json::json!({"above_price": above, "tick_size": tick}))
            .collect();
        serde_json::from_value(serde_json::json!({
            "instrument_name": "X", "kind": "option", "base_currency": "BTC", "tick_size": tick,
            "tick_size_steps": steps, "min_trade_amount": min, "contract_size": contract,
        }))
        .unwrap()
    }

    #[test]
    fn prices_on_ticks() {
        let perpetual = instrument(0.5, &[], 10.0, 10.0);
        assert_eq!(perpetual.round_price(60_000.26, Rounding::Nearest), 60_000.5);
        assert_eq!(perpetual.round_price(60_000.26, Rounding::Down), 60_000.0);
        assert_eq!(perpetual.round_price(60_000.01, Rounding::Up), 60_000.5);
        assert_eq!(perpetual.round_price(60_000.5, Rounding::Up), 60_000.5);
        assert_eq!(perpetual.round_price(-0.3, Rounding::Down), -0.5, "combos have negative prices");
        assert_eq!(perpetual.price_on_tick(60_000.3), None);
        assert_eq!(perpetual.price_on_tick(60_000.5), Some(60_000.5));
        assert_eq!(perpetual.price_on_tick(f64::NAN), None);
        assert_eq!(perpetual.price_on_tick(f64::INFINITY), None);
        let tenth = instrument(0.1, &[], 1.0, 1.0);
        assert_eq!(tenth.price_on_tick(0.1 + 0.2), Some(0.3), "sent without the digits of arithmetic");
    }

    #[test]
    fn larger_ticks_of_higher_prices() {
        let option = instrument(0.0001, &[(0.005, 0.0005), (0.1, 0.001)], 0.1, 1.0);
        assert_eq!(option.tick_size_at(0.005), 0.0001);
        assert_eq!(option.tick_size_at(0.0051), 0.0005);
        assert_eq!(option.tick_size_at(0.2), 0.001);
        assert_eq!(option.price_on_tick(0.0051), None);
        assert_eq!(option.price_on_tick(0.0055), Some(0.0055));
        assert_eq!(option.price_on_tick(0.1005), None);
        assert_eq!((option.tick_above(0.005), option.tick_below(0.005)), (0.0055, 0.0049));
        assert_eq!((option.tick_above(0.0052), option.tick_below(0.0052)), (0.0055, 0.005));
        assert_eq!((option.tick_above(0.1), option.tick_below(0.1)), (0.101, 0.0995));
    }

    #[test]
    fn amounts() {
        let perpetual = instrument(0.5, &[], 10.0, 10.0);
        assert_eq!(perpetual.valid_amount(30.0), Some(30.0));
        assert_eq!((perpetual.valid_amount(35.0), perpetual.valid_amount(0.0)), (None, None));
        assert_eq!(perpetual.round_amount(37.0, Rounding::Down), 30.0);
        assert_eq!(perpetual.round_amount(3.0, Rounding::Up), 10.0);
        assert_eq!(perpetual.round_amount(3.0, Rounding::Down), 0.0);
        assert_eq!(perpetual.round_amount(6.0, Rounding::Nearest), 10.0);
        assert_eq!((perpetual.contracts(40.0), perpetual.amount_of(4.0)), (4.0, 40.0));
        let linear = instrument(0.5, &[], 0.001, 0.0001);
        assert_eq!(linear.valid_amount(0.0012), Some(0.0012));
        assert_eq!(linear.valid_amount(0.0005), None, "less than the smallest");
        assert_eq!(linear.amount_of(12.0), 0.0012);
        let option = instrument(0.0001, &[], 0.1, 1.0);
        assert_eq!(option.valid_amount(0.3), Some(0.3), "less than a contract");
    }

    proptest! {
        #[test]
        fn a_rounded_price_is_on_a_tick_and_no_further_than_one(
            price in -1e6..1e6f64, tick in 0usize..6, rounding in 0usize..3,
        ) {
            let tick = [0.5, 0.05, 2.5, 0.0001, 0.01, 1.0][tick];
            let rounding = [Rounding::Down, Rounding::Up, Rounding::Nearest][rounding];
            let instrument = instrument(tick, &[], 1.0, 1.0);
            let rounded = instrument.round_price(price, rounding);
            prop_assert_eq!(instrument.price_on_tick(rounded), Some(rounded));
            prop_assert!((rounded - price).abs() <= tick * 1.001, "{} {}", price, rounded);
            let noise = tick * 1e-5;
            match rounding {
                Rounding::Down => prop_assert!(rounded <= price + noise),
                Rounding::Up => prop_assert!(rounded >= price - noise),
                Rounding::Nearest => prop_assert!((rounded - price).abs() <= tick * 0.501),
            }
            // Its text is short.
            prop_assert!(rounded.to_string().len() <= 13, "{}", rounded);
        }
    }
}
