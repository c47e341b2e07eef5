//! The maintained book against the exchange's own, over real sockets.

use std::time::Duration;

use steadysocket::deribit::book::{Book, Change, Levels, Reason, Status};
use steadysocket::deribit::data::Level;
use steadysocket::deribit::{Interval, topics};
use steadysocket::{Client, Payload, Update};
use steadysocket_exchange::{Exchange, Fault, Target};

use crate::support::*;

const BTC: &str = "BTC-PERPETUAL";

async fn open(client: &Client) -> Book {
    soon(Book::open(client, BTC, Interval::Ms100)).await.unwrap()
}

async fn change(book: &mut Book) -> Change {
    soon(book.next()).await.expect("the client ended")
}

/// Reads until the book is live.
async fn live(book: &mut Book) {
    while change(book).await != Change::Live {}
    assert!(book.live().is_some());
}

fn equals(levels: &Levels, exchange: &Exchange) -> bool {
    let truth = exchange.book(BTC).unwrap();
    let same = |levels: &mut dyn Iterator<Item = Level>, truth: &[(f64, f64)]| {
        levels.map(|level| (level.price, level.amount)).eq(truth.iter().copied())
    };
    levels.change_id() == truth.change_id
        && same(&mut levels.bids(), &truth.bids)
        && same(&mut levels.asks(), &truth.asks)
}

/// Reads until the book is the exchange's, which stands still.
async fn settles(book: &mut Book, exchange: &Exchange) {
    soon(async {
        while !book.live().is_some_and(|levels| equals(levels, exchange)) {
            book.next().await.expect("the client ended");
        }
    })
    .await;
}

#[tokio::test]
async fn a_book_follows_the_exchange_through_gaps_and_cuts() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut book = open(&client).await;
    let mut ticks: Raw = subscribe(&client, TICKER).await.unwrap();
    for round in 0..6 {
        live(&mut book).await;
        for _ in 0..20 {
            assert_eq!(change(&mut book).await, Change::Updated);
        }
        exchange.freeze(true);
        settles(&mut book, &exchange).await;
        exchange.freeze(false);
        if round % 2 == 0 {
            exchange.fault(Target::All, Fault::Gap(BOOK.into()));
            let why = loop {
                match change(&mut book).await {
                    Change::Updated => {}
                    other => break other,
                }
            };
            assert!(matches!(why, Change::Stale(Reason::Gap { .. })), "{why:?}");
            assert_eq!(book.live(), None);
        } else {
            exchange.fault(Target::All, Fault::Reset);
            while change(&mut book).await == Change::Updated {}
            assert!(matches!(book.status().why(), Some(Reason::Disconnected(_))), "{:?}", book.status());
        }
    }
    // The other channel was cut with the connection, and never by a renewal.
    let mut cuts = 0;
    while let Some(update) = futures::FutureExt::now_or_never(ticks.next()).flatten() {
        match update {
            Update::Interrupted(_) => cuts += 1,
            Update::Data(_) | Update::Resumed => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(cuts, 3);
}

#[tokio::test]
async fn a_second_book_of_a_channel_has_it_begin_anew() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut first = open(&client).await;
    let mut raw: Raw = subscribe(&client, BOOK).await.unwrap();
    while change(&mut first).await != Change::Updated {}
    let mut second = open(&client).await;
    assert!(second.live().is_none());
    live(&mut second).await;
    // It was not read meanwhile, so it tells that it is live again in one word.
    soon(async { while change(&mut first).await != Change::Live {} }).await;
    let renewing = soon(async {
        loop {
            match raw.next().await.unwrap() {
                Update::Data(_) => {}
                other => break other,
            }
        }
    });
    assert_eq!(renewing.await, Update::<Payload>::Renewing);
    let snapshot = resumed(&mut raw).await;
    assert!(snapshot.as_str().unwrap().contains("snapshot"));
    exchange.freeze(true);
    settles(&mut first, &exchange).await;
    settles(&mut second, &exchange).await;
    let count = |method| exchange.look(|journal| journal.count(method));
    assert_eq!((count("public/subscribe"), count("public/unsubscribe")), (2, 1));
}

#[tokio::test]
async fn gaps_without_end_do_not_hammer_the_exchange() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut book = open(&client).await;
    let end = tokio::time::Instant::now() + Duration::from_secs(2);
    while tokio::time::Instant::now() < end {
        live(&mut book).await;
        exchange.fault(Target::All, Fault::Gap(BOOK.into()));
        while change(&mut book).await == Change::Updated {}
    }
    let renewals = exchange.look(|journal| journal.count("public/unsubscribe"));
    assert!((1..=5).contains(&renewals), "{renewals}");
}

#[tokio::test]
async fn a_grouped_book_is_whole_each_time() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut book = soon(Book::open_grouped(&client, BTC, "none", 10, Interval::Ms100)).await.unwrap();
    live(&mut book).await;
    exchange.fault(Target::All, Fault::Reset);
    while change(&mut book).await == Change::Updated {}
    live(&mut book).await;
    exchange.freeze(true);
    soon(async {
        loop {
            let truth = exchange.book(BTC).unwrap();
            if book.live().is_some_and(|levels| levels.change_id() == truth.change_id) {
                let bids: Vec<_> =
                    book.live().unwrap().bids().map(|level| (level.price, level.amount)).collect();
                assert_eq!(bids, truth.bids[..10]);
                return;
            }
            book.next().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn the_end_of_the_client_is_the_end_of_the_book() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut book = open(&client).await;
    live(&mut book).await;
    soon(client.close()).await;
    assert_eq!(book.live(), None);
    let last = soon(book.next()).await.unwrap();
    assert!(matches!(last, Change::Stale(Reason::Ended(_))), "{last:?}");
    assert_eq!(soon(book.next()).await, None);
    assert!(matches!(book.last_known(), (levels, Status::Stale { .. }) if levels.best_bid().is_some()));
}

#[tokio::test]
async fn an_unknown_instrument_is_refused() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let refused = soon(Book::open(&client, "NONE-PERPETUAL", Interval::Ms100)).await;
    assert!(matches!(refused, Err(steadysocket::Error::Refused { .. })), "{refused:?}");
    let topic = topics::book(BTC, Interval::Ms100);
    assert_eq!(open(&client).await.channel(), topic.to_string());
}
