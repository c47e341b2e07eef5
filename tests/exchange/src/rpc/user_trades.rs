//! The fills of an account.

use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::orders;
use super::page::{Page, Place};
use super::session::Session;
use crate::api::error::ApiError;
use crate::api::filters;
use crate::api::params;
use crate::engine::trader::UserTrade;
use crate::market::instrument::Instrument;

type Params = Map<String, Value>;

/// How long trades are recent.
const RECENT_MS: i64 = 86_400_000;

/// `private/get_user_trades_by_instrument`, with or without a time.
pub(crate) fn by_instrument(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let name = orders::instrument(session, params)?;
    page(session, identity, params, |terms| terms.name == name)
}

/// `private/get_user_trades_by_currency`, with or without a time.
pub(crate) fn by_currency(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let currency = filters::currency(params)?;
    let of_kind = filters::of_kind(params)?;
    page(session, identity, params, |terms| terms.pool == currency && of_kind(terms))
}

/// `private/get_user_trades_by_order`: a bare list.
pub(crate) fn by_order(session: &Session, identity: &Identity, params: &Params) -> Result<Value, ApiError> {
    let name = params::string(params, "order_id")?;
    let sorting = params::one_of(params, "sorting", &["asc", "desc", "default"])?;
    let floor = session.state.floor();
    let order = floor.engine.own_order(identity.account, name)?;
    let Some(trader) = floor.engine.trader(identity.account) else { return Ok(json!([])) };
    let mut trades: Vec<&UserTrade> = trader.trades.iter().filter(|trade| trade.order == order.id).collect();
    if sorting == Some("desc") {
        trades.reverse();
    }
    Ok(trades.into_iter().map(|trade| trade.object.clone()).collect())
}

/// Both times must be there where the method says so.
pub(crate) fn with_time(params: &Params) -> Result<(), ApiError> {
    for name in ["start_timestamp", "end_timestamp"] {
        params::integer(params, name)?;
    }
    Ok(())
}

/// `private/get_settlement_history_by_currency` and `_by_instrument`, newest first.
pub(crate) fn settlements(
    session: &Session,
    identity: &Identity,
    params: &Params,
) -> Result<Value, ApiError> {
    let name = params::optional_string(params, "instrument_name")?;
    let currency = if name.is_none() { Some(filters::currency(params)?) } else { None };
    let kind = params::one_of(params, "type", &["settlement", "delivery", "bankruptcy"])?;
    let count = super::page::count(params, 20, 1_000)?;
    let skip = match params::optional_string(params, "continuation")? {
        Some(token) => token.parse().map_err(|_| ApiError::invalid_param("continuation", "unknown token"))?,
        None => 0,
    };
    let floor = session.state.floor();
    let market = &floor.engine.market;
    let all =
        floor.engine.trader(identity.account).into_iter().flat_map(|trader| trader.settlements.iter().rev());
    let wanted = all.filter(|entry| {
        let of = entry["instrument_name"].as_str().unwrap_or("");
        let pool = market.instrument(of).map_or("", |quoted| quoted.terms.pool);
        name.is_none_or(|name| of == name)
            && currency.is_none_or(|currency| pool == currency)
            && kind.is_none_or(|kind| entry["type"] == kind)
    });
    let mut found: Vec<&Value> = wanted.skip(skip).take(count + 1).collect();
    let more = found.len() > count;
    found.truncate(count);
    let next = more.then(|| (skip + count).to_string());
    Ok(json!({ "settlements": found, "continuation": next }))
}

fn page(
    session: &Session,
    identity: &Identity,
    params: &Params,
    fits: impl Fn(&Instrument) -> bool,
) -> Result<Value, ApiError> {
    let page = Page::read(params)?;
    let historical = params::optional_bool(params, "historical")?.unwrap_or(false);
    let now_ms = session.state.clock.millis();
    let floor = session.state.floor();
    let market = &floor.engine.market;
    let trades = floor.engine.trader(identity.account).into_iter().flat_map(|trader| &trader.trades);
    let wanted = trades.filter(|trade| {
        let recent = now_ms - trade.ms <= RECENT_MS;
        recent != historical && market.at(trade.instrument).is_some_and(|quoted| fits(&quoted.terms))
    });
    let place = |trade: &&UserTrade| Place { ms: trade.ms, seq: trade.seq, number: trade.number };
    Ok(page.of(wanted, place, |trade| trade.object.clone()))
}
