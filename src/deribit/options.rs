//! What a user may choose about the venue.

use std::borrow::Cow;
use std::time::Duration;

use super::credits::Matching;
use crate::config::{Config, Url};
use crate::error::ConfigError;
use crate::json;
use crate::protocol::Request;

/// The venue refuses a shorter heartbeat.
const MIN_HEARTBEAT: Duration = Duration::from_secs(10);

/// How to open a connection to Deribit.
///
/// ```
/// use std::time::Duration;
/// use steadysocket::deribit::{Adapter, Matching, Options};
/// let options = Options::testnet().client("my-bot", "1.4").heartbeat(Duration::from_secs(30));
/// let protocol = Adapter::new(options.matching(Matching::TIER_3));
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    environment: Environment,
    url: Cow<'static, str>,
    client: (Cow<'static, str>, Cow<'static, str>),
    heartbeat: Duration,
    matching: Matching,
}

/// Which of the venue's worlds: they have separate accounts, keys, instruments and credits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real money.
    Production,
    /// The test network.
    Testnet,
    /// A server at an address of your own. Nothing is assumed about it.
    Other,
}

impl Environment {
    /// The production server's address.
    pub const PRODUCTION_URL: &'static str = "wss://www.deribit.com/ws/api/v2";
    /// The test network's address.
    pub const TESTNET_URL: &'static str = "wss://test.deribit.com/ws/api/v2";

    /// The address at which `make exchange` serves.
    pub const LOCAL_URL: &'static str = "ws://127.0.0.1:8080/ws/api/v2";

    /// What the server must say about itself: the member `testnet` of its replies.
    pub(super) fn testnet(self) -> Option<bool> {
        match self {
            Self::Production => Some(false),
            Self::Testnet => Some(true),
            Self::Other => None,
        }
    }
}

impl Options {
    /// For real money. Opening fails on a server that says that it is the test network.
    pub fn production() -> Self {
        Self::new(Environment::Production, Environment::PRODUCTION_URL.into())
    }

    /// For the test network. Opening fails on a server that says that it is not.
    pub fn testnet() -> Self {
        Self::new(Environment::Testnet, Environment::TESTNET_URL.into())
    }

    /// For the local exchange of this project, on its own port of this machine: `make exchange` starts it.
    pub fn local() -> Self {
        Self::new(Environment::Other, Environment::LOCAL_URL.into())
    }

    /// For a server at this address. The venue's own two addresses stand for their environments; of any other nothing
    /// is assumed, unless [`environment`](Self::environment) says something.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `url`.
    pub fn at(url: impl AsRef<str>) -> Result<Self, ConfigError> {
        let url = Url::parse(url)?;
        let environment = match url.host() {
            "www.deribit.com" => Environment::Production,
            "test.deribit.com" => Environment::Testnet,
            _ => Environment::Other,
        };
        Ok(Self::new(environment, url.as_str().to_owned().into()))
    }

    fn new(environment: Environment, url: Cow<'static, str>) -> Self {
        Self {
            environment,
            url,
            client: (env!("CARGO_PKG_NAME").into(), env!("CARGO_PKG_VERSION").into()),
            heartbeat: MIN_HEARTBEAT,
            matching: Matching::TIER_4,
        }
    }

    /// What the server must say that it is, whatever its address.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The configuration of a connection to the server, to be changed as you like.
    ///
    /// # Errors
    /// None: the address was checked before.
    pub fn config(&self) -> Result<Config, ConfigError> {
        Config::new(&self.url)
    }

    /// The name and version of your program, for the venue's logs. By default this library's.
    #[must_use]
    pub fn client(
        mut self,
        name: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.client = (name.into(), version.into());
        self
    }

    /// How often the server asks for a sign of life, in whole seconds. 10 by default, which is also the least that the
    /// venue takes: less is raised to it.
    #[must_use]
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval.max(MIN_HEARTBEAT);
        self
    }

    /// The account's allowance at the matching engine. [`Matching::TIER_4`] by default, the lowest.
    #[must_use]
    pub fn matching(mut self, limits: Matching) -> Self {
        self.matching = limits;
        self
    }

    /// What [`Environment::testnet`] says of the chosen one.
    pub(super) fn expects_testnet(&self) -> Option<bool> {
        self.environment.testnet()
    }

    pub(super) fn matching_limits(&self) -> Matching {
        self.matching
    }

    pub(super) fn hello(&self) -> Request {
        let (name, version) = &self.client;
        let mut params = String::from("{\"client_name\":");
        json::quote(&mut params, name);
        params.push_str(",\"client_version\":");
        json::quote(&mut params, version);
        params.push('}');
        Request { method: "public/hello".into(), params: Some(params) }
    }

    pub(super) fn set_heartbeat(&self) -> Request {
        let params = format!("{{\"interval\":{}}}", self.heartbeat.as_secs());
        Request { method: "public/set_heartbeat".into(), params: Some(params) }
    }
}
