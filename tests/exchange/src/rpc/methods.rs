//! The methods of the venue, by name.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::envelope::Request;
use super::error::ApiError;
use super::session::{Answer, Session};
use super::{data, params, subscriptions};

const VERSION: &str = "1.2.26";
const SHORTEST_HEARTBEAT: f64 = 10.0;

/// Answers one call.
pub(crate) fn call(session: &mut Session, request: &Request, now: Instant) -> Result<Answer, ApiError> {
    let params = &request.params;
    match request.method.as_str() {
        "public/hello" => hello(params).map(Into::into),
        "public/test" => test(session, params).map(Into::into),
        "public/get_time" => Ok(json!(session.state.clock.millis()).into()),
        "public/status" => Ok(json!({ "locked": "false", "locked_indices": [] }).into()),
        "public/set_heartbeat" => set_heartbeat(session, params, now).map(Into::into),
        "public/disable_heartbeat" => {
            session.heartbeat.disable();
            Ok(json!("ok").into())
        }
        "public/subscribe" => subscriptions::subscribe(session, params),
        "public/unsubscribe" => subscriptions::unsubscribe(session, params).map(Into::into),
        "public/unsubscribe_all" => Ok(subscriptions::unsubscribe_all(session).into()),
        "public/get_instruments" => data::instruments(session, params).map(Into::into),
        "public/get_instrument" => data::instrument(session, params).map(Into::into),
        "public/ticker" => data::ticker(session, params).map(Into::into),
        "public/get_order_book" => data::order_book(session, params).map(Into::into),
        // Whether it exists or not: without authentication there is nothing private.
        method if method.starts_with("private/") => Err(ApiError::unauthorized()),
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
