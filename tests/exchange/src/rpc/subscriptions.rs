//! `subscribe`, `unsubscribe` and `unsubscribe_all`, with the venue's own idea of what they answer.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::session::{Answer, Session};
use crate::accounts::AccountId;
use crate::accounts::scope::Right;
use crate::api::error::ApiError;
use crate::api::params;
use crate::channels::{Ticket, area, is_private, is_public_raw};

const LONGEST_LABEL: usize = 16;

/// `public/subscribe`. One raw channel of someone who is not logged in spoils the whole call.
pub(crate) fn public_subscribe(
    session: &mut Session,
    params: &Map<String, Value>,
) -> Result<Answer, ApiError> {
    let asked = params::strings(params, "channels")?;
    let free = session.state.settings.raw_for_all || session.identify(params).is_ok();
    if !free && asked.iter().any(|name| is_public_raw(name)) {
        return Err(ApiError::raw_needs_auth());
    }
    subscribe(session, &asked, None, None)
}

/// `private/subscribe`: private channels, and public ones as well.
pub(crate) fn private_subscribe(
    session: &mut Session,
    params: &Map<String, Value>,
    identity: &Identity,
) -> Result<Answer, ApiError> {
    let asked = params::strings(params, "channels")?;
    let label = params::optional_string(params, "label")?;
    if label.is_some_and(|label| label.chars().count() > LONGEST_LABEL) {
        return Err(ApiError::invalid_param("label", "must be at most 16 characters long"));
    }
    for name in asked.iter().filter(|name| is_private(name)) {
        identity.needs(area(name), Right::Read)?;
    }
    subscribe(session, &asked, Some(identity.account), label)
}

/// Answers with the channels that exist, in no order.
fn subscribe(
    session: &mut Session,
    asked: &[&str],
    account: Option<AccountId>,
    label: Option<&str>,
) -> Result<Answer, ApiError> {
    if session.mischief.fails_subscribe() {
        return Err(ApiError::subscribe_failed());
    }
    let mut granted = granted(session, asked, account);
    let mut joins = Vec::new();
    for name in granted.iter().filter(|name| !session.channels.contains_key(*name)) {
        let owner = account.filter(|_| is_private(name));
        let label = label.filter(|_| owner.is_some()).map(str::to_owned);
        joins.push(Ticket { name: name.clone(), owner, label });
    }
    session.channels.extend(joins.iter().map(|ticket| (ticket.name.clone(), ticket.owner)));
    session.log_channels();
    session.rng.shuffle(&mut granted);
    Ok(Answer { result: json!(granted), joins, ..Answer::default() })
}

/// Answers with what was subscribed and no longer is.
pub(crate) fn unsubscribe(session: &mut Session, params: &Map<String, Value>) -> Result<Value, ApiError> {
    let asked = params::strings(params, "channels")?;
    let mut left = Vec::new();
    for name in asked {
        if let Some((name, owner)) = session.channels.remove_entry(name) {
            session.state.floor().leave(&name, owner, session.handle.number());
            left.push(name);
        }
    }
    session.log_channels();
    session.rng.shuffle(&mut left);
    Ok(json!(left))
}

/// Answers `ok`.
pub(crate) fn unsubscribe_all(session: &mut Session) -> Value {
    let all = std::mem::take(&mut session.channels);
    let number = session.handle.number();
    let mut floor = session.state.floor();
    all.iter().for_each(|(name, owner)| floor.leave(name, *owner, number));
    drop(floor);
    session.log_channels();
    json!("ok")
}

fn granted(session: &Session, asked: &[&str], account: Option<AccountId>) -> Vec<String> {
    let floor = session.state.floor();
    let unique: BTreeSet<&str> = asked.iter().copied().collect();
    let reachable = |name: &&str| account.is_some() || !is_private(name);
    let granted = unique
        .into_iter()
        .filter(|name| reachable(name) && floor.exists(name) && !session.mischief.refuses(name));
    granted.map(str::to_owned).collect()
}
