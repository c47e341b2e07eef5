//! What a user may choose about the venue.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::auth::{Choice, Credentials};
use super::limits::{Limits, Matching};
use super::params::Params;
use super::signer::{Hold, Signer};
use crate::config::{Config, Url};
use crate::error::ConfigError;
use crate::protocol::Request;
use crate::secret::Secret;
use crate::session::limiter::Limiter;

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
    matching: Option<Matching>,
    limiter: Option<Limiter>,
    login: Choice,
    cancel_on_disconnect: CancelOnDisconnect,
}

/// What becomes of open orders when a connection ends, other than by [`logout`](super::Deribit::logout).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CancelOnDisconnect {
    /// What the account is set to; off, unless that was changed.
    #[default]
    AsAccount,
    /// They stay.
    Off,
    /// Orders that were placed on this connection are cancelled with it.
    Connection,
    /// Sets the account so that the orders of every later connection are cancelled with it too. It stays set.
    Account,
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
            matching: None,
            limiter: None,
            login: Choice::default(),
            cancel_on_disconnect: CancelOnDisconnect::default(),
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
        Ok(Config::new(&self.url)?.limiter(self.limiter.clone()))
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

    /// Logs in on each connection by sending a key's id and secret. The local exchange knows `local` and
    /// `local-secret`.
    #[must_use]
    pub fn credentials(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.login.credentials = Some(Credentials::Secret { id: id.into(), secret: secret.into() });
        self
    }

    /// As [`credentials`](Self::credentials), with a signature in place of the secret, which never leaves this machine.
    #[must_use]
    pub fn signed_credentials(self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.signer(id, Hold(secret.into()))
    }

    /// Logs in on each connection with a signature that somebody else makes.
    #[must_use]
    pub fn signer(mut self, id: impl Into<String>, signer: impl Signer + 'static) -> Self {
        #[allow(clippy::arc_with_non_send_sync, reason = "a browser's signer stays in its thread")]
        let signer = Arc::new(signer);
        self.login.credentials = Some(Credentials::Signature { id: id.into(), signer });
        self
    }

    /// What to ask for at login, in the venue's words: `trade:read_write account:read session:bot-1`.
    ///
    /// Without it the server gives all that the key may do, on this connection (`connection`). `session:NAME` makes a
    /// token that outlives the connection and counts among the key's 16 sessions. Where less is granted than was asked
    /// for, opening fails with [`OpeningError::Narrowed`](crate::error::OpeningError::Narrowed).
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.login.scope = Some(scope.into());
        self
    }

    /// Whether private requests carry the login's token as `access_token`. Off by default: the server knows the
    /// connection.
    #[must_use]
    pub fn attach_token(mut self, attach: bool) -> Self {
        self.login.attach_token = attach;
        self
    }

    /// What becomes of open orders when the connection ends. Set anew on each connection, before anything else is sent;
    /// it needs credentials.
    #[must_use]
    pub fn cancel_on_disconnect(mut self, choice: CancelOnDisconnect) -> Self {
        self.cancel_on_disconnect = choice;
        self
    }

    /// The account's allowance at the matching engine.
    ///
    /// Without it the real one is asked for on each connection that is logged in, and then every hour, with
    /// `private/get_account_summary`, which needs `account:read`. Until it is known, and where it cannot be, it is
    /// [`Matching::TIER_4`], the lowest.
    #[must_use]
    pub fn matching(mut self, limits: Matching) -> Self {
        self.matching = Some(limits);
        self
    }

    /// A limiter to share with the other clients of an account: see [`Deribit::limiter`](super::Deribit::limiter).
    #[must_use]
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// What [`Environment::testnet`] says of the chosen one.
    pub(super) fn expects_testnet(&self) -> Option<bool> {
        self.environment.testnet()
    }

    pub(super) fn limits(&self) -> Limits {
        Limits::of(self.matching.unwrap_or(Matching::TIER_4))
    }

    /// Whether the account's limits are to be asked for.
    pub(super) fn asks_for_limits(&self) -> bool {
        self.login.credentials.is_some() && self.matching.is_none()
    }

    pub(super) fn shared_limiter(&self) -> Option<Limiter> {
        self.limiter.clone()
    }

    /// Any currency will do: the limits are in each answer.
    pub(super) fn account_summary(&self) -> Request {
        let params = Params::default().text("currency", "BTC").plain("extended", true);
        request("private/get_account_summary", params)
    }

    /// Checks what belongs together.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the first option that cannot work.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.login.credentials.is_none() && self.cancel_on_disconnect != CancelOnDisconnect::AsAccount {
            return Err(ConfigError::new("cancel_on_disconnect", "needs credentials"));
        }
        if self.login.credentials.is_none() && self.login.scope.is_some() {
            return Err(ConfigError::new("scope", "needs credentials"));
        }
        if self.matching.is_some_and(|matching| matching.rate == 0 || matching.burst == 0) {
            return Err(ConfigError::new("matching", "must allow at least one request"));
        }
        Ok(())
    }

    pub(super) fn login(&self) -> Choice {
        self.login.clone()
    }

    pub(super) fn hello(&self) -> Request {
        let (name, version) = &self.client;
        request("public/hello", Params::default().text("client_name", name).text("client_version", version))
    }

    pub(super) fn set_heartbeat(&self) -> Request {
        request("public/set_heartbeat", Params::default().plain("interval", self.heartbeat.as_secs()))
    }

    /// None when nothing is to be set.
    pub(super) fn cancel_request(&self) -> Option<Request> {
        let (method, scope) = match self.cancel_on_disconnect {
            CancelOnDisconnect::AsAccount => return None,
            CancelOnDisconnect::Off => ("private/disable_cancel_on_disconnect", "connection"),
            CancelOnDisconnect::Connection => ("private/enable_cancel_on_disconnect", "connection"),
            CancelOnDisconnect::Account => ("private/enable_cancel_on_disconnect", "account"),
        };
        Some(request(method, Params::default().text("scope", scope)))
    }
}

fn request(method: &'static str, params: Params) -> Request {
    Request { method: method.into(), params: Some(params.done()) }
}
