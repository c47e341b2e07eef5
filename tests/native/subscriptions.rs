//! Desired, requested, confirmed: against the exchange's own idea of what is subscribed.

use futures::FutureExt;
use steadysocket::deribit::data::{BookMessage, BookMessageKind};
use steadysocket::error::{Error, NotSent, Refusal};
use steadysocket::protocol::Unmatched;
use steadysocket::{Payload, Update};
use steadysocket_exchange::{Exchange, Fault, Target};

use crate::support::*;

async fn unsubscribed(exchange: &Exchange, channel: &str) {
    soon(exchange.wait_until(|journal| !journal.subscribed(channel))).await;
}

#[tokio::test]
async fn what_is_dropped_is_unsubscribed() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut quotes: Raw = subscribe(&client, QUOTE).await.unwrap();
    let ticks: Raw = subscribe(&client, TICKER).await.unwrap();
    assert!(exchange.look(|journal| journal.subscribed(QUOTE) && journal.subscribed(TICKER)));
    drop(ticks);
    unsubscribed(&exchange, TICKER).await;
    only_data(&mut quotes).await;
    assert_eq!(exchange.look(|journal| journal.count("public/unsubscribe")), 1);
    assert_eq!((client.stats().desired, client.stats().confirmed), (1, 1));
}

#[tokio::test]
async fn channels_that_the_venue_leaves_out_are_refused() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let wrong = ["ticker.BTC-PERPETUL.100ms", "book.BTC-PERPETUAL.50ms", "nonsense", ""];
    let (one, two, three, four, right) = soon(async {
        futures::join!(
            client.subscribe(wrong[0]),
            client.subscribe(wrong[1]),
            client.subscribe(wrong[2]),
            client.subscribe(wrong[3]),
            client.subscribe(QUOTE),
        )
    })
    .await;
    for (outcome, name) in [one, two, three, four].into_iter().zip(wrong) {
        let Err(Error::Refused { channel, reason: Refusal::NotConfirmed }) = outcome else {
            panic!("{name}: {outcome:?}")
        };
        assert_eq!(channel, name);
    }
    only_data(&mut right.unwrap()).await;
}

#[tokio::test]
async fn a_raw_channel_is_refused_alone() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let (raw, trades, book, private, quotes) = soon(async {
        futures::join!(
            client.subscribe("book.BTC-PERPETUAL.raw"),
            client.subscribe("trades.BTC-PERPETUAL.raw"),
            client.subscribe(BOOK),
            client.subscribe("user.orders.any.any.raw"),
            client.subscribe(QUOTE),
        )
    })
    .await;
    let code = |outcome: Result<Raw, Error>| match outcome {
        Err(Error::Refused { reason: Refusal::Error(error), .. }) => error.code,
        other => panic!("{other:?}"),
    };
    assert_eq!((code(raw), code(trades)), (13778, 13778));
    let not_asked = Refusal::NotSent(Box::new(NotSent::NotLoggedIn));
    assert!(matches!(private, Err(Error::Refused { reason, .. }) if reason == not_asked));
    only_data(&mut book.unwrap()).await;
    only_data(&mut quotes.unwrap()).await;
}

#[tokio::test]
async fn two_consumers_share_one_subscription() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut one: Raw = subscribe(&client, QUOTE).await.unwrap();
    let mut two: Raw = subscribe(&client, QUOTE).await.unwrap();
    only_data(&mut one).await;
    only_data(&mut two).await;
    drop(one);
    for _ in 0..20 {
        only_data(&mut two).await;
    }
    let count = |method| exchange.look(|journal| journal.count(method));
    assert_eq!((count("public/subscribe"), count("public/unsubscribe")), (1, 0));
    drop(two);
    unsubscribed(&exchange, QUOTE).await;
}

#[tokio::test]
async fn data_that_overtakes_the_acknowledgement_is_kept() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    exchange.fault(Target::All, Fault::DelayReplies(millis(60)));
    let mut book = subscribe::<BookMessage>(&client, BOOK).await.unwrap();
    let first = only_data(&mut book).await;
    assert_eq!(first.kind, BookMessageKind::Snapshot);
    let mut last = first.change_id;
    for _ in 0..10 {
        let change = only_data(&mut book).await;
        assert_eq!(change.prev_change_id, Some(last));
        last = change.change_id;
    }
}

#[tokio::test]
async fn a_subscription_that_is_given_up_before_its_acknowledgement_leaves_nothing_behind() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    exchange.fault(Target::All, Fault::DelayReplies(millis(60)));
    let mut pending = Box::pin(client.subscribe(QUOTE));
    soon(async {
        futures::select! {
            _ = (&mut pending).fuse() => panic!("it cannot be confirmed yet"),
            () = exchange.wait_until(|journal| journal.subscribed(QUOTE)).fuse() => {}
        }
    })
    .await;
    drop(pending);
    unsubscribed(&exchange, QUOTE).await;
}

#[tokio::test]
async fn leaving_and_coming_back_at_once_begins_with_a_snapshot() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    for _ in 0..10 {
        let mut book = subscribe::<BookMessage>(&client, BOOK).await.unwrap();
        assert_eq!(only_data(&mut book).await.kind, BookMessageKind::Snapshot);
        assert_eq!(only_data(&mut book).await.kind, BookMessageKind::Change);
    }
}

#[tokio::test]
async fn a_refused_restore_is_told_and_asked_for_again() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let mut events = client.events();
    let mut quotes: Raw = subscribe(&client, QUOTE).await.unwrap();
    let mut ticks: Raw = subscribe(&client, TICKER).await.unwrap();
    exchange.fault(Target::All, Fault::RefuseChannel(QUOTE.into()));
    exchange.fault(Target::All, Fault::Reset);
    interrupted(&mut quotes).await;
    let refused = next(&mut quotes).await;
    assert!(matches!(refused, Update::Refused(Refusal::NotConfirmed)), "{refused:?}");
    interrupted(&mut ticks).await;
    resumed(&mut ticks).await;
    let refused = event(&mut events, |event| match event {
        steadysocket::Event::Refused { channel, .. } => Some(channel.clone()),
        _ => None,
    });
    assert_eq!(refused.await, QUOTE);
    soon(client.ready()).await.unwrap();
    exchange.fault(Target::All, Fault::AllowChannel(QUOTE.into()));
    resumed(&mut quotes).await;
}

#[tokio::test]
async fn a_restore_that_fails_as_a_whole_is_made_again() {
    let exchange = exchange().start().await.unwrap();
    let client = connect(&exchange).await;
    let names: Vec<_> = exchange.instruments().iter().map(|name| format!("ticker.{name}.100ms")).collect();
    let streams = names.iter().map(|name| subscribe::<Payload>(&client, name));
    let streams = soon(futures::future::try_join_all(streams)).await.unwrap();
    exchange.fault(Target::All, Fault::FailSubscribes(1));
    exchange.fault(Target::All, Fault::Reset);
    for mut stream in streams {
        interrupted(&mut stream).await;
        // In the meantime it may count as refused.
        let update = next(&mut stream).await;
        if matches!(update, Update::Refused(_)) {
            resumed(&mut stream).await;
        } else {
            assert_eq!(update, Update::Resumed);
        }
    }
    let requests = exchange.look(|journal| {
        journal
            .requests()
            .filter(|request| request.connection == 2 && request.method == "public/subscribe")
            .count()
    });
    assert!((2..=4).contains(&requests), "{requests}: it is narrowed down by halves");
}

#[tokio::test]
async fn a_stray_update_belongs_to_nobody() {
    let exchange = exchange().shuffle_replies(false).start().await.unwrap();
    let client = connect(&exchange).await;
    let mut messages = client.messages();
    drop(subscribe::<Payload>(&client, QUOTE).await.unwrap());
    unsubscribed(&exchange, QUOTE).await;
    // It was answered before this call is, so what comes now is nobody's.
    let _: u64 = client.call("public/get_time", ()).await.unwrap();
    exchange.fault(Target::All, Fault::StrayUpdate(QUOTE.into()));
    soon(async {
        loop {
            let update = messages.next().await.unwrap();
            let Update::Data(Unmatched::Notification { method, .. }) = update else { panic!("{update:?}") };
            if method == QUOTE {
                return;
            }
        }
    })
    .await;
    assert_eq!(client.stats().desired, 0);
    assert!(!exchange.look(|journal| journal.subscribed(QUOTE)));
}
