//! Every way in which the exchange can end a connection or keep one from opening, and the way back.

use std::time::Duration;

use steadysocket::config::Heartbeat;
use steadysocket::error::{ConnectError, Disconnect, Ended, Error, NotSent, Phase, Unknown};
use steadysocket::{Client, CloseCode, Event, Request, State, Update};
use steadysocket_exchange::{Closed, Door, Exchange, Fault, Journal, Span, Target};

use crate::support::*;

const CHANNELS: [&str; 4] = [BOOK, QUOTE, TICKER, "deribit_price_index.btc_usd"];

/// A client that consumes all [`CHANNELS`].
struct Rig {
    exchange: Exchange,
    client: Client,
    streams: Vec<Raw>,
}

impl Rig {
    async fn with(
        exchange: Exchange,
        adjust: impl FnOnce(steadysocket::Config) -> steadysocket::Config,
    ) -> Self {
        let client = connect_to(adjust(config(exchange.url()))).await.unwrap();
        let mut streams = Vec::new();
        for channel in CHANNELS {
            streams.push(subscribe(&client, channel).await.unwrap());
        }
        Self { exchange, client, streams }
    }

    async fn new() -> Self {
        Self::with(exchange().start().await.unwrap(), |config| config).await
    }

    /// Each stream is interrupted for this reason and resumed, and has data again.
    async fn recovers(&mut self, expected: impl Fn(&Disconnect) -> bool) {
        for stream in &mut self.streams {
            let reason = interrupted(stream).await;
            assert!(expected(&reason), "{reason:?}");
            resumed(stream).await;
        }
        soon(self.client.ready()).await.unwrap();
        let stats = self.client.stats();
        assert_eq!((stats.desired, stats.confirmed), (CHANNELS.len(), CHANNELS.len()));
        assert!(self.exchange.look(|journal| CHANNELS.iter().all(|channel| journal.subscribed(channel))));
    }
}

#[tokio::test]
async fn after_every_kind_of_end_everything_is_restored() {
    let mut rig = Rig::new().await;
    for fault in [Fault::Reset, Fault::Drop] {
        rig.exchange.fault(Target::All, fault);
        rig.recovers(|reason| matches!(reason, Disconnect::Dropped(_))).await;
    }
    for code in [1000, 1001, 1008, 1011, 1012, 1013, 3000, 4000, 4999] {
        rig.exchange.fault(Target::All, Fault::Close { code, reason: "see you".into() });
        rig.recovers(|reason| match reason {
            Disconnect::Closed(Some(frame)) => (frame.code, &*frame.reason) == (CloseCode(code), "see you"),
            _ => false,
        })
        .await;
    }
    assert_eq!(rig.exchange.look(|journal| (journal.opened(), journal.open())), (12, 1));
}

#[tokio::test]
async fn a_peer_that_stands_still_is_replaced() {
    let heartbeat = Heartbeat { idle: millis(600), timeout: millis(300) };
    let exchange = exchange().start().await.unwrap();
    let mut rig = Rig::with(exchange, |config| config.heartbeat(Some(heartbeat))).await;
    rig.exchange.fault(Target::All, Fault::Stall);
    rig.recovers(|reason| matches!(reason, Disconnect::Silent(_))).await;
}

#[tokio::test]
async fn refused_upgrades_are_tried_again_when_the_venue_says() {
    for status in [429, 503] {
        let mut rig = Rig::new().await;
        let mut events = rig.client.events();
        rig.exchange.door(Door::Refuse { status, retry_after: Some(1) }, Span::Attempts(1));
        rig.exchange.fault(Target::All, Fault::Reset);
        let (delay, reason) = event(&mut events, |event| match event {
            Event::State(State::Waiting { delay, reason: reason @ Disconnect::Connect(_), .. }) => {
                Some((*delay, reason.clone()))
            }
            _ => None,
        })
        .await;
        let second = Duration::from_secs(1);
        let expected = ConnectError::Status { status, retry_after: Some(second), location: None };
        assert_eq!(reason, Disconnect::Connect(expected));
        assert!(delay >= second, "{delay:?}");
        rig.recovers(|reason| matches!(reason, Disconnect::Dropped(_))).await;
        let refusals = rig.exchange.look(|journal| journal.refusals().map(|r| r.status).collect::<Vec<_>>());
        assert_eq!(refusals, [Some(status)]);
    }
}

#[tokio::test]
async fn a_refusal_for_good_ends_everything() {
    for status in [401, 403, 407] {
        let mut rig = Rig::new().await;
        rig.exchange.door(Door::Refuse { status, retry_after: None }, Span::UntilOpened);
        rig.exchange.fault(Target::All, Fault::Reset);
        let ended = soon(rig.client.ended()).await;
        let refused = |ended: &Ended| matches!(ended, Ended::Refused(Disconnect::Connect(ConnectError::Status { status: found, .. })) if *found == status);
        assert!(refused(&ended), "{ended:?}");
        for stream in &mut rig.streams {
            interrupted(stream).await;
            assert_eq!(soon(stream.next()).await, None);
        }
        let outcome = rig.client.call::<u64>("public/get_time", ()).await;
        assert!(
            matches!(&outcome, Err(Error::NotSent(NotSent::Ended(ended))) if refused(ended)),
            "{outcome:?}"
        );
        assert_eq!(rig.exchange.look(|journal| journal.refusals().count()), 1);
    }
}

#[tokio::test]
async fn doors_that_open_on_nothing_meet_growing_delays() {
    let exchange = exchange().start().await.unwrap();
    let mut rig = Rig::with(exchange, |config| config.connect_timeout(millis(400))).await;
    let is_io = |error: &ConnectError| matches!(error, ConnectError::Io { .. } | ConnectError::Tcp(_));
    type Check<'a> = &'a dyn Fn(&Disconnect) -> bool;
    let doors: [(Door, usize, Check); 3] = [
        (Door::Silent, 2, &|reason| *reason == Disconnect::Connect(ConnectError::Timeout(Phase::Upgrade))),
        (Door::Hangup, 4, &|reason| matches!(reason, Disconnect::Connect(error) if is_io(error))),
        (
            Door::CloseAtOnce(1012),
            4,
            &|reason| matches!(reason, Disconnect::Closed(Some(frame)) if frame.code == CloseCode(1012)),
        ),
    ];
    for (door, count, expected) in doors {
        // The count of attempts starts anew once the connection has proved stable.
        let mut events = rig.client.events();
        rig.exchange.door(door, Span::Attempts(count));
        rig.exchange.fault(Target::All, Fault::Drop);
        assert!(matches!(disconnected(&mut events).await, Disconnect::Dropped(_)));
        let mut attempts = Vec::new();
        for _ in 0..count {
            let (attempt, reason) = event(&mut events, |event| match event {
                Event::State(State::Waiting { attempt, reason, .. }) if expected(reason) => {
                    Some((*attempt, reason.clone()))
                }
                Event::State(State::Waiting { reason: Disconnect::Dropped(_), .. }) => None,
                Event::State(State::Waiting { reason, .. }) => panic!("{reason:?}"),
                _ => None,
            })
            .await;
            attempts.push((attempt, reason));
        }
        assert!(attempts.is_sorted_by(|one, two| one.0 < two.0), "{attempts:?}");
        rig.recovers(|reason| matches!(reason, Disconnect::Dropped(_))).await;
    }
}

#[tokio::test]
async fn maintenance_is_survived() {
    let mut rig = Rig::new().await;
    let mut platform: Raw = subscribe(&rig.client, "platform_state").await.unwrap();
    rig.exchange.maintenance(millis(400), millis(300));
    loop {
        let state = only_data(&mut platform).await;
        if state.as_str() == Some("{\"maintenance\":true}") {
            break;
        }
    }
    let outcome = rig.client.call::<u64>("public/get_time", ()).await;
    assert!(matches!(&outcome, Err(Error::Rejected(error)) if error.code == 11051), "{outcome:?}");
    for stream in rig.streams.iter_mut().chain([&mut platform]) {
        let reason = interrupted(stream).await;
        assert!(
            matches!(&reason, Disconnect::Closed(Some(frame)) if frame.reason == "maintenance"),
            "{reason:?}"
        );
        resumed(stream).await;
    }
    assert!(rig.exchange.look(|journal| journal.refusals().all(|refusal| refusal.status == Some(503))));
}

#[tokio::test]
async fn calls_under_way_end_at_once_and_truly() {
    let exchange = exchange().start().await.unwrap();
    // The first calls leave, and credits are missing for the others.
    let client = connect_to(config(exchange.url()).limiter(None)).await.unwrap();
    exchange.fault(Target::All, Fault::DelayReplies(Duration::from_secs(60)));
    let calls = (0..150).map(|tag| {
        let request = Request::with("public/ticker", &serde_json::json!({ "tag": tag })).unwrap();
        client.request(request).timeout(Duration::from_secs(60))
    });
    let cut = async {
        exchange.wait_until(|journal| journal.count("public/ticker") >= 90).await;
        exchange.fault(Target::All, Fault::Reset);
    };
    let (outcomes, ()) = soon(async { futures::join!(futures::future::join_all(calls), cut) }).await;
    let arrived = |tag: usize| {
        let same = |journal: &Journal| {
            journal.requests().filter(|r| r.params.get("tag") == Some(&tag.into())).count()
        };
        exchange.look(same)
    };
    let mut unsent = 0;
    for (tag, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Err(Error::Unknown(Unknown::Disconnected(Disconnect::Dropped(_)))) => assert!(arrived(tag) <= 1),
            Err(Error::NotSent(NotSent::Disconnected(Disconnect::Dropped(_)))) => {
                unsent += 1;
                assert_eq!(arrived(tag), 0);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((1..=60).contains(&unsent), "{unsent}");
}

#[tokio::test]
async fn a_call_made_meanwhile_waits_for_the_next_connection() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut events = client.events();
    exchange.door(Door::Hangup, Span::UntilOpened);
    exchange.fault(Target::All, Fault::Reset);
    disconnected(&mut events).await;
    let call = client.call::<u64>("public/get_time", ());
    let open = async {
        exchange.wait_until(|journal| journal.refusals().count() >= 2).await;
        exchange.open_door();
    };
    let (time, ()) = soon(async { futures::join!(call, open) }).await;
    assert!(time.unwrap() > 0);
    assert_eq!(exchange.look(|journal| journal.count("public/get_time")), 1);
}

#[tokio::test]
async fn an_explicit_reconnect_closes_in_order_and_keeps_everything() {
    let mut rig = Rig::new().await;
    rig.client.reconnect();
    rig.recovers(|reason| *reason == Disconnect::Requested).await;
    let first = rig.exchange.look(|journal| journal.connection(1).unwrap().closed.clone().unwrap().1);
    assert_eq!(first, Closed::ByClient(Some(1000)));
}

#[tokio::test]
async fn a_slow_reader_that_the_venue_drops_comes_back() {
    let mut rig = Rig::new().await;
    // The venue's own words for it.
    let reason = "connection_too_slow";
    rig.exchange.fault(Target::All, Fault::Close { code: 1008, reason: reason.into() });
    rig.recovers(|found| matches!(found, Disconnect::Closed(Some(frame)) if frame.reason == reason)).await;
    for stream in &mut rig.streams {
        assert!(matches!(next(stream).await, Update::Data(_)));
    }
}
