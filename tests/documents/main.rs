//! What the venue's own documents say decodes, and every member that they name can be reached.
//!
//! The documents (OpenAPI and AsyncAPI 2.1.1) are not part of this repository. They are read from `../shared/deribit`
//! beside the checkout, or from the folder in `DERIBIT_DOCUMENTS`; without them these tests say that they did nothing.
//!
//! A value is decoded as its type and written as JSON again: what the document has, the text must have too, with the
//! same value. So a member that the type does not know is noticed.
#![cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says when it does nothing"
)]

mod channels;
mod methods;
mod schema;

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A document, or `None` where there are none.
fn document(name: &str) -> Option<Value> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/deribit"));
    let path = std::env::var_os("DERIBIT_DOCUMENTS").map_or_else(beside, PathBuf::from).join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            eprintln!("SKIPPED: nothing was checked against the documents: {}: {error}", path.display());
            None
        }
    }
}

/// Decodes a value, and writes what was decoded.
type RoundTrip = fn(&Value) -> Result<Value, String>;

fn round_trip<T: DeserializeOwned + Serialize>(value: &Value) -> Result<Value, String> {
    let decoded: T = serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())?;
    serde_json::to_value(decoded).map_err(|error| error.to_string())
}

/// Where `written` lacks something of `original`, or has another value for it.
fn differences(original: &Value, written: &Value, path: &str, found: &mut Vec<String>) {
    match (original, written) {
        (Value::Object(members), Value::Object(others)) => {
            for (name, value) in members {
                let path = format!("{path}.{name}");
                match others.get(name) {
                    Some(other) => differences(value, other, &path, found),
                    None if is_nothing(value) => {}
                    None => found.push(format!("{path} cannot be reached")),
                }
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (number, (item, other)) in items.iter().zip(others).enumerate() {
                differences(item, other, &format!("{path}[{number}]"), found);
            }
        }
        // One thing where the type has a list.
        (Value::Object(_), Value::Array(others)) if others.len() == 1 => {
            differences(original, &others[0], path, found);
        }
        // A closed order history and an index may come as something simpler than their types.
        (Value::Array(_), Value::Object(others)) if others.contains_key("orders") => {
            differences(original, &others["orders"], path, found);
        }
        (Value::String(_), Value::Object(others)) if others.contains_key("name") => {
            differences(original, &others["name"], path, found);
        }
        _ if is_nothing(original) && is_nothing(written) => {}
        _ if same(original, written) => {}
        _ => found.push(format!("{path} is {original}, and {written} was written")),
    }
}

/// Whether a value is as good as absent.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Numbers are the same in any form, also as text; flags are the same as their words.
fn same(one: &Value, other: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_f64(),
    };
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    one == other || number(one).is_some_and(|n| Some(n) == number(other)) || word(one) == word(other)
}
