//! The errors a call can end with: the venue's codes and words.

use std::borrow::Cow;
use std::fmt::Display;

use serde_json::{Value, json};

/// An error reply.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) code: i64,
    pub(crate) message: Cow<'static, str>,
    pub(crate) data: Option<Value>,
}

impl ApiError {
    const fn plain(code: i64, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message), data: None }
    }

    fn with(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    /// The text was not JSON.
    pub(crate) fn invalid_json() -> Self {
        Self::plain(11050, "bad_request").with(json!("invalid json"))
    }

    /// It was JSON, but no request.
    pub(crate) fn bad_request(why: &str) -> Self {
        Self::plain(11050, "bad_request").with(json!(why))
    }

    /// The frame was longer than 32 kB.
    pub(crate) const fn too_large() -> Self {
        Self::plain(-32600, "request entity too large")
    }

    pub(crate) const fn method_not_found() -> Self {
        Self::plain(-32601, "Method not found")
    }

    pub(crate) fn invalid_param(param: &str, reason: &str) -> Self {
        Self::plain(-32602, "Invalid params").with(json!({ "reason": reason, "param": param }))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::plain(13009, "unauthorized").with(json!({ "reason": "invalid_token" }))
    }

    /// A wrong id or secret.
    pub(crate) const fn invalid_credentials() -> Self {
        Self::plain(13004, "invalid_credentials")
    }

    /// A signed login that is too old, used before or wrongly signed.
    pub(crate) fn invalid_signature(reason: &str) -> Self {
        Self::plain(13009, "unauthorized").with(json!({ "reason": reason }))
    }

    /// The token is valid and its scope too small.
    pub(crate) fn forbidden(needed: &str) -> Self {
        Self::plain(13021, "forbidden").with(json!({ "reason": "insufficient scope", "required": needed }))
    }

    /// More is asked for than the token that asks may give.
    pub(crate) const fn scope_exceeded() -> Self {
        Self::plain(13403, "scope_exceeded")
    }

    pub(crate) const fn raw_needs_auth() -> Self {
        Self::plain(13778, "raw_subscriptions_not_available_for_unauthorized")
    }

    pub(crate) const fn too_many_requests() -> Self {
        Self::plain(10028, "too_many_requests")
    }

    pub(crate) const fn maintenance() -> Self {
        Self::plain(11051, "system_maintenance")
    }

    pub(crate) const fn subscribe_failed() -> Self {
        Self::plain(11052, "subscribe_error_unsubscribed")
    }

    pub(crate) const fn instrument_not_found() -> Self {
        Self::plain(13020, "not_found")
    }

    /// What `public/test` answers when it was asked to fail.
    pub(crate) const fn asked_for() -> Self {
        Self::plain(10001, "error")
    }

    /// What the matching engine says to an order, in the words of the venue's table.
    pub(crate) const fn order(code: i64, message: &'static str) -> Self {
        Self::plain(code, message)
    }

    /// Any code, in the venue's words.
    pub(crate) fn coded(code: i64) -> Self {
        Self::plain(code, super::codes::message(code))
    }

    /// The same with a value at the end of the message.
    pub(crate) fn order_with(code: i64, message: &str, value: impl Display) -> Self {
        Self { code, message: Cow::Owned(format!("{message} {value}")), data: None }
    }

    /// The error object of the reply.
    pub(crate) fn to_value(&self) -> Value {
        let mut object = json!({ "code": self.code, "message": self.message });
        if let (Some(data), Some(members)) = (&self.data, object.as_object_mut()) {
            members.insert("data".into(), data.clone());
        }
        object
    }
}
