//! What users of the venue hold: [`Deribit`].

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Adapter, Options, Topic};
use crate::client::{Client, FromPayload, Subscription};
use crate::config::Config;
use crate::driver::Driver;
use crate::error::{ConfigError, Error};
use crate::transport::Platform;

/// A handle to Deribit over one connection that stays up. Clones are handles to the same connection.
///
/// ```no_run
/// use steadysocket::deribit::{Deribit, Interval, Options, topics};
///
/// # async fn f() -> Result<(), steadysocket::Error> {
/// let deribit = Deribit::connect(Options::testnet()).await?;
/// let time: u64 = deribit.call("public/get_time", ()).await?;
/// let mut ticks = deribit.subscribe(&topics::ticker("BTC-PERPETUAL", Interval::Ms100)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Deribit {
    client: Client,
}

impl Deribit {
    /// A handle and the future that runs its connection, for any platform: see [`Client::with_platform`].
    ///
    /// `config` is most often [`Options::config`], changed where you want it changed.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the first field of `config` that cannot work.
    pub fn with_platform<L: Platform>(
        options: Options,
        config: Config,
        platform: L,
    ) -> Result<(Self, Driver<L, Adapter>), ConfigError> {
        let (client, driver) = Client::with_platform(config, Adapter::new(options), platform)?;
        Ok((Self { client }, driver))
    }

    /// The client below: its state, events, statistics, and everything that is not the venue's.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Calls any method: see [`Client::call`].
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: impl Into<Cow<'static, str>>,
        params: impl Serialize,
    ) -> Result<T, Error> {
        self.client.call(method, params).await
    }

    /// Subscribes to a channel whose data has a type: see [`topics`](super::topics).
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn subscribe<T: FromPayload>(&self, topic: &Topic<T>) -> Result<Subscription<T>, Error> {
        topic.subscribe(&self.client).await
    }

    /// Subscribes to any channel, whose data stays as it was received.
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn subscribe_raw(&self, channel: impl Into<String>) -> Result<Subscription, Error> {
        self.client.subscribe(channel).await
    }

    /// Closes the connection: see [`Client::close`].
    pub async fn close(&self) {
        self.client.close().await;
    }
}
