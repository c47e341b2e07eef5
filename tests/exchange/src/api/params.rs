//! Reads the parameters of a call, and says which one is wrong.

use serde_json::{Map, Value};

use super::error::ApiError;

type Params = Map<String, Value>;

/// A string that must be there.
pub(crate) fn string<'a>(params: &'a Params, name: &str) -> Result<&'a str, ApiError> {
    optional_string(params, name)?.ok_or_else(|| missing(name))
}

/// A string that may be left out.
pub(crate) fn optional_string<'a>(params: &'a Params, name: &str) -> Result<Option<&'a str>, ApiError> {
    match params.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ApiError::invalid_param(name, "must be a string")),
    }
}

/// A boolean that may be left out.
pub(crate) fn optional_bool(params: &Params, name: &str) -> Result<Option<bool>, ApiError> {
    match params.get(name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(ApiError::invalid_param(name, "must be a boolean")),
    }
}

/// A number that must be there.
pub(crate) fn number(params: &Params, name: &str) -> Result<f64, ApiError> {
    let value = params.get(name).ok_or_else(|| missing(name))?;
    value.as_f64().ok_or_else(|| ApiError::invalid_param(name, "must be a number"))
}

/// An integer that may be left out.
pub(crate) fn optional_integer(params: &Params, name: &str) -> Result<Option<u64>, ApiError> {
    match params.get(name) {
        None => Ok(None),
        Some(value) => {
            value.as_u64().map(Some).ok_or_else(|| ApiError::invalid_param(name, "must be an integer"))
        }
    }
}

/// An integer that must be there.
pub(crate) fn integer(params: &Params, name: &str) -> Result<i64, ApiError> {
    let value = params.get(name).ok_or_else(|| missing(name))?;
    value.as_i64().ok_or_else(|| ApiError::invalid_param(name, "must be an integer"))
}

/// A list of strings that must be there.
pub(crate) fn strings<'a>(params: &'a Params, name: &str) -> Result<Vec<&'a str>, ApiError> {
    let Some(value) = params.get(name) else { return Err(missing(name)) };
    let items = value.as_array().ok_or_else(|| ApiError::invalid_param(name, "must be a list"))?;
    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
    texts.ok_or_else(|| ApiError::invalid_param(name, "must be a list of strings"))
}

/// One of a few words; `fallback` when it is left out.
pub(crate) fn one_of<'a>(
    params: &'a Params,
    name: &str,
    words: &[&str],
) -> Result<Option<&'a str>, ApiError> {
    match optional_string(params, name)? {
        Some(word) if !words.contains(&word) => Err(ApiError::invalid_param(name, "unsupported value")),
        word => Ok(word),
    }
}

/// A number that may be left out.
pub(crate) fn optional_number(params: &Params, name: &str) -> Result<Option<f64>, ApiError> {
    let number =
        |value: &Value| value.as_f64().ok_or_else(|| ApiError::invalid_param(name, "must be a number"));
    params.get(name).map(number).transpose()
}

pub(crate) fn missing(name: &str) -> ApiError {
    ApiError::invalid_param(name, "must be provided")
}
