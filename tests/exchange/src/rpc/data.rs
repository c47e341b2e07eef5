//! Market data on request.

use serde_json::{Map, Value};

use super::session::Session;
use crate::api::error::ApiError;
use crate::api::params;
use crate::market::quoted::{Quoted, Status};

const DEPTHS: [u64; 8] = [1, 5, 10, 20, 50, 100, 1_000, 10_000];
const CURRENCIES: [&str; 6] = ["BTC", "ETH", "USDC", "USDT", "EURR", "any"];
const KINDS: [&str; 5] = ["future", "option", "spot", "future_combo", "option_combo"];

type Params = Map<String, Value>;

/// `public/get_instruments`. Those that expired are apart.
pub(crate) fn instruments(session: &Session, params: &Params) -> Result<Value, ApiError> {
    params::string(params, "currency")?;
    let currency = params::one_of(params, "currency", &CURRENCIES)?.unwrap_or("any");
    let kind = params::one_of(params, "kind", &KINDS)?;
    let expired = params::optional_bool(params, "expired")?.unwrap_or(false);
    let floor = session.state.floor();
    let wanted = floor.engine.market.instruments().iter().filter(|quoted| {
        let terms = &quoted.terms;
        (currency == "any" || terms.pool == currency)
            && kind.is_none_or(|kind| terms.kind() == kind)
            && (quoted.status == Status::Closed) == expired
    });
    Ok(wanted.map(Quoted::describe).collect())
}

/// `public/get_instrument`.
pub(crate) fn instrument(session: &Session, params: &Params) -> Result<Value, ApiError> {
    with_instrument(session, params, Quoted::describe)
}

/// `public/ticker`.
pub(crate) fn ticker(session: &Session, params: &Params) -> Result<Value, ApiError> {
    with_instrument(session, params, |quoted| quoted.ticker(session.state.clock.millis()))
}

/// `public/get_order_book`.
pub(crate) fn order_book(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let depth = depth(params)?;
    with_instrument(session, params, |quoted| quoted.order_book(depth, session.state.clock.millis()))
}

/// `public/get_order_book_by_instrument_id`.
pub(crate) fn order_book_by_id(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let id = params::integer(params, "instrument_id")?;
    let floor = session.state.floor();
    let mut known = floor.engine.market.instruments().iter();
    let quoted = known.find(|quoted| i64::try_from(quoted.terms.id) == Ok(id));
    let depth = depth(params)?;
    let quoted = quoted.ok_or_else(ApiError::instrument_not_found)?;
    Ok(quoted.order_book(depth, session.state.clock.millis()))
}

fn depth(params: &Params) -> Result<usize, ApiError> {
    let depth = params::optional_integer(params, "depth")?.unwrap_or(5);
    if !DEPTHS.contains(&depth) {
        return Err(ApiError::invalid_param("depth", "unsupported value"));
    }
    Ok(usize::try_from(depth).unwrap_or(usize::MAX))
}

pub(crate) fn with_instrument(
    session: &Session,
    params: &Params,
    view: impl FnOnce(&Quoted) -> Value,
) -> Result<Value, ApiError> {
    let name = params::string(params, "instrument_name")?;
    session.state.floor().engine.market.instrument(name).map(view).ok_or_else(ApiError::instrument_not_found)
}
