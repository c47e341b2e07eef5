//! `public/auth` and what else hands out tokens.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::session::{Answer, Session};
use crate::accounts::account::Key;
use crate::accounts::grants::{Grant, Tokens, Wanted};
use crate::accounts::scope::{Asked, Reach, Scope};
use crate::accounts::{AccountId, Accounts, Profile, signature};
use crate::api::error::ApiError;
use crate::api::params;
use crate::connection::ending::Ending;

type Params = Map<String, Value>;

const GRANTS: [&str; 3] = ["client_credentials", "client_signature", "refresh_token"];

/// `public/auth`.
pub(crate) fn auth(session: &mut Session, params: &Params) -> Result<Value, ApiError> {
    params::string(params, "grant_type")?;
    let tokens = match params::one_of(params, "grant_type", &GRANTS)? {
        Some("refresh_token") => refresh(session, params)?,
        Some("client_signature") => login(session, params, check_signature)?,
        _ => login(session, params, check_secret)?,
    };
    log_in(session, &tokens);
    let mut result = describe(&tokens);
    if let Some(state) = params::optional_string(params, "state")? {
        result["state"] = json!(state);
    }
    Ok(result)
}

/// `public/exchange_token`: the same login for another account of the same owner.
pub(crate) fn exchange_token(session: &mut Session, params: &Params) -> Result<Value, ApiError> {
    let token = params::string(params, "refresh_token")?;
    let subject = AccountId(u64::try_from(params::integer(params, "subject_id")?).unwrap_or(0));
    let asked = Asked::parse(params::optional_string(params, "scope")?.unwrap_or(""))?;
    let mut accounts = session.state.accounts();
    let (_, grant) = accounts.grants.by_refresh(token, session.place()).ok_or_else(ApiError::unauthorized)?;
    let to = accounts.subject(grant, subject).ok_or_else(|| ApiError::forbidden("subject_id"))?;
    if asked.exceeds(&grant.scope.rights) {
        return Err(ApiError::scope_exceeded());
    }
    let scope = Scope::granted(&asked, &grant.scope.rights, grant.scope.main_account && to.parent.is_none());
    let wanted =
        Wanted { account: to.id, key: grant.key.clone(), lifetime: lifetime(session, &scope), scope };
    let tokens = accounts.grants.make(wanted, session.place()).ok_or_else(ApiError::unauthorized)?;
    drop(accounts);
    log_in(session, &tokens);
    Ok(describe(&tokens))
}

/// `public/fork_token`: a second session beside the first.
pub(crate) fn fork_token(session: &mut Session, params: &Params) -> Result<Value, ApiError> {
    let token = params::string(params, "refresh_token")?;
    let name = params::string(params, "session_name")?;
    if name.is_empty() {
        return Err(ApiError::invalid_param("session_name", "must not be empty"));
    }
    let mut accounts = session.state.accounts();
    let (_, grant) = accounts.grants.by_refresh(token, session.place()).ok_or_else(ApiError::unauthorized)?;
    if grant.scope.reach == Reach::Connection {
        return Err(ApiError::forbidden("session scope"));
    }
    let Grant { account, key, scope, lifetime, .. } = grant.clone();
    let scope = Scope { reach: Reach::Session(name.to_owned()), ..scope };
    let tokens = accounts.grants.make(Wanted { account, key, scope, lifetime }, session.place());
    tokens.map(|tokens| describe(&tokens)).ok_or_else(ApiError::unauthorized)
}

/// `private/logout`: no reply, and the connection ends.
pub(crate) fn logout(session: &mut Session, params: &Params) -> Result<Answer, ApiError> {
    let identity = session.identify(params)?;
    if params::optional_bool(params, "invalidate_token")?.unwrap_or(true) {
        session.state.accounts().grants.remove(identity.grant);
    }
    Ok(Answer { end: Some(Ending::logout()), ..Answer::later() })
}

/// From now on calls of this connection need no token.
fn log_in(session: &mut Session, tokens: &Tokens) {
    session.login = Some(tokens.grant);
    let entry =
        session.state.accounts().note_access(tokens.account, session.ip, session.state.clock.millis());
    session.state.floor().tell(tokens.account, "user.access_log", &entry);
    session.state.floor().engine.disconnects.log_in(session.handle.number(), tokens.account);
}

type Check = fn(&Session, &Params, &Key) -> Result<(), ApiError>;

fn login(session: &Session, params: &Params, check: Check) -> Result<Tokens, ApiError> {
    let asked = Asked::parse(params::optional_string(params, "scope")?.unwrap_or(""))?;
    let id = params::string(params, "client_id")?;
    let (profile, key) = find_key(&session.state.accounts(), id)?;
    check(session, params, &key)?;
    let scope = Scope::granted(&asked, &key.rights, profile.parent.is_none());
    let wanted = Wanted { account: profile.id, key: key.id, lifetime: lifetime(session, &scope), scope };
    let tokens = session.state.accounts().grants.make(wanted, session.place());
    tokens.ok_or_else(ApiError::unauthorized)
}

fn find_key(accounts: &Accounts, id: &str) -> Result<(Profile, Key), ApiError> {
    let found = accounts.key(id).map(|(profile, key)| (profile.clone(), key.clone()));
    found.ok_or_else(ApiError::invalid_credentials)
}

fn check_secret(_: &Session, params: &Params, key: &Key) -> Result<(), ApiError> {
    let secret = params::string(params, "client_secret")?;
    if secret == key.secret.0 { Ok(()) } else { Err(ApiError::invalid_credentials()) }
}

fn check_signature(session: &Session, params: &Params, key: &Key) -> Result<(), ApiError> {
    let timestamp = params::integer(params, "timestamp")?;
    let nonce = params::optional_string(params, "nonce")?.unwrap_or("");
    let data = params::optional_string(params, "data")?.unwrap_or("");
    let signature = params::string(params, "signature")?;
    let now = session.state.clock.millis();
    if (now - timestamp).abs() > signature::WINDOW_MS {
        return Err(ApiError::invalid_signature("timestamp_out_of_range"));
    }
    if !signature::verifies(&key.secret.0, timestamp, nonce, data, signature) {
        return Err(ApiError::invalid_signature("invalid_signature"));
    }
    // Without one there is nothing that could be used twice.
    if !nonce.is_empty() && !session.state.accounts().nonces.take(&key.id, nonce, timestamp, now) {
        return Err(ApiError::invalid_param("nonce", "already used"));
    }
    Ok(())
}

fn refresh(session: &Session, params: &Params) -> Result<Tokens, ApiError> {
    let token = params::string(params, "refresh_token")?;
    let mut accounts = session.state.accounts();
    let place = session.place();
    let (number, _) = accounts.grants.by_refresh(token, place).ok_or_else(ApiError::unauthorized)?;
    accounts.grants.refresh(number, place.now).ok_or_else(ApiError::unauthorized)
}

fn lifetime(session: &Session, scope: &Scope) -> Duration {
    let longest = session.state.settings.token_lifetime;
    scope.expires.map_or(longest, |seconds| longest.min(Duration::from_secs(seconds)))
}

fn describe(tokens: &Tokens) -> Value {
    json!({
        "access_token": tokens.access, "refresh_token": tokens.refresh, "token_type": "bearer",
        "expires_in": tokens.lifetime.as_secs(), "scope": tokens.scope, "enabled_features": [],
    })
}
