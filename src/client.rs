//! What users hold: [`Client`] and [`Subscription`].

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::channel::oneshot;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::alarm::Alarm;
use crate::config::{self, Config, Endpoint, Overflow, Url};
use crate::driver::Driver;
use crate::error::{ConfigError, DecodeError, Ended, Error, NotSent, Unknown};
use crate::frame::{CloseCode, CloseFrame, Message};
use crate::health::{Health, Pulse};
use crate::mailbox::{Badge, Mail, Mailbox, Outcome};
use crate::payload::Payload;
use crate::protocol::{Protocol, Request, RequestId, Unmatched};
use crate::queue::{Queue, Update};
use crate::session::limiter::Limiter;
use crate::session::{Command, ConsumerId, Event, State, Stats, Work};
use crate::time::Instant;
use crate::transport::Platform;

/// A handle to one connection that stays up. Clones are handles to the same connection.
///
/// The connection lives while any `Client` or [`Subscription`] of it lives, until [`close`](Self::close), or until the
/// server refuses it for good. All methods may be called at any time, also while it reconnects.
#[derive(Clone)]
pub struct Client(Arc<Link>);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.0.endpoint)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

/// What every handle of a connection shares. The last one to go closes it.
#[derive(Debug)]
struct Link {
    mailbox: Arc<Mailbox>,
    queue: config::Queue,
    limiter: Limiter,
    call_timeout: Duration,
    endpoint: Option<Url>,
    created: Instant,
    /// Differs from all other clients'.
    name: u64,
}

/// A handle that keeps no client alive.
#[derive(Clone, Debug)]
pub(crate) struct WeakClient(Weak<Link>);

impl Drop for Link {
    fn drop(&mut self) {
        let frame = CloseFrame::new(CloseCode::NORMAL, "");
        let _ = self.mailbox.post(Mail::Command(Command::Close(frame)));
        self.mailbox.undress();
    }
}

impl WeakClient {
    pub(crate) fn upgrade(&self) -> Option<Client> {
        self.0.upgrade().map(Client)
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl Client {
    /// A client and the future that runs its connection, for any platform and protocol. The caller spawns the driver.
    ///
    /// # Errors
    /// A [`ConfigError`] that names the first field of `config` that cannot work.
    pub fn with_platform<L: Platform, P: Protocol>(
        config: Config,
        protocol: P,
        platform: L,
    ) -> Result<(Self, Driver<L, P>), ConfigError> {
        config.validate()?;
        let mailbox = Arc::new(Mailbox::new(config.outbound, platform.clock()));
        let limiter = config.limiter.clone().unwrap_or_else(|| Limiter::new(protocol.buckets()));
        let config = config.limiter(Some(limiter.clone()));
        let client = Self(Arc::new(Link {
            mailbox: mailbox.clone(),
            queue: config.queue,
            limiter,
            call_timeout: config.call_timeout,
            endpoint: match &config.endpoint {
                Endpoint::Fixed(url) => Some(url.clone()),
                Endpoint::Provider(_) => None,
            },
            created: platform.now(),
            name: platform.seed(),
        }));
        #[allow(clippy::arc_with_non_send_sync, reason = "a browser's provider stays in its thread")]
        let config = Arc::new(config);
        Ok((client, Driver::new(config, protocol, platform, mailbox)))
    }

    /// Waits until the connection is live: open, logged in, subscriptions restored.
    ///
    /// # Errors
    /// [`Error::Connect`] when the client ended instead.
    pub async fn ready(&self) -> Result<(), Error> {
        let (tell, told) = oneshot::channel();
        match self.0.mailbox.post(Mail::Ready(tell)) {
            Ok(()) if told.await.is_ok() => Ok(()),
            _ => Err(Error::Connect(self.why_ended())),
        }
    }

    /// Calls a method and decodes its result.
    ///
    /// At most [`Config::outbound`] requests wait at a time. Without a connection it waits for one, within its deadline
    /// ([`Config::call_timeout`], [`Config::when_offline`]). Dropping the future cancels what has not left yet.
    ///
    /// ```no_run
    /// # async fn f(client: steadysocket::Client) -> Result<(), steadysocket::Error> {
    /// let time: u64 = client.call("get_time", ()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Rejected`] when the server answered with an error, [`Error::NotSent`] when it is safe to try again,
    /// [`Error::Unknown`] when the server may have executed it, [`Error::Decode`] when the result is not a `T`.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: impl Into<Cow<'static, str>>,
        params: impl Serialize,
    ) -> Result<T, Error> {
        let request = Request::with(method, &params)?;
        let method = request.method.clone();
        Ok(self.request(request).await?.decode_as(&method)?)
    }

    /// A call whose result stays as it was received, and whose deadline can be set.
    ///
    /// ```no_run
    /// # use steadysocket::Request;
    /// # use std::time::Duration;
    /// # async fn f(client: steadysocket::Client) -> Result<(), steadysocket::Error> {
    /// let request = Request::with("test", &serde_json::json!({}))?;
    /// let version = client.request(request).timeout(Duration::from_secs(1)).await?;
    /// println!("{:?}", version.as_str());
    /// # Ok(()) }
    /// ```
    pub fn request(&self, request: Request) -> Call {
        self.submit(Work::Call(request))
    }

    /// Sends a notification: a request that is not answered. Ready once it has been given to the socket.
    ///
    /// # Errors
    /// [`Error::NotSent`].
    pub async fn notify(
        &self,
        method: impl Into<Cow<'static, str>>,
        params: impl Serialize,
    ) -> Result<(), Error> {
        self.notification(Request::with(method, &params)?).await.map(drop)
    }

    /// A notification as it is to be written, and whose deadline can be set. Ready, with an empty payload, once it has
    /// been given to the socket.
    pub fn notification(&self, request: Request) -> Call {
        self.submit(Work::Notify(request))
    }

    /// Sends several requests as one message, when the protocol has batches. The outcomes are in the requests' order.
    pub async fn batch(&self, requests: impl IntoIterator<Item = Request>) -> Vec<Outcome> {
        let ids = &self.0.mailbox.ids;
        let items: Vec<_> = requests.into_iter().map(|request| (Some(ids.next()), request)).collect();
        if items.is_empty() {
            return Vec::new();
        }
        let (tells, calls): (Vec<_>, Vec<_>) = items
            .iter()
            .filter_map(|(id, _)| *id)
            .map(|id| {
                let (tell, told) = oneshot::channel();
                let stage = Stage::Waiting(id, told);
                ((id, tell), Call { mailbox: self.0.mailbox.clone(), timeout: None, stage })
            })
            .unzip();
        let mail = Mail::Batch { id: ids.next(), work: Work::Batch(items), timeout: None, outcomes: tells };
        if let Err(reason) = self.0.mailbox.post(mail) {
            let refuse = |mut call: Call| {
                // There is nothing to cancel.
                call.stage = Stage::Done;
                Err(reason.clone().into())
            };
            return calls.into_iter().map(refuse).collect();
        }
        let mut outcomes = Vec::with_capacity(calls.len());
        for call in calls {
            outcomes.push(call.await);
        }
        outcomes
    }

    /// Sends a message as it is, beside whatever the protocol sends. Ready once it has been given to the socket.
    ///
    /// # Errors
    /// [`Error::NotSent`].
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), Error> {
        self.submit(Work::Message(message.into())).await.map(drop)
    }

    /// Answers a request that the server made: see [`Unmatched::Request`]. `id` is given back as it came.
    ///
    /// # Errors
    /// [`Error::NotSent`].
    pub async fn respond(
        &self,
        id: &str,
        result: Result<impl Serialize, crate::error::RpcError>,
    ) -> Result<(), Error> {
        let result = result
            .map(|value| serde_json::to_string(&value))
            .map(|text| text.map_err(|error| NotSent::Params(error.to_string())));
        match result {
            Ok(text) => self.respond_json(id, Ok(&text?)).await,
            Err(error) => self.respond_json(id, Err(&error)).await,
        }
    }

    /// As [`respond`](Self::respond), with a result that is JSON text already.
    ///
    /// # Errors
    /// [`Error::NotSent`], also when something of it is no JSON.
    pub async fn respond_json(
        &self,
        id: &str,
        result: Result<&str, &crate::error::RpcError>,
    ) -> Result<(), Error> {
        self.send(crate::jsonrpc::response(id, result)?).await
    }

    /// Subscribes to a channel, and waits until the server has confirmed it.
    ///
    /// Several consumers of one channel share one subscription on the server. The subscription is restored after each
    /// reconnect until it is dropped.
    ///
    /// # Errors
    /// [`Error::Refused`] when the server did not confirm it, [`Error::NotSent`] when the client ended.
    pub async fn subscribe(&self, channel: impl Into<String>) -> Result<Subscription, Error> {
        self.subscribe_with(channel, self.0.queue).await
    }

    /// As [`subscribe`](Self::subscribe), with data decoded as `T`.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn subscribe_as<T: FromPayload>(
        &self,
        channel: impl Into<String>,
    ) -> Result<Subscription<T>, Error> {
        self.subscribe_with(channel, self.0.queue).await
    }

    /// As [`subscribe`](Self::subscribe), with a queue of its own and data decoded as `T`.
    ///
    /// ```no_run
    /// # use steadysocket::config::{Overflow, Queue};
    /// # async fn f(client: steadysocket::Client) -> Result<(), steadysocket::Error> {
    /// let queue = Queue { capacity: 16, overflow: Overflow::Latest, ..Queue::default() };
    /// let mut prices = client.subscribe_with::<serde_json::Value>("ticker", queue).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe), and [`Error::Config`] for a queue without capacity.
    pub async fn subscribe_with<T: FromPayload>(
        &self,
        channel: impl Into<String>,
        queue: config::Queue,
    ) -> Result<Subscription<T>, Error> {
        self.join(channel.into(), queue, false).await
    }

    /// As [`subscribe_with`](Self::subscribe_with), for a consumer that needs what the server sends first. When others
    /// consume the channel already it begins anew, as by [`Subscription::renew`].
    pub(crate) async fn subscribe_anew(
        &self,
        channel: String,
        queue: config::Queue,
    ) -> Result<Subscription, Error> {
        self.join(channel, queue, true).await
    }

    async fn join<T: FromPayload>(
        &self,
        channel: String,
        queue: config::Queue,
        anew: bool,
    ) -> Result<Subscription<T>, Error> {
        if queue.capacity == 0 && queue.overflow != Overflow::Latest {
            return Err(ConfigError::new("queue.capacity", "must be at least 1").into());
        }
        let (tell, told) = oneshot::channel();
        let queue = Arc::new(Queue::counting(queue, self.0.mailbox.dropped.clone()));
        self.0.mailbox.watch_stream(channel.clone(), &queue);
        let consumer = self.0.mailbox.ids.next();
        let mail = Mail::Subscribe {
            consumer,
            channel: channel.clone(),
            queue: queue.clone(),
            confirmed: tell,
            anew,
        };
        self.0.mailbox.post(mail)?;
        // From here on, dropping it leaves the channel.
        let subscription = Subscription { link: self.0.clone(), consumer, channel, queue, data: PhantomData };
        match told.await {
            Ok(confirmed) => confirmed.map(|_| subscription),
            Err(_) => Err(NotSent::Ended(self.why_ended()).into()),
        }
    }

    /// Everything else that the server says: messages that answer no request and belong to no subscription, and
    /// requests of the server's own. Each reader gets each of them once, through a bounded queue that drops the
    /// oldest. Without a reader they are dropped.
    pub fn messages(&self) -> Feed<Unmatched> {
        self.feed(self.0.queue.capacity, Mail::Messages)
    }

    /// What happens to the connection, from now on, through a bounded queue that drops the oldest.
    pub fn events(&self) -> Feed<Event> {
        self.feed(config::Queue::default().capacity, Mail::Events)
    }

    /// Where the connection is.
    pub fn state(&self) -> State {
        self.0.mailbox.state()
    }

    /// The connection's counters.
    pub fn stats(&self) -> Stats {
        self.0.mailbox.stats()
    }

    /// How the client is: its connection, its queues, its credits, its books; and a verdict on them.
    ///
    /// ```no_run
    /// # fn f(client: steadysocket::Client) {
    /// println!("{}", client.health().verdict());
    /// # }
    /// ```
    pub fn health(&self) -> Health {
        self.0.mailbox.health(&self.0.limiter)
    }

    /// The time on the platform's clock, by which [`Stats::heard`] and all deadlines are measured.
    pub fn now(&self) -> Instant {
        self.0.mailbox.now()
    }

    /// Where it connects to; `None` when a provider is asked at each attempt.
    pub fn endpoint(&self) -> Option<&Url> {
        self.0.endpoint.as_ref()
    }

    /// When it was made, on the platform's clock: see [`now`](Self::now).
    pub fn created(&self) -> Instant {
        self.0.created
    }

    /// What bounds this client's requests: give it to other clients of the same account.
    pub fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    /// Makes a new connection and restores everything on it. Calls under way get their outcome at once. An attempt
    /// that waits for its time is made now, or as soon as the server allows it; one under way goes on.
    ///
    /// It does not wait for the backoff, so do not call it in a loop.
    pub fn reconnect(&self) {
        let _ = self.0.mailbox.post(Mail::Command(Command::Reconnect));
    }

    /// Closes the connection with code 1000 and waits until it is closed, at most [`Config::close_timeout`].
    pub async fn close(&self) {
        self.shut(CloseFrame::new(CloseCode::NORMAL, "")).await;
    }

    /// Takes on nothing new, which is then [`NotSent::Draining`], lets everything under way end, leaves all channels, and
    /// closes with code 1000: within `timeout`, and [`Config::close_timeout`] after that. Waits until it is closed.
    ///
    /// Calls that are not done by then end as at [`close`](Self::close): [`Error::NotSent`] when they waited, and
    /// [`Error::Unknown`] when they had left. While it reconnects they wait, as always, for the next connection.
    ///
    /// [`Registry::drain_all`](crate::Registry::drain_all) drains many clients at once.
    pub async fn drain(&self, timeout: Duration) {
        let _ = self.0.mailbox.post(Mail::Command(Command::Drain(timeout)));
        self.ended().await;
    }

    /// Closes with a code and reason.
    ///
    /// # Errors
    /// A [`ConfigError`] on field `code` for a code other than 1000 or 3000–4999, and on field `reason` for a text of
    /// more than 123 bytes.
    pub async fn close_with(&self, code: CloseCode, reason: &str) -> Result<(), ConfigError> {
        if !code.is_sendable() {
            return Err(ConfigError::new(
                "code",
                format!("{code} may not be sent; use 1000 or 3000 to 4999"),
            ));
        }
        if reason.len() > CloseFrame::MAX_REASON {
            return Err(ConfigError::new("reason", "is longer than 123 bytes"));
        }
        self.shut(CloseFrame::new(code, reason)).await;
        Ok(())
    }

    /// Waits until the client has ended, and says why.
    pub async fn ended(&self) -> Ended {
        let (tell, told) = oneshot::channel();
        if self.0.mailbox.post(Mail::End(tell)).is_ok() {
            let _ = told.await;
        }
        self.why_ended()
    }

    /// Waits this long by the driver's timer; no longer than the client lives.
    pub(crate) fn sleep(&self, time: Duration) -> Alarm {
        let (bell, alarm) = Alarm::new();
        match self.0.mailbox.post(Mail::Alarm(time, bell)) {
            Ok(()) => alarm,
            Err(_) => Alarm::off(),
        }
    }

    async fn shut(&self, frame: CloseFrame) {
        let _ = self.0.mailbox.post(Mail::Command(Command::Close(frame)));
        self.ended().await;
    }

    /// The policy of subscriptions that bring none of their own.
    pub(crate) fn default_queue(&self) -> config::Queue {
        self.0.queue
    }

    /// A name of this client and a number in it, which no clone of it gives out a second time.
    pub(crate) fn unique(&self) -> (u64, u64) {
        (self.0.name, self.0.mailbox.ids.next().0)
    }

    /// How long a call may take that is given no timeout of its own: [`Config::call_timeout`](crate::Config::call_timeout).
    pub fn call_timeout(&self) -> Duration {
        self.0.call_timeout
    }

    pub(crate) fn downgrade(&self) -> WeakClient {
        WeakClient(Arc::downgrade(&self.0))
    }

    /// Keeps something until the client ends or its last handle is dropped. Of a client that has ended it goes at once.
    pub(crate) fn wear(&self, badge: Badge) -> Result<(), Ended> {
        self.0.mailbox.dress(badge)
    }

    fn submit(&self, work: Work) -> Call {
        Call { mailbox: self.0.mailbox.clone(), timeout: None, stage: Stage::New(work) }
    }

    fn feed<T>(&self, capacity: usize, mail: impl FnOnce(Arc<Queue<T>>) -> Mail) -> Feed<T> {
        let queue = Arc::new(Queue::new(config::Queue {
            capacity,
            overflow: Overflow::DropOldest,
            ..config::Queue::default()
        }));
        if self.0.mailbox.post(mail(queue.clone())).is_err() {
            queue.end();
        }
        Feed(queue)
    }

    fn why_ended(&self) -> Ended {
        self.0.mailbox.ended().unwrap_or(Ended::Abandoned)
    }
}

/// A call under way. It is sent when it is first polled; dropping it cancels what has not left yet.
#[derive(Debug)]
#[must_use = "a call is not made until it is awaited"]
pub struct Call {
    mailbox: Arc<Mailbox>,
    timeout: Option<Duration>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    New(Work),
    Waiting(RequestId, oneshot::Receiver<Outcome>),
    Done,
}

impl Call {
    /// How long it may take, waiting included. Default: [`Config::call_timeout`].
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl Future for Call {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.get_mut();
        if let Stage::New(_) = this.stage {
            let (tell, told) = oneshot::channel();
            let id = this.mailbox.ids.next();
            let Stage::New(work) = std::mem::replace(&mut this.stage, Stage::Waiting(id, told)) else {
                return Poll::Pending;
            };
            let mail = Mail::Submit { id, work, timeout: this.timeout, outcome: tell };
            if let Err(reason) = this.mailbox.post(mail) {
                this.stage = Stage::Done;
                return Poll::Ready(Err(reason.into()));
            }
        }
        let Stage::Waiting(_, told) = &mut this.stage else {
            // Polled after it was ready: there is nothing more to say.
            return Poll::Pending;
        };
        let Poll::Ready(told) = Pin::new(told).poll(cx) else { return Poll::Pending };
        this.stage = Stage::Done;
        // Without a word the driver is gone, and it may have sent the request.
        Poll::Ready(told.unwrap_or(Err(Unknown::Ended(Ended::Abandoned).into())))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Stage::Waiting(id, _) = self.stage {
            let _ = self.mailbox.post(Mail::Command(Command::Cancel(id)));
        }
    }
}

/// Data of one channel, with what happened to it, in order. Dropping it leaves the channel.
///
/// ```no_run
/// # use steadysocket::Update;
/// # async fn f(client: steadysocket::Client) -> Result<(), steadysocket::Error> {
/// let mut ticks = client.subscribe("ticker").await?;
/// while let Some(update) = ticks.next().await {
///     match update {
///         Update::Data(payload) => println!("{:?}", payload.as_str()),
///         Update::Interrupted(reason) => println!("stale from here on: {reason}"),
///         Update::Resumed => println!("fresh again"),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "dropping a subscription leaves its channel"]
pub struct Subscription<T = Payload> {
    link: Arc<Link>,
    consumer: ConsumerId,
    channel: String,
    queue: Arc<Queue<Payload>>,
    data: PhantomData<fn() -> T>,
}

impl<T: FromPayload> Subscription<T> {
    /// The next update; `None` once the client has ended and everything before that was read.
    pub async fn next(&mut self) -> Option<Update<T>> {
        std::future::poll_fn(|cx| self.poll_update(cx)).await
    }

    /// The channel's name.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// How many updates were dropped or replaced because this consumer was too slow.
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// Has the channel begin anew, so that what the server sends first, such as a book's snapshot, comes again: it is
    /// unsubscribed, and subscribed once that is confirmed. No other channel is touched. All consumers of this one are
    /// told by [`Update::Renewing`] and [`Update::Resumed`].
    ///
    /// Nothing happens while it is about to begin anyway. A channel that is renewed again and again waits longer each
    /// time, up to a minute.
    pub fn renew(&self) {
        let _ = self.link.mailbox.post(Mail::Command(Command::Renew(self.consumer)));
    }

    /// How many updates wait to be read.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// What waits, without waiting for more: the next update, or `Some(None)` at the end.
    pub(crate) fn try_next(&self) -> Option<Option<Update<T>>> {
        self.queue.try_next().map(|update| update.map(|update| self.decode(update)))
    }

    /// The time on the platform's clock.
    pub(crate) fn now(&self) -> Instant {
        self.link.mailbox.now()
    }

    /// By which the health of what is made of this data is known.
    pub(crate) fn pulse(&self) -> Arc<Pulse> {
        let pulse = Arc::new(Pulse::new(self.channel.clone(), self.queue.clone(), self.now()));
        self.link.mailbox.watch_book(&pulse);
        pulse
    }

    /// Why the client ended; `None` while it lives.
    pub(crate) fn ended(&self) -> Option<Ended> {
        self.link.mailbox.ended()
    }

    /// Why the client ended, once it has.
    pub(crate) fn why_ended(&self) -> Ended {
        self.ended().unwrap_or(Ended::Abandoned)
    }

    pub(crate) fn poll_update(&self, cx: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        self.queue.poll_next(cx).map(|update| update.map(|update| self.decode(update)))
    }

    fn decode(&self, update: Update<Payload>) -> Update<T> {
        update.and_then(|payload| match T::from_payload(payload, &self.channel) {
            Ok(data) => Update::Data(data),
            Err(error) => Update::Invalid(error),
        })
    }
}

impl<T: FromPayload> Stream for Subscription<T> {
    type Item = Update<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        self.poll_update(cx)
    }
}

impl<T> Drop for Subscription<T> {
    fn drop(&mut self) {
        let _ = self.link.mailbox.post(Mail::Command(Command::Unsubscribe(self.consumer)));
    }
}

/// What a subscription's data can be decoded as: [`Payload`] itself, which costs nothing, or anything that serde can
/// read from JSON.
pub trait FromPayload: Sized {
    /// Decodes the data of `channel`.
    ///
    /// # Errors
    /// What did not fit.
    fn from_payload(payload: Payload, channel: &str) -> Result<Self, DecodeError>;
}

impl FromPayload for Payload {
    fn from_payload(payload: Payload, _: &str) -> Result<Self, DecodeError> {
        Ok(payload)
    }
}

impl<T: DeserializeOwned> FromPayload for T {
    fn from_payload(payload: Payload, channel: &str) -> Result<Self, DecodeError> {
        payload.decode_as(channel)
    }
}

/// A bounded feed of messages or events.
#[derive(Debug)]
pub struct Feed<T>(Arc<Queue<T>>);

impl<T> Feed<T> {
    /// The next item; `None` once the client has ended. Items lost to a full queue are told by
    /// [`Update::Lagged`].
    pub async fn next(&mut self) -> Option<Update<T>> {
        std::future::poll_fn(|cx| self.0.poll_next(cx)).await
    }

    /// How many items were dropped because this reader was too slow.
    pub fn dropped(&self) -> u64 {
        self.0.dropped()
    }
}

impl<T> Stream for Feed<T> {
    type Item = Update<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Update<T>>> {
        self.0.poll_next(cx)
    }
}
