//! What users of the venue hold: [`Deribit`].

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Adapter, Clock, Instruments, Options, ServerTime, Topic};
use crate::client::{Client, FromPayload, Subscription};
use crate::config::Config;
use crate::driver::Driver;
use crate::error::{ConfigError, Error, Unknown};
use crate::protocol::Request;
use crate::session::limiter::Limiter;
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
    clock: Clock,
    pub(super) instruments: Instruments,
}

impl Deribit {
    /// A handle and the future that runs its connection, for any platform: see [`Client::with_platform`].
    ///
    /// `config` is most often [`Options::config`], changed where you want it changed.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the first field of `options` or `config` that cannot work.
    pub fn with_platform<L: Platform>(
        options: Options,
        config: Config,
        platform: L,
    ) -> Result<(Self, Driver<L, Adapter>), ConfigError> {
        options.validate()?;
        let limiter = config.limiter.clone().or_else(|| options.shared_limiter());
        let config = config.limiter(limiter);
        let adapter = Adapter::new(options);
        let clock = adapter.clock();
        let (client, driver) = Client::with_platform(config, adapter, platform)?;
        Ok((Self::over(client, clock), driver))
    }

    /// A handle over a client that was started by other means, with an [`Adapter`] whose [clock](Adapter::clock) this is.
    pub fn over(client: Client, clock: Clock) -> Self {
        let instruments = Instruments::new(client.clone());
        Self { client, clock, instruments }
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

    /// What the venue's clock says now; `None` before the first connection.
    pub fn server_time(&self) -> Option<ServerTime> {
        self.clock.at(self.client.now())
    }

    /// The venue's clock, as it is known from the replies.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What bounds the requests of this connection. All connections of an account spend from the same pools at the venue,
    /// and so do all without a login from one address: let them share it.
    ///
    /// ```no_run
    /// # use steadysocket::deribit::{Deribit, Options};
    /// # async fn f() -> Result<(), steadysocket::Error> {
    /// let options = Options::testnet().credentials("id", "secret");
    /// let orders = Deribit::connect(options.clone()).await?;
    /// let market_data = Deribit::connect(options.limiter(orders.limiter())).await?;
    /// # Ok(()) }
    /// ```
    pub fn limiter(&self) -> Limiter {
        self.client.limiter().clone()
    }

    /// Logs out, which makes the login's tokens invalid and does not trigger cancel on disconnect, and ends the client.
    ///
    /// # Errors
    /// What became of the request, unless the server closed the connection in answer to it. The client goes on then,
    /// until it needs a new connection: none is made after a logout was sent.
    pub async fn logout(&self) -> Result<(), Error> {
        match self.client.request(Request::new("private/logout")).await {
            Ok(_) | Err(Error::Unknown(Unknown::Disconnected(_) | Unknown::Ended(_))) => {
                self.close().await;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Closes the connection: see [`Client::close`].
    pub async fn close(&self) {
        self.client.close().await;
    }
}
