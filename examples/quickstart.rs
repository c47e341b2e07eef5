//! The smallest useful program: connect, call, subscribe, and always know how fresh the data is.
//!
//! `cargo run --example quickstart -- wss://test.deribit.com/ws/api/v2`, or without an address for a local exchange.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use steadysocket::Update;
use steadysocket::deribit::{Deribit, Interval, Options, topics};
use steadysocket_exchange::Exchange;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exchange = Exchange::builder().start().await?;
    let url = std::env::args().nth(1).unwrap_or_else(|| exchange.url().to_owned());

    let deribit = Deribit::connect(Options::at(url)?).await?;
    let time: u64 = deribit.call("public/get_time", ()).await?;
    println!("the server's clock says {time}");

    let mut ticks = deribit.subscribe(&topics::ticker("BTC-PERPETUAL", Interval::Ms100)).await?;
    for count in 1..=20 {
        match ticks.next().await {
            Some(Update::Data(tick)) => println!("{:?} / {:?}", tick.best_bid_price, tick.best_ask_price),
            Some(Update::Interrupted(reason)) => println!("stale from here on: {reason}"),
            Some(Update::Resumed) => println!("fresh again"),
            Some(other) => println!("{other:?}"),
            None => break,
        }
        if count == 10 {
            deribit.client().reconnect(); // To see what a consumer sees when the connection is lost.
        }
    }
    deribit.close().await;
    Ok(())
}
