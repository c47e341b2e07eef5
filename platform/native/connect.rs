//! From a configuration to a client whose driver runs on the present tokio runtime.

use std::future::Future;

use tokio::runtime::Handle;

use super::Native;
use crate::client::Client;
use crate::config::Config;
use crate::deribit::{Adapter, Deribit, Options};
use crate::driver::Driver;
use crate::error::{ConfigError, Ended, Error};
use crate::jsonrpc::JsonRpc;
use crate::protocol::Protocol;
use crate::supervisor::{Restarts, Supervisor};

/// Connects to a JSON-RPC 2.0 server and keeps the connection up from then on.
///
/// ```no_run
/// # async fn f() -> Result<(), steadysocket::Error> {
/// use steadysocket::Config;
/// let client = steadysocket::connect(Config::new("wss://example.com/rpc")?).await?;
/// let answer: u64 = client.call("add", [1, 2]).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Error::Config`] for a configuration that cannot work, or outside a tokio runtime. [`Error::Connect`] when the
/// first attempt fails; with [`Config::retry_initial_connect`] only when it can never succeed.
pub async fn connect(config: Config) -> Result<Client, Error> {
    let client = supervise(config, Native::new(), Restarts::default(), JsonRpc::new)?;
    client.ready().await?;
    Ok(client)
}

/// Connects with a protocol and TLS options of one's own.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with<P: Protocol + Send + 'static>(
    config: Config,
    protocol: P,
    native: Native,
) -> Result<Client, Error> {
    let client = start(config, protocol, native)?;
    client.ready().await?;
    Ok(client)
}

/// Starts a client without waiting for its first connection.
///
/// # Errors
/// A [`ConfigError`] for a configuration that cannot work, or on field `runtime` outside a tokio runtime.
pub fn start<P: Protocol + Send + 'static>(
    config: Config,
    protocol: P,
    native: Native,
) -> Result<Client, ConfigError> {
    let (client, driver) = Client::with_platform(config, protocol, native)?;
    spawn(driver)?;
    Ok(client)
}

/// Starts a client that outlives a panic inside its connection, without waiting for its first connection: see
/// [`Client::supervised`].
///
/// ```no_run
/// use steadysocket::{Config, JsonRpc, Native, Restarts};
///
/// # async fn f() -> Result<(), steadysocket::Error> {
/// let config = Config::new("wss://example.com/rpc")?;
/// let protocol = || JsonRpc::new().strict();
/// let client = steadysocket::supervise(config, Native::new(), Restarts::default(), protocol)?;
/// client.ready().await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// As [`start`].
pub fn supervise<P: Protocol + Send + 'static>(
    config: Config,
    native: Native,
    restarts: Restarts,
    protocol: impl FnMut() -> P + Send + Unpin + 'static,
) -> Result<Client, ConfigError> {
    let (client, supervisor) = Client::supervised(config, native, restarts, protocol)?;
    spawn(supervisor)?;
    Ok(client)
}

impl Deribit {
    /// Connects to Deribit and keeps the connection up from then on.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), steadysocket::Error> {
    /// use steadysocket::deribit::{Deribit, Options};
    /// let deribit = Deribit::connect(Options::testnet()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`connect`](fn@connect).
    pub async fn connect(options: Options) -> Result<Self, Error> {
        let config = options.config()?;
        Self::connect_with(options, config, Native::new()).await
    }

    /// Connects with a configuration and a transport of one's own: see [`Options::config`].
    ///
    /// # Errors
    /// As [`connect`](fn@connect).
    pub async fn connect_with(options: Options, config: Config, native: Native) -> Result<Self, Error> {
        let deribit = Self::start(options, config, native)?;
        deribit.client().ready().await?;
        Ok(deribit)
    }

    /// Starts without waiting for the first connection.
    ///
    /// # Errors
    /// As [`start`].
    pub fn start(options: Options, config: Config, native: Native) -> Result<Self, ConfigError> {
        let (deribit, driver) = Self::with_platform(options.clone(), config, native)?;
        let clock = deribit.clock().clone();
        let protocol = move || Adapter::with_clock(options.clone(), clock.clone());
        spawn(Supervisor::new(driver, Restarts::default(), protocol))?;
        Ok(deribit)
    }
}

fn spawn(connection: impl Future<Output = Ended> + Send + 'static) -> Result<(), ConfigError> {
    let runtime = Handle::try_current()
        .map_err(|_| ConfigError::new("runtime", "is missing: call this inside a tokio runtime"))?;
    runtime.spawn(connection);
    Ok(())
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Driver<Native, JsonRpc>>();
    is_send::<Client>();
    is_send::<crate::client::Subscription>();
};
