//! URLs against the `url` crate, which follows the WHATWG rules. Ours are stricter: what we take, it must take, and
//! see the same parts.

use steadysocket::Url;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(ours) = Url::parse(text) else { return };
    let again = Url::parse(ours.as_str()).expect("what was printed can be read");
    assert_eq!(again, ours);
    let theirs = match url::Url::parse(ours.as_str()) {
        Ok(theirs) => theirs,
        // What an international name says is left to the look-up, which will not find it.
        Err(_) if ours.host().split('.').any(|label| label.starts_with("xn--")) => return,
        Err(problem) => panic!("{problem}"),
    };
    assert_eq!(theirs.scheme(), if ours.is_secure() { "wss" } else { "ws" });
    let host = theirs.host().expect("a host");
    match host {
        url::Host::Domain(name) => assert_eq!(name, ours.host()),
        url::Host::Ipv4(address) => assert_eq!(ours.host().parse(), Ok(address)),
        url::Host::Ipv6(address) => assert_eq!(ours.host().parse(), Ok(address)),
    }
    assert_eq!(theirs.port_or_known_default(), Some(ours.port()));
    let (path, query) = match ours.target().split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (ours.target(), None),
    };
    assert!(path.starts_with('/'));
    // A browser resolves dots and quotes ' in queries; a request's target is sent as it was written.
    if !path.contains('.') && !path.contains("%2e") && !path.contains("%2E") {
        assert_eq!(theirs.path(), path);
    }
    if !query.unwrap_or_default().contains('\'') {
        assert_eq!(theirs.query(), query);
    }
    // What is printed must not hold the query, and must not need it.
    assert!(!ours.to_string().contains('?') || ours.to_string().ends_with("?***"));
    // Nothing in it may end the request line or the header that it is put into.
    let printed = format!("{}{}", ours.target(), ours.host_header());
    assert!(printed.bytes().all(|byte| byte.is_ascii_graphic()));
}
