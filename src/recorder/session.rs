//! A session whose inputs and outputs are recorded.

use std::ops::Deref;
use std::sync::Arc;

use super::line::{self, Input, Options, Output};
use super::{Recorder, Tape};
use crate::config::{Config, Url};
use crate::error::{ConnectError, Disconnect, OpeningError};
use crate::frame::Frame;
use crate::protocol::{Protocol, Request, RequestIds};
use crate::session::{Command, ConsumerId, Effect, Event, Session, Stats};
use crate::time::Instant;
use crate::transport::{Progress, Signal};

/// A [`Session`], and whoever writes down what happens to it.
pub(crate) struct Recorded<P> {
    session: Session<P>,
    tap: Option<Tap>,
}

struct Tap {
    recorder: Recorder,
    number: u32,
    connection: u32,
    progress: Option<Progress>,
    tape: Tape,
    /// What is being done, until it turns out to be worth a line. A panic is.
    pending: Option<(Instant, Input)>,
    /// When the last input was.
    now: Instant,
    /// The problem that was told last.
    told: Option<String>,
}

impl<P> Deref for Recorded<P> {
    type Target = Session<P>;

    fn deref(&self) -> &Session<P> {
        &self.session
    }
}

impl<P: Protocol> Recorded<P> {
    /// As [`Session::new`].
    pub(crate) fn new(config: Arc<Config>, protocol: P, pings: bool, mut ids: RequestIds, seed: u64) -> Self {
        let mut tap = config.recorder.clone().map(|recorder| Tap::new(recorder, &config));
        ids.tape = tap.as_ref().map(|tap| tap.tape.clone());
        if let Some(tap) = &mut tap {
            tap.begin(&config, pings, seed);
        }
        Self { session: Session::new(config, protocol, pings, ids, seed), tap }
    }

    /// As [`Session::anew`].
    pub(crate) fn anew(&mut self, protocol: P, seed: u64) -> Self {
        let tap = self.tap.take().map(|mut tap| {
            tap.settle();
            let (config, pings) = self.session.setting();
            tap.begin(config, pings, seed);
            tap
        });
        Self { session: self.session.anew(protocol, seed), tap }
    }

    pub(crate) fn start(&mut self, now: Instant) {
        if self.session.is_new() {
            self.handle(now, Input::Start);
        }
    }

    pub(crate) fn handle_command(&mut self, now: Instant, command: Command) {
        self.handle(now, Input::Command(command));
    }

    pub(crate) fn handle_connected(&mut self, now: Instant) {
        self.handle(now, Input::Connected);
    }

    pub(crate) fn handle_prepared(&mut self, now: Instant, request: Result<Request, OpeningError>) {
        self.handle(now, Input::Prepared(request));
    }

    pub(crate) fn handle_connect_failed(&mut self, now: Instant, error: ConnectError) {
        self.handle(now, Input::ConnectFailed(error));
    }

    pub(crate) fn handle_frame(&mut self, now: Instant, frame: Frame) {
        self.handle(now, Input::Frame(frame));
    }

    pub(crate) fn handle_disconnected(&mut self, now: Instant, reason: Disconnect) {
        self.handle(now, Input::Disconnected(reason));
    }

    pub(crate) fn handle_signal(&mut self, now: Instant, signal: Signal) {
        self.handle(now, Input::Signal(signal));
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        let phase = self.tap.as_ref().and_then(|tap| tap.progress.as_ref()).map(Progress::phase);
        self.handle(now, Input::Timeout { phase });
    }

    pub(crate) fn adopt(&mut self, consumer: ConsumerId, channel: &str) {
        let now = self.tap.as_ref().map(|tap| tap.now).unwrap_or_default();
        if let Some(tap) = &mut self.tap {
            tap.input(now, &Input::Adopt(consumer, channel.to_owned()));
        }
        self.session.adopt(consumer, channel);
    }

    pub(crate) fn take_over(&mut self, now: Instant, broken: Self, reason: Disconnect) {
        if let Some(tap) = &mut self.tap {
            tap.input(now, &Input::TakeOver(reason.clone()));
        }
        self.session.take_over(now, broken.session, reason);
        self.note_ids();
    }

    pub(crate) fn handle_abandoned(&mut self, now: Instant) {
        self.handle(now, Input::Abandoned);
    }

    /// Called in each round, so only a change is worth a line.
    pub(crate) fn handle_writable(&mut self, now: Instant, writable: bool) {
        if self.session.is_blocked() == writable {
            self.handle(now, Input::Writable(writable));
        }
    }

    /// As [`Session::poll_transmit`]; worth a line when anything came of it.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Frame> {
        let Some(tap) = &mut self.tap else { return self.session.poll_transmit(now) };
        tap.pending = Some((now, Input::Poll));
        let before = Print::of(&self.session);
        let frame = self.session.poll_transmit(now);
        let ids = tap.tape.taken();
        if frame.is_none() && ids.is_empty() && before == Print::of(&self.session) {
            tap.pending = None;
            return None;
        }
        tap.settle();
        tap.ids(ids);
        if let Some(frame) = &frame {
            tap.output(&Output::Frame(frame.clone()));
        }
        frame
    }

    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.session.poll_effect();
        let Some(tap) = &mut self.tap else { return effect };
        let Some(effect) = effect else { return tap.problem() };
        if let Effect::Connect(progress) = &effect {
            tap.connection += 1;
            tap.progress = Some(progress.clone());
        }
        if let Some(output) = Output::of(&effect) {
            tap.output(&output);
        }
        Some(effect)
    }

    /// Notes where an attempt goes.
    pub(crate) fn dial(&mut self, now: Instant, url: &Url) {
        if let Some(tap) = &mut self.tap {
            tap.now = now;
            tap.recorder.redact().learn_url(url);
            tap.output(&Output::Dial(url.to_string()));
        }
    }

    fn handle(&mut self, now: Instant, input: Input) {
        if let Some(tap) = &mut self.tap {
            tap.input(now, &input);
        }
        apply(&mut self.session, now, input);
        self.note_ids();
    }

    fn note_ids(&mut self) {
        if let Some(tap) = &mut self.tap {
            let ids = tap.tape.taken();
            tap.ids(ids);
        }
    }
}

/// Gives an input to a session. What concerns two of them, or none, is left to whoever has them.
pub(crate) fn apply<P: Protocol>(session: &mut Session<P>, now: Instant, input: Input) {
    match input {
        Input::Start => session.start(now),
        Input::Command(command) => session.handle_command(now, command),
        Input::Connected => session.handle_connected(now),
        Input::ConnectFailed(error) => session.handle_connect_failed(now, error),
        Input::Frame(frame) => session.handle_frame(now, frame),
        Input::Disconnected(reason) => session.handle_disconnected(now, reason),
        Input::Writable(writable) => session.handle_writable(now, writable),
        Input::Prepared(request) => session.handle_prepared(now, request),
        Input::Signal(signal) => session.handle_signal(now, signal),
        Input::Timeout { phase: _ } => session.handle_timeout(now),
        Input::Adopt(consumer, channel) => session.adopt(consumer, &channel),
        Input::Abandoned => session.handle_abandoned(now),
        Input::Begin { .. } | Input::TakeOver(_) | Input::Poll => {}
    }
}

impl Output {
    /// What is written of an effect. Data is part of a frame that is there already.
    pub(crate) fn of(effect: &Effect) -> Option<Self> {
        Some(match effect {
            Effect::Connect(_) => Self::Connect,
            Effect::Drop => Self::HangUp,
            Effect::Prepare(_) => Self::Prepare,
            Effect::Settle(id, outcome) => Self::Settled { id: *id, error: outcome.as_ref().err().cloned() },
            Effect::Tell(consumer, note) => Self::Told(*consumer, note.clone()),
            Effect::Event(event) => Self::Event(event.clone()),
            Effect::Deliver(..) | Effect::Unmatched(_) => return None,
        })
    }
}

/// What changes when a session does something without an effect.
#[derive(PartialEq)]
struct Print(usize, Option<Instant>, Stats);

impl Print {
    fn of<P: Protocol>(session: &Session<P>) -> Self {
        Self(session.effects(), session.poll_timeout(), session.stats())
    }
}

impl Tap {
    fn new(recorder: Recorder, config: &Config) -> Self {
        recorder.redact().learn_config(config);
        let number = recorder.number();
        Self {
            recorder,
            number,
            connection: 0,
            progress: None,
            tape: Tape::default(),
            pending: None,
            now: Instant::ZERO,
            told: None,
        }
    }

    fn begin(&mut self, config: &Config, pings: bool, seed: u64) {
        let options = Box::new(Options::from(config));
        self.input(self.now, &Input::Begin { seed, pings, options });
    }

    fn input(&mut self, now: Instant, input: &Input) {
        self.now = now;
        self.write("in", &line::json(input));
    }

    fn output(&self, output: &Output) {
        self.write("out", &line::json(output));
    }

    fn ids(&self, ids: Vec<crate::protocol::RequestId>) {
        if !ids.is_empty() {
            self.output(&Output::Ids(ids));
        }
    }

    fn write(&self, direction: &str, body: &str) {
        let body = self.recorder.redact().json(body);
        let wall = self.recorder.wall();
        let head = (self.now, wall.as_str(), self.number, self.connection);
        self.recorder.write(line::write(head, direction, &body));
    }

    /// What was pending is worth a line.
    fn settle(&mut self) {
        if let Some((now, input)) = self.pending.take() {
            self.input(now, &input);
        }
    }

    fn problem(&mut self) -> Option<Effect> {
        let problem = self.recorder.problem();
        if problem == self.told {
            return None;
        }
        self.told = problem;
        self.told.clone().map(|problem| Effect::Event(Event::NotRecorded(problem)))
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.settle();
    }
}
