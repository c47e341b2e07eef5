//! A client that does not read what it asked for.

use std::time::Duration;

use serde_json::json;
use steadysocket_exchange::Closed;
use tokio::net::TcpSocket;

use crate::support::{Client, authority, orderly, soon};

#[tokio::test]
async fn a_slow_reader_is_dropped_and_others_are_not() {
    let exchange = orderly()
        .pace(Duration::from_millis(2))
        .raw_for_all(true)
        .outbox(16)
        .send_buffer(4_096)
        .start()
        .await
        .unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let tcp = socket.connect(authority(exchange.url()).parse().unwrap()).await.unwrap();
    let mut slow = Client::upgrade(exchange.url(), Box::new(tcp)).await.unwrap();
    let channels: Vec<String> =
        exchange.instruments().iter().map(|name| format!("ticker.{name}.raw")).collect();
    slow.send("public/subscribe", json!({ "channels": channels })).await;

    let mut reader = Client::connect(&exchange).await;
    reader.subscribe(&["quote.BTC-PERPETUAL"]).await;
    let dropped = exchange.wait_until(|journal| {
        journal
            .connection(1)
            .is_some_and(|c| c.closed.as_ref().is_some_and(|(_, why)| *why == Closed::TooSlow))
    });
    soon(dropped).await;
    reader.update("quote.BTC-PERPETUAL").await;
    assert_eq!(exchange.look(|journal| journal.open()), 1);
}

#[tokio::test]
async fn raw_channels_publish_every_step() {
    let exchange = orderly().raw_for_all(true).start().await.unwrap();
    let mut client = Client::connect(&exchange).await;
    assert_eq!(client.subscribe(&["book.BTC-PERPETUAL.raw"]).await, ["book.BTC-PERPETUAL.raw"]);
    assert_eq!(client.update("book.BTC-PERPETUAL.raw").await["type"], "snapshot");
    assert_eq!(client.update("book.BTC-PERPETUAL.raw").await["type"], "change");
}
