//! Proxies: a way to the server through another machine (HTTP CONNECT or SOCKS5).

mod bypass;
mod env;
mod http;
mod socks;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use self::bypass::Bypass;
use super::dial::dial;
use super::stream::Stream;
use super::tls::{Connector, Tls};
use crate::config::{Config, Url};
use crate::error::{ConfigError, ConnectError, Phase, ProxyFailure};
use crate::secret::Secret;
use crate::transport::Progress;

const FIELD: &str = "proxy";

/// A proxy that leads to the server: HTTP CONNECT (RFC 9110 section 9.3.6) or SOCKS5 (RFC 1928).
///
/// The server's name is looked up by the proxy, never here. Reaching the proxy, its handshake and everything behind it
/// share the one [`connect_timeout`](crate::Config::connect_timeout); what goes wrong at the proxy is a
/// [`ConnectError::Proxy`], and there is never a direct connection instead. `wss://` is encrypted from here to the
/// server, so that the proxy sees its name and port only. `ws://` goes to a proxy on this machine alone, unless
/// [`allow_plaintext`](crate::Config::allow_plaintext) is set.
///
/// ```
/// use steadysocket::{Native, Proxy};
/// let native = Native::new().proxy(Proxy::parse("http://user:secret@proxy.example:3128")?.except("localhost, 10.0.0.0/8")?);
/// assert!(!format!("{native:?}").contains("secret"));
/// # Ok::<(), steadysocket::error::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Proxy {
    kind: Kind,
    /// Where it is; `wss` for a proxy that speaks TLS.
    at: Url,
    credentials: Option<Credentials>,
    bypass: Bypass,
    connector: Arc<Connector>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Https,
    Socks5,
}

#[derive(Clone)]
struct Credentials {
    user: Secret,
    password: Secret,
}

impl Proxy {
    /// Parses a proxy's URL: `scheme://[user[:password]@]host[:port]`, with percent-encoded credentials.
    ///
    /// | scheme | what is spoken | default port |
    /// | --- | --- | --- |
    /// | `http` | HTTP CONNECT; credentials as Basic (RFC 7617) | 80 |
    /// | `https` | the same inside TLS, with the options of [`tls`](Self::tls) | 443 |
    /// | `socks5`, `socks5h` | SOCKS5; credentials by RFC 1929. Both mean the same here: the proxy looks the name up | 1080 |
    ///
    /// # Errors
    /// A [`ConfigError`] on field `proxy` for any other scheme, a missing or malformed host, a bad port, a path, or
    /// credentials that cannot be used. It does not quote the URL.
    pub fn parse(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        let (kind, rest) = split_scheme(url.as_ref())?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(refused("has a path, query or fragment; percent-encode these signs in credentials"));
        }
        let (user_info, authority) = match rest.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info), authority),
            None => (None, rest),
        };
        let (scheme, port) = match kind {
            Kind::Https => ("wss", ""),
            Kind::Socks5 if !has_port(authority) => ("ws", ":1080"),
            Kind::Http | Kind::Socks5 => ("ws", ""),
        };
        let at = Url::parse(format!("{scheme}://{}{port}", authority.trim_end_matches(':')))
            .map_err(|error| refused(error.problem))?;
        let proxy = Self {
            kind,
            at,
            credentials: None,
            bypass: Bypass::default(),
            connector: Arc::new(Connector::new(Tls::new())),
        };
        let Some(user_info) = user_info else { return Ok(proxy) };
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        proxy.credentials(percent_decode(user)?, percent_decode(password)?)
    }

    /// Identifies the client to the proxy: Basic for HTTP, RFC 1929 for SOCKS5. Neither is ever printed.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `proxy` for an empty user name, one with a colon, either of more than 255 bytes, or
    /// control characters.
    pub fn credentials(
        mut self,
        user: impl Into<Secret>,
        password: impl Into<Secret>,
    ) -> Result<Self, ConfigError> {
        let (user, password) = (user.into(), password.into());
        if user.expose().is_empty() || user.expose().contains(':') {
            return Err(refused("has an empty user name, or one with a colon"));
        }
        for text in [user.expose(), password.expose()] {
            if text.len() > 255 || text.chars().any(char::is_control) {
                return Err(refused("has credentials with control characters, or of more than 255 bytes"));
            }
        }
        self.credentials = Some(Credentials { user, password });
        Ok(self)
    }

    /// Servers that are connected to directly, as in `NO_PROXY`: entries with commas between them. Calls add up.
    ///
    /// | entry | covers |
    /// | --- | --- |
    /// | `example.com`, `.example.com`, `*.example.com` | this host and every name below it |
    /// | `192.0.2.1`, `2001:db8::1` | URLs with this address |
    /// | `10.0.0.0/8`, `fd00::/8` | URLs with an address in this network; names are not looked up for it |
    /// | `example.com:8443`, `[::1]:80` | the same for one port |
    /// | `*` | everything |
    ///
    /// # Errors
    /// A [`ConfigError`] on field `proxy.except` for an entry that is none of these.
    pub fn except(mut self, list: impl AsRef<str>) -> Result<Self, ConfigError> {
        self.bypass.add("proxy.except", list.as_ref())?;
        Ok(self)
    }

    /// TLS options for an `https://` proxy. Default: [`Tls::new`]; those of the server do not count here.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.connector = Arc::new(Connector::new(tls));
        self
    }

    /// A stream that leads to the server.
    async fn connect(
        &self,
        to: &Url,
        config: &Config,
        progress: &Progress,
    ) -> Result<Box<dyn Stream>, ConnectError> {
        progress.enter(Phase::Proxy);
        // Its own lookup and connection are part of the one phase, which says at whom things stand still.
        let must_stay = config.must_stay(to);
        let reached = dial(&self.at, must_stay, config, &Progress::default()).await;
        let mut stream: Box<dyn Stream> = Box::new(reached.map_err(unreachable)?);
        if self.at.is_secure() {
            stream = Box::new(self.connector.connect(self.at.host(), stream).await.map_err(unreachable)?);
        }
        match self.kind {
            Kind::Http | Kind::Https => http::open(&mut stream, to, self.credentials.as_ref()).await?,
            Kind::Socks5 => socks::open(&mut stream, to, self.credentials.as_ref()).await?,
        }
        Ok(stream)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.kind {
            Kind::Http => "http",
            Kind::Https => "https",
            Kind::Socks5 => "socks5h",
        };
        let user_info = if self.credentials.is_some() { "***@" } else { "" };
        let host = self.at.host();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        write!(f, "Proxy({scheme}://{user_info}{host}:{}", self.at.port())?;
        if !self.bypass.is_empty() {
            write!(f, ", except {:?}", self.bypass)?;
        }
        f.write_str(")")
    }
}

/// Which proxy leads to which servers; none by default.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies {
    secure: Option<Arc<Proxy>>,
    plain: Option<Arc<Proxy>>,
}

impl Proxies {
    pub(super) fn all(proxy: Proxy) -> Self {
        let proxy = Some(Arc::new(proxy));
        Self { secure: proxy.clone(), plain: proxy }
    }

    /// What the environment's variables say.
    pub(super) fn from_env() -> Result<Self, ConfigError> {
        env::read(|name| std::env::var_os(name))
    }

    fn lead_to(&self, to: &Url) -> Option<&Proxy> {
        let proxy = if to.is_secure() { &self.secure } else { &self.plain };
        proxy.as_deref().filter(|proxy| !proxy.bypass.covers(to))
    }

    /// A stream to the server, by TCP or through its proxy.
    pub(super) async fn connect(
        &self,
        to: &Url,
        config: &Config,
        progress: &Progress,
    ) -> Result<Box<dyn Stream>, ConnectError> {
        match self.lead_to(to) {
            Some(proxy) => proxy.connect(to, config, progress).await,
            None => Ok(Box::new(dial(to, config.must_stay(to), config, progress).await?)),
        }
    }
}

fn split_scheme(url: &str) -> Result<(Kind, &str), ConfigError> {
    const SCHEMES: &str = "must start with http://, https://, socks5:// or socks5h://";
    let (scheme, rest) = url.split_once("://").ok_or_else(|| refused(SCHEMES))?;
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "http" => Kind::Http,
        "https" => Kind::Https,
        "socks5" | "socks5h" => Kind::Socks5,
        _ => return Err(refused(SCHEMES)),
    };
    Ok((kind, rest))
}

/// The colons of an IPv6 address are inside brackets.
fn has_port(authority: &str) -> bool {
    authority.rsplit(']').next().is_some_and(|end| end.trim_end_matches(':').contains(':'))
}

fn percent_decode(text: &str) -> Result<String, ConfigError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        decoded.push(match byte {
            b'%' => hex(rest.next()).zip(hex(rest.next())).map(|(high, low)| high << 4 | low),
            byte => Some(byte),
        });
    }
    let decoded: Option<Vec<u8>> = decoded.into_iter().collect();
    decoded
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| refused("has credentials that are not percent-encoded UTF-8"))
}

fn hex(digit: Option<u8>) -> Option<u8> {
    char::from(digit?).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn refused(problem: impl Into<String>) -> ConfigError {
    ConfigError::new(FIELD, problem)
}

/// What a failure to reach the proxy itself means.
fn unreachable(error: ConnectError) -> ConnectError {
    let kind = match &error {
        ConnectError::Config(_) => return error,
        ConnectError::Tls { kind, .. } => ProxyFailure::Tls(*kind),
        _ => ProxyFailure::Unreachable,
    };
    failure(kind, error.to_string())
}

fn failure(kind: ProxyFailure, problem: impl Into<String>) -> ConnectError {
    failure_with(kind, problem, None)
}

fn failure_with(
    kind: ProxyFailure,
    problem: impl Into<String>,
    retry_after: Option<Duration>,
) -> ConnectError {
    ConnectError::Proxy { kind, problem: problem.into(), retry_after }
}

/// What it means that the connection ended while the proxy was spoken to.
fn broken(error: &io::Error) -> ConnectError {
    match super::tls::io_failure(error, Phase::Proxy) {
        ConnectError::Tls { kind, problem } => failure(ProxyFailure::Tls(kind), problem),
        _ if error.kind() == io::ErrorKind::UnexpectedEof => {
            failure(ProxyFailure::Unreachable, "it closed the connection")
        }
        _ => failure(ProxyFailure::Unreachable, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Proxy {
        Proxy::parse(url).unwrap()
    }

    #[test]
    fn the_parts_of_a_proxys_url() {
        for (url, shown) in [
            ("http://proxy", "Proxy(http://proxy:80)"),
            ("HTTP://Proxy:3128/", "Proxy(http://proxy:3128)"),
            ("https://proxy", "Proxy(https://proxy:443)"),
            ("https://u:p@[::1]:8443", "Proxy(https://***@[::1]:8443)"),
            ("socks5://127.0.0.1", "Proxy(socks5h://127.0.0.1:1080)"),
            ("socks5h://u@[::1]", "Proxy(socks5h://***@[::1]:1080)"),
            ("socks5://h:80", "Proxy(socks5h://h:80)"),
            ("socks5://h:", "Proxy(socks5h://h:1080)"),
        ] {
            assert_eq!(format!("{:?}", parse(url)), shown, "{url}");
        }
        let credentials = parse("http://us%65r:p%40ss%3a%2F@h").credentials.unwrap();
        assert_eq!((credentials.user.expose(), credentials.password.expose()), ("user", "p@ss:/"));
        let credentials = parse("socks5://a@b:c@h").credentials.unwrap();
        assert_eq!((credentials.user.expose(), credentials.password.expose()), ("a@b", "c"));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_not_quoted() {
        let long = format!("http://hunter2{}@h", "x".repeat(250));
        for url in [
            "",
            "proxy:3128",
            "socks4://hunter2@h",
            "socks://hunter2@h",
            "ftp://hunter2@h",
            "direct://",
            "http://",
            "http://hunter2@",
            "http://hunter2:x@h:0",
            "http://hunter2@h:65536",
            "http://hunter2@h/path",
            "http://hunter2@h?q",
            "http://hunter2@h#f",
            "http://:hunter2@h",
            "http://hunter2%3a:x@h",
            "http://hunter2%zz@h",
            "http://hunter2%f@h",
            "http://hunter2%ff@h",
            "http://hunter2%0d%0aX:y@h",
            "http://hunter2@a b",
            "http://hunter2@[::1",
            &long,
        ] {
            let error = Proxy::parse(url).expect_err(url);
            assert_eq!(error.field, "proxy", "{url}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn each_scheme_has_its_way_and_exceptions_go_directly() {
        let url = |url| Url::parse(url).unwrap();
        let proxies = Proxies::all(parse("http://h").except("internal, 10.0.0.0/8").unwrap());
        assert!(proxies.lead_to(&url("wss://example.com")).is_some());
        assert!(proxies.lead_to(&url("ws://127.0.0.1")).is_some());
        assert!(proxies.lead_to(&url("wss://a.internal")).is_none());
        assert!(proxies.lead_to(&url("wss://10.1.2.3")).is_none());
        assert!(Proxies::default().lead_to(&url("wss://example.com")).is_none());
    }
}
