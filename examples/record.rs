//! Records a connection to a file, while it lives through a cut.
//!
//! `cargo run --example record -- session.jsonl`, or with the address of a Deribit after the file; `replay` plays it again.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::time::Duration;

use steadysocket::deribit::{Deribit, Interval, Options, topics};
use steadysocket::recorder::Recorder;
use steadysocket::{Native, Update};
use steadysocket_exchange::Exchange;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let file = args.next().unwrap_or_else(|| "session.jsonl".into());
    let exchange = Exchange::builder().start().await?;
    let url = args.next().unwrap_or_else(|| exchange.url().to_owned());

    let recorder = Recorder::to_file(&file);
    let options = Options::at(url)?;
    let config = options.config()?.recorder(Some(recorder.clone()));
    let deribit = Deribit::connect_with(options, config, Native::new()).await?;
    let time: u64 = deribit.call("public/get_time", ()).await?;
    println!("the server's clock says {time}");

    let mut ticks = deribit.subscribe(&topics::ticker("BTC-PERPETUAL", Interval::Ms100)).await?;
    let mut count = 0;
    while count < 20 {
        match ticks.next().await {
            Some(Update::Data(_)) => count += 1,
            Some(other) => println!("after {count} ticks: {other:?}"),
            None => break,
        }
        if count == 10 {
            deribit.client().reconnect();
            count += 1;
        }
    }
    deribit.close().await;
    // Nothing that was recorded is lost when the program ends: dropping the recorder would wait for it, too.
    tokio::time::timeout(Duration::from_secs(10), tokio::task::spawn_blocking(move || recorder.flush()))
        .await??;
    println!("recorded to {file}");
    Ok(())
}
