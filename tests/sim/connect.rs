//! Making connections: promise 4, and lessons 1, 2, 3, 4 and 13.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use steadysocket::config::Backoff;
use steadysocket::error::{Advice, Category, ConnectError, Disconnect, Ended, Error, Phase, TlsFailure};
use steadysocket::transport::Signal;
use steadysocket::{Client, CloseCode, CloseFrame, Config, JsonRpc, State};

use crate::calls::config;
use crate::test;
use crate::venue::Exchange;
use crate::world::{Dial, World};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn status(status: u16, retry_after: Option<Duration>) -> ConnectError {
    ConnectError::Status { status, retry_after, location: None }
}

#[test]
fn the_first_failure_is_reported_with_its_reason() {
    for error in [ConnectError::Tcp("refused".into()), status(503, None), status(401, None)] {
        let exchange = Exchange::new();
        exchange.with(|script| script.dials.push_back(Dial::Fail(error.clone())));
        let world = World::new(1, exchange);
        let client = world.client(config(), JsonRpc::new());
        let outcome = world.run(async move { client.ready().await });
        assert_eq!(outcome, Err(Error::Connect(Ended::Refused(error.into()))));
    }
}

#[test]
fn the_first_connection_can_be_retried_too() {
    let exchange = Exchange::new();
    exchange
        .with(|script| script.dials.extend((0..5).map(|_| Dial::Fail(ConnectError::Tcp("refused".into())))));
    let world = World::new(1, exchange.clone());
    let client = world.client(config().retry_initial_connect(true), JsonRpc::new());
    world.run(async move { client.ready().await.unwrap() });
    assert_eq!(exchange.with(|script| script.dialled.len()), 6);
}

#[test]
fn an_upgrade_that_is_never_answered_times_out_and_backs_off() {
    let exchange = Exchange::new();
    exchange.with(|script| script.dials.extend((0..8).map(|_| Dial::Hang)));
    let world = World::new(1, exchange.clone());
    let client = world.client(config().retry_initial_connect(true), JsonRpc::new());
    let last = client.clone();
    world.run(async move { last.ready().await.unwrap() });
    let dialled = exchange.with(|script| script.dialled.clone());
    let gaps: Vec<_> = dialled.windows(2).map(|pair| pair[1].since(pair[0]) - seconds(10)).collect();
    for (failed, gap) in gaps.iter().enumerate() {
        let bound = (Duration::from_millis(250) * 2u32.pow(failed as u32)).min(seconds(30));
        assert!(*gap <= bound + Duration::from_millis(10), "{gap:?} after {failed} failures");
    }
    assert!(gaps.iter().sum::<Duration>() > seconds(5), "it does not hammer: {gaps:?}");
}

#[test]
fn a_timeout_names_its_phase() {
    let exchange = Exchange::new();
    exchange.with(|script| script.dials.push_back(Dial::Hang));
    let world = World::new(1, exchange);
    let client = world.client(config(), JsonRpc::new());
    let start = world.now();
    let outcome = world.run(async move { client.ready().await });
    assert_eq!(outcome, Err(Error::Connect(Ended::Refused(ConnectError::Timeout(Phase::Upgrade).into()))));
    assert_eq!(world.now().since(start), seconds(10));
}

#[test]
fn a_server_that_accepts_and_closes_meets_growing_delays() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    world.run(async move {
        client.ready().await.unwrap();
        std::mem::forget(client);
    });
    exchange.with(|script| script.close_at_open = Some(CloseFrame::new(CloseCode::NORMAL, "")));
    world.net(|net| net.end(0, "cut"));
    world.run_for(seconds(600));
    let attempts = exchange.with(|script| script.dialled.len());
    // With delays of 15 s on average that is about forty; without backoff it would be a hundred thousand.
    assert!((20..90).contains(&attempts), "{attempts} attempts in ten minutes");
}

#[test]
fn a_stable_connection_resets_the_backoff() {
    let exchange = Exchange::new();
    let world = World::new(5, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let inner = world.clone();
    world.run(async move {
        client.ready().await.unwrap();
        for round in 0..40 {
            inner.sleep(seconds(6)).await;
            let start = inner.now();
            inner.net(|net| net.end(round, "cut"));
            inner.sleep(Duration::from_millis(6)).await;
            client.ready().await.unwrap();
            let delay = inner.now().since(start);
            assert!(delay < Duration::from_millis(300), "round {round}: {delay:?}");
        }
    });
}

#[test]
fn refusals_that_will_not_change_stop_it() {
    let tls = |kind| ConnectError::Tls { kind, problem: "bad".into() };
    let fatal = [
        (status(401, None), Category::Authentication),
        (status(403, None), Category::Authentication),
        (tls(TlsFailure::Expired), Category::Connection),
        (tls(TlsFailure::UnknownIssuer), Category::Connection),
        (tls(TlsFailure::WrongHost), Category::Connection),
    ];
    for (error, category) in fatal {
        let exchange = Exchange::new();
        let world = World::new(1, exchange.clone());
        let client = world.client(config(), JsonRpc::new());
        let inner = world.clone();
        let (script, expected) = (exchange.clone(), error.clone());
        let ended = world.run(async move {
            client.ready().await.unwrap();
            script.with(|script| script.dials.push_back(Dial::Fail(expected)));
            inner.net(|net| net.end(0, "cut"));
            client.ended().await
        });
        assert_eq!(ended, Ended::Refused(error.into()));
        assert_eq!(ended.category(), category);
        if category == Category::Authentication {
            assert_eq!(ended.advice(), Advice::Reauthenticate);
        }
        world.run_for(seconds(300));
        assert_eq!(exchange.with(|script| script.dialled.len()), 2);
    }
}

#[test]
fn a_proxys_odd_answer_stops_a_new_client_and_not_one_that_was_live() {
    for code in [200, 301, 400, 404] {
        let exchange = Exchange::new();
        exchange.with(|script| script.dials.push_back(Dial::Fail(status(code, None))));
        let world = World::new(1, exchange);
        let client = world.client(config().retry_initial_connect(true), JsonRpc::new());
        world.run_for(seconds(60));
        assert!(matches!(client.state(), State::Ended(_)), "{code}");

        let exchange = Exchange::new();
        let world = World::new(1, exchange.clone());
        let client = world.client(config(), JsonRpc::new());
        world.run_for(seconds(1));
        exchange.with(|script| script.dials.push_back(Dial::Fail(status(code, None))));
        world.net(|net| net.end(0, "cut"));
        world.run_for(seconds(10));
        assert_eq!(client.state(), State::Live, "{code}");
    }
}

#[test]
fn retry_after_is_honoured_and_bounded() {
    for (asked, least) in [(seconds(45), seconds(45)), (seconds(1 << 40), seconds(3600))] {
        let exchange = Exchange::new();
        exchange.with(|script| script.dials.push_back(Dial::Fail(status(429, Some(asked)))));
        let world = World::new(1, exchange.clone());
        let client = world.client(config().retry_initial_connect(true), JsonRpc::new());
        world.run_for(seconds(5));
        assert!(matches!(client.state(), State::Waiting { attempt: 2, .. }), "{:?}", client.state());
        world.run_for(seconds(3700));
        let dialled = exchange.with(|script| script.dialled.clone());
        let waited = dialled[1].since(dialled[0]);
        // Those who were told the same come back over five seconds.
        assert!(waited >= least && waited < least + seconds(5), "{waited:?}");
    }
}

#[test]
fn close_codes_decide_whether_to_come_back() {
    let cases =
        [(1000, true), (1001, true), (1006, true), (1008, false), (1011, true), (1013, true), (3000, false)];
    for (code, returns) in cases.into_iter().chain([(3003, false), (4000, true), (4999, true), (1010, false)])
    {
        let exchange = Exchange::new();
        let world = World::new(1, exchange.clone());
        let client = world.client(config(), JsonRpc::new());
        let inner = world.clone();
        let frame = CloseFrame::new(CloseCode(code), "because");
        let told = frame.clone();
        world.run(async move {
            client.ready().await.unwrap();
            inner.net(|net| net.send(0, steadysocket::Frame::Close(Some(told.clone()))));
            inner.sleep(seconds(40)).await;
            if returns {
                assert_eq!(client.state(), State::Live, "{code}");
            } else {
                assert_eq!(
                    client.state(),
                    State::Ended(Ended::Refused(Disconnect::Closed(Some(told)))),
                    "{code}"
                );
            }
        });
        assert_eq!(exchange.with(|script| script.dialled.len()), 1 + usize::from(returns), "{code}");
    }
}

#[test]
fn attempts_can_be_limited() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let backoff = Backoff { max_attempts: Some(4), ..Backoff::default() };
    let client = world.client(config().backoff(backoff), JsonRpc::new());
    let inner = world.clone();
    let script = exchange.clone();
    let ended = world.run(async move {
        client.ready().await.unwrap();
        let refused = || Dial::Fail(ConnectError::Tcp("refused".into()));
        script.with(|script| script.dials.extend((0..9).map(|_| refused())));
        inner.net(|net| net.end(0, "cut"));
        client.ended().await
    });
    let last = Disconnect::Connect(ConnectError::Tcp("refused".into()));
    assert_eq!(ended, Ended::AttemptsExhausted(last));
    assert_eq!(exchange.with(|script| script.dialled.len()), 4);
}

#[test]
fn the_loss_of_a_stable_connection_is_no_failed_attempt() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let backoff = Backoff { max_attempts: Some(1), ..Backoff::default() };
    let client = world.client(config().backoff(backoff), JsonRpc::new());
    world.run_for(seconds(6));
    let mut events = client.events();
    world.run_for(seconds(1));
    world.net(|net| net.end(0, "cut"));
    world.run_for(seconds(1));
    assert_eq!((client.state(), client.stats().connections), (State::Live, 2));
    let mut attempts = Vec::new();
    while let Some(Some(event)) = futures::FutureExt::now_or_never(events.next()) {
        if let steadysocket::Update::Data(steadysocket::Event::State(State::Connecting { attempt })) = event {
            attempts.push(attempt);
        }
    }
    assert_eq!(attempts, [1]);
}

#[test]
fn a_provider_is_asked_at_each_attempt_and_its_failures_are_attempts() {
    // The provider must be `Send`, as on any platform with threads; the count is shared with the test.
    let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = asked.clone();
    let config = Config::with_provider(move || {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async move {
            match n {
                0 => Err("no token yet"),
                1 => Ok("not a url".to_owned()),
                2 => Ok("ws://plain.example".to_owned()),
                3 => std::future::pending().await,
                n => Ok(format!("wss://venue.example/?token={n}")),
            }
        }
    });
    let backoff = Backoff { max_attempts: Some(20), ..Backoff::default() };
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config.retry_initial_connect(true).backoff(backoff), JsonRpc::new());
    let outcome = world.run(async move { client.ready().await });
    // Plain text to another machine is a mistake that will not mend itself.
    assert!(matches!(
        outcome,
        Err(Error::Connect(Ended::Refused(Disconnect::Connect(ConnectError::Config(_)))))
    ));
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 3);
}

#[test]
fn a_provider_that_hangs_is_bounded_by_the_connect_timeout() {
    let config = Config::with_provider(std::future::pending::<Result<String, String>>);
    let world = World::new(1, Exchange::new());
    let client = world.client(config, JsonRpc::new());
    let outcome = world.run(async move { client.ready().await });
    let timeout = ConnectError::Timeout(Phase::Endpoint);
    assert_eq!(outcome, Err(Error::Connect(Ended::Refused(timeout.into()))));
}

#[test]
fn offline_pauses_and_online_tries_at_once() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    let keep = client.clone();
    world.run(async move { keep.ready().await.unwrap() });
    exchange.with(|script| {
        script.dials.extend((0..50).map(|_| Dial::Fail(ConnectError::Tcp("unreachable".into()))))
    });
    world.net(|net| {
        net.signal(Signal::Offline);
        net.end(0, "cut");
    });
    world.run_for(seconds(25));
    assert_eq!(exchange.with(|script| script.dialled.len()), 1, "no attempts while offline");
    exchange.with(|script| script.dials.clear());
    let start = world.now();
    world.net(|net| net.signal(Signal::Online));
    let keep = client.clone();
    world.run(async move { keep.ready().await.unwrap() });
    assert!(world.now().since(start) < Duration::from_millis(100));
}

#[test]
fn a_visible_page_does_not_wait_for_the_backoff() {
    let exchange = Exchange::new();
    exchange.with(|script| script.dials.push_back(Dial::Fail(status(503, None))));
    let world = World::new(1, exchange);
    let backoff = Backoff { base: seconds(3600), cap: seconds(3600), ..Backoff::default() };
    let client = world.client(config().retry_initial_connect(true).backoff(backoff), JsonRpc::new());
    world.run_for(seconds(1));
    let start = world.now();
    world.net(|net| net.signal(Signal::Visible));
    world.run(async move { client.ready().await.unwrap() });
    assert!(world.now().since(start) < Duration::from_millis(100));
}

#[test]
fn nothing_hurries_past_retry_after() {
    let exchange = Exchange::new();
    exchange.with(|script| script.dials.push_back(Dial::Fail(status(429, Some(seconds(60))))));
    let world = World::new(1, exchange.clone());
    let client = world.client(config().retry_initial_connect(true), JsonRpc::new());
    for signal in [Signal::Visible, Signal::Offline, Signal::Online, Signal::Visible] {
        world.run_for(seconds(10));
        world.net(|net| net.signal(signal));
        client.reconnect();
    }
    world.run_for(seconds(15));
    assert_eq!(exchange.with(|script| script.dialled.len()), 1);
    world.run_for(seconds(10));
    assert_eq!(exchange.with(|script| script.dialled.len()), 2);
}

#[test]
fn dropping_the_last_handle_closes_and_dropping_the_driver_ends() {
    let exchange = Exchange::new();
    let world = World::new(1, exchange.clone());
    let client = world.client(config(), JsonRpc::new());
    world.run(async move { client.ready().await.unwrap() });
    world.run_for(seconds(1));
    assert_eq!(exchange.with(|script| script.closes.len()), 1);
    assert!(exchange.with(|script| script.subscribed.is_empty()));

    let platform = crate::world::SimPlatform::<true>::new(&world);
    let (client, driver) = Client::with_platform(config(), JsonRpc::new(), platform).unwrap();
    let call = client.request(steadysocket::Request::new("echo"));
    let dropped = Rc::new(Cell::new(false));
    let flag = dropped.clone();
    let inner = world.clone();
    world.run(async move {
        let end = async {
            inner.sleep(seconds(1)).await;
            drop(driver);
            flag.set(true);
        };
        let (outcome, ()) = futures::join!(call, end);
        assert!(outcome.is_err());
        assert_eq!(client.ended().await, Ended::Abandoned);
        assert!(client.ready().await.is_err());
    });
    assert!(dropped.get());
}

/// Asks for the connection's state in the very moment in which it is woken, as another thread may.
struct Asking {
    client: Client,
    states: Mutex<Vec<(State, u64)>>,
    task: Waker,
}

impl Wake for Asking {
    fn wake(self: Arc<Self>) {
        let connections = self.client.stats().connections;
        self.states.lock().unwrap().push((self.client.state(), connections));
        self.task.wake_by_ref();
    }
}

#[test]
fn whoever_is_woken_sees_the_state_that_woke_him() {
    let world = World::new(1, Exchange::new());
    let client = world.client(config(), JsonRpc::new());
    let states = world.run(async move {
        let task = std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let asking = Arc::new(Asking { client: client.clone(), states: Mutex::default(), task });
        let waker = Waker::from(asking.clone());
        let mut ready = std::pin::pin!(client.ready());
        std::future::poll_fn(|_| ready.as_mut().poll(&mut Context::from_waker(&waker))).await.unwrap();
        std::mem::take(&mut *asking.states.lock().unwrap())
    });
    assert_eq!(states, [(State::Live, 1)]);
}
