//! Typed data: everything that the exchange publishes decodes, and a book can be rebuilt from it.

use std::collections::BTreeMap;
use std::fmt::Debug;

use steadysocket::config::Queue;
use steadysocket::deribit::data::{BookMessage, BookMessageKind, GroupedBook, Ticker};
use steadysocket::deribit::{Interval, Scope, Topic, topics};
use steadysocket::{Client, FromPayload, Subscription};
use steadysocket_exchange::{BookView, Exchange, Fault, Target};

use crate::support::*;

/// A book as its messages tell it. Prices are kept as the bits of what was sent.
#[derive(Debug, Default)]
pub struct Book {
    bids: BTreeMap<u64, f64>,
    asks: BTreeMap<u64, f64>,
    pub change_id: Option<u64>,
}

impl Book {
    /// Applies a message; whether it continues what came before.
    pub fn apply(&mut self, message: &BookMessage) -> bool {
        match message.kind {
            BookMessageKind::Snapshot => *self = Self::default(),
            _ if self.change_id.is_some() && message.prev_change_id == self.change_id => {}
            _ => return false,
        }
        self.change_id = Some(message.change_id);
        for (side, changes) in [(&mut self.bids, &message.bids), (&mut self.asks, &message.asks)] {
            for change in changes {
                match change.new_amount() {
                    Some(amount) => side.insert(change.price.to_bits(), amount),
                    None => side.remove(&change.price.to_bits()),
                };
            }
        }
        true
    }

    pub fn equals(&self, truth: &BookView) -> bool {
        let side =
            |levels: &[(f64, f64)]| levels.iter().map(|(price, amount)| (price.to_bits(), *amount)).collect();
        self.change_id == Some(truth.change_id)
            && self.bids == side(&truth.bids)
            && self.asks == side(&truth.asks)
    }
}

async fn topic<T: FromPayload>(client: &Client, topic: Topic<T>) -> Subscription<T> {
    soon(client.subscribe_with(topic.to_string(), Queue::default())).await.unwrap()
}

async fn decodes<T: FromPayload + Debug>(client: &Client, wanted: Topic<T>, count: usize) -> Vec<T> {
    let mut stream = topic(client, wanted).await;
    let mut found = Vec::new();
    while found.len() < count {
        found.push(only_data(&mut stream).await);
    }
    found
}

#[tokio::test]
async fn every_typed_topic_decodes() {
    const BTC: &str = "BTC-PERPETUAL";
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let all = Scope::Market { kind: "any".into(), currency: "any".into() };
    let (tickers, quotes, trades, all_trades, books, grouped, indices, states) = futures::join!(
        decodes(&client, topics::ticker(BTC, Interval::Ms100), 40),
        decodes(&client, topics::quote(BTC), 100),
        decodes(&client, topics::trades(Scope::Instrument(BTC.into()), Interval::Ms100), 10),
        decodes(&client, topics::trades(all, Interval::Ms100), 20),
        decodes(&client, topics::book(BTC, Interval::Ms100), 40),
        decodes(&client, topics::grouped_book(BTC, "none", 10, Interval::Ms100), 40),
        decodes(&client, topics::price_index("btc_usd"), 5),
        decodes(&client, topics::platform_state(), 5),
    );
    for ticker in tickers {
        assert_eq!(ticker.instrument_name, BTC);
        assert!(ticker.best_bid().unwrap().price < ticker.best_ask().unwrap().price);
    }
    assert!(quotes.iter().all(|quote| quote.best_bid_price < quote.best_ask_price));
    assert!(trades.iter().chain(&all_trades).flatten().all(|trade| trade.price > 0.0 && trade.amount > 0.0));
    assert!(trades.iter().flatten().is_sorted_by_key(|trade| trade.trade_seq));
    let mut book = Book::default();
    assert!(books.iter().all(|message| book.apply(message)));
    assert!(grouped.iter().all(|book| book.bids.len() <= 10 && book.asks.len() <= 10));
    assert!(indices.iter().all(|index| index.index_name == "btc_usd" && index.price > 0.0));
    assert!(states.iter().all(|state| state.price_index.is_some()));
}

#[tokio::test]
async fn every_instrument_decodes() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    for name in exchange.instruments() {
        let mut ticker: Subscription<Ticker> = topic(&client, topics::ticker(&name, Interval::Ms100)).await;
        assert_eq!(only_data(&mut ticker).await.instrument_name, name);
        let mut book: Subscription<BookMessage> = topic(&client, topics::book(&name, Interval::Ms100)).await;
        assert_eq!(only_data(&mut book).await.instrument_name, name);
        let grouped = topics::grouped_book(&name, "none", 20, Interval::Ms100);
        let mut grouped: Subscription<GroupedBook> = topic(&client, grouped).await;
        assert_eq!(only_data(&mut grouped).await.instrument_name, name);
    }
}

/// Reads until the rebuilt book is the exchange's, which stands still.
async fn settles(exchange: &Exchange, stream: &mut Subscription<BookMessage>, book: &mut Book) {
    let truth = exchange.book("BTC-PERPETUAL").unwrap();
    while book.change_id != Some(truth.change_id) {
        assert!(book.apply(&data(stream).await));
    }
    assert!(book.equals(&truth), "{book:?}\n{truth:?}");
}

#[tokio::test]
async fn a_rebuilt_book_is_the_exchanges() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut stream = topic(&client, topics::book("BTC-PERPETUAL", Interval::Ms100)).await;
    let mut book = Book::default();
    for round in 0..4 {
        for _ in 0..30 {
            assert!(book.apply(&data(&mut stream).await));
        }
        exchange.freeze(true);
        settles(&exchange, &mut stream, &mut book).await;
        exchange.freeze(false);
        if round % 2 == 1 {
            exchange.fault(Target::All, Fault::Reset);
            interrupted(&mut stream).await;
            let first = resumed(&mut stream).await;
            assert_eq!(first.kind, BookMessageKind::Snapshot);
            assert!(book.apply(&first));
        }
    }
}

#[tokio::test]
async fn a_lost_change_is_seen_and_healed_by_subscribing_anew() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let wanted = || topics::book("BTC-PERPETUAL", Interval::Ms100);
    let mut stream = topic(&client, wanted()).await;
    let mut book = Book::default();
    assert!(book.apply(&only_data(&mut stream).await));
    exchange.fault(Target::All, Fault::Gap(BOOK.into()));
    while book.apply(&only_data(&mut stream).await) {}
    drop(stream);
    let mut stream = topic(&client, wanted()).await;
    for _ in 0..20 {
        assert!(book.apply(&only_data(&mut stream).await));
    }
    exchange.freeze(true);
    settles(&exchange, &mut stream, &mut book).await;
}
