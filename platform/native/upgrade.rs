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
        match response.parse(&self.received) {
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
fn find_blank_line(bytes: &[u8], from: usize) -> Option<usize> {
    (from..bytes.len()).filter(|&at| bytes.get(at) == Some(&b'\n')).find_map(|at| {
        match bytes.get(at + 1..)? {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        }
    })
}

/// `Retry-After` in both forms of RFC 9110 section 10.2.3. A date that has passed means now.
fn retry_after(value: &[u8], now: SystemTime) -> Option<Duration> {
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
