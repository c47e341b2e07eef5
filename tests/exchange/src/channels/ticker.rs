//! `incremental_ticker.{instrument}`: the whole ticker once, then what differs.

use serde_json::{Map, Value, json};

/// What readers have.
#[derive(Debug)]
pub(super) struct TickerFeed {
    position: usize,
    shown: Value,
}

impl TickerFeed {
    pub(super) fn open(position: usize, ticker: Value) -> Self {
        Self { position, shown: ticker }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The whole ticker as the readers before have it.
    pub(super) fn snapshot(&self) -> Value {
        let mut snapshot = self.shown.clone();
        snapshot["type"] = json!("snapshot");
        snapshot
    }

    /// What differs now, if anything but the time does.
    pub(super) fn change(&mut self, ticker: Value) -> Option<Value> {
        let mut change = difference(&self.shown, &ticker);
        change.remove("timestamp");
        if change.is_empty() {
            return None;
        }
        for name in ["instrument_name", "timestamp"] {
            change.insert(name.into(), ticker[name].clone());
        }
        change.insert("type".into(), json!("change"));
        self.shown = ticker;
        Some(Value::Object(change))
    }
}

/// The members that have another value, and of nested objects those of theirs.
fn difference(old: &Value, new: &Value) -> Map<String, Value> {
    let mut changed = Map::new();
    for (name, value) in new.as_object().into_iter().flatten() {
        let before = &old[name.as_str()];
        match value {
            same if same == before => {}
            Value::Object(_) if before.is_object() => {
                changed.insert(name.clone(), Value::Object(difference(before, value)));
            }
            _ => {
                changed.insert(name.clone(), value.clone());
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let ticker = |price: f64, high: f64, ms: i64| {
            json!({
                "instrument_name": "X", "timestamp": ms, "last_price": price, "state": "open",
                "stats": { "high": high, "low": 1.0 },
            })
        };
        let mut feed = TickerFeed::open(0, ticker(1.0, 2.0, 5));
        assert_eq!(feed.change(ticker(1.0, 2.0, 6)), None);
        let change = feed.change(ticker(3.0, 4.0, 7)).unwrap();
        let expected = json!({
            "type": "change", "instrument_name": "X", "timestamp": 7, "last_price": 3.0, "stats": { "high": 4.0 },
        });
        assert_eq!(change, expected);
        assert_eq!(feed.snapshot()["last_price"], 3.0);
    }
}
