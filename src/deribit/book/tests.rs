use super::*;
use crate::time::Instant;
use std::time::Duration;

const NAME: &str = "BTC-PERPETUAL";

fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

fn snapshot(change_id: u64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"type":"snapshot","timestamp":7,"instrument_name":"{NAME}","change_id":{change_id},"bids":[{bids}],"asks":[{asks}]}}"#
    )
}

fn change(prev: u64, change_id: u64, bids: &str, asks: &str) -> String {
    format!(
        r#"{{"type":"change","timestamp":8,"instrument_name":"{NAME}","prev_change_id":{prev},"change_id":{change_id},"bids":[{bids}],"asks":[{asks}]}}"#
    )
}

fn book() -> OrderBook {
    let mut book = OrderBook::new(at(1), NAME);
    let first = snapshot(10, r#"["new",100.0,1],["new",99.5,2]"#, r#"["new",101,3.5],["new",102,4]"#);
    assert!(book.apply(at(2), first.as_bytes()));
    assert!(book.live().is_some());
    book
}

fn pairs(levels: impl Iterator<Item = super::super::data::Level>) -> Vec<(f64, f64)> {
    levels.map(|level| (level.price, level.amount)).collect()
}

#[test]
fn changes_set_amounts_at_prices() {
    let mut book = book();
    let first =
        change(10, 14, r#"["change",100,5],["delete",99.5,0.0],["new",98,1e1]"#, r#"["change",101,0]"#);
    assert!(book.apply(at(3), first.as_bytes()));
    let levels = book.live().unwrap();
    assert_eq!(pairs(levels.bids()), [(100.0, 5.0), (98.0, 10.0)]);
    assert_eq!(pairs(levels.asks()), [(102.0, 4.0)]);
    assert_eq!((levels.change_id(), levels.timestamp()), (14, 8));
    // The word is only advice: what is new may be there, what is deleted may not.
    let next = change(14, 15, r#"["new",100,6],["delete",1,0]"#, r#"["change",103,1],["delete",102,9]"#);
    assert!(book.apply(at(3), next.as_bytes()));
    let levels = book.live().unwrap();
    assert_eq!(pairs(levels.bids()), [(100.0, 6.0), (98.0, 10.0)]);
    assert_eq!(pairs(levels.asks()), [(103.0, 1.0)]);
}

#[test]
fn a_gap_is_stale_until_a_snapshot() {
    let mut book = book();
    assert!(book.apply(at(3), change(11, 12, "", "").as_bytes()));
    let why = Reason::Gap { last: 10, found: Some(11) };
    assert_eq!(book.status(), &Status::Stale { since: at(3), why: why.clone() });
    assert_eq!(book.live(), None);
    // Not even what would fit is applied.
    assert!(!book.apply(at(4), change(10, 13, r#"["new",1,1]"#, "").as_bytes()));
    assert_eq!(book.last_known().0.bids().len(), 2);
    book.resync(at(5));
    assert_eq!(book.status(), &Status::Resyncing { since: at(3), why });
    assert!(book.apply(at(6), snapshot(20, "", r#"["new",9,9]"#).as_bytes()));
    let levels = book.live().unwrap();
    assert_eq!((levels.bids().len(), levels.best_ask().unwrap().price), (0, 9.0));
}

#[test]
fn what_was_applied_already_is_ignored() {
    let mut book = book();
    assert!(book.apply(at(3), change(10, 12, r#"["new",99,1]"#, "").as_bytes()));
    for repeated in [change(10, 12, r#"["new",99,7]"#, ""), change(8, 10, r#"["new",90,7]"#, "")] {
        assert!(!book.apply(at(4), repeated.as_bytes()));
    }
    assert_eq!(book.live().unwrap().amount_at(Side::Bids, 99.0), 1.0);
}

#[test]
fn a_change_before_any_snapshot_is_a_gap() {
    let mut book = OrderBook::new(at(1), NAME);
    assert_eq!(book.status(), &Status::Resyncing { since: at(1), why: Reason::New });
    assert!(book.apply(at(2), change(1, 2, r#"["new",1,1]"#, "").as_bytes()));
    assert_eq!(book.status(), &Status::Stale { since: at(1), why: Reason::NoSnapshot });
    assert_eq!(book.last_known().0.bids().len(), 0);
}
