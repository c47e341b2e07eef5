//! The client's half of the opening handshake (RFC 6455 section 4), without I/O.

use std::time::{Duration, SystemTime};

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::config::{Config, Url};
use crate::error::ConnectError;

/// The largest response head, in bytes. Common servers stop at 8 to 16 KiB.
const MAX_HEAD: usize = 64 * 1024;
/// The most header lines in one response.
const MAX_HEADERS: usize = 256;
/// The most interim (1xx) responses before the final one.
const MAX_INTERIM: usize = 16;

/// The request for an upgrade, its header values included: never print it.
pub(super) fn request(url: &Url, config: &Config, key: &str) -> Vec<u8> {
    let mut head = format!(
        "GET {} HTTP/1.1\r\n\
         Host: {}\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Version: 13\r\n",
        url.target(),
        url.host_header()
    );
    if !config.subprotocols.is_empty() {
        push_line(&mut head, "Sec-WebSocket-Protocol", &config.subprotocols.join(", "));
    }
    for (name, value) in &config.headers {
        push_line(&mut head, name, value.expose());
    }
    head.push_str("\r\n");
    head.into_bytes()
}

fn push_line(head: &mut String, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        head.push_str(part);
    }
}

/// The server's response, as far as it has come.
///
/// Give every received piece to [`handle_bytes`](Self::handle_bytes), in order, until it says how the upgrade ended.
pub(super) struct Response<'a> {
    accept: String,
    offered: &'a [String],
    /// What came and is not yet part of a complete head.
    received: Vec<u8>,
    /// How much of `received` is known to hold no end of a head, so that trickled bytes are looked at once.
    scanned: usize,
    interim: usize,
}

impl<'a> Response<'a> {
    /// Waits for the response to a request that was made with this key and offered these subprotocols.
    pub(super) fn new(key: &str, offered: &'a [String]) -> Self {
        Self {
            accept: derive_accept_key(key.as_bytes()),
            offered,
            received: Vec::new(),
            scanned: 0,
            interim: 0,
        }
    }

    /// Takes the next piece. `Some` once the server agreed, with the bytes that follow the head: the first frames.
    /// `now` is what a date in `Retry-After` is counted from.
    ///
    /// # Errors
    /// [`ConnectError::Status`] for a final status other than 101, [`ConnectError::Upgrade`] for everything that
    /// breaks HTTP or RFC 6455.
    pub(super) fn handle_bytes(
        &mut self,
        piece: &[u8],
        now: SystemTime,
    ) -> Result<Option<Vec<u8>>, ConnectError> {
        self.received.extend_from_slice(piece);
        loop {
            check_start(&self.received)?;
            let Some(end) = self.end_of_head()? else { return Ok(None) };
            let rest = self.received.split_off(end);
            if self.check_head(now)? {
                return Ok(Some(rest));
            }
            self.interim += 1;
            if self.interim > MAX_INTERIM {
                return refuse("the server sends interim responses without end");
            }
            self.received = rest;
            self.scanned = 0;
        }
    }

    fn end_of_head(&mut self) -> Result<Option<usize>, ConnectError> {
        let end = find_blank_line(&self.received, self.scanned);
        // The blank line may be split between two pieces.
        self.scanned = self.received.len().saturating_sub(2);
        if end.unwrap_or(self.received.len()) > MAX_HEAD {
            return refuse("the response's head is too large");
        }
        Ok(end)
    }

    /// Reads the complete head in `received`: whether the server agreed, or only sent an interim response.
    fn check_head(&self, now: SystemTime) -> Result<bool, ConnectError> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        // RFC 9112 section 5.2: a folded line is to be read as if it had spaces there.
        let mut parser = httparse::ParserConfig::default();
        parser.allow_obsolete_multiline_headers_in_responses(true);
        match parser.parse_response(&mut response, &self.received) {
            Ok(httparse::Status::Complete(length)) if length == self.received.len() => {}
            Ok(_) => return refuse("the response's head is malformed"),
            Err(problem) => return refuse(format!("the response is not HTTP: {problem}")),
        }
        let headers = Headers(response.headers);
        match response.code.unwrap_or_default() {
            101 if response.version != Some(1) => refuse("the server speaks HTTP/1.0"),
            101 => self.check_upgrade(&headers).map(|()| true),
            100..=199 => Ok(false),
            status => Err(ConnectError::Status {
                status,
                retry_after: headers.values("retry-after").find_map(|value| retry_after(value, now)),
                location: (300..=399)
                    .contains(&status)
                    .then(|| headers.values("location").next().map(location))
                    .flatten(),
            }),
        }
    }

    /// RFC 6455 section 4.1, the list of what a client must check in a 101.
    fn check_upgrade(&self, headers: &Headers<'_>) -> Result<(), ConnectError> {
        if !headers.has_token("upgrade", "websocket") {
            return refuse("the response does not upgrade to websocket");
        }
        if !headers.has_token("connection", "upgrade") {
            return refuse("the response's Connection header does not say upgrade");
        }
        let mut accepts = headers.values("sec-websocket-accept");
        match (accepts.next(), accepts.next()) {
            (Some(value), None) if value == self.accept.as_bytes() => {}
            (Some(_), None) => return refuse("Sec-WebSocket-Accept does not match the key"),
            (Some(_), Some(_)) => return refuse("Sec-WebSocket-Accept is there twice"),
            (None, _) => return refuse("Sec-WebSocket-Accept is missing"),
        }
        if headers.tokens("sec-websocket-extensions").any(|extension| !extension.is_empty()) {
            return refuse("the server chose an extension, and none was offered");
        }
        let mut protocols = headers.values("sec-websocket-protocol");
        match (protocols.next(), protocols.next()) {
            (None, _) => Ok(()),
            (Some(chosen), None) if self.offered.iter().any(|name| name.as_bytes() == chosen) => Ok(()),
            (Some(_), None) => refuse("the server chose a subprotocol that was not offered"),
            (Some(_), Some(_)) => refuse("the server chose more than one subprotocol"),
        }
    }
}

/// A response's header lines. Names are compared without regard to case; values have no outer white space.
struct Headers<'a>(&'a [httparse::Header<'a>]);

impl<'a> Headers<'a> {
    fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |line| line.name.eq_ignore_ascii_case(name))
            .map(|line| line.value.trim_ascii())
    }

    /// The members of a comma-separated list that may be spread over several lines.
    fn tokens(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.values(name).flat_map(|value| value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii)
    }

    fn has_token(&self, name: &str, token: &str) -> bool {
        self.tokens(name).any(|found| found.eq_ignore_ascii_case(token.as_bytes()))
    }
}

fn refuse<T>(problem: impl Into<String>) -> Result<T, ConnectError> {
    Err(ConnectError::Upgrade(problem.into()))
}

/// Refuses what cannot become an HTTP/1 response at its first wrong byte, because such a peer may never send a
/// blank line.
fn check_start(received: &[u8]) -> Result<(), ConnectError> {
    const START: &[u8] = b"HTTP/1.";
    if received.iter().zip(START).all(|(is, should)| is == should) {
        return Ok(());
    }
    refuse("the response is not HTTP/1")
}

/// Where the first blank line at or after `from` ends. Lines may end in a bare LF, as `httparse` allows.
pub(super) fn find_blank_line(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).filter(|&at| bytes.get(at) == Some(&b'\n')).find_map(|at| {
        match bytes.get(at + 1..)? {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        }
    })
}

/// `Retry-After` in both forms of RFC 9110 section 10.2.3. A date that has passed means now.
pub(super) fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
    let value = std::str::from_utf8(value).ok()?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Where a redirect points, without the query: servers repeat ours there, token included.
fn location(value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    match value.split_once('?') {
        Some((place, _)) => format!("{place}?***"),
        None => value.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use proptest::prelude::*;

    use super::*;

    /// The example of RFC 6455 section 1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    /// 30 s before the date in RFC 9110's example of `Retry-After`.
    const NOW: u64 = 946_684_769;

    type Outcome = Result<Option<Vec<u8>>, ConnectError>;

    fn config() -> Config {
        Config::new("wss://example.com/feed?token=t").unwrap()
    }

    fn offered() -> Vec<String> {
        ["json", "MsgPack"].map(str::to_owned).to_vec()
    }

    /// Feeds the pieces, and adds to the first frames those that came after the upgrade was decided.
    fn feed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
        let offered = offered();
        let mut response = Response::new(KEY, &offered);
        let mut first = None;
        for piece in pieces {
            match &mut first {
                None => {
                    first = response.handle_bytes(piece, UNIX_EPOCH + Duration::from_secs(NOW))?;
                }
                Some(first) => first.extend_from_slice(piece),
            }
        }
        Ok(first)
    }

    /// What a response means, which must not depend on where it was split.
    fn outcome(response: &[u8]) -> Outcome {
        let whole = feed([response].into_iter());
        assert_eq!(feed(response.chunks(1)), whole, "byte by byte");
        if response.len() < 4096 {
            for at in 0..=response.len() {
                let (head, tail) = response.split_at(at);
                assert_eq!(feed([head, tail].into_iter()), whole, "split at {at}");
            }
        }
        whole
    }

    /// A good response, with header lines replaced or added and bytes behind it.
    fn response(upgrade: &str, connection: &str, accept: &str, extra: &str) -> String {
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {upgrade}\r\nConnection: {connection}\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{extra}\r\n"
        )
    }

    fn with(extra: &str) -> String {
        response("websocket", "Upgrade", ACCEPT, extra)
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_depend_on_the_split(
            mut response in prop::sample::select(vec![
                with("Sec-WebSocket-Protocol: json\r\n"),
                format!("HTTP/1.1 100 Continue\r\n\r\n{}", with("X: y\r\n")),
                "HTTP/1.1 429 x\r\nRetry-After: 7\r\n\r\n".to_owned(),
            ]).prop_map(String::into_bytes),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            for (at, byte) in changes {
                let at = at.index(response.len());
                response[at] = byte;
            }
            response.truncate(cut.index(response.len()) + 1);
            let _ = outcome(&response);
        }
    }

    #[test]
    fn the_request_has_every_header_once_and_the_query() {
        let config = config()
            .subprotocol("a")
            .and_then(|config| config.subprotocol("b"))
            .and_then(|config| config.header("Authorization", "Bearer x"))
            .unwrap();
        let url = Url::parse("wss://example.com:8443/feed?token=t").unwrap();
        assert_eq!(
            String::from_utf8(request(&url, &config, KEY)).unwrap(),
            "GET /feed?token=t HTTP/1.1\r\n\
             Host: example.com:8443\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: a, b\r\n\
             Authorization: Bearer x\r\n\r\n"
        );
    }

    #[test]
    fn good_responses() {
        let cases = [
            with(""),
            response("WebSocket", "keep-alive, Upgrade", ACCEPT, ""),
            response("h2c , websocket", ",upgrade,", ACCEPT, ""),
            response("h2c", "close", ACCEPT, "uPGRADE: websocket\r\nCONNECTION: upgrade\r\n"),
            response("websocket", "Upgrade", &format!("  {ACCEPT}\t "), ""),
            with("Sec-WebSocket-Protocol: json\r\n"),
            with("sec-websocket-protocol:MsgPack\r\n"),
            with("Sec-WebSocket-Extensions: \r\n"),
            with("Content-Length: 5\r\n"),
            with("X: a\r\n b\r\n"),
            response("\r\n websocket", "keep-alive,\r\n\tUpgrade", ACCEPT, ""),
            with("Set-Cookie: a=\u{fc}\r\n"),
            with("").replace("\r\n", "\n"),
            with("").replace(" Switching Protocols", ""),
            with(&"X: y\r\n".repeat(MAX_HEADERS - 3)),
            with(&format!("X: {}\r\n", "y".repeat(MAX_HEAD - 1000))),
            format!("HTTP/1.1 100 Continue\r\n\r\n{}", with("")),
            format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 P\r\n\r\n{}", with("")),
            format!("{}{}", "HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_INTERIM), with("")),
        ];
        for case in cases {
            assert_eq!(outcome(case.as_bytes()), Ok(Some(vec![])), "{case:.300}");
        }
    }

    #[test]
    fn bytes_behind_the_head_are_kept() {
        for frames in [&b"\x81\x02hi"[..], b"\r\n\r\n", b"\n", b"HTTP/1.1 200 OK\r\n\r\n", &[0; 100]] {
            let response = [with("").as_bytes(), frames].concat();
            assert_eq!(outcome(&response), Ok(Some(frames.to_vec())));
        }
    }

    #[test]
    fn an_unfinished_response_decides_nothing() {
        let whole = with("");
        for end in 0..whole.len() {
            assert_eq!(feed([&whole.as_bytes()[..end]].into_iter()), Ok(None), "{end}");
        }
        assert_eq!(outcome(b"HTTP/1.1 100 Continue\r\n\r\n"), Ok(None));
    }

    #[test]
    fn responses_that_break_the_protocol() {
        let twice = format!("Sec-WebSocket-Accept: {ACCEPT}\r\n");
        let cases = [
            ("no Upgrade", with("").replace("Upgrade: websocket\r\n", "")),
            ("no Connection", with("").replace("Connection: Upgrade\r\n", "")),
            ("no Accept", with("").replace(&twice, "")),
            ("another Upgrade", response("h2c", "Upgrade", ACCEPT, "")),
            ("almost websocket", response("websockets", "Upgrade", ACCEPT, "")),
            ("almost upgrade", response("websocket", "keep-alive upgrade", ACCEPT, "")),
            ("another Accept", response("websocket", "Upgrade", "s3pPLMBiTxaQ9kYGzzhZRbK+xOx=", "")),
            ("Accept in another case", response("websocket", "Upgrade", &ACCEPT.to_lowercase(), "")),
            ("Accept cut", response("websocket", "Upgrade", &ACCEPT[..27], "")),
            ("the key back", response("websocket", "Upgrade", KEY, "")),
            ("Accept twice", with(&twice)),
            ("a second Accept", with("Sec-WebSocket-Accept: x\r\n")),
            ("Accept as a list", response("websocket", "Upgrade", &format!("{ACCEPT}, {ACCEPT}"), "")),
            ("an extension", with("Sec-WebSocket-Extensions: permessage-deflate\r\n")),
            ("an extension below", with("Sec-WebSocket-Extensions:\r\nSec-WebSocket-Extensions: x\r\n")),
            ("another subprotocol", with("Sec-WebSocket-Protocol: xml\r\n")),
            ("a subprotocol in another case", with("Sec-WebSocket-Protocol: JSON\r\n")),
            ("two subprotocols", with("Sec-WebSocket-Protocol: json, MsgPack\r\n")),
            (
                "two lines of subprotocols",
                with("Sec-WebSocket-Protocol: json\r\nSec-WebSocket-Protocol: json\r\n"),
            ),
            ("an empty subprotocol", with("Sec-WebSocket-Protocol:\r\n")),
            ("HTTP/1.0", with("").replace("HTTP/1.1", "HTTP/1.0")),
            ("HTTP/2", "HTTP/2 101 x\r\n\r\n".to_owned()),
            ("another protocol", "SSH-2.0-OpenSSH_9.2\r\n".to_owned()),
            ("a frame", "\u{1}\u{2}".to_owned()),
            ("an empty line first", format!("\r\n{}", with(""))),
            ("a bad status", "HTTP/1.1 1x1 OK\r\n\r\n".to_owned()),
            ("a bad header", with("no colon\r\n")),
            ("a space in a name", with("X Y: a\r\n")),
            ("NUL in a value", with("X: a\0b\r\n")),
            ("too many headers", with(&"X: y\r\n".repeat(MAX_HEADERS - 2))),
            ("a large head", with(&format!("X: {}\r\n", "y".repeat(MAX_HEAD)))),
            ("a head without end", format!("HTTP/1.1 101 {}", "y".repeat(MAX_HEAD))),
            ("interim without end", "HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_INTERIM + 1)),
        ];
        for (name, case) in cases {
            let outcome = outcome(case.as_bytes());
            assert!(matches!(outcome, Err(ConnectError::Upgrade(_))), "{name}: {outcome:?}");
        }
    }

    #[test]
    fn other_statuses_are_told_with_their_advice() {
        let status = |status, retry_after: Option<u64>, location: Option<&str>| {
            Err(ConnectError::Status {
                status,
                retry_after: retry_after.map(Duration::from_secs),
                location: location.map(str::to_owned),
            })
        };
        let cases = [
            ("HTTP/1.1 401 Unauthorized\r\n\r\nbody", status(401, None, None)),
            ("HTTP/1.0 503 Busy\r\nRetry-After: 120\r\n\r\n", status(503, Some(120), None)),
            ("HTTP/1.1 429 x\r\nretry-after: 0\r\n\r\n", status(429, Some(0), None)),
            ("HTTP/1.1 429 x\r\nRetry-After: soon\r\nRetry-After: 7\r\n\r\n", status(429, Some(7), None)),
            (
                "HTTP/1.1 429 x\r\nRetry-After: 99999999999999999999999\r\n\r\n",
                status(429, Some(u64::MAX), None),
            ),
            ("HTTP/1.1 429 x\r\nRetry-After: -1\r\n\r\n", status(429, None, None)),
            ("HTTP/1.1 429 x\r\nRetry-After:\r\n\r\n", status(429, None, None)),
            (
                "HTTP/1.1 503 x\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n",
                status(503, Some(30), None),
            ),
            (
                "HTTP/1.1 503 x\r\nRetry-After: Thu, 31 Dec 1998 23:59:59 GMT\r\n\r\n",
                status(503, Some(0), None),
            ),
            ("HTTP/1.1 302 x\r\nLocation: https://b/\r\n\r\n", status(302, None, Some("https://b/"))),
            (
                "HTTP/1.1 302 x\r\nLocation: https://b/login?token=hunter2\r\n\r\n",
                status(302, None, Some("https://b/login?***")),
            ),
            ("HTTP/1.1 200 OK\r\nLocation: https://b/\r\n\r\n", status(200, None, None)),
            ("HTTP/1.1 100 x\r\n\r\nHTTP/1.1 403 x\r\n\r\n", status(403, None, None)),
        ];
        for (case, expected) in cases {
            assert_eq!(outcome(case.as_bytes()), expected, "{case}");
        }
    }
}
