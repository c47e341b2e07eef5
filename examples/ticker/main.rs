//! A live ticker: several prices, a book and the trades of a venue, on a connection that stays up.
//!
//! ```text
//! cargo run --release --example ticker                        # a local exchange, started in this process
//! cargo run --release --example ticker -- --chaos             # ... that cuts the connection every few seconds
//! cargo run --release --example ticker -- --url wss://test.deribit.com/ws/api/v2
//! cargo run --release --example ticker -- --seconds 8 --chaos --json
//! ```
//!
//! ```text
//! venue ─► Client ─┬─► market: one stream of all subscriptions ─┐
//!                  └─► events: what happens to the connection ──┴─► Board ─► Output (screen, plain lines, JSON)
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program is for")]

mod board;
mod market;
mod options;
mod output;
mod screen;
mod venue;

use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use futures::StreamExt;
use steadysocket::{Client, Error, Event, Feed, Request, Update};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use board::{Board, News};
use market::Market;
use options::Options;
use output::{Output, Wish};
use venue::{Chaos, Venue};

type AnyError = Box<dyn std::error::Error>;

/// How often the screen is drawn and the keyboard looked at.
const BEAT: Duration = Duration::from_millis(100);
/// How long the end waits for a reconnect that is under way.
const SETTLE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Options::from_command_line() {
        Ok(Some(options)) => run(options).await,
        Ok(None) => writeln!(io::stdout(), "{}", options::USAGE).map_err(Into::into),
        Err(error) => Err(format!("{error}; see --help").into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough: `ticker | head -1`.
        Err(error) if is_closed_pipe(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_listens = writeln!(io::stderr(), "ticker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_closed_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

async fn run(options: Options) -> Result<(), AnyError> {
    let venue = Venue::open(&options).await?;
    let client = venue.connect().await?;
    // From here on the connection keeps itself up. Subscriptions outlive it, too.
    let events = client.events();
    let (market, channels) = market::subscribe(&client, &options.instruments).await?;

    let board = Board::new(venue.url(), client.state(), channels);
    let output = Output::choose(options.json)?;
    let chaos = options.chaos.then(Chaos::starting_now);
    let mut ticker = Ticker { client: client.clone(), venue, events, market, board, output, chaos };

    let watched = ticker.watch_to_the_end(options.seconds).await;
    client.close().await;
    watched
}

struct Ticker {
    client: Client,
    venue: Venue,
    events: Feed<Event>,
    market: Market,
    board: Board,
    output: Output,
    chaos: Option<Chaos>,
}

impl Ticker {
    /// Whatever happens, the last word is the summary.
    async fn watch_to_the_end(&mut self, seconds: Option<f64>) -> Result<(), AnyError> {
        let watched = self.watch_and_settle(seconds).await;
        let summary = self.board.summary(&self.client.stats());
        let told = self.output.finish(&self.board, &summary);
        watched.and(told.map_err(Into::into))
    }

    async fn watch_and_settle(&mut self, seconds: Option<f64>) -> Result<(), AnyError> {
        self.watch(asked_to_stop(seconds)).await?;
        // A reconnect may be under way. It is watched to its end, so that the summary tells what came of it.
        self.chaos = None;
        self.watch(settled(self.client.clone())).await
    }

    /// Shows what comes until `end` is ready or the user has seen enough.
    async fn watch(&mut self, end: impl Future<Output = ()>) -> Result<(), AnyError> {
        let mut end = pin!(end);
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                update = self.market.next() => match update {
                    Some((row, update)) => {
                        let news = self.board.update(row, update);
                        self.tell(news)?;
                    }
                    // All subscriptions have ended, because the client has.
                    None => return self.explain_the_end().await,
                },
                Some(event) = self.events.next() => self.on_event(event)?,
                _ = beat.tick() => {
                    if self.on_beat()? == Some(Wish::Quit) {
                        return Ok(());
                    }
                }
                () = &mut end => return Ok(()),
            }
        }
    }

    async fn explain_the_end(&mut self) -> Result<(), AnyError> {
        while let Some(event) = self.events.next().await {
            self.on_event(event)?;
        }
        Err(self.client.ended().await.into())
    }

    fn on_event(&mut self, event: Update<Event>) -> io::Result<()> {
        match event {
            Update::Data(event) => match self.board.event(event) {
                Some(news) => self.tell(news),
                None => Ok(()),
            },
            // We were too slow for our own events; where the connection is can still be asked.
            _ => {
                let news = self.board.state(self.client.state());
                self.tell(news)
            }
        }
    }

    fn on_beat(&mut self) -> io::Result<Option<Wish>> {
        self.board.measure(self.client.stats().received);
        if let Some(chaos) = &mut self.chaos {
            chaos.strike_if_due(&self.venue, &self.client);
        }
        let wish = self.output.beat(&self.board)?;
        if wish == Some(Wish::Reconnect) {
            self.client.reconnect();
        }
        Ok(wish)
    }

    fn tell(&mut self, news: News) -> io::Result<()> {
        self.output.tell(&self.board, &news)
    }
}

/// Ready after that many seconds, or at Ctrl-C.
async fn asked_to_stop(seconds: Option<f64>) {
    let time_is_up = async {
        match seconds {
            Some(seconds) => sleep(Duration::from_secs_f64(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = time_is_up => {}
        () = interrupted() => {}
    }
}

/// Ready at Ctrl-C; never where the signal cannot be caught.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// Ready once everything is restored on a connection that is proved to be alive; at the latest after [`SETTLE`], or at
/// a second Ctrl-C.
async fn settled(client: Client) {
    let alive = async {
        while client.ready().await.is_ok() {
            // The connection may be dead without anybody having noticed: an answer is the proof.
            match client.request(Request::new("public/test")).await {
                Err(Error::NotSent(_) | Error::Unknown(_)) => {}
                _ => return,
            }
        }
    };
    tokio::select! {
        _ = timeout(SETTLE, alive) => {}
        () = interrupted() => {}
    }
}

/// Seconds since `then`, for people.
fn seconds_since(then: Instant) -> f64 {
    then.elapsed().as_secs_f64()
}
