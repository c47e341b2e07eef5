//! What orders and positions bind, in the currency that an instrument is settled in. Simpler than the venue's, and
//! the same for everyone: 2 % of a future, 15 % of a sold option's underlying and its premium, the premium of a
//! bought one, and of spot the whole.

use super::position::{Position, Style};
use crate::market::book::Side;
use crate::market::quoted::Quoted;

const FUTURE_INITIAL: f64 = 0.02;
const FUTURE_MAINTENANCE: f64 = 0.01;
const OPTION_INITIAL: f64 = 0.15;
const OPTION_MAINTENANCE: f64 = 0.075;

/// What an order binds.
pub(crate) fn order(quoted: &Quoted, side: Side, steps: i64, price: f64) -> f64 {
    let amount = quoted.terms.amount.value(steps);
    match (&quoted.terms.option, side) {
        (None, Side::Bid) if quoted.terms.spot => amount * price,
        (None, Side::Ask) if quoted.terms.spot => amount,
        (None, _) => Style::of(&quoted.terms).value(amount, price) * FUTURE_INITIAL,
        (Some(_), Side::Bid) => amount * price,
        (Some(_), Side::Ask) => amount * (underlying(quoted) * OPTION_INITIAL + quoted.mark),
    }
}

/// What a position binds: initial and maintenance margin.
pub(crate) fn position(quoted: &Quoted, position: &Position) -> (f64, f64) {
    let amount = quoted.terms.amount.value(position.steps);
    match &quoted.terms.option {
        None => {
            let value = Style::of(&quoted.terms).value(amount.abs(), quoted.mark);
            (value * FUTURE_INITIAL, value * FUTURE_MAINTENANCE)
        }
        Some(_) if amount >= 0.0 => (0.0, 0.0),
        Some(_) => {
            let of = |rate: f64| amount.abs() * (underlying(quoted) * rate + quoted.mark);
            (of(OPTION_INITIAL), of(OPTION_MAINTENANCE))
        }
    }
}

/// One unit of the underlying, in the currency of settlement.
fn underlying(quoted: &Quoted) -> f64 {
    if quoted.terms.linear { quoted.index } else { 1.0 }
}

/// The fee of a fill. Options never cost more than an eighth of their premium.
pub(crate) fn fee(quoted: &Quoted, steps: i64, price: f64, maker: bool) -> f64 {
    let amount = quoted.terms.amount.value(steps);
    let (maker_rate, taker_rate) = quoted.terms.commissions();
    let rate = if maker { maker_rate } else { taker_rate };
    match &quoted.terms.option {
        None => Style::of(&quoted.terms).value(amount, price) * rate,
        Some(_) => amount * (underlying(quoted) * rate).min(price * 0.125),
    }
}
