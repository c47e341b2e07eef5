//! The options that expire next, by strike, with quotes on both sides.
//!
//! `cargo run --example option_chain -- wss://test.deribit.com/ws/api/v2`, or without an address for a local exchange.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::time::Duration;

use steadysocket::deribit::data::Ticker;
use steadysocket::deribit::{ChainOption, Deribit, Expiry, Options};
use steadysocket_exchange::Exchange;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let exchange = Exchange::builder().start().await?;
    let url = std::env::args().nth(1).unwrap_or_else(|| exchange.url().to_owned());

    let deribit = Deribit::connect(Options::at(url)?).await?;
    let mut chain = deribit.option_chain("BTC").await?;
    println!("{} expiries", chain.expiries().count());
    let Some(next) = chain.expiries().next().map(|expiry| expiry.timestamp) else { return Ok(()) };
    chain.watch(next).await?;

    // Two seconds of quotes, then the table.
    let listening = async { while chain.next().await.is_some() {} };
    let _ = tokio::time::timeout(Duration::from_secs(2), listening).await;
    if let Some(expiry) = chain.expiry(next) {
        print(expiry);
    }
    deribit.close().await;
    Ok(())
}

fn print(expiry: &Expiry) {
    println!("{:^37} {:^9} {:^37}", "call", "", "put");
    println!("{0} {1:>9} {0}", "   delta      bid      ask     mark   ", "strike");
    for strike in expiry.strikes() {
        println!("{} {:>9} {}", side(strike.call.as_ref()), strike.strike, side(strike.put.as_ref()));
    }
}

fn side(option: Option<&ChainOption>) -> String {
    let ticker = option.and_then(|option| option.ticker.as_ref());
    let delta = ticker.and_then(|ticker| ticker.greeks.as_ref()?.delta);
    let bid = ticker.and_then(Ticker::best_bid).map(|level| level.price);
    let ask = ticker.and_then(Ticker::best_ask).map(|level| level.price);
    let mark = option.and_then(ChainOption::mark_price);
    let numbers = [delta, bid, ask, mark].map(|number| number.map_or("-".to_owned(), |n| format!("{n:.4}")));
    numbers.map(|number| format!("{number:>8} ")).concat() + " "
}
