//! WebSocket URLs: RFC 6455 section 3, strictly, and without a table of the world's scripts.

use super::address;
use crate::error::ConfigError;
use std::fmt;

/// A checked `ws://` or `wss://` URL.
///
/// The path and query are kept as written. `Display` and `Debug` hide the query, which often carries a token;
/// [`as_str`](Url::as_str) gives the whole.
///
/// ```
/// # use steadysocket::Url;
/// let url = Url::parse("wss://example.com/feed?token=abc")?;
/// assert_eq!(url.host(), "example.com");
/// assert_eq!(url.port(), 443);
/// assert_eq!(url.target(), "/feed?token=abc");
/// assert_eq!(url.to_string(), "wss://example.com/feed?***");
/// # Ok::<(), steadysocket::error::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    text: String,
    secure: bool,
    host: String,
    port: u16,
    /// Where path and query start in `text`.
    target: usize,
}

const FIELD: &str = "url";

impl Url {
    /// Parses and checks a URL.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `url` for another scheme than `ws` or `wss`, user info, a fragment, an empty or
    /// malformed host, a bad port, white space, control characters, or characters outside ASCII (write an
    /// international host name in its `xn--` form).
    pub fn parse(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        let url = url.as_ref();
        let refuse = |problem: &str| Err(ConfigError::new(FIELD, problem));
        if !url.is_ascii() {
            return refuse(
                "has characters outside ASCII; write the host as xn-- and percent-encode the rest",
            );
        }
        if url.bytes().any(|b| b.is_ascii_control() || b == b' ') {
            return refuse("has white space or control characters");
        }
        if url.bytes().any(|b| b"\"<>\\^`{|}".contains(&b)) {
            return refuse("has a character that must be percent-encoded");
        }
        let parts = url.split_once(':').and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix("//")?)));
        let Some((scheme, rest)) = parts else {
            return refuse("has no scheme; it must start with wss:// or ws://");
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "wss" => true,
            "ws" => false,
            _ => return refuse("must start with wss:// or ws://"),
        };
        if rest.contains('#') {
            return refuse("has a fragment, which RFC 6455 forbids");
        }
        let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
        if authority.contains('@') {
            return refuse("has user info; pass credentials as headers");
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            None | Some("") => {
                if secure {
                    443
                } else {
                    80
                }
            }
            Some(digits) => parse_port(digits)?,
        };
        let host = check_host(host)?;
        let path = &rest[authority.len()..];
        // An empty path is `/` (RFC 6455 section 3).
        let slash = if path.starts_with('/') { "" } else { "/" };
        let head = format!("{}://{authority}", if secure { "wss" } else { "ws" });
        Ok(Self { target: head.len(), text: format!("{head}{slash}{path}"), secure, host, port })
    }

    /// The whole URL, query included.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is `wss://`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host as written, in lower case and without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 443 or 80 when the URL names none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, as they go into the request line.
    pub fn target(&self) -> &str {
        &self.text[self.target..]
    }

    /// The `Host` header's value: the host, and the port when it is not the scheme's own.
    pub fn host_header(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Whether the host is this machine by name or address, so that plain text stays on it.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.ends_with(".localhost")
            || address::v4(&self.host).is_some_and(|[first, ..]| first == 127)
            || address::v6(&self.host) == Some([0, 0, 0, 0, 0, 0, 0, 1])
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<&str>), ConfigError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let Some((host, after)) = rest.split_once(']') else {
            return Err(ConfigError::new(FIELD, "has an unclosed bracket"));
        };
        return match after.strip_prefix(':') {
            Some(port) => Ok((&authority[..host.len() + 2], Some(port))),
            None if after.is_empty() => Ok((authority, None)),
            None => Err(ConfigError::new(FIELD, "has text between host and port")),
        };
    }
    Ok(match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    })
}

fn parse_port(digits: &str) -> Result<u16, ConfigError> {
    let port = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
    port.filter(|&port| port != 0).ok_or_else(|| ConfigError::new(FIELD, "has a port that is not 1 to 65535"))
}

fn check_host(host: &str) -> Result<String, ConfigError> {
    let refuse = |problem: &str| Err(ConfigError::new(FIELD, problem));
    if let Some(v6) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return match address::v6(v6) {
            Some(_) => Ok(v6.to_ascii_lowercase()),
            None => refuse("has a bad IPv6 address"),
        };
    }
    if host.is_empty() {
        return refuse("has no host");
    }
    if host.len() > 253 || host.split('.').any(|label| label.len() > 63) {
        return refuse("has a host name that is too long");
    }
    let labels = host.strip_suffix('.').unwrap_or(host).split('.');
    if labels.clone().any(str::is_empty) {
        return refuse("has an empty label in its host");
    }
    if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
        return refuse("has a bad character in its host");
    }
    // A last label that is a number makes it an IPv4 address by the WHATWG rule, and then it must be one.
    let last = labels.fold("", |_, label| label);
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if is_number && address::v4(host).is_none() {
        return refuse("has a bad IPv4 address");
    }
    Ok(host.to_ascii_lowercase())
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.split_once('?') {
            Some((head, _)) => write!(f, "{head}?***"),
            None => f.write_str(&self.text),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    #[test]
    fn the_parts_of_a_url() {
        let url = parse("WSS://Example.COM:9000/a/b?x=1&y=2");
        assert_eq!((url.host(), url.port(), url.target()), ("example.com", 9000, "/a/b?x=1&y=2"));
        assert_eq!(url.host_header(), "example.com:9000");
        let url = parse("ws://[::1]:80?q");
        assert_eq!((url.host(), url.port(), url.target()), ("::1", 80, "/?q"));
        assert_eq!(url.host_header(), "[::1]");
        assert_eq!(parse("ws://h").as_str(), "ws://h/");
        assert_eq!(parse("wss://h:").port(), 443);
    }

    #[test]
    fn loopback_by_name_and_address() {
        for url in ["ws://localhost", "ws://a.localhost:1", "ws://127.8.9.1", "ws://[::1]"] {
            assert!(parse(url).is_loopback(), "{url}");
        }
        for url in ["ws://localhost.example", "ws://128.0.0.1", "ws://[::2]", "ws://127.example.com"] {
            assert!(!parse(url).is_loopback(), "{url}");
        }
    }

    #[test]
    fn bad_urls_name_the_field() {
        for url in [
            "",
            "wss",
            "wss://",
            "http://h",
            "//h",
            "wss://h#f",
            "wss://u:p@h",
            "wss://h:0",
            "wss://h:65536",
            "wss://h:+1",
            "wss://[::1",
            "wss://[::1]x",
            "wss://[zz]",
            "wss://a b",
            "wss://h\r\nX: y",
            "wss://é",
            "wss://a..b",
            "wss://.",
            "wss://a..",
            "wss://1.2.3",
            "wss://256.1.1.1",
            "wss://127.0.0.0x",
            "wss://0x7F000001",
            "wss://h/{x}",
            "wss://:80",
            "wss://a:b:c",
            "wss://h%41",
        ] {
            let error = Url::parse(url).expect_err(url);
            assert_eq!(error.field, "url", "{url}");
        }
    }

    #[test]
    fn the_query_is_not_printed() {
        let url = parse("wss://h/p?token=hunter2");
        assert!(!format!("{url} {url:?}").contains("hunter2"));
        assert!(url.as_str().contains("hunter2"));
    }
}
