//! Calls that concern many orders at once, with the connection cut on either side of the match.

use std::future::IntoFuture;
use std::time::Duration;

use steadysocket::deribit::query::{Quote, Quotes};
use steadysocket::deribit::{CancelOnDisconnect, Deribit, Options, Order, Outcome};
use steadysocket::error::{Executed, NotSent};
use steadysocket::{Error, Native};
use steadysocket_exchange::{Cut, Exchange, Fault, LedgerOrder, Target};

use crate::support::*;

const PERPETUAL: &str = "BTC-PERPETUAL";

async fn log_in(exchange: &Exchange, cod: CancelOnDisconnect) -> Deribit {
    let options = Options::testnet().credentials("local", "local-secret").cancel_on_disconnect(cod);
    soon(Deribit::connect_with(options, config(exchange.url()), Native::new())).await.unwrap()
}

fn open(exchange: &Exchange) -> Vec<LedgerOrder> {
    exchange.ledger().orders.into_iter().filter(|order| order.state == "open").collect()
}

/// The best bid and ask.
fn best(exchange: &Exchange) -> (f64, f64) {
    let book = exchange.book(PERPETUAL).unwrap();
    (book.bids[0].0, book.asks[0].0)
}

async fn place_two(exchange: &Exchange, deribit: &Deribit) {
    for _ in 0..2 {
        let order = Order::limit(PERPETUAL, 10.0, best(exchange).0 - 500.0).label("all");
        let placed = soon(deribit.buy(order).exact_label().settled()).await.unwrap();
        assert!(placed.order().is_some(), "{placed:?}");
    }
}

/// Makes the call with a cut on each side of the match, and resolves it: whichever side that was, nothing is left.
macro_rules! check_cancel {
    ($exchange:ident, $deribit:ident, $call:expr) => {
        for (fault, left) in [(Fault::CutBeforeMatch(Cut::Reset), 2), (Fault::CutAfterMatch(Cut::Drop), 0)] {
            soon($deribit.client().ready()).await.unwrap();
            place_two(&$exchange, &$deribit).await;
            $exchange.fault(Target::All, fault.clone());
            let outcome = soon($call.into_future()).await;
            let Outcome::Unknown(pending) = outcome else { panic!("{}: {outcome:?}", stringify!($call)) };
            assert_eq!(pending.reason().executed(), Executed::Unknown);
            $exchange.wait_for(|exchange| exchange.is_idle()).await;
            assert_eq!(open(&$exchange).len(), left, "{}: {fault:?}", stringify!($call));
            soon(pending.resolve()).await.unwrap();
            assert_eq!(open(&$exchange), [], "{}: {fault:?}", stringify!($call));
        }
    };
}

#[tokio::test]
async fn a_mass_cancel_whose_answer_is_lost_is_made_sure_of() {
    let exchange = exchange().frozen(true).start().await.unwrap();
    let deribit = log_in(&exchange, CancelOnDisconnect::Off).await;
    check_cancel!(exchange, deribit, deribit.cancel_all());
    check_cancel!(exchange, deribit, deribit.cancel_all().detailed());
    check_cancel!(exchange, deribit, deribit.cancel_all_by_instrument(PERPETUAL));
    check_cancel!(exchange, deribit, deribit.cancel_all_by_currency("BTC"));
    check_cancel!(exchange, deribit, deribit.cancel_all_by_currency_pair("btc_usd"));
    check_cancel!(exchange, deribit, deribit.cancel_all_by_kind_or_type("any").kind("future"));
    check_cancel!(exchange, deribit, deribit.cancel_by_label("all").currency("BTC"));
}

#[tokio::test]
async fn a_mass_cancel_that_is_answered_or_never_left_has_its_outcome_at_once() {
    let exchange = exchange().frozen(true).start().await.unwrap();
    let deribit = log_in(&exchange, CancelOnDisconnect::Off).await;
    place_two(&exchange, &deribit).await;
    let outcome = soon(deribit.cancel_by_label("all").into_future()).await;
    assert!(matches!(outcome, Outcome::Accepted(2)), "{outcome:?}");
    let outcome = soon(deribit.cancel_all_by_instrument("NO-SUCH").into_future()).await;
    assert!(matches!(outcome, Outcome::Rejected(_)), "{outcome:?}");
    deribit.close().await;
    let outcome = soon(deribit.cancel_all().into_future()).await;
    assert!(matches!(outcome, Outcome::NotSent(NotSent::Ended(_))), "{outcome:?}");
    let ended = soon(deribit.cancel_all().settled()).await;
    assert!(matches!(ended, Err(Error::NotSent(NotSent::Ended(_)))), "{ended:?}");
}

async fn quoting() -> (Exchange, Deribit) {
    let exchange = exchange().frozen(true).start().await.unwrap();
    let deribit = log_in(&exchange, CancelOnDisconnect::Connection).await;
    let group = deribit.set_mmp_config("btc_usd", 60, 0).mmp_group("g").quantity_limit(3.0);
    soon(group.into_future()).await.unwrap();
    (exchange, deribit)
}

/// A message that the exchange takes until now.
fn quote(exchange: &Exchange, deribit: &Deribit, id: &str) -> steadysocket::deribit::query::MassQuote {
    let (bid, ask) = best(exchange);
    let quote = Quote::new(PERPETUAL, "set").bid(bid - 50.0, 10.0).ask(ask + 50.0, 10.0);
    let soon = deribit.server_time().unwrap().millis() + 200;
    deribit.mass_quote(id, "g", [quote]).detailed(true).timeout(Duration::from_secs(1)).valid_until(soon)
}

#[tokio::test]
async fn a_mass_quote_whose_answer_is_lost_shows_in_the_quotes_that_there_are() {
    let (exchange, deribit) = quoting().await;
    let outcome = soon(quote(&exchange, &deribit, "1").into_future()).await.unwrap();
    assert!(matches!(&outcome, Outcome::Accepted(answer) if answer.orders.len() == 2), "{outcome:?}");
    let cancelled =
        soon(deribit.cancel_quotes(Quotes::QuoteSetId { quote_set_id: "set".into() }).settled()).await;
    assert_eq!(cancelled.unwrap(), 2);

    // The connection stays, and so do the quotes.
    exchange.fault(Target::All, Fault::LoseMatchReply);
    let outcome = soon(quote(&exchange, &deribit, "2").into_future()).await.unwrap();
    let Outcome::Unknown(pending) = outcome else { panic!("{outcome:?}") };
    assert_eq!(pending.quote_id(), "2");
    let quotes = soon(pending.resolve()).await.unwrap();
    assert_eq!(quotes.len(), open(&exchange).len());
    assert!(quotes.len() == 2 && quotes.iter().all(|order| order.quote_id.as_deref() == Some("2")));

    // With the connection they are gone, whichever side of the match it was cut on.
    for fault in [Fault::CutAfterMatch(Cut::Reset), Fault::CutBeforeMatch(Cut::Reset)] {
        soon(deribit.client().ready()).await.unwrap();
        exchange.fault(Target::All, fault);
        let outcome = soon(quote(&exchange, &deribit, "3").into_future()).await.unwrap();
        let Outcome::Unknown(pending) = outcome else { panic!("{outcome:?}") };
        assert_eq!(soon(pending.resolve()).await.unwrap(), []);
        assert_eq!(open(&exchange), []);
    }
}

#[tokio::test]
async fn a_mass_quote_that_the_venue_would_refuse_does_not_leave() {
    let (exchange, deribit) = quoting().await;
    let (bid, ask) = best(&exchange);
    let of = |instrument: &str| Quote::new(instrument, "set");
    for (quote, field) in [
        (of(PERPETUAL).bid(bid + 0.3, 10.0), "price"),
        (of(PERPETUAL).ask(f64::NAN, 10.0), "price"),
        (of(PERPETUAL).ask(ask, 15.0), "amount"),
        (of(PERPETUAL), "quotes"),
        (of("NO-SUCH").bid(bid, 10.0), "instrument_name"),
    ] {
        let error = soon(deribit.mass_quote("1", "g", [quote.clone()]).into_future()).await.unwrap_err();
        assert_eq!(error.field, field, "{quote:?}");
    }
    let sent = exchange.journal().requests().filter(|request| request.method == "private/mass_quote").count();
    assert_eq!(sent, 0);
}
