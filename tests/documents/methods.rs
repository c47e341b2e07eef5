//! The methods of the OpenAPI document.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use steadysocket::Payload;
use steadysocket::deribit::query::*;

use crate::{RoundTrip, differences, document, round_trip, schema};

fn entry<Q: Query>() -> (&'static str, RoundTrip)
where
    Q::Answer: Serialize,
{
    (Q::METHOD, |result| {
        let answer = Q::decode(&Payload::from(&*result.to_string())).map_err(|error| error.to_string())?;
        serde_json::to_value(answer).map_err(|error| error.to_string())
    })
}

macro_rules! entries {
    ($($query:ident)*) => { [$(entry::<$query>(),)*] };
}

/// Every typed method and what its result is decoded as.
fn typed() -> BTreeMap<&'static str, RoundTrip> {
    let queries = entries! {
        GetTime Status GetTicker GetOrderBook GetOrderBookByInstrumentId GetInstruments GetInstrument GetContractSize
        GetBookSummaryByCurrency GetBookSummaryByInstrument GetIndexPrice GetIndexPriceNames GetSupportedIndexNames
        GetCurrencies GetExpirations GetTradeVolumes GetAprHistory GetTradingviewChartData GetVolatilityIndexData
        GetHistoricalVolatility GetMarkPriceHistory GetFundingRateHistory GetFundingRateValue GetFundingChartData
        GetDeliveryPrices GetLastSettlementsByCurrency GetLastSettlementsByInstrument GetCombos GetComboIds
        GetComboDetails GetBlockRfqTrades GetAnnouncements
        GetLastTradesByInstrument GetLastTradesByInstrumentAndTime GetLastTradesByCurrency
        GetLastTradesByCurrencyAndTime GetUserTradesByInstrument GetUserTradesByInstrumentAndTime
        GetUserTradesByCurrency GetUserTradesByCurrencyAndTime GetUserTradesByOrder
        GetPositions GetPosition GetAccountSummary GetAccountSummaries GetOpenOrders GetOpenOrdersByInstrument
        GetOpenOrdersByCurrency GetOpenOrdersByLabel GetOrderState GetOrderStateByLabel GetOrderMarginByIds GetMargins
        GetSubaccounts GetSubaccountsDetails GetUserLocks GetAccessLog
        GetOrderHistoryByInstrument GetOrderHistoryByCurrency GetTriggerOrderHistory GetSettlementHistoryByCurrency
        GetSettlementHistoryByInstrument GetTransactionLog
        CancelAll CancelAllByInstrument CancelAllByCurrency CancelAllByCurrencyPair CancelAllByKindOrType
        CancelByLabel CancelQuotes
        GetMmpConfig GetMmpStatus SetMmpConfig ResetMmp MassQuote
    };
    let placing = ["buy", "sell", "edit", "edit_by_label", "close_position"];
    let placing =
        placing.map(|name| (name, round_trip::<steadysocket::deribit::data::OrderResponse> as RoundTrip));
    let mut all = BTreeMap::from(queries);
    all.insert("private/cancel", round_trip::<steadysocket::deribit::Order> as RoundTrip);
    for (name, round_trip) in placing {
        all.insert(format!("private/{name}").leak(), round_trip);
    }
    all
}

/// Methods that are left to [`Deribit::call`](steadysocket::deribit::Deribit::call), and those of the session.
fn is_untyped(method: &str) -> bool {
    const WORDS: [&str; 24] = [
        "api_key",
        "address",
        "withdraw",
        "transfer",
        "deposit",
        "block_trade",
        "block_rfq",
        "broker",
        "subaccount",
        "subscribe",
        "heartbeat",
        "cancel_on_disconnect",
        "token",
        "auth",
        "logout",
        "email",
        "affiliate",
        "custody",
        "announcement",
        "combo",
        "simulate",
        "jwt",
        "leg_prices",
        "reward",
    ];
    const NAMES: [&str; 9] = [
        "public/hello",
        "public/test",
        "private/change_margin_model",
        "private/set_self_trading_config",
        "private/set_disabled_trading_products",
        "private/move_positions",
        "private/set_clearance_originator",
        "private/get_block_trades",
        "private/get_pending_block_trades",
    ];
    NAMES.contains(&method) || WORDS.iter().any(|word| method.contains(word))
}

#[test]
fn no_method_is_forgotten_and_none_made_up() {
    let Some(document) = document("deribit_openapi.json") else { return };
    let typed = typed();
    let documented: BTreeSet<_> =
        document["paths"].as_object().unwrap().keys().map(|path| path.trim_start_matches('/')).collect();
    let forgotten: Vec<_> =
        documented.iter().filter(|method| !typed.contains_key(**method) && !is_untyped(method)).collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
    let made_up: Vec<_> = typed.keys().filter(|method| !documented.contains(*method)).collect();
    assert!(made_up.is_empty(), "{made_up:?}");
}

#[test]
fn every_example_decodes_and_nothing_of_it_is_lost() {
    let Some(document) = document("deribit_openapi.json") else { return };
    let (mut checked, mut failed) = (0, Vec::new());
    for (method, round_trip) in typed() {
        for result in schema::examples(&document, method) {
            checked += 1;
            match round_trip(&result) {
                Ok(written) => differences(&result, &written, method, &mut failed),
                Err(error) => failed.push(format!("{method}: {error}: {result}")),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(checked >= 70, "{checked} examples");
}

#[test]
fn every_member_that_a_schema_names_can_be_reached() {
    let Some(document) = document("deribit_openapi.json") else { return };
    let (mut checked, mut failed) = (0, Vec::new());
    for (method, round_trip) in typed() {
        let Some(result) = schema::instance_of_result(&document, method) else { continue };
        checked += 1;
        match round_trip(&result) {
            Ok(written) => differences(&result, &written, method, &mut failed),
            Err(error) => failed.push(format!("{method}: {error}: {result}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(checked >= 60, "{checked} schemas");
}

#[test]
fn every_parameter_of_a_typed_method_can_be_set() {
    let Some(document) = document("deribit_openapi.json") else { return };
    let sources: String = ["market", "trades", "account", "history", "trading", "quoting"]
        .map(|file| format!("{}/src/deribit/query/{file}.rs", env!("CARGO_MANIFEST_DIR")))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .concat();
    let mut missing = Vec::new();
    for method in typed().keys() {
        let name = method.split('/').next_back().unwrap();
        let Some((_, after)) = sources.split_once(&format!("\"{method}\" {name}(")) else { continue };
        let declaration = after.split("\n    \"p").next().unwrap();
        for parameter in schema::parameters(&document, method) {
            let forms = [format!("{parameter}: "), format!("\"{parameter}\": ")];
            let elsewhere = parameter == "detailed" && method.contains("/cancel");
            if !elsewhere && !forms.iter().any(|form| declaration.contains(form)) {
                missing.push(format!("{method}: {parameter}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// An answer that is a bare value.
#[test]
fn bare_results() {
    let all = typed();
    for (method, result) in [("private/cancel_all", "37"), ("private/cancel_by_label", "37.0")] {
        let result: Value = serde_json::from_str(result).unwrap();
        assert!(all[method](&result).is_ok(), "{method}");
    }
}
