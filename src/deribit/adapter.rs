//! The venue's protocol: what is said on each new connection, and how messages are written and read.

use std::borrow::Cow;
use std::time::Duration;

use super::auth::{self, Login};
use super::channel::Access;
use super::clock::Clock;
use super::credits;
use super::errors;
use super::limits::Limits;
use super::options::Options;
use super::params::Params;
use super::server::{self, Server};
use crate::error::{Error, Meaning, NotSent, OpeningError, RpcError, Verdict};
use crate::frame::{CloseFrame, Message};
use crate::json::{self, Str};
use crate::jsonrpc::{JsonRpc, channels};
use crate::payload::Payload;
use crate::protocol::{
    Confirmation, Inbound, Protocol, Request, RequestId, Step, SubscribeLimits, Unmatched,
};
use crate::redact::Texts;
use crate::secret::Secret;
use crate::session::limiter::{Bucket, Cost, Lane};
use crate::time::Instant;

/// The largest message that the server takes; it answers larger ones with -32600 `request entity too large`.
pub(super) const MAX_MESSAGE: usize = 32 * 1024;

/// How long the venue's default pool takes to refill: to come back sooner after 10028 would be refused again.
const REFILL_TIME: Duration = Duration::from_secs(5);

/// The venue reckons an account's tier anew each hour.
const LIMITS_LAST: Duration = Duration::from_secs(60 * 60);

/// No request has this number.
const NEVER: RequestId = RequestId(0);

const TOO_MANY_REQUESTS: i64 = 10028;
const CANCEL_ON_DISCONNECT_FAILED: i64 = 10049;
const SUBSCRIBE_ERROR: i64 = 11052;

/// Deribit's protocol: JSON-RPC without batches and positional parameters, with a heartbeat that the server asks
/// for, and subscriptions in three groups by what they [ask of the connection](Access).
#[derive(Debug)]
pub struct Adapter {
    rpc: JsonRpc,
    options: Options,
    /// What the account may do, as far as it is known.
    limits: Limits,
    server: Server,
    login: Login,
    /// The step of the opening that is under way.
    opening: Option<Opening>,
    /// Since when.
    opening_since: Instant,
    /// What is under way on the open connection.
    upkeep: Upkeep,
    /// When the account's limits are asked for next.
    limits_at: Option<Instant>,
    /// Cancel on disconnect failed on this connection and was asked for again.
    cancel_repeated: bool,
    /// The last request for a token on this connection; zero before the first.
    asked_for_token: RequestId,
    logged_out: bool,
}

/// What is done on each new connection, in this order. All of it is lost with the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    Hello,
    /// Only when a signature needs it and the reply to hello did not tell it.
    GetTime,
    Login,
    SetHeartbeat,
    CancelOnDisconnect,
}

impl Opening {
    const ORDER: [Self; 5] =
        [Self::Hello, Self::GetTime, Self::Login, Self::SetHeartbeat, Self::CancelOnDisconnect];
}

/// What is done from time to time on an open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Upkeep {
    /// The login is renewed.
    Login,
    /// The account's limits are asked for. Without an answer things go on, if more slowly.
    AccountSummary,
}

impl Adapter {
    /// The protocol with these options.
    pub fn new(options: Options) -> Self {
        Self {
            // Subscriptions as in `JsonRpc`'s default: `subscription` notifications with `channel` and `data`.
            rpc: JsonRpc::new().extra_members(server::MEMBERS),
            server: Server::new(options.expects_testnet()),
            login: Login::new(options.login()),
            limits: options.limits(),
            options,
            opening: None,
            opening_since: Instant::ZERO,
            upkeep: Upkeep::Login,
            limits_at: None,
            cancel_repeated: false,
            asked_for_token: NEVER,
            logged_out: false,
        }
    }

    /// As [`new`](Self::new), with what another one knows of the venue's clock: for one that takes its place, as under
    /// [`Client::supervised`](crate::Client::supervised).
    pub fn with_clock(options: Options, clock: Clock) -> Self {
        let mut adapter = Self::new(options);
        adapter.server.clock = clock;
        adapter
    }

    /// The venue's clock, as it is known from the replies. It is the same for all connections of this protocol.
    pub fn clock(&self) -> Clock {
        self.server.clock.clone()
    }

    fn begin(&mut self) -> Result<Option<Opening>, OpeningError> {
        if self.logged_out {
            return Err(OpeningError::LoggedOut);
        }
        self.server.reset();
        self.login.reset();
        (self.cancel_repeated, self.asked_for_token, self.limits_at) = (false, NEVER, None);
        Ok(Some(Opening::Hello))
    }

    /// What follows from the answer to a step.
    fn advance(
        &mut self,
        now: Instant,
        answer: Result<&Payload, &RpcError>,
    ) -> Result<Option<Opening>, OpeningError> {
        let Some(step) = self.opening else { return Ok(None) };
        self.server.check()?;
        match (step, answer) {
            (_, Err(error)) => return self.repeat(now, step, error),
            (Opening::Login, Ok(answer)) => self.login.granted(now, self.asked_for_token, answer)?,
            (Opening::GetTime, Ok(answer)) => self.server.told(self.opening_since, now, answer),
            (Opening::Hello | Opening::SetHeartbeat | Opening::CancelOnDisconnect, Ok(_)) => {}
        }
        Ok(self.after(step))
    }

    fn after(&self, step: Opening) -> Option<Opening> {
        let mut later = Opening::ORDER.into_iter().skip_while(|other| *other != step).skip(1);
        later.find(|step| match step {
            Opening::Hello | Opening::SetHeartbeat => true,
            Opening::GetTime => self.login.is_signed() && !self.server.clock.is_known(),
            Opening::Login => self.login.is_wanted(),
            Opening::CancelOnDisconnect => self.options.cancel_request().is_some(),
        })
    }

    /// Some refusals are worth one more try on the same connection.
    fn repeat(
        &mut self,
        now: Instant,
        step: Opening,
        error: &RpcError,
    ) -> Result<Option<Opening>, OpeningError> {
        if self.login.may_repeat(now, error) {
            return Ok(Some(Opening::Login));
        }
        if error.code == CANCEL_ON_DISCONNECT_FAILED && !std::mem::replace(&mut self.cancel_repeated, true) {
            return Ok(Some(step));
        }
        Err(auth::refusal(self.method(step), error))
    }

    fn request(&self, step: Opening) -> Option<Request> {
        match step {
            Opening::Hello => Some(self.options.hello()),
            Opening::GetTime => Some(Request::new("public/get_time")),
            Opening::SetHeartbeat => Some(self.options.set_heartbeat()),
            Opening::CancelOnDisconnect => self.options.cancel_request(),
            Opening::Login => None,
        }
    }

    fn method(&self, step: Opening) -> Cow<'static, str> {
        self.request(step).map_or(auth::AUTH.into(), |request| request.method)
    }

    fn carry_out(&mut self, now: Instant, step: Opening) -> Step {
        match self.request(step) {
            Some(request) => Step::Call(request),
            None => self.login.step(now, &self.server.clock),
        }
    }

    /// Whether the request needs a login that is known not to be there.
    fn lacks_login(&self, request: &Request) -> bool {
        is_private(&request.method)
            && !self.login.is_wanted()
            // The user may log in by calls of their own.
            && self.asked_for_token == NEVER
            && !has_token(request)
    }
}

impl Protocol for Adapter {
    fn seed(&mut self, seed: u64) {
        self.login.seed(seed);
    }

    fn encode(&mut self, now: Instant, id: Option<RequestId>, request: &Request) -> Result<Message, NotSent> {
        let is_array = |params: &String| params.as_bytes().trim_ascii_start().starts_with(b"[");
        if request.params.as_ref().is_some_and(is_array) {
            return Err(NotSent::Unsupported("positional parameters"));
        }
        if self.lacks_login(request) {
            return Err(NotSent::NotLoggedIn);
        }
        let message = match self.login.attached_token().filter(|_| is_private(&request.method)) {
            Some(token) => self.rpc.encode(now, id, &with_token(request, token)?)?,
            None => self.rpc.encode(now, id, request)?,
        };
        let size = message.as_bytes().len();
        if size > MAX_MESSAGE {
            return Err(NotSent::TooLarge { size, limit: MAX_MESSAGE });
        }
        if let Some(id) = id {
            self.server.asked(now, id);
        }
        match &*request.method {
            auth::AUTH | "public/exchange_token" | "public/fork_token" => {
                self.asked_for_token = id.unwrap_or(self.asked_for_token);
            }
            "private/logout" => self.logged_out = true,
            _ => {}
        }
        Ok(message)
    }

    fn read<'m>(&mut self, now: Instant, message: &'m Message, found: &mut dyn FnMut(Inbound<'m>)) {
        let Self { rpc, server, login, opening, asked_for_token, .. } = self;
        rpc.read_with(message, &mut |inbound, members| {
            let reply = match &inbound {
                Inbound::Reply { id, .. } => Some(*id),
                _ => None,
            };
            let wrong = server.heard(now, reply, members);
            // While opening, its steps look after themselves.
            let is_open = opening.is_none();
            let (mut inbound, mut overdrawn) = (inbound, false);
            if let Some(error) = error_of(&mut inbound) {
                // One that JSON-RPC itself could not read has its meaning.
                if error.meaning == Meaning::default() {
                    error.meaning = errors::meaning(error);
                }
                error.texts(&mut |text| login.redact(text));
                // The server will end this connection; the next would spend from the same pool.
                overdrawn = error.code == TOO_MANY_REQUESTS;
                if let Some(id) = reply.filter(|id| is_open && id != asked_for_token) {
                    login.doubt(now, id, error);
                }
            }
            found(heartbeat_or(inbound));
            if overdrawn {
                found(Inbound::Hold(REFILL_TIME));
            }
            if let Some(error) = wrong.filter(|_| is_open) {
                found(Inbound::Invalid(error.to_string()));
            }
        });
    }

    fn open(&mut self, now: Instant, answer: Option<Result<&Payload, &RpcError>>) -> Step {
        let next = match answer {
            None => self.begin(),
            Some(answer) => self.advance(now, answer),
        };
        self.opening = next.as_ref().copied().unwrap_or_default();
        self.opening_since = now;
        match next {
            Ok(Some(step)) => self.carry_out(now, step),
            Ok(None) => {
                self.limits_at = self.options.asks_for_limits().then_some(now);
                Step::Done
            }
            Err(error) => Step::Fail(error),
        }
    }

    fn upkeep_at(&self) -> Option<Instant> {
        [self.login.renew_at(), self.limits_at].into_iter().flatten().min()
    }

    fn upkeep(&mut self, now: Instant, outcome: Option<Result<&Payload, &Error>>) -> Step {
        if outcome.is_none() {
            let login_is_due = self.login.renew_at().is_some_and(|at| at <= now);
            self.upkeep = if login_is_due { Upkeep::Login } else { Upkeep::AccountSummary };
        }
        match (self.upkeep, outcome) {
            (Upkeep::Login, None) => self.login.renew(now, &self.server.clock),
            (Upkeep::Login, Some(Ok(answer))) => {
                let renewed = self.login.renewed(now, self.asked_for_token, answer);
                renewed.map_or_else(Step::Fail, |()| Step::Done)
            }
            (Upkeep::Login, Some(Err(error))) => self.login.renewal_failed(now, &self.server.clock, error),
            (Upkeep::AccountSummary, None) => {
                self.limits_at = Some(now + LIMITS_LAST);
                Step::Call(self.options.account_summary())
            }
            (Upkeep::AccountSummary, Some(outcome)) => {
                if let Ok(answer) = outcome {
                    self.limits = self.options.limits().told(answer.as_bytes());
                }
                Step::Done
            }
        }
    }

    fn probe(&mut self) -> Option<Request> {
        Some(test())
    }

    fn buckets(&self) -> Vec<Bucket> {
        credits::buckets(&self.limits)
    }

    fn cost(&self, request: &Request) -> Cow<'static, [Cost]> {
        credits::cost(request)
    }

    fn lane(&self, method: &str) -> Lane {
        credits::lane(method)
    }

    fn is_idempotent(&self, method: &str) -> bool {
        credits::is_idempotent(method)
    }

    fn group(&self, channel: &str) -> u8 {
        match Access::of(channel) {
            Access::Public => 0,
            Access::Raw => 1,
            Access::Private => PRIVATE_GROUP,
        }
    }

    /// 500 channels, and far less than the 32 kB that a message may have.
    fn subscribe_limits(&self) -> SubscribeLimits {
        SubscribeLimits { channels: 500, bytes: 24_000 }
    }

    fn subscribe(&self, group: u8, names: &[&str]) -> Option<Request> {
        let method = if group == PRIVATE_GROUP { "private/subscribe" } else { "public/subscribe" };
        Some(Request { method: method.into(), params: Some(channels(names)) })
    }

    fn unsubscribe(&self, group: u8, names: &[&str]) -> Option<Request> {
        let method = if group == PRIVATE_GROUP { "private/unsubscribe" } else { "public/unsubscribe" };
        Some(Request { method: method.into(), params: Some(channels(names)) })
    }

    /// Those that the result lists. The venue leaves out what it does not know, without an error.
    fn confirmed(&self, channels: &[&str], answer: &Payload) -> Vec<Confirmation> {
        self.rpc.confirmed(channels, answer)
    }

    /// All but 11052: a channel that is unknown is left out without an error, 13778 meets all of a group alike, and
    /// the rest speaks of the session or the exchange.
    fn is_about_all(&self, error: &RpcError) -> bool {
        error.code != SUBSCRIBE_ERROR
    }

    /// Always to try again: no close code of the venue is known to be final (4000 is a missed heartbeat), and a
    /// refused login is told by an error.
    fn close_verdict(&self, _frame: &CloseFrame) -> Verdict {
        Verdict::Retry(None)
    }
}

const PRIVATE_GROUP: u8 = 2;

fn is_private(method: &str) -> bool {
    method.starts_with("private/")
}

/// The same request with the token among its parameters, unless it has one.
fn with_token(request: &Request, token: &Secret) -> Result<Request, NotSent> {
    let given = request.params.as_deref().map(str::trim).unwrap_or("{}");
    let members = given.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).map(str::trim);
    let Some(members) = members else { return Err(NotSent::Params("they are no JSON object".into())) };
    if has_token(request) {
        return Ok(request.clone());
    }
    let mut params = Params::default().text("access_token", token.expose()).done();
    if !members.is_empty() {
        params.pop();
        params.push(',');
        params.push_str(members);
        params.push('}');
    }
    Ok(Request { method: request.method.clone(), params: Some(params) })
}

/// Whether the user sends a token along.
fn has_token(request: &Request) -> bool {
    let mut found = false;
    let mut look =
        |params: &String| json::members(params.as_bytes(), |name, _| found |= name == *"access_token");
    let _ = request.params.as_ref().map(&mut look);
    found
}

fn test() -> Request {
    Request::new("public/test")
}

pub(super) fn error_of<'a>(inbound: &'a mut Inbound<'_>) -> Option<&'a mut RpcError> {
    match inbound {
        Inbound::Reply { result: Err(error), .. } | Inbound::Unmatched(Unmatched::Error(error)) => {
            Some(error)
        }
        _ => None,
    }
}

/// The server's heartbeat: a `test_request` wants `public/test` within 10 seconds, or the server closes with 4000.
fn heartbeat_or(inbound: Inbound<'_>) -> Inbound<'_> {
    match inbound {
        Inbound::Unmatched(Unmatched::Notification { method, params }) if method == "heartbeat" => {
            if is_test_request(params.as_bytes()).unwrap_or_default() {
                Inbound::Answer(test())
            } else {
                Inbound::Nothing
            }
        }
        other => other,
    }
}

fn is_test_request(params: &[u8]) -> Result<bool, json::Malformed> {
    let mut is_one = false;
    json::members(params, |name, value| {
        is_one |= name == *"type" && Str::of(value).is_some_and(|kind| kind == *"test_request");
    })?;
    Ok(is_one)
}
