use serde_json::json;

use super::merge::Merge;
use super::*;

/// An order as it stood at a time.
fn order(id: &str, time: u64, state: &str, price: f64, filled: f64) -> Order {
    serde_json::from_value(json!({
        "order_id": id, "order_state": state, "instrument_name": "BTC-PERPETUAL", "direction": "buy",
        "order_type": "limit", "price": price, "amount": 10.0, "filled_amount": filled,
        "creation_timestamp": 1, "last_update_timestamp": time,
    }))
    .unwrap()
}

fn live(merge: &Merge) -> Vec<(&str, f64)> {
    merge.live().iter().map(|(id, order)| (&**id, order.limit_price().unwrap_or_default())).collect()
}

fn kind(change: Option<Change>) -> Option<OrderKind> {
    change.map(|change| change.kind())
}

#[test]
fn an_order_that_ended_does_not_come_back() {
    let mut merge = Merge::default();
    merge.told(order("a", 10, "open", 1.0, 0.0), false);
    merge.asking(None);
    merge.told(order("a", 11, "cancelled", 1.0, 0.0), false);
    // The list was made before that.
    let listed = merge.listed(vec![order("a", 10, "open", 1.0, 0.0)]).unwrap();
    assert!(listed.changes.is_empty() && listed.missing.is_empty());
    assert_eq!(live(&merge), []);
    // Nor by an older word of the stream's, nor a second time.
    assert_eq!(kind(merge.told(order("a", 12, "open", 1.0, 0.0), false)), None);
    assert_eq!(kind(merge.told(order("a", 11, "cancelled", 1.0, 0.0), false)), None);
}

#[test]
fn an_order_that_the_list_does_not_know_yet_stays() {
    let mut merge = Merge::default();
    merge.asking(None);
    merge.told(order("new", 10, "open", 1.0, 0.0), false);
    let listed = merge.listed(vec![]).unwrap();
    assert!(listed.missing.is_empty());
    assert_eq!(live(&merge), [("new", 1.0)]);
}

#[test]
fn an_order_that_is_not_listed_any_more_is_asked_about() {
    let mut merge = Merge::default();
    for id in ["a", "b", "c"] {
        merge.told(order(id, 10, "open", 1.0, 0.0), false);
    }
    merge.asking(None);
    merge.told(order("b", 11, "open", 2.0, 0.0), false);
    let listed = merge.listed(vec![order("c", 10, "open", 1.0, 0.0)]).unwrap();
    assert_eq!(listed.missing, ["a"]);
    assert_eq!(kind(merge.told(order("a", 12, "filled", 1.0, 10.0), true)), Some(OrderKind::Filled(10.0)));
    assert_eq!(live(&merge), [("b", 2.0), ("c", 1.0)]);
}

#[test]
fn of_two_states_the_later_one_counts_whoever_brings_it() {
    let mut merge = Merge::default();
    merge.asking(None);
    merge.told(order("a", 20, "open", 2.0, 4.0), false);
    merge.told(order("b", 20, "open", 2.0, 4.0), false);
    merge.told(order("c", 20, "open", 2.0, 0.0), false);
    let older = order("a", 10, "open", 1.0, 0.0);
    let newer = order("b", 30, "open", 3.0, 4.0);
    // At the same time the stream is right: had the list shown what came later, the stream would tell of it.
    let same = order("c", 20, "open", 1.0, 0.0);
    let listed = merge.listed(vec![older, newer, same]).unwrap();
    assert_eq!(listed.changes.len(), 1);
    assert_eq!(live(&merge), [("a", 2.0), ("b", 3.0), ("c", 2.0)]);
    // What the list has brought is not undone by the stream, which is still on its way.
    assert_eq!(kind(merge.told(order("b", 25, "open", 2.5, 4.0), false)), None);
    assert_eq!(kind(merge.told(order("b", 30, "open", 3.0, 3.0), false)), None);
    assert_eq!(live(&merge)[1], ("b", 3.0));
}

#[test]
fn without_the_stream_the_list_is_right() {
    let mut merge = Merge::default();
    merge.told(order("a", 20, "open", 2.0, 0.0), false);
    merge.asking(None);
    let listed = merge.listed(vec![order("a", 20, "open", 3.0, 0.0)]).unwrap();
    assert_eq!(kind(listed.changes.into_iter().next()), Some(OrderKind::Amended));
}

#[test]
fn what_is_remembered_of_the_past_is_bounded() {
    let mut merge = Merge::default();
    for n in 0..30_000 {
        merge.told(order(&n.to_string(), 10, "cancelled", 1.0, 0.0), false);
    }
    assert!(merge.remembered() <= 10_000);
    // A list during which more than that ended proves nothing.
    merge.asking(None);
    for n in 30_000..40_001 {
        merge.told(order(&n.to_string(), 10, "filled", 1.0, 10.0), false);
    }
    assert!(merge.listed(vec![]).is_none());
}

#[test]
fn changes_have_a_name() {
    let change = |before: Option<Order>, order: Order| Change {
        before: before.map(Box::new),
        order: Box::new(order),
        missed: false,
    };
    let open = |price, filled| order("a", 1, "open", price, filled);
    let cases = [
        (None, open(1.0, 0.0), OrderKind::Opened),
        (None, open(1.0, 2.0), OrderKind::Opened),
        (Some(open(1.0, 0.0)), open(2.0, 0.0), OrderKind::Amended),
        (Some(open(1.0, 1.0)), open(2.0, 3.0), OrderKind::Executed(2.0)),
        (Some(open(1.0, 1.0)), order("a", 2, "filled", 1.0, 10.0), OrderKind::Filled(9.0)),
        (None, order("a", 2, "cancelled", 1.0, 3.0), OrderKind::Cancelled(None)),
        (None, order("a", 2, "rejected", 1.0, 0.0), OrderKind::Rejected),
        (None, order("a", 2, "triggered", 1.0, 0.0), OrderKind::Triggered),
        (None, order("a", 2, "gone", 1.0, 0.0), OrderKind::Ended(OrderState::Unknown("gone".into()))),
    ];
    for (before, order, expected) in cases {
        assert_eq!(change(before, order).kind(), expected);
    }
}

#[test]
fn an_answer_is_taken_in_unless_the_stream_knows_better() {
    let mut merge = Merge::default();
    assert_eq!(kind(merge.answered(order("a", 10, "open", 1.0, 0.0))), Some(OrderKind::Opened));
    // The stream says the same later.
    assert_eq!(kind(merge.told(order("a", 10, "open", 1.0, 0.0), false)), None);
    // The stream is ahead of the answer: by time, by being the stream, by the order's end.
    merge.told(order("a", 12, "open", 2.0, 0.0), false);
    assert_eq!(kind(merge.answered(order("a", 11, "open", 3.0, 0.0))), None);
    assert_eq!(kind(merge.answered(order("a", 12, "open", 3.0, 0.0))), None);
    assert_eq!(kind(merge.answered(order("a", 12, "cancelled", 2.0, 0.0))), Some(OrderKind::Cancelled(None)));
    assert_eq!(kind(merge.answered(order("a", 13, "open", 4.0, 0.0))), None);
    assert_eq!(live(&merge), []);
}

#[test]
fn an_answer_that_is_not_in_the_list_is_asked_about() {
    let mut merge = Merge::default();
    merge.asking(None);
    // Either it was placed after the list was made, or it ended before: during the cut that the list makes up for.
    merge.answered(order("new", 10, "open", 1.0, 0.0));
    merge.answered(order("gone", 10, "open", 1.0, 0.0));
    assert_eq!(merge.listed(vec![]).unwrap().missing, ["gone", "new"]);
    assert_eq!(
        kind(merge.told(order("gone", 11, "cancelled", 1.0, 0.0), true)),
        Some(OrderKind::Cancelled(None))
    );
    assert_eq!(kind(merge.told(order("new", 10, "open", 1.0, 0.0), true)), None);
    assert_eq!(live(&merge), [("new", 1.0)]);
    // What the stream told of as well needs no question.
    merge.asking(None);
    merge.answered(order("new", 12, "open", 2.0, 0.0));
    merge.told(order("new", 12, "open", 2.0, 0.0), false);
    assert!(merge.listed(vec![]).unwrap().missing.is_empty());
}

#[test]
fn an_answer_from_before_a_cut_brings_nothing_back() {
    let mut merge = Merge::default();
    merge.told(order("known", 10, "open", 1.0, 0.0), false);
    // The order of the answer was cancelled with the connection, and the stream could not tell.
    merge.asking(Some(20));
    merge.listed(vec![order("known", 10, "open", 1.0, 0.0)]).unwrap();
    assert_eq!(kind(merge.answered(order("gone", 19, "open", 1.0, 0.0))), None);
    assert_eq!(live(&merge), [("known", 1.0)]);
    // How it ended is told, and so is what was placed after the list was made.
    assert_eq!(kind(merge.answered(order("filled", 19, "filled", 1.0, 10.0))), Some(OrderKind::Filled(10.0)));
    assert_eq!(kind(merge.answered(order("new", 20, "open", 1.0, 0.0))), Some(OrderKind::Opened));
    assert_eq!(kind(merge.answered(order("known", 18, "open", 2.0, 0.0))), Some(OrderKind::Amended));
}
