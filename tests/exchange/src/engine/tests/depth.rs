//! Deep books: what a change costs must not grow with them. Counted, because time would depend on the machine.

use serde_json::json;

use super::support::{PERPETUAL, caller, engine, limit, params, place};
use crate::market::book::Side;

#[test]
fn a_deep_book_costs_no_more_than_what_changes() {
    let mut engine = engine(1, 1);
    let best = engine.market.instrument(PERPETUAL).unwrap().book.shown().best_bid().unwrap().0;
    for step in 0..5_000 {
        place(&mut engine, 1, Side::Bid, limit(best - 100 - step, 1)).unwrap();
        engine.take_news();
    }
    engine
        .cancel(&caller(1), &params(json!({ "order_id": engine.orders.all().next().unwrap().name })))
        .unwrap();
    let news = engine.take_news();
    assert_eq!((news.books.len(), news.books[0].levels.len(), news.orders.len()), (1, 1, 1));
}
