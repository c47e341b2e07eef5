//! The fills of an account.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::identity::Identity;
use super::page::{Page, Place};
use super::session::Session;
use super::{orders, params};
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
    let currency = orders::currency(params)?;
    let of_kind = orders::of_kind(params)?;
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
