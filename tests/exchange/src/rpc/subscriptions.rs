//! `subscribe`, `unsubscribe` and `unsubscribe_all`, with the venue's own idea of what they answer.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::params;
use super::session::{Answer, Session};
use crate::channels::is_public_raw;

/// Answers with the channels that exist, in no order. One raw channel spoils the whole call.
pub(crate) fn subscribe(session: &mut Session, params: &Map<String, Value>) -> Result<Answer, ApiError> {
    let asked = params::strings(params, "channels")?;
    if !session.state.settings.raw_for_all && asked.iter().any(|name| is_public_raw(name)) {
        return Err(ApiError::raw_needs_auth());
    }
    if session.mischief.fails_subscribe() {
        return Err(ApiError::subscribe_failed());
    }
    let mut granted = granted(session, &asked);
    let joins: Vec<String> =
        granted.iter().filter(|name| !session.channels.contains(*name)).cloned().collect();
    session.channels.extend(joins.iter().cloned());
    session.log_channels();
    session.rng.shuffle(&mut granted);
    Ok(Answer { result: json!(granted), joins, ..Answer::default() })
}

/// Answers with what was subscribed and no longer is.
pub(crate) fn unsubscribe(session: &mut Session, params: &Map<String, Value>) -> Result<Value, ApiError> {
    let asked = params::strings(params, "channels")?;
    let mut left: Vec<&str> = asked.into_iter().filter(|name| session.channels.remove(*name)).collect();
    leave(session, left.iter().copied());
    session.rng.shuffle(&mut left);
    Ok(json!(left))
}

/// Answers `ok`.
pub(crate) fn unsubscribe_all(session: &mut Session) -> Value {
    let all = std::mem::take(&mut session.channels);
    leave(session, all.iter().map(String::as_str));
    json!("ok")
}

fn granted(session: &Session, asked: &[&str]) -> Vec<String> {
    let floor = session.state.floor();
    let unique: BTreeSet<&str> = asked.iter().copied().collect();
    let granted = unique.into_iter().filter(|name| floor.exists(name) && !session.mischief.refuses(name));
    granted.map(str::to_owned).collect()
}

fn leave<'a>(session: &Session, names: impl Iterator<Item = &'a str>) {
    let mut floor = session.state.floor();
    names.for_each(|name| floor.leave(name, session.handle.number()));
    drop(floor);
    session.log_channels();
}
