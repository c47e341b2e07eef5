//! The venue's limits: credits and connections.

use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::WhenBlocked;
use steadysocket::deribit::{Deribit, Options};
use steadysocket::error::{ConnectError, Disconnect, Ended, Error, NotSent};
use steadysocket::{Config, Event, Native, Payload, State};
use steadysocket_exchange::{Bucket, Closed, CreditPolicy, Exchange, Journal};

use crate::support::*;

fn strict(exchange: &Exchange) -> Config {
    config(exchange.url()).limiter(None)
}

#[tokio::test]
async fn ordinary_use_never_overdraws() {
    let exchange = Exchange::builder().start().await.unwrap();
    let client = connect_to(strict(&exchange).call_timeout(Duration::from_secs(30))).await.unwrap();
    let calls = futures::future::join_all((0..150).map(|_| client.call::<u64>("public/get_time", ())));
    let lists =
        futures::future::join_all((0..52).map(|_| {
            client.call::<Value>("public/get_instruments", serde_json::json!({ "currency": "BTC" }))
        }));
    let names: Vec<_> = exchange.instruments().iter().map(|name| format!("quote.{name}")).collect();
    let streams = async {
        // One request each, and more of them than a full pool pays for.
        let mut streams = Vec::new();
        for name in &names {
            streams.push(client.subscribe(name.as_str()).await.unwrap());
        }
        streams
    };
    let (calls, lists, streams) =
        tokio::time::timeout(Duration::from_secs(60), async { futures::join!(calls, lists, streams) })
            .await
            .unwrap();
    assert_eq!(calls.into_iter().find_map(Result::err), None);
    assert_eq!(lists.into_iter().find_map(Result::err), None);
    assert_eq!(streams.len(), names.len());
    assert_eq!((exchange.calls_refused(), exchange.look(Journal::opened)), (0, 1));
    assert!(exchange.credits_spent(Bucket::NonMatching) >= 150 * 500);
}

/// Several clients of a new account trade as fast as they can.
#[tokio::test]
async fn bursts_of_orders_stay_within_the_tier_and_the_queue() {
    // Ten times as fast as the venue, so that it takes seconds; slow enough to fill the queue of the matching engine.
    let credits = CreditPolicy { refill_percent: 1_000, ..CreditPolicy::default() };
    let exchange = Exchange::builder().credits(credits).matching_latency(millis(250)).start().await.unwrap();
    let connect = |options: Options| {
        let config = Config::new(exchange.url()).unwrap().call_timeout(Duration::from_secs(60));
        async { soon(Deribit::connect_with(options, config, Native::new())).await.unwrap() }
    };
    let options = Options::testnet().credentials("local", "local-secret");
    let first = connect(options.clone()).await;
    let shared = options.limiter(first.limiter());
    let clients = [first, connect(shared.clone()).await, connect(shared).await];
    let best = exchange.book("BTC-PERPETUAL").unwrap().bids[0].0;
    let order = |n: usize| json!({ "instrument_name": "BTC-PERPETUAL", "amount": 10, "price": best - 1_000.0 - n as f64, "post_only": true });
    // Each order is edited and cancelled, and all of them wait at once.
    let trade = |client: Deribit, n: usize| async move {
        let placed: Value = client.call("private/buy", order(n)).await?;
        let id = placed["order"]["order_id"].clone();
        let change = json!({ "order_id": id, "amount": 20, "price": best - 2_000.0 - n as f64 });
        client.call::<Value>("private/edit", change).await?;
        client.call::<Value>("private/cancel", json!({ "order_id": id })).await
    };
    let trades = clients.iter().cloned().cycle().take(36).enumerate().map(|(n, client)| trade(client, n));
    let all = async { futures::join!(futures::future::join_all(trades), cancel_all(&clients)) };
    let (trades, ()) = tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    let codes: Vec<_> = trades.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(codes.iter().all(|error| harmless(error)), "{codes:?}");
    let refused = exchange.ledger().requests.iter().filter_map(|request| request.error).collect::<Vec<_>>();
    assert!(!refused.contains(&10047), "{refused:?}");
    assert_eq!((exchange.calls_refused(), exchange.look(Journal::opened)), (0, 3));
    assert!(exchange.ledger().requests.len() >= 36);
}

async fn cancel_all(clients: &[Deribit]) {
    for client in clients {
        let _: Value = client.call("private/cancel_all", json!({})).await.unwrap();
    }
}

/// What a mass cancel does to the orders that it meets.
fn harmless(error: &Error) -> bool {
    matches!(error, Error::Rejected(error) if [13666, 11044, 10004, 10010].contains(&error.code))
}

#[tokio::test]
async fn without_patience_a_call_says_that_it_was_not_sent() {
    let exchange = Exchange::builder().start().await.unwrap();
    let client = connect_to(strict(&exchange).when_limited(WhenBlocked::Refuse)).await.unwrap();
    let calls = (0..150).map(|_| client.call::<u64>("public/get_time", ()));
    let outcomes = soon(futures::future::join_all(calls)).await;
    let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    let told = |outcome: &Result<u64, Error>| {
        matches!(outcome, Ok(_) | Err(Error::NotSent(NotSent::RateLimited(_))))
    };
    assert!(outcomes.iter().all(told) && refused > 0, "{refused}");
    assert_eq!(exchange.calls_refused(), 0);
}

#[tokio::test]
async fn an_empty_pool_is_given_time_to_refill() {
    let exchange = Exchange::builder().start().await.unwrap();
    let client = connect_to(strict(&exchange)).await.unwrap();
    let mut events = client.events();
    // Another program at the same address spends what this client counts on.
    let greedy = connect_to(config(exchange.url())).await.unwrap();
    let calls = (0..150).map(|_| greedy.call::<u64>("public/get_time", ()));
    let outcomes = soon(futures::future::join_all(calls)).await;
    assert!(
        outcomes.iter().any(|outcome| matches!(outcome, Err(Error::Rejected(error)) if error.code == 10028))
    );
    drop(greedy);
    // Until it is refused too.
    let refused = soon(async {
        loop {
            if let Err(error) = client.call::<u64>("public/get_time", ()).await {
                return error;
            }
        }
    })
    .await;
    assert!(matches!(&refused, Error::Rejected(error) if error.code == 10028), "{refused:?}");
    let (delay, reason) = event(&mut events, |event| match event {
        Event::State(State::Waiting { delay, reason, .. }) => Some((*delay, reason.clone())),
        _ => None,
    })
    .await;
    assert!(delay > Duration::from_secs(4), "{delay:?}");
    assert!(matches!(reason, Disconnect::Dropped(_)), "{reason:?}");
}

#[tokio::test]
async fn the_thirty_third_connection_is_refused_and_may_wait() {
    let exchange = exchange().start().await.unwrap();
    let clients = (0..32).map(|_| connect(&exchange));
    let mut clients = soon(futures::future::join_all(clients)).await;
    let ended = ended(connect_to(config(exchange.url())).await);
    let Ended::Refused(Disconnect::Connect(ConnectError::Status { status: 429, .. })) = ended else {
        panic!("{ended:?}")
    };
    let patient = connect_to(config(exchange.url()).retry_initial_connect(true));
    let make_room = async {
        exchange.wait_until(|journal| journal.refusals().count() >= 3).await;
        drop(clients.pop());
    };
    let (patient, ()) = soon(async { futures::join!(patient, make_room) }).await;
    let _quotes = subscribe::<Payload>(&patient.unwrap(), QUOTE).await.unwrap();
    let closed = |journal: &Journal| {
        let mut closed = journal.connections().filter_map(|connection| connection.closed.clone());
        closed.all(|(_, why)| why == Closed::ByClient(Some(1000)))
    };
    assert!(exchange.look(closed));
}
