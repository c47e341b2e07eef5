//! A panic of the user's own code inside a connection, which is contained without being asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use steadysocket::Config;
use steadysocket::error::Disconnect;
use steadysocket_exchange::{Fault, Target};

use crate::support::*;

#[tokio::test]
async fn an_endpoint_provider_may_panic() {
    let exchange = exchange().start().await.unwrap();
    let (url, asked) = (exchange.url().to_owned(), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    let provider = move || {
        let (url, time) = (url.clone(), count.fetch_add(1, Ordering::Relaxed));
        async move {
            assert!(time != 1, "the list of hosts is empty");
            Ok::<_, String>(url)
        }
    };
    let settings = config(exchange.url());
    let config = Config::with_provider(provider).backoff(settings.backoff);
    let client = steadysocket::connect(config).await.unwrap();
    let mut events = client.events();
    exchange.fault(Target::All, Fault::Drop);
    let panicked = Disconnect::Panicked("the list of hosts is empty".into());
    loop {
        let event = soon(events.next()).await.unwrap().data().unwrap();
        if event == steadysocket::Event::Disconnected(panicked.clone()) {
            break;
        }
    }
    soon(client.ready()).await.unwrap();
    while client.stats().connections < 2 {
        soon(client.ready()).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(asked.load(Ordering::Relaxed), 3);
    client.close().await;
}
