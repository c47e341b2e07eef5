//! How an exchange is set up before it starts.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::accounts::account::Account;
use crate::credits::CreditPolicy;
use crate::exchange::Exchange;

/// Everything that can be chosen.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) address: SocketAddr,
    pub(crate) seed: u64,
    pub(crate) tls: bool,
    pub(crate) testnet: bool,
    pub(crate) control: bool,
    pub(crate) shuffle: bool,
    pub(crate) raw_for_all: bool,
    pub(crate) frozen: bool,
    /// One step of the market, and the beat of its channels.
    pub(crate) pace: Duration,
    /// How long a second of the venue's own timers takes.
    pub(crate) second: Duration,
    pub(crate) credits: CreditPolicy,
    pub(crate) connections_per_ip: usize,
    pub(crate) outbox: usize,
    pub(crate) send_buffer: Option<u32>,
    pub(crate) chaos: Option<Duration>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) token_lifetime: Duration,
    pub(crate) matching_latency: Duration,
    pub(crate) hazard: Option<u32>,
    pub(crate) order_retention: Duration,
}

/// Sets up an [`Exchange`].
#[derive(Debug, Clone)]
pub struct Builder {
    settings: Settings,
}

impl Default for Builder {
    fn default() -> Self {
        let settings = Settings {
            address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            seed: 1,
            tls: false,
            testnet: true,
            control: false,
            shuffle: true,
            raw_for_all: false,
            frozen: false,
            pace: Duration::from_millis(25),
            second: Duration::from_secs(1),
            credits: CreditPolicy::default(),
            connections_per_ip: 32,
            outbox: 4_096,
            send_buffer: None,
            chaos: None,
            accounts: vec![Account::demo()],
            token_lifetime: Duration::from_secs(31_536_000),
            matching_latency: Duration::ZERO,
            hazard: None,
            order_retention: Duration::from_secs(30 * 60),
        };
        Self { settings }
    }
}

impl Builder {
    /// The seed of the market and of everything random. The default is 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// The port; 0, the default, takes a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.settings.address.set_port(port);
        self
    }

    /// The address to listen on; the default is 127.0.0.1.
    pub fn host(mut self, ip: IpAddr) -> Self {
        self.settings.address.set_ip(ip);
        self
    }

    /// Serve `wss://` with a certificate made at the start. See [`Exchange::ca_pem`].
    pub fn tls(mut self, on: bool) -> Self {
        self.settings.tls = on;
        self
    }

    /// What `testnet` says in every reply; true unless set.
    pub fn testnet(mut self, testnet: bool) -> Self {
        self.settings.testnet = testnet;
        self
    }

    /// Accept `local/fault`, `local/ledger` and `local/stats` as methods; off unless set.
    pub fn control(mut self, on: bool) -> Self {
        self.settings.control = on;
        self
    }

    /// Let some replies take a detour, so that they come out of order; on unless set.
    pub fn shuffle_replies(mut self, on: bool) -> Self {
        self.settings.shuffle = on;
        self
    }

    /// Let everyone have `raw` channels, which the venue gives to authenticated clients only.
    pub fn raw_for_all(mut self, on: bool) -> Self {
        self.settings.raw_for_all = on;
        self
    }

    /// Start with a market that stands still. See [`Exchange::freeze`] and [`Exchange::step`].
    pub fn frozen(mut self, frozen: bool) -> Self {
        self.settings.frozen = frozen;
        self
    }

    /// How long a step of the market takes: 25 ms. The intervals `100ms` and `agg2` are 4 and 40 steps.
    pub fn pace(mut self, step: Duration) -> Self {
        self.settings.pace = step.max(Duration::from_millis(1));
        self
    }

    /// How long a second of the venue's session timers takes: 20 ms makes a heartbeat of 10 s last 200 ms.
    pub fn second(mut self, length: Duration) -> Self {
        self.settings.second = length.max(Duration::from_millis(1));
        self
    }

    /// How credits are counted; as published and enforced unless set.
    pub fn credits(mut self, policy: CreditPolicy) -> Self {
        self.settings.credits = policy;
        self
    }

    /// Connections that one address may have; 32 unless set.
    pub fn connections_per_ip(mut self, limit: usize) -> Self {
        self.settings.connections_per_ip = limit;
        self
    }

    /// Frames that may wait for a slow reader before it is dropped; 4096 unless set.
    pub fn outbox(mut self, frames: usize) -> Self {
        self.settings.outbox = frames.max(1);
        self
    }

    /// The size of the kernel's send buffers, so that a slow reader is noticed sooner.
    pub fn send_buffer(mut self, bytes: u32) -> Self {
        self.settings.send_buffer = Some(bytes);
        self
    }

    /// Cut all connections now and then, on average this often.
    pub fn chaos(mut self, every: Duration) -> Self {
        self.settings.chaos = Some(every);
        self
    }

    /// Adds an account, or replaces the one of the same name. [`Account::demo`] is there from the start.
    pub fn account(mut self, account: Account) -> Self {
        self.settings.accounts.retain(|old| old.name != account.name);
        self.settings.accounts.push(account);
        self
    }

    /// How long an access token is valid: a year unless set. `expires_in` tells it in whole seconds, and the
    /// scope `expires:N` makes it shorter. A refresh token has no end of its own.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.token_lifetime = lifetime;
        self
    }

    /// How long the matching engine takes for a request; none unless set. While eight requests of an account
    /// wait for it, one more is refused with 10047.
    pub fn matching_latency(mut self, latency: Duration) -> Self {
        self.settings.matching_latency = latency;
        self
    }

    /// Let one request to the matching engine in so many, at random but by the seed, meet a fault: its connection
    /// is cut before the match, or after it, or while it waits; or only its answer is lost.
    pub fn hazard(mut self, one_in: u32) -> Self {
        self.settings.hazard = Some(one_in);
        self
    }

    /// How long an order that was cancelled without a fill can be asked for, and how long an order counts as
    /// recent in its history: half an hour unless set.
    pub fn order_retention(mut self, retention: Duration) -> Self {
        self.settings.order_retention = retention;
        self
    }

    /// Starts the exchange on the current runtime.
    pub async fn start(self) -> io::Result<Exchange> {
        Exchange::start(self.settings).await
    }
}
