//! The methods of the venue, by name.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::envelope::Request;
use super::error::ApiError;
use super::session::{Answer, Session};
use super::{auth, data, params, private, subscriptions};

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
        "status" => Ok(json!({ "locked": "false", "locked_indices": [] }).into()),
        "set_heartbeat" => set_heartbeat(session, params, now).map(Into::into),
        "disable_heartbeat" => {
            session.heartbeat.disable();
            Ok(json!("ok").into())
        }
        "subscribe" => subscriptions::public_subscribe(session, params),
        "unsubscribe" => subscriptions::unsubscribe(session, params).map(Into::into),
        "unsubscribe_all" => Ok(subscriptions::unsubscribe_all(session).into()),
        "get_instruments" => data::instruments(session, params).map(Into::into),
        "get_instrument" => data::instrument(session, params).map(Into::into),
        "ticker" => data::ticker(session, params).map(Into::into),
        "get_order_book" => data::order_book(session, params).map(Into::into),
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
