//! `local/*`: methods that no venue has, for programs that cannot reach the exchange in another way.

use serde_json::{Map, Value, json};

use super::envelope::Request;
use super::page;
use super::session::{Answer, Session};
use crate::api::error::ApiError;
use crate::api::params;
use crate::credits::Bucket;
use crate::faults::command::Command;
use crate::ledger::{LedgerOrder, LedgerRequest};

/// Answers one call. A command runs once its reply is written.
pub(crate) fn call(session: &Session, request: &Request) -> Result<Answer, ApiError> {
    match request.method.as_str() {
        "local/fault" => {
            let text = params::string(&request.params, "command")?;
            let command: Command =
                text.parse().map_err(|error| ApiError::invalid_param("command", &format!("{error}")))?;
            Ok(Answer { result: json!("ok"), command: Some(command), ..Answer::default() })
        }
        "local/ledger" => ledger(session, &request.params).map(Into::into),
        "local/stats" => Ok(stats(session).into()),
        _ => Err(ApiError::method_not_found()),
    }
}

/// The ledger from a request on, at most a thousand of them, or all that has a label.
fn ledger(session: &Session, params: &Map<String, Value>) -> Result<Value, ApiError> {
    let label = params::optional_string(params, "label")?;
    let start = params::optional_integer(params, "start")?.unwrap_or(0);
    let count = page::count(params, 100, 1_000)?;
    let floor = session.state.floor();
    let ledger = floor.ledger.ledger(&floor.engine);
    drop(floor);
    let labelled = |of: Option<&str>| label.is_none_or(|label| of == Some(label));
    let requests: Vec<&LedgerRequest> = ledger
        .requests
        .iter()
        .filter(|request| request.number >= start && labelled(request.label.as_deref()))
        .take(count)
        .collect();
    let orders = ledger.orders.iter().filter(|order| {
        let known = requests.iter().any(|request| request.number == order.request);
        known || label.is_some_and(|label| order.label == label)
    });
    Ok(json!({
        "requests": requests.iter().map(|request| request.to_value()).collect::<Vec<_>>(),
        "orders": orders.map(LedgerOrder::to_value).collect::<Vec<_>>(),
        "duplicate_labels": ledger.duplicate_labels().into_keys().collect::<Vec<_>>(),
    }))
}

fn stats(session: &Session) -> Value {
    let uptime = session.state.clock.uptime();
    let journal = session.state.journal();
    let (open, opened, requests) = (journal.open(), journal.opened(), journal.requests().count());
    drop(journal);
    let payer = session.payer(&Map::new());
    let mut credits = session.state.credits();
    let mut left = |bucket| credits.left(payer, bucket, uptime);
    json!({
        "connection": session.handle.number(), "open": open, "opened": opened, "requests": requests,
        "channels": session.channels.keys().collect::<Vec<_>>(),
        "credits": {
            "non_matching": left(Bucket::NonMatching), "get_instruments": left(Bucket::Instruments),
            "subscribe": left(Bucket::Subscribe), "matching": left(Bucket::Matching),
            "cancel_all": left(Bucket::CancelAll),
        },
    })
}
