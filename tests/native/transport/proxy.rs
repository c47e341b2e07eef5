//! Proxies: the way through them, what they refuse, and that there is never another way.

use std::sync::Arc;

use data_encoding::BASE64;
use steadysocket::error::{Category, ConnectError, Phase, ProxyFailure, TlsFailure, Verdict};
use steadysocket::platform::native::{Native, NativeSocket, Proxy};
use steadysocket::transport::Platform;
use steadysocket::{Config, Url};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::support::*;
use super::tls::Ca;

/// Connects to a server that nobody can find except by the proxy, whose every byte `play` decides.
async fn through<F: Future<Output = ()>>(
    scheme: &str,
    url: &str,
    play: impl FnOnce(TcpStream) -> F,
) -> Result<NativeSocket, ConnectError> {
    let (listener, native) = proxy(scheme).await;
    connect_by(&native, url, async { play(accept(&listener).await).await }).await
}

/// `scheme` may hold credentials behind its `://`.
async fn proxy(scheme: &str) -> (TcpListener, Native) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::parse(format!("{scheme}{}", listener.local_addr().unwrap())).unwrap();
    (listener, Native::new().proxy(proxy))
}

async fn connect_by(
    native: &Native,
    url: &str,
    proxy: impl Future<Output = ()>,
) -> Result<NativeSocket, ConnectError> {
    let config = Config::new(url).unwrap().allow_plaintext(true);
    soon(async { tokio::join!(native.connect(attempt(config)), proxy).0 }).await
}

fn failure(outcome: Result<NativeSocket, ConnectError>) -> (ProxyFailure, ConnectError) {
    let error = outcome.unwrap_err();
    let ConnectError::Proxy { kind, .. } = error else { panic!("{error:?}") };
    (kind, error)
}

async fn answer_upgrade(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let request = read_request(&mut stream).await;
    write(&mut stream, accepted(&request, "")).await;
}

#[tokio::test]
async fn connect_names_the_server_and_shows_the_credentials() {
    for (scheme, url, line, login) in [
        ("http://", "ws://far.example", "CONNECT far.example:80 HTTP/1.1", None),
        (
            "http://us%65r:p%40ss@",
            "ws://far.example:81",
            "CONNECT far.example:81 HTTP/1.1",
            Some("user:p@ss"),
        ),
        ("http://", "ws://[2001:db8::1]", "CONNECT [2001:db8::1]:80 HTTP/1.1", None),
    ] {
        let play = |mut stream: TcpStream| async move {
            let request = read_request(&mut stream).await;
            assert_eq!(request.lines().next(), Some(line));
            assert_eq!(header(&request, "Host"), line.split(' ').nth(1));
            let expected = login.map(|login| format!("Basic {}", BASE64.encode(login.as_bytes())));
            assert_eq!(header(&request, "Proxy-Authorization").map(str::to_owned), expected);
            write(
                &mut stream,
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n",
            )
            .await;
            let request = read_request(&mut stream).await;
            assert!(header(&request, "Proxy-Authorization").is_none(), "the server has no business with it");
            assert_eq!(
                Some(header(&request, "Host").unwrap()),
                Some(Url::parse(url).unwrap().host_header()).as_deref()
            );
            write(&mut stream, accepted(&request, "")).await;
        };
        through(scheme, url, play).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_proxy_answers_decides_whether_it_is_asked_again() {
    use ProxyFailure::*;
    let cases: [(&str, ProxyFailure, bool); 13] = [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
            Authentication,
            false,
        ),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", Refused, false),
        ("HTTP/1.1 302 Found\r\nLocation: http://x\r\n\r\n", Refused, false),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", Refused, false),
        ("HTTP/1.0 502 Bad Gateway\r\n\r\n", Unavailable, true),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Unavailable, true),
        ("HTTP/1.1 504 Gateway Timeout\r\n\r\n", Unavailable, true),
        ("SSH-2.0-x\r\n", Protocol, true),
        ("HTTP/1.1 200 OK\r\n\r\nsurprise", Protocol, true),
        ("HTTP/1.1 2x0 OK\r\n\r\n", Protocol, true),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", Protocol, true),
        ("", Unreachable, true),
        ("HTTP/1.1 200 OK\r\n", Unreachable, true),
    ];
    for (answer, expected, again) in cases {
        let play = |mut stream: TcpStream| async move {
            read_request(&mut stream).await;
            write(&mut stream, answer).await;
        };
        let (kind, error) = failure(through("http://", "ws://far.example", play).await);
        assert_eq!(kind, expected, "{answer:?}: {error}");
        assert_eq!(error.verdict(), if again { Verdict::Retry(None) } else { Verdict::Stop }, "{answer:?}");
        let is_login = error.category() == Category::Authentication;
        assert_eq!(is_login, kind == Authentication, "{answer:?}");
    }
    let play = |mut stream: TcpStream| async move {
        read_request(&mut stream).await;
        write(&mut stream, "HTTP/1.1 503 x\r\nRetry-After: 7\r\n\r\n").await;
    };
    let (_, error) = failure(through("http://", "ws://far.example", play).await);
    assert_eq!(error.verdict(), Verdict::Retry(Some(std::time::Duration::from_secs(7))));
}

#[tokio::test]
async fn endless_answers_are_bounded() {
    for piece in ["X: yyyyyyyyyyyyyyyy\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let play = |mut stream: TcpStream| async move {
            read_request(&mut stream).await;
            let mut answer = b"HTTP/1.1 102 Processing\r\n".to_vec();
            if piece.starts_with("HTTP") {
                answer.extend(b"\r\n");
            }
            answer.extend(piece.repeat(4000).into_bytes());
            // It hangs up on us before it has taken all.
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, &answer).await;
        };
        assert_eq!(failure(through("http://", "ws://far.example", play).await).0, ProxyFailure::Protocol);
    }
}

#[tokio::test]
async fn socks_has_the_name_looked_up_by_the_proxy() {
    let name = [&[5, 1, 0, 3, 11][..], b"far.example", &[0, 81]].concat();
    let v4 = vec![5, 1, 0, 1, 192, 0, 2, 1, 0, 80];
    let v6 = [&[5, 1, 0, 4, 0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1, 0, 80]].concat();
    let bound: [&[u8]; 3] = [
        &[1, 0, 0, 0, 0, 0, 0],
        &[3, 1, b'x', 0, 0],
        &[4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    let urls = ["ws://far.example:81", "ws://192.0.2.1", "ws://[2001:db8::1]"];
    for (((scheme, url), expected), bound) in
        ["socks5://", "socks5h://", "socks5://"].into_iter().zip(urls).zip([name, v4, v6]).zip(bound)
    {
        let play = |mut stream: TcpStream| async move {
            assert_eq!(read(&mut stream, 3).await, [5, 1, 0]);
            write(&mut stream, [5, 0]).await;
            assert_eq!(read(&mut stream, expected.len()).await, expected);
            write(&mut stream, [&[5, 0, 0], bound].concat()).await;
            answer_upgrade(stream).await;
        };
        through(scheme, url, play).await.unwrap();
    }
}

#[tokio::test]
async fn socks_logs_in_when_the_proxy_asks_for_it() {
    let login = [&[1, 4][..], b"user", &[4], b"p@ss"].concat();
    let play = |mut stream: TcpStream| async move {
        assert_eq!(read(&mut stream, 4).await, [5, 2, 0, 2]);
        write(&mut stream, [5, 2]).await;
        assert_eq!(read(&mut stream, login.len()).await, login);
        write(&mut stream, [1, 0]).await;
        read(&mut stream, 18).await;
        write(&mut stream, [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        answer_upgrade(stream).await;
    };
    through("socks5://user:p%40ss@", "ws://far.example", play).await.unwrap();
}

#[tokio::test]
async fn what_socks_replies_decides_whether_it_is_asked_again() {
    use ProxyFailure::*;
    // What the proxy says after each message of ours, and what that means.
    let cases: [(&str, &[&[u8]], ProxyFailure, bool); 14] = [
        ("socks5://", &[&[5, 0xff]], Authentication, false),
        ("socks5://u:p@", &[&[5, 0xff]], Authentication, false),
        ("socks5://u:p@", &[&[5, 2], &[1, 1]], Authentication, false),
        ("socks5://", &[&[5, 2]], Protocol, true),
        ("socks5://", &[b"HT"], Protocol, true),
        ("socks5://", &[&[5, 0], &[5, 1]], Unavailable, true),
        ("socks5://", &[&[5, 0], &[5, 2]], Refused, false),
        ("socks5://", &[&[5, 0], &[5, 3, 0, 1, 0, 0, 0, 0, 0, 0]], Unavailable, true),
        ("socks5://", &[&[5, 0], &[5, 5]], Unavailable, true),
        ("socks5://", &[&[5, 0], &[5, 7]], Refused, false),
        ("socks5://", &[&[5, 0], &[5, 99]], Protocol, true),
        ("socks5://", &[&[5, 0], &[5, 0, 0, 9]], Protocol, true),
        ("socks5://", &[&[5, 0], &[4, 0]], Protocol, true),
        ("socks5://", &[&[5]], Unreachable, true),
    ];
    for (scheme, answers, expected, again) in cases {
        let play = |mut stream: TcpStream| async move {
            for answer in answers {
                let _ = stream.read(&mut [0; 600]).await;
                write(&mut stream, answer).await;
            }
            // A reset would hide what was said.
            let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
            let _ = stream.read(&mut [0; 600]).await;
        };
        let (kind, error) = failure(through(scheme, "ws://far.example", play).await);
        assert_eq!(kind, expected, "{answers:?}: {error}");
        assert_eq!(error.verdict() != Verdict::Stop, again, "{answers:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_an_error_of_its_own_and_nothing_goes_directly() {
    let (server, config) = listen().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for url in
        [format!("http://{closed}"), format!("socks5://{closed}"), "http://no-such-host.invalid:1".into()]
    {
        let native = Native::new().proxy(Proxy::parse(&url).unwrap());
        let outcome = soon(native.connect(attempt(config.clone()))).await;
        let (kind, error) = failure(outcome);
        assert_eq!(kind, ProxyFailure::Unreachable, "{error}");
        assert_eq!(error.verdict(), Verdict::Retry(None));
    }
    assert!(futures::FutureExt::now_or_never(server.accept()).is_none(), "a direct connection");
}

#[tokio::test]
async fn a_silent_proxy_is_named_by_the_deadline() {
    for scheme in ["http://", "socks5://", "https://"] {
        let (listener, native) = proxy(scheme).await;
        let attempt = attempt(Config::new("wss://far.example").unwrap());
        let progress = attempt.progress.clone();
        let asked = async { accept(&listener).await.read_u8().await.unwrap() };
        tokio::select! {
            _ = native.connect(attempt) => panic!("nothing answered"),
            _ = soon(asked) => {}
        }
        assert_eq!(progress.phase(), Phase::Proxy);
    }
}

#[tokio::test]
async fn tls_goes_through_to_the_server_even_inside_tls() {
    let (outer, inner) = (Ca::named("the proxy's"), Ca::named("the server's"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("https://user:pass@localhost:{}", listener.local_addr().unwrap().port());
    let proxy = Proxy::parse(at).unwrap().tls(outer.trusted());
    let native = Native::with_tls(inner.trusted()).proxy(proxy);
    let play = async {
        let acceptor = TlsAcceptor::from(Arc::new(outer.issue("localhost", |_| {}).server()));
        let mut tunnel = acceptor.accept(accept(&listener).await).await.unwrap();
        assert!(read_request(&mut tunnel).await.starts_with("CONNECT far.example:443 "));
        write(&mut tunnel, "HTTP/1.1 200 OK\r\n\r\n").await;
        let acceptor = TlsAcceptor::from(Arc::new(inner.issue("far.example", |_| {}).server()));
        answer_upgrade(acceptor.accept(tunnel).await.unwrap()).await;
    };
    connect_by(&native, "wss://far.example", play).await.unwrap();
}

#[tokio::test]
async fn the_proxys_certificate_is_judged_and_is_not_the_servers() {
    let (outer, inner) = (Ca::named("the proxy's"), Ca::named("the server's"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    // That the server's authority is trusted does not make the proxy's so.
    let native = Native::with_tls(outer.trusted()).proxy(Proxy::parse(at).unwrap().tls(inner.trusted()));
    let play = async {
        let acceptor = TlsAcceptor::from(Arc::new(outer.issue("localhost", |_| {}).server()));
        let _ = acceptor.accept(accept(&listener).await).await;
    };
    let (kind, error) = failure(connect_by(&native, "wss://far.example", play).await);
    assert_eq!(kind, ProxyFailure::Tls(TlsFailure::UnknownIssuer));
    assert_eq!(error.verdict(), Verdict::Stop);
}

#[tokio::test]
async fn exceptions_go_directly() {
    let (server, config) = listen().await;
    let proxy = Proxy::parse("http://no-such-host.invalid").unwrap().except("127.0.0.0/8").unwrap();
    let native = Native::new().proxy(proxy);
    let serve = async { answer_upgrade(accept(&server).await).await };
    soon(async { tokio::join!(native.connect(attempt(config)), serve).0 }).await.unwrap();
}

#[tokio::test]
async fn plain_text_does_not_leave_by_a_proxy_either() {
    let (_server, config) = listen().await;
    let native = Native::new().proxy(Proxy::parse("http://192.0.2.1:3128").unwrap());
    let (kind, error) = failure(soon(native.connect(attempt(config))).await);
    assert_eq!(kind, ProxyFailure::Unreachable);
    assert!(error.to_string().contains("plain text must not leave this machine"), "{error}");
}

#[tokio::test]
async fn a_client_lives_behind_a_proxy() {
    use crate::support as whole;
    let exchange = whole::exchange().start().await.unwrap();
    let (listener, native) = proxy("http://user:hunter2@").await;
    tokio::spawn(async move {
        loop {
            let mut client = accept(&listener).await;
            tokio::spawn(async move {
                let request = read_request(&mut client).await;
                let to = request.split(' ').nth(1).unwrap();
                let mut server = TcpStream::connect(to).await.unwrap();
                write(&mut client, "HTTP/1.1 200 OK\r\n\r\n").await;
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    assert!(!format!("{native:?}").contains("hunter2"));
    let client = steadysocket::connect_with(whole::config(exchange.url()), whole::deribit(), native);
    let client = soon(client).await.unwrap();
    let mut quotes: whole::Raw = whole::subscribe(&client, whole::QUOTE).await.unwrap();
    exchange.fault(steadysocket_exchange::Target::All, steadysocket_exchange::Fault::Reset);
    whole::interrupted(&mut quotes).await;
    whole::resumed(&mut quotes).await;
}

async fn read(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    soon(stream.read_exact(&mut bytes)).await.unwrap();
    bytes
}
