//! A position in one instrument: the sum of its fills, at a mean price.

use crate::market::book::Side;
use crate::market::instrument::Instrument;

/// How an instrument's profit is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Sized in dollars, paid in coins.
    Inverse,
    /// Sized in coins, paid in the quote currency; also options, paid in what they are priced in.
    Linear,
}

impl Style {
    pub(crate) fn of(terms: &Instrument) -> Self {
        if terms.linear || terms.option.is_some() { Self::Linear } else { Self::Inverse }
    }

    /// The profit of having bought `amount` (sold, where negative) at one price and seeing another.
    pub(crate) fn profit(self, amount: f64, from: f64, to: f64) -> f64 {
        match self {
            Self::Inverse if from > 0.0 && to > 0.0 => amount * (1.0 / from - 1.0 / to),
            Self::Inverse => 0.0,
            Self::Linear => amount * (to - from),
        }
    }

    /// What an amount is worth at a price, in the currency that profits are paid in.
    pub(crate) fn value(self, amount: f64, price: f64) -> f64 {
        match self {
            Self::Inverse if price > 0.0 => amount / price,
            Self::Inverse => 0.0,
            Self::Linear => amount * price,
        }
    }
}

/// A position.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Position {
    /// Steps of amount, negative when sold.
    pub(crate) steps: i64,
    pub(crate) average: f64,
    /// Profit taken so far, without fees.
    pub(crate) realized: f64,
}

impl Position {
    /// Takes a fill in. Says what profit it realized.
    pub(crate) fn fill(&mut self, terms: &Instrument, side: Side, steps: i64, price: f64) -> f64 {
        let style = Style::of(terms);
        let signed = side.sign() * steps;
        let closed = if self.steps.signum() == -signed.signum() { self.steps.abs().min(steps) } else { 0 };
        let closed_amount = terms.amount.value(self.steps.signum() * closed);
        let profit = style.profit(closed_amount, self.average, price);
        let before = self.steps;
        self.steps += signed;
        self.realized += profit;
        self.average = match (self.steps, closed) {
            (0, _) => 0.0,
            // Closed and opened the other way round.
            (after, 1..) if after.signum() != before.signum() => price,
            (_, 1..) => self.average,
            _ => mean(style, (before.abs(), self.average), (steps, price)),
        };
        profit
    }
}

/// The price at which both parts together have the same value.
fn mean(style: Style, (one, at): (i64, f64), (other, price): (i64, f64)) -> f64 {
    let (one, other) = (one as f64, other as f64);
    match style {
        _ if one == 0.0 => price,
        Style::Inverse => (one + other) / (one / at + other / price),
        Style::Linear => (one * at + other * price) / (one + other),
    }
}
