//! Market data on request.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::params;
use super::session::Session;
use crate::market::quoted::Quoted;

const DEPTHS: [u64; 8] = [1, 5, 10, 20, 50, 100, 1_000, 10_000];
const CURRENCIES: [&str; 6] = ["BTC", "ETH", "USDC", "USDT", "EURR", "any"];
const KINDS: [&str; 5] = ["future", "option", "spot", "future_combo", "option_combo"];

type Params = Map<String, Value>;

/// `public/get_instruments`. Nothing of this exchange has ever expired.
pub(crate) fn instruments(session: &Session, params: &Params) -> Result<Value, ApiError> {
    params::string(params, "currency")?;
    let currency = params::one_of(params, "currency", &CURRENCIES)?.unwrap_or("any");
    let kind = params::one_of(params, "kind", &KINDS)?;
    if params::optional_bool(params, "expired")?.unwrap_or(false) {
        return Ok(json!([]));
    }
    let floor = session.state.floor();
    let listed = floor.engine.market.instruments().iter().map(|quoted| &quoted.terms);
    let wanted = listed.filter(|terms| {
        (currency == "any" || terms.pool == currency) && kind.is_none_or(|kind| terms.kind() == kind)
    });
    Ok(wanted.map(|terms| terms.describe()).collect())
}

/// `public/get_instrument`.
pub(crate) fn instrument(session: &Session, params: &Params) -> Result<Value, ApiError> {
    with_instrument(session, params, |quoted| quoted.terms.describe())
}

/// `public/ticker`.
pub(crate) fn ticker(session: &Session, params: &Params) -> Result<Value, ApiError> {
    with_instrument(session, params, |quoted| quoted.ticker(session.state.clock.millis()))
}

/// `public/get_order_book`.
pub(crate) fn order_book(session: &Session, params: &Params) -> Result<Value, ApiError> {
    let depth = params::optional_integer(params, "depth")?.unwrap_or(5);
    if !DEPTHS.contains(&depth) {
        return Err(ApiError::invalid_param("depth", "unsupported value"));
    }
    let depth = usize::try_from(depth).unwrap_or(usize::MAX);
    with_instrument(session, params, |quoted| quoted.order_book(depth, session.state.clock.millis()))
}

fn with_instrument(
    session: &Session,
    params: &Params,
    view: impl FnOnce(&Quoted) -> Value,
) -> Result<Value, ApiError> {
    let name = params::string(params, "instrument_name")?;
    session.state.floor().engine.market.instrument(name).map(view).ok_or_else(ApiError::instrument_not_found)
}
