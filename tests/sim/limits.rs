//! The venue's limits against a model of the venue: nothing overdraws a pool, nothing overfills the matching engine's
//! queue, and nothing is lost to a request whose answer does not come.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use steadysocket::config::WhenBlocked;
use steadysocket::deribit::{Deribit, Matching, Options};
use steadysocket::error::{Ended, Error, NotSent, Unknown};
use steadysocket::time::Instant;
use steadysocket::{Call, Config, Frame, Message, Refill, Request, State};

use crate::test;
use crate::world::{ConnId, Dial, Net, SimPlatform, Venue, World};

const SUMMARY: &str = "private/get_account_summary";

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One of the venue's pools: credits in millionths.
#[derive(Debug)]
struct Pool {
    most: u128,
    a_second: u128,
    left: u128,
    at: Option<Instant>,
}

impl Pool {
    fn new(most: u64, a_second: u64) -> Self {
        let most = u128::from(most) * 1_000_000_000;
        Self { most, a_second: a_second.into(), left: most, at: None }
    }

    /// Whether it could be paid.
    fn pay(&mut self, now: Instant, credits: u64) -> bool {
        let passed = now.since(self.at.replace(now).unwrap_or(now)).as_nanos();
        self.left = self.most.min(self.left + passed * self.a_second);
        let price = u128::from(credits) * 1_000_000_000;
        let paid = self.left >= price;
        self.left -= if paid { price } else { 0 };
        paid
    }
}

/// The venue as one account sees it.
struct Model {
    calls: Pool,
    subscribes: Pool,
    orders: Pool,
    cancels_of_all: Pool,
    /// How long the matching engine takes for one request.
    service: Duration,
    /// When it will be done with all that waits.
    busy_until: Instant,
    /// Requests that it has not carried out yet, and the most there ever were.
    queue: usize,
    longest_queue: usize,
    overdrawn: Vec<String>,
    /// What came, in order.
    received: Vec<(Instant, String)>,
    /// Answers to come.
    due: BTreeMap<u64, (ConnId, String, bool)>,
    token: u64,
    /// Orders of which this many more are carried out and not answered.
    lost_answers: usize,
    limits: Option<Value>,
    /// What is not answered.
    silent: Vec<&'static str>,
}

#[derive(Clone)]
struct Exchange(Rc<RefCell<Model>>);

impl Exchange {
    fn new(tier: Matching) -> Self {
        Self(Rc::new(RefCell::new(Model {
            calls: Pool::new(50_000, 10_000),
            subscribes: Pool::new(30_000, 10_000),
            orders: Pool::new(tier.burst, tier.rate),
            cancels_of_all: Pool::new(tier.burst, tier.rate),
            service: millis(3),
            busy_until: Instant::ZERO,
            queue: 0,
            longest_queue: 0,
            overdrawn: Vec::new(),
            received: Vec::new(),
            due: BTreeMap::new(),
            token: 0,
            lost_answers: 0,
            limits: None,
            silent: Vec::new(),
        })))
    }

    fn with<R>(&self, with: impl FnOnce(&mut Model) -> R) -> R {
        with(&mut self.0.borrow_mut())
    }

    /// The methods of what the matching engine was asked.
    fn orders(&self) -> Vec<String> {
        let of_orders = |method: &&String| Model::is_order(method);
        self.with(|model| {
            model.received.iter().map(|(_, method)| method).filter(of_orders).cloned().collect()
        })
    }

    fn assert_kept(&self) {
        self.with(|model| {
            assert_eq!(model.overdrawn, Vec::<String>::new());
            assert!(model.longest_queue <= 8, "{} in the queue", model.longest_queue);
        });
    }
}

impl Model {
    fn is_order(method: &str) -> bool {
        ["private/buy", "private/edit", "private/cancel", "private/cancel_all"].contains(&method)
    }

    fn take(&mut self, net: &mut Net, conn: ConnId, request: &Value) {
        let now = net.now();
        let method = request["method"].as_str().unwrap();
        self.received.push((now, method.to_owned()));
        let paid = match method {
            "public/subscribe" => self.subscribes.pay(now, 3_000),
            "private/cancel_all" => self.cancels_of_all.pay(now, 1),
            order if Self::is_order(order) => self.orders.pay(now, 1),
            _ => self.calls.pay(now, 500),
        };
        if !paid {
            self.overdrawn.push(method.to_owned());
        }
        if self.silent.contains(&method) {
            return;
        }
        let result = match method {
            SUMMARY => json!({ "limits": self.limits }),
            "public/auth" => {
                json!({ "access_token": "a", "refresh_token": "r", "expires_in": 3600, "scope": "" })
            }
            "public/subscribe" => request["params"]["channels"].clone(),
            _ => json!("ok"),
        };
        let us = now.as_nanos() / 1000;
        let reply = json!({
            "jsonrpc": "2.0", "id": request["id"], "result": result, "testnet": true,
            "usIn": us, "usOut": us, "usDiff": 0,
        });
        let is_order = Self::is_order(method);
        let mut wait = Duration::ZERO;
        if is_order {
            self.queue += 1;
            self.longest_queue = self.longest_queue.max(self.queue);
            self.busy_until = self.busy_until.max(now) + self.service;
            wait = self.busy_until.since(now);
        }
        self.token += 1;
        self.due.insert(self.token, (conn, reply.to_string(), is_order));
        net.alarm(wait, self.token);
    }
}

impl Venue for Exchange {
    fn dial(&mut self, _: &mut Net, _: ConnId) -> Dial {
        Dial::Accept
    }

    fn opened(&mut self, _: &mut Net, _: ConnId) {}

    fn frame(&mut self, net: &mut Net, conn: ConnId, frame: Frame) {
        match frame {
            Frame::Ping(payload) => net.send(conn, Frame::Pong(payload)),
            Frame::Close(frame) => {
                net.send(conn, Frame::Close(frame));
                net.end(conn, "closed");
            }
            Frame::Message(Message::Text(text)) => {
                let request = serde_json::from_str(text.as_str()).unwrap();
                self.0.borrow_mut().take(net, conn, &request);
            }
            _ => {}
        }
    }

    fn gone(&mut self, _: &mut Net, _: ConnId) {}

    fn tick(&mut self, net: &mut Net, token: u64) {
        let mut model = self.0.borrow_mut();
        let Some((conn, reply, is_order)) = model.due.remove(&token) else { return };
        model.queue -= usize::from(is_order);
        if is_order && model.lost_answers > 0 {
            model.lost_answers -= 1;
        } else if net.is_open(conn) {
            net.send_text(conn, reply);
        }
    }
}

fn options() -> Options {
    Options::testnet().credentials("id", "secret")
}

fn start(world: &World, options: Options, change: impl FnOnce(Config) -> Config) -> Deribit {
    let config = change(options.config().unwrap());
    let platform = SimPlatform::<true>::new(world);
    let (deribit, driver) = Deribit::with_platform(options, config, platform).unwrap();
    world.spawn(async move {
        let _: Ended = driver.await;
    });
    deribit
}

fn order(deribit: &Deribit, method: &'static str) -> Call {
    let params = json!({ "instrument_name": "BTC-PERPETUAL", "amount": 10 });
    deribit.client().request(Request::with(method, &params).unwrap())
}

/// How many requests may be on their way now.
fn free(deribit: &Deribit) -> u64 {
    let limiter = deribit.limiter();
    let place = limiter.buckets().iter().position(|bucket| bucket.refill == Refill::WhenAnswered).unwrap();
    limiter.available(deribit.client().now(), place).unwrap()
}

#[test]
fn bursts_of_several_clients_overdraw_nothing() {
    for (seed, tier) in (1..).zip([Matching::TIER_4, Matching::TIER_1, Matching { rate: 200, burst: 250 }]) {
        let exchange = Exchange::new(tier);
        let world = World::new(seed, exchange.clone());
        // As uneven as is allowed for.
        world.net(|net| net.latency = (millis(1), millis(290)));
        let first = start(&world, options().matching(tier), |config| config.call_timeout(millis(600_000)));
        let shared = options().matching(tier).limiter(first.limiter());
        let mut clients = vec![first];
        for _ in 0..3 {
            clients.push(start(&world, shared.clone(), |config| config.call_timeout(millis(600_000))));
        }
        let inner = world.clone();
        world.run(async move {
            for burst in 0..5 {
                let calls = clients.iter().flat_map(|client| {
                    let methods = [
                        "private/buy",
                        "private/edit",
                        "private/cancel",
                        "private/cancel_all",
                        "public/ticker",
                    ];
                    methods.into_iter().cycle().take(40).map(|method| order(client, method))
                });
                for outcome in futures::future::join_all(calls).await {
                    outcome.unwrap();
                }
                inner.sleep(millis(700 * burst)).await;
            }
            assert_eq!(clients.iter().map(free).collect::<Vec<_>>(), [7; 4]);
        });
        exchange.assert_kept();
        assert_eq!(exchange.orders().len(), 4 * 32 * 5);
    }
}

#[test]
fn the_queue_is_never_fuller_than_it_may_be_and_one_place_is_kept_for_cancels() {
    let tier = Matching { rate: 1_000, burst: 10_000 };
    let exchange = Exchange::new(tier);
    exchange.with(|model| model.service = millis(500));
    let world = World::new(1, exchange.clone());
    let deribit = start(&world, options().matching(tier), |config| config);
    let inner = world.clone();
    let script = exchange.clone();
    world.run(async move {
        deribit.client().ready().await.unwrap();
        let orders = futures::future::join_all((0..15).map(|_| order(&deribit, "private/buy")));
        let cancel = async {
            inner.sleep(millis(100)).await;
            assert_eq!((script.orders().len(), free(&deribit)), (6, 1));
            let cancels = futures::future::join_all((0..2).map(|_| order(&deribit, "private/cancel")));
            cancels.await.into_iter().for_each(|outcome| drop(outcome.unwrap()));
        };
        let (orders, ()) = futures::join!(orders, cancel);
        assert!(orders.iter().all(Result::is_ok));
        assert_eq!(free(&deribit), 7);
    });
    assert_eq!(exchange.with(|model| model.longest_queue), 7);
    let orders = exchange.orders();
    assert!(orders[6..8].iter().all(|method| method == "private/cancel"), "{orders:?}");
}

#[test]
fn one_clients_answer_lets_another_go_at_once() {
    let tier = Matching { rate: 1_000, burst: 10_000 };
    let exchange = Exchange::new(tier);
    exchange.with(|model| model.service = millis(1_000));
    let world = World::new(1, exchange.clone());
    let one = start(&world, options().matching(tier), |config| config);
    let two = start(&world, options().matching(tier).limiter(one.limiter()), |config| config);
    let inner = world.clone();
    world.run(async move {
        futures::future::try_join(one.client().ready(), two.client().ready()).await.unwrap();
        let start = inner.now();
        let all = futures::future::join_all((0..6).map(|_| order(&one, "private/buy")));
        let other = async {
            inner.sleep(millis(1)).await;
            order(&two, "private/buy").await
        };
        let (all, other) = futures::join!(all, other);
        assert!(all.into_iter().all(|outcome| outcome.is_ok()) && other.is_ok());
        assert!(inner.now().since(start) < millis(7_100));
    });
    // The seventh came when the first had been answered, not later.
    exchange.with(|model| {
        let times: Vec<_> =
            model.received.iter().filter(|(_, method)| method == "private/buy").map(|(at, _)| *at).collect();
        let after = times[6].since(times[0]);
        assert!(after >= millis(1_000) && after < millis(1_020), "{after:?}");
    });
}

#[test]
fn nothing_is_lost_to_answers_that_do_not_come() {
    let tier = Matching { rate: 1_000, burst: 10_000 };
    let exchange = Exchange::new(tier);
    let world = World::new(1, exchange.clone());
    let deribit = start(&world, options().matching(tier), |config| config);
    let inner = world.clone();
    let script = exchange.clone();
    world.run(async move {
        deribit.client().ready().await.unwrap();
        // Nobody waits for these any more; their answers come.
        script.with(|model| model.service = millis(50));
        for _ in 0..6 {
            let call = order(&deribit, "private/buy");
            futures::pin_mut!(call);
            assert!(futures::poll!(&mut call).is_pending());
            inner.sleep(millis(1)).await;
        }
        inner.sleep(millis(1)).await;
        assert_eq!(free(&deribit), 1, "dropping a call does not take it back from the venue");
        inner.sleep(millis(400)).await;
        assert_eq!(free(&deribit), 7);

        // These are not answered: neither before their deadline, nor later.
        script.with(|model| model.lost_answers = 6);
        let calls = (0..6).map(|_| order(&deribit, "private/buy").timeout(millis(500)));
        let outcomes = futures::future::join_all(calls).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Err(Error::Unknown(Unknown::TimedOut))));
        assert_eq!(free(&deribit), 1);
        inner.sleep(millis(10_100)).await;
        assert_eq!(free(&deribit), 7);

        // The connection ends.
        script.with(|model| model.service = millis(60_000));
        let calls = (0..6).map(|_| order(&deribit, "private/buy"));
        let cut = async {
            inner.sleep(millis(100)).await;
            assert_eq!(free(&deribit), 1);
            inner.net(|net| net.end(0, "cut"));
        };
        let (outcomes, ()) = futures::join!(futures::future::join_all(calls), cut);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Unknown(_)))));
        assert_eq!(free(&deribit), 7);

        // The client ends.
        deribit.client().ready().await.unwrap();
        let limiter = deribit.limiter();
        let call = order(&deribit, "private/buy");
        let (outcome, ()) = futures::join!(call, async {
            inner.sleep(millis(100)).await;
            assert_eq!(free(&deribit), 6);
            deribit.close().await;
        });
        assert!(outcome.is_err());
        assert_eq!(limiter.available(inner.now(), 10), Some(7));
    });
}

#[test]
fn a_call_without_patience_is_told_that_the_venue_is_busy() {
    let tier = Matching { rate: 1_000, burst: 10_000 };
    let exchange = Exchange::new(tier);
    exchange.with(|model| model.service = millis(100));
    let world = World::new(1, exchange.clone());
    let deribit = start(&world, options().matching(tier), |config| config.when_limited(WhenBlocked::Refuse));
    world.run(async move {
        deribit.client().ready().await.unwrap();
        let outcomes = futures::future::join_all((0..10).map(|_| order(&deribit, "private/buy"))).await;
        let busy = outcomes.iter().filter(|outcome| **outcome == Err(Error::NotSent(NotSent::Busy)));
        assert_eq!((outcomes.iter().filter(|outcome| outcome.is_ok()).count(), busy.count()), (6, 4));
    });
}

#[test]
fn the_accounts_own_limits_are_read_and_kept() {
    let generous = Matching { rate: 50, burst: 200 };
    let exchange = Exchange::new(generous);
    let trading = json!({ "total": { "rate": 50, "burst": 200 } });
    exchange.with(|model| model.limits = Some(json!({ "matching_engine": { "trading": trading } })));
    let world = World::new(1, exchange.clone());
    let deribit = start(&world, options(), |config| config);
    let inner = world.clone();
    let handle = deribit.clone();
    world.run(async move {
        let deribit = handle;
        deribit.client().ready().await.unwrap();
        inner.sleep(millis(100)).await;
        let bucket =
            |name| deribit.limiter().buckets().into_iter().find(|bucket| bucket.name == name).unwrap();
        assert_eq!((bucket("matching").refill, bucket("matching").capacity), (Refill::PerSecond(50), 185));
        assert_eq!(bucket("cancel_all").refill, Refill::PerSecond(5), "what was not said stays");
        // What could be spent before stays: the pool fills up from there.
        let start = inner.now();
        let orders = (0..60).map(|_| order(&deribit, "private/buy"));
        assert!(futures::future::join_all(orders).await.iter().all(Result::is_ok));
        let took = inner.now().since(start);
        assert!(took > millis(1_000) && took < millis(2_000), "{took:?}");
    });
    exchange.assert_kept();
    let asked =
        || exchange.with(|model| model.received.iter().filter(|(_, method)| method == SUMMARY).count());
    // A tier may change.
    assert_eq!(asked(), 1);
    world.run_for(millis(3 * 3_600_000));
    assert_eq!((asked(), deribit.client().stats().connections), (4, 1));
    // Who says what the limits are is believed.
    let exchange = Exchange::new(generous);
    let world = World::new(1, exchange.clone());
    let _deribit = start(&world, options().matching(generous), |config| config);
    world.run_for(millis(1_000));
    assert!(exchange.with(|model| model.received.iter().all(|(_, method)| method != SUMMARY)));
}

#[test]
fn without_an_account_summary_things_go_on() {
    let exchange = Exchange::new(Matching::TIER_4);
    exchange.with(|model| model.silent.push(SUMMARY));
    let world = World::new(1, exchange.clone());
    let deribit = start(&world, options(), |config| config);
    world.run_for(millis(60_000));
    assert_eq!((deribit.client().state(), deribit.client().stats().connections), (State::Live, 1));
    assert!(world.run(async move { order(&deribit, "private/buy").await }).is_ok());
}
