//! From a configuration to a client whose driver runs as a task of this page or worker.

use super::Web;
use crate::client::Client;
use crate::config::Config;
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
    let (client, driver) = Client::with_platform(config, protocol, web)?;
    wasm_bindgen_futures::spawn_local(async move {
        let _ended = driver.await;
    });
    Ok(client)
}
