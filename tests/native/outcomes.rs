//! Orders on real sockets, with the connection cut on either side of the match: every outcome that is reported is held
//! against the exchange's own ledger. `make outcomes` runs it with ten thousand orders.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use steadysocket::deribit::{Deribit, Matching, Options, Order, Outcome, Resolution, Side};
use steadysocket::error::{Executed, NotSent};
use steadysocket::{Error, Limiter, Native};
use steadysocket_exchange::{Account, CreditPolicy, Exchange, Ledger, Tier};

/// Accounts, each with two clients that share a limiter, and the orders that each client has under way at a time.
const ACCOUNTS: usize = 4;
const CLIENTS: usize = 2;
const LANES: usize = 3;

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

/// Every kind of order, some of which the exchange refuses.
async fn place(deribit: Deribit, name: String, dice: u64) -> Report {
    let side = if dice.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    // Far from the market, and within what the exchange allows.
    let (resting, taking) = match side {
        Side::Buy => (0.99, 1.005),
        Side::Sell => (1.01, 0.995),
    };
    let ticker = deribit.ticker("BTC-PERPETUAL").await;
    let mark = ticker.ok().and_then(|ticker| ticker.mark_price).unwrap_or(60_000.0);
    let price = |factor: f64| (mark * factor).round();
    let limit = |factor| Order::limit("BTC-PERPETUAL", 10.0, price(factor)).label(&*name);
    let placing = match dice / 2 % 8 {
        0 => deribit.place(side, Order::market("BTC-PERPETUAL", 10.0).label(&*name)),
        1 | 2 => deribit.place(side, limit(taking).immediate_or_cancel()),
        3 | 4 => deribit.place(side, limit(resting).immediate_or_cancel()),
        5 => deribit.place(side, limit(taking).reject_post_only()),
        _ => deribit.place(side, limit(resting).post_only()),
    };
    let outcome = placing.timeout(Duration::from_secs(4)).await.expect("an order that can be placed");
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

async fn trade(deribit: Deribit, name: String, orders: u64, seed: u64) -> Vec<Report> {
    let mut random = seed | 1;
    let (mut under_way, mut reports) = (FuturesUnordered::new(), Vec::new());
    for number in 0..orders {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        under_way.push(tokio::spawn(place(deribit.clone(), format!("{name}-{number}"), random >> 33)));
        // Orders whose outcome takes long hold up nobody.
        let long = orders.min(400) as usize;
        while under_way.len() >= LANES + long / 4 {
            reports.extend(under_way.next().await.map(|report| report.expect("a task that ends")));
        }
    }
    while let Some(report) = under_way.next().await {
        reports.push(report.expect("a task that ends"));
    }
    reports
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
    let exchange = builder.start().await.unwrap();
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
            let config = options.config().unwrap().retry_initial_connect(true);
            let deribit = Deribit::connect_with(options, config, Native::new()).await.unwrap();
            limiter = Some(deribit.client().limiter().clone());
            let seed = seed.wrapping_mul(31).wrapping_add((account * CLIENTS + client) as u64);
            clients.push(tokio::spawn(trade(deribit, format!("{account}-{client}"), each, seed)));
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
    let pressure = |code: i64| ledger.requests.iter().filter(|request| request.error == Some(code)).count();
    println!(
        "{} orders by {} clients of {ACCOUNTS} accounts, SEED={seed}",
        reports.len(),
        ACCOUNTS * CLIENTS
    );
    println!("connections made: {}", exchange.journal().opened());
    for (told, count) in &table {
        println!("{:>8}  {told:?}", count);
    }
    println!(
        "{:>8}  sent twice, {} refused for their rate (10028), {} for the queue (10047)",
        ledger.duplicate_labels().len(),
        exchange.calls_refused(),
        pressure(10047)
    );
    println!("{:>8}  outcomes that differ from the exchange's ledger", wrong.len());
    assert!(wrong.is_empty(), "SEED={seed}: {wrong:#?}");
    assert_eq!(exchange.calls_refused(), 0, "SEED={seed}: too many requests");
    assert!(table[&Told::Resolved] > 0, "no cut was met: {table:?}");
}
