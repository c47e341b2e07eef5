//! The envelope: what a request looks like coming in, and what replies and notifications look like going out.

use fastrand::Rng;
use serde_json::{Map, Value};

use crate::api::error::ApiError;
use crate::json;

/// The longest frame the venue accepts.
pub(crate) const MAX_REQUEST_BYTES: usize = 32 * 1024;

/// A request that has the shape of one.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) id: Option<Value>,
    pub(crate) method: String,
    pub(crate) params: Map<String, Value>,
}

/// A frame that is no request: what to answer, and under which id.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) id: Option<Value>,
    pub(crate) error: ApiError,
}

/// Reads one text frame.
pub(crate) fn read(text: &str) -> Result<Request, Refusal> {
    let anonymous = |error| Refusal { id: None, error };
    if text.len() > MAX_REQUEST_BYTES {
        return Err(anonymous(ApiError::too_large()));
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => read_object(members),
        Ok(Value::Array(_)) => Err(anonymous(ApiError::bad_request("batch requests are not supported"))),
        Ok(_) => Err(anonymous(ApiError::bad_request("invalid request"))),
        Err(_) => Err(anonymous(ApiError::invalid_json())),
    }
}

fn read_object(mut members: Map<String, Value>) -> Result<Request, Refusal> {
    let id = match members.remove("id") {
        Some(id @ (Value::Number(_) | Value::String(_))) => Some(id),
        None | Some(Value::Null) => None,
        Some(_) => return Err(Refusal { id: None, error: ApiError::bad_request("invalid id") }),
    };
    let Some(Value::String(method)) = members.remove("method") else {
        return Err(Refusal { id, error: ApiError::bad_request("method is missing") });
    };
    let params = match members.remove("params") {
        Some(Value::Object(params)) => params,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(Refusal { id, error: ApiError::invalid_param("params", "must be an object") }),
    };
    Ok(Request { id, method, params })
}

/// When a request came in and its answer went out, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) us_in: u64,
    pub(crate) us_out: u64,
}

/// The text of a reply. Without an id in the request there is none in the reply.
pub(crate) fn reply(
    id: Option<&Value>,
    outcome: &Result<Value, ApiError>,
    timing: Timing,
    testnet: bool,
    rng: &mut Rng,
) -> String {
    let mut fields = vec![
        ("jsonrpc", "\"2.0\"".to_owned()),
        ("usIn", timing.us_in.to_string()),
        ("usOut", timing.us_out.to_string()),
        ("usDiff", timing.us_out.saturating_sub(timing.us_in).to_string()),
        ("testnet", testnet.to_string()),
    ];
    fields.extend(id.map(|id| ("id", id.to_string())));
    fields.push(match outcome {
        Ok(result) => ("result", json::render(result, rng)),
        Err(error) => ("error", json::render(&error.to_value(), rng)),
    });
    json::object(fields, rng)
}

/// The text of a notification: `method` is `subscription` or `heartbeat`, `params` is JSON text.
pub(crate) fn notification(method: &str, params: String, rng: &mut Rng) -> String {
    let fields =
        vec![("jsonrpc", "\"2.0\"".to_owned()), ("method", format!("\"{method}\"")), ("params", params)];
    json::object(fields, rng)
}

/// The text of one update of a channel.
pub(crate) fn update(channel: &str, data: &Value, label: Option<&str>, rng: &mut Rng) -> String {
    let mut fields = vec![("channel", Value::from(channel).to_string()), ("data", json::render(data, rng))];
    fields.extend(label.map(|label| ("label", Value::from(label).to_string())));
    let params = json::object(fields, rng);
    notification("subscription", params, rng)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> Refusal {
        read(text).unwrap_err()
    }

    #[test]
    fn refuses_what_is_no_request() {
        assert_eq!(refusal("{").error, ApiError::invalid_json());
        assert_eq!(refusal("[]").error.code, 11050);
        assert_eq!(refusal("7").error.code, 11050);
        assert_eq!(refusal(r#"{"id":7}"#).id, Some(7.into()));
        let positional = refusal(r#"{"id":"a","method":"public/test","params":[1]}"#);
        assert_eq!((positional.id, positional.error.code), (Some("a".into()), -32602));
        assert_eq!(refusal(&"x".repeat(MAX_REQUEST_BYTES + 1)).error, ApiError::too_large());
    }

    #[test]
    fn a_reply_without_an_id_has_none() {
        let timing = Timing { us_in: 5, us_out: 9 };
        let text = reply(None, &Ok("ok".into()), timing, true, &mut Rng::with_seed(1));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value.get("id"), None);
        assert_eq!(value["usDiff"], 4);
    }
}
