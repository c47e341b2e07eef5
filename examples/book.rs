//! A maintained order book: its best levels while they are the exchange's, and why there are none while they are not.
//!
//! `cargo run --example book`, against a local exchange that loses a message and cuts the connection while you watch;
//! or with an address: `cargo run --example book -- wss://test.deribit.com/ws/api/v2`.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::time::Duration;

use steadysocket::deribit::book::{Book, Change, Levels};
use steadysocket::deribit::{Deribit, Interval, Options};
use steadysocket_exchange::{Exchange, Fault, Target};

const INSTRUMENT: &str = "BTC-PERPETUAL";
const DEPTH: usize = 5;
/// Changes in a row that are too many to print each.
const EVERY: usize = 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let given = std::env::args().nth(1);
    let exchange = Exchange::builder().start().await?;
    let url = given.clone().unwrap_or_else(|| exchange.url().to_owned());

    let deribit = Deribit::connect(Options::at(url)?).await?;
    let book = deribit.book(INSTRUMENT, Interval::Ms100).await?;
    let channel = book.channel().to_owned();
    let trouble = async {
        if given.is_none() {
            make_trouble(&exchange, channel).await;
        } else {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    };
    tokio::select! {
        () = watch(book) => {}
        () = trouble => {}
    }
    deribit.close().await;
    Ok(())
}

/// Prints a book until its client has ended.
async fn watch(mut book: Book) {
    let mut quiet = 0;
    while let Some(change) = book.next().await {
        match change {
            Change::Stale(why) => println!("STALE: {why}"),
            Change::Resyncing(why) => println!("RESYNCING: {why}"),
            Change::Live => println!("LIVE"),
            _ => {
                quiet += 1;
                if quiet % EVERY != 0 {
                    continue;
                }
            }
        }
        // Only a live book gives levels to trade on.
        if let Some(levels) = book.live() {
            print(levels);
        }
    }
}

fn print(levels: &Levels) {
    let bids: Vec<String> = levels.bids().take(DEPTH).map(|level| level.price.to_string()).collect();
    let asks: Vec<String> = levels.asks().take(DEPTH).map(|level| level.price.to_string()).collect();
    println!("{:>45} | {}", bids.into_iter().rev().collect::<Vec<_>>().join(" "), asks.join(" "));
}

/// Loses a message of the book, then the connection.
async fn make_trouble(exchange: &Exchange, channel: String) {
    let pause = || tokio::time::sleep(Duration::from_secs(2));
    pause().await;
    exchange.fault(Target::All, Fault::Gap(channel));
    pause().await;
    exchange.fault(Target::All, Fault::Reset);
    pause().await;
    pause().await;
}
