//! Live orders on real sockets, held against the exchange's own ledger: while the connection is up, and after others
//! had their way with them while it was away.

use std::collections::BTreeMap;

use futures::FutureExt;
use steadysocket::deribit::order::{Edit, TriggerAt};
use steadysocket::deribit::{
    Deribit, Options, Order, OrderEvent, OrderKind, OrderTracker, Settled, Staleness,
};
use steadysocket::{Config, Native};
use steadysocket_exchange::{Account, Door, Exchange, Fault, Span, Target};

use crate::support::*;

const PERPETUAL: &str = "BTC-PERPETUAL";

async fn log_in(exchange: &Exchange, id: &str, secret: &str) -> Deribit {
    let options = Options::testnet().credentials(id, secret);
    let config: Config = config(exchange.url());
    soon(Deribit::connect_with(options, config, Native::new())).await.unwrap()
}

/// Price, amount, and what was executed.
type Terms = (Option<f64>, f64, f64);

fn tracked(tracker: &OrderTracker) -> BTreeMap<String, Terms> {
    let terms = |order: &Order| (order.limit_price(), order.amount, order.filled());
    tracker.iter().map(|order| (order.order_id.clone(), terms(order))).collect()
}

/// What is live, by the ledger.
fn live(exchange: &Exchange) -> BTreeMap<String, Terms> {
    let user = exchange.user_id("local").unwrap();
    let orders = exchange.ledger().orders.into_iter();
    let is_live = |state: &str| state == "open" || state == "untriggered";
    let orders = orders.filter(|order| order.account == user && is_live(&order.state));
    orders.map(|order| (order.order_id, (order.price, order.amount, order.filled_amount))).collect()
}

/// Reads events until the tracker is live and says what the ledger says, and what it has told by then.
async fn agree(tracker: &mut OrderTracker, exchange: &Exchange) -> BTreeMap<String, (OrderKind, bool)> {
    let mut told = BTreeMap::new();
    let mut hear = |event| match event {
        OrderEvent::Changed(change) => {
            told.insert(change.order.order_id.clone(), (change.kind(), change.missed));
        }
        OrderEvent::Live | OrderEvent::Stale(_) => {}
        other => panic!("{other:?}"),
    };
    while !tracker.is_live() || tracked(tracker) != live(exchange) {
        hear(soon(tracker.next()).await.expect("the client ended"));
    }
    while let Some(Some(event)) = tracker.next().now_or_never() {
        hear(event);
    }
    told
}

async fn placed(settled: impl Future<Output = Result<Settled, steadysocket::Error>>) -> Order {
    soon(settled).await.unwrap().order().expect("an order").clone()
}

#[tokio::test]
async fn orders_that_others_changed_during_a_cut_are_those_of_the_ledger_again() {
    let exchange = exchange().frozen(true).account(Account::new("taker").key("taker", "secret"));
    let exchange = exchange.start().await.unwrap();
    let other = log_in(&exchange, "local", "local-secret").await;
    let taker = log_in(&exchange, "taker", "secret").await;
    let deribit = log_in(&exchange, "local", "local-secret").await;

    let book = exchange.book(PERPETUAL).unwrap();
    let (bid, ask) = (book.bids[0].0, book.asks[0].0);
    let sell =
        |amount, above| deribit.sell(Order::limit(PERPETUAL, amount, ask + above).label("tracked")).settled();
    let filled = placed(sell(100.0, 400.0)).await;
    let partly = placed(sell(3_000_000.0, 401.0)).await;
    let cancelled = placed(sell(30.0, 500.0)).await;
    let edited = placed(sell(40.0, 500.0)).await;
    let untouched = placed(sell(50.0, 500.0)).await;
    let stop = Order::stop_market(PERPETUAL, 10.0, TriggerAt::mark((bid - 5_000.0).round()));
    let stop = placed(deribit.sell(stop.label("tracked")).settled()).await;

    let mut tracker = soon(deribit.track_orders()).await.unwrap();
    let told = agree(&mut tracker, &exchange).await;
    assert_eq!(told.len(), 6, "{told:?}");
    assert!(told.values().all(|(kind, missed)| *kind == OrderKind::Opened && *missed), "{told:?}");
    assert!(tracker.get(&stop.order_id).is_some() && tracker.by_user_label("tracked").count() == 6);

    // It follows what another connection does. An answer that is observed is there at once, and told once.
    let late = placed(other.sell(Order::limit(PERPETUAL, 60.0, ask + 500.0)).settled()).await;
    tracker.observe(late.clone());
    assert!(tracker.get(&late.order_id).is_some());
    soon(other.cancel(&*late.order_id).settled()).await.unwrap();
    let mut kinds = Vec::new();
    while tracked(&tracker) != live(&exchange) || kinds.len() < 2 {
        match soon(tracker.next()).await.unwrap() {
            OrderEvent::Changed(change) if change.order.order_id == late.order_id => {
                kinds.push(change.kind())
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(&kinds[..], [OrderKind::Opened, OrderKind::Cancelled(_)]), "{kinds:?}");

    // Away, and kept away.
    exchange.door(Door::Refuse { status: 503, retry_after: None }, Span::UntilOpened);
    exchange.fault(Target::Newest, Fault::Reset);
    let stale = soon(tracker.next()).await.unwrap();
    assert!(matches!(stale, OrderEvent::Stale(Staleness::Interrupted(_))), "{stale:?}");
    let sweep = Order::limit(PERPETUAL, 1_000_000.0, ask + 401.0).immediate_or_cancel();
    placed(taker.buy(sweep).settled()).await;
    soon(other.cancel(&*cancelled.order_id).settled()).await.unwrap();
    soon(other.edit(Edit::of(&edited).price(ask + 600.0)).settled()).await.unwrap();
    let new = placed(other.buy(Order::limit(PERPETUAL, 70.0, bid - 300.0)).settled()).await;
    assert_ne!(tracked(&tracker), live(&exchange), "it says that it is not live");
    assert!(!tracker.is_live());

    exchange.open_door();
    let told = agree(&mut tracker, &exchange).await;
    let kind = |order: &Order| told.get(&order.order_id).map(|(kind, missed)| (kind.clone(), *missed));
    assert_eq!(kind(&filled), Some((OrderKind::Filled(100.0), true)));
    assert!(matches!(kind(&partly), Some((OrderKind::Executed(part), true)) if part > 0.0), "{told:?}");
    assert!(matches!(kind(&cancelled), Some((OrderKind::Cancelled(_), true))), "{told:?}");
    assert_eq!(kind(&edited), Some((OrderKind::Amended, true)));
    assert_eq!(kind(&new), Some((OrderKind::Opened, true)));
    assert_eq!((kind(&untouched), kind(&stop)), (None, None), "nothing happened to them");

    // And follows again.
    let count = soon(other.cancel_all().settled()).await.unwrap();
    let told = agree(&mut tracker, &exchange).await;
    assert!(tracker.is_empty() && told.values().all(|(_, missed)| !missed), "{told:?}");
    assert_eq!(count, told.len() as u64);
}
