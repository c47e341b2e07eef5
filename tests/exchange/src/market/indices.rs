//! What else is told of an index: its sources, its day, its volatility, its past.

use serde_json::{Value, json};

use super::Market;
use super::calendar::{DAY_MS, date_text};
use super::past::{Past, Span, noise};

const SOURCES: [&str; 6] = ["bitfinex", "bitstamp", "coinbase", "gemini", "itbit", "kraken"];
const HOUR_MS: i64 = 3_600_000;
/// Days that the past is told of.
pub(crate) const DAYS: i64 = 365;

impl Market {
    /// The data of `deribit_price_ranking.*`.
    pub(crate) fn ranking(&self, name: &str, now_ms: i64) -> Option<Value> {
        let index = self.index(name)?;
        let weight = 100.0 / SOURCES.len() as f64;
        let source = |(number, source): (u64, &&str)| {
            let price = round(index * (1.0 + 2e-4 * noise(number, now_ms as f64 / 5_000.0)), 1e2);
            json!({
                "identifier": source, "enabled": true, "weight": round(weight, 1e6), "price": price,
                "original_price": price, "timestamp": now_ms - 37 * i64::try_from(number).unwrap_or(0),
            })
        };
        Some((0..).zip(&SOURCES).map(source).collect())
    }

    /// The data of `deribit_price_statistics.*`.
    pub(crate) fn price_statistics(&self, name: &str, now_ms: i64) -> Option<Value> {
        let index = self.index(name)?;
        let day = self.past(name)?.span(now_ms - DAY_MS, now_ms.min(self.opened_ms));
        Some(json!({
            "index_name": name, "high24h": round(day.high.max(index), 1e2), "low24h": round(day.low.min(index), 1e2),
            "change24h": round(index - day.open, 1e2), "high_volatility": false,
        }))
    }

    /// The value of an index's volatility index, where it has one.
    pub(crate) fn volatility(&self, name: &str, ms: i64) -> Option<f64> {
        let base = match name {
            "btc_usd" => 48.0,
            "eth_usd" => 62.0,
            _ => return None,
        };
        let waves = [(7_200_000.0, 1.5), (86_400_000.0, 4.0), (864_000_000.0, 9.0), (30_000.0, 0.2)];
        let seed = self.seed ^ base as u64;
        let moved: f64 =
            (0..).zip(waves).map(|(n, (scale, size))| size * noise(seed + n, ms as f64 / scale)).sum();
        Some(round(base + moved, 1e4))
    }

    /// The data of `deribit_volatility_index.*`.
    pub(crate) fn volatility_update(&self, name: &str, now_ms: i64) -> Option<Value> {
        let volatility = round(self.volatility(name, now_ms)?, 1e2);
        Some(json!({ "index_name": name, "volatility": volatility, "timestamp": now_ms }))
    }

    /// Bars of the volatility index: `[tick, open, high, low, close]`, the last ones when those are too many.
    pub(crate) fn volatility_bars(
        &self,
        name: &str,
        (from_ms, to_ms): (i64, i64),
        length_ms: i64,
    ) -> Vec<[f64; 5]> {
        let last = to_ms.div_euclid(length_ms);
        let first =
            (from_ms + length_ms - 1).div_euclid(length_ms).max(last - super::chart::MOST_BARS / 5 + 1);
        let bar = |number: i64| {
            let tick = number * length_ms;
            let at = |part: i64| self.volatility(name, tick + length_ms * part / 8);
            let values: Vec<f64> = (0..=8).filter_map(at).collect();
            let high = values.iter().copied().fold(f64::MIN, f64::max);
            let low = values.iter().copied().fold(f64::MAX, f64::min);
            Some([tick as f64, *values.first()?, high, low, *values.last()?])
        };
        (first..=last).filter_map(bar).collect()
    }

    /// `[hour, volatility]` of the last fortnight.
    pub(crate) fn historical_volatility(&self, name: &str, now_ms: i64) -> Vec<(i64, f64)> {
        let hour = now_ms - now_ms.rem_euclid(HOUR_MS);
        let hours = (0..336).rev().map(|back| hour - back * HOUR_MS);
        hours.map(|ms| (ms, self.volatility(name, ms).unwrap_or(40.0) * 0.9)).collect()
    }

    /// The price at 08:00 of so many days, latest first.
    pub(crate) fn delivery_prices(&self, name: &str, now_ms: i64) -> Option<Vec<(String, f64)>> {
        let past = self.past(name)?;
        let today = (now_ms - DAY_MS / 3).div_euclid(DAY_MS);
        let of = |back: i64| {
            let ms = (today - back) * DAY_MS + DAY_MS / 3;
            (date_text(ms), past.at(ms.min(self.opened_ms)))
        };
        Some((0..DAYS).map(of).collect())
    }

    /// What perpetuals on an index paid in an hour, as a fraction, and the index at its beginning and end.
    pub(crate) fn funding(&self, name: &str, hour_ms: i64) -> Option<(f64, Span)> {
        let past = self.past(name)?;
        let rate = 4e-6 * noise(self.seed ^ 0xf00d, hour_ms as f64 / (5.0 * HOUR_MS as f64));
        Some((rate, past.span((hour_ms - HOUR_MS).min(self.opened_ms), hour_ms.min(self.opened_ms))))
    }

    /// The data of `estimated_expiration_price.*`.
    pub(crate) fn expiration_update(&self, name: &str, now_ms: i64) -> Option<Value> {
        let price = self.index(name)?;
        let on_index =
            self.instruments().iter().map(|quoted| &quoted.terms).filter(|terms| terms.index == name);
        let next = on_index.map(|terms| terms.expires_ms).filter(|expires| *expires > now_ms).min()?;
        let seconds = (next - now_ms) / 1_000;
        // In the last half hour it is the mean so far.
        Some(json!({ "price": price, "seconds": seconds, "is_estimated": seconds < 1_800 }))
    }

    /// The data of `markprice.options.*`.
    pub(crate) fn option_marks(&self, name: &str, now_ms: i64) -> Option<Value> {
        self.index(name)?;
        let options = self.instruments().iter().filter(|q| q.terms.index == name && q.terms.option.is_some());
        let mark = |quoted: &super::quoted::Quoted| {
            let iv = quoted.terms.option.map_or(0.0, |option| option.volatility);
            json!({
                "instrument_name": quoted.terms.name, "mark_price": quoted.mark, "iv": iv, "timestamp": now_ms,
            })
        };
        Some(options.map(mark).collect())
    }

    fn past(&self, name: &str) -> Option<Past> {
        self.pasts.iter().find(|(of, _)| *of == name).map(|(_, past)| *past)
    }
}

fn round(value: f64, scale: f64) -> f64 {
    (value * scale).round() / scale
}
