//! The end that the user chooses.

use std::time::Duration;

use steadysocket::error::{Ended, Error, NotSent, Unknown};
use steadysocket::{Client, CloseCode, Payload, State, Update};
use steadysocket_exchange::{Closed, Door, Exchange, Fault, Journal, Span, Target};

use crate::support::*;

async fn seen(exchange: &Exchange) -> Closed {
    soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    exchange.look(|journal| journal.connection(1).unwrap().closed.clone().unwrap().1)
}

async fn drained(mut stream: Raw) {
    while let Some(update) = soon(stream.next()).await {
        assert!(matches!(update, Update::Data(_) | Update::Interrupted(_)), "{update:?}");
    }
}

#[tokio::test]
async fn close_says_goodbye_and_ends_everything() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let quotes = subscribe(&client, QUOTE).await.unwrap();
    exchange.fault(Target::All, Fault::DelayReplies(Duration::from_secs(60)));
    let call = client.call::<u64>("public/get_time", ());
    let close = async {
        exchange.wait_until(|journal| journal.count("public/get_time") == 1).await;
        client.close().await;
    };
    let (outcome, ()) = soon(async { futures::join!(call, close) }).await;
    assert!(matches!(outcome, Err(Error::Unknown(Unknown::Ended(Ended::Closed)))), "{outcome:?}");
    assert_eq!(seen(&exchange).await, Closed::ByClient(Some(1000)));
    drained(quotes).await;
    assert_eq!(client.state(), State::Ended(Ended::Closed));
    let late = client.call::<u64>("public/get_time", ()).await;
    assert!(matches!(late, Err(Error::NotSent(NotSent::Ended(Ended::Closed)))), "{late:?}");
    let late = client.subscribe(QUOTE).await;
    assert!(matches!(late, Err(Error::NotSent(NotSent::Ended(Ended::Closed)))), "{late:?}");
    soon(client.close()).await;
    client.reconnect();
    assert_eq!(exchange.look(Journal::opened), 1);
}

#[tokio::test]
async fn a_close_code_arrives() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    soon(client.close_with(CloseCode(3999), "bye")).await.unwrap();
    assert_eq!(seen(&exchange).await, Closed::ByClient(Some(3999)));
    assert_eq!(soon(client.ended()).await, Ended::Closed);
}

#[tokio::test]
async fn dropping_every_handle_closes() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut quotes: Raw = subscribe(&client, QUOTE).await.unwrap();
    let clone = client.clone();
    drop(client);
    drop(clone);
    // A subscription is a handle too.
    for _ in 0..10 {
        only_data(&mut quotes).await;
    }
    drop(quotes);
    assert_eq!(seen(&exchange).await, Closed::ByClient(Some(1000)));
}

#[tokio::test]
async fn closing_does_not_wait_for_ever() {
    let exchange = exchange().start().await.unwrap();
    let client = connect_to(config(exchange.url()).close_timeout(millis(200))).await.unwrap();
    exchange.fault(Target::All, Fault::Stall);
    soon(client.close()).await;
    assert_eq!(client.state(), State::Ended(Ended::Closed));
}

#[tokio::test]
async fn closing_while_it_reconnects_stops_that() {
    let exchange = exchange().start().await.unwrap();
    for door in [Door::Silent, Door::Hangup] {
        exchange.open_door();
        let client = connect(&exchange).await;
        let quotes = subscribe::<Payload>(&client, QUOTE).await.unwrap();
        exchange.door(door, Span::UntilOpened);
        let before = exchange.look(|journal| journal.refusals().count());
        exchange.fault(Target::All, Fault::Reset);
        soon(exchange.wait_until(|journal| journal.refusals().count() > before)).await;
        soon(client.close()).await;
        drained(quotes).await;
    }
    exchange.open_door();
    assert_eq!(exchange.look(Journal::open), 0);
}

#[tokio::test]
async fn close_after_reconnect_still_says_goodbye() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    client.reconnect();
    soon(client.close()).await;
    assert_eq!(seen(&exchange).await, Closed::ByClient(Some(1000)));
    assert_eq!(exchange.look(Journal::opened), 1);
}

#[test]
fn a_runtime_that_shuts_down_ends_the_client() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (outside, inside) = (runtime(), runtime());
    let exchange = outside.block_on(exchange().start()).unwrap();
    let client: Client = inside.block_on(connect(&exchange));
    let quotes = inside.block_on(subscribe(&client, QUOTE)).unwrap();
    inside.shutdown_timeout(Duration::from_secs(10));
    outside.block_on(async {
        drained(quotes).await;
        assert_eq!(soon(client.ended()).await, Ended::Abandoned);
        let outcome = client.call::<u64>("public/get_time", ()).await;
        assert!(matches!(outcome, Err(Error::NotSent(NotSent::Ended(Ended::Abandoned)))), "{outcome:?}");
        soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    });
}
