use std::fmt;

use super::*;
use crate::payload::Payload;

fn decode<T: serde::de::DeserializeOwned>(text: &str) -> T {
    Payload::from(text).decode().unwrap()
}

#[test]
fn ticker_of_a_perpetual() {
    let ticker: Ticker = decode(
        r#"{"best_ask_amount":100,"best_ask_price":36443,"best_bid_amount":5e3,"best_bid_price":3.64425e4,
        "current_funding":0,"estimated_delivery_price":36441.64,"funding_8h":2.11e-05,"index_price":36441.64,
        "instrument_name":"BTC-PERPETUAL","interest_value":1.7362511643080387,"last_price":36457.5,
        "mark_price":36446.51,"max_price":36991.72,"min_price":35898.37,"open_interest":502097590,
        "settlement_price":36169.49,"state":"open","stats":{"high":36824.5,"low":35213.5,"price_change":0.7229,
        "volume":7871.02139035,"volume_usd":284061480},"timestamp":1623060194301,"new_member":[{}]}"#,
    );
    assert_eq!(ticker.best_bid(), Some(Level { price: 36442.5, amount: 5000.0 }));
    assert_eq!(ticker.best_ask(), Some(Level { price: 36443.0, amount: 100.0 }));
    assert_eq!(ticker.state, Some(InstrumentState::Open));
    assert_eq!(ticker.funding_8h, Some(2.11e-5));
    assert_eq!(ticker.stats.high, Some(36824.5));
    assert_eq!((ticker.timestamp, ticker.greeks), (1_623_060_194_301, None));
}

#[test]
fn ticker_of_an_option_without_trades() {
    let ticker: Ticker = decode(
        r#"{"timestamp":1.5e12,"instrument_name":"BTC-27DEC24-100000-C","state":"archivized","last_price":null,
        "best_bid_price":0.0,"best_bid_amount":0.0,"best_ask_price":null,"best_ask_amount":0,"mark_price":0.01,
        "stats":{"high":null,"low":null,"price_change":null,"volume":0.0,"volume_usd":0.0},
        "greeks":{"delta":0.5,"gamma":1e-5,"vega":1,"theta":-2,"rho":0.1},"mark_iv":51.2,"bid_iv":0,"ask_iv":0,
        "underlying_price":60000,"underlying_index":"SYN.BTC-27DEC24","interest_rate":0}"#,
    );
    assert_eq!((ticker.best_bid(), ticker.best_ask(), ticker.last_price), (None, None, None));
    assert_eq!(ticker.state, Some(InstrumentState::Archived));
    assert_eq!(ticker.greeks.unwrap().theta, Some(-2.0));
    assert_eq!(ticker.timestamp, 1_500_000_000_000);
}

#[test]
fn quotes_with_empty_sides() {
    let quote: Quote = decode(
        r#"{"best_ask_amount":50,"best_ask_price":-3.5,"best_bid_amount":0,"best_bid_price":null,
        "instrument_name":"BTC-FS-1DEC25_PERP","timestamp":1550658624149}"#,
    );
    assert_eq!(quote.best_bid(), None);
    assert_eq!(quote.best_ask(), Some(Level { price: -3.5, amount: 50.0 }));
}

#[test]
fn trades_of_every_kind() {
    let trades: Vec<Trade> = decode(
        r#"[{"trade_seq":30289442,"trade_id":"48079269","timestamp":1590484512188,"tick_direction":2,"price":8950,
        "mark_price":8948.9,"instrument_name":"BTC-PERPETUAL","index_price":8955.88,"direction":"sell","amount":10},
        {"trade_seq":1,"trade_id":"ETH-SLIS-12","timestamp":1590484512188,"tick_direction":7,"price":0.05,"iv":55.1,
        "instrument_name":"ETH-1JAN25-2000-C","direction":"short","amount":1.0,"contracts":1,"liquidation":"MT",
        "block_trade_id":"BLOCK-1","block_trade_leg_count":2,"block_rfq_id":17,"combo_id":"ETH-CS","combo_trade_id":"99",
        "legs":[{"trade_seq":2,"trade_id":"3","timestamp":1,"price":1,"instrument_name":"X","direction":"buy","amount":1,
        "combo_trade_id":98,"block_trade_id":null}]}]"#,
    );
    assert_eq!(trades[0].direction, Direction::Sell);
    assert_eq!(trades[0].tick_direction, Some(TickDirection::Minus));
    assert_eq!(trades[0].contracts, None);
    let block = &trades[1];
    assert_eq!(block.direction, Direction::Unknown("short".into()));
    assert_eq!(block.tick_direction, Some(TickDirection::Unknown("7".into())));
    assert_eq!(block.liquidation, Some(Liquidation::Both));
    assert_eq!((block.block_rfq_id, block.block_trade_leg_count), (Some(17), Some(2)));
    assert_eq!(block.combo_trade_id.as_deref(), Some("99"));
    assert_eq!(block.legs[0].combo_trade_id.as_deref(), Some("98"));
}

#[test]
fn a_book_as_captured() {
    let snapshot: BookMessage = decode(
        r#"{"type":"snapshot","timestamp":1790133840448,"change_id":193809616666,
        "instrument_name":"NVDA_USDC-PERPETUAL","bids":[["new",228.51,0.22]],"asks":[["new",2.2852e2,0.34]]}"#,
    );
    assert_eq!((snapshot.kind, snapshot.prev_change_id), (BookMessageKind::Snapshot, None));
    assert_eq!(snapshot.asks, [BookChange { action: BookAction::New, price: 228.52, amount: 0.34 }]);

    let change: BookMessage = decode(
        r#"{"type":"change","timestamp":1790133845258,"prev_change_id":193809644396,"change_id":193809650259.0,
        "instrument_name":"NVDA_USDC-PERPETUAL","bids":[["delete",228.5,0.0],["change",1,0],["melt",1,2]],"asks":[]}"#,
    );
    assert_eq!((change.prev_change_id, change.change_id), (Some(193_809_644_396), 193_809_650_259));
    let amounts: Vec<_> = change.bids.iter().map(BookChange::new_amount).collect();
    assert_eq!(amounts, [None, None, Some(2.0)]);
    assert_eq!(change.bids[2].action, BookAction::Unknown);

    let nulled = r#"{"type":"reset","timestamp":1,"prev_change_id":null,"change_id":1,"instrument_name":"X","bids":[],"asks":[]}"#;
    assert_eq!(decode::<BookMessage>(nulled).kind, BookMessageKind::Unknown("reset".into()));
}

#[test]
fn grouped_books_indices_and_states() {
    let book: GroupedBook = decode(
        r#"{"timestamp":1554375447971,"instrument_name":"ETH-PERPETUAL","change_id":109615,"bids":[[160,40]],
        "asks":[[161,20]]}"#,
    );
    assert_eq!(book.bids, [Level { price: 160.0, amount: 40.0 }]);
    let index: PriceIndex = decode(r#"{"index_name":"btc_usd","price":3937.89,"timestamp":1550588002899}"#);
    assert_eq!(index.price, 3937.89);
    let lock: PlatformState = decode(r#"{"price_index":"sol_usdc","locked":true,"reasons":[{}]}"#);
    assert_eq!((lock.locked, lock.maintenance), (Some(Locked::Yes), None));
    let partial: PlatformState = decode(r#"{"locked":"partial"}"#);
    assert_eq!(partial.locked, Some(Locked::Partially));
    assert_eq!(decode::<PlatformState>(r#"{"maintenance":true}"#).maintenance, Some(true));
}

#[test]
fn numbers_that_are_none_are_refused() {
    let quote = |timestamp: &str| {
        Payload::from(&*format!("{{\"instrument_name\":\"X\",\"timestamp\":{timestamp}}}")).decode::<Quote>()
    };
    for good in ["0", "1e3", "1054.0", "\"1550658624149\"", "9007199254740992"] {
        assert!(quote(good).is_ok(), "{good}");
    }
    for bad in ["-1", "1.5", "1e300", "\"x\"", "null", "[]", "true"] {
        assert!(quote(bad).is_err(), "{bad}");
    }
}

#[test]
fn orders_in_the_shapes_that_surprised_others() {
    let stop: Order = decode(
        r#"{"order_id":"ETH-SLIS-12","instrument_name":"ETH-PERPETUAL","direction":"sell","order_state":"untriggered",
        "order_type":"stop_market","price":"market_price","amount":5,"label":"","trigger":"index_price",
        "trigger_price":144.73,"triggered":false,"api":false,"creation_timestamp":1550575961291.0,"max_show":5}"#,
    );
    assert_eq!((stop.price, stop.limit_price()), (Some(Price::Market), None));
    assert_eq!((stop.filled_amount, stop.filled(), stop.label()), (None, 0.0, None));
    assert_eq!(stop.creation_timestamp, Some(1_550_575_961_291));

    let linked: Order = decode(
        r#"{"order_id":4008965646,"instrument_name":"X","direction":"buy","order_state":"melted","order_type":"pegged",
        "amount":"10","price":6e4,"oto_order_ids":["OTO-1"],"cancel_reason":"bored","post_only":"true","mmp":null}"#,
    );
    assert_eq!(
        (&*linked.order_id, linked.limit_price(), linked.amount),
        ("4008965646", Some(60_000.0), 10.0)
    );
    assert_eq!(linked.order_state, OrderState::Unknown("melted".into()));
    assert_eq!(linked.cancel_reason, Some(CancelReason::Unknown("bored".into())));
    assert_eq!((linked.post_only, linked.mmp, linked.is_live()), (true, false, false));

    let one: OneOrMany<Order> = decode(&serde_json::to_string(&stop).unwrap());
    let many: OneOrMany<Order> = decode(&serde_json::to_string(&[&stop, &linked]).unwrap());
    assert_eq!((one.len(), many.len(), &one[0], &many[0]), (1, 2, &stop, &stop));
}

#[test]
fn trades_of_the_account() {
    let trade: UserTrade = decode(
        r#"{"trade_seq":39,"trade_id":"1154","timestamp":1661867454334,"tick_direction":2,"state":"archive",
        "reduce_only":"false","profit_loss":null,"price":1191.82,"order_type":"liquidation","order_id":"720074",
        "matching_id":null,"liquidity":"M","legs":[{"trade_seq":179,"trade_id":"1156","timestamp":1661867454335,
        "price":20008.5,"order_id":"720078","instrument_name":"BTC-PERPETUAL","fee":-5e-08,"fee_currency":"BTC",
        "direction":"buy","combo_trade_id":1154,"amount":10}],"instrument_name":"BTC-FS-2SEP22_PERP","fee":0,
        "direction":"sell","amount":10,"quote_id":7}"#,
    );
    assert_eq!(
        (trade.state.unwrap(), trade.order_type.unwrap()),
        (OrderState::Archived, OrderType::Liquidation)
    );
    assert_eq!((trade.reduce_only, trade.profit_loss, trade.quote_id.as_deref()), (false, None, Some("7")));
    assert_eq!((trade.legs[0].fee, trade.legs[0].combo_trade_id.as_deref()), (Some(-5e-8), Some("1154")));
}

#[test]
fn lists_that_come_in_two_forms() {
    let order = r#"{"order_id":"1","instrument_name":"X","direction":"buy","order_state":"filled","order_type":"limit","amount":1}"#;
    let bare: OrderHistory = decode(&format!("[{order}]"));
    let page: OrderHistory = decode(&format!("{{\"orders\":[{order}],\"continuation\":\"x\"}}"));
    assert_eq!((bare.orders.len(), page.orders.len()), (1, 1));
    assert_eq!((bare.continuation, page.continuation.as_deref()), (None, Some("x")));
    let documented: CancelReport = decode(&format!("{{\"order\":{order}}}"));
    let older: CancelReport =
        decode(&format!("{{\"type\":\"limit\",\"currency\":\"BTC\",\"result\":[{order},{order}]}}"));
    assert_eq!((documented.orders().count(), older.orders().count()), (1, 2));
    let names: Vec<IndexName> =
        decode(r#"["btc_usd",{"name":"eth_usd","future_combo_creation_enabled":true}]"#);
    assert_eq!((&*names[0].name, &*names[1].name), ("btc_usd", "eth_usd"));
    let step: Instrument = decode(
        r#"{"instrument_name":"X","kind":"spot","base_currency":"BTC","tick_size":1,"min_trade_amount":1e-4,
        "contract_size":0.0001,"tick_size_steps":{"above_price":5,"tick_size":2}}"#,
    );
    assert_eq!((step.tick_size_steps.len(), step.contract_size), (1, 0.0001));
}

#[test]
fn rows() {
    let data: VolatilityIndexData = decode(
        r#"{"data":[[1598019300000,0.21,0.22,0.2,2.1e-1],[1598019360000.0,1,1,1,1,9]],"continuation":null}"#,
    );
    assert_eq!(
        (data.data[0].timestamp, data.data[0].close, data.continuation),
        (1_598_019_300_000, 0.21, None)
    );
    assert!(Payload::from("[[1]]").decode::<Vec<Sample>>().is_err(), "too short");
    let chart: ChartData =
        decode(r#"{"ticks":[1,2],"open":[1,2],"high":[1,2],"low":[1,2],"close":[1,2],"volume":[5]}"#);
    let bars: Vec<_> = chart.bars().collect();
    assert_eq!((bars.len(), bars[0].volume, bars[0].cost), (1, 5.0, None), "as many as every column has");
    let none: ChartData = decode(r#"{"status":"no_data","ticks":[],"open":null}"#);
    assert_eq!(none.bars().count(), 0);
}

/// Writes a value as JSON in a form of its own: members backwards, spaces, numbers with exponents or as text.
fn in_another_form(value: &serde_json::Value, numbers: u8, out: &mut String) {
    use serde_json::Value;
    match value {
        Value::Object(members) => {
            out.push_str("{ \n\"new_member\" : null ");
            for (name, value) in members.iter().rev() {
                out.push_str(&format!(",\t\"{name}\" :\r\n "));
                in_another_form(value, numbers, out);
            }
            out.push_str(" } ");
        }
        Value::Array(items) => {
            out.push_str(" [");
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { " , " } else { " " });
                in_another_form(item, numbers, out);
            }
            out.push(']');
        }
        Value::Number(number) => match (numbers, number.as_f64()) {
            (1, Some(float)) => out.push_str(&format!("{float:e}")),
            (2, _) => out.push_str(&format!("\"{number}\"")),
            (3, Some(float)) => out.push_str(&format!("{float:?}")),
            _ => out.push_str(&number.to_string()),
        },
        other => out.push_str(&other.to_string()),
    }
}

/// Holds a type to a payload: what is not required may be missing or null, and all of it may come in any form.
fn is_lenient<T>(payload: &str, required: &[&str])
where
    T: serde::de::DeserializeOwned + serde::Serialize + PartialEq + fmt::Debug,
{
    let value: serde_json::Value = serde_json::from_str(payload).unwrap();
    let expected: T = decode(payload);
    for numbers in 0..4 {
        let mut text = String::new();
        in_another_form(&value, numbers, &mut text);
        assert_eq!(Payload::from(&*text).decode::<T>().as_ref(), Ok(&expected), "{text}");
    }
    for name in value.as_object().unwrap().keys() {
        for nulled in [false, true] {
            let mut value = value.clone();
            let members = value.as_object_mut().unwrap();
            members.remove(name);
            if nulled {
                members.insert(name.clone(), serde_json::Value::Null);
            }
            let decoded = Payload::from(&*value.to_string()).decode::<T>();
            assert_eq!(decoded.is_ok(), !required.contains(&&**name), "{name}: {decoded:?}");
        }
    }
    let written = serde_json::to_string(&expected).unwrap();
    assert_eq!(decode::<T>(&written), expected);
    let mut doubled = payload.trim_end().to_owned();
    doubled.insert_str(1, "\"timestamp\":\"not at all\",\"timestamp\":1,");
    if let Ok(decoded) = Payload::from(&*doubled).decode::<T>() {
        assert_eq!(decoded, expected, "the last of two counts");
    }
}

#[test]
fn every_form_of_a_payload() {
    is_lenient::<Ticker>(
        r#"{"instrument_name":"X","timestamp":17,"state":"open","best_bid_price":1.5,"best_bid_amount":10,"mark_price":2e0,
        "stats":{"high":9,"volume":1e-8},"greeks":{"delta":0.5},"underlying_index":"SYN.X"}"#,
        &["instrument_name", "timestamp"],
    );
    is_lenient::<Trade>(
        r#"{"trade_id":"48079269","trade_seq":30289442,"timestamp":1590484512188,"tick_direction":2,"price":8950,
        "instrument_name":"X","direction":"sell","amount":10,"liquidation":"T","legs":[],"block_rfq_id":3}"#,
        &["trade_id", "trade_seq", "timestamp", "price", "instrument_name", "direction", "amount"],
    );
    is_lenient::<Order>(
        r#"{"order_id":"1","instrument_name":"X","direction":"buy","order_state":"open","order_type":"limit","amount":10,
        "price":5.5,"filled_amount":0,"label":"l","post_only":true,"creation_timestamp":5,"oto_order_ids":["a"]}"#,
        &["order_id", "instrument_name", "direction", "order_state", "order_type", "amount"],
    );
    is_lenient::<Position>(
        r#"{"instrument_name":"X","kind":"future","direction":"zero","size":0,"average_price":0,"leverage":35.6,
        "estimated_liquidation_price":1.74,"realized_funding":-1e-8}"#,
        &["instrument_name", "direction", "size"],
    );
    is_lenient::<AccountSummary>(
        r#"{"currency":"BTC","equity":1.5,"delta_total_map":{"btc_usd":31.5},"limits":{"limits_per_currency":false,
        "matching_engine":{"trading":{"total":{"burst":20,"rate":5}}}},"id":10,"self_trading_extended_to_subaccounts":true}"#,
        &["currency"],
    );
    is_lenient::<Instrument>(
        r#"{"instrument_name":"X","kind":"option","base_currency":"BTC","tick_size":0.0005,"min_trade_amount":0.1,
        "contract_size":1,"tick_size_steps":[{"above_price":1,"tick_size":2}],"strike":1e5,"is_active":true}"#,
        &["instrument_name", "kind", "base_currency", "tick_size", "min_trade_amount", "contract_size"],
    );
    is_lenient::<BookMessage>(
        r#"{"type":"change","timestamp":1,"prev_change_id":1,"change_id":2,"instrument_name":"X"}"#,
        &["type", "timestamp", "change_id", "instrument_name"],
    );
    is_lenient::<Bar>(
        r#"{"tick":1,"open":1,"high":2,"low":1,"close":1.5,"volume":3,"cost":4}"#,
        &["tick", "open", "high", "low", "close", "volume"],
    );
}

proptest::proptest! {
    /// Whatever is sent: an answer or an error, never a panic.
    #[test]
    fn hostile_values(text in "[\\[\\]{}\":,0-9a-z.eE+-]{0,60}") {
        let payload = Payload::from(&*text);
        let _ = (payload.decode::<Order>(), payload.decode::<OneOrMany<Trade>>(), payload.decode::<OrderHistory>());
        let object = Payload::from(&*format!(r#"{{"instrument_name":"X","timestamp":{text}}}"#));
        let _ = (object.decode::<Ticker>(), object.decode::<Vec<Sample>>());
    }
}
