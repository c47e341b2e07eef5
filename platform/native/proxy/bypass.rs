//! Which servers are reached without the proxy.

use std::fmt;
use std::net::IpAddr;

use crate::config::Url;
use crate::error::ConfigError;

/// The rules of a `NO_PROXY` list.
#[derive(Clone, Default)]
pub(super) struct Bypass(Vec<Rule>);

#[derive(Clone)]
struct Rule {
    whom: Whom,
    /// Any port when there is none.
    port: Option<u16>,
}

#[derive(Clone)]
enum Whom {
    Everyone,
    /// A name and all names below it.
    Domain(String),
    Network {
        address: IpAddr,
        prefix: u32,
    },
}

impl Bypass {
    /// Adds the entries of a list; `field` is what it is called.
    pub(super) fn add(&mut self, field: &'static str, list: &str) -> Result<(), ConfigError> {
        for entry in list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()) {
            let rule = Rule::parse(entry).ok_or_else(|| {
                ConfigError::new(field, format!("{entry:?} is no host, address, network or *"))
            })?;
            self.0.push(rule);
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn covers(&self, url: &Url) -> bool {
        self.0.iter().any(|rule| rule.covers(url))
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        // An IPv6 address of its own has colons and no port.
        if let Some(whom) = Whom::parse(entry) {
            return Some(Self { whom, port: None });
        }
        let (host, port) = entry.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok()).flatten()?;
        Some(Self { whom: Whom::parse(host)?, port: Some(port) })
    }

    fn covers(&self, url: &Url) -> bool {
        self.port.is_none_or(|port| port == url.port()) && self.whom.covers(url.host())
    }
}

impl Whom {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everyone);
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            let address = address.to_canonical();
            return Some(Self::Network { address, prefix: bits(address) });
        }
        if let Some((address, prefix)) = text.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let prefix = prefix.parse().ok().filter(|&prefix| prefix <= bits(address))?;
            return Some(Self::Network { address, prefix });
        }
        let name = text.strip_prefix("*.").or(text.strip_prefix('.')).unwrap_or(text).trim_end_matches('.');
        let is_name = name.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        });
        // `10.0` and `1.2.3.400` are mistyped addresses, which no name can be (WHATWG URL section 3.5).
        let is_number = name.rsplit('.').next()?.bytes().all(|byte| byte.is_ascii_digit());
        (is_name && !is_number).then(|| Self::Domain(name.to_ascii_lowercase()))
    }

    fn covers(&self, host: &str) -> bool {
        match (self, host.parse::<IpAddr>()) {
            (Self::Everyone, _) => true,
            (Self::Network { address, prefix }, Ok(host)) => {
                is_within(host.to_canonical(), *address, *prefix)
            }
            (Self::Domain(name), Err(_)) => {
                let above = host.trim_end_matches('.').strip_suffix(name.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            (Self::Network { .. }, Err(_)) | (Self::Domain(_), Ok(_)) => false,
        }
    }
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Whether both begin with the same `prefix` bits.
fn is_within(host: IpAddr, network: IpAddr, prefix: u32) -> bool {
    let differing = match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => (host.to_bits() ^ network.to_bits()).leading_zeros(),
        (IpAddr::V6(host), IpAddr::V6(network)) => (host.to_bits() ^ network.to_bits()).leading_zeros(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    differing >= prefix
}

impl fmt::Debug for Bypass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.whom {
            Whom::Everyone => f.write_str("*")?,
            Whom::Domain(name) => f.write_str(name)?,
            Whom::Network { address, prefix } => write!(f, "[{address}/{prefix}]")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn covers(list: &str, url: &str) -> bool {
        let mut bypass = Bypass::default();
        bypass.add("f", list).unwrap();
        bypass.covers(&Url::parse(url).unwrap())
    }

    #[test]
    fn what_each_kind_of_entry_covers() {
        let cases = [
            ("example.com", "wss://example.com", true),
            ("example.com", "wss://a.b.EXAMPLE.com:9000", true),
            ("Example.COM.", "wss://example.com.", true),
            (".example.com", "wss://example.com", true),
            ("*.example.com", "wss://a.example.com", true),
            ("example.com", "wss://notexample.com", false),
            ("example.com", "wss://example.com.evil", false),
            ("example.com:8443", "wss://example.com:8443", true),
            ("example.com:8443", "wss://example.com", false),
            ("example.com:443", "wss://example.com", true),
            ("127.0.0.1", "ws://127.0.0.1:8080", true),
            ("127.0.0.1:80", "ws://127.0.0.1:8080", false),
            ("127.0.0.1", "ws://127.0.0.2", false),
            ("10.0.0.0/8", "wss://10.255.1.2", true),
            ("10.0.0.0/8", "wss://11.0.0.1", false),
            ("10.1.2.3/8", "wss://10.9.9.9", true),
            ("0.0.0.0/0", "wss://8.8.8.8", true),
            ("0.0.0.0/0", "wss://example.com", false),
            ("0.0.0.0/0", "ws://[::1]", false),
            ("192.0.2.1/32", "wss://192.0.2.1", true),
            ("::1", "ws://[::1]", true),
            ("[::1]", "ws://[::1]:9", true),
            ("[::1]:80", "ws://[::1]:80", true),
            ("[::1]:80", "ws://[::1]:81", false),
            ("fd00::/8", "wss://[fd12::1]", true),
            ("fd00::/8", "wss://[fe80::1]", false),
            ("10.0.0.1", "wss://[::ffff:10.0.0.1]", true),
            ("*", "wss://anything", true),
            ("", "wss://anything", false),
            (" a , localhost,b ", "ws://localhost", true),
            ("a b", "wss://b", true),
        ];
        for (list, url, expected) in cases {
            assert_eq!(covers(list, url), expected, "{list:?} {url}");
        }
    }

    #[test]
    fn an_entry_that_is_not_understood_is_refused() {
        for entry in [
            "10.0.0.0/33",
            "fd00::/129",
            "10.0/8",
            "a/8",
            "a..b",
            "http://a",
            "a:b",
            "10.0.0",
            "é",
            "a*b",
            "a:99999",
        ] {
            let error = Bypass::default().add("NO_PROXY", entry).expect_err(entry);
            assert_eq!(error.field, "NO_PROXY");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(list in ".{0,40}") {
            let mut bypass = Bypass::default();
            let _ = bypass.add("f", &list);
            bypass.covers(&Url::parse("wss://example.com").unwrap());
            bypass.covers(&Url::parse("wss://[::1]").unwrap());
        }
    }
}
