//! The pure state machine of one logical connection.

pub mod limiter;
pub(crate) mod random;

mod api;
mod backoff;
mod heartbeat;
mod lifecycle;
mod requests;
mod subscriptions;
mod timers;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, WhenBlocked};
use crate::error::{Disconnect, Ended, Error, NotSent, OpeningError, Refusal, RpcError, Unknown};
use crate::frame::{CloseFrame, Frame, Message};
use crate::payload::Payload;
use crate::protocol::{Inbound, Protocol, Request, RequestId, RequestIds, Step, Unmatched};
use crate::telemetry::Calls;
use crate::time::Instant;
use crate::transport::{Progress, Signal};

use backoff::Attempts;
use heartbeat::{Beat, Liveness};
use limiter::{Bucket, Limited, Limiter};
use random::Random;
use requests::{Answered, Next, Owner, Rank, Requests};
use subscriptions::{Change, Notes, Subscriptions};
use timers::{Timer, Timers};

pub use api::{Command, Effect, Event, State, Stats};
pub use requests::Work;
pub use subscriptions::{ConsumerId, Note};

/// One logical connection, through all its reconnects, without any input or output of its own.
///
/// It never reads a clock, draws entropy, sleeps, locks or waits: a seed and every `now` are given to it. A driver
/// moves bytes and time, in this order:
///
/// 1. One of the `handle_*` methods, with the time: [`handle_command`](Self::handle_command) for what the user wants,
///    [`handle_connected`](Self::handle_connected), [`handle_connect_failed`](Self::handle_connect_failed),
///    [`handle_frame`](Self::handle_frame) and [`handle_disconnected`](Self::handle_disconnected) for what the network
///    does, [`handle_writable`](Self::handle_writable) when its socket fills or empties,
///    [`handle_prepared`](Self::handle_prepared) when what was to be awaited is there, [`handle_signal`](Self::handle_signal) for what the platform notices, and
///    [`handle_timeout`](Self::handle_timeout) once the time of [`poll_timeout`](Self::poll_timeout) has come.
/// 2. [`poll_effect`](Self::poll_effect) until it is empty, carrying out each [`Effect`].
/// 3. [`poll_transmit`](Self::poll_transmit) while the socket has room, giving each frame to it.
/// 4. [`poll_effect`](Self::poll_effect) again, since a request that cannot be sent settles in step 3.
/// 5. [`poll_timeout`](Self::poll_timeout), to arm one timer.
///
/// Frames that have arrived are handled before a timer that has fired, so that an answer which is already there is
/// never taken for silence.
#[derive(Debug)]
pub struct Session<P> {
    protocol: P,
    core: Core,
}

#[derive(Debug)]
struct Core {
    config: Arc<Config>,
    /// Whether the platform's sockets can ping.
    pings: bool,
    ids: RequestIds,
    phase: Phase,
    timers: Timers,
    attempts: Attempts,
    liveness: Option<Liveness>,
    random: Random,
    requests: Requests,
    /// What the protocol last said of them.
    buckets: Vec<Bucket>,
    subscriptions: Subscriptions,
    /// Pings and close frames: ahead of everything and free of charge.
    control: VecDeque<Frame>,
    effects: VecDeque<Effect>,
    stats: Stats,
    /// The platform says that there is no network.
    offline: bool,
    /// A connection was ready once, so that a failure now is a reconnect.
    was_ready: bool,
    /// A reply to the server's heartbeat that has not left yet; more of the same would say nothing new.
    answer: Option<RequestId>,
    /// The venue said that no attempt may be made before this time.
    hold: Option<Instant>,
    /// Since when the socket has had no room.
    blocked: Option<Instant>,
    /// The protocol's upkeep is under way.
    upkeep: bool,
    /// Nothing new is taken on, and this is when it closes at the latest.
    drain: Option<Instant>,
}

#[derive(Debug)]
enum Phase {
    /// Nothing was asked of it yet.
    New,
    Connecting(Progress),
    /// Connected; the protocol's step with this method is under way.
    Opening(Option<String>),
    /// Open for requests; `live` once the subscriptions are restored.
    Ready {
        live: bool,
    },
    /// Until the next attempt; how long, and why the last one ended.
    Waiting(Duration, Disconnect),
    /// Our close frame is on its way; what comes after it.
    Closing(After),
    Ended(Ended),
}

#[derive(Clone, Debug)]
enum After {
    Next(Disconnect),
    End(Ended),
}

impl<P: Protocol> Session<P> {
    /// A session that has not connected yet; [`start`](Self::start) it.
    ///
    /// `pings` says whether the platform's sockets can ping. `ids` is shared with whoever makes commands.
    pub fn new(config: Arc<Config>, mut protocol: P, pings: bool, ids: RequestIds, seed: u64) -> Self {
        let mut random = Random::new(seed);
        protocol.seed(random.next());
        let buckets = protocol.buckets();
        let limiter = config.limiter.clone().unwrap_or_else(|| Limiter::new(buckets.clone()));
        let calls = Calls::new(&config.observed);
        let core = Core {
            attempts: Attempts::new(config.backoff),
            config,
            pings,
            ids,
            phase: Phase::New,
            timers: Timers::default(),
            liveness: None,
            random,
            requests: Requests::new(limiter, calls),
            buckets,
            subscriptions: Subscriptions::default(),
            control: VecDeque::new(),
            effects: VecDeque::new(),
            stats: Stats::default(),
            offline: false,
            was_ready: false,
            answer: None,
            hold: None,
            blocked: None,
            upkeep: false,
            drain: None,
        };
        Self { protocol, core }
    }

    /// Another one in its place, after a panic.
    pub(crate) fn anew(&mut self, protocol: P, seed: u64) -> Self {
        Self::new(self.core.config.clone(), protocol, self.core.pings, self.core.ids.clone(), seed)
    }

    /// Begins the first attempt. Harmless when it has begun.
    pub fn start(&mut self, now: Instant) {
        if matches!(self.core.phase, Phase::New) {
            self.core.connect(now);
        }
    }

    /// The user wants something.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Submit { id, work, timeout } => {
                let members = work.members();
                self.core.requests.calls.submit_work(now, id, &work);
                if let Err(reason) = self.submit(now, id, work, timeout) {
                    for id in std::iter::once(id).chain(members) {
                        self.core.settle(id, Err(reason.clone().into()));
                    }
                }
            }
            Command::Cancel(id) => {
                self.core.requests.calls.cancelled(id);
                if self.core.requests.cancel(now, id) {
                    self.protocol.forget(id);
                }
            }
            Command::Subscribe(consumer, channel) => self.join(now, consumer, &channel),
            Command::Unsubscribe(consumer) => self.core.subscriptions.leave(consumer),
            Command::Renew(consumer) => {
                let chance = (now, &mut self.core.random);
                self.core.subscriptions.renew(consumer, chance);
            }
            Command::Reconnect => self.core.reconnect(now),
            Command::Drain(time) => {
                let deadline = now + time;
                self.core.drain = Some(self.core.drain.map_or(deadline, |other| other.min(deadline)));
            }
            Command::Close(frame) => self.core.close(now, frame),
        }
        self.rearm();
    }

    /// The attempt succeeded.
    pub fn handle_connected(&mut self, now: Instant) {
        if self.core.connected(now) {
            let step = self.protocol.open(now, None);
            self.core.take_step(now, step, &self.protocol);
        }
        self.rearm();
    }

    /// What [`Effect::Prepare`] asked for is ready, or will never be.
    pub fn handle_prepared(&mut self, now: Instant, request: Result<Request, OpeningError>) {
        if self.core.timers.take(Timer::Prepare).is_some() {
            let step = request.map_or_else(Step::Fail, Step::Call);
            self.core.take_step(now, step, &self.protocol);
        }
        self.rearm();
    }

    /// The attempt failed.
    pub fn handle_connect_failed(&mut self, now: Instant, error: crate::error::ConnectError) {
        if matches!(self.core.phase, Phase::Connecting(_)) {
            self.core.lost(now, error.into(), &self.protocol);
        }
        self.rearm();
    }

    /// A frame arrived.
    pub fn handle_frame(&mut self, now: Instant, frame: Frame) {
        match frame {
            Frame::Message(message) => self.read(now, &message),
            Frame::Ping(_) => self.core.alive(now),
            Frame::Pong(payload) => self.core.pong(now, &payload),
            Frame::Close(frame) => {
                self.core.effects.push_back(Effect::Drop);
                self.core.lost(now, Disconnect::Closed(frame), &self.protocol);
            }
        }
        self.rearm();
    }

    /// The socket failed or ended. It is gone; there is nothing to drop.
    pub fn handle_disconnected(&mut self, now: Instant, reason: Disconnect) {
        self.core.lost(now, reason, &self.protocol);
        self.rearm();
    }

    /// The socket has room, or has none. A peer that takes nothing for the heartbeat's idle limit and timeout together
    /// is given up, even while its data still comes.
    pub fn handle_writable(&mut self, now: Instant, writable: bool) {
        let since = if writable { None } else { self.core.blocked.or(Some(now)) };
        if since != self.core.blocked {
            self.core.blocked = since;
            let patience =
                self.core.config.heartbeat.map(|policy| policy.idle.saturating_add(policy.timeout));
            let deadline = since.zip(patience).map(|(since, patience)| since + patience);
            self.core.timers.set(Timer::Stalled, deadline);
        }
    }

    /// The platform noticed something.
    pub fn handle_signal(&mut self, now: Instant, signal: Signal) {
        let was_offline = self.core.offline;
        self.core.offline = match signal {
            Signal::Offline => true,
            Signal::Online => false,
            Signal::Visible => was_offline,
        };
        match self.core.phase {
            Phase::Waiting(..) if signal != Signal::Offline => self.core.wait_anew(now, Duration::ZERO),
            Phase::Waiting(..) if was_offline => {}
            Phase::Waiting(..) => self.core.wait_anew(now, self.core.config.backoff.cap),
            Phase::Ready { .. } => {
                let nonce = self.core.random.next();
                let beat = self.core.liveness.as_mut().map(|liveness| liveness.doubt(now, nonce));
                self.act_on(now, beat);
            }
            _ => {}
        }
        self.rearm();
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Harmless when it has not.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.core.timers.expire(now) {
            match timer {
                Timer::Connect => {
                    if let Phase::Connecting(progress) = &self.core.phase {
                        let error = crate::error::ConnectError::Timeout(progress.phase());
                        self.core.effects.push_back(Effect::Drop);
                        self.core.lost(now, error.into(), &self.protocol);
                    }
                }
                Timer::Retry => self.core.connect(now),
                Timer::Stable => self.core.attempts.prove_stable(),
                Timer::Heartbeat => {
                    let nonce = self.core.random.next();
                    let beat = self.core.liveness.as_mut().map(|liveness| liveness.on_timeout(now, nonce));
                    self.act_on(now, beat);
                }
                Timer::Stalled => {
                    let since = self.core.blocked.unwrap_or(now);
                    self.core.effects.push_back(Effect::Drop);
                    self.core.lost(now, Disconnect::Stalled(now.since(since)), &self.protocol);
                }
                Timer::Deadline => self.expire(now),
                // The transmit that follows looks for itself.
                Timer::Credits => {}
                Timer::Resubscribe => self.core.subscriptions.retry(now),
                Timer::Prepare => {
                    let error = OpeningError::Unprepared("a step was not ready in time".into());
                    self.core.take_step(now, Step::Fail(error), &self.protocol);
                }
                Timer::Upkeep => {
                    self.core.upkeep = true;
                    let step = self.protocol.upkeep(now, None);
                    self.core.take_step(now, step, &self.protocol);
                }
                Timer::Close => {
                    self.core.effects.push_back(Effect::Drop);
                    self.core.closed(now, &self.protocol);
                }
                Timer::Drain => self.core.drained(now),
            }
            self.rearm();
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.core.timers.next()
    }

    /// The next thing to do.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.core.effects.pop_front()
    }

    /// The next frame to send. Call it only when the socket has room: what it returns is taken as sent.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Frame> {
        if let Some(frame) = self.core.control.pop_front() {
            return Some(frame);
        }
        let lowest = match self.core.phase {
            Phase::Opening(_) => Rank::Session,
            Phase::Ready { .. } => Rank::Normal,
            _ => return None,
        };
        let frame = self.next_message(now, lowest);
        self.rearm();
        frame.map(Frame::Message)
    }

    /// Begins in the place of a session that panicked: waits for its next attempt.
    pub(crate) fn take_over(&mut self, now: Instant, broken: Self, reason: Disconnect) {
        let Self { protocol, core } = broken;
        self.core.take_over(now, core, reason, &self.protocol);
        drop(protocol);
        self.rearm();
    }

    /// A consumer of the session before, which was told that its channel is interrupted. One that knows of no confirmation
    /// has subscribed again.
    pub(crate) fn adopt(&mut self, consumer: ConsumerId, channel: &str) {
        self.core.subscriptions.adopt(&self.protocol, consumer, channel);
    }

    /// The driver is going away: everything settles, nothing more is sent.
    pub fn handle_abandoned(&mut self, now: Instant) {
        self.core.end(now, Ended::Abandoned);
    }

    /// What bounds the requests: shared with other clients, if the configuration says so.
    pub fn limiter(&self) -> &Limiter {
        self.core.requests.limiter()
    }

    /// Where the connection is.
    pub fn state(&self) -> State {
        self.core.state()
    }

    /// Whether requests are sent now.
    pub fn is_ready(&self) -> bool {
        matches!(self.core.phase, Phase::Ready { .. })
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        let (desired, confirmed) = self.core.subscriptions.counts();
        Stats {
            waiting: self.core.requests.waiting(),
            in_flight: self.core.requests.in_flight(),
            desired,
            confirmed,
            asked: self.core.liveness.as_ref().and_then(Liveness::asked),
            ..self.core.stats.clone()
        }
    }

    /// Whether it has not begun.
    #[cfg(feature = "record")]
    pub(crate) fn is_new(&self) -> bool {
        matches!(self.core.phase, Phase::New)
    }

    /// Whether it was told that its socket has no room.
    #[cfg(feature = "record")]
    pub(crate) fn is_blocked(&self) -> bool {
        self.core.blocked.is_some()
    }

    /// How many effects wait.
    #[cfg(feature = "record")]
    pub(crate) fn effects(&self) -> usize {
        self.core.effects.len()
    }

    /// Its configuration, and whether its sockets can ping.
    #[cfg(feature = "record")]
    pub(crate) fn setting(&self) -> (&Config, bool) {
        (&self.core.config, self.core.pings)
    }

    /// Sets the timers that follow from what is waiting.
    fn rearm(&mut self) {
        let idle = self.is_ready() && !self.core.upkeep;
        self.core.timers.set(Timer::Upkeep, self.protocol.upkeep_at().filter(|_| idle));
        self.core.rearm();
    }

    fn submit(
        &mut self,
        now: Instant,
        id: RequestId,
        work: Work,
        timeout: Option<Duration>,
    ) -> Result<(), NotSent> {
        let core = &mut self.core;
        if core.drain.is_some() && !matches!(core.phase, Phase::Ended(_)) {
            return Err(NotSent::Draining);
        }
        let rank = match &work {
            Work::Call(request) | Work::Notify(request) => match self.protocol.lane(&request.method) {
                limiter::Lane::Urgent => Rank::Urgent,
                limiter::Lane::Normal => Rank::Normal,
            },
            Work::Batch(_) | Work::Message(_) => Rank::Normal,
        };
        match &core.phase {
            Phase::Ended(ended) | Phase::Closing(After::End(ended)) => {
                return Err(NotSent::Ended(ended.clone()));
            }
            Phase::Ready { .. } => {}
            _ if core.config.when_offline == WhenBlocked::Refuse => return Err(NotSent::Offline),
            _ => {}
        }
        if core.config.when_limited == WhenBlocked::Refuse {
            match core.requests.would_go(&self.protocol, now, (&work, rank)) {
                Ok(()) => {}
                Err(Limited::Never) => return Err(NotSent::TooExpensive),
                Err(Limited::Busy) => return Err(NotSent::Busy),
                Err(Limited::Until(at)) => return Err(NotSent::RateLimited(at.since(now))),
            }
        }
        let deadline = now + timeout.unwrap_or(core.config.call_timeout);
        let limit = Some(core.config.outbound);
        core.requests.submit(&self.protocol, (id, Owner::User, rank), work, deadline, limit)
    }

    fn join(&mut self, now: Instant, consumer: ConsumerId, channel: &str) {
        let core = &mut self.core;
        let ready = matches!(core.phase, Phase::Ready { .. });
        let note = if !ready && core.config.when_offline == WhenBlocked::Refuse {
            Note::Refused(Refusal::Offline)
        } else if core.drain.is_some() {
            Note::Refused(Refusal::NotSent(Box::new(NotSent::Draining)))
        } else if core.subscriptions.join(&self.protocol, consumer, channel, now + core.config.call_timeout) {
            Note::Confirmed
        } else {
            return;
        };
        core.effects.push_back(Effect::Tell(consumer, note));
    }

    fn next_message(&mut self, now: Instant, lowest: Rank) -> Option<Message> {
        self.plan_subscriptions(now);
        loop {
            let core = &mut self.core;
            let keep = core.config.retry_idempotent;
            match core.requests.take(&mut self.protocol, now, lowest, keep) {
                Next::Send { message, done } => {
                    core.stats.sent += 1;
                    if let Some(id) = done {
                        core.settle(id, Ok(Payload::default()));
                    }
                    return Some(message);
                }
                Next::Fail(ended, reason) => {
                    for request in ended {
                        self.not_sent(now, request, reason.clone());
                    }
                    if !matches!(self.core.phase, Phase::Opening(_) | Phase::Ready { .. }) {
                        return None;
                    }
                }
                Next::Wait(wake) => {
                    core.timers.set(Timer::Credits, wake);
                    return None;
                }
            }
        }
    }

    /// Turns differences between desired and confirmed channels into requests.
    fn plan_subscriptions(&mut self, now: Instant) {
        if !self.is_ready() {
            return;
        }
        let mut notes = Notes::new();
        while !self.core.requests.has_unsent(Rank::Subscribe) {
            let Some(change) = self.core.subscriptions.next_request(&self.protocol, &mut notes) else {
                break;
            };
            let (owner, request) = match change {
                Change::Subscribe(keys, request) => (Owner::Subscribe(keys), request),
                Change::Unsubscribe(keys, request) => (Owner::Unsubscribe(keys), request),
            };
            self.core.submit_own(now, &self.protocol, owner, Rank::Subscribe, request);
        }
        self.core.tell(notes);
        self.core.check_restored(now);
    }

    fn read(&mut self, now: Instant, message: &Message) {
        self.core.alive(now);
        self.core.stats.received += 1;
        self.core.stats.received_bytes += message.as_bytes().len() as u64;
        if matches!(self.core.phase, Phase::Closing(_) | Phase::Ended(_)) {
            return;
        }
        let mut found = Vec::new();
        let core = &mut self.core;
        self.protocol.read(now, message, &mut |mut inbound| {
            core.config.redact(&mut inbound);
            match inbound {
                // The hot path: straight into the consumers' queues.
                Inbound::Data { route, data } => core.deliver(message, &route, data),
                Inbound::Reply { id, result } => {
                    found.push(Found::Reply(id, result.map(|slice| Payload::part_of(message, slice))));
                }
                Inbound::EndOfBatch => found.push(Found::EndOfBatch),
                Inbound::Answer(request) => found.push(Found::Answer(request)),
                Inbound::Nothing => {}
                Inbound::Unmatched(unmatched) => {
                    if matches!(unmatched, Unmatched::Message(_) | Unmatched::Error(_)) {
                        core.event(Event::Unmatched);
                    }
                    core.effects.push_back(Effect::Unmatched(unmatched));
                }
                Inbound::Invalid(problem) => core.event(Event::Invalid(problem)),
                Inbound::Reconnect(reason) => found.push(Found::Reconnect(reason)),
                Inbound::Hold(time) => core.hold(now, time),
            }
        });
        let mut batches = Vec::new();
        for found in found {
            if !matches!(self.core.phase, Phase::Opening(_) | Phase::Ready { .. }) {
                // What came before gave the connection up.
                return;
            }
            match found {
                Found::Reply(id, result) => batches.extend(self.answer(now, id, result)),
                Found::EndOfBatch => self.core.end_batches(std::mem::take(&mut batches)),
                Found::Answer(request) => self.core.answer_server(now, &self.protocol, request),
                Found::Reconnect(reason) => self.core.leave(now, After::Next(Disconnect::Protocol(reason))),
            }
        }
    }

    /// Hands a reply to whoever asked; the batch that it belongs to, if any.
    fn answer(
        &mut self,
        now: Instant,
        id: RequestId,
        result: Result<Payload, RpcError>,
    ) -> Option<RequestId> {
        self.core.requests.calls.answered(now, id, &result);
        let Some(Answered { owner, batch, idempotent }) = self.core.requests.answer(id) else {
            if self.core.requests.is_unawaited(id) {
                return None;
            }
            let late = self.core.ids.knows(id);
            self.core.event(if late { Event::LateReply(id) } else { Event::UnknownReply(id) });
            return None;
        };
        let result = result.map_err(|error: RpcError| if idempotent { error.of_idempotent() } else { error });
        match owner {
            Owner::User => self.core.settle(id, result.map_err(Error::Rejected)),
            Owner::Step => {
                let step = if self.core.is_opening() {
                    self.protocol.open(now, Some(result.as_ref()))
                } else {
                    self.protocol.upkeep(now, Some(result.map_err(Error::Rejected).as_ref()))
                };
                self.core.take_step(now, step, &self.protocol);
            }
            Owner::Nobody => {}
            Owner::Subscribe(keys) => {
                let core = &mut self.core;
                let chance = (now, &mut core.random);
                let notes = match result {
                    Ok(answer) => core.subscriptions.answered(&self.protocol, &keys, &answer, chance),
                    Err(error) => {
                        let one_to_blame = !self.protocol.is_about_all(&error);
                        core.subscriptions.refused(&keys, &Refusal::Error(error), one_to_blame, chance)
                    }
                };
                core.tell(notes);
                core.check_restored(now);
            }
            Owner::Unsubscribe(keys) => {
                let notes = self.core.subscriptions.left(&keys);
                self.core.tell(notes);
            }
        }
        batch
    }

    fn expire(&mut self, now: Instant) {
        let overdue = self.core.subscriptions.overdue(now);
        self.core.tell(overdue);
        while let Some(request) = self.core.requests.expire(now) {
            if !request.sent {
                self.not_sent(now, request, NotSent::DeadlinePassed);
                continue;
            }
            self.protocol.forget(request.id);
            self.core.requests.calls.failed(request.id, || Unknown::TimedOut.into());
            match request.owner {
                Owner::Step => self.step_failed(now, Unknown::TimedOut.into()),
                _ => self.core.timed_out(now, request),
            }
        }
    }

    fn not_sent(&mut self, now: Instant, request: requests::Ended, reason: NotSent) {
        self.core.requests.calls.failed(request.id, || match request.sent {
            true => Unknown::NotRepeated(Box::new(reason.clone())).into(),
            false => reason.clone().into(),
        });
        match request.owner {
            Owner::Step => self.step_failed(now, reason.into()),
            _ => self.core.not_sent(now, request, reason),
        }
    }

    /// A step has no answer.
    fn step_failed(&mut self, now: Instant, error: Error) {
        let step = if self.core.is_opening() {
            Step::Fail(self.core.unanswered(error))
        } else {
            self.protocol.upkeep(now, Some(Err(&error)))
        };
        self.core.take_step(now, step, &self.protocol);
    }

    fn act_on(&mut self, now: Instant, beat: Option<Beat>) {
        match beat {
            None | Some(Beat::Wait) => {}
            Some(Beat::Ask(nonce)) if self.core.pings => {
                self.core.control.push_back(Frame::Ping(nonce.to_be_bytes().to_vec().into()));
                self.core.event(Event::Asked);
            }
            Some(Beat::Ask(_)) => match self.protocol.probe() {
                Some(request) => {
                    self.core.submit_own(now, &self.protocol, Owner::Nobody, Rank::Session, request);
                    self.core.event(Event::Asked);
                }
                // Nothing can be asked here, so silence proves nothing.
                None => self.core.liveness = None,
            },
            Some(Beat::Dead(silence)) => {
                self.core.effects.push_back(Effect::Drop);
                self.core.lost(now, Disconnect::Silent(silence), &self.protocol);
            }
        }
    }
}

/// What is handled after a message was read, because it may need the protocol again.
enum Found {
    Reply(RequestId, Result<Payload, RpcError>),
    EndOfBatch,
    Answer(Request),
    Reconnect(String),
}
