//! From a configuration to a client whose driver runs on the present tokio runtime.

use tokio::runtime::Handle;

use super::Native;
use crate::client::Client;
use crate::config::Config;
use crate::deribit::{Deribit, Options};
use crate::driver::Driver;
use crate::error::{ConfigError, Error};
use crate::jsonrpc::JsonRpc;
use crate::protocol::Protocol;

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
    connect_with(config, JsonRpc::new(), Native::new()).await
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
        let (deribit, driver) = Self::with_platform(options, config, native)?;
        spawn(driver)?;
        Ok(deribit)
    }
}

fn spawn<P: Protocol + Send + 'static>(driver: Driver<Native, P>) -> Result<(), ConfigError> {
    let runtime = Handle::try_current()
        .map_err(|_| ConfigError::new("runtime", "is missing: call this inside a tokio runtime"))?;
    runtime.spawn(driver);
    Ok(())
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Driver<Native, JsonRpc>>();
    is_send::<Client>();
    is_send::<crate::client::Subscription>();
};
