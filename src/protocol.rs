//! What a venue brings: how to open, how to write and read messages, what a call costs, how to subscribe.
//!
//! [`JsonRpc`](crate::JsonRpc) serves any JSON-RPC 2.0 server; [`deribit`](crate::deribit) builds on it; a venue that
//! speaks something else implements the trait itself, with its own correlation (`examples/custom_protocol.rs`).

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, NotSent, OpeningError, RpcError, Verdict, close_verdict};
use crate::frame::{CloseFrame, Message};
use crate::payload::Payload;
use crate::platform::{BoxFuture, MaybeSend};
use crate::session::limiter::{Bucket, Cost, Lane};
use crate::time::Instant;

/// A venue's protocol. All methods but [`encode`](Self::encode) and [`read`](Self::read) have a default for a venue
/// that has no such thing.
///
/// The session calls these methods and does the rest: it keeps time, ids, queues, credits and subscriptions. One
/// value serves one client for all its connections; [`open`](Self::open) with `None` says that a new one began.
pub trait Protocol: Unpin {
    /// Entropy for what must differ between clients, such as nonces. Given once, before anything else.
    fn seed(&mut self, seed: u64) {
        let _ = seed;
    }

    /// Writes a request. Without an `id` it is a notification, to which no reply is expected.
    ///
    /// What is written leaves at once, in the order of these calls. `id` is new for each request in the client's life,
    /// save for one that is [made again](crate::Config::retry_idempotent). A venue with another form of correlation
    /// keeps its own map here, and finds the id again in [`read`](Self::read).
    ///
    /// # Errors
    /// Why the protocol cannot express it.
    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent>;

    /// Writes several requests as one message.
    ///
    /// # Errors
    /// By default that batches are not supported.
    fn encode_batch(&mut self, requests: &[(Option<RequestId>, Request)]) -> Result<Message, NotSent> {
        let _ = requests;
        Err(NotSent::Unsupported("batches"))
    }

    /// Nobody waits for the answer to this request any more, because it was cancelled or its deadline passed.
    fn forget(&mut self, id: RequestId) {
        let _ = id;
    }

    /// Reads one message, calling `found` for each thing in it, in order.
    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>));

    /// The next step after a connection was made: hello, login, heartbeat. Called with `None` first, then with the
    /// answer to each step, until it is done. Subscriptions are restored and calls are sent after that.
    fn open(&mut self, now: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        let _ = (now, answer);
        Step::Done
    }

    /// When the protocol has something to do by itself on an open connection, such as renewing a login before it
    /// expires. Asked for after everything that happens.
    fn upkeep_at(&self) -> Option<Instant> {
        None
    }

    /// The next step of what is due: called with `None` once the time of [`upkeep_at`](Self::upkeep_at) has come, then
    /// with the outcome of each step, until it is done. Calls and data go on meanwhile.
    fn upkeep(&mut self, now: Instant, outcome: Option<Result<&Payload, &Error>>) -> Step {
        let _ = (now, outcome);
        Step::Done
    }

    /// A harmless request whose reply proves that the peer is alive, for platforms without pings.
    fn probe(&mut self) -> Option<Request> {
        None
    }

    /// The buckets of the limiter, unless the configuration brings one. Asked again whenever [`open`](Self::open) or
    /// [`upkeep`](Self::upkeep) is done: what has changed since the last time is changed in the limiter, whoever brought
    /// it. Their number and order stay.
    fn buckets(&self) -> Vec<Bucket> {
        Vec::new()
    }

    /// What a request takes from the buckets: the same whenever it is asked.
    fn cost(&self, request: &Request) -> Cow<'static, [Cost]> {
        let _ = request;
        Cow::Borrowed(&[])
    }

    /// Whether a request goes ahead of others.
    fn lane(&self, method: &str) -> Lane {
        let _ = method;
        Lane::Normal
    }

    /// Whether making a request twice does no harm.
    fn is_idempotent(&self, method: &str) -> bool {
        let _ = method;
        false
    }

    /// Which channels may share a subscribe request: those with the same number. Requests go out by rising number.
    fn group(&self, channel: &str) -> u8 {
        let _ = channel;
        0
    }

    /// The most channels, and bytes of their names, in one subscribe request.
    fn subscribe_limits(&self) -> SubscribeLimits {
        SubscribeLimits::default()
    }

    /// The request that subscribes to channels of one group; `None` when the server need not be told.
    fn subscribe(&self, group: u8, channels: &[&str]) -> Option<Request> {
        let _ = (group, channels);
        None
    }

    /// The request that unsubscribes, given the routes of the channels ([`Confirmation::route`]): their names, unless
    /// the server named them. `None` when the server need not be told.
    fn unsubscribe(&self, group: u8, routes: &[&str]) -> Option<Request> {
        let _ = (group, routes);
        None
    }

    /// Which of the requested channels the server's answer confirms, and under which route their data will come.
    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        let _ = answer;
        channels.iter().map(|channel| Confirmation::of(*channel)).collect()
    }

    /// Whether an error in answer to a subscribe request says something of all its channels or of the server. Otherwise
    /// one of them may be to blame, and the request is made again in halves until that one stands alone.
    fn is_about_all(&self, error: &RpcError) -> bool {
        let _ = error;
        false
    }

    /// What a close frame from the server means for the next attempt.
    fn close_verdict(&self, frame: &CloseFrame) -> Verdict {
        close_verdict(frame.code)
    }
}

/// A protocol behind a pointer: for programs that choose one as they run, and compile the session once for all.
#[deny(
    clippy::missing_trait_methods,
    reason = "what is not passed on would silently take the trait's default"
)]
impl<P: Protocol + ?Sized> Protocol for Box<P> {
    fn seed(&mut self, seed: u64) {
        (**self).seed(seed);
    }

    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        (**self).encode(now, id, request)
    }

    fn encode_batch(&mut self, requests: &[(Option<RequestId>, Request)]) -> Result<Message, NotSent> {
        (**self).encode_batch(requests)
    }

    fn forget(&mut self, id: RequestId) {
        (**self).forget(id);
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        (**self).read(now, message, found);
    }

    fn open(&mut self, now: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        (**self).open(now, answer)
    }

    fn upkeep_at(&self) -> Option<Instant> {
        (**self).upkeep_at()
    }

    fn upkeep(&mut self, now: Instant, outcome: Option<Result<&Payload, &Error>>) -> Step {
        (**self).upkeep(now, outcome)
    }

    fn probe(&mut self) -> Option<Request> {
        (**self).probe()
    }

    fn buckets(&self) -> Vec<Bucket> {
        (**self).buckets()
    }

    fn cost(&self, request: &Request) -> Cow<'static, [Cost]> {
        (**self).cost(request)
    }

    fn lane(&self, method: &str) -> Lane {
        (**self).lane(method)
    }

    fn is_idempotent(&self, method: &str) -> bool {
        (**self).is_idempotent(method)
    }

    fn group(&self, channel: &str) -> u8 {
        (**self).group(channel)
    }

    fn subscribe_limits(&self) -> SubscribeLimits {
        (**self).subscribe_limits()
    }

    fn subscribe(&self, group: u8, channels: &[&str]) -> Option<Request> {
        (**self).subscribe(group, channels)
    }

    fn unsubscribe(&self, group: u8, routes: &[&str]) -> Option<Request> {
        (**self).unsubscribe(group, routes)
    }

    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        (**self).confirmed(channels, answer)
    }

    fn is_about_all(&self, error: &RpcError) -> bool {
        (**self).is_about_all(error)
    }

    fn close_verdict(&self, frame: &CloseFrame) -> Verdict {
        (**self).close_verdict(frame)
    }
}

/// One thing found in a message.
#[derive(Debug)]
pub enum Inbound<'m> {
    /// The answer to a request of ours.
    Reply {
        /// The request's id.
        id: RequestId,
        /// The result as received, or the error.
        result: Result<&'m [u8], RpcError>,
    },
    /// The replies since the last one of these came together: requests of the same batch that were left out will
    /// not be answered.
    EndOfBatch,
    /// Data of a subscription.
    Data {
        /// What [`Confirmation::route`] named: most often the channel itself.
        route: Cow<'m, str>,
        /// The data as received.
        data: &'m [u8],
    },
    /// The server asks for a sign of life: this request goes out ahead of everything, and its reply is not awaited
    /// by anybody.
    Answer(Request),
    /// A sign of life or an acknowledgement that nobody needs to see.
    Nothing,
    /// Something for the user: see [`Client::messages`](crate::Client::messages).
    Unmatched(Unmatched),
    /// The message, or a part of it, breaks the protocol. The connection stays.
    Invalid(String),
    /// The server says that this connection is of no more use.
    Reconnect(String),
    /// However this connection ends, the next attempt must not be made before this time has passed.
    Hold(Duration),
}

/// What a server sent that answers no request and belongs to no subscription.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Unmatched {
    /// A message that the protocol does not know.
    Message(Message),
    /// A notification that belongs to no subscription.
    Notification {
        /// Its method.
        method: String,
        /// Its parameters; empty when there were none.
        params: Payload,
    },
    /// A request to us: answer it by [`Client::respond`](crate::Client::respond).
    Request {
        /// The server's id, as JSON text: a number or a string.
        id: String,
        /// Its method.
        method: String,
        /// Its parameters; empty when there were none.
        params: Payload,
    },
    /// An error with a null or absent id: the server could not tell which request it answers.
    Error(RpcError),
}

/// The next step of [`Protocol::open`] or [`Protocol::upkeep`].
#[derive(Debug)]
pub enum Step {
    /// Make this request and come back with its answer.
    Call(Request),
    /// Make this request once it is ready. It has as long for that as a call, and ends with the connection.
    Prepare(Preparation),
    /// There is nothing more to do: the connection is ready for use.
    Done,
    /// The connection cannot be used, and why.
    Fail(OpeningError),
}

/// A request that somebody else has to do something for first, such as to sign it. The driver awaits it.
pub struct Preparation(BoxFuture<Result<Request, OpeningError>>);

impl Preparation {
    /// The request, or why there will be none.
    pub fn new(request: impl Future<Output = Result<Request, OpeningError>> + MaybeSend + 'static) -> Self {
        Self(Box::pin(request))
    }
}

impl Future for Preparation {
    type Output = Result<Request, OpeningError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preparation")
    }
}

/// A method and its parameters.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct Request {
    /// The method's name.
    pub method: Cow<'static, str>,
    /// The parameters as JSON text, if any. JSON-RPC allows an object or an array.
    pub params: Option<String>,
}

impl Request {
    /// A request without parameters.
    pub fn new(method: impl Into<Cow<'static, str>>) -> Self {
        Self { method: method.into(), params: None }
    }

    /// A request with parameters. `()` and `None` stand for no parameters.
    ///
    /// # Errors
    /// [`NotSent::Params`] when they cannot be written as JSON.
    pub fn with<T: Serialize + ?Sized>(
        method: impl Into<Cow<'static, str>>,
        params: &T,
    ) -> Result<Self, NotSent> {
        let params = serde_json::to_string(params).map_err(|error| NotSent::Params(error.to_string()))?;
        Ok(Self { method: method.into(), params: (params != "null").then_some(params) })
    }

    /// Bytes that it holds in a queue.
    pub(crate) fn size(&self) -> usize {
        self.method.len() + self.params.as_ref().map_or(0, String::len)
    }
}

impl fmt::Debug for Request {
    /// Shows the method only: parameters may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({})", self.method)
    }
}

/// Bounds of one subscribe request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscribeLimits {
    /// How many channels. Default 500.
    pub channels: usize,
    /// How many bytes the quoted names may take together. Default 24,000.
    pub bytes: usize,
}

impl Default for SubscribeLimits {
    fn default() -> Self {
        Self { channels: 500, bytes: 24_000 }
    }
}

/// A channel that the server confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The channel, as it was requested.
    pub channel: String,
    /// The name under which its data comes: the channel itself, or an id that the server gave it.
    pub route: String,
}

impl Confirmation {
    /// A channel whose data comes under its own name.
    pub fn of(channel: impl Into<String>) -> Self {
        let channel = channel.into();
        Self { route: channel.clone(), channel }
    }
}

/// Names one request for the whole life of a client: no id is used twice, so a late reply never meets another call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "record", derive(serde::Serialize, serde::Deserialize))]
pub struct RequestId(pub u64);

/// The one source of request ids of a client. Clones count on together.
#[derive(Clone, Debug)]
pub struct RequestIds {
    next: Arc<AtomicU64>,
    /// Notes those that a recorded session takes, or says which a replayed one is to take.
    #[cfg(feature = "record")]
    pub(crate) tape: Option<crate::recorder::Tape>,
}

impl Default for RequestIds {
    fn default() -> Self {
        Self {
            next: Arc::new(AtomicU64::new(1)),
            #[cfg(feature = "record")]
            tape: None,
        }
    }
}

impl RequestIds {
    /// An id that was not given out before.
    pub fn next(&self) -> RequestId {
        #[cfg(feature = "record")]
        if let Some(tape) = &self.tape {
            return tape.next(&self.next);
        }
        RequestId(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// This id was given out, in a recording.
    #[cfg(feature = "record")]
    pub(crate) fn raise(&self, id: RequestId) {
        self.next.fetch_max(id.0.saturating_add(1), Ordering::Relaxed);
    }

    /// Whether the id was given out.
    pub fn knows(&self, id: RequestId) -> bool {
        id.0 != 0 && id.0 < self.next.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what a protocol must have.
    struct Plain;

    impl Protocol for Plain {
        fn encode(
            &mut self,
            _: Instant,
            _: Option<RequestId>,
            request: &Request,
        ) -> Result<Message, NotSent> {
            Ok(Message::from(&*request.method))
        }

        fn read<'m>(&mut self, _: Instant, _: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
            found(Inbound::Nothing);
        }
    }

    #[test]
    fn a_protocol_may_leave_out_what_its_venue_lacks() {
        let (mut plain, now) = (Plain, Instant::ZERO);
        plain.seed(1);
        plain.forget(RequestId(1));
        assert_eq!(plain.encode_batch(&[]), Err(NotSent::Unsupported("batches")));
        assert!(matches!(plain.open(now, None), Step::Done));
        assert_eq!(plain.upkeep_at(), None);
        assert!(matches!(plain.upkeep(now, None), Step::Done));
        assert!(plain.probe().is_none() && plain.buckets().is_empty());
        assert!(plain.cost(&Request::new("a")).is_empty());
        assert_eq!(plain.lane("a"), Lane::Normal);
        assert!(!plain.is_idempotent("a"), "what is not known to do no harm is not made twice");
        assert_eq!(plain.group("a"), 0);
        assert!(plain.subscribe(0, &["a"]).is_none() && plain.unsubscribe(0, &["a"]).is_none());
        let confirmed = plain.confirmed(&["a", "b"], &Payload::from("null"));
        assert_eq!(confirmed, [Confirmation::of("a"), Confirmation::of("b")]);
        assert!(!plain.is_about_all(&RpcError::new(1, "")));
        let policy = CloseFrame::new(crate::frame::CloseCode::POLICY_VIOLATION, "");
        assert_eq!(plain.close_verdict(&policy), Verdict::Stop);
    }

    #[test]
    fn a_preparation_shows_nothing_of_what_it_prepares() {
        let request = Request::new("public/auth");
        let mut prepared = Preparation::new(async { Ok(request) });
        assert_eq!(format!("{prepared:?}"), "Preparation");
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(
            matches!(Pin::new(&mut prepared).poll(&mut cx), Poll::Ready(Ok(request)) if request.method == "public/auth")
        );
    }
}
