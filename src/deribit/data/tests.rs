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
