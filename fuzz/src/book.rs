//! Book messages against a plain model: two maps from price to amount, filled from `serde_json`'s values.

use std::collections::BTreeMap;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use steadysocket::deribit::book::{Levels, OrderBook, Side, Status};
use steadysocket::time::Instant;

const NAME: &str = "BTC-PERPETUAL";

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Snapshot { bids: Vec<Entry>, asks: Vec<Entry> },
    Change { gap: u8, step: u8, bids: Vec<Entry>, asks: Vec<Entry> },
    Repeated,
    Text(&'a str),
    Stale,
    Resync,
}

#[derive(Arbitrary, Debug)]
struct Entry {
    word: u8,
    price: u8,
    /// In quarters, so that an amount is often zero and never rounded.
    amount: u8,
}

#[derive(Default)]
struct Model {
    bids: BTreeMap<u64, f64>,
    asks: BTreeMap<u64, f64>,
    change_id: u64,
    live: bool,
}

pub fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let mut now = Instant::ZERO;
    let mut book = OrderBook::new(now, NAME);
    let mut model = Model::default();
    let mut last = String::new();
    for _ in 0..200 {
        if input.is_empty() {
            break;
        }
        let Ok(step) = Input::arbitrary(&mut input) else { break };
        now = now + Duration::from_millis(1);
        let text = match step {
            Input::Snapshot { bids, asks } => message("snapshot", None, model.change_id + 1, &bids, &asks),
            Input::Change { gap, step, bids, asks } => {
                // Mostly none.
                let gap = u64::from(gap.saturating_sub(250));
                let before = model.change_id + gap;
                message("change", Some(before), before + u64::from(step), &bids, &asks)
            }
            Input::Repeated => last.clone(),
            Input::Text(text) => text.to_owned(),
            Input::Stale => {
                book.stale(now, steadysocket::deribit::book::Reason::Renewed);
                model.live = false;
                continue;
            }
            Input::Resync => {
                book.resync(now);
                model.live = false;
                continue;
            }
        };
        let Some(read) = Read::new(&text) else { return };
        let before = (book.last_known().0.clone(), book.live().is_some());
        let changed = book.apply(now, text.as_bytes());
        model.apply(read);
        assert_eq!(book.live().is_some(), model.live, "{:?} after {text}", book.status());
        if !changed {
            assert_eq!(before, (book.last_known().0.clone(), book.live().is_some()));
        }
        if let Some(levels) = book.live() {
            model.compare(levels);
        }
        assert_eq!(book.status().since().is_none(), matches!(book.status(), Status::Live));
        last = text;
    }
}

fn message(kind: &str, before: Option<u64>, change_id: u64, bids: &[Entry], asks: &[Entry]) -> String {
    let levels = |entries: &[Entry], above: u32| -> Vec<Value> {
        let word = |word: u8| ["new", "change", "delete"][usize::from(word % 3)];
        entries
            .iter()
            .map(|entry| {
                let price = f64::from(u32::from(entry.price) + above) / 4.0;
                json!([word(entry.word), price, f64::from(entry.amount % 16) / 4.0])
            })
            .collect()
    };
    let mut message = json!({
        "type": kind, "timestamp": 1, "instrument_name": NAME, "change_id": change_id,
        // They overlap a little, so that some books are crossed.
        "bids": levels(bids, 0), "asks": levels(asks, 250),
    });
    if let Some(before) = before {
        message["prev_change_id"] = json!(before);
    }
    message.to_string()
}

impl Model {
    fn apply(&mut self, message: Option<Read>) {
        let Some(message) = message else {
            self.live = false;
            return;
        };
        match message.kind.as_str() {
            "snapshot" => {
                self.bids.clear();
                self.asks.clear();
            }
            _ if self.live && message.change_id <= self.change_id => return,
            _ if self.live && message.before == Some(self.change_id) => {}
            _ => {
                self.live = false;
                return;
            }
        }
        set(&mut self.bids, &message.bids);
        set(&mut self.asks, &message.asks);
        self.change_id = message.change_id;
        let crossed = self.side(Side::Bids).next().zip(self.side(Side::Asks).next());
        self.live = crossed.is_none_or(|((bid, _), (ask, _))| bid < ask);
    }

    /// From the best.
    fn side(&self, side: Side) -> Box<dyn Iterator<Item = (f64, f64)> + '_> {
        let pairs = |(key, amount): (&u64, &f64)| (price_of(*key), *amount);
        match side {
            Side::Bids => Box::new(self.bids.iter().rev().map(pairs)),
            Side::Asks => Box::new(self.asks.iter().map(pairs)),
        }
    }

    fn compare(&self, levels: &Levels) {
        let pair = |level: steadysocket::deribit::data::Level| (level.price, level.amount);
        assert!(levels.bids().map(pair).eq(self.side(Side::Bids)));
        assert!(levels.asks().map(pair).eq(self.side(Side::Asks)));
        assert_eq!(levels.change_id(), self.change_id);
        for side in [Side::Bids, Side::Asks] {
            for (price, amount) in self.side(side) {
                assert_eq!(levels.amount_at(side, price), amount);
            }
            let total: f64 = self.side(side).map(|(_, amount)| amount).sum();
            if let Some(fill) = levels.fill(side, total + 1.0)
                && total.is_finite()
                && total < 1e15
            {
                assert!((fill.filled - total).abs() <= total * 1e-9, "{fill:?} of {total}");
            }
        }
    }
}

fn set(side: &mut BTreeMap<u64, f64>, entries: &[(f64, f64)]) {
    for (price, amount) in entries {
        match *amount {
            0.0 => drop(side.remove(&key_of(*price))),
            amount => drop(side.insert(key_of(*price), amount)),
        }
    }
}

/// The bits of a price in the order of their numbers. Zero has one key, whatever its sign.
fn key_of(price: f64) -> u64 {
    let bits = (price + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn price_of(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// A message as `serde_json` reads it.
struct Read {
    kind: String,
    change_id: u64,
    before: Option<u64>,
    bids: Vec<(f64, f64)>,
    asks: Vec<(f64, f64)>,
}

impl Read {
    /// `None` for a text of which nothing can be said here; `Some(None)` for one that is no message.
    fn new(text: &str) -> Option<Option<Self>> {
        let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
        match serde_json::from_str::<Value>(text) {
            Ok(value) if has_odd_numbers(&value) => None,
            Ok(value) => Some(Self::of(&value)),
            // A number beyond all bounds, or half of a surrogate pair, where it may not matter.
            Err(_) if is_json => None,
            Err(_) => Some(None),
        }
    }

    fn of(value: &Value) -> Option<Self> {
        if value.get("instrument_name").is_some_and(|name| name != NAME) {
            return None;
        }
        let kind =
            value.get("type")?.as_str().filter(|kind| ["snapshot", "change"].contains(kind))?.to_owned();
        value.get("timestamp")?.as_u64()?;
        let before = match value.get("prev_change_id") {
            None | Some(Value::Null) => None,
            Some(before) => Some(before.as_u64()?),
        };
        let change_id = value.get("change_id")?.as_u64()?;
        let (bids, asks) = (levels(value.get("bids")?)?, levels(value.get("asks")?)?);
        Some(Self { kind, change_id, before, bids, asks })
    }
}

/// Integers that are written with a fraction or an exponent are the business of the target `json`.
fn has_odd_numbers(value: &Value) -> bool {
    let odd = |name: &str| value.get(name).is_some_and(Value::is_f64);
    ["timestamp", "change_id", "prev_change_id"].into_iter().any(odd)
}

fn levels(value: &Value) -> Option<Vec<(f64, f64)>> {
    let level = |level: &Value| {
        let parts = level.as_array()?;
        let word = parts.first()?.as_str();
        let numbers = &parts[usize::from(word.is_some())..];
        let (price, amount) = (numbers.first()?.as_f64()?, numbers.get(1)?.as_f64()?);
        (amount >= 0.0).then_some((price, if word == Some("delete") { 0.0 } else { amount }))
    };
    value.as_array()?.iter().map(level).collect()
}
