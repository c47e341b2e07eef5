//! What an option is worth: Black's formula on the index, without interest.

use std::f64::consts::{PI, SQRT_2};

use super::instrument::OptionTerms;

/// Value and sensitivities, in the quote currency of the index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Valuation {
    pub(crate) price: f64,
    pub(crate) delta: f64,
    pub(crate) gamma: f64,
    pub(crate) vega: f64,
    pub(crate) theta: f64,
    pub(crate) rho: f64,
}

/// Values an option `years` before its expiry.
pub(crate) fn value(terms: OptionTerms, underlying: f64, years: f64) -> Valuation {
    let (strike, sigma) = (terms.strike, terms.volatility);
    let years = years.max(1e-6);
    let root = sigma * years.sqrt();
    let d1 = ((underlying / strike).ln() + 0.5 * sigma * sigma * years) / root;
    let d2 = d1 - root;
    let sign = if terms.call { 1.0 } else { -1.0 };
    let density = (-0.5 * d1 * d1).exp() / (2.0 * PI).sqrt();
    Valuation {
        price: sign * (underlying * normal(sign * d1) - strike * normal(sign * d2)),
        delta: sign * normal(sign * d1),
        gamma: density / (underlying * root),
        vega: underlying * density * years.sqrt() / 100.0,
        theta: -underlying * density * sigma / (2.0 * years.sqrt()) / 365.0,
        rho: sign * strike * years * normal(sign * d2) / 100.0,
    }
}

/// The standard normal distribution, by a rational approximation of erfc good to about 1e-7.
fn normal(x: f64) -> f64 {
    let z = x.abs() / SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let tail = 0.5 * series * (-z * z).exp();
    if x >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_minus_put_is_forward_minus_strike() {
        let terms = |call| OptionTerms { strike: 90.0, call, volatility: 0.5 };
        let (call, put) = (value(terms(true), 100.0, 0.3), value(terms(false), 100.0, 0.3));
        assert!((call.price - put.price - 10.0).abs() < 1e-4);
        assert!((call.delta - put.delta - 1.0).abs() < 1e-6);
    }

    #[test]
    fn at_the_money_value_is_the_textbook_one() {
        let terms = OptionTerms { strike: 100.0, call: true, volatility: 0.2 };
        assert!((value(terms, 100.0, 1.0).price - 7.9656).abs() < 1e-3);
    }
}
