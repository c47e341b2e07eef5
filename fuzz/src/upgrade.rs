//! The response to an upgrade.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use steadysocket::error::ConnectError;

use crate::handshake::Response;

/// The example of RFC 6455 section 1.3; its `Sec-WebSocket-Accept` is in the corpus.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

type Outcome = Result<Option<Vec<u8>>, ConnectError>;

/// The first byte says how the rest is cut; the rest is what the server sends.
pub fn run(data: &[u8]) {
    let Some((cut, response)) = data.split_first() else { return };
    let whole = feed([response].into_iter());
    assert_eq!(feed(response.chunks(1)), whole, "byte by byte");
    assert_eq!(feed(response.chunks(usize::from(*cut).max(1))), whole, "in pieces of {cut}");
    if let Ok(Some(rest)) = &whole {
        assert!(response.ends_with(rest));
    }
    if let Err(ConnectError::Status { status, .. }) = whole {
        // The parser takes any three digits.
        assert!(status < 1000 && status != 101);
    }
    retry_after(response);
}

fn feed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let offered = ["json".to_owned()];
    let mut response = Response::new(KEY, &offered);
    let mut rest: Option<Vec<u8>> = None;
    for piece in pieces {
        match &mut rest {
            None => rest = response.handle_bytes(piece, now())?,
            Some(rest) => rest.extend_from_slice(piece),
        }
    }
    Ok(rest)
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// The same bytes as the value of `Retry-After`: an integer of seconds, a date, or nothing.
fn retry_after(value: &[u8]) {
    if value.len() > 100 || value.iter().any(|byte| !(b' '..=b'~').contains(byte)) {
        return;
    }
    let head = [b"HTTP/1.1 503 x\r\nRetry-After: ".as_slice(), value, b"\r\n\r\n"].concat();
    let Err(ConnectError::Status { retry_after, .. }) = feed([head.as_slice()].into_iter()) else {
        panic!("a response of status 503 is one");
    };
    let text = std::str::from_utf8(value).unwrap().trim();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    match text.parse::<u64>() {
        Ok(seconds) if digits => assert_eq!(retry_after, Some(Duration::from_secs(seconds))),
        // More than can be counted is for ever, not now.
        _ if digits => assert_eq!(retry_after, Some(Duration::from_secs(u64::MAX))),
        _ => {
            let date = httpdate::parse_http_date(text).ok();
            let wait = date.map(|date| date.duration_since(now()).unwrap_or_default());
            assert_eq!(retry_after, wait, "{text:?}");
        }
    }
}
