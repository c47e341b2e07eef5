//! Bars of an instrument's trades, and of its past before the exchange opened.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::instrument::Instrument;
use super::past::{Past, Span, noise};

const MINUTE_MS: i64 = 60_000;
/// Minutes that are kept; enough for the longest bar and some more.
const MINUTES_KEPT: usize = 3 * 1_440;
/// Bars in one answer.
pub(crate) const MOST_BARS: i64 = 5_000;

/// The resolutions that the methods and channels have.
pub(crate) fn resolution(word: &str) -> Option<i64> {
    let minutes = match word {
        "1D" => 1_440,
        "1" | "3" | "5" | "10" | "15" | "30" | "60" | "120" | "180" | "360" | "720" => word.parse().ok()?,
        _ => return None,
    };
    Some(minutes * MINUTE_MS)
}

/// A bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bar {
    pub(crate) span: Span,
    /// In coins.
    pub(crate) volume: f64,
    /// In the quote currency.
    pub(crate) cost: f64,
}

impl Bar {
    /// Nothing was traded, at this price.
    fn still(price: f64) -> Self {
        Self { span: Span { open: price, high: price, low: price, close: price }, volume: 0.0, cost: 0.0 }
    }

    fn then(self, next: Self) -> Self {
        Self {
            span: Span {
                open: self.span.open,
                high: self.span.high.max(next.span.high),
                low: self.span.low.min(next.span.low),
                close: next.span.close,
            },
            volume: self.volume + next.volume,
            cost: self.cost + next.cost,
        }
    }
}

/// All bars of one instrument.
#[derive(Debug)]
pub(crate) struct Chart {
    past: Past,
    seed: u64,
    opened_ms: i64,
    minutes: BTreeMap<i64, Bar>,
    last: f64,
    unit: f64,
    activity: f64,
}

impl Chart {
    /// Opens at a price, with a past before it.
    pub(crate) fn open(terms: &Instrument, seed: u64, opened_ms: i64, price: f64, volatility: f64) -> Self {
        Self {
            past: Past::new(seed, opened_ms, price, volatility),
            seed,
            opened_ms,
            minutes: BTreeMap::new(),
            last: price,
            unit: terms.price.step(),
            activity: terms.temper.activity,
        }
    }

    /// Takes a trade in.
    pub(crate) fn trade(&mut self, ms: i64, price: f64, coins: f64, cost: f64) {
        let minute = ms - ms.rem_euclid(MINUTE_MS);
        let still = Bar::still(self.last);
        let bar = self.minutes.entry(minute).or_insert(still);
        *bar = bar.then(Bar { volume: coins, cost, ..Bar::still(price) });
        self.last = price;
        while self.minutes.len() > MINUTES_KEPT {
            self.minutes.pop_first();
        }
    }

    /// The bar that starts at a moment.
    pub(crate) fn bar(&self, from_ms: i64, length_ms: i64) -> Bar {
        let to_ms = from_ms + length_ms;
        let before = (from_ms < self.opened_ms).then(|| self.before(from_ms, to_ms.min(self.opened_ms)));
        let start = before.unwrap_or_else(|| Bar::still(self.close_before(from_ms)));
        let live = self.minutes.range(from_ms..to_ms).map(|(_, bar)| *bar);
        let bar = live.fold(start, Bar::then);
        Bar { span: self.rounded(bar.span), ..bar }
    }

    /// `ticks`, `open` and the rest of the bars between two moments, the last ones when those are too many.
    pub(crate) fn bars(&self, from_ms: i64, to_ms: i64, length_ms: i64) -> Value {
        let last = to_ms.div_euclid(length_ms);
        let first = (from_ms + length_ms - 1).div_euclid(length_ms).max(last - MOST_BARS + 1);
        let ticks: Vec<i64> = (first..=last).map(|number| number * length_ms).collect();
        let bars: Vec<Bar> = ticks.iter().map(|tick| self.bar(*tick, length_ms)).collect();
        let column = |of: fn(&Bar) -> f64| bars.iter().map(of).collect::<Vec<f64>>();
        json!({
            "status": if ticks.is_empty() { "no_data" } else { "ok" }, "ticks": ticks,
            "open": column(|bar| bar.span.open), "high": column(|bar| bar.span.high),
            "low": column(|bar| bar.span.low), "close": column(|bar| bar.span.close),
            "volume": column(|bar| bar.volume), "cost": column(|bar| bar.cost),
        })
    }

    /// The data of `chart.trades.*`: the bar of now.
    pub(crate) fn current(&self, now_ms: i64, length_ms: i64) -> Value {
        let tick = now_ms - now_ms.rem_euclid(length_ms);
        let bar = self.bar(tick, length_ms);
        json!({
            "tick": tick, "open": bar.span.open, "high": bar.span.high, "low": bar.span.low,
            "close": bar.span.close, "volume": bar.volume, "cost": bar.cost,
        })
    }

    fn before(&self, from_ms: i64, to_ms: i64) -> Bar {
        let span = self.past.span(from_ms, to_ms);
        let minutes = (to_ms - from_ms) as f64 / MINUTE_MS as f64;
        let busy = 1.0 + 0.8 * noise(self.seed ^ 0x7ade, from_ms as f64 / MINUTE_MS as f64);
        let volume = round(self.activity * busy * minutes, 1e8);
        Bar { span, volume, cost: round(volume * span.close, 1e2) }
    }

    fn close_before(&self, ms: i64) -> f64 {
        let earlier = self.minutes.range(..ms).next_back();
        earlier.map_or_else(|| self.past.at(self.opened_ms.min(ms)), |(_, bar)| bar.span.close)
    }

    fn rounded(&self, span: Span) -> Span {
        let scale = 1.0 / self.unit;
        let on = |price: f64| (price * scale).round() / scale;
        Span { open: on(span.open), high: on(span.high), low: on(span.low), close: on(span.close) }
    }
}

fn round(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}
