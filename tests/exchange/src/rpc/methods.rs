//! The methods of the venue, by name.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::envelope::Request;
use super::session::{Answer, Session};
use super::{auth, data, history, private, reference, subscriptions};
use crate::api::error::ApiError;
use crate::api::params;

const VERSION: &str = "1.2.26";
const SHORTEST_HEARTBEAT: f64 = 10.0;

/// Answers one call.
pub(crate) fn call(
    session: &mut Session,
    request: &Request,
    us_in: u64,
    now: Instant,
) -> Result<Answer, ApiError> {
    match request.method.split_once('/') {
        Some(("public", name)) => public(session, name, &request.params, now),
        Some(("private", name)) => private::call(session, name, request, us_in),
        _ => Err(ApiError::method_not_found()),
    }
}

fn public(session: &mut Session, name: &str, params: &Params, now: Instant) -> Result<Answer, ApiError> {
    match name {
        "auth" => auth::auth(session, params).map(Into::into),
        "exchange_token" => auth::exchange_token(session, params).map(Into::into),
        "fork_token" => auth::fork_token(session, params).map(Into::into),
        "hello" => hello(params).map(Into::into),
        "test" => test(session, params).map(Into::into),
        "get_time" => Ok(json!(session.state.clock.millis()).into()),
        "status" => Ok(reference::status(session).into()),
        "set_heartbeat" => set_heartbeat(session, params, now).map(Into::into),
        "disable_heartbeat" => {
            session.heartbeat.disable();
            Ok(json!("ok").into())
        }
        "subscribe" => subscriptions::public_subscribe(session, params),
        "unsubscribe" => subscriptions::unsubscribe(session, params).map(Into::into),
        "unsubscribe_all" => Ok(subscriptions::unsubscribe_all(session).into()),
        name => market_data(session, name, params).map(Into::into),
    }
}

fn market_data(session: &Session, name: &str, params: &Params) -> Result<Value, ApiError> {
    match name {
        "get_instruments" => data::instruments(session, params),
        "get_instrument" => data::instrument(session, params),
        "ticker" => data::ticker(session, params),
        "get_order_book" => data::order_book(session, params),
        "get_order_book_by_instrument_id" => data::order_book_by_id(session, params),
        "get_book_summary_by_currency" => reference::summary_by_currency(session, params),
        "get_book_summary_by_instrument" => reference::summary_by_instrument(session, params),
        "get_index_price" => reference::index_price(session, params),
        "get_index_price_names" => reference::index_price_names(session, params),
        "get_supported_index_names" => reference::supported_index_names(session, params),
        "get_currencies" => Ok(reference::currencies()),
        "get_expirations" => reference::expirations(session, params),
        "get_contract_size" => reference::contract_size(session, params),
        "get_announcements" => reference::announcements(session, params),
        "get_last_trades_by_instrument" => history::trades_by_instrument(session, params),
        "get_last_trades_by_currency" => history::trades_by_currency(session, params),
        "get_last_trades_by_instrument_and_time" => {
            history::with_time(session, params, history::trades_by_instrument)
        }
        "get_last_trades_by_currency_and_time" => {
            history::with_time(session, params, history::trades_by_currency)
        }
        "get_tradingview_chart_data" => history::chart_data(session, params),
        "get_volatility_index_data" => history::volatility_data(session, params),
        "get_historical_volatility" => history::volatility(session, params),
        "get_mark_price_history" => history::marks(session, params),
        "get_funding_rate_history" => history::funding_history(session, params),
        "get_funding_rate_value" => history::funding_value(session, params),
        "get_funding_chart_data" => history::funding_chart(session, params),
        "get_delivery_prices" => history::delivery_prices(session, params),
        "get_trade_volumes" => history::volumes(session, params),
        "get_last_settlements_by_currency" | "get_last_settlements_by_instrument" => {
            Ok(json!({ "settlements": [], "continuation": null }))
        }
        "get_combos" | "get_combo_ids" => Ok(json!([])),
        "get_combo_details" => reference::combo_details(params),
        "get_block_rfq_trades" => Ok(json!({ "block_rfqs": [], "continuation": null })),
        _ => Err(ApiError::method_not_found()),
    }
}

type Params = serde_json::Map<String, Value>;

fn hello(params: &Params) -> Result<Value, ApiError> {
    params::string(params, "client_name")?;
    params::string(params, "client_version")?;
    Ok(json!({ "version": VERSION }))
}

fn test(session: &mut Session, params: &Params) -> Result<Value, ApiError> {
    session.heartbeat.answered();
    match params::one_of(params, "expected_result", &["exception"])? {
        Some(_) => Err(ApiError::asked_for()),
        None => Ok(json!({ "version": VERSION })),
    }
}

fn set_heartbeat(session: &mut Session, params: &Params, now: Instant) -> Result<Value, ApiError> {
    let interval = params::number(params, "interval")?;
    if !interval.is_finite() || !(SHORTEST_HEARTBEAT..=86_400.0).contains(&interval) {
        return Err(ApiError::invalid_param("interval", "must be at least 10"));
    }
    session.heartbeat.set(interval, now);
    Ok(json!("ok"))
}
