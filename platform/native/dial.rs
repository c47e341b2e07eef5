//! From a host name to a TCP connection: the lookup, then happy eyeballs (RFC 8305).

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::net::TcpStream;

use crate::config::{Config, Url};
use crate::error::{ConnectError, Phase};
use crate::platform::os::set_user_timeout;
use crate::transport::Progress;

/// The longest patience that the kernel can be told.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// How long one address has before the next is tried beside it (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to whichever address of the host answers first; to loopback alone when what is sent `must_stay`.
///
/// Dropping the future closes every socket. A lookup that is under way ends in its own time on tokio's pool of
/// blocking threads, because the operating system offers no way to call it off.
pub(super) async fn dial(
    url: &Url,
    must_stay: bool,
    config: &Config,
    progress: &Progress,
) -> Result<TcpStream, ConnectError> {
    progress.enter(Phase::Dns);
    let addresses = lookup(url, must_stay).await?;
    progress.enter(Phase::Tcp);
    let patience = patience(config);
    let open = |address| open(address, patience);
    race(addresses, open).await.map_err(|failures| {
        let failures: Vec<String> =
            failures.iter().map(|(address, error)| format!("{address}: {error}")).collect();
        // Each failure names its address; the host's name is worth adding when it is another.
        let is_name = url.host().parse::<IpAddr>().is_err();
        let host = if is_name { format!("{}: ", url.host()) } else { String::new() };
        ConnectError::Tcp(format!("{host}{}", failures.join("; ")))
    })
}

async fn lookup(url: &Url, must_stay: bool) -> Result<Vec<SocketAddr>, ConnectError> {
    let failed = |problem: String| ConnectError::Dns { host: url.host().to_owned(), problem };
    let found =
        tokio::net::lookup_host((url.host(), url.port())).await.map_err(|error| failed(error.to_string()))?;
    let addresses = interleave(found.filter(|address| !must_stay || is_loopback(address)));
    match (addresses.is_empty(), must_stay) {
        (false, _) => Ok(addresses),
        (true, true) => Err(failed("no loopback address, and plain text must not leave this machine".into())),
        (true, false) => Err(failed("no address".into())),
    }
}

/// `localhost` passes the rule for plain text by its name, but a resolver may point it elsewhere.
fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Alternates between the families, in the resolver's order otherwise, each address once (RFC 8305 section 4).
fn interleave(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut unique: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !unique.contains(&address) {
            unique.push(address);
        }
    }
    let first_is_v4 = unique.first().is_some_and(SocketAddr::is_ipv4);
    let (preferred, other): (Vec<_>, Vec<_>) =
        unique.into_iter().partition(|address| address.is_ipv4() == first_is_v4);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut order = Vec::new();
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            return order;
        }
        order.extend(pair.into_iter().flatten());
    }
}

/// How long what we send may go without an acknowledgement: as long as the peer may be silent. The heartbeat judges by
/// what is received; this finds a path on which only what we send is lost.
pub(super) fn patience(config: &Config) -> Option<Duration> {
    config.heartbeat.map(|heartbeat| heartbeat.idle.saturating_add(heartbeat.timeout))
}

async fn open(address: SocketAddr, patience: Option<Duration>) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    if let Some(patience) = patience {
        // Linux counts from the first repetition of what was lost, some hundred milliseconds after it.
        let patience = patience - (patience / 10).min(Duration::from_millis(800));
        set_user_timeout(&stream, patience.min(LONGEST))?;
    }
    Ok(stream)
}

/// The first attempt that succeeds; the others are dropped. The next address is tried when the stagger passes or an
/// attempt fails. The error has every failure, in the order they happened.
async fn race<T, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Vec<(SocketAddr, io::Error)>>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            let attempt = connect(address);
            attempts.push(async move { (address, attempt.await) });
        }
        let ended = if waiting.len() == 0 {
            attempts.next().await
        } else {
            // The time passing is no failure: it lets the next address start.
            match tokio::time::timeout(STAGGER, attempts.next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            }
        };
        match ended {
            Some((_, Ok(connection))) => return Ok(connection),
            Some((address, Err(error))) => failures.push((address, error)),
            None => return Err(failures),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::future::pending;

    use tokio::time::{Instant, sleep};

    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|address| address.parse().unwrap()).collect()
    }

    fn refused() -> io::Error {
        io::ErrorKind::ConnectionRefused.into()
    }

    #[test]
    fn families_alternate_and_each_address_comes_once() {
        let found = addresses(&["[::1]:1", "[::2]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "[::1]:1"]);
        let order = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(interleave(found.into_iter()), order);
        let found = addresses(&["1.1.1.1:1", "1.1.1.2:1", "[::1]:1"]);
        assert_eq!(interleave(found.into_iter()), addresses(&["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]));
        assert_eq!(interleave(std::iter::empty()), []);
    }

    #[test]
    fn loopback_in_both_families_and_mapped() {
        for address in addresses(&["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"]) {
            assert!(is_loopback(&address), "{address}");
        }
        for address in addresses(&["10.0.0.1:1", "0.0.0.0:1", "[::]:1", "[::ffff:10.0.0.1]:1"]) {
            assert!(!is_loopback(&address), "{address}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_address_starts_after_the_stagger() {
        let start = Instant::now();
        let started = RefCell::new(Vec::new());
        let list = addresses(&["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]);
        let won = race(list.clone(), |address| {
            started.borrow_mut().push((address, start.elapsed()));
            let last = address == list[2];
            async move { if last { Ok(address) } else { pending().await } }
        });
        assert_eq!(won.await.unwrap(), list[2]);
        let expected: Vec<_> = list.iter().copied().zip((0..).map(|n| STAGGER * n)).collect();
        for ((address, at), (wanted, due)) in started.into_inner().into_iter().zip(expected) {
            assert_eq!(address, wanted);
            assert!(at >= due && at < due + STAGGER / 10, "{address} started at {at:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_starts_the_next_at_once() {
        let start = Instant::now();
        let list = addresses(&["1.1.1.1:1", "[::1]:1"]);
        let won = race(list.clone(), |address| {
            let first = address == list[0];
            async move { if first { Err(refused()) } else { Ok(address) } }
        });
        assert_eq!(won.await.unwrap(), list[1]);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_first_address_still_wins_when_it_answers_first() {
        let list = addresses(&["1.1.1.1:1", "[::1]:1"]);
        let won = race(list.clone(), |address| {
            let delay = if address == list[0] { STAGGER * 2 } else { STAGGER * 10 };
            async move {
                sleep(delay).await;
                Ok(address)
            }
        });
        assert_eq!(won.await.unwrap(), list[0]);
    }

    #[tokio::test(start_paused = true)]
    async fn every_failure_is_reported() {
        let list = addresses(&["1.1.1.1:1", "[::1]:1", "1.1.1.2:1"]);
        let failures = race(list.clone(), |_| async { Err::<(), _>(refused()) }).await.unwrap_err();
        assert_eq!(failures.into_iter().map(|(address, _)| address).collect::<Vec<_>>(), list);
    }

    #[tokio::test]
    async fn nagles_algorithm_is_off() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = open(listener.local_addr().unwrap(), None).await.unwrap();
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_host_without_addresses_is_a_dns_error() {
        let url = Url::parse("wss://no-such-host.invalid").unwrap();
        let config = Config::new(url.as_str()).unwrap();
        let progress = Progress::default();
        let error = dial(&url, false, &config, &progress).await.unwrap_err();
        assert!(matches!(error, ConnectError::Dns { host, .. } if host == "no-such-host.invalid"));
        assert_eq!(progress.phase(), Phase::Dns);
    }
}
