use super::*;
use crate::error::Disconnect;

fn instrument(name: &str) -> Instrument {
    serde_json::from_value(serde_json::json!({
        "instrument_name": name, "kind": "future", "base_currency": "BTC", "tick_size": 0.5,
        "min_trade_amount": 10, "contract_size": 10,
    }))
    .unwrap()
}

fn known() -> Known {
    let mut known = Known::default();
    known.insert_all(vec![instrument("A"), instrument("B")], true);
    known
}

fn change(name: &str) -> Update<InstrumentStateChange> {
    let change = serde_json::json!({ "instrument_name": name, "state": "closed", "timestamp": 1 });
    Update::Data(serde_json::from_value(change).unwrap())
}

#[test]
fn what_changed_is_asked_for_again() {
    let mut known = known();
    known.hear(change("A"));
    assert!(!known.by_name.contains_key("A") && known.by_name.contains_key("B"));
    assert!(!known.complete, "a new one may be missing");
}

#[test]
fn what_may_have_been_missed_is_asked_for_again() {
    for gap in [Update::Resumed, Update::Lagged(1), Update::Overflowed] {
        let mut known = known();
        known.hear(Update::Interrupted(Disconnect::Requested));
        assert!(known.complete && known.by_name.len() == 2, "there is nobody to ask yet");
        known.hear(gap);
        assert!(!known.complete && known.by_name.is_empty());
    }
}
