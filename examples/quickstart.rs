//! The smallest useful program: connect, call, subscribe, and always know how fresh the data is.
//!
//! `cargo run --example quickstart -- wss://test.deribit.com/ws/api/v2`, or without an address for a local exchange.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use steadysocket::deribit::{Deribit, Environment, Interval, Options, topics};
use steadysocket::{Config, Native, Update};
use steadysocket_exchange::Exchange;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exchange = Exchange::builder().start().await?;
    let url = std::env::args().nth(1).unwrap_or_else(|| exchange.url().to_owned());

    let deribit = Deribit::new(Options::at(Environment::Other));
    let client = steadysocket::connect_with(Config::new(url)?, deribit, Native::new()).await?;
    let time: u64 = client.call("public/get_time", ()).await?;
    println!("the server's clock says {time}");

    let mut ticks = topics::ticker("BTC-PERPETUAL", Interval::Ms100).subscribe(&client).await?;
    for count in 1..=20 {
        match ticks.next().await {
            Some(Update::Data(tick)) => println!("{:?} / {:?}", tick.best_bid_price, tick.best_ask_price),
            Some(Update::Interrupted(reason)) => println!("stale from here on: {reason}"),
            Some(Update::Resumed) => println!("fresh again"),
            Some(other) => println!("{other:?}"),
            None => break,
        }
        if count == 10 {
            client.reconnect(); // To see what a consumer sees when the connection is lost.
        }
    }
    client.close().await;
    Ok(())
}
