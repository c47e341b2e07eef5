//! One book on its own.

use crate::accounts::AccountId;
use crate::engine::book::{Book, Maker, Match, Resting};
use crate::engine::order::OrderId;
use crate::market::book::Side::{Ask, Bid};

fn resting(order: u64, amount: i64) -> Resting {
    Resting { order: OrderId(order), account: AccountId(order), shown: amount, hidden: 0, refresh: amount }
}

fn order(number: u64, price: i64, amount: i64) -> Match {
    Match { maker: Maker::Order(OrderId(number)), price, amount }
}

fn crowd(price: i64, amount: i64) -> Match {
    Match { maker: Maker::Crowd, price, amount }
}

#[test]
fn the_crowd_stands_in_line_like_everyone() {
    let mut book = Book::default();
    book.rest(Ask, 10, resting(1, 3));
    book.set_crowd(Ask, 10, 5);
    book.rest(Ask, 10, resting(2, 4));
    assert_eq!(book.amount(Ask, 10), 12);
    assert_eq!(book.take(Bid, 10, 9), [order(1, 10, 3), crowd(10, 5), order(2, 10, 1)]);
    assert_eq!((book.amount(Ask, 10), book.crowd().asks.len()), (3, 0));
}

#[test]
fn a_crowd_that_wants_more_goes_to_the_end_and_less_stays() {
    let mut book = Book::default();
    book.set_crowd(Bid, 10, 5);
    book.rest(Bid, 10, resting(1, 3));
    book.set_crowd(Bid, 10, 4);
    assert_eq!(book.take(Ask, 10, 1), [crowd(10, 1)]);
    book.set_crowd(Bid, 10, 6);
    assert_eq!(book.take(Ask, 10, 4), [order(1, 10, 3), crowd(10, 1)]);
}

#[test]
fn better_prices_come_first_and_the_limit_holds() {
    let mut book = Book::default();
    book.set_crowd(Ask, 12, 5);
    book.rest(Ask, 11, resting(1, 2));
    book.set_crowd(Ask, 13, 5);
    assert_eq!(book.probe(Bid, 12, 100, None).available, 7);
    assert_eq!(book.take(Bid, 12, 100), [order(1, 11, 2), crowd(12, 5)]);
    assert_eq!(book.take(Bid, 12, 100), []);
}

#[test]
fn an_iceberg_shows_again_at_the_end_of_the_line() {
    let mut book = Book::default();
    book.rest(Ask, 10, Resting { shown: 2, hidden: 5, refresh: 2, ..resting(1, 2) });
    book.rest(Ask, 10, resting(2, 3));
    assert_eq!((book.amount(Ask, 10), book.probe(Bid, 10, 100, None).available), (5, 10));
    assert_eq!(book.take(Bid, 10, 6), [order(1, 10, 2), order(2, 10, 3), order(1, 10, 1)]);
    assert_eq!(book.amount(Ask, 10), 1);
    assert_eq!(book.take(Bid, 10, 100), [order(1, 10, 1), order(1, 10, 2), order(1, 10, 1)]);
    assert_eq!(book.amount(Ask, 10), 0);
}

#[test]
fn what_is_taken_out_is_gone_and_what_shrinks_keeps_its_place() {
    let mut book = Book::default();
    for number in 1..=3 {
        book.rest(Bid, 10, resting(number, 4));
    }
    book.reduce(Bid, 10, OrderId(1), 3);
    assert_eq!(book.remove(Bid, 10, OrderId(2)).map(|gone| gone.shown), Some(4));
    assert_eq!(book.remove(Bid, 10, OrderId(2)), None);
    assert_eq!(book.take(Ask, 10, 2), [order(1, 10, 1), order(3, 10, 1)]);
}

#[test]
fn changes_are_told_once_with_what_was_before() {
    let mut book = Book::default();
    book.set_crowd(Bid, 10, 5);
    assert_eq!(book.changes().len(), 1);
    book.set_crowd(Bid, 10, 7);
    book.rest(Bid, 10, resting(1, 2));
    book.set_crowd(Ask, 20, 1);
    book.set_crowd(Ask, 20, 0);
    let changes = book.changes();
    let [change] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!((change.side, change.price, change.before), (Bid, 10, 5));
    assert!(book.changes().is_empty());
}

#[test]
fn a_probe_sees_its_own_only_where_it_would_get_to() {
    let mut book = Book::default();
    book.set_crowd(Ask, 10, 5);
    book.rest(Ask, 10, resting(7, 1));
    assert!(!book.probe(Bid, 10, 5, Some(AccountId(7))).meets_own);
    assert!(book.probe(Bid, 10, 6, Some(AccountId(7))).meets_own);
    assert!(!book.probe(Bid, 10, 6, Some(AccountId(8))).meets_own);
    assert!(!book.probe(Bid, 9, 6, Some(AccountId(7))).meets_own);
}
