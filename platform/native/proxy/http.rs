//! HTTP CONNECT (RFC 9110 section 9.3.6).

use bytes::{Buf, BytesMut};
use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Credentials, broken, failure, failure_with};
use crate::config::Url;
use crate::error::{ConnectError, ProxyFailure, Verdict, status_verdict};
use crate::platform::native::stream::Stream;
use crate::platform::native::upgrade::{find_blank_line, retry_after};
use crate::platform::native::wall_clock;

/// The largest response head, in bytes, and the most header lines and interim responses in it.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 128;
const MAX_INTERIM: usize = 16;

/// Asks the proxy for a tunnel to the server.
pub(super) async fn open(
    stream: &mut Box<dyn Stream>,
    to: &Url,
    credentials: Option<&Credentials>,
) -> Result<(), ConnectError> {
    stream.write_all(&request(to, credentials)).await.map_err(|error| broken(&error))?;
    stream.flush().await.map_err(|error| broken(&error))?;
    let mut received = BytesMut::with_capacity(1024);
    for _ in 0..=MAX_INTERIM {
        let end = read_head(stream, &mut received).await?;
        if is_open(&received[..end])? {
            received.advance(end);
            return match received.is_empty() {
                true => Ok(()),
                // Neither TLS nor a WebSocket server speaks first: this comes from the proxy itself.
                false => Err(failure(ProxyFailure::Protocol, "it sent data that nobody asked for")),
            };
        }
        received.advance(end);
    }
    Err(failure(ProxyFailure::Protocol, "it sends interim responses without end"))
}

/// The request, credentials included: never print it.
fn request(to: &Url, credentials: Option<&Credentials>) -> Vec<u8> {
    let host = to.host();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let at = format!("{host}:{}", to.port());
    let mut head = format!("CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n");
    if let Some(Credentials { user, password }) = credentials {
        let basic = BASE64.encode(format!("{}:{}", user.expose(), password.expose()).as_bytes());
        head.push_str("Proxy-Authorization: Basic ");
        head.push_str(&basic);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Reads on until the next response's head is complete; returns where it ends.
async fn read_head(stream: &mut Box<dyn Stream>, received: &mut BytesMut) -> Result<usize, ConnectError> {
    let mut scanned = 0;
    loop {
        if let Some(end) = find_blank_line(received, scanned) {
            return Ok(end);
        }
        // The blank line may be split between two pieces.
        scanned = received.len().saturating_sub(2);
        if received.len() > MAX_HEAD {
            return Err(failure(ProxyFailure::Protocol, "its response's head is too large"));
        }
        if stream.read_buf(received).await.map_err(|error| broken(&error))? == 0 {
            return Err(failure(ProxyFailure::Unreachable, "it closed the connection"));
        }
        if received.iter().zip(b"HTTP/1.").any(|(is, should)| is != should) {
            return Err(failure(ProxyFailure::Protocol, "its response is not HTTP/1"));
        }
    }
}

/// Whether the tunnel is open, or only an interim response came.
fn is_open(head: &[u8]) -> Result<bool, ConnectError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    if !matches!(response.parse(head), Ok(httparse::Status::Complete(length)) if length == head.len()) {
        return Err(failure(ProxyFailure::Protocol, "its response is malformed"));
    }
    let wait = response.headers.iter().find(|line| line.name.eq_ignore_ascii_case("retry-after"));
    let wait = wait.and_then(|line| retry_after(line.value.trim_ascii(), wall_clock()));
    let status = response.code.unwrap_or_default();
    let kind = match (status, status_verdict(status, wait)) {
        (200..=299, _) => return Ok(true),
        // There is no other protocol to switch to.
        (100 | 102..=199, _) => return Ok(false),
        (407, _) => ProxyFailure::Authentication,
        (_, Verdict::Retry(_)) => ProxyFailure::Unavailable,
        (_, Verdict::Stop) => ProxyFailure::Refused,
    };
    Err(failure_with(kind, format!("it answered HTTP {status}"), wait))
}
