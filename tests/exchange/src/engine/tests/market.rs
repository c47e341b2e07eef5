//! The crowd alone: a market that is the seed's.

use std::time::Duration;

use crate::engine::Engine;
use crate::market::BookView;
use crate::market::Market;
use std::collections::BTreeSet;

const NOW: i64 = 1_790_133_840_448;
const PACE: Duration = Duration::from_millis(25);

fn open(seed: u64) -> Engine {
    Engine::new(Market::open(seed, NOW, PACE), std::iter::empty())
}

fn after(seed: u64, steps: i64) -> Engine {
    let mut engine = open(seed);
    (0..steps).for_each(|step| engine.step(NOW + 25 * step));
    engine
}

fn books(engine: &Engine) -> Vec<BookView> {
    let market = &engine.market;
    market.instruments().iter().filter_map(|quoted| market.book(&quoted.terms.name)).collect()
}

#[test]
fn the_same_seed_gives_the_same_market() {
    assert_eq!(books(&after(7, 500)), books(&after(7, 500)));
    assert_ne!(books(&after(7, 500)), books(&after(8, 500)));
}

#[test]
fn books_are_never_crossed_and_keep_to_their_ticks() {
    let mut engine = open(3);
    for step in 0..2_000 {
        engine.step(NOW + step);
        for quoted in engine.market.instruments() {
            if let (Some((bid, _)), Some((ask, _))) =
                (quoted.book.shown().best_bid(), quoted.book.shown().best_ask())
            {
                assert!(bid < ask, "{} {bid} {ask}", quoted.terms.name);
            }
            let book = quoted.book.shown();
            assert!(book.bids.values().chain(book.asks.values()).all(|amount| *amount > 0));
        }
    }
}

#[test]
fn most_books_are_two_sided_and_some_are_not_at_times() {
    let mut engine = open(3);
    let (mut whole, mut hollow) = (0, 0);
    for step in 0..2_000 {
        engine.step(NOW + step);
        for quoted in engine.market.instruments() {
            match quoted.book.shown().bids.is_empty() || quoted.book.shown().asks.is_empty() {
                true => hollow += 1,
                false => whole += 1,
            }
        }
    }
    assert!(hollow > 50 && whole > hollow * 10, "{hollow} {whole}");
}

#[test]
fn change_numbers_are_shared_in_a_pool_and_grow() {
    let mut engine = open(5);
    let mut highest = 0;
    for step in 0..200 {
        engine.step(NOW + step);
        let pool = engine.market.instruments().iter().filter(|quoted| quoted.terms.pool == "USDC");
        let changes: BTreeSet<u64> =
            pool.filter(|q| q.changed_ms == NOW + step).map(|q| q.change_id).collect();
        assert!(changes.first().is_none_or(|first| *first > highest));
        highest = changes.last().copied().unwrap_or(highest);
    }
}
