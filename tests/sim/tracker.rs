//! The tracker of orders: live means true, whatever was cut, lost or late.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use steadysocket::deribit::data::{CancelReason, Order};
use steadysocket::deribit::order::Edit;
use steadysocket::deribit::{Deribit, Label, OrderEvent, OrderKind, OrderTracker, Scope, Side, Staleness};
use steadysocket::error::{ConnectError, Ended, Error};

use crate::floor::{Floor, server_time};
use crate::outcomes::{INSTRUMENT, config, join, order, seconds, start};
use crate::world::{Dial, World};
use crate::{lives, test};

/// Reads until it is live; what happened meanwhile.
async fn until_live(tracker: &mut OrderTracker) -> Vec<OrderEvent> {
    let mut events = Vec::new();
    while let Some(event) = tracker.next().await {
        let live = event == OrderEvent::Live;
        events.push(event);
        if live {
            assert!(tracker.is_live());
            return events;
        }
    }
    panic!("the client ended after {events:?}");
}

/// What kinds of changes there were, with their orders' ids.
fn kinds(events: &[OrderEvent]) -> Vec<(String, OrderKind, bool)> {
    let of = |event: &OrderEvent| match event {
        OrderEvent::Changed(change) => Some((change.order.order_id.clone(), change.kind(), change.missed)),
        _ => None,
    };
    let mut kinds: Vec<_> = events.iter().filter_map(of).collect();
    kinds.sort_by(|one, other| one.0.cmp(&other.0));
    kinds
}

/// The parts of an order that matter: id, price, amount, what was executed, state.
type Essence = (String, f64, f64, f64, String);

fn essence(order: &Order) -> Essence {
    let (price, state) = (order.limit_price().unwrap_or_default(), order.order_state.to_string());
    (order.order_id.clone(), price, order.amount, order.filled(), state)
}

/// Live orders in the ledger that have not changed for a while, and all that have ended for a while.
fn settled(floor: &Floor, now: u64) -> (BTreeMap<String, Essence>, BTreeSet<String>) {
    let old: Vec<_> =
        floor.with(|book| book.ledger.iter().filter(|order| order.updated + 1_000 < now).cloned().collect());
    let ended = old.iter().filter(|order| !order.is_open()).map(|order| order.id.clone()).collect();
    let live = old.into_iter().filter(|order| order.is_open()).map(|order| {
        (order.id.clone(), (order.id, order.price, order.amount, order.filled, order.state.to_owned()))
    });
    (live.collect(), ended)
}

/// A tracker that says that it is live is right about everything that has not just happened.
fn check(floor: &Floor, world: &World, tracker: &OrderTracker, seed: u64) {
    if !tracker.is_live() {
        return;
    }
    let (live, ended) = settled(floor, server_time(world.now()) / 1000);
    for (id, expected) in &live {
        let tracked = tracker.get(id).map(essence);
        assert_eq!(tracked.as_ref(), Some(expected), "seed {seed}: {id}");
    }
    for order in tracker.iter() {
        assert!(!ended.contains(&order.order_id), "seed {seed}: {} has ended", order.order_id);
    }
}

#[test]
fn it_begins_with_what_is_there_and_follows_what_happens() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let (inner, outside) = (world.clone(), floor.clone());
    world.run(async move {
        let placed = deribit.buy(order()).await.unwrap().accepted().unwrap();
        let first = placed.order.order_id.clone();
        let mut tracker = deribit.track_orders().await.unwrap();
        assert_eq!(tracker.staleness(), Some(&Staleness::Starting));
        let events = until_live(&mut tracker).await;
        assert_eq!(kinds(&events), [(first.clone(), OrderKind::Opened, true)]);

        let sold = deribit.sell(order().label("other")).await.unwrap().accepted().unwrap();
        let second = sold.order.order_id;
        inner.net(|net| outside.change(net, &first, |order| order.filled = 4.0));
        inner.net(|net| outside.change(net, &second, |order| order.price = 2_001.0));
        inner.net(|net| {
            outside.change(net, &first, |order| (order.filled, order.state) = (10.0, "filled"));
        });
        inner.sleep(seconds(1)).await;
        let mut seen = Vec::new();
        while let Some(Some(event)) = tracker.next().now_or_never() {
            seen.push(event);
        }
        let opened = (second.clone(), OrderKind::Opened, false);
        let amended = (second.clone(), OrderKind::Amended, false);
        let executed = (first.clone(), OrderKind::Executed(4.0), false);
        let filled = (first.clone(), OrderKind::Filled(6.0), false);
        assert_eq!(kinds(&seen), [executed, filled, opened, amended]);

        assert_eq!((tracker.len(), tracker.is_empty()), (1, false));
        assert_eq!(tracker.get(&second).unwrap().limit_price(), Some(2_001.0));
        assert_eq!(tracker.by_user_label("other").count(), 1);
        let label = Label::new(tracker.get(&second).unwrap().label().unwrap()).unwrap();
        assert_eq!(tracker.by_label(&label).count(), 1);
        assert_eq!(tracker.of_instrument(INSTRUMENT).count(), 1);
        let side = |side| tracker.on_side(INSTRUMENT, side).count();
        assert_eq!((side(Side::Sell), side(Side::Buy)), (1, 0));
        assert_eq!(tracker.of_instrument("BTC-PERPETUAL").count(), 0);
        check(&outside, &inner, &tracker, 0);
    });
}

#[test]
fn what_changed_while_it_was_away_is_told() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let (inner, outside) = (world.clone(), floor.clone());
    world.run(async move {
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(deribit.buy(order()).await.unwrap().accepted().unwrap().order.order_id);
        }
        let mut tracker = deribit.track_orders().await.unwrap();
        until_live(&mut tracker).await;
        let other = join(&inner, config());
        other.client().ready().await.unwrap();
        outside.with(|book| {
            book.dials = (0..5).map(|_| Dial::Fail(ConnectError::Tcp("refused".into()))).collect();
        });
        inner.net(|net| net.end(0, "cut"));
        let stale = tracker.next().await.unwrap();
        assert!(matches!(stale, OrderEvent::Stale(Staleness::Interrupted(_))), "{stale:?}");
        assert!(!tracker.is_live() && tracker.len() == 5);
        inner.net(|net| {
            outside.change(net, &ids[0], |order| (order.filled, order.state) = (10.0, "filled"));
            outside.change(net, &ids[1], |order| order.filled = 3.0);
            outside.change(net, &ids[2], |order| {
                (order.state, order.reason) = ("cancelled", Some("cancel_on_disconnect"));
            });
            outside.change(net, &ids[3], |order| order.price = 1_999.0);
        });
        let new = other.sell(order()).await.unwrap().accepted().unwrap().order.order_id;
        let events = until_live(&mut tracker).await;
        let reason = CancelReason::CancelOnDisconnect;
        assert_eq!(
            kinds(&events),
            [
                (ids[0].clone(), OrderKind::Filled(10.0), true),
                (ids[1].clone(), OrderKind::Executed(3.0), true),
                (ids[2].clone(), OrderKind::Cancelled(Some(reason)), true),
                (ids[3].clone(), OrderKind::Amended, true),
                (new, OrderKind::Opened, true),
            ]
        );
        assert_eq!(tracker.len(), 4);
        check(&outside, &inner, &tracker, 0);
    });
}

#[test]
fn what_the_exchange_has_forgotten_is_told_as_such() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let (inner, outside) = (world.clone(), floor.clone());
    world.run(async move {
        let id = deribit.buy(order()).await.unwrap().accepted().unwrap().order.order_id;
        let mut tracker = deribit.track_orders().await.unwrap();
        until_live(&mut tracker).await;
        outside.with(|book| {
            book.forgets_after = Some(Duration::ZERO);
            book.dials = (0..10).map(|_| Dial::Fail(ConnectError::Tcp("refused".into()))).collect();
        });
        inner.net(|net| net.end(0, "cut"));
        tracker.next().await.unwrap();
        inner.net(|net| outside.change(net, &id, |order| order.state = "cancelled"));
        let events = until_live(&mut tracker).await;
        assert!(matches!(&events[0], OrderEvent::Forgotten(order) if order.order_id == id), "{events:?}");
        assert!(tracker.is_empty());
    });
}

#[test]
fn a_reader_that_is_too_slow_is_told_and_gets_a_new_list() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let (inner, outside) = (world.clone(), floor.clone());
    world.run(async move {
        let id = deribit.buy(order()).await.unwrap().accepted().unwrap().order.order_id;
        let mut tracker = deribit.track_orders().await.unwrap();
        until_live(&mut tracker).await;
        for n in 0..20_000 {
            inner.net(|net| outside.change(net, &id, |order| order.price = 1_000.0 + f64::from(n % 7)));
        }
        inner.net(|net| outside.change(net, &id, |order| order.state = "cancelled"));
        inner.sleep(seconds(1)).await;
        let first = tracker.next().await.unwrap();
        assert!(matches!(first, OrderEvent::Stale(Staleness::Lagged(_))), "{first:?}");
        until_live(&mut tracker).await;
        assert!(tracker.is_empty());
    });
}

#[test]
fn it_is_not_live_once_the_client_has_ended() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    world.run(async move {
        let _ = deribit.buy(order()).await.unwrap();
        let mut tracker = deribit.track_orders().await.unwrap();
        until_live(&mut tracker).await;
        deribit.client().close().await;
        assert_eq!(tracker.next().await, Some(OrderEvent::Stale(Staleness::Ended(Ended::Closed))));
        assert!(!tracker.is_live());
        assert_eq!(tracker.next().await, None);
        assert_eq!(tracker.next().await, None);
    });
}

#[test]
fn a_list_that_fails_is_asked_for_again() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let outside = floor.clone();
    world.run(async move {
        deribit.buy(order()).await.unwrap().accepted().unwrap();
        outside.with(|book| book.refuse_lists = 3);
        let mut tracker = deribit.track_orders().await.unwrap();
        until_live(&mut tracker).await;
        assert_eq!(tracker.len(), 1);
        tracker.refresh();
        assert_eq!(tracker.next().await, Some(OrderEvent::Stale(Staleness::Refreshing)));
        assert_eq!(until_live(&mut tracker).await, [OrderEvent::Live]);
    });
    assert_eq!(floor.count("private/get_open_orders"), 5);
}

#[test]
fn each_scope_has_its_channel_and_its_list() {
    let floor = Floor::new();
    let (world, deribit) = start(&floor);
    let market = |kind: &str, currency: &str| Scope::Market { kind: kind.into(), currency: currency.into() };
    let scopes = [
        Scope::Instrument(INSTRUMENT.into()),
        market("future", "any"),
        market("any", "ETH"),
        market("option", "BTC"),
    ];
    world.run(async move {
        for scope in scopes {
            let mut tracker = deribit.track_orders_of(scope).await.unwrap();
            until_live(&mut tracker).await;
        }
    });
    let requests = floor.with(|book| book.received.clone());
    let lists: Vec<_> = requests.iter().filter(|(.., method, _)| method.contains("open_orders")).collect();
    let shown: Vec<_> = lists.iter().map(|(.., method, params)| format!("{method} {params}")).collect();
    assert_eq!(
        shown,
        [
            r#"private/get_open_orders_by_instrument {"instrument_name":"ETH-PERPETUAL"}"#,
            r#"private/get_open_orders {"kind":"future"}"#,
            r#"private/get_open_orders_by_currency {"currency":"ETH"}"#,
            r#"private/get_open_orders_by_currency {"currency":"BTC","kind":"option"}"#,
        ]
    );
}

/// Places, edits and cancels orders at random, now and then in a burst.
async fn trade(world: World, deribit: Deribit, floor: Floor, rounds: usize) {
    for _ in 0..rounds {
        let pause = world.net(|net| net.between(Duration::ZERO, Duration::from_millis(300)));
        world.sleep(pause).await;
        let (choice, pick, price) =
            world.net(|net| (net.random() % 8, net.random(), 1_900 + net.random() % 200));
        let live: Vec<_> = floor.with(|book| {
            book.ledger.iter().filter(|order| order.is_open()).map(|order| order.id.clone()).collect()
        });
        let id = live.get(pick as usize % live.len().max(1)).cloned().unwrap_or_default();
        let price = price as f64;
        match choice {
            0..3 => drop(deribit.buy(Order::limit(INSTRUMENT, 10.0, price)).timeout(seconds(5)).await),
            3 => drop(deribit.edit(Edit::order(INSTRUMENT, id, 10.0).price(price)).timeout(seconds(5)).await),
            4 => drop(deribit.cancel(id).timeout(seconds(5)).await),
            // The market and the exchange have a hand in it, too.
            5 => world.net(|net| {
                floor.change(net, &id, |order| {
                    order.filled = order.amount.min(order.filled + 5.0);
                    if order.filled >= order.amount {
                        order.state = "filled";
                    }
                });
            }),
            6 => world.net(|net| floor.change(net, &id, |order| order.state = "cancelled")),
            _ => world.net(|net| {
                if net.chance(3) {
                    let newest = net.connections() - 1;
                    net.end(newest, "cut");
                }
            }),
        }
    }
}

/// A tracker in a storm, watched by the ledger: how often it was live, and how often it went stale.
fn weather(seed: u64) -> (usize, usize) {
    let floor = Floor::new();
    floor.with(|book| {
        book.storm = Some(10);
        book.queries_fail = Some(15);
        book.reply_within = Duration::from_millis(400);
    });
    let world = World::new(seed, floor.clone());
    world.net(|net| net.latency = (Duration::from_millis(1), Duration::from_millis(200)));
    let deribit = join(&world, config());
    let counts = Rc::new(RefCell::new((0, 0)));
    let (inner, outside, counted) = (world.clone(), floor.clone(), counts.clone());
    let watcher = deribit.clone();
    world.spawn(async move {
        let mut tracker = loop {
            match watcher.track_orders().await {
                Ok(tracker) => break tracker,
                Err(Error::NotSent(_)) => return,
                Err(_) => inner.sleep(seconds(1)).await,
            }
        };
        while let Some(event) = tracker.next().await {
            // Whatever is there already is read before anybody looks.
            let rest = std::iter::from_fn(|| tracker.next().now_or_never().flatten());
            for event in std::iter::once(event).chain(rest) {
                match event {
                    OrderEvent::Live => counted.borrow_mut().0 += 1,
                    OrderEvent::Stale(_) => counted.borrow_mut().1 += 1,
                    _ => {}
                }
            }
            check(&outside, &inner, &tracker, seed);
        }
    });
    world.run(trade(world.clone(), deribit, floor.clone(), 300));
    let (live, stale) = *counts.borrow();
    assert!(live > 0, "seed {seed}: it was never live");
    (live, stale)
}

#[test]
fn in_a_storm_it_is_never_live_and_wrong() {
    let seed = lives::seed();
    let (mut live, mut stale) = (0, 0);
    for seed in (0..10).map(|n| seed.wrapping_add(n)) {
        let counts = weather(seed);
        (live, stale) = (live + counts.0, stale + counts.1);
    }
    lives::say(&format!("tracker: live {live} times, stale {stale} times; replay with SEED={seed}"));
    assert!(live > 100 && stale > 100, "{live} {stale}");
}
