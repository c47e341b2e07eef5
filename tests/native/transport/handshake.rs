//! From the attempt to the open connection, without TLS.

use std::time::{Duration, SystemTime};

use steadysocket::error::{ConnectError, Phase};
use steadysocket::platform::native::Native;
use steadysocket::transport::Platform;
use steadysocket::{Config, Url};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::support::*;

/// Why a connection fails whose upgrade request is answered with this.
async fn refused(answer: impl FnOnce(&str) -> String) -> ConnectError {
    let (outcome, _stream) = connect_to(|config| config, |request| answer(request).into_bytes()).await;
    outcome.expect_err("the upgrade was accepted")
}

fn offering(config: Config) -> Config {
    config.subprotocol("json").unwrap().subprotocol("msgpack").unwrap()
}

#[tokio::test]
async fn the_request_says_what_was_configured() {
    let mut seen = String::new();
    let configure = |config| offering(config).header("Authorization", "Bearer x").unwrap();
    let (socket, stream) = connect_to(configure, |request| {
        seen = request.to_owned();
        accepted(request, "Sec-WebSocket-Protocol: msgpack\r\n").into_bytes()
    })
    .await;
    socket.unwrap();
    let host = stream.local_addr().unwrap().to_string();
    assert!(seen.starts_with("GET /feed?x=1 HTTP/1.1\r\n"), "{seen}");
    for (name, value) in [
        ("Host", host.as_str()),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "json, msgpack"),
        ("Authorization", "Bearer x"),
    ] {
        assert_eq!(header(&seen, name), Some(value), "{name}");
    }
    assert_eq!(header(&seen, "Sec-WebSocket-Extensions"), None);
}

#[tokio::test]
async fn each_attempt_has_its_own_key() {
    let (listener, config) = listen().await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let server = async {
            let mut stream = accept(&listener).await;
            let request = read_request(&mut stream).await;
            write(&mut stream, accepted(&request, "")).await;
            header(&request, "Sec-WebSocket-Key").unwrap().to_owned()
        };
        let (socket, key) = soon(async { tokio::join!(connect(config.clone()), server) }).await;
        socket.unwrap();
        keys.push(key);
    }
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[0].len(), 24);
}

#[tokio::test]
async fn unusual_but_right_answers_are_accepted() {
    for extra in ["", "Sec-WebSocket-Protocol: json\r\n", "Sec-WebSocket-Protocol: msgpack\r\n"] {
        let (socket, _) = connect_to(offering, |request| accepted(request, extra).into_bytes()).await;
        socket.unwrap();
    }
    let answers: [fn(&str) -> String; 3] = [
        |request| accepted(request, "").replace("Connection: Upgrade", "connection: keep-alive, Upgrade"),
        |request| format!("HTTP/1.1 100 Continue\r\n\r\n{}", accepted(request, "")),
        |request| accepted(request, &"X-Cookie: y\r\n".repeat(200)),
    ];
    for answer in answers {
        let (socket, _) = connect_to(|config| config, |request| answer(request).into_bytes()).await;
        socket.unwrap();
    }
}

#[tokio::test]
async fn wrong_answers_are_refused() {
    let answers: [fn(&str) -> String; 8] = [
        |request| accepted(request, "").replace(&accept_key(request), "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        |request| accepted(request, &format!("Sec-WebSocket-Accept: {}\r\n", accept_key(request))),
        |request| accepted(request, "Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        |request| accepted(request, "Sec-WebSocket-Protocol: json\r\n"),
        |request| accepted(request, &"X: y\r\n".repeat(300)),
        |request| accepted(request, &format!("X: {}\r\n", "y".repeat(70_000))),
        |_| "220 mail.example ESMTP\r\n".to_owned(),
        |_| "HTTP/1.1 100 Continue\r\n\r\n".repeat(100),
    ];
    for (index, answer) in answers.into_iter().enumerate() {
        let error = refused(answer).await;
        assert!(matches!(error, ConnectError::Upgrade(_)), "{index}: {error:?}");
    }
}

#[tokio::test]
async fn refusals_carry_status_wait_and_place() {
    let status = |code, retry_after, location: Option<&str>| ConnectError::Status {
        status: code,
        retry_after,
        location: location.map(str::to_owned),
    };
    for code in [400, 401, 403, 404, 426, 500, 200] {
        let error = refused(|_| format!("HTTP/1.1 {code} x\r\nContent-Length: 0\r\n\r\n")).await;
        assert_eq!(error, status(code, None, None));
    }
    let error = refused(|_| "HTTP/1.1 429 x\r\nRetry-After: 17\r\n\r\n".to_owned()).await;
    assert_eq!(error, status(429, Some(Duration::from_secs(17)), None));
    let error = refused(|_| "HTTP/1.1 307 x\r\nLocation: https://b.example/\r\n\r\n".to_owned()).await;
    assert_eq!(error, status(307, None, Some("https://b.example/")));
}

#[tokio::test]
#[allow(clippy::disallowed_methods)] // The wall clock: it is what HTTP dates are in.
async fn a_wait_may_be_given_as_a_date() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
    let error = refused(|_| format!("HTTP/1.1 503 x\r\nRetry-After: {date}\r\n\r\n")).await;
    let ConnectError::Status { status: 503, retry_after: Some(wait), .. } = error else {
        panic!("{error:?}")
    };
    assert!(wait <= Duration::from_secs(3600) && wait > Duration::from_secs(3000), "{wait:?}");
}

#[tokio::test]
async fn frames_behind_the_head_are_received_first() {
    let (socket, mut stream) = connect_to(
        |config| config,
        |request| [accepted(request, "").into_bytes(), frame(TEXT, b"one"), vec![TEXT, 3, b't']].concat(),
    )
    .await;
    let mut socket = socket.unwrap();
    assert_eq!(receive(&mut socket).await.unwrap(), text("one"));
    write(&mut stream, "wo").await;
    assert_eq!(receive(&mut socket).await.unwrap(), text("two"));
}

#[tokio::test]
async fn a_trickled_head_is_understood() {
    let (listener, config) = listen().await;
    let server = async {
        let mut stream = accept(&listener).await;
        let request = read_request(&mut stream).await;
        for byte in accepted(&request, "").bytes() {
            write(&mut stream, [byte]).await;
            tokio::task::yield_now().await;
        }
        stream
    };
    let (socket, _stream) = soon(async { tokio::join!(connect(config), server) }).await;
    socket.unwrap();
}

#[tokio::test]
async fn a_silent_server_is_left_in_the_upgrade() {
    let (listener, config) = listen().await;
    let attempt = attempt(config);
    let progress = attempt.progress.clone();
    let connecting = Native::new().connect(attempt);
    let mut stream = tokio::select! {
        _ = connecting => panic!("nothing answered"),
        stream = soon(async {
            let mut stream = accept(&listener).await;
            read_request(&mut stream).await;
            stream
        }) => stream,
    };
    assert_eq!(progress.phase(), Phase::Upgrade);
    // The attempt was dropped, and its connection with it.
    assert_eq!(soon(stream.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_server_that_hangs_up_in_the_upgrade() {
    let (listener, config) = listen().await;
    let server = async {
        let mut stream = accept(&listener).await;
        read_request(&mut stream).await;
        write(&mut stream, "HTTP/1.1 101 Swi").await;
    };
    let (outcome, ()) = soon(async { tokio::join!(connect(config), server) }).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, ConnectError::Io { phase: Phase::Upgrade, .. }), "{error:?}");
}

#[tokio::test]
async fn a_refused_port_names_host_and_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let attempt = attempt(Config::new(format!("ws://localhost:{}", address.port())).unwrap());
    let progress = attempt.progress.clone();
    let error = soon(Native::new().connect(attempt)).await.unwrap_err();
    let ConnectError::Tcp(problem) = error else { panic!("{error:?}") };
    assert!(problem.contains("localhost") && problem.contains(&address.to_string()), "{problem}");
    assert_eq!(progress.phase(), Phase::Tcp);
}

#[tokio::test]
async fn plain_text_to_another_machine_is_refused_even_from_a_provider() {
    let mut attempt = attempt(Config::new("wss://example.com").unwrap());
    attempt.url = Url::parse("ws://192.0.2.1/").unwrap();
    let progress = attempt.progress.clone();
    let error = soon(Native::new().connect(attempt)).await.unwrap_err();
    assert!(matches!(&error, ConnectError::Config(config) if config.field == "url"), "{error:?}");
    assert_eq!(progress.phase(), Phase::Endpoint, "the network was not touched");
}
