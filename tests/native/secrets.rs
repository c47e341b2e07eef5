//! What is secret is in nothing that can be printed.

use std::fmt::{Debug, Display};

use futures::FutureExt;
use serde_json::{Value, json};
use steadysocket::deribit::{Adapter, Deribit, Options};
use steadysocket::{Config, Event, Feed, Message, Native, Request, Update};
use steadysocket_exchange::{Account, Door, Fault, Span, Target};

use crate::support::*;

const CANARY: &str = "hunter2-canary";

/// Where the libraries below say what they do. tungstenite shows frames at `trace` and close frames at `debug`; see
/// SECURITY.md.
mod logs {
    use std::sync::{Mutex, Once};

    use log::{LevelFilter, Log, Metadata, Record};

    struct Keeper(Mutex<Vec<String>>);

    static KEEPER: Keeper = Keeper(Mutex::new(Vec::new()));

    impl Log for Keeper {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            if record.level() > log::Level::Info && record.target().starts_with("tungstenite::") {
                return;
            }
            let text = format!("{} {}: {}", record.level(), record.target(), record.args());
            self.0.lock().unwrap().push(text);
        }

        fn flush(&self) {}
    }

    /// Keeps what is logged from here on, at every level. Other tests run meanwhile; what they log is kept too.
    pub fn keep() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            log::set_logger(&KEEPER).unwrap();
            log::set_max_level(LevelFilter::Trace);
        });
    }

    pub fn kept() -> Vec<String> {
        KEEPER.0.lock().unwrap().clone()
    }
}

/// Everything that was printed.
#[derive(Default)]
struct Printed(Vec<String>);

impl Printed {
    fn debug(&mut self, value: impl Debug) {
        self.0.push(format!("{value:?}"));
        self.0.push(format!("{value:#?}"));
    }

    fn both(&mut self, value: impl Debug + Display) {
        self.0.push(value.to_string());
        self.debug(value);
    }

    fn error(&mut self, error: impl std::error::Error) {
        let mut source = error.source();
        while let Some(cause) = source {
            self.both(cause);
            source = cause.source();
        }
        self.both(error);
    }

    fn drain(&mut self, events: &mut Feed<Event>) {
        while let Some(Some(event)) = events.next().now_or_never() {
            self.debug(event);
        }
    }

    fn check(mut self) {
        self.0.extend(logs::kept());
        self.check_for(CANARY);
    }

    fn check_for(&self, secret: &str) {
        for text in &self.0 {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

fn secret(url: &str) -> Config {
    logs::keep();
    config(&format!("{url}?token={CANARY}")).header("Authorization", format!("Bearer {CANARY}")).unwrap()
}

#[tokio::test]
async fn a_life_full_of_faults_prints_no_secret() {
    let mut printed = Printed::default();
    let exchange = exchange().start().await.unwrap();
    let config = secret(exchange.url()).max_message(100_000);
    printed.debug(&config);
    printed.debug(&config.endpoint);
    let client = connect_to(config).await.unwrap();
    let mut events = client.events();
    let params = json!({ "client_id": CANARY, "expected_result": CANARY });

    // Calls in every stage, and every way for one to end.
    let request = Request::with("public/test", &params).unwrap();
    printed.debug(&request);
    let mut call = Box::pin(client.request(request));
    printed.debug(&call);
    assert!(call.as_mut().now_or_never().is_none());
    let mut message = Box::pin(client.send(Message::from(CANARY)));
    assert!(message.as_mut().now_or_never().is_none());
    let mut binary = Box::pin(client.send(Message::from(CANARY.as_bytes().to_vec())));
    assert!(binary.as_mut().now_or_never().is_none());
    printed.debug((&call, &client));
    printed.debug(soon(call).await.map(|payload| payload.as_str().map(str::len)));
    let _ = soon(message).await;
    let _ = soon(binary).await;
    let not_a_number =
        client.call::<u64>("public/hello", json!({ "client_name": CANARY, "client_version": "1" }));
    printed.error(soon(not_a_number).await.unwrap_err());
    printed.error(client.call::<Value>("public/test", json!([CANARY])).await.unwrap_err());
    printed
        .error(client.call::<Value>("public/test", json!({ "a": CANARY.repeat(4_000) })).await.unwrap_err());
    let timed_out = client.request(Request::with("public/get_time", &params).unwrap());
    exchange.fault(Target::All, Fault::LoseReply);
    printed.error(soon(timed_out.timeout(millis(50))).await.unwrap_err());

    // Streams, connections that end, attempts that fail.
    let mut stream: Raw = subscribe(&client, QUOTE).await.unwrap();
    let faults = [Fault::Reset, Fault::Garbage, Fault::UnknownReply, Fault::Oversize(200_000), Fault::Drop];
    for fault in faults {
        exchange.door(Door::Refuse { status: 503, retry_after: None }, Span::Attempts(1));
        exchange.fault(Target::All, fault);
        for _ in 0..20 {
            printed.debug(next(&mut stream).await);
        }
        printed.debug((&client, &stream, client.state(), client.stats()));
        printed.drain(&mut events);
    }
    exchange.open_door();
    exchange.door(Door::Refuse { status: 401, retry_after: None }, Span::UntilOpened);
    exchange.fault(Target::All, Fault::Reset);
    printed.both(soon(client.ended()).await);
    printed.error(client.call::<Value>("public/test", &params).await.unwrap_err());
    printed.error(client.subscribe("a").await.unwrap_err());
    printed.debug((&client, &stream, &events, client.state()));
    printed.drain(&mut events);
    printed.check();
}

#[tokio::test]
async fn logins_print_neither_secrets_nor_tokens_nor_signatures() {
    let mut printed = Printed::default();
    let account = Account::new("me").key("me", CANARY);
    let exchange = exchange().account(account).start().await.unwrap();
    for options in [
        Options::testnet().credentials("me", CANARY).attach_token(true),
        Options::testnet().signed_credentials("me", CANARY),
    ] {
        let options = options.scope("expires:1");
        printed.debug(&options);
        printed.debug(Adapter::new(options.clone()));
        let config = config(exchange.url());
        let deribit = soon(Deribit::connect_with(options, config, Native::new())).await.unwrap();
        let mut events = deribit.client().events();
        printed.debug((&deribit, deribit.client().state(), deribit.server_time()));
        // Renewed, cut, logged in anew, refused, logged out.
        let renewals = exchange.look(|journal| journal.count("public/auth")) + 2;
        soon(exchange.wait_until(|journal| journal.count("public/auth") >= renewals)).await;
        exchange.fault(Target::All, Fault::Reset);
        disconnected(&mut events).await;
        soon(deribit.client().ready()).await.unwrap();
        printed.error(soon(deribit.call::<Value>("private/nonsense", ())).await.unwrap_err());
        printed.error(
            soon(deribit.call::<u64>("public/auth", json!({ "client_secret": CANARY }))).await.unwrap_err(),
        );
        soon(deribit.logout()).await.unwrap();
        printed.debug(&deribit);
        printed.drain(&mut events);
    }
    for options in [
        Options::testnet().credentials("nobody", CANARY),
        Options::testnet().credentials("me", format!("{CANARY}x")),
        Options::testnet().signed_credentials("me", format!("{CANARY}x")),
    ] {
        let outcome = soon(Deribit::connect_with(options, config(exchange.url()), Native::new())).await;
        printed.error(outcome.unwrap_err());
    }
    // What the exchange was sent is secret too, and what it gave out comes back to it.
    let sent = exchange.look(|journal| {
        let secrets = ["access_token", "refresh_token", "signature"];
        let of = |params: &serde_json::Map<String, Value>| {
            secrets
                .iter()
                .filter_map(|name| params.get(*name)?.as_str().map(str::to_owned))
                .collect::<Vec<_>>()
        };
        journal.requests().flat_map(|request| of(&request.params)).collect::<Vec<_>>()
    });
    assert!(sent.len() >= 6, "{}", sent.len());
    sent.iter().for_each(|secret| printed.check_for(secret));
    printed.check();
}

#[tokio::test]
async fn what_a_server_sends_is_not_printed_while_it_waits() {
    let mut printed = Printed::default();
    let venue = Venue::new().await;
    let client = steadysocket::start(secret(&venue.url), deribit(), Native::new()).unwrap();
    let (mut events, messages) = (client.events(), client.messages());
    let server = async {
        let mut peer = venue.welcome().await;
        let request = peer.serve_until("public/subscribe").await;
        peer.answer(&request).await;
        peer
    };
    let (mut peer, stream) =
        soon(async { futures::join!(server, client.subscribe_with::<u64>("data", Default::default())) })
            .await;
    let mut stream = stream.unwrap();
    let call = async {
        printed.error(client.call::<u64>("echo", json!({ "text": CANARY })).await.unwrap_err());
        let request = Request::with("echo", &json!({ "text": CANARY })).unwrap();
        client.request(request).await.unwrap()
    };
    let serve = async {
        for data in [json!(CANARY), json!({ CANARY: CANARY }), json!([[CANARY]])] {
            peer.send(notification("data", &data)).await;
            peer.send(notification("nobodys", &data)).await;
        }
        peer.send(tokio_tungstenite::tungstenite::Message::text(format!("{{\"{CANARY}\": nonsense"))).await;
        peer.send(tokio_tungstenite::tungstenite::Message::text(format!("[{{\"id\": \"{CANARY}\"}}, 7]")))
            .await;
        peer.send(tokio_tungstenite::tungstenite::Message::binary(CANARY.as_bytes().to_vec())).await;
        let request = peer.serve_until("echo").await;
        peer.answer(&request).await;
        let request = peer.serve_until("echo").await;
        peer.answer(&request).await;
    };
    let (payload, ()) = soon(async { futures::join!(call, serve) }).await;
    printed.debug(payload);
    printed.debug((&client, &stream, &messages, &events));
    for _ in 0..3 {
        let update = next(&mut stream).await;
        assert!(matches!(update, Update::Invalid(_)), "{update:?}");
        printed.debug(update);
    }
    printed.drain(&mut events);
    printed.check();
}

#[tokio::test]
async fn refused_configurations_and_providers_print_no_secret() {
    let mut printed = Printed::default();
    for url in [
        format!("wss://user:{CANARY}@example.com/"),
        format!("http://example.com/?token={CANARY}"),
        format!("wss://example.com/#{CANARY}"),
        format!("wss://example.com:99999/?token={CANARY}"),
        format!("wss://example.com/ ?token={CANARY}"),
    ] {
        printed.error(Config::new(&url).unwrap_err());
        let config = Config::with_provider(move || {
            let url = url.clone();
            async move { Ok::<_, std::io::Error>(url) }
        });
        printed.debug(&config);
        printed.error(connect_to(config).await.unwrap_err());
    }
    let config = Config::new(format!("ws://192.0.2.1/?token={CANARY}")).unwrap();
    printed.error(connect_to(config).await.unwrap_err());
    let header = Config::new("wss://example.com").unwrap().header("X-Key", format!("{CANARY}\r\n"));
    printed.error(header.unwrap_err());
    // Nobody listens there.
    let venue = Venue::new().await;
    let url = venue.url.clone();
    drop(venue);
    printed.error(connect_to(secret(&url)).await.unwrap_err());
    printed.check();
}

#[tokio::test]
async fn what_a_server_repeats_of_our_credentials_is_not_printed() {
    let mut printed = Printed::default();
    let venue = Venue::new().await;
    let config = secret(&venue.url).retry_initial_connect(true);
    let client = steadysocket::start(config, deribit(), Native::new()).unwrap();
    let mut events = client.events();
    let refusal = |request: &Value, code: i64| {
        let error = json!({
            "code": code, "message": format!("no such token: {CANARY}"), "data": { "sent": format!("Bearer {CANARY}") },
        });
        let reply = json!({ "jsonrpc": "2.0", "id": request["id"], "error": error, "testnet": true });
        tokio_tungstenite::tungstenite::Message::text(reply.to_string())
    };
    let serve = async {
        let mut peer = venue.accept().await;
        let hello = peer.request().await;
        peer.send(refusal(&hello, 13777)).await;
        let mut peer = venue.welcome().await;
        for _ in 0..2 {
            let request = peer.request().await;
            peer.send(refusal(&request, 11052)).await;
        }
        let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame {
            code: 1012.into(),
            reason: format!("bye, {CANARY}").into(),
        };
        peer.send(tokio_tungstenite::tungstenite::Message::Close(Some(frame))).await;
        let mut stream = peer.0.into_inner();
        tokio::io::AsyncWriteExt::shutdown(&mut stream).await.unwrap();
        venue.welcome().await
    };
    let calls = async {
        printed.error(client.call::<Value>("public/echo", ()).await.unwrap_err());
        printed.error(client.subscribe("a").await.unwrap_err());
        let reason = loop {
            let reason = disconnected(&mut events).await;
            printed.both(&reason);
            if matches!(reason, steadysocket::error::Disconnect::Closed(_)) {
                break reason;
            }
        };
        assert!(reason.to_string().contains("bye, ***"), "{reason}");
        printed.debug(client.state());
    };
    let (_peer, ()) = soon(async { futures::join!(serve, calls) }).await;
    assert!(printed.0.iter().any(|text| text.contains("no such token: ***")));
    printed.drain(&mut events);
    printed.check();
}

#[tokio::test]
async fn a_login_that_the_server_repeats_is_not_printed() {
    let mut printed = Printed::default();
    let venue = Venue::new().await;
    let options = Options::testnet().credentials("me", CANARY);
    let serve = async {
        let mut peer = venue.accept().await;
        let auth = peer.serve_until("public/auth").await;
        let sent = auth["params"].to_string();
        assert!(sent.contains(CANARY));
        let error =
            json!({ "code": 13004, "message": format!("invalid_credentials: {CANARY}"), "data": sent });
        let reply = json!({ "jsonrpc": "2.0", "id": auth["id"], "error": error, "testnet": true });
        peer.send(tokio_tungstenite::tungstenite::Message::text(reply.to_string())).await;
        peer
    };
    let connect = Deribit::connect_with(options, venue.config(), Native::new());
    let (outcome, _peer) = soon(async { futures::join!(connect, serve) }).await;
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("invalid_credentials: ***"), "{error}");
    printed.error(error);
    printed.check();
}

#[tokio::test]
async fn a_panic_in_a_users_code_prints_no_secret() {
    let venue = Venue::new().await;
    let config = secret(&venue.url);
    let options = Options::testnet().credentials("me", CANARY);
    let adapter = Adapter::new(options.clone());
    let message = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        // What somebody in a hurry writes.
        connect_or_not(Err((config, options, adapter, steadysocket::Secret::new(CANARY)))).unwrap();
    }))
    .unwrap_err();
    let mut printed = Printed::default();
    printed.debug(message.downcast_ref::<String>().unwrap());
    assert!(printed.0[0].contains("***"));
    printed.check();
}

/// So that nobody sees beforehand how it ends.
fn connect_or_not<E>(outcome: Result<(), E>) -> Result<(), E> {
    outcome
}
