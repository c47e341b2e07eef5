//! Several connections to one venue, used as one.

mod calls;
mod members;
mod merge;
mod redundant;
mod stream;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use calls::PoolCall;
pub use members::{MemberId, Score};
pub use merge::Position;
pub use redundant::Redundant;
pub use stream::PoolStream;

use crate::client::{Client, FromPayload};
use crate::config::Queue;
use crate::error::{ConfigError, Error};
use crate::payload::Payload;
use crate::platform::{MaybeSend, MaybeSync};
use crate::protocol::Request;
use members::Members;

/// How a [`Pool`] uses its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// How many channels a member carries at most. Default 500: as many as Deribit allows in one request, so that a
    /// connection is restored by one. It publishes no limit for a connection.
    pub channels: usize,
    /// Whether a call that one member has not sent is given to another: see [`Pool::request`]. Default true.
    pub failover: bool,
    /// For how long an error lowers a member's [`Score`], and how long a measured latency counts. Default 30 s.
    pub memory: Duration,
    /// How long a copy of a redundant stream that is ahead waits for what the other still brings. Default 5 s.
    pub hold: Duration,
    /// How many messages wait for that at most. Default 1024.
    pub hold_messages: usize,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            channels: 500,
            failover: true,
            memory: Duration::from_secs(30),
            hold: Duration::from_secs(5),
            hold_messages: 1024,
        }
    }
}

/// Several clients of one venue, used as one. Clones are handles to the same pool.
///
/// Calls go to the member in the best health, channels are spread over the members, and a channel may be had
/// [twice](Self::redundant), so that the loss of either connection is not seen. The pool spawns nothing: its streams do
/// their work when they are polled. It keeps its members alive; one that ends is gone from it, and its channels go
/// to others. Members must share a platform, and be allowed to do the same at the venue.
///
/// ```no_run
/// use steadysocket::{Config, Pool, PoolOptions};
///
/// # async fn f() -> Result<(), steadysocket::Error> {
/// let mut members = Vec::new();
/// for _ in 0..3 {
///     members.push(steadysocket::connect(Config::new("wss://example.com/rpc")?).await?);
/// }
/// let pool = Pool::new(members, PoolOptions::default())?;
/// let time: u64 = pool.call("get_time", ()).await?;
/// let mut ticks = pool.subscribe::<serde_json::Value>("ticker").await?;
/// while let Some(update) = ticks.next().await {
///     println!("{time}: {update:?}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Pool(Arc<Owner>);

/// What the handles of a pool share. Streams and calls go without: they add no member.
struct Owner(Arc<Members>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.orphan();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("scores", &self.scores()).finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool of these members. There may be none yet.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the first field of `options` that cannot work.
    pub fn new(members: impl IntoIterator<Item = Client>, options: PoolOptions) -> Result<Self, ConfigError> {
        if options.channels == 0 {
            return Err(ConfigError::new("channels", "must be at least 1"));
        }
        let pool = Self(Arc::new(Owner(Arc::new(Members::new(options)))));
        for member in members {
            pool.add(member);
        }
        Ok(pool)
    }

    /// Takes in a member. It gets channels of those that carry more: each stream that moves is told.
    pub fn add(&self, client: Client) -> MemberId {
        self.members().add(client)
    }

    /// Lets a member go, which lives on. Its channels go to others: each stream that moves is told.
    pub fn remove(&self, member: MemberId) -> Option<Client> {
        self.members().remove(member)
    }

    /// How its members are, the best first: see [`Score`].
    pub fn scores(&self) -> Vec<Score> {
        self.members().scores()
    }

    /// Calls a method on the member in the best health, and decodes its result: see [`request`](Self::request).
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: impl Into<Cow<'static, str>>,
        params: impl Serialize,
    ) -> Result<T, Error> {
        let request = Request::with(method, &params)?;
        let method = request.method.clone();
        Ok(self.request(request).await?.decode_as(&method)?)
    }

    /// A call on the member in the best health, whose result stays as it was received.
    ///
    /// What a member reports as [`NotSent`](Error::NotSent) for a reason of its own (it was cut off, its queue is
    /// full, it has ended) never left this machine: the call goes to the next member, at most once to each, within
    /// its deadline, unless [`PoolOptions::failover`] is off. What may have been executed
    /// ([`Unknown`](Error::Unknown)) and what was answered is never made again.
    ///
    /// While no member is live it waits on the best of them, and stays with that one.
    ///
    /// Ready with [`NotSent::Offline`](crate::error::NotSent::Offline) when there is no member.
    pub fn request(&self, request: Request) -> PoolCall {
        PoolCall::new(self.members().clone(), request)
    }

    /// Subscribes to a channel on the member that carries the fewest, with data decoded as `T`.
    ///
    /// When that member ends or is removed, or a new one takes the channel over, the stream moves: it tells
    /// [`Update::Interrupted`](crate::Update::Interrupted), and [`Update::Resumed`](crate::Update::Resumed) once the
    /// channel is confirmed there. It is never on two members at a time.
    ///
    /// # Errors
    /// As [`Client::subscribe`]; [`Error::Config`] when all members carry as many channels as they may, and
    /// [`NotSent::Offline`](crate::error::NotSent::Offline) when there is none.
    pub async fn subscribe<T: FromPayload>(
        &self,
        channel: impl Into<String>,
    ) -> Result<PoolStream<T>, Error> {
        PoolStream::open(self.members().clone(), channel.into(), None).await
    }

    /// As [`subscribe`](Self::subscribe), with a queue of its own.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe), and [`Error::Config`] for a queue without capacity.
    pub async fn subscribe_with<T: FromPayload>(
        &self,
        channel: impl Into<String>,
        queue: Queue,
    ) -> Result<PoolStream<T>, Error> {
        PoolStream::open(self.members().clone(), channel.into(), Some(queue)).await
    }

    /// Subscribes to a channel on two members, and merges what comes: see [`Redundant`]. `sequence` says where a
    /// message stands; for Deribit, [`deribit::sequence`](crate::deribit::sequence) does.
    ///
    /// With one member it is an ordinary stream until there is another.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn redundant<F>(&self, channel: impl Into<String>, sequence: F) -> Result<Redundant<F>, Error>
    where
        F: FnMut(&Payload) -> Option<Position> + MaybeSend + MaybeSync + Unpin,
    {
        Redundant::open(self.members().clone(), channel.into(), sequence).await
    }

    /// Makes new connections, one member after the other: each waits until another member is live, and until its
    /// streams have caught up with their other copies, for [`PoolOptions::hold`] at most. Streams that are not redundant
    /// are interrupted once each.
    pub async fn reconnect(&self) {
        for id in self.members().ids() {
            self.members().settled().await;
            let Some(client) = self.members().client(id) else { continue };
            for other in self.members().others(id) {
                if other.ready().await.is_ok() {
                    break;
                }
            }
            client.reconnect();
            // It is asked after the command was taken, so it waits for the new connection.
            let _ = client.ready().await;
        }
        self.members().settled().await;
    }

    fn members(&self) -> &Arc<Members> {
        &self.0.0
    }
}
