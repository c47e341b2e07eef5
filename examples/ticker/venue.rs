//! Where the prices come from, and how it fails on command.

use std::time::Duration;

use steadysocket::config::{Backoff, Heartbeat};
use steadysocket::deribit::{self, Adapter};
use steadysocket::{Client, Config, Error, Native, Tls};
use steadysocket_exchange::{Door, Exchange, Fault, Span, Target};
use tokio::time::Instant;

use crate::AnyError;
use crate::options::Options;

/// A server, and how to reach it.
pub struct Venue {
    /// Runs as long as this is kept.
    local: Option<Exchange>,
    url: String,
    config: Config,
    tls: Tls,
}

impl Venue {
    /// The server that the options name, or else a local exchange.
    pub async fn open(options: &Options) -> Result<Self, AnyError> {
        let mut tls = Tls::new();
        if let Some(file) = &options.ca {
            let pem = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
            tls = tls.ca(pem)?;
        }
        match &options.url {
            Some(url) => Ok(Self { local: None, url: url.clone(), config: Config::new(url)?, tls }),
            None => {
                let exchange = Exchange::builder().start().await?;
                let url = exchange.url().to_owned();
                let config = impatient(Config::new(&url)?);
                Ok(Self { local: Some(exchange), url, config, tls })
            }
        }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Connects. The first attempt is not repeated, so that a wrong address is told at once.
    pub async fn connect(&self) -> Result<Client, Error> {
        let options = deribit::Options::at(&self.url)?.client("ticker", env!("CARGO_PKG_VERSION"));
        let native = Native::with_tls(self.tls.clone());
        steadysocket::connect_with(self.config.clone(), Adapter::new(options), native).await
    }
}

/// A server of our own may be asked more often than one that others share: a connection counts as stable after a
/// second, waits stay short, and silence is noticed soon.
fn impatient(config: Config) -> Config {
    let second = Duration::from_secs(1);
    config
        .backoff(Backoff { cap: 2 * second, min_uptime: second, ..Backoff::default() })
        .heartbeat(Some(Heartbeat { idle: second, timeout: second }))
}

/// Trouble, every few seconds.
pub struct Chaos {
    next: Instant,
    strikes: usize,
}

impl Chaos {
    const FIRST: Duration = Duration::from_millis(1_500);
    const EVERY: Duration = Duration::from_millis(2_500);

    pub fn starting_now() -> Self {
        Self { next: Instant::now() + Self::FIRST, strikes: 0 }
    }

    pub fn strike_if_due(&mut self, venue: &Venue, client: &Client) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + Self::EVERY;
        match &venue.local {
            Some(exchange) => strike(exchange, self.strikes),
            // Somebody else's server is not ours to break.
            None => client.reconnect(),
        }
        self.strikes += 1;
    }
}

/// The ways in which connections end, in turn.
fn strike(exchange: &Exchange, turn: usize) {
    let everyone = |fault| {
        exchange.fault(Target::All, fault);
    };
    let close = |code, reason: &str| Fault::Close { code, reason: reason.to_owned() };
    match turn % 5 {
        0 => everyone(Fault::Reset),
        1 => everyone(close(1001, "going away")),
        2 => {
            exchange.door(Door::Refuse { status: 503, retry_after: None }, Span::Attempts(2));
            everyone(Fault::Drop);
        }
        // The worst: TCP stays up and nothing comes any more.
        3 => everyone(Fault::Stall),
        _ => {
            exchange.door(Door::Hangup, Span::Attempts(1));
            everyone(close(1012, "service restart"));
        }
    }
}
