//! Positions, money, and what else an account can ask about itself.

use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::session::Session;
use super::{orders, page};
use crate::accounts::{AccountId, Profile};
use crate::api::error::ApiError;
use crate::api::filters;
use crate::api::filters::CURRENCIES;
use crate::api::params;
use crate::engine::trader::LogEntry;

type Params = Map<String, Value>;

const KINDS: [&str; 5] = ["future", "option", "spot", "future_combo", "option_combo"];
const MOST_LOG_ENTRIES: usize = 250;

/// `private/get_position`.
pub(crate) fn position(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let name = orders::instrument(session, params)?;
    let floor = session.state.floor();
    let position = floor.engine.market.position(name);
    let object = position.and_then(|position| floor.engine.position(identity.account, position));
    object.ok_or_else(ApiError::instrument_not_found)
}

/// `private/get_positions`.
pub(crate) fn positions(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let mut currencies = CURRENCIES.to_vec();
    currencies.push("any");
    let currency = params::one_of(params, "currency", &currencies)?.unwrap_or("any");
    let kind = params::one_of(params, "kind", &KINDS)?;
    let account = subject(session, identity, params)?;
    Ok(list_positions(session, account, |pool, of| {
        (currency == "any" || currency == pool) && kind.is_none_or(|kind| kind == of)
    }))
}

fn list_positions(session: &Session, account: AccountId, fits: impl Fn(&str, &str) -> bool) -> Value {
    let floor = session.state.floor();
    let engine = &floor.engine;
    let held = engine.held(account).into_iter().filter(|position| {
        engine.market.at(*position).is_some_and(|quoted| fits(quoted.terms.pool, quoted.terms.kind()))
    });
    held.filter_map(|position| engine.position(account, position)).collect()
}

/// `private/get_account_summary`.
pub(crate) fn summary(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let currency = filters::currency(params)?;
    let extended = params::optional_bool(params, "extended")?.unwrap_or(false);
    let account = subject(session, identity, params)?;
    let mut summary = one_summary(session, account, currency);
    if extended {
        extend(session, account, &mut summary);
    }
    Ok(summary)
}

/// `private/get_account_summaries`.
pub(crate) fn summaries(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let extended = params::optional_bool(params, "extended")?.unwrap_or(false);
    let account = subject(session, identity, params)?;
    let summaries: Vec<Value> =
        CURRENCIES.into_iter().map(|currency| one_summary(session, account, currency)).collect();
    let mut object = json!({ "summaries": summaries });
    if extended {
        extend(session, account, &mut object);
    }
    Ok(object)
}

fn one_summary(session: &Session, account: AccountId, currency: &str) -> Value {
    let tier = session.state.accounts().profile(account).map(|profile| profile.tier).unwrap_or_default();
    let mut summary = session.state.floor().engine.portfolio(account, currency);
    summary["limits"] = session.state.credits().limits(tier);
    summary["fees"] = fees(currency);
    summary
}

fn fees(currency: &str) -> Value {
    let index = format!("{}_usd", currency.to_lowercase());
    let future = json!({ "default": { "type": "fixed", "taker": 0.0005, "maker": 0.0 }, "block_trade": 0.3 });
    let option =
        json!({ "default": { "type": "relative", "taker": 1.0, "maker": 1.0 }, "block_trade": 0.625 });
    json!([
        { "kind": "perpetual", "index_name": index, "value": future },
        { "kind": "future", "index_name": index, "value": future },
        { "kind": "option", "index_name": index, "value": option },
    ])
}

/// Who the account is.
fn extend(session: &Session, account: AccountId, object: &mut Value) {
    let accounts = session.state.accounts();
    let Some(profile) = accounts.profile(account) else { return };
    for (name, value) in [
        ("id", json!(profile.id.0)),
        ("type", json!(kind(profile))),
        ("username", json!(profile.name)),
        ("system_name", json!(profile.name)),
        ("email", json!(email(profile))),
        ("creation_timestamp", json!(session.state.clock.started_ms())),
        ("login_enabled", json!(false)),
        ("security_keys_enabled", json!(false)),
        ("mmp_enabled", json!(true)),
        ("interuser_transfers_enabled", json!(false)),
        ("referrer_id", Value::Null),
        ("self_trading_reject_mode", json!("reject_taker")),
        ("self_trading_extended_to_subaccounts", json!(false)),
        ("block_rfq_self_match_prevention", json!(true)),
    ] {
        object[name] = value;
    }
}

fn kind(profile: &Profile) -> &'static str {
    if profile.parent.is_some() { "subaccount" } else { "main" }
}

fn email(profile: &Profile) -> String {
    format!("{}@example.com", profile.name)
}

/// `private/get_subaccounts`.
pub(crate) fn subaccounts(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let with_portfolio = params::optional_bool(params, "with_portfolio")?.unwrap_or(false);
    let describe = |profile: &Profile| {
        let mut object = json!({
            "id": profile.id.0, "username": profile.name, "system_name": profile.name,
            "email": email(profile), "type": kind(profile), "is_password": false, "login_enabled": false,
            "receive_notifications": false, "security_keys_enabled": false, "security_keys_assignments": [],
            "margin_model": "segregated_sm", "disabled_trading_products": [],
        });
        if with_portfolio {
            object["portfolio"] = small_portfolio(session, profile.id);
        }
        object
    };
    Ok(family(session, identity).iter().map(describe).collect())
}

/// An account and its relatives: the main account sees all of them.
fn family(session: &Session, identity: &Identity) -> Vec<Profile> {
    let accounts = session.state.accounts();
    let Some(profile) = accounts.profile(identity.account) else { return Vec::new() };
    let main = profile.parent.unwrap_or(profile.id);
    let whole = profile.parent.is_none();
    let related = |other: &&Profile| {
        other.id == main || other.id == profile.id || (whole && other.parent == Some(main))
    };
    accounts.profiles().filter(related).cloned().collect()
}

fn small_portfolio(session: &Session, account: AccountId) -> Value {
    let floor = session.state.floor();
    let names = [
        "balance",
        "equity",
        "available_funds",
        "available_withdrawal_funds",
        "initial_margin",
        "maintenance_margin",
        "margin_balance",
        "spot_reserve",
        "additional_reserve",
    ];
    let one = |currency: &str| {
        let whole = floor.engine.portfolio(account, currency);
        let mut part: Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), whole[*name].clone())).collect();
        part.insert("currency".into(), json!(currency.to_lowercase()));
        (currency.to_lowercase(), Value::Object(part))
    };
    Value::Object(CURRENCIES.into_iter().map(one).collect())
}

/// `private/get_subaccounts_details`.
pub(crate) fn details(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let currency = filters::currency(params)?;
    let with_orders = params::optional_bool(params, "with_open_orders")?.unwrap_or(false);
    let describe = |profile: &Profile| {
        let positions = list_positions(session, profile.id, |pool, _| pool == currency);
        let mut object = json!({ "uid": profile.id.0, "positions": positions });
        if with_orders {
            let floor = session.state.floor();
            let live = floor.engine.orders.live(profile.id);
            let here = live.map(|order| floor.engine.describe(order));
            object["open_orders"] = here.collect();
        }
        object
    };
    Ok(family(session, identity).iter().map(describe).collect())
}

/// `private/get_access_log`.
pub(crate) fn accesses(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let count = page::count(params, 10, 1_000)?;
    let offset =
        usize::try_from(params::optional_integer(params, "offset")?.unwrap_or(0)).unwrap_or(usize::MAX);
    let accounts = session.state.accounts();
    let all: Vec<&Value> = accounts.accesses(identity.account).collect();
    let entry = |entry: &&Value| {
        let mut entry = (*entry).clone();
        entry["result"] = entry["log"].take();
        entry
    };
    let data: Vec<Value> = all.iter().skip(offset).take(count).map(entry).collect();
    Ok(json!({ "records_total": all.len(), "data": data }))
}

/// `private/get_user_locks`.
pub(crate) fn locks() -> Value {
    CURRENCIES.into_iter().map(|currency| json!({ "currency": currency, "locked": false })).collect()
}

/// `private/get_margins`.
pub(crate) fn margins(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let (amount, price) = (params::number(params, "amount")?, params::number(params, "price")?);
    let name = orders::instrument(session, params)?;
    let floor = session.state.floor();
    let quoted = floor.engine.market.instrument(name).ok_or_else(ApiError::instrument_not_found)?;
    let (buy, sell) = crate::engine::margins(quoted, amount, price);
    let (lowest, highest) = quoted.band();
    Ok(json!({ "buy": buy, "sell": sell, "min_price": lowest, "max_price": highest }))
}

/// `private/get_transaction_log`, newest first.
pub(crate) fn log(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let currency = filters::currency(params)?;
    let (from, to) = (time(params, "start_timestamp")?, time(params, "end_timestamp")?);
    let count = page::count(params, 100, MOST_LOG_ENTRIES)?;
    let before = params::optional_integer(params, "continuation")?.unwrap_or(u64::MAX);
    let query = params::optional_string(params, "query")?.unwrap_or("").to_owned();
    let account = subject(session, identity, params)?;
    let floor = session.state.floor();
    let Some(trader) = floor.engine.trader(account) else { return Ok(json!({ "logs": [] })) };
    let wanted = |entry: &&LogEntry| {
        entry.currency == currency
            && (from..=to).contains(&entry.ms)
            && entry.id < before
            && query.split_whitespace().all(|word| entry.speaks_of(word))
    };
    let mut found: Vec<&LogEntry> = trader.log.iter().rev().filter(wanted).take(count + 1).collect();
    let more = found.len() > count;
    found.truncate(count);
    let next = found.last().filter(|_| more).map(|entry| entry.id);
    let describe = |entry: &LogEntry| {
        let mut object = entry.object.clone();
        for (name, value) in [
            ("id", json!(entry.id)),
            ("user_seq", json!(entry.id)),
            ("user_id", json!(trader.id.0)),
            ("username", json!(trader.name)),
        ] {
            object[name] = value;
        }
        object
    };
    let logs: Vec<Value> = found.into_iter().map(describe).collect();
    Ok(json!({ "logs": logs, "continuation": next }))
}

/// A timestamp, which some clients send as text: the document's own example does.
fn time(params: &Params, name: &str) -> Result<i64, ApiError> {
    match params.get(name) {
        Some(Value::String(text)) => {
            text.parse().map_err(|_| ApiError::invalid_param(name, "must be an integer"))
        }
        _ => params::integer(params, name),
    }
}

/// The account that a call is about: the caller's, or a subaccount of it.
fn subject(session: &Session, identity: &Identity, params: &Params) -> Result<AccountId, ApiError> {
    let Some(id) = params::optional_integer(params, "subaccount_id")? else { return Ok(identity.account) };
    let wanted = AccountId(id);
    let relatives = family(session, identity);
    let found = relatives.iter().find(|profile| profile.id == wanted);
    found.map(|profile| profile.id).ok_or_else(|| ApiError::forbidden("subaccount_id"))
}
