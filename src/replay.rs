//! A recording, played again: the same session meets the same inputs at the same times, so that it does the same.
//!
//! ```
//! # use std::time::Duration;
//! # use steadysocket::{Config, recorder::{Memory, Recorder}, testing::{Script, World}};
//! # let memory = Memory::new(1_000_000);
//! # let recorder = Recorder::new(memory.clone(), || Duration::ZERO);
//! # let world = World::new(1, Script::new());
//! # let config = Config::new("wss://venue.example")?.recorder(Some(recorder));
//! # let client = world.client(config, steadysocket::JsonRpc::new());
//! # world.run(async move { client.ready().await.unwrap() });
//! # let file = memory.text();
//! use steadysocket::JsonRpc;
//! use steadysocket::recorder::Reader;
//! use steadysocket::replay::Replay;
//!
//! // let file = BufReader::new(File::open("incident.jsonl")?);
//! let history = Replay::new(Reader::new(file.as_bytes()), JsonRpc::new).history()?;
//! // The same frames, events and outcomes as were recorded:
//! assert_eq!(history.differences, []);
//! for (at, event) in &history.events {
//!     println!("{at:?}: {event:?}");
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The protocol is made as it was for the client, with any credentials: those of the recording are not in it. A protocol
//! that panicked then does so again, at the same place.

use std::io::BufRead;
use std::iter::Peekable;
use std::sync::Arc;

use crate::config::Config;
use crate::error::Error;
use crate::frame::Frame;
use crate::payload::Payload;
use crate::protocol::{Protocol, RequestId, RequestIds};
use crate::recorder::{
    Body, Input, Line, Options, Output, ReadError, Reader, Record, Redaction, Tape, apply, json,
};
use crate::session::limiter::Limiter;
use crate::session::{Command, ConsumerId, Effect, Event, Note, Session, Work};
use crate::time::Instant;
use crate::transport::Progress;

/// Half of all times, 292 years: so close to the end of time that every deadline is due at once, timers never rest.
const LATEST: Instant = Instant::from_nanos(u64::MAX / 2);

/// Plays one client of a recording again, input by input.
pub struct Replay<P, R: BufRead, M> {
    from: Peekable<Reader<R>>,
    make: M,
    wanted: Option<u32>,
    redaction: Redaction,
    limiter: Option<Limiter>,
    stage: Option<Stage<P>>,
    /// What came out and is not recorded yet: a driver may give several inputs before it takes what comes of them.
    owed: Vec<String>,
    over: bool,
}

/// What is played on.
struct Stage<P> {
    session: Session<P>,
    /// In the place of the one that panicked, until it takes over.
    next: Option<Session<P>>,
    ids: RequestIds,
    tape: Tape,
    progress: Option<Progress>,
}

/// What came of an input: effects, and the frame that was sent.
type Played = (Vec<Effect>, Option<Frame>);

/// One input, and what followed from it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Step {
    /// When, on the recording's monotonic clock.
    pub at: Instant,
    /// When, by its wall clock.
    pub wall: String,
    /// On which connection or attempt.
    pub connection: u32,
    /// What went in.
    pub input: Input,
    /// What the session did.
    pub effects: Vec<Effect>,
    /// The frame that it sent.
    pub sent: Option<Frame>,
    /// Set when it did something else than was recorded.
    pub difference: Option<Difference>,
}

/// What a session did in a replay, and what is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// When.
    pub at: Instant,
    /// The outputs that are recorded, as JSON.
    pub recorded: Vec<String>,
    /// Those of the replay.
    pub replayed: Vec<String>,
}

/// Everything that came out in a replay, in order.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// How many inputs there were.
    pub steps: usize,
    /// What happened.
    pub events: Vec<(Instant, Event)>,
    /// What was sent.
    pub sent: Vec<(Instant, Frame)>,
    /// How requests ended.
    pub settled: Vec<(Instant, RequestId, Result<Payload, Error>)>,
    /// What streams received.
    pub delivered: Vec<(Instant, ConsumerId, Payload)>,
    /// What streams were told.
    pub told: Vec<(Instant, ConsumerId, Note)>,
    /// Where it was not as recorded. Empty when everything was the same.
    pub differences: Vec<Difference>,
}

/// Why a replay cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The recording cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The recording lacks lines, so that what follows cannot be the same.
    #[error("{0} lines of the recording were lost here")]
    Lost(u64),
    /// The recording says something that cannot be.
    #[error("the recording makes no sense at {at} ns: {problem}")]
    Senseless {
        /// When, on its monotonic clock.
        at: u64,
        /// What is wrong.
        problem: String,
    },
}

impl<P: Protocol, R: BufRead, M: FnMut() -> P> Replay<P, R, M> {
    /// Replays the first client of a recording. `protocol` makes what it spoke, once, and once more for each panic.
    pub fn new(recording: Reader<R>, protocol: M) -> Self {
        Self {
            from: recording.peekable(),
            make: protocol,
            wanted: None,
            redaction: Redaction::default(),
            limiter: None,
            stage: None,
            owed: Vec::new(),
            over: false,
        }
    }

    /// Replays this client instead.
    pub fn session(mut self, number: u32) -> Self {
        self.wanted = Some(number);
        self
    }

    /// What the recorder was given to redact by, when that was not the default.
    pub fn redaction(mut self, redaction: Redaction) -> Self {
        self.redaction = redaction;
        self
    }

    /// The client's limiter, when its configuration brought one: a new one with the same buckets.
    pub fn limiter(mut self, limiter: Limiter) -> Self {
        self.limiter = Some(limiter);
        self
    }

    /// Replays everything.
    ///
    /// # Errors
    /// Why the recording cannot be replayed to its end.
    pub fn history(self) -> Result<History, ReplayError> {
        let mut history = History::default();
        for step in self {
            history.add(step?);
        }
        Ok(history)
    }

    fn step(&mut self) -> Result<Option<Step>, ReplayError> {
        let Some(line) = self.next_line()? else { return Ok(None) };
        let wrong = |problem: String| senseless(&line, problem);
        if line.at > LATEST {
            return Err(wrong("no clock goes so far".into()));
        }
        let Some(input) = line.input().map_err(|error| wrong(error.to_string()))? else {
            return Err(wrong("an output comes before all inputs".into()));
        };
        let (mut recorded, mut ids) = (Vec::new(), Vec::new());
        while let Some(output) = self.next_output(&line)? {
            if let Ok(Some(Output::Ids(numbers))) = output.output() {
                ids = numbers;
            } else if let Body::Out(json) = output.body {
                recorded.push(json);
            }
        }
        let (effects, sent) = self.play(&line, input.clone(), ids)?;
        let difference = self.compare(line.at, recorded, &effects, sent.as_ref());
        let Line { at, wall, connection, .. } = line;
        Ok(Some(Step { at, wall, connection, input, effects, sent, difference }))
    }

    fn next_line(&mut self) -> Result<Option<Line>, ReplayError> {
        for record in self.from.by_ref() {
            match record? {
                // Another recording in the same file has its own clients.
                Record::Header { .. } if self.stage.is_some() => return Ok(None),
                Record::Header { .. } => {}
                Record::Lost(lines) => return Err(ReplayError::Lost(lines)),
                Record::Line(line) => {
                    if *self.wanted.get_or_insert(line.session) == line.session {
                        return Ok(Some(line));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The next output of this client, unless an input comes first.
    fn next_output(&mut self, of: &Line) -> Result<Option<Line>, ReplayError> {
        loop {
            let is_ours = |line: &Line| line.session == of.session;
            match self.from.peek() {
                Some(Ok(Record::Line(line))) if !is_ours(line) => {}
                Some(Ok(Record::Line(Line { body: Body::Out(_), .. }))) => {
                    return self.next_line();
                }
                _ => return Ok(None),
            }
            self.from.next();
        }
    }

    /// Gives an input to the session, and takes what comes of it.
    fn play(&mut self, line: &Line, input: Input, ids: Vec<RequestId>) -> Result<Played, ReplayError> {
        if let Input::Begin { seed, pings, options } = input {
            self.begin(line, seed, pings, *options)?;
            return Ok((Vec::new(), None));
        }
        let Some(stage) = &mut self.stage else {
            return Err(senseless(line, "it has not begun".into()));
        };
        stage.play(line, input, ids)
    }

    fn begin(&mut self, line: &Line, seed: u64, pings: bool, options: Options) -> Result<(), ReplayError> {
        let protocol = (self.make)();
        if let Some(stage) = &mut self.stage {
            if stage.next.is_some() {
                return Err(senseless(line, "it begins anew twice".into()));
            }
            stage.next = Some(stage.session.anew(protocol, seed));
            return Ok(());
        }
        let config = Config::new("wss://recording.invalid").map(|config| options.apply(config));
        let config = config.and_then(|config| config.validate().map(|()| config));
        let config = config.map_err(|error| senseless(line, error.to_string()))?;
        let tape = Tape::default();
        let mut ids = RequestIds::default();
        ids.tape = Some(tape.clone());
        #[allow(clippy::arc_with_non_send_sync, reason = "a browser's provider stays in its thread")]
        let config = Arc::new(config.limiter(self.limiter.clone()));
        let session = Session::new(config, protocol, pings, ids.clone(), seed);
        self.stage = Some(Stage { session, next: None, ids, tape, progress: None });
        Ok(())
    }

    fn compare(
        &mut self,
        at: Instant,
        recorded: Vec<String>,
        effects: &[Effect],
        sent: Option<&Frame>,
    ) -> Option<Difference> {
        let sent = sent.map(|frame| Output::Frame(frame.clone()));
        let outputs = sent.into_iter().chain(effects.iter().filter_map(Output::of));
        let redaction = &mut self.redaction;
        self.owed.extend(outputs.map(|output| redaction.json(&json(&output))));
        // Where it went to is told by whoever dials.
        let is_of_session = |json: &String| !json.starts_with(r#"{"dial":"#);
        let recorded: Vec<_> = recorded.into_iter().filter(is_of_session).collect();
        if recorded.is_empty() {
            return None;
        }
        let replayed = std::mem::take(&mut self.owed);
        // A recording may end before all of it was written.
        let is_end = matches!(self.from.peek(), None | Some(Ok(Record::Header { .. })));
        let is_end = is_end && replayed.starts_with(&recorded);
        (recorded != replayed && !is_end).then_some(Difference { at, recorded, replayed })
    }
}

impl<P: Protocol, R: BufRead, M: FnMut() -> P> Iterator for Replay<P, R, M> {
    type Item = Result<Step, ReplayError>;

    /// The next input, played. Nothing comes after an error.
    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let step = self.step();
        self.over = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}

impl<P: Protocol> Stage<P> {
    fn play(&mut self, line: &Line, input: Input, ids: Vec<RequestId>) -> Result<Played, ReplayError> {
        self.count(&input);
        self.tape.give(ids);
        let mut sent = None;
        match input {
            Input::Poll => sent = self.session.poll_transmit(line.at),
            Input::TakeOver(reason) => {
                let Some(next) = self.next.take() else {
                    return Err(senseless(line, "nothing takes over".into()));
                };
                let broken = std::mem::replace(&mut self.session, next);
                self.session.take_over(line.at, broken, reason);
            }
            input => {
                if let (Input::Timeout { phase: Some(phase) }, Some(progress)) = (&input, &self.progress) {
                    progress.enter(*phase);
                }
                apply(self.next.as_mut().unwrap_or(&mut self.session), line.at, input);
            }
        }
        self.tape.give(Vec::new());
        let session = self.next.as_mut().unwrap_or(&mut self.session);
        let effects: Vec<_> = std::iter::from_fn(|| session.poll_effect()).collect();
        for effect in &effects {
            if let Effect::Connect(progress) = effect {
                self.progress = Some(progress.clone());
            }
        }
        Ok((effects, sent))
    }

    /// The user took these numbers.
    fn count(&self, input: &Input) {
        let Input::Command(command) = input else { return };
        match command {
            Command::Submit { id, work, .. } => {
                self.ids.raise(*id);
                if let Work::Batch(items) = work {
                    items.iter().filter_map(|(member, _)| *member).for_each(|id| self.ids.raise(id));
                }
            }
            Command::Subscribe(consumer, _) => self.ids.raise(*consumer),
            _ => {}
        }
    }
}

impl History {
    fn add(&mut self, step: Step) {
        let Step { at, effects, sent, difference, .. } = step;
        self.steps += 1;
        self.sent.extend(sent.map(|frame| (at, frame)));
        self.differences.extend(difference);
        for effect in effects {
            match effect {
                Effect::Event(event) => self.events.push((at, event)),
                Effect::Settle(id, outcome) => self.settled.push((at, id, outcome)),
                Effect::Deliver(consumer, payload) => self.delivered.push((at, consumer, payload)),
                Effect::Tell(consumer, note) => self.told.push((at, consumer, note)),
                Effect::Connect(_) | Effect::Drop | Effect::Prepare(_) | Effect::Unmatched(_) => {}
            }
        }
    }
}

fn senseless(line: &Line, problem: String) -> ReplayError {
    ReplayError::Senseless { at: line.at.as_nanos(), problem }
}
