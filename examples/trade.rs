//! An order placed, changed and cancelled, and another whose answer is lost with the connection and found again.
//!
//! `cargo run --example trade`, against a local exchange; or with an address and a key of the test network:
//! `DERIBIT_CLIENT_ID=… DERIBIT_CLIENT_SECRET=… cargo run --example trade -- wss://test.deribit.com/ws/api/v2`.
//! It does not trade with real money unless `--production` comes after the address.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::env::{self, VarError};
use std::time::Duration;

use steadysocket::Url;
use steadysocket::deribit::data::{Instrument, Order};
use steadysocket::deribit::order::Edit;
use steadysocket::deribit::{Deribit, Options, Outcome, Resolution};
use steadysocket_exchange::{Cut, Exchange, Fault, Target};

const INSTRUMENT: &str = "BTC-PERPETUAL";
const AMOUNT: f64 = 10.0;

type AnyError = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let exchange = Exchange::builder().start().await?;
    let mut arguments = env::args().skip(1);
    let options = match arguments.next() {
        None => Options::at(exchange.url())?.credentials("local", "local-secret"),
        Some(url) => {
            let is_real = Url::parse(&url)?.host() == "www.deribit.com";
            if is_real && arguments.next().as_deref() != Some("--production") {
                return Err("that is real money: say --production after the address".into());
            }
            let (id, secret) = key().map_err(|_| "set DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET")?;
            Options::at(url)?.signed_credentials(id, secret)
        }
    };
    let deribit = Deribit::connect(options).await?;
    let instrument = deribit.instruments().require(INSTRUMENT).await?;
    let mark = deribit.ticker(INSTRUMENT).await?.mark_price.ok_or("there is no mark price")?;

    place_edit_cancel(&deribit, &instrument, mark).await?;
    // The exchange takes the next order, and the connection is gone before it can say so.
    exchange.fault(Target::All, Fault::CutAfterMatch(Cut::Reset));
    place_and_find_out(&deribit, instrument.tick_below(mark * 0.98)).await?;
    deribit.close().await;
    Ok(())
}

fn key() -> Result<(String, String), VarError> {
    Ok((env::var("DERIBIT_CLIENT_ID")?, env::var("DERIBIT_CLIENT_SECRET")?))
}

/// A quiet day: every call is answered.
async fn place_edit_cancel(deribit: &Deribit, instrument: &Instrument, mark: f64) -> Result<(), AnyError> {
    let order = Order::limit(INSTRUMENT, AMOUNT, instrument.tick_below(mark * 0.99)).post_only();
    let settled = deribit.buy(order.label("example")).settled().await?;
    let order = settled.order().ok_or_else(|| format!("no order: {settled:?}"))?;
    println!("placed {} at {:?}: {}", order.order_id, order.limit_price(), order.order_state);

    let edit = Edit::of(order).price(instrument.tick_below(mark * 0.98));
    let order = deribit.edit(edit).settled().await?;
    println!("moved it to {:?}", order.limit_price());

    let order = deribit.cancel(order.order_id).settled().await?;
    println!("it is {}, with {} executed", order.order_state, order.filled());
    Ok(())
}

/// A bad day: whether the order is live is not known, until it is looked up.
async fn place_and_find_out(deribit: &Deribit, price: f64) -> Result<(), AnyError> {
    let order = Order::limit(INSTRUMENT, AMOUNT, price).post_only().label("example");
    let order = match deribit.buy(order).timeout(Duration::from_secs(5)).await? {
        Outcome::Accepted(placed) => placed.order,
        Outcome::Rejected(error) => return Err(error.into()),
        Outcome::NotSent(reason) => return Err(reason.into()),
        Outcome::Unknown(pending) => {
            println!("unknown: {}", pending.reason());
            match pending.resolve().await? {
                Resolution::Resolved(order) => *order,
                Resolution::NeverArrived => {
                    println!("it never arrived, and never will");
                    return Ok(());
                }
            }
        }
    };
    println!("found {} under {:?}: {}", order.order_id, order.label(), order.order_state);
    let order = deribit.cancel(order.order_id).settled().await?;
    println!("it is {}, with {} executed", order.order_state, order.filled());
    Ok(())
}
