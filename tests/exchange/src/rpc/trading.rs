//! The methods of the matching engine.

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::envelope::Request;
use super::identity::Identity;
use super::session::{Answer, Session};
use crate::accounts::scope::Right;
use crate::api::error::ApiError;
use crate::connection::ending::Ending;
use crate::connection::outbox::Order;
use crate::engine::{Caller, Engine, reject};
use crate::faults::orders::MatchFate;
use crate::ledger;
use crate::market::book::Side;
use crate::matcher::Job;

type Params = Map<String, Value>;

/// Whether a method goes through the matching engine.
pub(crate) fn is_matching(name: &str) -> bool {
    let exact = [
        "buy",
        "sell",
        "edit",
        "edit_by_label",
        "cancel",
        "cancel_all",
        "cancel_by_label",
        "cancel_quotes",
        "close_position",
        "mass_quote",
    ];
    let families = ["instrument", "currency", "currency_pair", "kind_or_type"];
    let by = name.strip_prefix("cancel_all_by_");
    exact.contains(&name) || by.is_some_and(|what| families.contains(&what))
}

/// Carries out one request.
pub(crate) fn execute(
    engine: &mut Engine,
    caller: &Caller,
    method: &str,
    params: &Params,
) -> Result<Value, ApiError> {
    match method.trim_start_matches("private/") {
        "buy" => engine.place(caller, Side::Bid, params),
        "sell" => engine.place(caller, Side::Ask, params),
        "edit" => engine.edit(caller, params),
        "edit_by_label" => engine.edit_by_label(caller, params),
        "cancel" => engine.cancel(caller, params),
        "cancel_all" => engine.cancel_all(caller, params),
        "cancel_all_by_instrument" => engine.cancel_by_instrument(caller, params),
        "cancel_all_by_currency" => engine.cancel_by_currency(caller, params),
        "cancel_all_by_currency_pair" => engine.cancel_by_pair(caller, params),
        "cancel_all_by_kind_or_type" => engine.cancel_by_kind(caller, params),
        "cancel_by_label" => engine.cancel_by_label(caller, params),
        "cancel_quotes" => engine.cancel_quotes(caller, params),
        "close_position" => engine.close_position(caller, params),
        "mass_quote" => engine.mass_quote(caller, params),
        _ => Err(ApiError::method_not_found()),
    }
}

/// Sends a request to the engine. Its answer comes later, by the connection's outbox, if it comes.
pub(crate) fn submit(
    session: &mut Session,
    request: &Request,
    identity: &Identity,
    us_in: u64,
) -> Result<Answer, ApiError> {
    identity.needs("trade", Right::ReadWrite)?;
    let state = session.state.clone();
    let told = (request.id.as_ref(), request.method.as_str(), &request.params);
    let record = ledger::request(identity.account, session.handle.number(), told, state.clock.uptime());
    let number = state.floor().ledger.receive(record);
    let fate = session.mischief.match_fate().or_else(|| state.hazard().strike()).unwrap_or_default();
    if let Some(cut) = fate.cut_before {
        return Ok(Answer { end: Some(Ending::fault(cut.how(), "cut before match")), ..Answer::later() });
    }
    if state.matcher.is_full(identity.account) {
        state.floor().ledger.refused(number, reject::QUEUE_FULL.code);
        return Err(reject::QUEUE_FULL);
    }
    purge(session, identity, request);
    let MatchFate { delay, afterwards, cut_meanwhile, .. } = fate;
    let job = Job {
        account: identity.account,
        handle: session.handle.clone(),
        number,
        id: request.id.clone(),
        method: request.method.clone(),
        params: request.params.clone(),
        us_in,
        afterwards,
        kept_back: !delay.is_zero(),
    };
    state.matcher.submit(job, Instant::now() + state.settings.matching_latency + delay);
    if let Some(cut) = cut_meanwhile {
        session.handle.order(Order::End(Ending::fault(cut.how(), "cut before match")));
    }
    Ok(Answer::later())
}

/// A mass cancel takes along what of the same kind has not reached the engine yet.
fn purge(session: &Session, identity: &Identity, request: &Request) {
    let label = match request.method.as_str() {
        "private/cancel_all" => None,
        "private/cancel_by_label" => Some(request.params.get("label")),
        _ => return,
    };
    let state = &session.state;
    let purged = state.matcher.purge(identity.account, |job| {
        let enters = ["private/buy", "private/sell", "private/edit", "private/edit_by_label"];
        enters.contains(&job.method.as_str()) && label.is_none_or(|label| job.params.get("label") == label)
    });
    purged.iter().for_each(|job| state.matcher.answer_purged(state, job));
}
