//! From one connection to the next: what happens at each turn, and what becomes of everything under way.

use std::time::Duration;

use super::requests::{Ended as EndedRequest, Owner, Rank, Work};
use super::subscriptions::Notes;
use super::*;
use crate::error::{Category, ConnectError, OpeningError, Verdict};
use crate::protocol::Step;

/// The longest wait that a server may ask for: more is an error of its own, or an attack.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// Over how much time those come back who were told when to (RFC 6455 section 7.2.3 finds 5 seconds reasonable).
const SPREAD: Duration = Duration::from_secs(5);

impl Core {
    pub(super) fn state(&self) -> State {
        let attempt = self.attempts.failed() + 1;
        match &self.phase {
            Phase::New | Phase::Connecting(_) => State::Connecting { attempt },
            Phase::Opening(_) | Phase::Ready { live: false } => State::Restoring,
            Phase::Ready { live: true } => State::Live,
            Phase::Waiting(delay, reason) => {
                State::Waiting { attempt, delay: *delay, reason: reason.clone() }
            }
            Phase::Closing(_) => State::Closing,
            Phase::Ended(ended) => State::Ended(ended.clone()),
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.effects.push_back(Effect::Event(event));
    }

    fn enter(&mut self, phase: Phase) {
        let before = std::mem::discriminant(&self.state());
        self.phase = phase;
        let state = self.state();
        // Another attempt or wait is news, another reason to close is none.
        let again = matches!(state, State::Connecting { .. } | State::Waiting { .. });
        if again || std::mem::discriminant(&state) != before {
            self.event(Event::State(state));
        }
    }

    /// Sets the timers that follow from what waits here.
    pub(super) fn rearm(&mut self) {
        let deadlines = [self.requests.next_deadline(), self.subscriptions.next_due()];
        self.timers.set(Timer::Deadline, deadlines.into_iter().flatten().min());
        let ready = matches!(self.phase, Phase::Ready { .. });
        self.timers.set(Timer::Resubscribe, self.subscriptions.next_retry().filter(|_| ready));
        self.timers.set(Timer::Heartbeat, self.liveness.as_ref().map(Liveness::deadline));
        // Without work under way there is nothing to wait for.
        let drain = |deadline| if self.is_idle() { Instant::ZERO } else { deadline };
        let open = !matches!(self.phase, Phase::Closing(After::End(_)) | Phase::Ended(_));
        self.timers.set(Timer::Drain, self.drain.map(drain).filter(|_| open));
    }

    /// Whether no request waits or is under way, or is about to be made.
    fn is_idle(&self) -> bool {
        let leaves = matches!(self.phase, Phase::Ready { .. }) && self.subscriptions.is_to_leave();
        self.requests.waiting() == 0 && self.requests.in_flight() == 0 && !leaves
    }

    /// Everything under way has ended, or had its time. The channels are left before the connection is closed.
    pub(super) fn drained(&mut self, now: Instant) {
        let has_time = self.drain.is_some_and(|deadline| now < deadline);
        let ready = matches!(self.phase, Phase::Ready { .. });
        if has_time && ready && self.subscriptions.leave_all() {
            return;
        }
        self.close(now, CloseFrame::new(crate::frame::CloseCode::NORMAL, ""));
    }

    pub(super) fn connect(&mut self, now: Instant) {
        let progress = Progress::default();
        self.requests.calls.connecting(now);
        self.timers.clear_all();
        self.blocked = None;
        self.timers.set(Timer::Connect, now + self.config.connect_timeout);
        self.enter(Phase::Connecting(progress.clone()));
        self.effects.push_back(Effect::Connect(progress));
    }

    /// Whether this was expected.
    pub(super) fn connected(&mut self, now: Instant) -> bool {
        if !matches!(self.phase, Phase::Connecting(_)) {
            return false;
        }
        self.timers.clear_all();
        self.timers.set(Timer::Stable, now + self.config.backoff.min_uptime);
        self.attempts.connected();
        self.liveness = self.config.heartbeat.map(|policy| Liveness::new(policy, now));
        self.stats.connections += 1;
        self.requests.calls.connected(now);
        self.stats.heard = Some(now);
        self.enter(Phase::Opening(None));
        true
    }

    /// Carries out a step of the opening, or of the upkeep once the connection is ready.
    pub(super) fn take_step<P: Protocol>(&mut self, now: Instant, step: Step, protocol: &P) {
        match step {
            Step::Call(request) => {
                if let Phase::Opening(method) = &mut self.phase {
                    *method = Some(request.method.to_string());
                }
                self.submit_own(now, protocol, Owner::Step, Rank::Session, request);
            }
            Step::Prepare(request) => {
                self.timers.set(Timer::Prepare, now + self.config.call_timeout);
                self.effects.push_back(Effect::Prepare(request));
            }
            Step::Done if self.is_opening() => {
                self.change_limits(now, protocol.buckets());
                self.was_ready = true;
                self.subscriptions.restore();
                self.enter(Phase::Ready { live: false });
            }
            Step::Done => {
                self.change_limits(now, protocol.buckets());
                self.upkeep = false;
            }
            Step::Fail(mut error) => {
                self.config.redact(&mut error);
                self.leave(now, After::Next(error.into()));
            }
        }
    }

    /// The protocol may have learnt what the account may do. What it has always said does not change a limiter that
    /// the user brought.
    fn change_limits(&mut self, now: Instant, buckets: Vec<Bucket>) {
        for (index, bucket) in
            buckets.iter().enumerate().filter(|(index, bucket)| self.buckets.get(*index) != Some(bucket))
        {
            self.requests.limiter().set(now, index, bucket.clone());
        }
        self.buckets = buckets;
    }

    pub(super) fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening(_))
    }

    /// Why a step of the opening has no answer.
    pub(super) fn unanswered(&self, error: Error) -> OpeningError {
        let method = match &self.phase {
            Phase::Opening(Some(method)) => method.clone(),
            _ => String::new(),
        };
        match error {
            Error::NotSent(reason) => OpeningError::NotSent { method, reason: Box::new(reason) },
            _ => OpeningError::TimedOut { method },
        }
    }

    /// Live once everything desired was confirmed or refused.
    pub(super) fn check_restored(&mut self, now: Instant) {
        if matches!(self.phase, Phase::Ready { live: false }) && self.subscriptions.is_restored() {
            self.requests.calls.restored(now);
            self.enter(Phase::Ready { live: true });
        }
    }

    pub(super) fn submit_own<P: Protocol>(
        &mut self,
        now: Instant,
        protocol: &P,
        owner: Owner,
        rank: Rank,
        request: Request,
    ) -> RequestId {
        let id = self.ids.next();
        let deadline = now + self.config.call_timeout;
        self.requests.calls.submit(now, id, &request);
        // Without a limit nothing is refused.
        let _ = self.requests.submit(protocol, (id, owner, rank), Work::Call(request), deadline, None);
        id
    }

    /// Answers the server's heartbeat. While one answer waits to leave, another would say nothing new, so that a flood
    /// of questions fills nothing.
    pub(super) fn answer_server<P: Protocol>(&mut self, now: Instant, protocol: &P, request: Request) {
        if self.answer.is_none_or(|id| !self.requests.is_unsent(id)) {
            self.answer = Some(self.submit_own(now, protocol, Owner::Nobody, Rank::Session, request));
        }
    }

    pub(super) fn settle(&mut self, id: RequestId, outcome: Result<Payload, Error>) {
        if let Err(error) = &outcome {
            self.requests.calls.failed(id, || error.clone());
        }
        self.effects.push_back(Effect::Settle(id, outcome));
    }

    pub(super) fn tell(&mut self, notes: Notes) {
        let mut refused = String::new();
        for (consumer, note) in notes {
            let channel = self.subscriptions.channel_of(consumer).unwrap_or_default();
            if let Note::Refused(reason) = &note
                // The consumers of a channel come one after the other.
                && channel != refused
            {
                refused = channel.to_owned();
                self.event(Event::Refused { channel: refused.clone(), reason: reason.clone() });
            }
            self.effects.push_back(Effect::Tell(consumer, note));
        }
    }

    pub(super) fn deliver(&mut self, message: &Message, route: &str, data: &[u8]) {
        let payload = Payload::part_of(message, data);
        let effects = &mut self.effects;
        let known = self.subscriptions.deliver(route, |consumer, note| {
            effects.extend(note.map(|note| Effect::Tell(consumer, note)));
            effects.push_back(Effect::Deliver(consumer, payload.clone()));
        });
        if !known {
            let unmatched = Unmatched::Notification { method: route.to_owned(), params: payload };
            self.effects.push_back(Effect::Unmatched(unmatched));
        }
    }

    pub(super) fn alive(&mut self, now: Instant) {
        self.stats.heard = Some(now);
        if let Some(liveness) = &mut self.liveness {
            liveness.on_life(now);
        }
    }

    pub(super) fn pong(&mut self, now: Instant, payload: &[u8]) {
        if let Some(round_trip) = self.liveness.as_mut().and_then(|liveness| liveness.on_pong(now, payload)) {
            self.stats.heard = Some(now);
            self.stats.round_trip = Some(round_trip);
            self.event(Event::Answered(round_trip));
        }
    }

    pub(super) fn end_batches(&mut self, mut batches: Vec<RequestId>) {
        batches.dedup();
        for batch in batches {
            for request in self.requests.rest_of_batch(batch) {
                self.settle(request.id, Err(Unknown::MissingFromBatch.into()));
            }
        }
    }

    /// A request could not be sent.
    pub(super) fn not_sent(&mut self, now: Instant, request: EndedRequest, reason: NotSent) {
        match request.owner {
            Owner::User if request.sent => {
                self.settle(request.id, Err(Unknown::NotRepeated(Box::new(reason)).into()));
            }
            Owner::User => self.settle(request.id, Err(reason.into())),
            // The protocol is told of a step.
            Owner::Step | Owner::Nobody => {}
            Owner::Subscribe(keys) => {
                let reason = match reason {
                    NotSent::DeadlinePassed if request.sent => Refusal::TimedOut,
                    other => Refusal::NotSent(Box::new(other)),
                };
                if request.sent {
                    self.subscriptions.doubt(&keys);
                }
                let notes = self.subscriptions.refused(&keys, &reason, false, (now, &mut self.random));
                self.tell(notes);
                self.check_restored(now);
            }
            Owner::Unsubscribe(keys) => {
                let notes = self.subscriptions.stayed(&keys, request.sent, (now, &mut self.random));
                self.tell(notes);
            }
        }
    }

    /// A request left and was not answered in time.
    pub(super) fn timed_out(&mut self, now: Instant, request: EndedRequest) {
        match request.owner {
            Owner::User => self.settle(request.id, Err(Unknown::TimedOut.into())),
            Owner::Step | Owner::Nobody | Owner::Subscribe(_) | Owner::Unsubscribe(_) => {
                self.not_sent(now, request, NotSent::DeadlinePassed);
            }
        }
    }

    /// The connection ended, or the attempt failed.
    pub(super) fn lost<P: Protocol>(&mut self, now: Instant, mut reason: Disconnect, protocol: &P) {
        self.config.redact(&mut reason);
        match &self.phase {
            Phase::Closing(_) => self.closed(now, protocol),
            Phase::Connecting(_) | Phase::Opening(_) | Phase::Ready { .. } => {
                self.give_up_connection(now, &Why::Disconnected(reason.clone()));
                self.next(now, reason, protocol);
            }
            Phase::New | Phase::Waiting(..) | Phase::Ended(_) => {}
        }
    }

    /// Our side ends the connection with a close frame, and waits a little for the peer's.
    pub(super) fn leave(&mut self, now: Instant, after: After) {
        let frame = CloseFrame::new(crate::frame::CloseCode::NORMAL, "");
        self.leave_with(now, frame, after);
    }

    fn leave_with(&mut self, now: Instant, frame: CloseFrame, after: After) {
        if !matches!(self.phase, Phase::Opening(_) | Phase::Ready { .. }) {
            return;
        }
        let why = match &after {
            After::Next(reason) => Why::Disconnected(reason.clone()),
            After::End(ended) => Why::Ended(ended.clone()),
        };
        self.give_up_connection(now, &why);
        self.control.push_back(Frame::Close(Some(frame)));
        self.timers.set(Timer::Close, now + self.config.close_timeout);
        self.enter(Phase::Closing(after));
    }

    /// The closing handshake is over, or nobody answered.
    pub(super) fn closed<P: Protocol>(&mut self, now: Instant, protocol: &P) {
        let Phase::Closing(after) = &self.phase else { return };
        match after.clone() {
            After::Next(reason) => {
                self.control.clear();
                self.timers.clear_all();
                self.next(now, reason, protocol);
            }
            After::End(ended) => self.end(now, ended),
        }
    }

    pub(super) fn reconnect(&mut self, now: Instant) {
        match self.phase {
            Phase::Opening(_) | Phase::Ready { .. } => self.leave(now, After::Next(Disconnect::Requested)),
            Phase::Waiting(..) => self.wait_anew(now, Duration::ZERO),
            // An attempt is under way already, or there will be none.
            Phase::New | Phase::Connecting(_) | Phase::Closing(_) | Phase::Ended(_) => {}
        }
    }

    pub(super) fn close(&mut self, now: Instant, frame: CloseFrame) {
        match self.phase {
            Phase::Opening(_) | Phase::Ready { .. } => self.leave_with(now, frame, After::End(Ended::Closed)),
            Phase::Closing(After::End(_)) => {}
            Phase::Closing(After::Next(_)) => {
                // A close frame is on its way already; the user's own takes its place if that has not left.
                if let Some(unsaid) = self.control.iter_mut().find(|unsaid| matches!(unsaid, Frame::Close(_)))
                {
                    *unsaid = Frame::Close(Some(frame));
                }
                self.settle_all(now, &Why::Ended(Ended::Closed));
                self.phase = Phase::Closing(After::End(Ended::Closed));
            }
            Phase::Connecting(_) => {
                self.effects.push_back(Effect::Drop);
                self.end(now, Ended::Closed);
            }
            Phase::New | Phase::Waiting(..) => self.end(now, Ended::Closed),
            Phase::Ended(_) => {}
        }
    }

    pub(super) fn end(&mut self, now: Instant, ended: Ended) {
        if matches!(self.phase, Phase::Ended(_)) {
            return;
        }
        // What waited for a connection waits no more.
        self.give_up_connection(now, &Why::Ended(ended.clone()));
        self.enter(Phase::Ended(ended));
    }

    /// Goes on for a session that cannot, because it panicked. Of that only plain values are read.
    pub(super) fn take_over<P: Protocol>(
        &mut self,
        now: Instant,
        broken: Self,
        reason: Disconnect,
        protocol: &P,
    ) {
        (self.attempts, self.stats) = (broken.attempts, broken.stats);
        (self.was_ready, self.offline) = (broken.was_ready, broken.offline);
        (self.hold, self.drain) = (broken.hold, broken.drain);
        // Whoever was closing does not come back.
        if let Phase::Closing(After::End(ended)) | Phase::Ended(ended) = broken.phase {
            return self.end(now, ended);
        }
        self.next(now, reason, protocol);
    }

    /// After a connection or an attempt ended: when to try again, or why not.
    fn next<P: Protocol>(&mut self, now: Instant, reason: Disconnect, protocol: &P) {
        self.stats.disconnects += 1;
        self.event(Event::Disconnected(reason.clone()));
        if matches!(reason, Disconnect::Requested) {
            return self.wait(now, Duration::ZERO, reason);
        }
        let told = match self.verdict(&reason, protocol) {
            Verdict::Stop => return self.end(now, Ended::Refused(reason)),
            Verdict::Retry(after) => after.unwrap_or_default(),
        };
        self.hold(now, told);
        if !self.was_ready && !self.config.retry_initial_connect {
            return self.end(now, Ended::Refused(reason));
        }
        let Some(delay) = self.attempts.fail(&mut self.random) else {
            return self.end(now, Ended::AttemptsExhausted(reason));
        };
        let delay = if self.offline { self.config.backoff.cap } else { delay };
        // Everybody was told the same, and all would be back at once.
        let delay = delay.max(self.random.up_to(told.min(SPREAD)));
        self.wait(now, delay, reason);
    }

    /// The server asked for this much time before the next attempt.
    pub(super) fn hold(&mut self, now: Instant, time: Duration) {
        self.hold = self.hold.max(Some(now + time.min(LONGEST_WAIT)));
    }

    /// Makes the next attempt after `delay`, counted from when the server allows one: so the jitter comes on top, and
    /// clients do not all return at that moment.
    fn wait(&mut self, now: Instant, delay: Duration, reason: Disconnect) {
        let held = self.hold.map(|until| until.since(now)).unwrap_or_default();
        let delay = held.saturating_add(delay);
        if delay.is_zero() {
            return self.connect(now);
        }
        self.timers.clear_all();
        self.timers.set(Timer::Retry, now + delay);
        self.enter(Phase::Waiting(delay, reason));
    }

    /// Changes how long a waiting client waits.
    pub(super) fn wait_anew(&mut self, now: Instant, delay: Duration) {
        if let Phase::Waiting(_, reason) = &self.phase {
            self.wait(now, delay, reason.clone());
        }
    }

    /// Everything that belonged to the connection settles: what left has an unknown outcome, what waited was not sent.
    fn give_up_connection(&mut self, now: Instant, why: &Why) {
        self.timers.clear_all();
        self.control.clear();
        self.answer = None;
        self.blocked = None;
        self.upkeep = false;
        self.liveness = None;
        self.settle_all(now, why);
    }

    fn settle_all(&mut self, now: Instant, why: &Why) {
        let was_ready = matches!(self.phase, Phase::Ready { .. });
        let requests = match why {
            Why::Disconnected(_) if was_ready => self.requests.end_all(now, self.config.retry_idempotent),
            // Requests that wait for a connection go on waiting, within their deadlines.
            Why::Disconnected(_) => self.requests.end_own(),
            Why::Ended(_) => self.requests.end_all(now, false),
        };
        for request in requests {
            match request.owner {
                Owner::User => self.settle(request.id, Err(why.outcome(request.sent))),
                _ => self.requests.calls.failed(request.id, || why.outcome(request.sent)),
            }
        }
        let notes = self.subscriptions.interrupt(&why.disconnect());
        // Whoever closes the client, or drops its driver, is told by the end of the stream.
        if !matches!(why, Why::Ended(Ended::Closed | Ended::Abandoned)) {
            self.tell(notes);
        }
    }

    fn verdict<P: Protocol>(&self, reason: &Disconnect, protocol: &P) -> Verdict {
        match reason {
            Disconnect::Connect(error @ ConnectError::Status { .. }) if self.was_ready => match error
                .category()
            {
                Category::Authentication => Verdict::Stop,
                // While a server is deployed, a proxy in front of it may say anything.
                Category::Connection | Category::Protocol | Category::Application => match error.verdict() {
                    Verdict::Stop => Verdict::Retry(None),
                    retry @ Verdict::Retry(_) => retry,
                },
            },
            other => verdict(other, protocol),
        }
    }
}

/// Why a connection is given up, and so what its requests are told.
enum Why {
    Disconnected(Disconnect),
    Ended(Ended),
}

impl Why {
    fn outcome(&self, sent: bool) -> Error {
        match (self, sent) {
            (Self::Disconnected(reason), true) => Unknown::Disconnected(reason.clone()).into(),
            (Self::Disconnected(reason), false) => NotSent::Disconnected(reason.clone()).into(),
            (Self::Ended(ended), true) => Unknown::Ended(ended.clone()).into(),
            (Self::Ended(ended), false) => NotSent::Ended(ended.clone()).into(),
        }
    }

    fn disconnect(&self) -> Disconnect {
        match self {
            Self::Disconnected(reason) => reason.clone(),
            Self::Ended(Ended::Refused(reason) | Ended::AttemptsExhausted(reason)) => reason.clone(),
            Self::Ended(Ended::Closed | Ended::Abandoned) => Disconnect::Requested,
        }
    }
}

fn verdict<P: Protocol>(reason: &Disconnect, protocol: &P) -> Verdict {
    match reason {
        Disconnect::Connect(error) => error.verdict(),
        Disconnect::Closed(Some(frame)) => protocol.close_verdict(frame),
        Disconnect::Opening(error) => error.verdict(),
        Disconnect::Closed(None) | Disconnect::Dropped(_) => Verdict::Retry(None),
        Disconnect::Silent(_) | Disconnect::Stalled(_) | Disconnect::Violation { .. } => Verdict::Retry(None),
        Disconnect::Protocol(_) | Disconnect::Requested | Disconnect::Moved | Disconnect::Panicked(_) => {
            Verdict::Retry(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::JsonRpc;

    fn session() -> Session<JsonRpc> {
        let config = Config::new("wss://venue.example").unwrap().retry_initial_connect(true);
        Session::new(Arc::new(config), JsonRpc::new(), true, RequestIds::default(), 1)
    }

    /// What becomes of a session that panics after these commands.
    fn after_a_panic(commands: impl IntoIterator<Item = Command>) -> State {
        let now = Instant::ZERO;
        let (mut broken, mut next) = (session(), session());
        broken.start(now);
        broken.handle_connected(now);
        commands.into_iter().for_each(|command| broken.handle_command(now, command));
        next.take_over(now, broken, Disconnect::Panicked(String::new()));
        next.state()
    }

    #[test]
    fn whoever_closes_does_not_come_back() {
        let close = CloseFrame::new(crate::frame::CloseCode::NORMAL, "");
        assert!(matches!(after_a_panic([]), State::Waiting { .. }));
        assert_eq!(after_a_panic([Command::Close(close)]), State::Ended(Ended::Closed));
        assert!(matches!(after_a_panic([Command::Reconnect]), State::Waiting { .. }));
    }
}
