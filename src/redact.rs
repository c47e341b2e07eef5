//! Takes our credentials out of what others wrote and we show: servers, proxies and resolvers repeat what they refuse.
//!
//! Each `match` here names every variant and every field, so that a new text cannot be forgotten.

use crate::error::{ConnectError, Disconnect, OpeningError, RpcError};
use crate::frame::CloseFrame;
use crate::protocol::{Inbound, Unmatched};

/// Shorter ones are in many a text by chance, and are no secrets.
const SHORTEST: usize = 5;

/// Puts `***` in the place of a credential wherever a text repeats it.
pub(crate) fn redact(secret: &str, text: &mut String) {
    if secret.len() < SHORTEST {
        return;
    }
    let (mut shown, mut rest) = (String::new(), text.as_str());
    // By hand, because the standard library's search is 2 kB that a page would have to download.
    while let Some(at) = rest.as_bytes().windows(secret.len()).position(|part| part == secret.as_bytes()) {
        shown.push_str(&rest[..at]);
        shown.push_str("***");
        rest = &rest[at + secret.len()..];
    }
    if !shown.is_empty() {
        shown.push_str(rest);
        *text = shown;
    }
}

/// Something that holds texts which come, or may come, from outside.
pub(crate) trait Texts {
    fn texts(&mut self, each: &mut dyn FnMut(&mut String));
}

impl Texts for RpcError {
    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        let Self { code: _, message, data, meaning: _ } = self;
        each(message);
        data.iter_mut().for_each(each);
    }
}

impl Texts for CloseFrame {
    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        let Self { code: _, reason } = self;
        each(reason);
    }
}

impl Texts for ConnectError {
    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Endpoint(text) | Self::Tcp(text) | Self::Upgrade(text) => each(text),
            Self::Config(error) => each(&mut error.problem),
            Self::Dns { host, problem } => [host, problem].into_iter().for_each(each),
            Self::Tls { kind: _, problem } | Self::Io { phase: _, problem } => each(problem),
            Self::Proxy { kind: _, problem, retry_after: _ } => each(problem),
            Self::Status { status: _, retry_after: _, location } => location.iter_mut().for_each(each),
            Self::Timeout(_) | Self::Browser => {}
        }
    }
}

impl Texts for Disconnect {
    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Connect(error) => error.texts(each),
            Self::Closed(frame) => frame.iter_mut().for_each(|frame| frame.texts(each)),
            Self::Dropped(text) | Self::Protocol(text) | Self::Panicked(text) => each(text),
            Self::Violation { code: _, problem } => each(problem),
            Self::Opening(error) => error.texts(each),
            Self::Silent(_) | Self::Stalled(_) | Self::Requested | Self::Moved => {}
        }
    }
}

impl Texts for OpeningError {
    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Authentication(error) | Self::Rejected { method: _, error } => error.texts(each),
            Self::Narrowed { asked, granted } => [asked, granted].into_iter().for_each(each),
            Self::Unsigned(text) | Self::Unprepared(text) => each(text),
            Self::Unexpected(text) | Self::WrongServer(text) => each(text),
            // The method is ours, and the reason holds no text from outside that was not looked at before.
            Self::TimedOut { method: _ } | Self::NotSent { method: _, reason: _ } | Self::LoggedOut => {}
        }
    }
}

impl Texts for Inbound<'_> {
    fn texts(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Reply { id: _, result: Err(error) } | Self::Unmatched(Unmatched::Error(error)) => {
                error.texts(each);
            }
            Self::Invalid(text) | Self::Reconnect(text) => each(text),
            // What the user is given as it came is not shown by us.
            Self::Reply { id: _, result: Ok(_) } | Self::Data { .. } => {}
            Self::Unmatched(
                Unmatched::Message(_) | Unmatched::Notification { .. } | Unmatched::Request { .. },
            ) => {}
            Self::EndOfBatch | Self::Answer(_) | Self::Nothing | Self::Hold(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use crate::error::{ConfigError, Phase, ProxyFailure, TlsFailure};
    use crate::frame::CloseCode;
    use crate::protocol::RequestId;
    use crate::secret::Secret;

    const CANARY: &str = "hunter2-canary";

    fn text() -> String {
        format!("you sent {CANARY}, and {CANARY} is wrong")
    }

    fn error() -> RpcError {
        RpcError { data: Some(text()), ..RpcError::new(1, text()) }
    }

    fn check(mut value: impl Texts + Debug) {
        assert!(format!("{value:?}").contains(CANARY), "it holds no canary: {value:?}");
        value.texts(&mut |text| Secret::new(CANARY).redact(text));
        assert!(!format!("{value:?}").contains(CANARY), "{value:?}");
        assert!(format!("{value:?}").contains("***"), "{value:?}");
    }

    #[test]
    fn nothing_shows_what_a_server_repeats() {
        let frame = || CloseFrame { code: CloseCode::NORMAL, reason: text() };
        check(error());
        check(frame());
        for error in [
            ConnectError::Endpoint(text()),
            ConnectError::Tcp(text()),
            ConnectError::Upgrade(text()),
            ConnectError::Config(ConfigError::new("url", text())),
            ConnectError::Dns { host: text(), problem: text() },
            ConnectError::Tls { kind: TlsFailure::Handshake, problem: text() },
            ConnectError::Io { phase: Phase::Tls, problem: text() },
            ConnectError::Proxy { kind: ProxyFailure::Protocol, problem: text(), retry_after: None },
            ConnectError::Status { status: 302, retry_after: None, location: Some(text()) },
        ] {
            check(error.clone());
            check(Disconnect::Connect(error));
        }
        for error in [
            OpeningError::Authentication(error()),
            OpeningError::Rejected { method: "m".into(), error: error() },
            OpeningError::Narrowed { asked: text(), granted: text() },
            OpeningError::Unsigned(text()),
            OpeningError::Unprepared(text()),
            OpeningError::Unexpected(text()),
            OpeningError::WrongServer(text()),
        ] {
            check(error.clone());
            check(Disconnect::Opening(error));
        }
        check(Disconnect::Closed(Some(frame())));
        check(Disconnect::Dropped(text()));
        check(Disconnect::Protocol(text()));
        check(Disconnect::Violation { code: CloseCode::PROTOCOL_ERROR, problem: text() });
        check(Inbound::Reply { id: RequestId(1), result: Err(error()) });
        check(Inbound::Unmatched(Unmatched::Error(error())));
        check(Inbound::Invalid(text()));
        check(Inbound::Reconnect(text()));
    }

    #[test]
    fn short_words_stay() {
        let mut text = "the id 1 of abc".to_owned();
        for secret in ["", "1", "abc"] {
            redact(secret, &mut text);
        }
        assert_eq!(text, "the id 1 of abc");
    }
}
