//! From a configuration to a client whose driver runs as a task of this page or worker.

use super::Web;
use super::task::Task;
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
/// [`Error::Config`] for a configuration that cannot work. [`Error::Connect`] when the first attempt fails; with
/// [`Config::retry_initial_connect`] only when it can never succeed.
pub async fn connect(config: Config) -> Result<Client, Error> {
    connect_with(config, JsonRpc::new(), Web::new()).await
}

/// Connects with a protocol of one's own.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with<P: Protocol + 'static>(
    config: Config,
    protocol: P,
    web: Web,
) -> Result<Client, Error> {
    let client = start(config, protocol, web)?;
    client.ready().await?;
    Ok(client)
}

/// Starts a client without waiting for its first connection.
///
/// # Errors
/// A [`ConfigError`] for a configuration that cannot work.
pub fn start<P: Protocol + 'static>(config: Config, protocol: P, web: Web) -> Result<Client, ConfigError> {
    let task = web.task.clone();
    let (client, driver) = Client::with_platform(config, protocol, web)?;
    spawn(task, driver);
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
        Self::connect_with(options, config, Web::new()).await
    }

    /// Connects with a configuration and a transport of one's own: see [`Options::config`].
    ///
    /// # Errors
    /// As [`connect`](fn@connect).
    pub async fn connect_with(options: Options, config: Config, web: Web) -> Result<Self, Error> {
        let deribit = Self::start(options, config, web)?;
        deribit.client().ready().await?;
        Ok(deribit)
    }

    /// Starts without waiting for the first connection.
    ///
    /// # Errors
    /// As [`start`].
    pub fn start(options: Options, config: Config, web: Web) -> Result<Self, ConfigError> {
        let task = web.task.clone();
        let (deribit, driver) = Self::with_platform(options, config, web)?;
        spawn(task, driver);
        Ok(deribit)
    }
}

fn spawn<P: Protocol + 'static>(task: Task, driver: Driver<Web, P>) {
    task.spawn(async move {
        let _ended = driver.await;
    });
}
