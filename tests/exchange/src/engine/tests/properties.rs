//! What must hold whatever is asked, shown by asking for a lot.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::support::{NOW, PERPETUAL, caller, engine, limit, params, place};
use crate::accounts::AccountId;
use crate::engine::Engine;
use crate::market::book::Side;

const ACCOUNTS: u64 = 4;

/// Does something at random. Says which order it made, if any.
fn act(engine: &mut Engine, rng: &mut Rng) {
    let account = rng.u64(1..=ACCOUNTS);
    let side = if rng.bool() { Side::Bid } else { Side::Ask };
    let fair = engine.market.instrument(PERPETUAL).map_or(0.0, |quoted| quoted.mark) * 2.0;
    let price = fair as i64 + rng.i64(-40..40);
    let amount = rng.i64(1..200);
    let live: Vec<String> = engine.orders.live(AccountId(account)).map(|order| order.name.clone()).collect();
    let _refused = match (rng.u8(..12), rng.choice(&live)) {
        (0..4, _) => place(engine, account, side, limit(price, amount)),
        (4, _) => {
            let market = json!({ "instrument_name": PERPETUAL, "type": "market", "amount": amount * 10 });
            place(engine, account, side, market)
        }
        (5, _) => {
            let words = ["immediate_or_cancel", "fill_or_kill", "good_til_day"];
            let mut order = limit(price, amount);
            order["time_in_force"] = json!(words[rng.usize(..3)]);
            place(engine, account, side, order)
        }
        (6, _) => {
            let mut order = limit(price, amount * 100);
            order["display_amount"] = json!(amount * 10);
            place(engine, account, side, order)
        }
        (7, _) => {
            let mut order = limit(price, amount);
            order["post_only"] = json!(true);
            place(engine, account, side, order)
        }
        (8, Some(name)) => {
            let edit = json!({ "order_id": name, "amount": amount * 10, "price": price as f64 / 2.0 });
            engine.edit(&caller(account), &params(edit))
        }
        (9, Some(name)) => engine.cancel(&caller(account), &params(json!({ "order_id": name }))),
        (10, _) => {
            let mut order = limit(price, amount);
            order["reduce_only"] = json!(true);
            place(engine, account, side, order)
        }
        _ => {
            engine.step(NOW);
            Ok(Value::Null)
        }
    };
}

fn storm(seed: u64, acts: usize, mut check: impl FnMut(&Engine)) -> Engine {
    let mut engine = engine(seed, ACCOUNTS);
    let mut rng = Rng::with_seed(seed);
    for _ in 0..acts {
        act(&mut engine, &mut rng);
        check(&engine);
        engine.take_news();
    }
    engine
}

#[test]
fn the_book_is_never_crossed_and_shows_what_is_in_it() {
    for seed in 0..6 {
        storm(seed, 800, |engine| {
            let quoted = engine.market.instrument(PERPETUAL).unwrap();
            let book = quoted.book.shown();
            if let (Some((bid, _)), Some((ask, _))) = (book.best_bid(), book.best_ask()) {
                assert!(bid < ask, "{bid} {ask}");
            }
            // The crowd's part and the shown part of every order, and nothing else.
            let mut sum = BTreeMap::<(Side, i64), i64>::new();
            for side in [Side::Bid, Side::Ask] {
                for (price, amount) in quoted.book.crowd().side(side) {
                    *sum.entry((side, *price)).or_default() += amount;
                }
            }
            for order in engine.orders.all().filter(|order| order.rests()) {
                let (side, price) = (order.ticket.side, order.ticket.price.unwrap());
                let resting = quoted.book.resting(side, price, order.id).unwrap();
                assert_eq!(resting.shown + resting.hidden, order.left(), "{order:?}");
                assert!(resting.shown > 0 && order.left() > 0);
                *sum.entry((side, price)).or_default() += resting.shown;
            }
            for side in [Side::Bid, Side::Ask] {
                for (price, amount) in book.side(side) {
                    assert_eq!(sum.remove(&(side, *price)), Some(*amount), "{side:?} {price}");
                }
            }
            assert!(sum.is_empty(), "{sum:?}");
        });
    }
}

#[test]
fn fills_are_what_orders_say_and_positions_their_sum() {
    for seed in 10..14 {
        let engine = storm(seed, 1_500, |_| {});
        let mut fills = BTreeMap::<String, f64>::new();
        let mut held = BTreeMap::<u64, f64>::new();
        for account in 1..=ACCOUNTS {
            for trade in &engine.trader(AccountId(account)).unwrap().trades {
                let (object, amount) = (&trade.object, trade.object["amount"].as_f64().unwrap());
                *fills.entry(object["order_id"].as_str().unwrap().into()).or_default() += amount;
                let sign = if object["direction"] == "buy" { 1.0 } else { -1.0 };
                *held.entry(account).or_default() += sign * amount;
            }
        }
        assert!(fills.len() > 100, "{}", fills.len());
        for order in engine.orders.all() {
            let object = engine.describe(order);
            let filled = object["filled_amount"].as_f64().unwrap();
            assert_eq!(filled, fills.remove(&order.name).unwrap_or(0.0), "{object}");
            assert!(filled <= object["amount"].as_f64().unwrap());
            assert_eq!(object["order_state"] == "filled", order.left() == 0);
        }
        assert!(fills.is_empty());
        let position = engine.market.position(PERPETUAL).unwrap();
        for (account, sum) in held {
            assert_eq!(engine.position(AccountId(account), position).unwrap()["size"], sum);
        }
    }
}

#[test]
fn what_is_bound_is_what_is_open_and_nothing_is_left_of_it() {
    for seed in 20..24 {
        let mut engine = storm(seed, 800, |_| {});
        for account in 1..=ACCOUNTS {
            let open: f64 = engine.orders.live(AccountId(account)).map(super::super::bound).sum();
            assert!((engine.money(AccountId(account), "BTC").bound - open).abs() < 1e-6);
            engine.cancel_all(&caller(account), &params(json!({}))).unwrap();
            assert!(engine.money(AccountId(account), "BTC").bound.abs() < 1e-6);
        }
    }
}

#[test]
fn every_trade_has_a_public_twin_at_the_price_of_the_maker() {
    let mut engine = engine(30, ACCOUNTS);
    let mut rng = Rng::with_seed(30);
    let mut seen = 0;
    for _ in 0..1_500 {
        act(&mut engine, &mut rng);
        let quoted = engine.market.instrument(PERPETUAL).unwrap();
        let public: Vec<Value> = quoted.trades.iter().map(|trade| quoted.trade(trade)).collect();
        for trade in
            engine.take_news().trades.iter().filter(|trade| trade.object["instrument_name"] == PERPETUAL)
        {
            let object = &trade.object;
            let twin = public.iter().rev().find(|public| public["trade_id"] == object["trade_id"]).unwrap();
            assert_eq!((&twin["price"], &twin["amount"]), (&object["price"], &object["amount"]));
            let taker = object["liquidity"] == "T";
            assert_eq!(
                taker,
                twin["direction"] == object["direction"],
                "the public direction is the taker's"
            );
            if let (false, Some(order)) = (taker, engine.orders.get(trade.order)) {
                // An edit may have moved it since, never a fill.
                assert!(order.replaced || engine.describe(order)["price"] == object["price"]);
            }
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn of_equal_prices_the_earlier_is_filled_first() {
    for seed in 40..48 {
        let mut engine = engine(seed, 3);
        let mut rng = Rng::with_seed(seed);
        let best = engine.market.instrument(PERPETUAL).unwrap().book.shown().best_bid().unwrap().0;
        let price = best - 6;
        let mut order = Vec::new();
        for _ in 0..20 {
            let account = rng.u64(1..=2);
            let result = place(&mut engine, account, Side::Bid, limit(price, rng.i64(1..20))).unwrap();
            order.push(result["order"]["order_id"].as_str().unwrap().to_owned());
        }
        for _ in 0..40 {
            place(&mut engine, 3, Side::Ask, limit(price, rng.i64(1..400))).unwrap();
            let left: Vec<bool> =
                order.iter().map(|name| engine.orders.by_name(name).unwrap().left() > 0).collect();
            assert!(left.is_sorted(), "nobody is served before one who was there earlier: {left:?}");
            let part: Vec<&String> = order
                .iter()
                .filter(|n| {
                    let o = engine.orders.by_name(n).unwrap();
                    o.filled > 0 && o.left() > 0
                })
                .collect();
            assert!(part.len() <= 1);
        }
    }
}

#[test]
fn the_same_storm_gives_the_same_end() {
    let end = |seed| {
        let engine = storm(seed, 600, |_| {});
        let orders: Vec<Value> = engine.orders.all().map(|order| engine.describe(order)).collect();
        (orders, engine.market.book(PERPETUAL))
    };
    assert_eq!(end(50), end(50));
    assert_ne!(end(50), end(51));
}
