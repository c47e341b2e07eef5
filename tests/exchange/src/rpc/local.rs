//! `local/*`: methods that no venue has, for programs that cannot reach the exchange in another way.

use serde_json::{Value, json};

use super::envelope::Request;
use super::error::ApiError;
use super::params;
use super::session::{Answer, Session};
use crate::credits::Bucket;
use crate::faults::command::Command;

/// Answers one call. A command runs once its reply is written.
pub(crate) fn call(session: &Session, request: &Request) -> Result<Answer, ApiError> {
    match request.method.as_str() {
        "local/fault" => {
            let text = params::string(&request.params, "command")?;
            let command: Command =
                text.parse().map_err(|error| ApiError::invalid_param("command", &format!("{error}")))?;
            Ok(Answer { result: json!("ok"), command: Some(command), ..Answer::default() })
        }
        "local/stats" => Ok(stats(session).into()),
        _ => Err(ApiError::method_not_found()),
    }
}

fn stats(session: &Session) -> Value {
    let uptime = session.state.clock.uptime();
    let journal = session.state.journal();
    let (open, opened, requests) = (journal.open(), journal.opened(), journal.requests().count());
    drop(journal);
    let mut credits = session.state.credits();
    let mut left = |bucket| credits.left(session.ip, bucket, uptime);
    json!({
        "connection": session.handle.number(), "open": open, "opened": opened, "requests": requests,
        "channels": session.channels.keys().collect::<Vec<_>>(),
        "credits": {
            "non_matching": left(Bucket::NonMatching), "get_instruments": left(Bucket::Instruments),
            "subscribe": left(Bucket::Subscribe),
        },
    })
}
