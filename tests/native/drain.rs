//! The end of a client that has work under way, over real sockets.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::Heartbeat;
use steadysocket::error::{Ended, Error, NotSent, Refusal, Unknown};
use steadysocket::{Client, Payload, State, Update};
use steadysocket_exchange::{Closed, Exchange, Fault, Journal, Target};

use crate::support::*;

/// A call that the exchange has, and answers after `time`.
async fn under_way(
    exchange: &Exchange,
    client: &Client,
    time: Duration,
) -> tokio::task::JoinHandle<Result<u64, Error>> {
    exchange.fault(Target::All, Fault::LateReply(time));
    let caller = client.clone();
    let call = tokio::spawn(async move { caller.call::<u64>("public/get_time", ()).await });
    soon(exchange.wait_until(|journal| journal.count("public/get_time") == 1)).await;
    call
}

fn closed(exchange: &Exchange) -> Option<Closed> {
    exchange.look(|journal| Some(journal.connection(1)?.closed.clone()?.1))
}

fn channels(exchange: &Exchange) -> BTreeSet<String> {
    exchange.look(|journal| journal.connection(1).unwrap().channels.clone())
}

#[tokio::test]
async fn what_is_under_way_ends_channels_are_left_and_then_it_closes() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut stream = subscribe::<Payload>(&client, BOOK).await.unwrap();
    let call = under_way(&exchange, &client, millis(300)).await;
    let mut drain = std::pin::pin!(client.drain(Duration::from_secs(20)));
    assert!(futures::poll!(&mut drain).is_pending());
    let refused = soon(client.call::<Value>("public/status", ())).await;
    assert_eq!(refused, Err(NotSent::Draining.into()));
    let refused = client.subscribe(QUOTE).await.unwrap_err();
    let reason = Refusal::NotSent(Box::new(NotSent::Draining));
    assert_eq!(refused, Error::Refused { channel: QUOTE.into(), reason });
    assert_eq!(client.state(), State::Live, "a call is under way");
    assert_eq!(closed(&exchange), None);

    assert!(soon(call).await.unwrap().is_ok());
    soon(drain).await;
    assert_eq!(client.state(), State::Ended(Ended::Closed));
    soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    assert_eq!(closed(&exchange), Some(Closed::ByClient(Some(1000))));
    let last = exchange.look(|journal| journal.requests().next_back().cloned().unwrap());
    assert_eq!((last.method.as_str(), &last.params["channels"]), ("public/unsubscribe", &json!([BOOK])));
    assert_eq!(channels(&exchange), BTreeSet::new());
    assert_eq!(exchange.look(Journal::opened), 1);
    while let Some(update) = soon(stream.next()).await {
        assert!(matches!(update, Update::Data(_)), "{update:?}");
    }
    let late = client.call::<u64>("public/get_time", ()).await;
    assert_eq!(late, Err(NotSent::Ended(Ended::Closed).into()));
}

/// The exchange stands still in the middle of it: the time that was given passes, and that for closing.
#[tokio::test]
async fn an_exchange_that_stands_still_holds_nothing_up() {
    let exchange = exchange().start().await.unwrap();
    // It would not be noticed by the heartbeat.
    let heartbeat = Heartbeat { idle: Duration::from_secs(60), ..Heartbeat::default() };
    let config = config(exchange.url()).close_timeout(millis(200)).heartbeat(Some(heartbeat));
    let client = connect_to(config.call_timeout(Duration::from_secs(60))).await.unwrap();
    let stream = subscribe::<Payload>(&client, BOOK).await.unwrap();
    let call = under_way(&exchange, &client, Duration::from_secs(60)).await;
    exchange.fault(Target::All, Fault::Stall);
    let start = tokio::time::Instant::now();
    soon(client.drain(millis(300))).await;
    // It had the time that it was given; that it took no minute, `soon` has seen.
    assert!(start.elapsed() >= millis(300), "{:?}", start.elapsed());
    assert_eq!(client.state(), State::Ended(Ended::Closed));
    assert_eq!(soon(call).await.unwrap(), Err(Unknown::Ended(Ended::Closed).into()));
    drop(stream);
    assert_eq!(exchange.look(|journal| journal.count("public/get_time")), 1);
}

/// It is cut while it drains: what had left is unknown, and there is nothing to come back for.
#[tokio::test]
async fn a_cut_while_it_drains_ends_it() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let stream = subscribe::<Payload>(&client, BOOK).await.unwrap();
    let call = under_way(&exchange, &client, Duration::from_secs(60)).await;
    let mut drain = std::pin::pin!(client.drain(Duration::from_secs(20)));
    assert!(futures::poll!(&mut drain).is_pending());
    exchange.fault(Target::All, Fault::Reset);
    let outcome = soon(call).await.unwrap();
    assert!(matches!(outcome, Err(Error::Unknown(Unknown::Disconnected(_)))), "{outcome:?}");
    soon(drain).await;
    assert_eq!(client.state(), State::Ended(Ended::Closed));
    drop(stream);
    soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    assert_eq!(exchange.look(|journal| journal.count("public/get_time")), 1);
}

/// What waits for its turn has it while it drains.
#[tokio::test]
async fn what_waits_is_sent_while_it_drains() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let calls: Vec<_> = (0..200).map(|_| Box::pin(client.call::<u64>("public/get_time", ()))).collect();
    let mut all = std::pin::pin!(futures::future::join_all(calls));
    assert!(futures::poll!(&mut all).is_pending());
    let (answers, ()) = soon(async { futures::join!(all, client.drain(Duration::from_secs(20))) }).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    assert_eq!(closed(&exchange), Some(Closed::ByClient(Some(1000))));
    assert_eq!(exchange.look(|journal| journal.count("public/get_time")), 200);
}
