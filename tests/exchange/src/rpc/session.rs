//! What the exchange knows of one connection, and how it answers a frame. It is given the time and does no I/O.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::envelope::{self, Request, Timing};
use super::{local, methods};
use crate::accounts::AccountId;
use crate::api::error::ApiError;
use crate::channels::Ticket;
use crate::connection::ending::Ending;
use crate::connection::heartbeat::Heartbeat;
use crate::connection::outbox::Handle;
use crate::credits::{Bucket, Payer};
use crate::engine::reject::TOO_MANY_QUOTES;
use crate::faults::command::Command;
use crate::faults::maintenance::Phase;
use crate::faults::mischief::{Mischief, ReplyFate};
use crate::journal::RequestRecord;
use crate::state::State;

/// One reply in this many takes a detour, and so does one acknowledgement of a subscription.
const DETOUR_ONE_IN: u32 = 4;
const DETOUR_MILLIS: u64 = 8;

/// One client's session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) state: Arc<State>,
    pub(crate) ip: IpAddr,
    pub(crate) handle: Handle,
    /// What is subscribed, and for private channels by whom.
    pub(crate) channels: BTreeMap<String, Option<AccountId>>,
    pub(crate) heartbeat: Heartbeat,
    pub(crate) mischief: Mischief,
    pub(crate) rng: Rng,
    /// The grant that calls without an `access_token` use.
    pub(crate) login: Option<u64>,
}

/// What a call answers, and what follows from it.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) result: Value,
    /// Channels to join; their first frames come after the reply, unless that takes a detour.
    pub(crate) joins: Vec<Ticket>,
    /// A command of `local/fault`, to run after the reply.
    pub(crate) command: Option<Command>,
    /// There is no reply now, and perhaps never.
    pub(crate) silent: bool,
    /// The connection ends.
    pub(crate) end: Option<Ending>,
}

impl Answer {
    /// The reply comes by another way.
    pub(crate) fn later() -> Self {
        Self { silent: true, ..Self::default() }
    }
}

impl From<Value> for Answer {
    fn from(result: Value) -> Self {
        Self { result, ..Self::default() }
    }
}

/// What to do about one frame.
#[derive(Debug, Default)]
pub(crate) struct Reaction {
    pub(crate) reply: String,
    pub(crate) copies: usize,
    pub(crate) delay: Duration,
    pub(crate) joins: Vec<Ticket>,
    pub(crate) command: Option<Command>,
    pub(crate) end: Option<Ending>,
}

impl Session {
    /// Answers one text frame.
    pub(crate) fn receive(&mut self, text: &str, now: Instant) -> Reaction {
        self.heartbeat.heard(now);
        let us_in = self.state.clock.micros();
        let (id, method, outcome) = match envelope::read(text) {
            Ok(request) => self.answer(request, us_in, now),
            Err(refusal) => (refusal.id, String::new(), Err(refusal.error)),
        };
        let end = match &outcome {
            Ok(Answer { silent: true, end, .. }) => {
                return Reaction { end: end.clone(), ..Reaction::default() };
            }
            Err(error) if *error == ApiError::too_many_requests() => Some(Ending::no_credits()),
            _ => None,
        };
        let (outcome, joins, command) = match outcome {
            Ok(answer) => (Ok(answer.result), answer.joins, answer.command),
            Err(error) => (Err(error), Vec::new(), None),
        };
        let timing = Timing { us_in, us_out: self.state.clock.micros() };
        let testnet = self.state.settings.testnet;
        let reply = envelope::reply(id.as_ref(), &outcome, timing, testnet, &mut self.rng);
        // Control is exempt from what it controls, and a refusal comes before the end that follows it.
        let fate = match self.is_local(&method) {
            true => ReplyFate::prompt(),
            false => self.mischief.reply().after(self.detour(&method)),
        };
        let delay = if end.is_some() { Duration::ZERO } else { fate.delay };
        Reaction { reply, copies: fate.copies, delay, joins, command, end }
    }

    fn answer(
        &mut self,
        request: Request,
        us_in: u64,
        now: Instant,
    ) -> (Option<Value>, String, Result<Answer, ApiError>) {
        self.log(&request);
        let outcome = self.call(&request, us_in, now);
        (request.id, request.method, outcome)
    }

    fn call(&mut self, request: &Request, us_in: u64, now: Instant) -> Result<Answer, ApiError> {
        if self.is_local(&request.method) {
            return local::call(self, request);
        }
        if self.state.phase() != Phase::Open {
            return Err(ApiError::maintenance());
        }
        let uptime = self.state.clock.uptime();
        let bucket = Bucket::of(&request.method, &request.params);
        let payer = self.payer(&request.params);
        if !self.state.credits().charge(payer, bucket, uptime) {
            // Quotes have a system of their own, and nobody is thrown out for them.
            return Err(if bucket == Bucket::Quotes {
                TOO_MANY_QUOTES
            } else {
                ApiError::too_many_requests()
            });
        }
        if let Some(code) = self.mischief.fails_call(&request.method) {
            return Err(ApiError::coded(code));
        }
        methods::call(self, request, us_in, now)
    }

    /// Whose credits a call spends: those of the account, or of the address when there is none.
    pub(crate) fn payer(&self, params: &Map<String, Value>) -> Payer {
        let account = self.identify(params).ok().map(|identity| identity.account);
        let accounts = self.state.accounts();
        let profile = account.and_then(|account| accounts.profile(account));
        profile.map_or(Payer::Address(self.ip), |profile| Payer::Account(profile.id, profile.tier))
    }

    /// What happens to an answer on its way out.
    pub(crate) fn answer_fate(&mut self) -> ReplyFate {
        self.mischief.reply().after(self.detour("private/"))
    }

    fn is_local(&self, method: &str) -> bool {
        method.starts_with("local/") && self.state.settings.control
    }

    fn log(&self, request: &Request) {
        let record = RequestRecord {
            connection: self.handle.number(),
            method: request.method.clone(),
            id: request.id.clone(),
            params: request.params.clone(),
            at: self.state.clock.uptime(),
        };
        self.state.note(|journal| journal.note_request(record));
    }

    /// Replies come from different workers, so a quick one may overtake a slow one.
    fn detour(&mut self, method: &str) -> Duration {
        if !self.state.settings.shuffle || self.rng.u32(..DETOUR_ONE_IN) > 0 {
            return Duration::ZERO;
        }
        let slowest = if method.starts_with("private/") { 2 * DETOUR_MILLIS } else { DETOUR_MILLIS };
        Duration::from_micros(self.rng.u64(500..slowest * 1_000))
    }

    /// Tells the journal what is subscribed now.
    pub(crate) fn log_channels(&self) {
        let channels = self.channels.keys().cloned().collect();
        self.state.note(|journal| journal.note_channels(self.handle.number(), channels));
    }
}
