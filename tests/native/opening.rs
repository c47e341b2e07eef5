//! What is said on every new connection, and the venue's heartbeat.

use steadysocket::deribit::{Adapter, Options};
use steadysocket::error::{Disconnect, Ended, OpeningError};
use steadysocket::{Event, Native};
use steadysocket_exchange::{Fault, Journal, Target};

use crate::support::*;

fn methods(journal: &Journal, connection: u64) -> Vec<String> {
    let of_it = journal.requests().filter(|request| request.connection == connection);
    of_it.map(|request| request.method.clone()).collect()
}

#[tokio::test]
async fn every_connection_begins_with_hello_and_the_heartbeat() {
    let exchange = exchange().start().await.unwrap();
    let protocol = Adapter::new(Options::testnet().client("my-bot", "7.1"));
    let client = steadysocket::connect_with(config(exchange.url()), protocol, Native::new()).await.unwrap();
    let mut quotes: Raw = subscribe(&client, QUOTE).await.unwrap();
    for _ in 0..3 {
        exchange.fault(Target::All, Fault::Reset);
        interrupted(&mut quotes).await;
        resumed(&mut quotes).await;
    }
    exchange.look(|journal| {
        for connection in 1..=4 {
            let methods = methods(journal, connection);
            assert_eq!(methods, ["public/hello", "public/set_heartbeat", "public/subscribe"]);
        }
        let hello = &journal.requests().next().unwrap().params;
        assert_eq!((&hello["client_name"], &hello["client_version"]), (&"my-bot".into(), &"7.1".into()));
        let heartbeat = &journal.requests().nth(1).unwrap().params;
        assert_eq!(heartbeat["interval"], 10);
    });
}

#[tokio::test]
async fn the_venues_test_requests_are_answered_in_silence() {
    let exchange = exchange().second(millis(40)).start().await.unwrap();
    let client = connect(&exchange).await;
    let mut events = client.events();
    soon(exchange.wait_until(|journal| journal.count("public/test") >= 4)).await;
    let events = waiting(&client, &mut events).await;
    assert_eq!(events, [], "nobody needs to hear of a heartbeat");
    assert_eq!(exchange.look(|journal| (journal.opened(), journal.open())), (1, 1));
}

#[tokio::test]
async fn a_heartbeat_outlives_reconnects() {
    let exchange = exchange().second(millis(40)).start().await.unwrap();
    let client = connect(&exchange).await;
    for connection in 2..4 {
        let mut events = client.events();
        exchange.fault(Target::All, Fault::Drop);
        disconnected(&mut events).await;
        let asked = |journal: &Journal| methods(journal, connection).contains(&"public/test".to_owned());
        soon(exchange.wait_until(asked)).await;
    }
    assert_eq!(exchange.look(Journal::opened), 3);
}

#[tokio::test]
async fn the_wrong_environment_is_left_before_anything_else_is_sent() {
    let exchange = exchange().testnet(false).start().await.unwrap();
    let ended = ended(connect_to(config(exchange.url()).retry_initial_connect(true)).await);
    let Ended::Refused(Disconnect::Opening(OpeningError::WrongServer(problem))) = ended else {
        panic!("{ended:?}")
    };
    assert!(problem.contains("production"), "{problem}");
    assert_eq!(exchange.look(|journal| methods(journal, 1)), ["public/hello"]);
    assert_eq!(exchange.look(Journal::opened), 1);
}

#[tokio::test]
async fn states_come_in_order() {
    use steadysocket::State;
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut events = client.events();
    assert_eq!(client.state(), State::Live);
    client.reconnect();
    let mut states = Vec::new();
    event(&mut events, |event| {
        if let Event::State(state) = event {
            states.push(state.clone());
        }
        matches!(event, Event::State(State::Live)).then_some(())
    })
    .await;
    let expected = [State::Closing, State::Connecting { attempt: 1 }, State::Restoring, State::Live];
    assert_eq!(states, expected);
}
