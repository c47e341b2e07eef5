//! What became of orders.

use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::page;
use super::session::Session;
use crate::api::error::ApiError;
use crate::api::filters::{currency, of_kind};
use crate::api::params;
use crate::engine::Engine;
use crate::engine::kinds::{Kind, State};
use crate::engine::order::Order;
use crate::market::instrument::Instrument;

type Params = Map<String, Value>;

const TYPES: [&str; 11] = [
    "all",
    "limit",
    "trigger_all",
    "stop_all",
    "stop_limit",
    "stop_market",
    "take_all",
    "take_limit",
    "take_market",
    "trailing_all",
    "trailing_stop",
];
const MOST: usize = 1_000;
const OLD_MS: i64 = 2 * 86_400_000;

/// `private/get_open_orders` and its relatives.
pub(crate) fn open(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let (of_kind, of_type) = (of_kind(params)?, of_type(params)?);
    list(session, identity, |order, terms| of_kind(terms) && of_type(order))
}

pub(crate) fn open_by_instrument(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let name = instrument(session, params)?;
    let of_type = of_type(params)?;
    list(session, identity, |order, terms| terms.name == name && of_type(order))
}

pub(crate) fn open_by_currency(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let currency = currency(params)?;
    let (of_kind, of_type) = (of_kind(params)?, of_type(params)?);
    list(session, identity, |order, terms| terms.pool == currency && of_kind(terms) && of_type(order))
}

pub(crate) fn open_by_label(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let currency = currency(params)?;
    let label = params::optional_string(params, "label")?.unwrap_or("");
    list(session, identity, |order, terms| terms.pool == currency && order.ticket.label == label)
}

/// `private/get_order_state`.
pub(crate) fn state(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let name = params::string(params, "order_id")?;
    let floor = session.state.floor();
    let order = floor.engine.own_order(identity.account, name)?;
    if is_forgotten(session, order) {
        return Err(crate::engine::reject::ORDER_NOT_FOUND);
    }
    let mut object = floor.engine.describe(order);
    if let (Some(_), Some(quoted)) = (&order.quote, floor.engine.market.at(order.ticket.instrument)) {
        // Of a quote it is what remains.
        object["amount"] = json!(quoted.terms.amount.value(order.left()));
    }
    Ok(object)
}

/// `private/get_order_state_by_label`: newest first; empty when there is none.
pub(crate) fn state_by_label(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let currency = currency(params)?;
    let label = params::string(params, "label")?;
    let floor = session.state.floor();
    let engine = &floor.engine;
    let labelled: Vec<&Order> = engine.orders.by_label(identity.account, label).collect();
    let fits = |order: &&Order| pool(engine, order) == currency && !is_forgotten(session, order);
    Ok(labelled.into_iter().rev().filter(fits).map(|order| engine.describe(order)).collect())
}

/// `private/get_order_history_by_instrument`.
pub(crate) fn history_by_instrument(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let name = instrument(session, params)?;
    history(session, identity, params, |terms| terms.name == name)
}

/// `private/get_order_history_by_currency`.
pub(crate) fn history_by_currency(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let currency = currency(params)?;
    let of_kind = of_kind(params)?;
    history(session, identity, params, |terms| terms.pool == currency && of_kind(terms))
}

fn history(
    session: &Session,
    identity: &Identity,
    params: &Params,
    fits: impl Fn(&Instrument) -> bool,
) -> Result<Value, ApiError> {
    let flag = |name| params::optional_bool(params, name).map(|flag| flag.unwrap_or(false));
    let (unfilled, old, past) = (flag("include_unfilled")?, flag("include_old")?, flag("historical")?);
    let count = page::count(params, 20, MOST)?;
    let offset = params::optional_integer(params, "offset")?.unwrap_or(0);
    let before = continuation(params)?;
    let now_ms = session.state.clock.millis();
    let recent_ms = i64::try_from(session.state.settings.order_retention.as_millis()).unwrap_or(i64::MAX);
    let floor = session.state.floor();
    let engine = &floor.engine;
    let wanted = |order: &&Order| {
        let age = now_ms - order.updated_ms;
        order.account == identity.account
            && !order.state.is_live()
            && (order.filled > 0 || unfilled)
            && (old || past || age <= OLD_MS)
            && (age <= recent_ms) != past
            && before.is_none_or(|before| order.id.0 < before)
            && engine.market.at(order.ticket.instrument).is_some_and(|quoted| fits(&quoted.terms))
    };
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut found: Vec<&Order> =
        engine.orders.all().rev().filter(wanted).skip(skipped).take(count + 1).collect();
    let more = found.len() > count;
    found.truncate(count);
    let orders: Vec<Value> = found.iter().map(|order| engine.describe(order)).collect();
    if !flag("with_continuation")? {
        return Ok(json!(orders));
    }
    let next = found.last().filter(|_| more).map(|order| format!("{}.{}", order.updated_ms, order.id.0));
    Ok(json!({ "orders": orders, "continuation": next }))
}

/// `private/get_trigger_order_history`.
pub(crate) fn trigger_history(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let currency = currency(params)?;
    let name = params::optional_string(params, "instrument_name")?;
    let count = page::count(params, 20, MOST)?;
    let before = continuation(params)?;
    let floor = session.state.floor();
    let engine = &floor.engine;
    let wanted = |order: &&Order| {
        let waited = order.ticket.kind.is_trigger() && order.made_by.is_none();
        let terms = engine.market.at(order.ticket.instrument).map(|quoted| &quoted.terms);
        let here = terms.is_some_and(|t| t.pool == currency && name.is_none_or(|name| t.name == name));
        waited && here && order.account == identity.account && before.is_none_or(|before| order.id.0 < before)
    };
    let mut found: Vec<&Order> = engine.orders.all().rev().filter(wanted).take(count + 1).collect();
    let more = found.len() > count;
    found.truncate(count);
    let next = found.last().filter(|_| more).map(|order| format!("{}.{}", order.updated_ms, order.id.0));
    let entries: Vec<Value> = found.into_iter().map(|order| trigger_entry(engine, order)).collect();
    Ok(json!({ "entries": entries, "continuation": next }))
}

fn trigger_entry(engine: &Engine, order: &Order) -> Value {
    let object = engine.describe(order);
    let made = engine.orders.all().find(|other| other.made_by.as_deref() == Some(&order.name));
    let state = match order.state {
        State::Untriggered => "new",
        state => state.word(),
    };
    let by = object["trigger"].as_str().and_then(|by| by.split('_').next()).unwrap_or("index").to_owned();
    let mut entry = json!({
        "timestamp": order.updated_ms, "last_update_timestamp": order.updated_ms, "trigger": by,
        "trigger_price": object["trigger_price"], "trigger_order_id": order.name, "order_state": state,
        "order_type": object["order_type"], "request": "trigger:order", "price": object["price"],
        "instrument_name": object["instrument_name"], "amount": object["amount"],
        "direction": object["direction"], "label": object["label"], "post_only": object["post_only"],
        "reduce_only": object["reduce_only"], "is_secondary_oto": order.links.primary.is_some(),
    });
    if let Some(made) = made {
        entry["order_id"] = json!(made.name);
    }
    if let Some(offset) = object.get("trigger_offset") {
        entry["offset"] = offset.clone();
    }
    if let Some(pair) = &order.links.pair {
        entry["oco_ref"] = json!(pair);
    }
    entry
}

/// `private/get_order_margin_by_ids`.
pub(crate) fn margins(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let ids = params::strings(params, "ids")?;
    let floor = session.state.floor();
    let engine = &floor.engine;
    let mut margins = Vec::new();
    for id in ids {
        let order = engine.own_order(identity.account, id)?;
        margins.push(json!({
            "order_id": order.name, "initial_margin": if order.state.is_live() { order.bound() } else { 0.0 },
            "initial_margin_currency": pool(engine, order),
        }));
    }
    Ok(json!(margins))
}

fn list(
    session: &Session,
    identity: &Identity,
    fits: impl Fn(&Order, &Instrument) -> bool,
) -> Result<Value, ApiError> {
    let floor = session.state.floor();
    let engine = &floor.engine;
    let live = engine.orders.live(identity.account).filter(|order| {
        engine.market.at(order.ticket.instrument).is_some_and(|quoted| fits(order, &quoted.terms))
    });
    Ok(live.map(|order| engine.describe(order)).collect())
}

/// The venue forgets after a while what was cancelled without a fill.
fn is_forgotten(session: &Session, order: &Order) -> bool {
    let age = session.state.clock.millis() - order.updated_ms;
    let kept = i64::try_from(session.state.settings.order_retention.as_millis()).unwrap_or(i64::MAX);
    !order.state.is_live() && order.filled == 0 && age > kept
}

fn pool(engine: &Engine, order: &Order) -> &'static str {
    engine.market.at(order.ticket.instrument).map_or("", |quoted| quoted.terms.pool)
}

/// The name of an instrument that must exist.
pub(crate) fn instrument<'a>(session: &Session, params: &'a Params) -> Result<&'a str, ApiError> {
    let name = params::string(params, "instrument_name")?;
    let floor = session.state.floor();
    floor.engine.market.position(name).map(|_| name).ok_or_else(ApiError::instrument_not_found)
}

fn of_type(params: &Params) -> Result<impl Fn(&Order) -> bool + use<>, ApiError> {
    let word = params::one_of(params, "type", &TYPES)?.unwrap_or("all").to_owned();
    Ok(move |order: &Order| {
        let kind = order.ticket.kind;
        match word.as_str() {
            "all" => true,
            "limit" => !kind.is_trigger(),
            "trigger_all" => kind.is_trigger(),
            "stop_all" => kind.is_stop(),
            "take_all" => kind.is_take(),
            "trailing_all" => kind == Kind::TrailingStop,
            word => kind.word() == word,
        }
    })
}

/// The number of the order after which a list goes on.
fn continuation(params: &Params) -> Result<Option<u64>, ApiError> {
    let Some(token) = params::optional_string(params, "continuation")? else { return Ok(None) };
    let number = token.rsplit('.').next().and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or_else(|| ApiError::invalid_param("continuation", "unknown token"))
}
