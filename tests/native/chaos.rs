//! Ten seconds in which no connection lives for long.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::deribit::data::BookMessage;
use steadysocket::error::{Error, NotSent, Unknown};
use steadysocket::{Client, State, Update};
use steadysocket_exchange::{Exchange, Journal};

use crate::data::Book;
use crate::support::*;

const CALLERS: usize = 4;

/// What callers were told, by tag.
#[derive(Default)]
struct Told {
    answered: BTreeSet<String>,
    unknown: usize,
    not_sent: BTreeSet<String>,
}

/// Calls again and again, each time with a new tag, until told to stop.
async fn calls(client: Client, caller: usize, stop: Arc<AtomicBool>) -> Told {
    let mut told = Told::default();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let tag = format!("{caller}-{number}");
        let params = json!({ "instrument_name": "BTC-PERPETUAL", "tag": tag });
        match client.call::<Value>("public/ticker", params).await {
            Ok(_) => drop(told.answered.insert(tag)),
            Err(Error::Unknown(Unknown::Disconnected(_))) => told.unknown += 1,
            Err(Error::NotSent(NotSent::Disconnected(_))) => drop(told.not_sent.insert(tag)),
            other => panic!("{other:?}"),
        }
        // The exchange's journal does not keep more than so many requests.
        tokio::time::sleep(millis(3)).await;
    }
    told
}

/// Rebuilds a book; within one connection nothing may be missing. How many snapshots came, and the stream.
async fn watch(
    mut stream: steadysocket::Subscription<BookMessage>,
    stop: Arc<AtomicBool>,
) -> (steadysocket::Subscription<BookMessage>, Book) {
    let (mut book, mut live) = (Book::default(), true);
    while !stop.load(Ordering::Relaxed) {
        match next(&mut stream).await {
            Update::Data(message) => {
                assert!(live, "data while it is interrupted");
                assert!(book.apply(&message), "{}: a gap without a word", stream.channel());
            }
            Update::Interrupted(_) => (book, live) = (Book::default(), false),
            Update::Resumed => live = true,
            other => panic!("{other:?}"),
        }
    }
    (stream, book)
}

fn check_requests(journal: &Journal, told: &[Told]) {
    let mut ids = BTreeSet::new();
    let mut executed = BTreeMap::<String, usize>::new();
    for request in journal.requests() {
        let id = request.id.as_ref().and_then(Value::as_u64).expect("every request has an id");
        assert!(ids.insert(id), "{id} was used twice");
        if let Some(tag) = request.params.get("tag").and_then(Value::as_str) {
            *executed.entry(tag.to_owned()).or_default() += 1;
        }
    }
    assert!(executed.values().all(|times| *times == 1), "a call was made twice");
    for told in told {
        assert!(told.answered.iter().all(|tag| executed.contains_key(tag)));
        assert!(told.not_sent.iter().all(|tag| !executed.contains_key(tag)), "sent, and said not to be");
    }
}

async fn settle(exchange: &Exchange, client: &Client, channels: &[String]) {
    soon(exchange.wait_until(|journal| {
        journal.open() == 1 && channels.iter().all(|channel| journal.subscribed(channel))
    }))
    .await;
    // The next connection may still have been cut by the last blow.
    soon(async {
        while client.state() != State::Live || client.stats().confirmed < channels.len() {
            let _ = client.ready().await;
            let _ = client.call::<u64>("public/get_time", ()).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_holds_while_connections_are_cut() {
    let exchange = exchange().seed(11).start().await.unwrap();
    let client = connect_to(config(exchange.url()).call_timeout(Duration::from_secs(30))).await.unwrap();
    let names = exchange.instruments();
    let channels: Vec<_> = names.iter().take(10).map(|name| format!("book.{name}.100ms")).collect();
    let mut streams = Vec::new();
    for channel in &channels {
        streams.push(subscribe::<BookMessage>(&client, channel).await.unwrap());
    }
    let stop = Arc::new(AtomicBool::new(false));
    let watchers: Vec<_> =
        streams.into_iter().map(|stream| tokio::spawn(watch(stream, stop.clone()))).collect();
    let callers: Vec<_> =
        (0..CALLERS).map(|caller| tokio::spawn(calls(client.clone(), caller, stop.clone()))).collect();

    exchange.chaos(Some(millis(150)));
    // A subscription that comes and goes all the while.
    let end = tokio::time::Instant::now() + Duration::from_secs(8);
    while tokio::time::Instant::now() < end {
        if let Ok(mut passing) = client.subscribe(TICKER).await {
            let _ = next(&mut passing).await;
        }
    }
    exchange.chaos(None);
    settle(&exchange, &client, &channels).await;
    stop.store(true, Ordering::Relaxed);

    let told: Vec<_> = soon(futures::future::try_join_all(callers)).await.unwrap();
    let watched: Vec<_> = soon(futures::future::try_join_all(watchers)).await.unwrap();
    let unknown: usize = told.iter().map(|told| told.unknown).sum();
    let answered: usize = told.iter().map(|told| told.answered.len()).sum();
    assert!(answered > 100 && unknown > 10, "{answered} answered, {unknown} unknown");
    exchange.look(|journal| {
        assert!(journal.opened() > 15, "{} connections", journal.opened());
        check_requests(journal, &told);
    });
    assert_eq!(client.stats().desired, channels.len());

    // The books are right in the end.
    exchange.freeze(true);
    for (mut stream, mut book) in watched {
        let instrument = stream.channel().split('.').nth(1).unwrap().to_owned();
        let truth = exchange.book(&instrument).unwrap();
        while book.change_id != Some(truth.change_id) {
            match next(&mut stream).await {
                Update::Data(message) => assert!(book.apply(&message)),
                Update::Interrupted(_) => book = Book::default(),
                Update::Resumed => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(book.equals(&truth), "{instrument}");
    }
}
