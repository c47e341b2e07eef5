//! Orders priced in USD or as volatility.

use serde_json::json;

use super::support::{NOW, engine, place};
use crate::market::book::Side;

#[test]
fn a_price_in_usd_follows_the_index() {
    let mut engine = engine(3, 1);
    let option = engine.market.instruments().iter().find(|q| q.terms.name.ends_with("-60000-C")).unwrap();
    let name = option.terms.name.clone();
    // Far below what it is worth, so that nobody takes it, and just below the next price.
    let half = option.terms.price.steps(option.mark * 0.5);
    let tick = option.terms.tick_at(half) as f64;
    let dollars = option.terms.price.at(((half / tick).floor() + 0.4999) * tick) * option.index;
    let order = json!({ "instrument_name": name, "price": dollars, "amount": 1.0, "advanced": "usd" });
    let result = place(&mut engine, 1, Side::Bid, order).unwrap();
    let placed = result["order"].clone();
    assert_eq!(
        (&placed["advanced"], &placed["usd"], &placed["auto_replaced"]),
        (&json!("usd"), &json!(dollars), &json!(false))
    );
    for step in 0..40_000 {
        engine.step(NOW + step);
        engine.take_news();
        let order = engine.orders.by_name(placed["order_id"].as_str().unwrap()).unwrap();
        let quoted = engine.market.instrument(&name).unwrap();
        let price = quoted.terms.price.value(order.ticket.price.unwrap());
        let tick = quoted.terms.price.value(quoted.terms.tick_at(quoted.terms.price.steps(price)));
        assert!((price - dollars / quoted.index).abs() <= tick * 0.51, "{price} {dollars} {}", quoted.index);
        if order.auto_replaced {
            let quoted = engine.market.instrument(&name).unwrap();
            assert!(quoted.book.resting(Side::Bid, order.ticket.price.unwrap(), order.id).is_some());
            return;
        }
    }
    panic!("the index never moved enough");
}

#[test]
fn a_price_as_volatility_is_the_model_s() {
    let mut engine = engine(3, 1);
    let option = engine.market.instruments().iter().find(|q| q.terms.name.ends_with("-60000-C")).unwrap();
    let (name, mark, iv) = (option.terms.name.clone(), option.mark, option.terms.option.unwrap().volatility);
    let order = |value: f64| json!({ "instrument_name": name.clone(), "price": value, "amount": 1.0, "advanced": "implv", "time_in_force": "immediate_or_cancel" });
    let at_mark = place(&mut engine, 1, Side::Ask, order(iv * 100.0)).unwrap();
    assert!((at_mark["order"]["price"].as_f64().unwrap() - mark).abs() <= 0.0005);
    let dearer = place(&mut engine, 1, Side::Ask, order(iv * 120.0)).unwrap();
    assert!(dearer["order"]["price"].as_f64() > at_mark["order"]["price"].as_f64());
}
