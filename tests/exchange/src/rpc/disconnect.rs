//! `private/enable_cancel_on_disconnect` and its relatives.

use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::session::Session;
use crate::api::error::ApiError;
use crate::api::params;

type Params = Map<String, Value>;

/// Turns it on or off, for this connection or for all later ones.
pub(crate) fn set(
    session: &Session,
    identity: &Identity,
    params: &Params,
    enabled: bool,
) -> Result<Value, ApiError> {
    let scope = scope(params)?;
    let disconnects = &mut session.state.floor().engine.disconnects;
    match scope {
        "account" => disconnects.set_account(identity.account, enabled),
        _ => disconnects.set(session.handle.number(), identity.account, enabled),
    }
    Ok(json!("ok"))
}

/// Tells whether it is on.
pub(crate) fn get(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let scope = scope(params)?;
    let floor = session.state.floor();
    let enabled = match scope {
        "account" => floor.engine.disconnects.is_on_for_account(identity.account),
        _ => floor.engine.disconnects.is_on(session.handle.number(), identity.account),
    };
    Ok(json!({ "scope": scope, "enabled": enabled }))
}

fn scope(params: &Params) -> Result<&str, ApiError> {
    Ok(params::one_of(params, "scope", &["connection", "account"])?.unwrap_or("connection"))
}
