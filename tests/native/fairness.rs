//! Nobody starves: not a call behind a firehose, not a client beside another.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures::SinkExt;
use futures::future::{Either, select};
use serde_json::{Value, json};
use steadysocket::{Client, Config, Native};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use crate::support::*;

/// A venue in a thread of its own that sends data without a pause, and answers calls in between, to `clients`
/// clients. It stops when the sender is dropped.
fn firehose(clients: usize) -> (String, oneshot::Sender<()>, thread::JoinHandle<()>) {
    let (tell, told) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let venue = Venue::new().await;
            tell.send(venue.url.clone()).unwrap();
            let serve = async {
                let mut peers = Vec::new();
                for _ in 0..clients {
                    peers.push(venue.welcome().await);
                }
                futures::future::join_all(peers.into_iter().map(spray)).await;
            };
            let _ = select(Box::pin(serve), stopped).await;
        });
    });
    (told.recv().unwrap(), stop, thread)
}

async fn spray(mut peer: Peer) {
    let data = notification("data", &json!({ "text": "x".repeat(4_000) }));
    loop {
        for _ in 0..20 {
            if peer.0.feed(data.clone()).await.is_err() {
                return;
            }
        }
        let request = Box::pin(peer.try_request());
        let answer = match select(request, Box::pin(tokio::task::yield_now())).await {
            Either::Left((Some(request), _)) => answer(&request),
            Either::Left((None, _)) => return,
            Either::Right(_) => continue,
        };
        if peer.0.feed(answer).await.is_err() {
            return;
        }
    }
}

/// An answer comes behind all that the sockets' buffers hold, which takes as long as it takes.
fn patient(url: &str) -> Config {
    config(url).call_timeout(Duration::from_secs(60))
}

async fn call(client: &Client, count: u64) {
    for number in 0..count {
        let echo: Value = soon(client.call("echo", json!({ "n": number }))).await.unwrap();
        assert_eq!(echo["n"], number);
    }
}

#[test]
fn a_call_is_answered_within_a_firehose() {
    let (url, stop, thread) = firehose(1);
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let client = steadysocket::start(patient(&url), deribit(), Native::new()).unwrap();
        let _idle: Raw = subscribe(&client, "data").await.unwrap();
        call(&client, 20).await;
        assert!(client.stats().received > 100);
        assert_eq!(client.stats().connections, 1);
        drop(stop);
    });
    thread.join().unwrap();
}

#[test]
fn two_clients_and_their_consumers_share_one_thread() {
    let (url, stop, thread) = firehose(2);
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let client = || steadysocket::start(patient(&url), deribit(), Native::new()).unwrap();
        let (one, two) = (client(), client());
        let (stream_one, stream_two) = futures::join!(subscribe(&one, "data"), subscribe(&two, "data"));
        let read = |mut stream: Raw| async move {
            for _ in 0..2_000 {
                next(&mut stream).await;
            }
        };
        // Reading and calling at once, on both.
        let reading = async { futures::join!(read(stream_one.unwrap()), read(stream_two.unwrap())) };
        futures::join!(reading, call(&one, 10), call(&two, 10));
        drop(stop);
    });
    thread.join().unwrap();
}
