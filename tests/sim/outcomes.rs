//! Every order's outcome is known: each fault on either side of the match, then storms of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use steadysocket::Config;
use steadysocket::deribit::data::OrderState;
use steadysocket::deribit::order::{Edit, TriggerAt};
use steadysocket::deribit::{
    AnyOrder, Deribit, Label, NewOrder, Options, Order, Outcome, PendingOrder, Resolution, Settled,
    order::kinds::{GoodTilCancelled, Limit},
};
use steadysocket::error::{ConnectError, Ended, Error, NotSent};

use crate::floor::{Floor, Strike, server_time};
use crate::world::{Dial, SimPlatform, World};
use crate::{lives, test};

pub const INSTRUMENT: &str = "ETH-PERPETUAL";

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn order() -> NewOrder<Limit, GoodTilCancelled> {
    Order::limit(INSTRUMENT, 10.0, 2_000.0).label("mm-1")
}

pub fn config() -> Config {
    options().config().unwrap().retry_initial_connect(true)
}

fn options() -> Options {
    Options::testnet().credentials("id", "secret")
}

/// A client of the floor.
pub fn join(world: &World, config: Config) -> Deribit {
    let (deribit, driver) =
        Deribit::with_platform(options(), config, SimPlatform::<true>::new(world)).unwrap();
    world.spawn(async move {
        let _: Ended = driver.await;
    });
    deribit
}

pub fn start(floor: &Floor) -> (World, Deribit) {
    let world = World::new(1, floor.clone());
    let deribit = join(&world, config());
    (world, deribit)
}

fn pending<T: std::fmt::Debug>(outcome: Outcome<T>) -> PendingOrder {
    match outcome {
        Outcome::Unknown(pending) => pending,
        other => panic!("{other:?}"),
    }
}

/// Places one order on a fresh floor, with one strike, and resolves it; also how long that took.
fn struck(strike: Strike) -> (Floor, Settled, Duration) {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    floor.strike(strike);
    let inner = world.clone();
    let (settled, took) = world.run(async move {
        deribit.client().ready().await.unwrap();
        let start = inner.now();
        let settled = deribit.buy(order()).timeout(seconds(5)).settled().await.unwrap();
        (settled, inner.now().since(start))
    });
    assert_eq!(floor.count("private/buy"), 1, "an order is never sent twice");
    (floor, settled, took)
}

#[test]
fn an_accepted_order_has_a_label_of_its_own_and_an_end() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    world.run(async move {
        for number in 0..2 {
            let placed = deribit.buy(order()).timeout(seconds(3)).await.unwrap().accepted().unwrap();
            let label = Label::new(placed.order.label().unwrap()).unwrap();
            assert_eq!((label.user(), label.is_unique()), ("mm-1", true), "{number}");
        }
        let placed = deribit.sell(Order::limit(INSTRUMENT, 10.0, 2_000.0)).await.unwrap().accepted().unwrap();
        assert_eq!(Label::new(placed.order.label().unwrap()).unwrap().user(), "");
        let placed = deribit.sell(order().label("mine.1")).exact_label().await.unwrap().accepted().unwrap();
        assert_eq!(placed.order.label(), Some("mine.1"));
    });
    let (requests, ledger) = floor.with(|book| (book.received.clone(), book.ledger.clone()));
    let labels: std::collections::BTreeSet<_> = ledger.iter().map(|order| order.label.clone()).collect();
    assert_eq!(labels.len(), 4);
    for (at, _, method, params) in requests.iter().filter(|(.., method, _)| method.starts_with("private/b")) {
        let life = params["valid_until"].as_u64().unwrap() - server_time(*at) / 1000;
        assert!((2_900..=3_000).contains(&life), "{method} lives for {life} ms");
    }
}

#[test]
fn an_order_that_was_executed_is_found_after_every_cut() {
    for strike in [Strike::CutAfter, Strike::LoseReply, Strike::FailAfter(10001), Strike::FailAfter(11094)] {
        let (floor, settled, took) = struck(strike);
        let order = settled.order().unwrap_or_else(|| panic!("{strike:?}: {settled:?}"));
        assert_eq!(floor.labelled(order.label().unwrap()).len(), 1, "{strike:?}");
        // As soon as somebody can be asked.
        let limit = if strike == Strike::LoseReply { seconds(6) } else { seconds(1) };
        assert!(took < limit, "{strike:?} took {took:?}");
        assert_eq!(floor.count("private/get_order_state_by_label"), 1, "{strike:?}");
    }
}

#[test]
fn an_order_that_never_arrived_is_told_so_once_it_is_certain() {
    for strike in [Strike::CutBefore, Strike::FailBefore(10001), Strike::FailBefore(13028)] {
        let (floor, settled, took) = struck(strike);
        assert_eq!(settled, Settled::NeverArrived, "{strike:?}");
        assert_eq!(floor.with(|book| book.ledger.len()), 0);
        // Not before its `valid_until` and what the venue needs beyond, and not much after.
        assert!(took > seconds(11) && took < seconds(12), "{strike:?} took {took:?}");
        // Cheap: it does not ask all the time.
        let asked =
            floor.with(|book| book.received.iter().filter(|(.., m, _)| m.contains("get_order")).count());
        assert!(asked <= 8, "{strike:?} took {asked} questions");
    }
}

#[test]
fn an_order_that_is_executed_after_the_reconnect_is_never_called_lost() {
    // Up to its `valid_until` it may be executed, long after somebody has looked and not found it.
    for millis in [100, 900, 2_500, 4_900] {
        let (floor, settled, _) = struck(Strike::CutAndDelay(Duration::from_millis(millis)));
        assert!(settled.order().is_some(), "{millis}: {settled:?}");
        assert_eq!(floor.with(|book| book.ledger.len()), 1);
    }
    // Up to five seconds longer, when it began in time and waited for a lock.
    let (floor, settled, _) = struck(Strike::Lock(Duration::from_millis(9_900)));
    assert!(settled.order().is_some(), "{settled:?}");
    assert_eq!(floor.with(|book| book.ledger.len()), 1);
    // After that the exchange refuses it.
    let (floor, settled, _) = struck(Strike::CutAndDelay(Duration::from_millis(5_100)));
    assert_eq!((settled, floor.with(|book| book.ledger.len())), (Settled::NeverArrived, 0));
}

#[test]
fn what_the_venue_refuses_is_refused() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    world.run(async move {
        match deribit.buy(Order::limit(INSTRUMENT, 10.0, 0.0)).await.unwrap() {
            Outcome::Rejected(error) => assert_eq!(error.code, 10023),
            other => panic!("{other:?}"),
        }
        // Its time was over before the matching engine came to it.
        let late = deribit.buy(order().valid_until(1)).await.unwrap();
        assert!(matches!(late, Outcome::Rejected(error) if error.code == 13888));
        for length in [0, 41, 65] {
            let error = deribit.buy(order().label("x".repeat(length))).await.unwrap_err();
            assert_eq!(error.field, "label");
        }
        let error = deribit.buy(Order::limit(INSTRUMENT, 10.0, 2_000.01)).await.unwrap_err();
        assert_eq!(error.field, "price");
        let error = deribit.buy(Order::limit("ETH-NOTHING", 10.0, 2_000.0)).await.unwrap_err();
        assert_eq!(error.field, "instrument_name");
    });
    assert_eq!(floor.count("private/buy"), 2);
}

#[test]
fn an_order_whose_answer_comes_too_late_is_found() {
    let (_, settled, took) = struck(Strike::Delay(seconds(4)));
    assert!(settled.order().is_some() && took < seconds(5), "{took:?}: the answer was in time");
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    floor.strike(Strike::Delay(Duration::from_millis(500)));
    let inner = world.clone();
    world.run(async move {
        deribit.client().ready().await.unwrap();
        // The network grows slow when all is known that an order needs.
        deribit.instruments().find(INSTRUMENT).await.unwrap();
        inner.net(|net| net.latency = (Duration::from_millis(600), Duration::from_millis(600)));
        let outcome = deribit.buy(order()).timeout(Duration::from_millis(1_400)).await.unwrap();
        let pending = pending(outcome);
        assert_eq!(pending.reason().to_string(), "outcome unknown: no answer within the deadline");
        let resolution = pending.resolve().await.unwrap();
        assert!(matches!(resolution, Resolution::Resolved(_)));
    });
}

#[test]
fn an_order_waits_for_the_connection_no_longer_than_its_deadline() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let inner = world.clone();
    let outside = floor.clone();
    world.run(async move {
        deribit.client().ready().await.unwrap();
        // Nobody answers for a while.
        outside.with(|book| {
            book.dials = (0..20).map(|_| Dial::Fail(ConnectError::Tcp("refused".into()))).collect();
        });
        inner.net(|net| net.end(0, "cut"));
        inner.sleep(Duration::from_millis(100)).await;
        let start = inner.now();
        let outcome = deribit.buy(order()).timeout(seconds(1)).await.unwrap();
        assert!(matches!(outcome, Outcome::NotSent(NotSent::DeadlinePassed)), "{outcome:?}");
        assert_eq!(inner.now().since(start), seconds(1));
        // One with more time leaves on the next connection.
        outside.with(|book| book.dials.clear());
        let outcome = deribit.buy(order()).timeout(seconds(60)).await.unwrap();
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    });
    assert_eq!(floor.count("private/buy"), 1);
}

#[test]
fn a_client_that_was_never_connected_learns_the_time_first() {
    let floor = Floor::new();
    floor.with(|book| book.dials.push_back(Dial::Hang));
    let (world, deribit) = start(&floor);
    world.run(async move {
        assert_eq!(deribit.server_time(), None);
        let outcome = deribit.buy(order()).timeout(seconds(1)).await.unwrap();
        assert!(matches!(outcome, Outcome::NotSent(NotSent::DeadlinePassed)), "{outcome:?}");
        let outcome = deribit.buy(order()).timeout(seconds(60)).await.unwrap();
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    });
}

#[test]
fn a_long_outage_and_refused_logins_are_waited_out() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let outside = floor.clone();
    let settled = world.run(async move {
        deribit.client().ready().await.unwrap();
        outside.strike(Strike::CutAfter);
        outside.with(|book| {
            book.dials = (0..10).map(|_| Dial::Fail(ConnectError::Tcp("refused".into()))).collect();
            // Temporary: the venue is in maintenance when it is asked to log in.
            book.refuse_logins = [11051, 11051].into();
        });
        deribit.buy(order()).settled().await.unwrap()
    });
    assert!(settled.order().is_some());
    assert_eq!((floor.count("private/buy"), floor.with(|book| book.logins)), (1, 4));
}

#[test]
fn a_login_that_is_refused_for_good_leaves_the_outcome_unknown_and_says_so() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let outside = floor.clone();
    let inner = world.clone();
    world.run(async move {
        deribit.client().ready().await.unwrap();
        outside.strike(Strike::CutAfter);
        outside.with(|book| book.refuse_logins = [13004].into());
        let pending = pending(deribit.buy(order()).await.unwrap());
        let error = pending.resolve().await.unwrap_err();
        assert!(matches!(error, Error::Connect(Ended::Refused(_))), "{error:?}");
        // Somebody else of the account can look.
        let other = join(&inner, config());
        let resolution = pending.resolve_by(&other).await.unwrap();
        assert!(matches!(resolution, Resolution::Resolved(order) if order.order_state == OrderState::Open));
    });
}

#[test]
fn a_client_that_is_closed_meanwhile_says_so() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let outside = floor.clone();
    world.run(async move {
        deribit.client().ready().await.unwrap();
        outside.strike(Strike::CutBefore);
        let pending = pending(deribit.buy(order()).await.unwrap());
        let closing = deribit.clone();
        let (resolution, ()) = futures::join!(pending.resolve(), async move { closing.close().await });
        assert_eq!(resolution.unwrap_err(), Error::Connect(Ended::Closed));
        let outcome = deribit.buy(order()).await.unwrap();
        assert!(matches!(outcome, Outcome::NotSent(NotSent::Ended(Ended::Closed))), "{outcome:?}");
    });
}

#[test]
fn a_triggered_order_is_told_apart_from_the_order_it_made() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let (inner, outside) = (world.clone(), floor.clone());
    world.run(async move {
        deribit.client().ready().await.unwrap();
        outside.strike(Strike::CutAfter);
        outside.with(|book| book.dials.push_back(Dial::Hang));
        let pending = pending(
            deribit
                .buy(AnyOrder::from(Order::stop_limit(INSTRUMENT, 10.0, 2_000.0, TriggerAt::index(1_900.0))))
                .await
                .unwrap(),
        );
        // It is set off while the connection is away, and makes an order with its label.
        inner.net(|net| {
            outside.change(net, "SLIS-0", |order| order.state = "triggered");
            outside.with(|book| {
                let mut made = book.ledger[0].clone();
                (made.id, made.trigger, made.state) = ("ETH-1".into(), false, "filled");
                (made.made_by, made.filled) = (Some("SLIS-0".into()), made.amount);
                book.ledger.insert(0, made);
            });
        });
        let Resolution::Resolved(order) = pending.resolve().await.unwrap() else { panic!() };
        assert_eq!((&*order.order_id, order.order_state.as_str()), ("SLIS-0", "triggered"));
    });
}

#[test]
fn an_order_of_before_the_outage_is_found_in_the_history() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let (inner, outside) = (world.clone(), floor.clone());
    world.run(async move {
        deribit.client().ready().await.unwrap();
        outside.strike(Strike::CutAfter);
        outside.with(|book| {
            book.forgets_after = Some(seconds(30 * 60));
            book.dials = (0..400).map(|_| Dial::Fail(ConnectError::Tcp("refused".into()))).collect();
        });
        let pending = pending(deribit.buy(order().immediate_or_cancel()).await.unwrap());
        inner.sleep(seconds(50 * 60)).await;
        outside.with(|book| book.dials.clear());
        let Resolution::Resolved(order) = pending.resolve().await.unwrap() else { panic!() };
        assert_eq!(order.order_state, OrderState::Filled);
    });
    let asked = floor.count("private/get_order_history_by_instrument");
    assert!(asked >= 2, "{asked}");
}

#[test]
fn edits_are_known_too() {
    let edits = [
        (None, 2_100.0),
        (Some(Strike::CutAfter), 2_100.0),
        (Some(Strike::CutBefore), 2_000.0),
        (Some(Strike::LoseReply), 2_100.0),
        (Some(Strike::CutAndDelay(seconds(4))), 2_100.0),
        (Some(Strike::CutAndDelay(seconds(9))), 2_000.0),
        (Some(Strike::FailBefore(10001)), 2_000.0),
    ];
    for (strike, price) in edits {
        let floor = Floor::new();
        let (world, deribit) = start(&floor);
        let outside = floor.clone();
        let order = world.run(async move {
            let placed = deribit.buy(order()).await.unwrap().accepted().unwrap();
            outside.with(|book| book.strikes.push_back(strike));
            let edit = Edit::of(&placed.order).price(2_100.0);
            deribit.edit(edit).timeout(seconds(5)).settled().await.unwrap()
        });
        assert_eq!(order.limit_price(), Some(price), "{strike:?}");
        assert_eq!(floor.with(|book| book.ledger[0].price), price, "{strike:?}");
        assert_eq!(floor.count("private/edit"), 1, "{strike:?}");
    }
}

#[test]
fn an_edit_by_label_is_known_where_no_account_is_kept_in_the_base_currency() {
    for strike in [Strike::CutAfter, Strike::CutBefore] {
        let floor = Floor::new();
        let (world, deribit) = start(&floor);
        let outside = floor.clone();
        let order = world.run(async move {
            let order = Order::limit("XRP_USDC", 10.0, 2.0).label("mm-1");
            let placed = deribit.buy(order).await.unwrap().accepted().unwrap();
            outside.with(|book| book.strikes.push_back(Some(strike)));
            let edit = Edit::label("XRP_USDC", placed.order.label().unwrap(), 10.0).price(2.5);
            deribit.edit(edit).timeout(seconds(5)).settled().await.unwrap()
        });
        assert_eq!(order.limit_price(), Some(floor.with(|book| book.ledger[0].price)), "{strike:?}");
        assert_eq!(floor.count("private/edit_by_label"), 1, "{strike:?}");
    }
}

#[test]
fn cancels_end_with_an_order_that_is_not_live() {
    let strikes = [
        None,
        Some(Strike::CutAfter),
        Some(Strike::CutBefore),
        Some(Strike::LoseReply),
        Some(Strike::CutAndDelay(seconds(1))),
        Some(Strike::FailBefore(10001)),
        Some(Strike::FailAfter(10001)),
    ];
    for strike in strikes {
        let floor = Floor::new();
        let (world, deribit) = start(&floor);
        let outside = floor.clone();
        let order = world.run(async move {
            let placed = deribit.buy(order()).await.unwrap().accepted().unwrap();
            outside.with(|book| book.strikes.push_back(strike));
            deribit.cancel(&*placed.order.order_id).timeout(seconds(5)).settled().await.unwrap()
        });
        assert_eq!(order.order_state, OrderState::Cancelled, "{strike:?}");
        assert_eq!(floor.with(|book| book.ledger[0].state), "cancelled", "{strike:?}");
    }
}

#[test]
fn a_cancel_that_comes_too_late_tells_how_the_order_ended() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    world.run(async move {
        let placed = deribit.buy(order().immediate_or_cancel()).await.unwrap().accepted().unwrap();
        let order = deribit.cancel(&*placed.order.order_id).settled().await.unwrap();
        assert_eq!(order.order_state, OrderState::Filled);
        let error = deribit.cancel("ETH-999").settled().await.unwrap_err();
        assert!(matches!(error, Error::Rejected(error) if error.code == 10004));
    });
}

/// One storm: several clients, each with several orders at a time, on a venue that strikes one order in three.
fn weather(seed: u64, clients: usize, orders: usize) -> BTreeMap<&'static str, usize> {
    let floor = Floor::new();
    floor.with(|book| {
        book.storm = Some(3);
        book.queries_fail = Some(20);
        book.reply_within = Duration::from_millis(50);
    });
    let world = World::new(seed, floor.clone());
    world.net(|net| net.latency = (Duration::from_millis(1), Duration::from_millis(80)));
    let told = Rc::new(RefCell::new(Vec::new()));
    let mut done = Vec::new();
    for client in 0..clients {
        let deribit = join(&world, config());
        for lane in 0..4 {
            let (deribit, world, told) = (deribit.clone(), world.clone(), told.clone());
            let (tell, end) = oneshot::channel();
            done.push(end);
            let inner = world.clone();
            world.spawn(async move {
                for number in 0..orders {
                    let user = format!("{client}-{lane}-{number}");
                    let pause = inner.net(|net| net.between(Duration::ZERO, Duration::from_millis(400)));
                    inner.sleep(pause).await;
                    let outcome = deribit.buy(order().label(&*user)).timeout(seconds(5)).settled().await;
                    told.borrow_mut().push((user, outcome.unwrap()));
                }
                let _ = tell.send(());
            });
        }
    }
    world.run(async move {
        futures::future::join_all(done).await;
    });
    judge(&floor, &told.borrow(), seed)
}

/// Holds what was told against the ledger; how often each was told.
fn judge(floor: &Floor, told: &[(String, Settled)], seed: u64) -> BTreeMap<&'static str, usize> {
    let mut executed: BTreeMap<String, usize> = BTreeMap::new();
    for order in floor.with(|book| book.ledger.clone()) {
        *executed.entry(Label::new(order.label).unwrap().user().to_owned()).or_default() += 1;
    }
    let mut counts = BTreeMap::new();
    for (user, settled) in told {
        let times = executed.remove(user).unwrap_or_default();
        let (kind, expected) = match settled {
            Settled::Placed(_) => ("placed", 1),
            Settled::Rejected(_) => ("rejected", 0),
            Settled::NotSent(_) => ("not sent", 0),
            Settled::NeverArrived => ("never arrived", 0),
        };
        assert_eq!(times, expected, "seed {seed}: {user} is said to be {settled:?}");
        *counts.entry(kind).or_default() += 1;
    }
    assert_eq!(executed, BTreeMap::new(), "seed {seed}: executed, and nobody was told");
    counts
}

#[test]
fn in_a_storm_every_outcome_is_what_the_ledger_says() {
    let seed = lives::seed();
    let mut total = BTreeMap::<_, usize>::new();
    for seed in (0..10).map(|n| seed.wrapping_add(n)) {
        for (kind, count) in weather(seed, 3, 25) {
            *total.entry(kind).or_default() += count;
        }
    }
    lives::say(&format!("outcomes: {total:?}; replay with SEED={seed}"));
    assert!(total["placed"] > 1_000 && total["never arrived"] > 100, "{total:?}");
}
