//! Plays a recording again: prints what happened, and checks that it happens so each time.
//!
//! `cargo run --example record`, and then `cargo run --example replay -- session.jsonl`. With `--serve 10` it is a server
//! that plays what was received to whoever connects, ten times as fast.

#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

use std::fs::File;
use std::io::BufReader;

use steadysocket::deribit::{Adapter, Options};
use steadysocket::recorder::{Input, Reader, Record};
use steadysocket::replay::{History, Replay};
use steadysocket_exchange::Playback;

type Failure = Box<dyn std::error::Error>;

fn open(file: &str) -> Result<Reader<BufReader<File>>, Failure> {
    Ok(Reader::new(BufReader::new(File::open(file)?)))
}

/// Where the first client of the recording went.
fn url(file: &str) -> Result<String, Failure> {
    for record in open(file)? {
        if let Record::Line(line) = record?
            && let Some(Input::Begin { options, .. }) = line.input()?
        {
            return options.url.ok_or_else(|| "its address is not recorded".into());
        }
    }
    Err("nothing is recorded".into())
}

/// What a client of Deribit did, done again. One that logged in needs any credentials here.
fn replay(file: &str) -> Result<History, Failure> {
    let options = Options::at(url(file)?)?.credentials("id", "secret");
    let public = Options::at(url(file)?)?;
    let logged_in = std::fs::read_to_string(file)?.contains("public/auth");
    let adapter = || Adapter::new(if logged_in { options.clone() } else { public.clone() });
    Ok(Replay::new(open(file)?, adapter).history()?)
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let file = args.next().unwrap_or_else(|| "session.jsonl".into());
    if args.next().as_deref() == Some("--serve") {
        let speed = args.next().unwrap_or_else(|| "1".into()).parse()?;
        let server = Playback::read(&std::fs::read_to_string(&file)?)?.speed(speed).start(0).await?;
        println!("{}", server.url());
        return Ok(tokio::signal::ctrl_c().await?);
    }
    let history = replay(&file)?;
    let start = history.events.first().map(|(at, _)| *at).unwrap_or_default();
    for (at, event) in &history.events {
        println!("{:>9.3}s  {event:?}", at.since(start).as_secs_f64());
    }
    for difference in &history.differences {
        println!("not as recorded: {difference:#?}");
    }
    let again = replay(&file)?;
    if again != history {
        return Err("a second replay was another one".into());
    }
    println!(
        "{} inputs, {} events, {} frames sent, {} updates; a second replay was the same",
        history.steps,
        history.events.len(),
        history.sent.len(),
        history.delivered.len()
    );
    if history.differences.is_empty() { Ok(()) } else { Err("it did not happen as recorded".into()) }
}
