//! What happens before a connection is one.

use std::time::Duration;

use steadysocket_exchange::{Door, Exchange, Span};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::http::Response;

use crate::support::{Client, End, authority, orderly, soon};

async fn refusal(url: &str) -> Response<Option<Vec<u8>>> {
    match Client::try_connect(url).await {
        Err(Error::Http(response)) => *response,
        Err(other) => panic!("an HTTP status should have come, not {other}"),
        Ok(_) => panic!("the upgrade should have been refused"),
    }
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let exchange = orderly().start().await.unwrap();
    let base = exchange.url().trim_end_matches("/ws/api/v2").to_owned();
    for path in ["/", "/ws/api/v1", "/ws/api/v2/"] {
        assert_eq!(refusal(&format!("{base}{path}")).await.status(), 404);
    }
    Client::try_connect(&format!("{}?a=b", exchange.url())).await.unwrap();
}

#[tokio::test]
async fn the_33rd_connection_is_too_many() {
    let exchange = orderly().start().await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(Client::connect(&exchange).await);
    }
    assert_eq!(refusal(exchange.url()).await.status(), 429);
    clients.pop().unwrap().close().await;
    soon(exchange.wait_until(|journal| journal.open() == 31)).await;
    Client::connect(&exchange).await;
    let refused: Vec<Option<u16>> = exchange.look(|journal| journal.refusals().map(|r| r.status).collect());
    assert_eq!(refused, [Some(429)]);
}

#[tokio::test]
async fn upgrades_are_refused_so_many_times() {
    let exchange = orderly().start().await.unwrap();
    exchange.door(Door::Refuse { status: 503, retry_after: Some(7) }, Span::Attempts(2));
    for _ in 0..2 {
        let response = refusal(exchange.url()).await;
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "7");
    }
    Client::connect(&exchange).await;
}

#[tokio::test]
async fn upgrades_are_refused_for_a_time_or_until_the_door_is_opened() {
    let exchange = orderly().start().await.unwrap();
    exchange.door(Door::Refuse { status: 401, retry_after: None }, Span::UntilOpened);
    assert_eq!(refusal(exchange.url()).await.status(), 401);
    exchange.open_door();
    Client::connect(&exchange).await;
    exchange.door(Door::Refuse { status: 500, retry_after: None }, Span::For(Duration::from_millis(150)));
    assert_eq!(refusal(exchange.url()).await.status(), 500);
    soon(async { while Client::try_connect(exchange.url()).await.is_err() {} }).await;
}

#[tokio::test]
async fn tcp_is_accepted_and_never_answered() {
    let exchange = orderly().start().await.unwrap();
    exchange.door(Door::Silent, Span::Attempts(1));
    let attempt = Client::try_connect(exchange.url());
    assert!(tokio::time::timeout(Duration::from_millis(150), attempt).await.is_err());
    assert_eq!(exchange.look(|journal| journal.refusals().count()), 1);
    Client::connect(&exchange).await;
}

#[tokio::test]
async fn tcp_is_accepted_and_closed() {
    let exchange = orderly().start().await.unwrap();
    exchange.door(Door::Hangup, Span::Attempts(1));
    let error = Client::try_connect(exchange.url()).await.err().unwrap();
    assert!(!matches!(error, Error::Http(_)), "{error}");
    Client::connect(&exchange).await;
}

#[tokio::test]
async fn the_upgrade_succeeds_and_the_close_comes_at_once() {
    let exchange = orderly().start().await.unwrap();
    exchange.door(Door::CloseAtOnce(1013), Span::Attempts(1));
    let mut client = Client::connect(&exchange).await;
    assert_eq!(client.end().await, End::Frame(1013, "closed at once".into()));
    Client::connect(&exchange).await;
}

#[tokio::test]
async fn something_that_is_no_upgrade_disturbs_nobody() {
    let exchange = orderly().start().await.unwrap();
    let mut tcp = TcpStream::connect(authority(exchange.url())).await.unwrap();
    tcp.write_all(b"hello\r\n\r\n").await.unwrap();
    let mut rest = Vec::new();
    let _reset = soon(tcp.read_to_end(&mut rest)).await;
    Client::connect(&exchange).await;
}

#[tokio::test]
async fn everything_ends_with_the_exchange() {
    let exchange = Exchange::builder().start().await.unwrap();
    let url = exchange.url().to_owned();
    let mut client = Client::connect(&exchange).await;
    drop(exchange);
    assert_eq!(client.end().await, End::Abrupt);
    assert!(Client::try_connect(&url).await.is_err());
}
