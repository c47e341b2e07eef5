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

#[test]
fn members_come_in_any_order_and_numbers_in_any_form() {
    let mut book = OrderBook::new(at(1), NAME);
    let first = r#" { "asks" : [ [ "new" , 1.01e2 , 35e-1 , "more" , {} ] , [ 102.0 , 4 ] ] , "news" : [ { "x" : [ ] } , null ] ,
        "change_id":1.93809616666e11, "bids":[["odd",10000e-2,0.1e1]],"instrument_name":"BTC\u002dPERPETUAL",
        "timestamp":1790133840448.0,"prev_change_id":null,"type":"snapshot"}"#;
    assert!(book.apply(at(2), first.as_bytes()));
    let levels = book.live().unwrap();
    assert_eq!(pairs(levels.bids()), [(100.0, 1.0)]);
    assert_eq!(pairs(levels.asks()), [(101.0, 3.5), (102.0, 4.0)]);
    assert_eq!((levels.change_id(), levels.timestamp()), (193_809_616_666, 1_790_133_840_448));
    let next = r#"{"bids":[["delete",100.00,7]],"asks":[],"type":"change","prev_change_id":193809616666.0,"change_id":193809616667,"timestamp":1}"#;
    assert!(book.apply(at(3), next.as_bytes()));
    assert_eq!(book.live().unwrap().best_bid(), None);
}

#[test]
fn a_message_that_is_not_understood_makes_it_stale_and_changes_nothing() {
    let whole = change(10, 11, r#"["new",99,1],["change",100,7]"#, r#"["new",103,1]"#);
    let cut = (0..whole.len()).map(|length| whole[..length].to_owned());
    let bad = [
        ("\"change\"", "\"snapshoot\""),
        ("\"type\":\"change\",", ""),
        ("\"timestamp\":8,", ""),
        ("\"change_id\":11,", ""),
        ("\"change_id\":11,", "\"change_id\":11.5,"),
        ("\"change_id\":11,", "\"change_id\":-11,"),
        ("\"prev_change_id\":10,", "\"prev_change_id\":\"10\","),
        ("\"bids\":", "\"birds\":"),
        ("\"asks\":", "\"sacks\":"),
        ("BTC-PERPETUAL", "ETH-PERPETUAL"),
        ("100,7", "100,-7"),
        ("100,7", "100,1e400"),
        ("100,7", "100"),
        ("100,7", "\"100\",7"),
        ("100,7", "100,07"),
        ("[\"new\",99,1],", "[],"),
        ("[\"new\",99,1],", "[\"new\",99,1],,"),
        ("[\"new\",103,1]", "[\"new\",103,1"),
        ("[\"new\",103,1]]}", "[\"new\",103,1]]}}"),
        ("[\"new\",103,1]]}", "null}"),
    ];
    let bad = bad.map(|(from, to)| {
        assert!(whole.contains(from), "{from}");
        whole.replacen(from, to, 1)
    });
    for message in cut.chain(bad) {
        let mut book = book();
        let before = book.last_known().0.clone();
        assert!(book.apply(at(3), message.as_bytes()), "{message}");
        let why = book.status().why();
        assert!(matches!(why, Some(Reason::Malformed(_))), "{message}: {why:?}");
        assert_eq!((book.live(), book.last_known().0), (None, &before), "{message}");
    }
    let mut book = book();
    assert!(book.apply(at(3), whole.as_bytes()) && book.live().is_some());
}

#[test]
fn a_crossed_book_is_not_live() {
    for (bids, asks) in [(r#"["new",101,1]"#, ""), ("", r#"["new",99.75,1]"#)] {
        let mut book = book();
        book.apply(at(3), change(10, 11, bids, asks).as_bytes());
        let (bid, ask) = if asks.is_empty() { (101.0, 101.0) } else { (100.0, 99.75) };
        assert_eq!(book.status(), &Status::Stale { since: at(3), why: Reason::Crossed { bid, ask } });
        book.apply(at(4), snapshot(12, r#"["new",7,1]"#, r#"["new",7,1]"#).as_bytes());
        assert_eq!(book.live(), None);
        book.apply(at(4), snapshot(13, r#"["new",7,1]"#, r#"["new",8,1]"#).as_bytes());
        assert!(book.live().is_some());
    }
}

#[test]
fn its_size_is_bounded() {
    let levels = |range: std::ops::Range<usize>| {
        range.map(|price| format!("[\"new\",{},1]", price + 1000)).collect::<Vec<_>>().join(",")
    };
    let mut book = OrderBook::new(at(1), NAME);
    book.apply(at(2), snapshot(1, "", &levels(0..16_384)).as_bytes());
    assert_eq!(book.live().unwrap().asks().len(), 16_384);
    book.apply(at(3), change(1, 2, "", &levels(16_384..16_385)).as_bytes());
    assert_eq!(book.status().why(), Some(&Reason::TooDeep));
    book.apply(at(3), snapshot(3, "", &levels(0..1)).as_bytes());
    assert!(book.live().is_some());
    book.apply(at(3), change(3, 4, "", &levels(0..16_385)).as_bytes());
    assert_eq!((book.status().why(), book.last_known().0.asks().len()), (Some(&Reason::TooDeep), 1));
}

#[test]
fn each_message_of_a_grouped_book_is_the_whole() {
    let mut book = OrderBook::grouped(at(1), NAME);
    let frame = |id: u64, bids: &str| {
        format!(
            r#"{{"timestamp":9,"instrument_name":"{NAME}","change_id":{id},"bids":[{bids}],"asks":[[161,20]]}}"#
        )
    };
    assert!(book.apply(at(2), frame(5, "[160,40],[159,1]").as_bytes()));
    assert_eq!(pairs(book.live().unwrap().bids()), [(160.0, 40.0), (159.0, 1.0)]);
    assert!(book.apply(at(2), frame(5, "[158,40]").as_bytes()));
    assert_eq!(pairs(book.live().unwrap().bids()), [(158.0, 40.0)]);
    book.stale(at(3), Reason::Lagged(1));
    assert_eq!(book.live(), None);
    assert!(book.apply(at(4), frame(7, "").as_bytes()));
    assert_eq!(book.live().unwrap().bids().len(), 0);
    assert!(book.apply(at(4), change(7, 8, "", "").as_bytes()));
    assert!(matches!(book.status().why(), Some(Reason::Malformed(_))));
    // Nor is such a message one of an incremental book.
    let mut other = self::book();
    other.apply(at(4), frame(11, "").as_bytes());
    assert!(matches!(other.status().why(), Some(Reason::Malformed(_))));
}

#[test]
fn questions_to_the_levels() {
    let book = book();
    let levels = book.live().unwrap();
    assert_eq!((levels.spread(), levels.mid()), (Some(1.0), Some(100.5)));
    assert_eq!(pairs(levels.bids().rev()), [(99.5, 2.0), (100.0, 1.0)]);
    assert_eq!((levels.amount_at(Side::Bids, 99.5), levels.amount_at(Side::Bids, 99.6)), (2.0, 0.0));
    assert_eq!((levels.amount_at(Side::Asks, 102.0), levels.amount_at(Side::Asks, 99.5)), (4.0, 0.0));
    for (side, limit, expected) in [
        (Side::Asks, 100.9, 0.0),
        (Side::Asks, 101.0, 3.5),
        (Side::Asks, 500.0, 7.5),
        (Side::Bids, 100.0, 1.0),
        (Side::Bids, 99.0, 3.0),
        (Side::Bids, 100.1, 0.0),
    ] {
        assert_eq!(levels.depth(side, limit), expected, "{side:?} {limit}");
    }
    assert_eq!(levels.fill(Side::Bids, 2.0), Some(Fill { price: 99.75, worst: 99.5, filled: 2.0 }));
    assert_eq!(levels.fill(Side::Bids, 0.5), Some(Fill { price: 100.0, worst: 100.0, filled: 0.5 }));
    let thin = levels.fill(Side::Asks, 1000.0).unwrap();
    assert_eq!((thin.filled, thin.worst), (7.5, 102.0));
    for amount in [0.0, -1.0, f64::NAN] {
        assert_eq!(levels.fill(Side::Asks, amount), None);
    }
    assert_eq!(levels.fill(Side::Bids, f64::INFINITY).map(|fill| fill.filled), Some(3.0));
    assert_eq!(levels.imbalance(1), Some((1.0 - 3.5) / 4.5));
    assert_eq!(levels.imbalance(9), Some((3.0 - 7.5) / 10.5));
    assert_eq!(levels.imbalance(0), None);
    let empty = Levels::default();
    assert_eq!((empty.spread(), empty.mid(), empty.imbalance(5)), (None, None, None));
    assert_eq!((empty.fill(Side::Asks, 1.0), empty.depth(Side::Asks, 1.0)), (None, 0.0));
}

#[test]
fn what_mends_a_stale_book_is_kept_through_later_news() {
    let mut book = book();
    book.stale(at(3), Reason::Lagged(4));
    book.stale(at(5), Reason::Renewed);
    assert_eq!(book.status().since(), Some(at(3)), "it was found then");
    book.resync(at(6));
    assert_eq!(book.status(), &Status::Resyncing { since: at(3), why: Reason::Renewed });
    let mut book = self::book();
    book.resync(at(7));
    assert_eq!(book.status(), &Status::Resyncing { since: at(7), why: Reason::Renewed });
}

mod against_a_model {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Prices are half units, so that equal ones are equal numbers however they are written.
    type Model = BTreeMap<i32, u32>;

    fn entry() -> impl Strategy<Value = (i32, u32, u8)> {
        (0i32..40, prop_oneof![Just(0u32), 1u32..100], any::<u8>())
    }

    fn write(entries: &[(i32, u32, u8)], away: i32) -> String {
        let entries = entries.iter().map(|(price, amount, form)| {
            let price = f64::from(away * price) / 2.0;
            let word = ["new", "change", "delete"][usize::from(form % 3)];
            match form / 3 % 4 {
                0 => format!("[\"{word}\",{price},{amount}]"),
                1 => format!("[\"{word}\",{price:.1},{amount}.0]"),
                2 => format!("[\"{word}\",{price:e},{amount}.0e+0]"),
                _ => format!("[ {price} , {amount} ]"),
            }
        });
        entries.collect::<Vec<_>>().join(",")
    }

    fn apply(model: &mut Model, entries: &[(i32, u32, u8)]) {
        for (price, amount, form) in entries {
            let deleted = form % 3 == 2 && form / 3 % 4 != 3;
            if deleted || *amount == 0 {
                model.remove(price);
            } else {
                model.insert(*price, *amount);
            }
        }
    }

    fn levels(model: &Model, away: i32) -> Vec<(f64, f64)> {
        model.iter().map(|(price, amount)| (f64::from(away * price) / 2.0, f64::from(*amount))).collect()
    }

    proptest! {
        /// Levels in any order, repeated, and removed where there is none.
        #[test]
        fn the_levels_are_the_models(
            steps in prop::collection::vec(
                (any::<bool>(), prop::collection::vec(entry(), 0..40), prop::collection::vec(entry(), 0..40)), 1..30,
            ),
            limit in 0i32..40, amount in 1u32..2000,
        ) {
            let mut book = OrderBook::new(at(1), NAME);
            let (mut bids, mut asks) = (Model::new(), Model::new());
            for (id, (whole, bid, ask)) in steps.iter().enumerate() {
                // Asks are above zero and bids below, both the better the nearer to it.
                let ask: Vec<_> = ask.iter().map(|(price, amount, form)| (price + 1, *amount, *form)).collect();
                let (id, bid_text, ask_text) = (id as u64 + 1, write(bid, -1), write(&ask, 1));
                let message = if *whole || id == 1 {
                    (bids, asks) = (Model::new(), Model::new());
                    snapshot(id, &bid_text, &ask_text)
                } else {
                    change(id - 1, id, &bid_text, &ask_text)
                };
                apply(&mut bids, bid);
                apply(&mut asks, &ask);
                prop_assert!(book.apply(at(2), message.as_bytes()));
                let found = book.live().expect(&message);
                prop_assert_eq!(pairs(found.bids()), levels(&bids, -1));
                prop_assert_eq!(pairs(found.asks()), levels(&asks, 1));
            }
            let found = book.live().unwrap();
            let within: u32 = asks.range(..=limit).map(|(_, amount)| amount).sum();
            prop_assert_eq!(found.depth(Side::Asks, f64::from(limit) / 2.0), f64::from(within));
            let at_limit = bids.get(&limit).copied().unwrap_or_default();
            prop_assert_eq!(found.amount_at(Side::Bids, f64::from(-limit) / 2.0), f64::from(at_limit));
            let units = asks.iter().flat_map(|(price, amount)| std::iter::repeat_n(*price, *amount as usize));
            let taken: Vec<_> = units.take(amount as usize).collect();
            let expected = taken.last().map(|worst| (taken.len() as f64, f64::from(*worst) / 2.0));
            let fill = found.fill(Side::Asks, f64::from(amount));
            prop_assert_eq!(fill.map(|fill| (fill.filled, fill.worst)), expected);
            if let Some(fill) = fill {
                let average = f64::from(taken.iter().sum::<i32>()) / 2.0 / taken.len() as f64;
                prop_assert!((fill.price - average).abs() < 1e-9);
            }
        }

        /// Nothing that is received panics, and what is not understood is never live.
        #[test]
        fn any_bytes(data: Vec<u8>, cut in 0usize..200, byte: u8) {
            let mut book = book();
            book.apply(at(3), &data);
            prop_assert!(book.live().is_none());
            let mut message = change(10, 11, r#"["new",99,1],["change",100,7]"#, r#"["new",103,1]"#).into_bytes();
            let at_byte = cut % message.len();
            message[at_byte] = byte;
            let mut book = self::book();
            book.apply(at(3), &message);
            if let Some(levels) = book.live() {
                prop_assert!(levels.change_id() >= 10 && levels.bids().len() >= 1);
            }
        }
    }
}
