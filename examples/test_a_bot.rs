//! A small trading bot, and below it the tests that its author wrote: against a scripted exchange, on virtual time.
//!
//! ```text
//! cargo test --example test_a_bot     # the tests; but for the last one no socket, and no waiting
//! cargo run --example test_a_bot      # the bot, against a local exchange
//! ```
//!
//! A program of your own has this in its `Cargo.toml`:
//!
//! ```toml
//! [dev-dependencies]
//! steadysocket = { version = "0.1", default-features = false, features = ["testing"] }
//! ```

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::time::Duration;

use steadysocket::deribit::{Deribit, Interval, Options, Order, topics};
use steadysocket::{Error, Update};
use steadysocket_exchange::Exchange;

/// What the bot is to do: buy once when the mark price falls below `below`, and take back what is not executed within
/// `patience`.
#[derive(Clone, Copy, Debug)]
struct Plan {
    instrument: &'static str,
    below: f64,
    amount: f64,
    patience: Duration,
}

/// What became of it.
#[derive(Debug, PartialEq)]
enum Done {
    /// This much was executed.
    Bought(f64),
    /// No order is there, and none will be; this is why.
    NoOrder(String),
    /// The connection ended before the price fell.
    NoPrice,
}

/// Time is given to it, like the connection: `tokio::time::sleep` in earnest, the simulated world's in a test.
async fn buy_the_dip(deribit: &Deribit, plan: Plan, sleep: impl AsyncFn(Duration)) -> Result<Done, Error> {
    let mut ticks = deribit.subscribe(&topics::ticker(plan.instrument, Interval::Ms100)).await?;
    let price = loop {
        match ticks.next().await {
            // Only data is a price of now. Between `Interrupted` and `Resumed` there is none.
            Some(Update::Data(tick)) => match tick.mark_price {
                Some(price) if price < plan.below => break price,
                _ => {}
            },
            Some(_) => {}
            None => return Ok(Done::NoPrice),
        }
    };
    let order = Order::limit(plan.instrument, plan.amount, price.floor()).label("dip");
    // After this the truth is known, also when the answer was lost: nothing is sent a second time.
    let settled = deribit.buy(order).timeout(Duration::from_secs(2)).settled().await?;
    let Some(order) = settled.order() else { return Ok(Done::NoOrder(format!("{settled:?}"))) };
    if order.is_live() {
        sleep(plan.patience).await;
    }
    Ok(Done::Bought(deribit.cancel(&*order.order_id).settled().await?.filled()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exchange = Exchange::builder().start().await?;
    let deribit = Deribit::connect(Options::at(exchange.url())?.credentials("local", "local-secret")).await?;
    let mark = deribit.ticker("BTC-PERPETUAL").await?.mark_price.ok_or("there is no mark price")?;
    // Any price of today is a dip for it.
    let patience = Duration::from_secs(1);
    let plan = Plan { instrument: "BTC-PERPETUAL", below: mark * 1.01, amount: 10.0, patience };
    println!("{:?}", buy_the_dip(&deribit, plan, tokio::time::sleep).await?);
    deribit.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};
    use steadysocket::error::Ended;
    use steadysocket::testing::{Answer, Script, SimPlatform, World};

    use super::*;

    const PLAN: Plan = Plan {
        instrument: "BTC-PERPETUAL",
        below: 60_000.0,
        amount: 10.0,
        patience: Duration::from_secs(60),
    };

    const TICKER: &str = "ticker.BTC-PERPETUAL.100ms";

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// An order as the exchange describes it.
    fn order(state: &str, filled: f64) -> Value {
        json!({
            "order_id": "BTC-1", "instrument_name": "BTC-PERPETUAL", "direction": "buy", "order_type": "limit",
            "order_state": state, "price": 59_990.0, "amount": 10.0, "filled_amount": filled,
            "time_in_force": "good_til_cancelled",
        })
    }

    /// As much of the exchange as the bot meets. Tests change the rules that they are about.
    fn exchange() -> Script {
        let server = Script::new();
        let ok = |method, result: Value| server.on(method, move |_| Answer::Result(result.clone()));
        ok("public/hello", json!({ "version": "1.2.26" }));
        ok("public/set_heartbeat", json!("ok"));
        ok(
            "public/auth",
            json!({
                "access_token": "a", "refresh_token": "r", "expires_in": 31_536_000, "token_type": "bearer",
                "scope": "trade:read_write",
            }),
        );
        ok("public/get_time", json!(1_750_000_000_000_u64));
        ok(
            "public/get_instrument",
            json!({
                "instrument_name": "BTC-PERPETUAL", "kind": "future", "base_currency": "BTC",
                "quote_currency": "USD", "tick_size": 0.5, "min_trade_amount": 10.0, "contract_size": 10.0,
                "is_active": true,
            }),
        );
        ok("private/buy", json!({ "order": order("open", 0.0), "trades": [] }));
        ok("private/cancel", order("cancelled", 0.0));
        // Where an order is looked for whose answer was lost.
        for list in [
            "private/get_order_state_by_label",
            "private/get_open_orders_by_label",
            "private/get_order_history_by_instrument",
        ] {
            ok(list, json!([]));
        }
        server
    }

    struct Rig {
        server: Script,
        world: World,
        deribit: Deribit,
    }

    fn rig() -> Rig {
        let server = exchange();
        let world = World::new(1, server.clone());
        let options = Options::testnet().credentials("id", "secret");
        let config = options.config().unwrap();
        let platform = SimPlatform::<true>::new(&world);
        let (deribit, driver) = Deribit::with_platform(options, config, platform).unwrap();
        world.spawn(async move {
            let _: Ended = driver.await;
        });
        Rig { server, world, deribit }
    }

    impl Rig {
        /// Lets the mark price go through these, one a second.
        fn prices(&self, prices: &'static [f64]) {
            let (server, world) = (self.server.clone(), self.world.clone());
            self.world.spawn(async move {
                for mark in prices {
                    world.sleep(seconds(1)).await;
                    let tick = json!({
                        "instrument_name": "BTC-PERPETUAL", "timestamp": 1_750_000_000_000_u64, "state": "open",
                        "mark_price": mark,
                    });
                    server.publish(&world, TICKER, &tick);
                }
            });
        }

        /// Runs the bot to its end. Also, how long that took by its clock.
        fn run(self) -> (Result<Done, Error>, Duration) {
            let (deribit, world) = (self.deribit, self.world.clone());
            self.world.run(async move {
                let start = world.now();
                let done = buy_the_dip(&deribit, PLAN, async |time| world.sleep(time).await).await;
                (done, world.now().since(start))
            })
        }
    }

    #[test]
    fn it_buys_once_when_the_price_falls() {
        let rig = rig();
        let server = rig.server.clone();
        rig.prices(&[60_500.0, 60_000.0, 59_990.5, 59_000.0]);
        server.on("private/cancel", |_| Answer::Result(order("filled", 10.0)));
        let (done, took) = rig.run();
        assert_eq!(done, Ok(Done::Bought(10.0)));
        // Three seconds until the price is there, and the minute of its patience.
        assert!(took > seconds(63) && took < seconds(64), "{took:?}");
        let [bought] = &server.calls("private/buy")[..] else { panic!("not one order") };
        assert_eq!((&bought["price"], &bought["amount"]), (&json!(59_990.0), &json!(10.0)));
        assert_eq!(server.calls("private/cancel"), [json!({ "order_id": "BTC-1" })]);
    }

    #[test]
    fn an_order_whose_answer_is_lost_is_found_and_not_sent_again() {
        let rig = rig();
        let server = rig.server.clone();
        rig.prices(&[59_000.0]);
        // The exchange takes the order, and the connection is cut before it can say so.
        server.on("private/buy", |_| Answer::Cut);
        server.on("private/get_order_state_by_label", |asked| {
            let mut found = order("open", 0.0);
            found["label"] = asked.params["label"].clone();
            Answer::Result(json!([found]))
        });
        assert_eq!(rig.run().0, Ok(Done::Bought(0.0)));
        server.assert_never_twice("amount", "private/buy");
        assert_eq!(server.calls("public/auth").len(), 2, "it logged in again");
    }

    #[test]
    fn an_order_that_never_arrived_is_none() {
        let rig = rig();
        let server = rig.server.clone();
        rig.prices(&[59_000.0]);
        server.on("private/buy", |_| Answer::Silence);
        let (done, took) = rig.run();
        assert!(matches!(&done, Ok(Done::NoOrder(why)) if why == "NeverArrived"), "{done:?}");
        // It is certain once the exchange would not take the order any more.
        assert!(took > seconds(5) && took < seconds(15), "{took:?}");
        assert_eq!(server.calls("private/buy").len(), 1);
        assert_eq!(server.calls("private/cancel"), [Value::Null; 0]);
    }

    #[test]
    fn what_the_price_was_during_a_cut_is_no_price() {
        let rig = rig();
        let (server, world, deribit) = (rig.server.clone(), rig.world.clone(), rig.deribit.clone());
        rig.prices(&[60_500.0, 59_000.0, 60_500.0]);
        let there = server.clone();
        rig.world.spawn(async move {
            world.sleep(Duration::from_millis(1_500)).await;
            // The network is slow, so that the bot is away for longer than the dip lasts.
            world.net(|net| net.latency = (seconds(1), seconds(1)));
            there.cut(&world);
            world.sleep(seconds(20)).await;
            deribit.close().await;
        });
        assert_eq!(rig.run().0, Ok(Done::NoPrice));
        assert_eq!(server.calls("private/buy"), [Value::Null; 0]);
        assert_eq!(server.calls("public/subscribe").len(), 2, "it came back");
    }

    #[test]
    fn a_machine_that_sleeps_finds_its_order_when_it_wakes() {
        let rig = rig();
        let (server, world) = (rig.server.clone(), rig.world.clone());
        rig.prices(&[59_000.0]);
        rig.world.spawn(async move {
            world.sleep(seconds(10)).await;
            world.freeze(seconds(1800));
        });
        let (done, took) = rig.run();
        assert_eq!(done, Ok(Done::Bought(0.0)));
        assert!(took >= seconds(1800), "{took:?}");
        assert_eq!((server.calls("private/buy").len(), server.calls("private/cancel").len()), (1, 1));
    }

    /// Nor does it depend on the simulation: the same bot, on sockets and in earnest.
    #[test]
    fn it_runs_against_the_local_exchange() {
        main().unwrap();
    }
}
