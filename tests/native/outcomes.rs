//! Orders on real sockets, with the connection cut on either side of the match: every outcome that is reported is held
//! against the exchange's own ledger. `make outcomes` runs it with ten thousand orders.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use steadysocket::deribit::{Deribit, Matching, Options, Order, Outcome, Resolution, Side};
use steadysocket::error::{Executed, NotSent};
use steadysocket::{Error, Limiter, Native};
use steadysocket_exchange::{Account, CreditPolicy, Exchange, Ledger, LedgerRequest, Tier};
use tokio::sync::Semaphore;

use crate::support::quick;

/// Accounts, each with two clients that share a limiter, and the calls that each client has under way at a time: more
/// would wait in the client and not be sent when the connection is cut.
const ACCOUNTS: usize = 8;
const CLIENTS: usize = 2;
const LANES: usize = 3;

/// How long an order may take. One that never arrived is certain 6 s after that.
const TIMEOUT: Duration = Duration::from_secs(3);

/// One order in so many is struck.
const HAZARD: u32 = 8;

/// What a caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Accepted,
    Rejected(i64),
    NotSent,
    /// Found after its outcome was unknown.
    Resolved,
    NeverArrived,
}

struct Report {
    label: String,
    told: Told,
    /// Of the order that there is.
    order_id: Option<String>,
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A client, and who may use it at a time.
#[derive(Clone)]
struct Trader {
    deribit: Deribit,
    lanes: Arc<Semaphore>,
    exchange: Arc<Exchange>,
}

/// Every kind of order, some of which the exchange refuses.
async fn place(trader: Trader, name: String, dice: u64) -> Report {
    let Trader { deribit, lanes, exchange } = trader;
    let lane = lanes.acquire().await.unwrap();
    let side = if dice.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    // Far from the market, and within what the exchange allows.
    let (resting, taking) = match side {
        Side::Buy => (0.99, 1.005),
        Side::Sell => (1.01, 0.995),
    };
    let book = exchange.book("BTC-PERPETUAL").unwrap();
    let mark = book.bids.first().or(book.asks.first()).map_or(60_000.0, |level| level.0);
    let price = |factor: f64| (mark * factor).round();
    let limit = |factor| Order::limit("BTC-PERPETUAL", 10.0, price(factor)).label(&*name);
    let placing = match dice / 2 % 8 {
        0 => deribit.place(side, Order::market("BTC-PERPETUAL", 10.0).label(&*name)),
        1 | 2 => deribit.place(side, limit(taking).immediate_or_cancel()),
        3 | 4 => deribit.place(side, limit(resting).immediate_or_cancel()),
        5 => deribit.place(side, limit(taking).reject_post_only()),
        _ => deribit.place(side, limit(resting).post_only()),
    };
    let outcome = placing.timeout(TIMEOUT).await.expect("an order that can be placed");
    drop(lane);
    let (told, order) = match outcome {
        Outcome::Accepted(placed) => (Told::Accepted, Some(placed.order)),
        Outcome::Rejected(error) => (Told::Rejected(error.code), None),
        Outcome::NotSent(reason) => {
            assert!(!matches!(reason, NotSent::Ended(_)), "{reason}");
            (Told::NotSent, None)
        }
        Outcome::Unknown(pending) => {
            assert_ne!(pending.reason().executed(), Executed::No);
            match pending.resolve().await.expect("an account that may look") {
                Resolution::Resolved(order) => (Told::Resolved, Some(*order)),
                Resolution::NeverArrived => (Told::NeverArrived, None),
            }
        }
    };
    // What rests would fill the book.
    if let Some(order) = order.as_ref().filter(|order| order.is_live()) {
        let _lane = lanes.acquire().await.unwrap();
        let ended = loop {
            match deribit.cancel(&*order.order_id).settled().await {
                // The connection was cut before it left: it is safe to ask again.
                Err(Error::NotSent(_)) => {}
                ended => break ended.expect("an order that can be cancelled"),
            }
        };
        assert!(!ended.is_live(), "{ended:?}");
    }
    Report { label: name, told, order_id: order.map(|order| order.order_id) }
}

async fn trade(trader: Trader, name: String, orders: u64, seed: u64) -> Vec<Report> {
    let mut random = seed | 1;
    let placing = (0..orders).map(|number| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::spawn(place(trader.clone(), format!("{name}-{number}"), random >> 33))
    });
    let reports = join_all(placing).await;
    reports.into_iter().map(|report| report.expect("a task that ends")).collect()
}

/// What is wrong with the reports, by the ledger.
fn differences(ledger: &Ledger, reports: &[Report]) -> Vec<String> {
    let user = |label: &str| label.rsplit_once('.').map_or(label.to_owned(), |(user, _)| user.to_owned());
    let mut orders = BTreeMap::<String, Vec<_>>::new();
    for order in ledger.orders.iter().filter(|order| !order.label.is_empty()) {
        orders.entry(user(&order.label)).or_default().push(order);
    }
    let mut requests = BTreeMap::<String, usize>::new();
    for request in &ledger.requests {
        if let Some(label) = &request.label {
            *requests.entry(user(label)).or_default() += 1;
        }
    }
    let mut wrong = Vec::new();
    for report in reports {
        let there = orders.remove(&report.label).unwrap_or_default();
        let sent = requests.remove(&report.label).unwrap_or_default();
        let right = match report.told {
            Told::Accepted | Told::Resolved => {
                there.len() == 1 && report.order_id.as_ref() == Some(&there[0].order_id)
            }
            Told::Rejected(_) => there.is_empty(),
            Told::NotSent => there.is_empty() && sent == 0,
            Told::NeverArrived => there.is_empty(),
        };
        if !right || sent > 1 {
            wrong.push(format!(
                "{}: {:?}, and the ledger has {there:?}, sent {sent}",
                report.label, report.told
            ));
        }
    }
    wrong.extend(orders.into_iter().map(|(label, orders)| format!("{label}: nobody was told of {orders:?}")));
    wrong.extend(
        ledger.duplicate_labels().into_iter().map(|(label, count)| format!("{label}: {count} times")),
    );
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_outcome_is_what_the_ledger_says() {
    let (orders, seed) = (number("ORDERS", 240), number("SEED", 1));
    let mut builder = Exchange::builder().seed(seed).hazard(HAZARD).credits(CreditPolicy {
        refill_percent: 500,
        pool_percent: 500,
        ..CreditPolicy::default()
    });
    for account in 0..ACCOUNTS {
        let name = format!("account-{account}");
        builder = builder.account(Account::new(&*name).key(&*name, "secret").tier(Tier::One));
    }
    let exchange = Arc::new(builder.start().await.unwrap());
    let each = orders.div_ceil((ACCOUNTS * CLIENTS) as u64);
    let mut clients = Vec::new();
    for account in 0..ACCOUNTS {
        let mut limiter: Option<Limiter> = None;
        for client in 0..CLIENTS {
            let name = format!("account-{account}");
            let options =
                Options::at(exchange.url()).unwrap().credentials(&*name, "secret").matching(Matching::TIER_1);
            let options = match &limiter {
                Some(limiter) => options.limiter(limiter.clone()),
                None => options,
            };
            // Cut all the time, it would wait for half a minute each time, as it should with a venue.
            let config = options.config().unwrap().retry_initial_connect(true).backoff(quick());
            let deribit = Deribit::connect_with(options, config, Native::new()).await.unwrap();
            limiter = Some(deribit.client().limiter().clone());
            let seed = seed.wrapping_mul(31).wrapping_add((account * CLIENTS + client) as u64);
            let trader =
                Trader { deribit, lanes: Arc::new(Semaphore::new(LANES)), exchange: exchange.clone() };
            clients.push(tokio::spawn(trade(trader, format!("{account}-{client}"), each, seed)));
        }
    }
    let mut reports = Vec::new();
    for client in clients {
        reports.extend(client.await.unwrap());
    }
    let ledger = exchange.ledger();
    let mut table = BTreeMap::<Told, usize>::new();
    for report in &reports {
        *table.entry(report.told).or_default() += 1;
    }
    let wrong = differences(&ledger, &reports);
    let count = |is: fn(&LedgerRequest) -> bool| ledger.requests.iter().filter(|request| is(request)).count();
    let queue_full = count(|request| request.error == Some(10047));
    println!(
        "{} orders by {} clients of {ACCOUNTS} accounts, SEED={seed}",
        reports.len(),
        ACCOUNTS * CLIENTS
    );
    for (told, count) in &table {
        println!("{count:>8}  {told:?}");
    }
    println!("{:>8}  connections", exchange.journal().opened());
    println!("{:>8}  requests lost before the match", count(|request| request.matched.is_none()));
    println!(
        "{:>8}  requests matched whose answer was lost",
        count(|request| request.matched.is_some() && request.answered.is_none())
    );
    println!("{:>8}  refused for their rate (10028)", exchange.calls_refused());
    println!("{queue_full:>8}  refused for a full queue (10047)");
    println!("{:>8}  orders sent twice", ledger.duplicate_labels().len());
    println!("{:>8}  outcomes that differ from the exchange's ledger", wrong.len());
    assert!(wrong.is_empty(), "SEED={seed}: {wrong:#?}");
    assert_eq!(exchange.calls_refused(), 0, "SEED={seed}: too many requests");
    assert_eq!(queue_full, 0, "SEED={seed}: too many requests at a time");
    assert!(table[&Told::Resolved] > 0, "no cut was met: {table:?}");
}
