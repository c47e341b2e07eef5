//! The proxies that environment variables name.

use std::ffi::OsString;
use std::sync::Arc;

use super::{Proxies, Proxy};
use crate::error::ConfigError;

/// Each way's variables, the first that is set and not empty counts. An upper-case `HTTP_PROXY` is not among them: a CGI
/// server sets it from a request's header.
const SECURE: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const PLAIN: [&str; 3] = ["http_proxy", "all_proxy", "ALL_PROXY"];
const EXCEPT: [&str; 2] = ["no_proxy", "NO_PROXY"];

pub(super) fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Proxies, ConfigError> {
    let except = first(&EXCEPT, &variable)?;
    let proxy = |names: &[&'static str]| -> Result<_, ConfigError> {
        let Some((name, value)) = first(names, &variable)? else { return Ok(None) };
        // Without a scheme it is HTTP's, as everywhere.
        let url = if value.contains("://") { value } else { format!("http://{value}") };
        let mut proxy = Proxy::parse(url).map_err(|error| ConfigError::new(name, error.problem))?;
        if let Some((name, list)) = &except {
            proxy.bypass.add(name, list)?;
        }
        Ok(Some(Arc::new(proxy)))
    };
    Ok(Proxies { secure: proxy(&SECURE)?, plain: proxy(&PLAIN)? })
}

fn first(
    names: &[&'static str],
    variable: &impl Fn(&str) -> Option<OsString>,
) -> Result<Option<(&'static str, String)>, ConfigError> {
    let set = names.iter().filter_map(|&name| Some((name, variable(name)?)));
    let Some((name, value)) = set.into_iter().find(|(_, value)| !value.is_empty()) else { return Ok(None) };
    let value = value.into_string().map_err(|_| ConfigError::new(name, "is not UTF-8"))?;
    Ok(Some((name, value.trim().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Url;

    fn read_from(variables: &[(&str, &str)]) -> Result<Proxies, ConfigError> {
        read(|name| variables.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into()))
    }

    fn way(variables: &[(&str, &str)], url: &str) -> String {
        let proxies = read_from(variables).unwrap();
        let proxy = proxies.lead_to(&Url::parse(url).unwrap());
        proxy.map_or("direct".into(), |proxy| format!("{}:{}", proxy.at.host(), proxy.at.port()))
    }

    #[test]
    fn the_variables_and_their_order() {
        let secure = "wss://example.com";
        let plain = "ws://example.com";
        assert_eq!(way(&[], secure), "direct");
        assert_eq!(way(&[("HTTPS_PROXY", "http://a:1")], secure), "a:1");
        assert_eq!(way(&[("HTTPS_PROXY", "http://a:1")], plain), "direct");
        assert_eq!(way(&[("HTTPS_PROXY", "a:1"), ("https_proxy", "b:2")], secure), "b:2");
        assert_eq!(way(&[("ALL_PROXY", "socks5://c")], secure), "c:1080");
        assert_eq!(way(&[("ALL_PROXY", "socks5://c")], plain), "c:1080");
        assert_eq!(way(&[("HTTPS_PROXY", "a:1"), ("all_proxy", "c:3")], secure), "a:1");
        assert_eq!(way(&[("HTTPS_PROXY", ""), ("ALL_PROXY", "c:3")], secure), "c:3");
        assert_eq!(way(&[("http_proxy", "d:4")], plain), "d:4");
        assert_eq!(way(&[("HTTP_PROXY", "d:4")], plain), "direct");
        let except = [("ALL_PROXY", "a:1"), ("NO_PROXY", "localhost,.example.com")];
        assert_eq!(way(&except, secure), "direct");
        assert_eq!(way(&except, "wss://other.com"), "a:1");
        assert_eq!(way(&[("ALL_PROXY", "a:1"), ("no_proxy", "*")], secure), "direct");
    }

    #[test]
    fn a_value_that_is_not_understood_names_the_variable() {
        for (name, value) in [
            ("HTTPS_PROXY", "socks4://a"),
            ("https_proxy", "http://"),
            ("ALL_PROXY", "a b"),
            ("http_proxy", "http://a:0"),
        ] {
            assert_eq!(read_from(&[(name, value)]).unwrap_err().field, name);
        }
        let error = read_from(&[("ALL_PROXY", "a:1"), ("NO_PROXY", "10.0.0.0/99")]).unwrap_err();
        assert_eq!(error.field, "NO_PROXY");
    }
}
