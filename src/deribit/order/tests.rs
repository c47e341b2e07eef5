use serde_json::{Value, json};

use super::*;
use crate::deribit::data::FillCondition;

fn instrument(fields: &Value) -> Instrument {
    let mut all = json!({
        "instrument_name": "BTC-PERPETUAL", "kind": "future", "base_currency": "BTC", "instrument_type": "reversed",
        "tick_size": 0.5, "tick_size_steps": [], "min_trade_amount": 10, "contract_size": 10, "is_active": true,
    });
    for (name, value) in fields.as_object().unwrap() {
        all[name] = value.clone();
    }
    serde_json::from_value(all).unwrap()
}

fn perpetual() -> Instrument {
    instrument(&json!({}))
}

fn option() -> Instrument {
    instrument(&json!({
        "instrument_name": "BTC-27JUN25-100000-C", "kind": "option", "tick_size": 0.0001, "min_trade_amount": 0.1,
        "contract_size": 1, "tick_size_steps": [{ "above_price": 0.005, "tick_size": 0.0005 }],
    }))
}

/// The parameters with which an order leaves.
fn sent(order: impl Into<AnyOrder>, instrument: &Instrument) -> Value {
    let request = order.into().request(Side::Buy, instrument).unwrap();
    assert_eq!(request.method, "private/buy");
    serde_json::from_str(&request.params.unwrap()).unwrap()
}

/// The field for which an order does not leave.
fn refused(order: impl Into<AnyOrder>, instrument: &Instrument) -> &'static str {
    match order.into().request(Side::Sell, instrument) {
        Err(Error::Config(error)) => error.field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_kind_of_order() {
    let (name, at) = ("BTC-PERPETUAL", || TriggerAt::mark(59_000.0));
    for (order, expected) in [
        (AnyOrder::from(Order::limit(name, 10.0, 60_000.0)), json!({"type": "limit", "price": 60_000.0})),
        (Order::market(name, 10.0).into(), json!({"type": "market"})),
        (Order::market_limit(name, 10.0).into(), json!({"type": "market_limit"})),
        (
            Order::stop_limit(name, 10.0, 58_000.0, at()).into(),
            json!({"type": "stop_limit", "price": 58_000.0, "trigger": "mark_price", "trigger_price": 59_000.0}),
        ),
        (
            Order::stop_market(name, 10.0, TriggerAt::index(59_000.0)).into(),
            json!({"type": "stop_market", "trigger": "index_price", "trigger_price": 59_000.0}),
        ),
        (
            Order::take_limit(name, 10.0, 58_000.0, TriggerAt::last(59_000.0)).into(),
            json!({"type": "take_limit", "price": 58_000.0, "trigger": "last_price", "trigger_price": 59_000.0}),
        ),
        (
            Order::take_market(name, 10.0, at()).into(),
            json!({"type": "take_market", "trigger": "mark_price", "trigger_price": 59_000.0}),
        ),
        (
            Order::trailing_stop(name, 10.0, 250.0, Trigger::MarkPrice).into(),
            json!({"type": "trailing_stop", "trigger": "mark_price", "trigger_offset": 250.0}),
        ),
    ] {
        let mut expected = expected;
        expected["instrument_name"] = name.into();
        expected["amount"] = 10.0.into();
        assert_eq!(sent(order, &perpetual()), expected);
    }
}

#[test]
fn everything_that_an_order_can_be_told() {
    let order = Order::limit("BTC-PERPETUAL", Contracts(20_000.0), 60_000.0);
    let order =
        order.reject_post_only().reduce_only().mmp().display_amount(5_000.0).label("mm-1").valid_until(17);
    let expected = json!({
        "instrument_name": "BTC-PERPETUAL", "contracts": 20_000.0, "type": "limit", "price": 60_000.0,
        "post_only": true, "reject_post_only": true, "reduce_only": true, "mmp": true, "display_amount": 5_000.0,
        "label": "mm-1", "valid_until": 17,
    });
    assert_eq!(sent(order, &perpetual()), expected);

    let limit = || Order::limit("BTC-PERPETUAL", 10.0, 60_000.0);
    for (order, word) in [
        (AnyOrder::from(limit().good_til_day()), "good_til_day"),
        (limit().fill_or_kill().into(), "fill_or_kill"),
        (limit().immediate_or_cancel().into(), "immediate_or_cancel"),
    ] {
        assert_eq!(sent(order, &perpetual())["time_in_force"], word);
    }
    let request = AnyOrder::from(limit()).request(Side::Sell, &perpetual()).unwrap();
    assert_eq!(request.method, "private/sell");
}

#[test]
fn prices_of_options_in_other_units() {
    let order = |price| Order::limit("BTC-27JUN25-100000-C", 0.1, price);
    // No tick of the instrument's is meant.
    let volatility = sent(order(62.37).price_in_volatility().mmp(), &option());
    assert_eq!((&volatility["advanced"], &volatility["price"]), (&json!("implv"), &json!(62.37)));
    assert_eq!(sent(order(1234.56).price_in_usd(), &option())["advanced"], "usd");
    let linear = Instrument { instrument_type: Some("linear".into()), ..option() };
    assert_eq!(refused(order(1234.56).price_in_usd(), &linear), "advanced");
    assert_eq!(
        refused(Order::limit("BTC-PERPETUAL", 10.0, 50.0).price_in_volatility(), &perpetual()),
        "advanced"
    );
    assert_eq!(refused(order(-1.0).price_in_volatility(), &option()), "price");
}

#[test]
fn linked_orders() {
    let entry = || Order::limit("BTC-PERPETUAL", 100.0, 60_000.0).label("entry");
    let target = || Leg::sell(Order::limit("BTC-PERPETUAL", 100.0, 66_000.0).reduce_only().label("target"));
    let stop =
        || Leg::sell(Order::stop_market("BTC-PERPETUAL", 100.0, TriggerAt::mark(57_000.0)).reduce_only());
    let order = entry().one_triggers_one_cancels_other(target(), stop());
    let expected = json!({
        "instrument_name": "BTC-PERPETUAL", "amount": 100.0, "type": "limit", "price": 60_000.0, "label": "entry",
        "linked_order_type": "one_triggers_one_cancels_other", "trigger_fill_condition": "incremental",
        "otoco_config": [
            {"direction": "sell", "amount": 100.0, "type": "limit", "price": 66_000.0, "reduce_only": true,
                "label": "target"},
            {"direction": "sell", "amount": 100.0, "type": "stop_market", "trigger": "mark_price",
                "trigger_price": 57_000.0, "reduce_only": true},
        ],
    });
    assert_eq!(sent(order.fill_condition(FillCondition::Incremental), &perpetual()), expected);
    let other = sent(entry().one_triggers_other(stop()), &perpetual());
    assert_eq!(
        (&other["linked_order_type"], other["otoco_config"].as_array().unwrap().len()),
        (&json!("one_triggers_other"), 1)
    );
    assert_eq!(other.get("trigger_fill_condition"), None, "the venue's default");
    assert_eq!(
        sent(entry().one_cancels_other(target()), &perpetual())["linked_order_type"],
        "one_cancels_other"
    );

    // A leg is checked as any order.
    let wrong = Leg::buy(Order::limit("BTC-PERPETUAL", 100.0, 1.3));
    assert_eq!(refused(entry().one_triggers_other(wrong), &perpetual()), "price");
    let elsewhere = Leg::buy(Order::market("ETH-PERPETUAL", 100.0));
    assert_eq!(refused(entry().one_triggers_other(elsewhere), &perpetual()), "instrument_name");
}

#[test]
fn what_the_venue_would_refuse_does_not_leave() {
    let name = "BTC-PERPETUAL";
    let limit = |size: f64, price: f64| Order::limit(name, size, price);
    for price in [60_000.3, f64::NAN, f64::INFINITY] {
        assert_eq!(refused(limit(10.0, price), &perpetual()), "price", "{price}");
    }
    for amount in [0.0, 5.0, 15.0, -10.0, f64::NAN, f64::INFINITY] {
        assert_eq!(refused(limit(amount, 60_000.0), &perpetual()), "amount", "{amount}");
    }
    assert_eq!(refused(Order::market(name, Contracts(0.5)), &perpetual()), "contracts");
    assert_eq!(refused(limit(10.0, 60_000.0).label("x".repeat(65)), &perpetual()), "label");
    assert_eq!(refused(limit(10.0, 60_000.0).label(""), &perpetual()), "label");
    assert_eq!(refused(limit(10.0, 60_000.0), &option()), "instrument_name");
    let closed = Instrument { is_active: Some(false), ..perpetual() };
    assert_eq!(refused(limit(10.0, 60_000.0), &closed), "instrument_name");
    let stop = |price| Order::stop_market(name, 10.0, TriggerAt::mark(price));
    assert_eq!(refused(stop(59_000.1), &perpetual()), "trigger_price");
    for offset in [0.0, -1.0, f64::NAN] {
        let order = Order::trailing_stop(name, 10.0, offset, Trigger::LastPrice);
        assert_eq!(refused(order, &perpetual()), "trigger_offset", "{offset}");
    }
    for shown in [990.0, 1_005.0, f64::NAN] {
        assert_eq!(refused(limit(20_000.0, 60_000.0).display_amount(shown), &perpetual()), "display_amount");
    }
    assert_eq!(refused(limit(101_010.0, 60_000.0).display_amount(1_000.0), &perpetual()), "display_amount");
    sent(limit(100_990.0, 60_000.0).display_amount(1_000.0), &perpetual());
    let spot = instrument(&json!({"kind": "spot"}));
    assert_eq!(refused(Order::market(name, 10.0).reduce_only(), &spot), "reduce_only");
}

#[test]
fn what_arithmetic_leaves_behind_is_not_sent() {
    let order = sent(Order::limit("BTC-27JUN25-100000-C", 0.1 + 0.2, 0.0001 * 3.0), &option());
    assert_eq!((&order["amount"], &order["price"]), (&json!(0.3), &json!(0.0003)));
    // A larger tick of higher prices.
    assert_eq!(refused(Order::limit("BTC-27JUN25-100000-C", 0.1, 0.0102), &option()), "price");
    assert_eq!(sent(Order::limit("BTC-27JUN25-100000-C", 0.1, 0.0105), &option())["price"], 0.0105);
}

#[test]
fn labels() {
    let label = Label::new("ä".repeat(64)).unwrap();
    assert_eq!(label.as_str().chars().count(), 64, "characters, not bytes");
    let order = AnyOrder::from(Order::market("BTC-PERPETUAL", 10.0).label(label.clone()));
    assert_eq!(order.label(), Some(&label));
    let named = AnyOrder::from(Order::market("BTC-PERPETUAL", 10.0)).with_label(Label::new("a").unwrap());
    let named = named.with_valid_until(5);
    assert_eq!((named.label().map(Label::as_str), named.valid_until()), (Some("a"), Some(5)));
    assert_eq!(sent(named, &perpetual())["label"], "a");
}

#[test]
fn edits() {
    let edit = Edit::order("BTC-PERPETUAL", "ETH-1", 30.0).price(60_000.0 + 0.1 + 0.2 + 0.2).post_only(true);
    let edit = edit.trigger_offset(5.0).valid_until(9).request(&perpetual()).unwrap();
    assert_eq!(edit.method, "private/edit");
    let params: Value = serde_json::from_str(edit.params.as_deref().unwrap()).unwrap();
    let expected = json!({
        "order_id": "ETH-1", "amount": 30.0, "price": 60_000.5, "post_only": true, "trigger_offset": 5.0,
        "valid_until": 9,
    });
    assert_eq!(params, expected);

    let edit =
        Edit::label("BTC-PERPETUAL", "mine", Contracts(3.0)).trigger_price(61_000.0).reject_post_only();
    let edit = edit.reduce_only(false).mmp(true).request(&perpetual()).unwrap();
    assert_eq!(edit.method, "private/edit_by_label");
    let params: Value = serde_json::from_str(edit.params.as_deref().unwrap()).unwrap();
    let expected = json!({
        "label": "mine", "instrument_name": "BTC-PERPETUAL", "contracts": 3.0, "trigger_price": 61_000.0,
        "post_only": true, "reject_post_only": true, "reduce_only": false, "mmp": true,
    });
    assert_eq!(params, expected);

    let field = |edit: Result<Request, Error>| match edit {
        Err(Error::Config(error)) => error.field,
        other => panic!("{other:?}"),
    };
    let order = |amount| Edit::order("BTC-PERPETUAL", "1", amount);
    assert_eq!(field(order(5.0).request(&perpetual())), "amount");
    assert_eq!(field(order(10.0).price(0.3).request(&perpetual())), "price");
    assert_eq!(field(order(10.0).trigger_price(0.3).request(&perpetual())), "trigger_price");
    assert_eq!(field(order(10.0).price(50.0).price_in_volatility().request(&perpetual())), "advanced");
    assert_eq!(field(order(10.0).request(&option())), "instrument_name");
    let label = "x".repeat(65);
    assert_eq!(field(Edit::label("BTC-PERPETUAL", label, 10.0).request(&perpetual())), "label");
}

#[test]
fn an_edit_takes_over_what_the_venue_wants_again() {
    let order: Order = serde_json::from_value(json!({
        "order_id": "1", "instrument_name": "BTC-27JUN25-100000-C", "direction": "buy", "order_state": "open",
        "order_type": "limit", "amount": 0.5, "advanced": "implv", "implv": 60,
    }))
    .unwrap();
    let edit = Edit::of(&order).price(61.5).request(&option()).unwrap();
    let params: Value = serde_json::from_str(edit.params.as_deref().unwrap()).unwrap();
    let expected =
        json!({"order_id": "1", "amount": 0.5, "price": 61.5, "post_only": false, "advanced": "implv"});
    assert_eq!(params, expected);

    // What restricts an order is not lost by an edit of its price.
    let order: Order = serde_json::from_value(json!({
        "order_id": "1", "instrument_name": "BTC-27JUN25-100000-C", "direction": "buy", "order_state": "open",
        "order_type": "limit", "amount": 0.5, "post_only": true, "reject_post_only": true, "reduce_only": true,
        "mmp": true,
    }))
    .unwrap();
    let edit = Edit::of(&order).price(0.01).request(&option()).unwrap();
    let params: Value = serde_json::from_str(edit.params.as_deref().unwrap()).unwrap();
    for restriction in ["post_only", "reject_post_only", "reduce_only", "mmp"] {
        assert_eq!(params[restriction], json!(true), "{restriction}");
    }
}
