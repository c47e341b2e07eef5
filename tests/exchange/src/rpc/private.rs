//! The private methods, by name.

use serde_json::{Map, Value};

use super::envelope::Request;
use super::identity::Identity;
use super::session::{Answer, Session};
use super::{account, auth, disconnect, orders, subscriptions, trading, user_trades};
use crate::accounts::scope::Right;
use crate::api::error::ApiError;

type Params = Map<String, Value>;

/// Answers one private call.
pub(crate) fn call(
    session: &mut Session,
    name: &str,
    request: &Request,
    us_in: u64,
) -> Result<Answer, ApiError> {
    // Whether the method exists or not: without authentication there is nothing private.
    let identity = session.identify(&request.params)?;
    if trading::is_matching(name) {
        return trading::submit(session, request, &identity, us_in);
    }
    let params = &request.params;
    match name {
        "logout" => auth::logout(session, params),
        "subscribe" => subscriptions::private_subscribe(session, params, &identity),
        "unsubscribe" => subscriptions::unsubscribe(session, params).map(Into::into),
        "unsubscribe_all" => Ok(subscriptions::unsubscribe_all(session).into()),
        name => {
            let (area, right) = needs(name);
            identity.needs(area, right)?;
            ask(session, name, params, &identity).map(Into::into)
        }
    }
}

/// What a token must allow.
fn needs(name: &str) -> (&'static str, Right) {
    match name {
        "set_mmp_config" | "reset_mmp" => ("trade", Right::ReadWrite),
        "get_account_summary"
        | "get_account_summaries"
        | "get_subaccounts"
        | "get_subaccounts_details"
        | "get_transaction_log"
        | "get_user_locks"
        | "get_access_log" => ("account", Right::Read),
        "enable_cancel_on_disconnect" | "disable_cancel_on_disconnect" => ("account", Right::ReadWrite),
        "get_cancel_on_disconnect" => ("account", Right::Read),
        _ => ("trade", Right::Read),
    }
}

fn ask(session: &Session, name: &str, params: &Params, identity: &Identity) -> Result<Value, ApiError> {
    let now_ms = session.state.clock.millis();
    match name {
        "get_open_orders" => orders::open(session, identity, params),
        "get_open_orders_by_instrument" => orders::open_by_instrument(session, identity, params),
        "get_open_orders_by_currency" => orders::open_by_currency(session, identity, params),
        "get_open_orders_by_label" => orders::open_by_label(session, identity, params),
        "get_order_state" => orders::state(session, identity, params),
        "get_order_state_by_label" => orders::state_by_label(session, identity, params),
        "get_order_history_by_instrument" => orders::history_by_instrument(session, identity, params),
        "get_order_history_by_currency" => orders::history_by_currency(session, identity, params),
        "get_trigger_order_history" => orders::trigger_history(session, identity, params),
        "get_order_margin_by_ids" => orders::margins(session, identity, params),
        "get_user_trades_by_instrument" => user_trades::by_instrument(session, identity, params),
        "get_user_trades_by_currency" => user_trades::by_currency(session, identity, params),
        "get_user_trades_by_order" => user_trades::by_order(session, identity, params),
        "get_user_trades_by_instrument_and_time" => {
            user_trades::with_time(params)?;
            user_trades::by_instrument(session, identity, params)
        }
        "get_user_trades_by_currency_and_time" => {
            user_trades::with_time(params)?;
            user_trades::by_currency(session, identity, params)
        }
        "get_position" => account::position(session, identity, params),
        "get_positions" => account::positions(session, identity, params),
        "get_account_summary" => account::summary(session, identity, params),
        "get_account_summaries" => account::summaries(session, identity, params),
        "get_subaccounts" => account::subaccounts(session, identity, params),
        "get_subaccounts_details" => account::details(session, identity, params),
        "get_transaction_log" => account::log(session, identity, params),
        "get_access_log" => account::accesses(session, identity, params),
        "get_user_locks" => Ok(account::locks()),
        "get_margins" => account::margins(session, params),
        "get_settlement_history_by_currency" | "get_settlement_history_by_instrument" => {
            user_trades::settlements(session, identity, params)
        }
        "enable_cancel_on_disconnect" => disconnect::set(session, identity, params, true),
        "disable_cancel_on_disconnect" => disconnect::set(session, identity, params, false),
        "get_cancel_on_disconnect" => disconnect::get(session, identity, params),
        "set_mmp_config" => session.state.floor().engine.set_mmp(identity.account, params),
        "get_mmp_config" => session.state.floor().engine.mmp_config(identity.account, params),
        "get_mmp_status" => session.state.floor().engine.mmp_status(identity.account, params, now_ms),
        "reset_mmp" => session.state.floor().engine.reset_mmp(identity.account, params),
        _ => Err(ApiError::method_not_found()),
    }
}
