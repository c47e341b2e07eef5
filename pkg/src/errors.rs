//! Errors as plain objects, from which `ts/errors.ts` makes instances.

use steadysocket::error::{
    Advice, Category, ConfigError, ConnectError, Disconnect, Ended, Executed, Refusal, RpcError,
};
use steadysocket::platform::web::string_of;
use steadysocket::{Error, Payload};
use wasm_bindgen::prelude::*;

use crate::objects::{in_millis, object, set};

/// An error as an object.
pub fn error(error: &Error) -> JsValue {
    let made = describe(error, error.category(), error.advice());
    set(&made, "outcome", outcome(error));
    match error {
        Error::Config(error)
        | Error::Connect(Ended::Refused(Disconnect::Connect(ConnectError::Config(error)))) => {
            set(&made, "field", error.field);
        }
        Error::Rejected(rpc) | Error::Refused { reason: Refusal::Error(rpc), .. } => add_rpc(&made, rpc),
        _ => {}
    }
    made
}

fn outcome(error: &Error) -> &'static str {
    match (error, error.executed()) {
        (_, Executed::Unknown) => "unknown",
        (_, Executed::Yes) => "answered",
        (Error::Rejected(_), Executed::No) => "rejected",
        (Error::Refused { reason: Refusal::Error(_) | Refusal::NotConfirmed, .. }, Executed::No) => {
            "rejected"
        }
        (_, Executed::No) => "not-sent",
    }
}

/// A mistake in an option or argument.
pub fn config(problem: ConfigError) -> JsValue {
    error(&problem.into())
}

/// An error object of the server's.
pub fn rpc(error: &RpcError) -> JsValue {
    let made = describe(error, error.meaning.category, error.meaning.advice);
    set(&made, "outcome", "rejected");
    add_rpc(&made, error);
    made
}

/// Why a connection ended.
pub fn disconnect(reason: &Disconnect) -> JsValue {
    let made = object([("message", text(reason)), ("category", category(reason.category()).into())]);
    if let Disconnect::Closed(Some(frame)) = reason {
        set(&made, "code", frame.code.0);
        set(&made, "reason", frame.reason.as_str());
    }
    made
}

/// Why a client ended.
pub fn ended(reason: &Ended) -> JsValue {
    describe(reason, reason.category(), reason.advice())
}

/// A payload as the text that was received.
pub fn payload(payload: &Payload) -> JsValue {
    string_of(payload).into()
}

/// What an error says, as a JavaScript string.
pub fn text(error: &impl ToString) -> JsValue {
    error.to_string().into()
}

fn add_rpc(made: &JsValue, rpc: &RpcError) {
    set(made, "code", rpc.code as f64);
    set(made, "message", rpc.message.as_str());
    set(made, "data", rpc.data.as_deref());
}

fn describe(error: &impl ToString, of: Category, what_to_do: Advice) -> JsValue {
    let (advice, after) = match what_to_do {
        Advice::Retry(after) => ("retry", after),
        Advice::Reconcile => ("reconcile", None),
        Advice::Reauthenticate => ("reauthenticate", None),
        Advice::Change => ("change", None),
        Advice::Stop => ("stop", None),
    };
    object([
        ("message", text(error)),
        ("category", category(of).into()),
        ("advice", advice.into()),
        ("retryAfter", after.map(in_millis).into()),
    ])
}

fn category(category: Category) -> &'static str {
    match category {
        Category::Connection => "connection",
        Category::Protocol => "protocol",
        Category::Authentication => "authentication",
        Category::Application => "application",
    }
}
