//! Why an attempt to connect failed, and whether to try again.

use std::time::Duration;

use super::{Category, ConfigError};
use crate::frame::CloseCode;

/// The part of connecting that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Phase {
    /// Waiting for the endpoint provider.
    Endpoint,
    /// Looking up the host's addresses.
    Dns,
    /// Opening the TCP connection.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// The HTTP upgrade.
    Upgrade,
    /// The browser connects and does not say how far it came.
    Browser,
    /// Reaching the proxy, and asking it for a way to the server.
    Proxy,
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Endpoint => "asking for the endpoint",
            Self::Dns => "looking up the host",
            Self::Tcp => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Upgrade => "the upgrade",
            Self::Browser => "connecting",
            Self::Proxy => "connecting through the proxy",
        })
    }
}

/// Why an attempt to connect failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum ConnectError {
    /// The endpoint provider failed.
    #[error("endpoint provider: {0}")]
    Endpoint(String),
    /// This platform cannot use the configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The host has no address.
    #[error("cannot resolve {host}: {problem}")]
    Dns {
        /// The host name.
        host: String,
        /// What the resolver said.
        problem: String,
    },
    /// No address of the host accepted a TCP connection.
    #[error("{0}")]
    Tcp(String),
    /// The TLS handshake failed.
    #[error("TLS: {problem}")]
    Tls {
        /// What kind of failure it was.
        kind: TlsFailure,
        /// What the TLS library said.
        problem: String,
    },
    /// The server answered the upgrade with an HTTP status other than 101.
    #[error("the server answered HTTP {status}{}", .location.as_ref().map(|to| format!(", a redirect to {to}, which is not followed")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        status: u16,
        /// How long the server asked us to wait, from `Retry-After` in either form.
        retry_after: Option<Duration>,
        /// Where a redirect points. Redirects are not followed.
        location: Option<String>,
    },
    /// The answer to the upgrade breaks RFC 6455 section 4.
    #[error("not a valid upgrade: {0}")]
    Upgrade(String),
    /// The connection ended during the handshake.
    #[error("the connection ended during {phase}: {problem}")]
    Io {
        /// What was under way.
        phase: Phase,
        /// What the operating system said.
        problem: String,
    },
    /// The proxy could not be used, or made no way to the server.
    #[error("proxy: {problem}")]
    Proxy {
        /// What kind of failure it was.
        kind: ProxyFailure,
        /// What happened.
        problem: String,
        /// How long the proxy asked us to wait, from `Retry-After` in either form.
        retry_after: Option<Duration>,
    },
    /// The overall deadline for DNS, proxy, TCP, TLS and upgrade passed.
    #[error("timed out in {0}")]
    Timeout(Phase),
    /// The browser failed to connect and does not say why.
    #[error("the browser could not connect and does not say why")]
    Browser,
}

/// Kinds of TLS failure that call for different action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum TlsFailure {
    /// The certificate is expired or not yet valid.
    Expired,
    /// No trusted root signed it.
    UnknownIssuer,
    /// Nobody but its own key vouches for it.
    SelfSigned,
    /// It is for another host.
    WrongHost,
    /// It was revoked.
    Revoked,
    /// Its public key is none of those that were pinned.
    NotPinned,
    /// Any other fault of the certificate.
    Certificate,
    /// The two sides have no version or cipher in common, or one of them broke the protocol.
    Handshake,
}

impl TlsFailure {
    fn verdict(self) -> Verdict {
        match self {
            Self::Handshake => Verdict::Retry(None),
            Self::Expired | Self::UnknownIssuer | Self::SelfSigned | Self::WrongHost => Verdict::Stop,
            Self::Revoked | Self::NotPinned | Self::Certificate => Verdict::Stop,
        }
    }
}

/// Kinds of failure at a proxy that call for different action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    feature = "record",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum ProxyFailure {
    /// It could not be reached, or ended the connection without an answer: tried again.
    Unreachable,
    /// The TLS handshake with an `https://` proxy failed.
    Tls(TlsFailure),
    /// It wants other credentials: HTTP 407, or SOCKS5 refused them or our ways to show them.
    Authentication,
    /// It does not let us go to this server: HTTP 403 and other final answers, SOCKS5 "not allowed by ruleset".
    Refused,
    /// It could not reach the server, or not now: HTTP 429 and 5xx, SOCKS5 "host unreachable" and the like; tried again.
    Unavailable,
    /// Its answer breaks HTTP or SOCKS5: tried again, because it may be restarting.
    Protocol,
}

impl ProxyFailure {
    fn category(self) -> Category {
        match self {
            Self::Unreachable | Self::Tls(_) | Self::Refused | Self::Unavailable => Category::Connection,
            Self::Authentication => Category::Authentication,
            Self::Protocol => Category::Protocol,
        }
    }

    fn verdict(self, retry_after: Option<Duration>) -> Verdict {
        match self {
            Self::Unreachable | Self::Unavailable | Self::Protocol => Verdict::Retry(retry_after),
            Self::Tls(kind) => kind.verdict(),
            Self::Authentication | Self::Refused => Verdict::Stop,
        }
    }
}

/// Whether to try again, and after what time at the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Try again by the backoff, and not before the given time when there is one.
    Retry(Option<Duration>),
    /// The same attempt would fail again: the client ends.
    Stop,
}

/// What an HTTP status in answer to the upgrade means for the next attempt.
///
/// A client that was live once is more patient: for it only 401, 403 and 407 are final, because a proxy may answer
/// anything while a server is deployed.
pub fn status_verdict(status: u16, retry_after: Option<Duration>) -> Verdict {
    match status {
        // Request timeout, misdirected, too early, too many requests; and the server's own trouble.
        408 | 421 | 425 | 429 | 500 | 502..=504 | 506..=599 => Verdict::Retry(retry_after),
        // Redirects, refusals (401, 403, 407) and requests that cannot succeed (404, 426, 501 …).
        _ => Verdict::Stop,
    }
}

/// What a close code from the server means, unless the protocol knows better.
///
/// 4000–4999 belong to the application: a [`Protocol`](crate::Protocol) decides, and the default is to try again.
pub fn close_verdict(code: CloseCode) -> Verdict {
    match code {
        CloseCode::UNSUPPORTED_DATA | CloseCode::POLICY_VIOLATION | CloseCode::MANDATORY_EXTENSION => {
            Verdict::Stop
        }
        CloseCode::UNAUTHORIZED | CloseCode::FORBIDDEN => Verdict::Stop,
        CloseCode::TRY_AGAIN_LATER => Verdict::Retry(Some(Duration::from_secs(1))),
        _ => Verdict::Retry(None),
    }
}

impl ConnectError {
    /// Which of the four categories this belongs to.
    pub fn category(&self) -> Category {
        match self {
            Self::Status { status: 401 | 403 | 407, .. } => Category::Authentication,
            Self::Status { status: 408 | 425 | 429 | 500.., .. } => Category::Connection,
            Self::Status { .. } | Self::Upgrade(_) => Category::Protocol,
            Self::Config(_) => Category::Application,
            Self::Endpoint(_) | Self::Dns { .. } | Self::Tcp(_) | Self::Io { .. } => Category::Connection,
            Self::Tls { .. } | Self::Timeout(_) | Self::Browser => Category::Connection,
            Self::Proxy { kind, .. } => kind.category(),
        }
    }

    /// Whether another attempt makes sense.
    ///
    /// A server that answers the upgrade with something else than HTTP may be restarting, so that is retried;
    /// a certificate that does not verify will not get better by asking again.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Status { status, retry_after, .. } => status_verdict(*status, *retry_after),
            Self::Tls { kind, .. } => kind.verdict(),
            Self::Proxy { kind, retry_after, .. } => kind.verdict(*retry_after),
            Self::Config(_) => Verdict::Stop,
            Self::Endpoint(_) | Self::Dns { .. } | Self::Tcp(_) | Self::Upgrade(_) => Verdict::Retry(None),
            Self::Io { .. } | Self::Timeout(_) | Self::Browser => Verdict::Retry(None),
        }
    }
}
