//! The handle of a running exchange.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::builder::{Builder, Settings};
use crate::credits::{Bucket, Payer};
use crate::faults::command::{Command, CommandError};
use crate::faults::door::{Door, Span};
use crate::faults::{Fault, Target};
use crate::journal::Journal;
use crate::ledger::Ledger;
use crate::market::BookView;
use crate::server;
use crate::state::State;

/// A running exchange. It stops, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct Exchange {
    state: Arc<State>,
    address: SocketAddr,
    url: String,
    ca_pem: Option<String>,
    /// Ends the tasks when it is dropped.
    _tasks: JoinSet<()>,
}

impl Exchange {
    /// Sets up an exchange.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) async fn start(settings: Settings) -> io::Result<Self> {
        let state = Arc::new(State::new(settings));
        let server::Started { address, ca_pem, tasks } = server::start(state.clone()).await?;
        let url = url(address, ca_pem.is_some());
        Ok(Self { state, address, url, ca_pem, _tasks: tasks })
    }

    /// Where clients connect: `ws://127.0.0.1:PORT/ws/api/v2`, or `wss://localhost:PORT/ws/api/v2`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate authority to trust, when it serves TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Lets something go wrong. Says how many open connections it reached.
    pub fn fault(&self, target: Target, fault: Fault) -> usize {
        self.state.fault(target, &fault)
    }

    /// Changes what clients that connect from now on meet.
    pub fn door(&self, door: Door, span: Span) {
        self.state.run(Command::Door(door, span));
    }

    /// Lets everyone in again.
    pub fn open_door(&self) {
        self.state.run(Command::Open);
    }

    /// Announces maintenance, answers calls with 11051 for `notice`, closes every connection and refuses
    /// upgrades with 503 for `outage`.
    pub fn maintenance(&self, notice: Duration, outage: Duration) {
        self.state.run(Command::Maintenance { notice, outage });
    }

    /// Cuts all connections now and then, on average this often; `None` ends it.
    pub fn chaos(&self, every: Option<Duration>) {
        self.state.run(Command::Chaos(every));
    }

    /// Carries out a command in the words of [`COMMANDS`](crate::COMMANDS).
    pub fn command(&self, line: &str) -> Result<(), CommandError> {
        self.state.run(line.parse()?);
        Ok(())
    }

    /// Ends all access tokens now. With `also_refresh` the refresh tokens too: then only a new login helps.
    pub fn expire_tokens(&self, also_refresh: bool) {
        self.state.run(if also_refresh { Command::RevokeTokens } else { Command::ExpireTokens });
    }

    /// Makes the market stand still, or move again. Channels still publish what they have not said yet, so a
    /// moment later every reader has the same book as [`Exchange::book`].
    pub fn freeze(&self, frozen: bool) {
        self.state.run(Command::Freeze(frozen));
    }

    /// Moves the market by so many steps at once. The same seed and the same number of steps give the same
    /// market on the same day.
    pub fn step(&self, steps: usize) {
        let now_ms = self.state.clock.millis();
        let mut floor = self.state.floor();
        (0..steps).for_each(|_| floor.step(now_ms));
    }

    /// A book as it truly is now.
    pub fn book(&self, instrument: &str) -> Option<BookView> {
        self.state.floor().engine.market.book(instrument)
    }

    /// The names of all instruments.
    pub fn instruments(&self) -> Vec<String> {
        let floor = self.state.floor();
        floor.engine.market.instruments().iter().map(|quoted| quoted.terms.name.clone()).collect()
    }

    /// The user id of an account.
    pub fn user_id(&self, account: &str) -> Option<u64> {
        let position = self.state.settings.accounts.iter().position(|known| known.name == account)?;
        self.state.accounts().profiles().nth(position).map(|profile| profile.id.0)
    }

    /// Everything that the matching engine was asked, and what became of it.
    pub fn ledger(&self) -> Ledger {
        let floor = self.state.floor();
        floor.ledger.ledger(&floor.engine)
    }

    /// Whether no request waits for the matching engine.
    pub fn is_idle(&self) -> bool {
        self.state.matcher.is_idle()
    }

    /// Lets the matching engine carry out at once all that waits for it, or is kept back by a fault.
    pub fn release(&self) {
        self.state.run(Command::Release);
    }

    /// Lets one request to the matching engine in so many meet a cut, or lose its answer; `None` ends it.
    pub fn hazard(&self, one_in: Option<u32>) {
        self.state.run(Command::Hazard(one_in));
    }

    /// Waits until the exchange satisfies a condition, which is asked again whenever something happens.
    pub async fn wait_for(&self, mut condition: impl FnMut(&Self) -> bool) {
        let mut changes = self.state.watch();
        while !condition(self) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// A copy of everything that happened so far.
    pub fn journal(&self) -> Journal {
        self.state.journal().clone()
    }

    /// Looks at what happened so far without a copy. Do not wait in there.
    pub fn look<T>(&self, view: impl FnOnce(&Journal) -> T) -> T {
        view(&self.state.journal())
    }

    /// Waits until the journal satisfies a condition, which is asked again whenever something happens.
    pub async fn wait_until(&self, mut condition: impl FnMut(&Journal) -> bool) {
        let mut changes = self.state.watch();
        while !condition(&self.state.journal()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Credits spent from a bucket by all clients.
    pub fn credits_spent(&self, bucket: Bucket) -> u64 {
        self.state.credits().spent(bucket)
    }

    /// Credits that an address has left in a bucket.
    pub fn credits_left(&self, ip: IpAddr, bucket: Bucket) -> u64 {
        self.state.credits().left(Payer::Address(ip), bucket, self.state.clock.uptime())
    }

    /// Calls refused for want of credits.
    pub fn calls_refused(&self) -> u64 {
        self.state.credits().refused()
    }
}

fn url(address: SocketAddr, tls: bool) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        ip => ip,
    };
    // The certificate is for the name; browsers in particular want one.
    let host = if tls && ip == Ipv4Addr::LOCALHOST { "localhost".to_owned() } else { bracketed(ip) };
    let scheme = if tls { "wss" } else { "ws" };
    format!("{scheme}://{host}:{}/ws/api/v2", address.port())
}

fn bracketed(ip: IpAddr) -> String {
    if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() }
}
