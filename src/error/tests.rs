//! What each error means, in one table.

use super::*;
use crate::frame::{CloseCode, CloseFrame};
use Category::{Application, Authentication, Connection, Protocol};

const SECOND: Duration = Duration::from_secs(1);
const AGAIN: Advice = Advice::Retry(None);

fn refused() -> RpcError {
    let meaning =
        Meaning { category: Authentication, advice: Advice::Reconcile, executed: Executed::Unknown };
    RpcError { meaning, ..RpcError::new(13004, "invalid_credentials") }
}

fn status(status: u16, retry_after: Option<Duration>) -> ConnectError {
    ConnectError::Status { status, retry_after, location: None }
}

fn closed(code: CloseCode) -> Disconnect {
    Disconnect::Closed(Some(CloseFrame::new(code, "")))
}

#[test]
fn what_became_of_a_call() {
    let refusal = |reason| Error::Refused { channel: "ticker".into(), reason };
    let not_repeated = Unknown::NotRepeated(Box::new(NotSent::QueueFull));
    let gone = Ended::AttemptsExhausted(status(503, None).into());
    let rows: [(Error, Category, Advice, Executed); 26] = [
        (ConfigError::new("url", "is empty").into(), Application, Advice::Change, Executed::No),
        (Error::Connect(Ended::Closed), Application, Advice::Stop, Executed::No),
        (Error::Connect(Ended::Refused(status(404, None).into())), Protocol, Advice::Change, Executed::No),
        (Error::Connect(gone), Connection, AGAIN, Executed::No),
        (NotSent::QueueFull.into(), Application, AGAIN, Executed::No),
        (NotSent::Disconnected(Disconnect::Requested).into(), Connection, AGAIN, Executed::No),
        (NotSent::Offline.into(), Connection, AGAIN, Executed::No),
        (NotSent::DeadlinePassed.into(), Connection, AGAIN, Executed::No),
        (NotSent::RateLimited(SECOND).into(), Application, Advice::Retry(Some(SECOND)), Executed::No),
        (NotSent::Busy.into(), Application, AGAIN, Executed::No),
        (NotSent::TooExpensive.into(), Application, Advice::Change, Executed::No),
        (NotSent::TooLarge { size: 2, limit: 1 }.into(), Application, Advice::Change, Executed::No),
        (NotSent::Params("NaN".into()).into(), Application, Advice::Change, Executed::No),
        (NotSent::Unsupported("batches").into(), Application, Advice::Change, Executed::No),
        (NotSent::NotLoggedIn.into(), Authentication, Advice::Reauthenticate, Executed::No),
        (NotSent::Draining.into(), Application, Advice::Stop, Executed::No),
        (NotSent::Ended(Ended::Abandoned).into(), Application, Advice::Stop, Executed::No),
        (
            Unknown::Disconnected(Disconnect::Requested).into(),
            Connection,
            Advice::Reconcile,
            Executed::Unknown,
        ),
        (Unknown::TimedOut.into(), Connection, Advice::Reconcile, Executed::Unknown),
        (Unknown::MissingFromBatch.into(), Protocol, Advice::Reconcile, Executed::Unknown),
        (not_repeated.into(), Application, Advice::Reconcile, Executed::Unknown),
        (Unknown::Ended(Ended::Closed).into(), Application, Advice::Reconcile, Executed::Unknown),
        (RpcError::new(1, "no").into(), Application, Advice::Change, Executed::No),
        (refused().into(), Authentication, Advice::Reconcile, Executed::Unknown),
        (refusal(Refusal::NotConfirmed), Application, Advice::Change, Executed::No),
        (
            DecodeError { what: "x".into(), problem: "y".into() }.into(),
            Protocol,
            Advice::Reconcile,
            Executed::Yes,
        ),
    ];
    for (error, category, advice, executed) in rows {
        assert_eq!(
            (error.category(), error.advice(), error.executed()),
            (category, advice, executed),
            "{error}"
        );
        // What may have been executed is never to be tried again without asking.
        assert!(error.executed() == Executed::No || !matches!(error.advice(), Advice::Retry(_)), "{error}");
    }
    let rows = [
        (Refusal::Error(refused()), Authentication, Advice::Reconcile, Executed::Unknown),
        (Refusal::NotSent(Box::new(NotSent::Offline)), Connection, AGAIN, Executed::No),
        // Subscribing twice does no harm.
        (Refusal::TimedOut, Connection, AGAIN, Executed::Unknown),
        (Refusal::Offline, Connection, AGAIN, Executed::No),
    ];
    for (reason, category, advice, executed) in rows {
        let error = refusal(reason);
        assert_eq!(
            (error.category(), error.advice(), error.executed()),
            (category, advice, executed),
            "{error}"
        );
    }
}

#[test]
fn why_an_attempt_failed() {
    let text = String::new;
    let tls = |kind| ConnectError::Tls { kind, problem: text() };
    let proxy = |kind, retry_after| ConnectError::Proxy { kind, problem: text(), retry_after };
    let retry = Verdict::Retry(None);
    let wait = Some(SECOND);
    let rows = [
        (ConnectError::Endpoint(text()), Connection, retry),
        (ConfigError::new("proxy", "is not a URL").into(), Application, Verdict::Stop),
        (ConnectError::Dns { host: text(), problem: text() }, Connection, retry),
        (ConnectError::Tcp(text()), Connection, retry),
        (tls(TlsFailure::Handshake), Connection, retry),
        (tls(TlsFailure::Expired), Connection, Verdict::Stop),
        (tls(TlsFailure::UnknownIssuer), Connection, Verdict::Stop),
        (tls(TlsFailure::SelfSigned), Connection, Verdict::Stop),
        (tls(TlsFailure::WrongHost), Connection, Verdict::Stop),
        (tls(TlsFailure::Revoked), Connection, Verdict::Stop),
        (tls(TlsFailure::NotPinned), Connection, Verdict::Stop),
        (tls(TlsFailure::Certificate), Connection, Verdict::Stop),
        (status(401, None), Authentication, Verdict::Stop),
        (status(403, None), Authentication, Verdict::Stop),
        (status(407, None), Authentication, Verdict::Stop),
        (status(301, None), Protocol, Verdict::Stop),
        (status(404, wait), Protocol, Verdict::Stop),
        (status(408, None), Connection, retry),
        (status(429, wait), Connection, Verdict::Retry(wait)),
        (status(500, None), Connection, retry),
        (status(501, None), Connection, Verdict::Stop),
        (status(503, wait), Connection, Verdict::Retry(wait)),
        (status(505, None), Connection, Verdict::Stop),
        (ConnectError::Upgrade(text()), Protocol, retry),
        (ConnectError::Io { phase: Phase::Tls, problem: text() }, Connection, retry),
        (proxy(ProxyFailure::Unreachable, None), Connection, retry),
        (proxy(ProxyFailure::Tls(TlsFailure::Expired), None), Connection, Verdict::Stop),
        (proxy(ProxyFailure::Authentication, None), Authentication, Verdict::Stop),
        (proxy(ProxyFailure::Refused, None), Connection, Verdict::Stop),
        (proxy(ProxyFailure::Unavailable, wait), Connection, Verdict::Retry(wait)),
        (proxy(ProxyFailure::Protocol, None), Protocol, retry),
        (ConnectError::Timeout(Phase::Dns), Connection, retry),
        (ConnectError::Browser, Connection, retry),
    ];
    for (error, category, verdict) in rows {
        assert_eq!((error.category(), error.verdict()), (category, verdict), "{error:?}");
        // What ends a client for such a reason is to be changed, and not tried again.
        let advice = match verdict {
            Verdict::Retry(after) => Advice::Retry(after),
            Verdict::Stop if category == Authentication => Advice::Reauthenticate,
            Verdict::Stop => Advice::Change,
        };
        assert_eq!(Error::Connect(Ended::Refused(error.clone().into())).advice(), advice, "{error:?}");
    }
}

#[test]
fn why_a_connection_ended() {
    let opening = |error: OpeningError| Disconnect::Opening(error);
    let method = || "public/auth".to_owned();
    let not_sent = |reason| OpeningError::NotSent { method: method(), reason: Box::new(reason) };
    let rows = [
        (status(503, None).into(), Connection),
        (Disconnect::Closed(None), Connection),
        (closed(CloseCode::NORMAL), Connection),
        (closed(CloseCode::UNAUTHORIZED), Authentication),
        (closed(CloseCode::FORBIDDEN), Authentication),
        (closed(CloseCode::POLICY_VIOLATION), Authentication),
        (closed(CloseCode::PROTOCOL_ERROR), Protocol),
        (closed(CloseCode::INVALID_DATA), Protocol),
        (Disconnect::Dropped("reset".into()), Connection),
        (Disconnect::Silent(SECOND), Connection),
        (Disconnect::Stalled(SECOND), Connection),
        (Disconnect::Violation { code: CloseCode::PROTOCOL_ERROR, problem: String::new() }, Protocol),
        (Disconnect::Protocol("the login expires".into()), Application),
        (Disconnect::Requested, Application),
        (Disconnect::Moved, Application),
        (Disconnect::Panicked("!".into()), Application),
    ];
    for (reason, category) in rows {
        assert_eq!(reason.category(), category, "{reason}");
    }
    let rows = [
        (OpeningError::Authentication(refused()), Authentication, Verdict::Stop),
        (OpeningError::Narrowed { asked: method(), granted: method() }, Authentication, Verdict::Stop),
        (OpeningError::Unsigned("no".into()), Authentication, Verdict::Stop),
        (OpeningError::LoggedOut, Application, Verdict::Stop),
        (OpeningError::Rejected { method: method(), error: refused() }, Authentication, Verdict::Retry(None)),
        (OpeningError::TimedOut { method: method() }, Connection, Verdict::Retry(None)),
        (not_sent(NotSent::QueueFull), Application, Verdict::Retry(None)),
        (not_sent(NotSent::NotLoggedIn), Authentication, Verdict::Stop),
        (not_sent(NotSent::TooExpensive), Application, Verdict::Stop),
        (OpeningError::Unprepared("no".into()), Application, Verdict::Retry(None)),
        (OpeningError::Unexpected("no".into()), Protocol, Verdict::Retry(None)),
        (OpeningError::WrongServer("no".into()), Application, Verdict::Stop),
    ];
    for (error, category, verdict) in rows {
        assert_eq!((error.category(), error.verdict()), (category, verdict), "{error}");
        assert_eq!(opening(error.clone()).category(), category, "{error}");
    }
}

#[test]
fn a_close_code_says_whether_to_come_back() {
    for code in [1003, 1008, 1010, 3000, 3003] {
        assert_eq!(close_verdict(CloseCode(code)), Verdict::Stop, "{code}");
    }
    for code in [1000, 1001, 1002, 1007, 1011, 1012, 4000, 4999] {
        assert_eq!(close_verdict(CloseCode(code)), Verdict::Retry(None), "{code}");
    }
    assert_eq!(close_verdict(CloseCode::TRY_AGAIN_LATER), Verdict::Retry(Some(SECOND)));
}

#[test]
fn a_timeout_names_what_was_under_way() {
    let rows = [
        (Phase::Endpoint, "timed out in asking for the endpoint"),
        (Phase::Dns, "timed out in looking up the host"),
        (Phase::Tcp, "timed out in connecting"),
        (Phase::Tls, "timed out in the TLS handshake"),
        (Phase::Upgrade, "timed out in the upgrade"),
        (Phase::Browser, "timed out in connecting"),
        (Phase::Proxy, "timed out in connecting through the proxy"),
    ];
    for (phase, said) in rows {
        assert_eq!(ConnectError::Timeout(phase).to_string(), said);
    }
}
