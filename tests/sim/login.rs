//! Logging in to Deribit and staying logged in, over a year of virtual time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use futures::channel::oneshot;
use serde_json::{Value, json};
use steadysocket::deribit::{CancelOnDisconnect, Deribit, Options, SignError};
use steadysocket::error::{Disconnect, Ended, Error, NotSent, OpeningError, Refusal};
use steadysocket::time::Instant;
use steadysocket::{Config, Frame, Message, State};

use crate::test;
use crate::world::{ConnId, Dial, Net, SimPlatform, Venue, World};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What is between the server's clock and ours, in microseconds.
const OFFSET: u64 = 1_790_000_000_000_000;

/// The venue's desk for logins, and its ledger.
#[derive(Default)]
struct Book {
    received: Vec<(Instant, ConnId, Value)>,
    /// Refusals to come, in order, each for the next request with its method.
    refusals: VecDeque<(&'static str, i64)>,
    /// Requests that are not answered.
    ignored: VecDeque<&'static str>,
    expires_in: u64,
    scope: &'static str,
    grants: u64,
    /// Replies do not say what time it is.
    timeless: bool,
    /// Requests are refused and ignored, and connections cut, at random.
    storm: bool,
}

#[derive(Clone, Default)]
struct Desk(Rc<RefCell<Book>>);

impl Desk {
    fn new() -> Self {
        let desk = Self::default();
        desk.with(|book| (book.expires_in, book.scope) = (900, "account:read_write connection trade:read"));
        desk
    }

    fn with<R>(&self, with: impl FnOnce(&mut Book) -> R) -> R {
        with(&mut self.0.borrow_mut())
    }

    fn refuse(&self, method: &'static str, code: i64) {
        self.with(|book| book.refusals.push_back((method, code)));
    }

    fn methods(&self) -> Vec<String> {
        let method = |(_, _, request): &(_, _, Value)| request["method"].as_str().unwrap().to_owned();
        self.with(|book| book.received.iter().map(method).collect())
    }

    /// The kinds of login, and when they came after the first.
    fn grants(&self) -> Vec<(u64, String)> {
        self.with(|book| {
            let mut auths = book.received.iter().filter(|(_, _, request)| request["method"] == "public/auth");
            let start = auths.clone().next().map_or(Instant::ZERO, |(at, ..)| *at);
            let kind = |request: &Value| request["params"]["grant_type"].as_str().unwrap().to_owned();
            auths.by_ref().map(|(at, _, request)| (at.since(start).as_secs(), kind(request))).collect()
        })
    }

    fn calls(&self, method: &str) -> Vec<Value> {
        let requests =
            self.with(|book| book.received.iter().map(|(_, _, request)| request.clone()).collect());
        let requests: Vec<Value> = requests;
        requests.into_iter().filter(|request| request["method"] == method).collect()
    }
}

impl Book {
    fn answer(&mut self, request: &Value) -> Option<Result<Value, Value>> {
        let method = request["method"].as_str().unwrap();
        if self.ignored.front() == Some(&method) {
            self.ignored.pop_front();
            return None;
        }
        if let Some(place) = self.refusals.iter().position(|(refused, _)| *refused == method) {
            let (_, code) = self.refusals.remove(place).unwrap();
            return Some(Err(json!({ "code": code, "message": "refused" })));
        }
        Some(Ok(match method {
            "public/auth" => {
                self.grants += 1;
                json!({
                    "access_token": format!("access-{}", self.grants), "expires_in": self.expires_in,
                    "refresh_token": format!("refresh-{}", self.grants), "scope": self.scope,
                    "token_type": "bearer",
                })
            }
            "public/subscribe" | "private/subscribe" => request["params"]["channels"].clone(),
            _ => json!("ok"),
        }))
    }
}

impl Book {
    /// Refuses, is silent, or answers.
    fn misbehave(&mut self, net: &mut Net, request: &Value) -> Option<Result<Value, Value>> {
        let method = request["method"].as_str().unwrap();
        match net.random() % 20 {
            0 => None,
            1 if method.starts_with("private/get_") => {
                Some(Err(json!({ "code": 13009, "message": "unauthorized" })))
            }
            2 => Some(Err(json!({ "code": 11051, "message": "system_maintenance" }))),
            _ => self.answer(request),
        }
    }
}

impl Venue for Desk {
    fn dial(&mut self, _: &mut Net, _: ConnId) -> Dial {
        Dial::Accept
    }

    fn opened(&mut self, net: &mut Net, conn: ConnId) {
        if self.with(|book| book.storm) {
            let life = net.between(Duration::ZERO, seconds(3_600));
            net.alarm(life, conn as u64);
        }
    }

    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame) {
        match frame {
            Frame::Ping(payload) => net.send(conn, Frame::Pong(payload)),
            Frame::Close(frame) => {
                net.send(conn, Frame::Close(frame));
                net.end(conn, "closed");
            }
            Frame::Message(Message::Text(text)) => {
                let request: Value = serde_json::from_str(text.as_str()).unwrap();
                let mut book = self.0.borrow_mut();
                book.received.push((net.now(), conn, request.clone()));
                if request["method"] == "private/logout" {
                    return net.end(conn, "logged out");
                }
                let now = net.now().as_nanos() / 1000 + OFFSET;
                let mut reply = json!({ "jsonrpc": "2.0", "id": request["id"], "testnet": true });
                if !book.timeless {
                    (reply["usIn"], reply["usOut"], reply["usDiff"]) = (json!(now), json!(now), json!(0));
                }
                let outcome = if book.storm { book.misbehave(net, &request) } else { book.answer(&request) };
                match outcome {
                    Some(Ok(_)) if request["method"] == "public/get_time" => {
                        reply["result"] = json!(now / 1000)
                    }
                    Some(Ok(result)) => reply["result"] = result,
                    Some(Err(error)) => reply["error"] = error,
                    None => return,
                }
                net.send_text(conn, reply.to_string());
            }
            _ => {}
        }
    }

    fn gone(&mut self, _: &mut Net, _: ConnId) {}

    fn tick(&mut self, net: &mut Net, conn: u64) {
        net.end(conn as ConnId, "the storm");
    }
}

fn start(desk: &Desk, options: Options) -> (World, Deribit) {
    start_with(desk, options, |config| config)
}

fn start_with(desk: &Desk, options: Options, change: impl FnOnce(Config) -> Config) -> (World, Deribit) {
    let world = World::new(1, desk.clone());
    let config = change(options.config().unwrap());
    let platform = SimPlatform::<true>::new(&world);
    let (deribit, driver) = Deribit::with_platform(options, config, platform).unwrap();
    world.spawn(async move {
        let _: Ended = driver.await;
    });
    (world, deribit)
}

fn options() -> Options {
    Options::testnet().credentials("id", "secret")
}

fn refused(outcome: &Result<Value, Error>, code: i64) -> bool {
    matches!(outcome, Err(Error::Rejected(error)) if error.code == code)
}

fn opening(world: &World, deribit: &Deribit) -> OpeningError {
    let deribit = deribit.clone();
    match world.run(async move { deribit.client().ready().await }) {
        Err(Error::Connect(Ended::Refused(Disconnect::Opening(error)))) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_connection_is_restored_in_order() {
    let desk = Desk::new();
    let options = options().cancel_on_disconnect(CancelOnDisconnect::Connection);
    let (world, deribit) = start(&desk, options);
    let inner = world.clone();
    world.run(async move {
        let channels = ["user.orders.any.any.raw", "quote.X", "book.X.raw"];
        let streams = futures::future::join_all(channels.map(|name| deribit.subscribe_raw(name))).await;
        assert!(streams.iter().all(Result::is_ok));
        inner.net(|net| net.end(0, "cut"));
        inner.sleep(seconds(5)).await;
        assert_eq!((deribit.client().state(), deribit.client().stats().connections), (State::Live, 2));
    });
    let methods = desk.methods();
    let opening = [
        "public/hello",
        "public/auth",
        "public/set_heartbeat",
        "private/enable_cancel_on_disconnect",
        "private/get_account_summary",
        "public/subscribe",
        "public/subscribe",
        "private/subscribe",
    ];
    assert_eq!(methods, [opening, opening].concat());
    assert_eq!(
        desk.calls("private/enable_cancel_on_disconnect")[0]["params"],
        json!({ "scope": "connection" })
    );
    let auth = &desk.calls("public/auth")[0]["params"];
    assert_eq!(auth["client_secret"], "secret");
}

#[test]
fn a_login_is_renewed_before_it_expires() {
    let desk = Desk::new();
    let (world, deribit) = start(&desk, options());
    world.run_for(seconds(3_000));
    let refreshes = [720, 1440, 2160, 2880].map(|at| (at, "refresh_token".to_owned()));
    assert_eq!(desk.grants()[0], (0, "client_credentials".into()));
    assert_eq!(desk.grants()[1..], refreshes);
    // Each with the token that came last.
    let tokens: Vec<_> =
        desk.calls("public/auth")[1..].iter().map(|call| call["params"]["refresh_token"].clone()).collect();
    assert_eq!(tokens, ["refresh-1", "refresh-2", "refresh-3", "refresh-4"]);
    assert_eq!(deribit.client().stats().connections, 1);
}

#[test]
fn a_year_long_login_is_renewed_too() {
    let desk = Desk::new();
    desk.with(|book| book.expires_in = 31_536_000);
    let (world, _deribit) = start_with(&desk, options(), |config| config.heartbeat(None));
    world.run_for(seconds(31_536_000));
    let kinds: Vec<_> = desk.grants().into_iter().map(|(at, _)| at).collect();
    assert_eq!(kinds, [0, 25_228_800]);
}

#[test]
fn a_refresh_that_fails_falls_back_to_a_login() {
    for unanswered in [false, true] {
        let desk = Desk::new();
        let (world, deribit) = start(&desk, options());
        world.run_for(seconds(700));
        if unanswered {
            desk.with(|book| book.ignored.push_back("public/auth"));
        } else {
            desk.refuse("public/auth", 13009);
        }
        world.run_for(seconds(100));
        let after = if unanswered { 730 } else { 720 };
        assert_eq!(desk.grants()[1..], [(720, "refresh_token".into()), (after, "client_credentials".into())]);
        assert_eq!((deribit.client().state(), deribit.client().stats().connections), (State::Live, 1));
        world.run_for(seconds(720));
        assert_eq!(desk.grants().last().unwrap().1, "refresh_token", "back to renewals");
    }
}

#[test]
fn what_cannot_be_renewed_is_tried_on_a_new_connection() {
    let desk = Desk::new();
    let (world, deribit) = start(&desk, options());
    world.run_for(seconds(700));
    desk.refuse("public/auth", 13009);
    desk.refuse("public/auth", 11051);
    world.run_for(seconds(100));
    assert_eq!((deribit.client().state(), deribit.client().stats().connections), (State::Live, 2));
    // Credentials that are not good any more are for the user to mend.
    desk.refuse("public/auth", 13009);
    desk.refuse("public/auth", 13004);
    world.run_for(seconds(800));
    let State::Ended(Ended::Refused(Disconnect::Opening(OpeningError::Authentication(error)))) =
        deribit.client().state()
    else {
        panic!("{:?}", deribit.client().state())
    };
    assert_eq!(error.code, 13004);
}

#[test]
fn a_refused_token_is_met_by_one_login_and_then_told() {
    let desk = Desk::new();
    let (world, deribit) = start(&desk, options());
    let (inner, script) = (world.clone(), desk.clone());
    world.run(async move {
        deribit.client().ready().await.unwrap();
        let call = || deribit.call::<Value>("private/get_positions", ());
        // Several at once are one reason.
        for _ in 0..3 {
            script.refuse("private/get_positions", 13009);
        }
        let outcomes = futures::future::join_all([call(), call(), call()]).await;
        assert!(outcomes.iter().all(|outcome| refused(outcome, 13009)), "{outcomes:?}");
        inner.sleep(seconds(1)).await;
        assert_eq!(call().await, Ok(json!("ok")));
        let logins = [(0, "client_credentials".into()), (0, "client_credentials".into())];
        assert_eq!(script.grants(), logins);
        // The second time it is not the token's fault.
        for _ in 0..5 {
            script.refuse("private/get_positions", 13009);
            assert!(refused(&call().await, 13009));
            inner.sleep(seconds(1)).await;
        }
        assert_eq!(script.grants(), logins);
        // After a while it may be again, and as often as it takes.
        for _ in 0..2 {
            inner.sleep(seconds(10)).await;
            script.refuse("private/get_positions", 13009);
            assert!(refused(&call().await, 13009));
            inner.sleep(seconds(1)).await;
            assert_eq!(call().await, Ok(json!("ok")));
        }
        assert_eq!(script.grants().len(), 4);
        // After a renewal that went well, it may be at once.
        inner.sleep(seconds(800)).await;
        script.refuse("private/get_positions", 13009);
        assert!(refused(&call().await, 13009));
        inner.sleep(seconds(1)).await;
        assert_eq!(
            script.grants()[4..].iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>(),
            ["refresh_token", "client_credentials"]
        );
        assert_eq!(deribit.client().stats().connections, 1);
    });
    assert_eq!(desk.calls("private/get_positions").len(), 14, "nothing was made twice");
}

#[test]
fn an_opening_logs_in_once_more_and_then_asks_the_user() {
    for (refusals, passes) in [
        (&[("public/auth", 13009)][..], true),
        (&[("private/enable_cancel_on_disconnect", 13009)], true),
        (&[("private/enable_cancel_on_disconnect", 10049)], true),
        (&[("public/auth", 13009), ("public/auth", 13009)], false),
        (&[("public/auth", 13009), ("private/enable_cancel_on_disconnect", 13009)], false),
        (&[("private/enable_cancel_on_disconnect", 13021)], false),
        (&[("public/auth", 13004)], false),
    ] {
        let desk = Desk::new();
        refusals.iter().for_each(|(method, code)| desk.refuse(method, *code));
        let options = options().cancel_on_disconnect(CancelOnDisconnect::Account);
        let (world, deribit) = start_with(&desk, options, |config| config.retry_initial_connect(true));
        if passes {
            let deribit = deribit.clone();
            assert_eq!(world.run(async move { deribit.client().ready().await }), Ok(()), "{refusals:?}");
        } else {
            let OpeningError::Authentication(error) = opening(&world, &deribit) else {
                panic!("{refusals:?}")
            };
            assert_eq!(Some(error.code), refusals.last().map(|(_, code)| *code));
        }
        assert_eq!(deribit.client().stats().connections, 1, "{refusals:?}");
    }
}

#[test]
fn a_step_that_fails_for_now_is_tried_on_the_next_connection() {
    let desk = Desk::new();
    for (method, code) in [
        ("public/auth", 11051),
        ("private/enable_cancel_on_disconnect", 10049),
        ("private/enable_cancel_on_disconnect", 10049),
    ] {
        desk.refuse(method, code);
    }
    let options = options().cancel_on_disconnect(CancelOnDisconnect::Account);
    let (world, deribit) = start_with(&desk, options, |config| config.retry_initial_connect(true));
    world.run_for(seconds(30));
    assert_eq!((deribit.client().state(), deribit.client().stats().connections), (State::Live, 3));
}

#[test]
fn a_login_that_can_never_leave_ends_the_client() {
    let desk = Desk::new();
    let options = options().scope("x".repeat(40_000));
    let (world, deribit) = start_with(&desk, options, |config| config.retry_initial_connect(true));
    let OpeningError::NotSent { method, reason } = opening(&world, &deribit) else { panic!() };
    assert_eq!(method, "public/auth");
    assert!(matches!(*reason, NotSent::TooLarge { .. }), "{reason}");
    assert_eq!(deribit.client().stats().connections, 1);
}

#[test]
fn a_signature_is_made_anew_for_each_login_by_the_servers_clock() {
    for timeless in [false, true] {
        let desk = Desk::new();
        desk.with(|book| book.timeless = timeless);
        let (world, deribit) = start(&desk, Options::testnet().signed_credentials("id", "AMANDASECRECT"));
        world.run_for(seconds(1));
        assert_eq!(deribit.client().state(), State::Live);
        world.net(|net| net.end(0, "cut"));
        world.run_for(seconds(10));
        let now = world.now();
        let auths = desk.calls("public/auth");
        assert_eq!(auths.len(), 2);
        for auth in &auths {
            let params = &auth["params"];
            assert_eq!((&params["grant_type"], &params["data"]), (&json!("client_signature"), &json!("")));
            let timestamp = params["timestamp"].as_u64().unwrap();
            let server = (now.as_nanos() / 1000 + OFFSET) / 1000;
            assert!(timestamp <= server && server - timestamp < 12_000, "{timestamp} {server}");
            assert_eq!(params["signature"].as_str().unwrap().len(), 64);
            assert!(!auth.to_string().contains("AMANDA"));
        }
        assert_ne!(auths[0]["params"]["nonce"], auths[1]["params"]["nonce"]);
        assert_eq!(desk.calls("public/get_time").len(), usize::from(timeless));
    }
}

#[test]
fn somebody_else_may_sign() {
    let desk = Desk::new();
    let (ask, mut asked) = futures::channel::mpsc::unbounded::<(String, oneshot::Sender<_>)>();
    let options = Options::testnet().signer("id", move |text: String| {
        let (answer, answered) = oneshot::channel();
        let _ = ask.unbounded_send((text, answer));
        async move { answered.await.unwrap_or_else(|_| Err(SignError::Unavailable("gone".into()))) }
    });
    let (world, deribit) = start_with(&desk, options, |config| config.retry_initial_connect(true));
    world.run_for(seconds(1));
    // It takes its time, goes away, and in the end does not want to.
    let (text, answer) = asked.try_recv().unwrap();
    let lines: Vec<_> = text.split('\n').collect();
    assert_eq!((lines.len(), lines[2]), (3, ""));
    answer.send(Ok("5160".into())).unwrap();
    world.run_for(seconds(1));
    assert_eq!(deribit.client().state(), State::Live);
    let params = &desk.calls("public/auth")[0]["params"];
    assert_eq!((&params["signature"], &params["nonce"]), (&json!("5160"), &json!(lines[1])));
    assert_eq!(params["timestamp"].to_string(), lines[0]);

    world.net(|net| net.end(0, "cut"));
    world.run_for(seconds(1));
    drop(asked.try_recv().unwrap());
    world.run_for(seconds(1));
    assert_eq!((deribit.client().state(), deribit.client().stats().connections), (State::Restoring, 3));
    let (_, answer) = asked.try_recv().unwrap();
    answer.send(Err(SignError::Refused("not today".into()))).unwrap();
    world.run_for(seconds(1));
    let State::Ended(Ended::Refused(Disconnect::Opening(OpeningError::Unsigned(problem)))) =
        deribit.client().state()
    else {
        panic!("{:?}", deribit.client().state())
    };
    assert!(problem.contains("not today"));
}

#[test]
fn what_needs_a_login_does_not_leave_without_credentials() {
    let desk = Desk::new();
    let (world, deribit) = start(&desk, Options::testnet());
    let script = desk.clone();
    world.run(async move {
        let outcome = deribit.call::<Value>("private/get_positions", ()).await;
        assert_eq!(outcome, Err(Error::NotSent(NotSent::NotLoggedIn)));
        let refused = deribit.subscribe_raw("user.portfolio.any").await.unwrap_err();
        let Error::Refused { reason: Refusal::NotSent(reason), .. } = refused else { panic!("{refused:?}") };
        assert_eq!(*reason, NotSent::NotLoggedIn);
        assert_eq!(script.methods(), ["public/hello", "public/set_heartbeat"]);
        // A token of the user's own will do, and so will a login.
        let own = json!({ "access_token": "mine" });
        assert_eq!(deribit.call::<Value>("private/get_positions", own).await, Ok(json!("ok")));
        deribit.call::<Value>("public/auth", json!({ "grant_type": "x" })).await.unwrap();
        assert_eq!(deribit.call::<Value>("private/get_positions", ()).await, Ok(json!("ok")));
    });
    assert!(matches!(
        Deribit::with_platform(
            Options::testnet().cancel_on_disconnect(CancelOnDisconnect::Connection),
            Config::new("wss://h").unwrap(),
            SimPlatform::<true>::new(&world),
        ),
        Err(error) if error.field == "cancel_on_disconnect"
    ));
}

#[test]
fn the_token_goes_along_when_that_is_asked_for() {
    let desk = Desk::new();
    let (world, deribit) = start(&desk, options().attach_token(true));
    world.run(async move {
        deribit.call::<Value>("private/get_positions", ()).await.unwrap();
        deribit.call::<Value>("private/get_positions", json!({})).await.unwrap();
        deribit.call::<Value>("private/get_positions", json!({ "currency": "BTC" })).await.unwrap();
        deribit.call::<Value>("public/ticker", json!({})).await.unwrap();
    });
    let params: Vec<_> =
        desk.calls("private/get_positions").iter().map(|call| call["params"].clone()).collect();
    let token = "access-1";
    let expected = [
        json!({ "access_token": token }),
        json!({ "access_token": token }),
        json!({ "access_token": token, "currency": "BTC" }),
    ];
    assert_eq!(params, expected);
    assert_eq!(desk.calls("public/ticker")[0]["params"], json!({}));
}

#[test]
fn a_login_that_grants_less_than_was_asked_for_is_told() {
    let desk = Desk::new();
    let (world, deribit) = start(&desk, options().scope("account:read trade:read_write"));
    let OpeningError::Narrowed { asked, granted } = opening(&world, &deribit) else { panic!() };
    assert_eq!(asked, "account:read trade:read_write");
    assert!(granted.contains("trade:read"));
    let (world, deribit) = start(&desk, options().scope("account:read trade:read session:bot"));
    let ready = deribit.clone();
    assert_eq!(world.run(async move { ready.client().ready().await }), Ok(()));
    assert_eq!(desk.calls("public/auth")[1]["params"]["scope"], "account:read trade:read session:bot");
}

#[test]
fn a_logout_ends_the_client() {
    let desk = Desk::new();
    let (world, deribit) = start(&desk, options());
    let handle = deribit.clone();
    assert_eq!(world.run(async move { handle.logout().await }), Ok(()));
    assert!(matches!(deribit.client().state(), State::Ended(_)));
    // Also when the user makes the call and does no more about it.
    let (world, deribit) = start(&desk, options());
    let handle = deribit.clone();
    assert!(world.run(async move { handle.call::<Value>("private/logout", ()).await }).is_err());
    world.run_for(seconds(100));
    let logged_out = Ended::Refused(Disconnect::Opening(OpeningError::LoggedOut));
    assert_eq!(deribit.client().state(), State::Ended(logged_out));
    assert_eq!(desk.grants().len(), 2);
}

#[test]
fn the_servers_clock_is_known_within_the_round_trip() {
    let desk = Desk::new();
    let (world, deribit) = start(&desk, options());
    assert_eq!(deribit.server_time(), None);
    world.run_for(seconds(1));
    for _ in 0..10 {
        let time = deribit.server_time().unwrap();
        let truth = world.now().as_nanos() / 1000 + OFFSET;
        assert!(time.micros.abs_diff(truth) <= u64::try_from(time.error.as_micros()).unwrap());
        assert!(time.error < Duration::from_millis(6), "{time:?}");
        let handle = deribit.clone();
        world.run(async move { handle.call::<u64>("public/get_time", ()).await }).unwrap();
    }
}

/// A week in which requests are refused and lost and connections cut, at every step of opening and renewing.
#[test]
fn a_login_outlives_a_storm() {
    let desk = Desk::new();
    desk.with(|book| book.storm = true);
    let options = options().cancel_on_disconnect(CancelOnDisconnect::Connection);
    let (world, deribit) = start_with(&desk, options, |config| config.retry_initial_connect(true));
    let (inner, script, handle) = (world.clone(), desk.clone(), deribit.clone());
    world.spawn(async move {
        let _portfolio = handle.subscribe_raw("user.portfolio.any").await;
        loop {
            let _ = handle.call::<Value>("private/get_positions", ()).await;
            inner.sleep(seconds(20)).await;
        }
    });
    world.run_for(seconds(7 * 24 * 3_600));
    desk.with(|book| book.storm = false);
    world.run_for(seconds(120));
    assert_eq!(deribit.client().state(), State::Live);
    assert!(world.run(async move { deribit.call::<Value>("private/get_positions", ()).await }).is_ok());

    let mut connections: Vec<Vec<String>> = Vec::new();
    script.with(|book| {
        for (_, conn, request) in &book.received {
            connections.resize_with(connections.len().max(conn + 1), Vec::new);
            connections[*conn].push(request["method"].as_str().unwrap().to_owned());
        }
    });
    assert!(connections.len() > 150, "{}", connections.len());
    for methods in connections.iter().filter(|methods| !methods.is_empty()) {
        assert_eq!(methods[0], "public/hello");
        let place = |wanted: &str| methods.iter().position(|method| method == wanted).unwrap_or(usize::MAX);
        let (auth, heartbeat) = (place("public/auth"), place("public/set_heartbeat"));
        let cancel = place("private/enable_cancel_on_disconnect");
        let others = methods.iter().position(|method| {
            method.starts_with("private/") && method != "private/enable_cancel_on_disconnect"
        });
        assert!(
            auth <= heartbeat && heartbeat <= cancel && cancel <= others.unwrap_or(usize::MAX),
            "{methods:?}"
        );
    }
    // One login for each connection, and renewals; a refused token costs one more at the most between two renewals.
    let (logins, calls) = (desk.grants().len(), desk.calls("private/get_positions").len());
    assert!(calls > 10_000 && logins < 3_000, "{logins} logins, {calls} calls");
}

/// The login of a recording is not in it, and need not be.
#[cfg(feature = "record")]
#[test]
fn a_recorded_login_replays_without_its_secret() {
    use steadysocket::deribit::Adapter;
    use steadysocket::recorder::{Memory, Reader, Recorder};
    use steadysocket::replay::Replay;

    let desk = Desk::new();
    let memory = Memory::new(10_000_000);
    let recorder = Recorder::new(memory.clone(), Duration::default);
    let theirs = || Options::testnet().credentials("id", "hunter2-canary");
    let signed = || Options::testnet().signed_credentials("id", "hunter2-canary");
    for (session, options) in [(1, theirs()), (2, signed())] {
        let (world, deribit) = start_with(&desk, options, |config| config.recorder(Some(recorder.clone())));
        let inner = world.clone();
        world.run(async move {
            let mut orders = deribit.subscribe_raw("user.orders.any.any.raw").await.unwrap();
            // The login is renewed some times.
            inner.sleep(seconds(3_000)).await;
            inner.net(|net| net.end(0, "cut"));
            orders.next().await.unwrap();
            deribit.client().ready().await.unwrap();
            inner.sleep(seconds(10)).await;
        });
        world.end();
        let text = memory.text();
        for word in ["hunter2", "access-", "refresh-"] {
            assert!(!text.contains(word), "{word}");
        }
        assert!(text.contains("public/auth") && text.contains(r#""refresh_token":"***""#));
        let others = || {
            Adapter::new(match session {
                1 => Options::testnet().credentials("id", "another"),
                _ => Options::testnet().signed_credentials("id", "another"),
            })
        };
        let replay = Replay::new(Reader::new(text.as_bytes()), others).session(session);
        let history = replay.history().unwrap();
        assert!(history.sent.len() > 10, "{}", history.sent.len());
        assert_eq!(history.differences, [], "session {session}");
    }
}
