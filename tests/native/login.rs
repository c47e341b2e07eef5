//! Logins against an exchange that checks them.

use serde_json::{Value, json};
use steadysocket::deribit::{CancelOnDisconnect, Deribit, Options, SignError};
use steadysocket::error::{Disconnect, Ended, Error, OpeningError};
use steadysocket::{Native, State};
use steadysocket_exchange::{Account, Exchange, Fault, Journal, Target};

use crate::support::*;

fn options() -> Options {
    Options::testnet().credentials("local", "local-secret")
}

async fn log_in(exchange: &Exchange, options: Options) -> Result<Deribit, Error> {
    soon(Deribit::connect_with(options, config(exchange.url()), Native::new())).await
}

fn grants(journal: &Journal) -> Vec<String> {
    let auths = journal.requests().filter(|request| request.method == "public/auth");
    auths.map(|request| request.params["grant_type"].as_str().unwrap().to_owned()).collect()
}

/// Something that only a login may ask for.
async fn is_logged_in(deribit: &Deribit) -> bool {
    soon(deribit.subscribe_raw("user.portfolio.any")).await.is_ok()
}

fn refusal(result: Result<Deribit, Error>) -> OpeningError {
    match result {
        Err(Error::Connect(Ended::Refused(Disconnect::Opening(error)))) => error,
        other => panic!("it should have been refused: {other:?}"),
    }
}

#[tokio::test]
async fn by_secret_by_signature_and_by_somebody_else() {
    let exchange = exchange().start().await.unwrap();
    let elsewhere = |text: String| async move {
        tokio::task::yield_now().await;
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"local-secret");
        let signature = ring::hmac::sign(&key, text.as_bytes());
        Ok::<_, SignError>(signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    };
    for options in [
        options(),
        Options::testnet().signed_credentials("local", "local-secret"),
        Options::testnet().signer("local", elsewhere),
        options().attach_token(true),
        options().scope("session:bot trade:read_write account:read"),
    ] {
        let deribit = log_in(&exchange, options).await.unwrap();
        assert!(is_logged_in(&deribit).await);
    }
    let signatures = exchange.look(grants).iter().filter(|grant| *grant == "client_signature").count();
    assert_eq!(signatures, 2);
    let sent = |journal: &Journal| {
        journal.requests().filter(|request| request.params.contains_key("access_token")).count()
    };
    // The summary and the subscription of one of the five.
    assert_eq!(exchange.look(sent), 2, "only where it was asked for");
}

#[tokio::test]
async fn wrong_credentials_stop_at_once() {
    let exchange = exchange().start().await.unwrap();
    for (options, logins) in [
        (Options::testnet().credentials("local", "wrong"), 1),
        (Options::testnet().credentials("nobody", "local-secret"), 1),
        // A bad signature may be a bad clock, so there is a second one.
        (Options::testnet().signed_credentials("local", "wrong"), 2),
    ] {
        let before = exchange.look(grants).len();
        let config = config(exchange.url()).retry_initial_connect(true);
        let outcome = soon(Deribit::connect_with(options, config, Native::new())).await;
        assert!(matches!(refusal(outcome), OpeningError::Authentication(_)));
        assert_eq!(exchange.look(grants).len() - before, logins);
    }
    assert_eq!(exchange.look(Journal::opened), 3);
}

#[tokio::test]
async fn a_key_that_may_only_read_is_told_apart() {
    let reader = Account::new("reader").read_only_key("reader", "s");
    let exchange = exchange().account(reader).start().await.unwrap();
    let options = |scope| Options::testnet().credentials("reader", "s").scope(scope);
    let error = refusal(log_in(&exchange, options("trade:read_write account:read")).await);
    assert!(
        matches!(&error, OpeningError::Narrowed { granted, .. } if granted.contains("trade:read ")),
        "{error:?}"
    );
    assert!(log_in(&exchange, options("trade:read")).await.is_ok());
}

#[tokio::test]
async fn a_short_login_is_renewed_while_streams_go_on() {
    let exchange = exchange().start().await.unwrap();
    let deribit = log_in(&exchange, options().scope("expires:1")).await.unwrap();
    let mut portfolio = soon(deribit.subscribe_raw("user.portfolio.any")).await.unwrap();
    let mut quotes = soon(deribit.subscribe_raw(QUOTE)).await.unwrap();
    soon(exchange.wait_until(|journal| grants(journal).len() >= 4)).await;
    let only_refreshes =
        |journal: &Journal| grants(journal)[1..].iter().all(|grant| grant == "refresh_token");
    assert!(exchange.look(only_refreshes), "{:?}", exchange.look(grants));
    assert!(is_logged_in(&deribit).await);
    only_data(&mut quotes).await;
    assert_eq!((deribit.client().state(), exchange.look(Journal::opened)), (State::Live, 1));
    // Nothing has cut the private stream either.
    while let Some(Some(update)) = futures::FutureExt::now_or_never(portfolio.next()) {
        assert!(update.data().is_some());
    }
}

#[tokio::test]
async fn the_journal_shows_the_order_of_restoration() {
    let exchange = exchange().start().await.unwrap();
    let options = options().cancel_on_disconnect(CancelOnDisconnect::Connection);
    let deribit = log_in(&exchange, options).await.unwrap();
    let mut quotes = soon(deribit.subscribe_raw(QUOTE)).await.unwrap();
    let _raw = soon(deribit.subscribe_raw("book.BTC-PERPETUAL.raw")).await.unwrap();
    let _portfolio = soon(deribit.subscribe_raw("user.portfolio.any")).await.unwrap();
    exchange.fault(Target::All, Fault::Reset);
    interrupted(&mut quotes).await;
    resumed(&mut quotes).await;
    soon(deribit.client().ready()).await.unwrap();
    let methods: Vec<_> = exchange.look(|journal| {
        journal
            .requests()
            .filter(|request| request.connection == 2)
            .map(|request| request.method.clone())
            .collect()
    });
    let expected = [
        "public/hello",
        "public/auth",
        "public/set_heartbeat",
        "private/enable_cancel_on_disconnect",
        "private/get_account_summary",
        "public/subscribe",
        "public/subscribe",
        "private/subscribe",
    ];
    assert_eq!(methods, expected);
    assert_eq!(deribit.client().stats().connections, 2);
}

/// Places an order far from the market; its label.
async fn place(exchange: &Exchange, deribit: &Deribit, label: &'static str) -> &'static str {
    let price = exchange.book("BTC-PERPETUAL").unwrap().bids[0].0 - 500.0;
    let order = json!({ "instrument_name": "BTC-PERPETUAL", "amount": 10, "price": price, "label": label });
    let _: Value = soon(deribit.call("private/buy", order)).await.unwrap();
    label
}

/// What became of an order: its state, and why it was cancelled.
fn fate(exchange: &Exchange, label: &str) -> (String, Option<String>) {
    let ledger = exchange.ledger();
    let order = ledger.with_label(label).next().unwrap();
    (order.state.clone(), order.cancel_reason.clone())
}

#[tokio::test]
async fn a_cut_takes_orders_along_on_every_connection_and_a_logout_does_not() {
    let exchange = exchange().start().await.unwrap();
    let options = options().cancel_on_disconnect(CancelOnDisconnect::Connection);
    let deribit = log_in(&exchange, options).await.unwrap();
    let mut events = deribit.client().events();
    for label in ["first", "second"] {
        place(&exchange, &deribit, label).await;
        exchange.fault(Target::All, Fault::Reset);
        disconnected(&mut events).await;
        soon(deribit.client().ready()).await.unwrap();
        soon(async {
            // The exchange may see the end of one connection after the beginning of the next.
            while fate(&exchange, label).0 == "open" {
                deribit.call::<u64>("public/get_time", ()).await.unwrap();
            }
        })
        .await;
        assert_eq!(fate(&exchange, label), ("cancelled".into(), Some("cancel_on_disconnect".into())));
    }
    place(&exchange, &deribit, "third").await;
    soon(deribit.logout()).await.unwrap();
    soon(exchange.wait_until(|journal| journal.open() == 0)).await;
    assert_eq!(fate(&exchange, "third"), ("open".into(), None));

    // Set for the account, it holds for those who ask for nothing, and can be turned off by those who do not want it.
    let account = self::options().cancel_on_disconnect(CancelOnDisconnect::Account);
    soon(log_in(&exchange, account).await.unwrap().logout()).await.unwrap();
    for (choice, state) in [(CancelOnDisconnect::AsAccount, "cancelled"), (CancelOnDisconnect::Off, "open")] {
        let deribit = log_in(&exchange, self::options().cancel_on_disconnect(choice)).await.unwrap();
        let label = place(&exchange, &deribit, state).await;
        soon(deribit.close()).await;
        soon(exchange.wait_until(|journal| journal.open() == 0)).await;
        assert_eq!(fate(&exchange, label).0, state, "{choice:?}");
    }
}

#[tokio::test]
async fn a_token_that_somebody_else_ended_is_replaced_once() {
    let exchange = exchange().start().await.unwrap();
    let options = options().scope("session:shared trade:read_write account:read");
    let deribit = log_in(&exchange, options.clone()).await.unwrap();
    let positions = || async { soon(deribit.call::<Value>("private/get_positions", json!({}))).await };
    assert!(positions().await.is_ok());
    let logins = exchange.look(grants).len();
    soon(log_in(&exchange, options).await.unwrap().logout()).await.unwrap();
    let refused = positions().await.unwrap_err();
    assert!(matches!(&refused, Error::Rejected(error) if error.code == 13009), "{refused:?}");
    // The other's login, and ours anew.
    soon(exchange.wait_until(|journal| grants(journal).len() == logins + 2)).await;
    soon(async { while positions().await.is_err() {} }).await;
    assert_eq!(exchange.look(grants).len(), logins + 2);
    assert_eq!(deribit.client().stats().connections, 1);
}

#[tokio::test]
async fn a_logout_is_the_end() {
    let exchange = exchange().start().await.unwrap();
    let deribit = log_in(&exchange, options()).await.unwrap();
    soon(deribit.logout()).await.unwrap();
    assert!(matches!(deribit.client().state(), State::Ended(_)));
    assert_eq!(exchange.look(|journal| (journal.opened(), journal.open())), (1, 0));
    assert!(soon(deribit.call::<Value>("private/get_positions", json!({}))).await.is_err());
}

#[tokio::test]
async fn the_servers_clock_is_ours_here() {
    let exchange = exchange().start().await.unwrap();
    let deribit = log_in(&exchange, options()).await.unwrap();
    for _ in 0..10 {
        let before = deribit.server_time().unwrap();
        let told: u64 = soon(deribit.call("public/get_time", ())).await.unwrap();
        let after = deribit.server_time().unwrap();
        let error = |time: steadysocket::deribit::ServerTime| u64::try_from(time.error.as_micros()).unwrap();
        assert!(before.micros - error(before) <= told * 1000 + 999, "{before:?} {told}");
        assert!(after.micros + error(after) >= told * 1000, "{after:?} {told}");
    }
}
