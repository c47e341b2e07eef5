//! What there is: currencies, indices, expirations, summaries.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::data::with_instrument;
use super::page;
use super::session::Session;
use crate::api::error::ApiError;
use crate::api::filters;
use crate::api::params;
use crate::market::instrument::Instrument;
use crate::market::quoted::{Quoted, Status};

type Params = Map<String, Value>;

const KINDS: [&str; 5] = ["future", "option", "spot", "future_combo", "option_combo"];

/// `public/get_book_summary_by_currency`.
pub(crate) fn summary_by_currency(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let currency = filters::currency(params)?;
    let kind = params::one_of(params, "kind", &KINDS)?;
    let floor = session.state.floor();
    let wanted = listed(floor.engine.market.instruments()).filter(|quoted| {
        quoted.terms.pool == currency && kind.is_none_or(|kind| quoted.terms.kind() == kind)
    });
    Ok(wanted.map(Quoted::summary).collect())
}

/// `public/get_book_summary_by_instrument`.
pub(crate) fn summary_by_instrument(session: &Session, params: &Params) -> Result<Value, ApiError> {
    with_instrument(session, params, |quoted| json!([quoted.summary()]))
}

/// `public/get_index_price`.
pub(crate) fn index_price(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let name = params::string(params, "index_name")?;
    let price = session.state.floor().engine.market.index(name);
    let price = price.ok_or_else(|| ApiError::invalid_param("index_name", "unsupported value"))?;
    Ok(json!({ "index_price": price, "estimated_delivery_price": price }))
}

/// `public/get_index_price_names`.
pub(crate) fn index_price_names(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let extended = params::optional_bool(params, "extended")?.unwrap_or(false);
    let floor = session.state.floor();
    let names = floor.engine.market.index_names();
    let describe = |name: &str| match extended {
        true => json!({
            "name": name, "future_combo_creation_enabled": false, "option_combo_creation_enabled": false,
        }),
        false => json!(name),
    };
    Ok(names.map(describe).collect())
}

/// `public/get_supported_index_names`.
pub(crate) fn supported_index_names(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let kind = params::one_of(params, "type", &["all", "spot", "derivative"])?;
    let floor = session.state.floor();
    let names: Vec<&str> = floor.engine.market.index_names().filter(|_| kind != Some("spot")).collect();
    Ok(json!(names))
}

/// `public/get_currencies`.
pub(crate) fn currencies() -> Value {
    let rows = [
        ("BTC", "Bitcoin", "BITCOIN", 8, 0.0001),
        ("ETH", "Ethereum", "ETHER", 6, 0.0006),
        ("USDC", "USD Coin", "ETHER", 4, 5.0),
        ("USDT", "Tether", "ETHER", 4, 5.0),
        ("EURR", "StablR Euro", "ETHER", 4, 5.0),
    ];
    let row = |(currency, long, coin_type, decimals, fee): (&str, &str, &str, u8, f64)| {
        json!({
            "currency": currency, "currency_long": long, "coin_type": coin_type, "decimals": decimals,
            "min_confirmations": 1, "min_withdrawal_fee": fee, "withdrawal_fee": fee, "network_fee": fee,
            "network_currency": if coin_type == "ETHER" { "ETH" } else { "BTC" },
            "in_cross_collateral_pool": false, "withdrawal_priorities": [],
        })
    };
    rows.into_iter().map(row).collect()
}

/// `public/get_expirations`.
pub(crate) fn expirations(session: &Session, params: &Params) -> Result<Value, ApiError> {
    params::string(params, "currency")?;
    params::string(params, "kind")?;
    let words = ["BTC", "ETH", "USDC", "USDT", "any", "grouped"];
    let currency = params::one_of(params, "currency", &words)?.unwrap_or("any");
    let kind = params::one_of(params, "kind", &["future", "option", "any"])?.unwrap_or("any");
    let pair = params::optional_string(params, "currency_pair")?;
    let floor = session.state.floor();
    let fitting = listed(floor.engine.market.instruments()).map(|quoted| &quoted.terms).filter(|terms| {
        let of_currency = matches!(currency, "any" | "grouped") || terms.pool == currency;
        of_currency && (kind == "any" || terms.kind() == kind) && pair.is_none_or(|pair| terms.index == pair)
    });
    if currency != "grouped" {
        return Ok(by_kind(fitting));
    }
    let mut groups = BTreeMap::<String, Vec<&Instrument>>::new();
    for terms in fitting {
        groups.entry(terms.pool.to_lowercase()).or_default().push(terms);
    }
    let groups = groups.into_iter().map(|(name, terms)| (name, by_kind(terms.into_iter())));
    Ok(Value::Object(groups.collect()))
}

/// The codes of the dates, by kind, in order of time.
fn by_kind<'a>(terms: impl Iterator<Item = &'a Instrument>) -> Value {
    let mut kinds = BTreeMap::<&str, BTreeMap<i64, String>>::new();
    for terms in terms {
        let code = terms.name.split('-').nth(1).unwrap_or("").to_owned();
        kinds.entry(terms.kind()).or_default().insert(terms.expires_ms, code);
    }
    let list = |dates: BTreeMap<i64, String>| json!(dates.into_values().collect::<Vec<_>>());
    Value::Object(kinds.into_iter().map(|(kind, dates)| (kind.to_owned(), list(dates))).collect())
}

/// `public/get_contract_size`.
pub(crate) fn contract_size(session: &Session, params: &Params) -> Result<Value, ApiError> {
    with_instrument(session, params, |quoted| json!({ "contract_size": quoted.terms.contract_size }))
}

/// `public/get_announcements`, newest first.
pub(crate) fn announcements(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let count = page::count(params, 5, 50)?;
    let before = match params.contains_key("start_timestamp") {
        true => params::integer(params, "start_timestamp")?,
        false => i64::MAX,
    };
    let floor = session.state.floor();
    let told = floor.announcements.iter().rev();
    let wanted = told.filter(|told| told["publication_timestamp"].as_i64().is_some_and(|ms| ms <= before));
    Ok(wanted.take(count).cloned().collect())
}

/// `public/status`.
pub(crate) fn status(session: &Session) -> Value {
    let floor = session.state.floor();
    let locked: Vec<&str> = floor.engine.locked.iter().map(String::as_str).collect();
    let word = match locked.len() {
        0 => "false",
        all if all == floor.engine.market.index_names().count() => "true",
        _ => "partial",
    };
    json!({ "locked": word, "locked_indices": locked })
}

/// `public/get_combo_details`: there are none.
pub(crate) fn combo_details(params: &Params) -> Result<Value, ApiError> {
    params::string(params, "combo_id")?;
    Err(ApiError::instrument_not_found())
}

fn listed(all: &[Quoted]) -> impl Iterator<Item = &Quoted> {
    all.iter().filter(|quoted| quoted.status != Status::Closed)
}
