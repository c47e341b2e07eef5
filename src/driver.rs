//! The one future that moves bytes and time between a socket and a session. It decides nothing.

use std::any::Any;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::channel::oneshot;

use crate::alarm::Bells;
use crate::config::{Config, Endpoint, Url};
use crate::error::{ConnectError, Disconnect, Ended, Error, NotSent, Unknown};
use crate::mailbox::{Mail, Mailbox, Outcome, add};
use crate::payload::Payload;
use crate::platform::BoxFuture;
use crate::protocol::{Preparation, Protocol, Unmatched};
use crate::queue::{Queue, Weight};
#[cfg(feature = "record")]
use crate::recorder::Recorded as Session;
#[cfg(not(feature = "record"))]
use crate::session::Session;
use crate::session::{Command, ConsumerId, Effect, Event, Note, State};
use crate::supervisor;
use crate::table::Table;
use crate::telemetry::{Observation, Observed};
use crate::time::Instant;
use crate::transport::{Attempt, Platform, Progress, Socket};

/// Runs a connection until it ends; the result says why. Spawn it on the platform's executor.
///
/// It is `Send` when the platform's and the protocol's types are. Dropping it ends the client: what was under way
/// settles, and later calls report [`Ended::Abandoned`].
#[must_use = "a connection lives only while its driver is polled"]
pub struct Driver<L: Platform, P: Protocol> {
    session: Session<P>,
    platform: L,
    connection: Connection<L>,
    config: Arc<Config>,
    mailbox: Arc<Mailbox>,
    mail: VecDeque<Mail>,
    handles: Handles,
    /// Rounds in which more had arrived than was read.
    behind: usize,
    /// Set while it is polled, and so after a panic: the session may be in any state.
    broken: bool,
}

enum Connection<L: Platform> {
    None,
    /// The endpoint provider is asked.
    Asking(BoxFuture<Result<Url, String>>, Progress),
    Connecting(Pin<Box<L::Connecting>>),
    /// The socket, and what a step of the session waits for.
    Open(L::Socket, Option<Preparation>),
}

/// Where effects go.
#[derive(Default)]
struct Handles {
    observed: Observed,
    calls: Table<oneshot::Sender<Outcome>>,
    consumers: Table<Consumer>,
    messages: Vec<Arc<Queue<Unmatched>>>,
    events: Vec<Arc<Queue<Event>>>,
    ready: Vec<oneshot::Sender<()>>,
    end: Vec<oneshot::Sender<()>>,
    bells: Bells,
}

struct Consumer {
    channel: String,
    queue: Arc<Queue<Payload>>,
    /// Until the first confirmation or refusal.
    confirmed: Option<oneshot::Sender<Outcome>>,
    /// It was given data, maybe ahead of the confirmation.
    fed: bool,
}

/// Frames handled before writing gets a turn, so that a flood never holds back a heartbeat's reply.
const FRAMES_A_ROUND: usize = 128;
/// Rounds in a row in which frames that have arrived keep a timer from firing, so that an answer which is already there
/// is not taken for silence, and a flood cannot stop the clock.
const ROUNDS_BEFORE_TIME: usize = 64;
/// Rounds before other tasks get a turn.
const ROUNDS_A_POLL: usize = 8;

impl<L: Platform, P: Protocol> Driver<L, P> {
    pub(crate) fn new(config: Arc<Config>, protocol: P, platform: L, mailbox: Arc<Mailbox>) -> Self {
        let seed = platform.seed();
        let session = Session::new(config.clone(), protocol, L::PINGS, mailbox.ids.clone(), seed);
        session.limiter().watch(&mailbox.waker);
        Self {
            session,
            platform,
            connection: Connection::None,
            mailbox,
            mail: VecDeque::new(),
            handles: Handles { observed: config.observed.clone(), ..Handles::default() },
            config,
            behind: 0,
            broken: false,
        }
    }

    /// The time on the platform's clock.
    pub(crate) fn now(&self) -> Instant {
        self.platform.now()
    }

    /// A panic as the reason why a connection ended.
    pub(crate) fn panicked(&self, panic: &(dyn Any + Send)) -> Disconnect {
        let mut reason = Disconnect::Panicked(supervisor::said(panic));
        self.config.redact(&mut reason);
        // Only now: of a credential that was cut short a part would be left.
        if let Disconnect::Panicked(said) = &mut reason
            && let Some((end, _)) = said.char_indices().nth(supervisor::LONGEST)
        {
            said.truncate(end);
        }
        reason
    }

    /// Goes on after a panic, with another protocol in a session of its own. What has left the handles may have been
    /// sent, so its outcome is unknown; what has not is still in the mailbox.
    pub(crate) fn restart(&mut self, protocol: P, reason: &Disconnect) {
        let now = self.platform.now();
        self.connection = Connection::None;
        // Platforms of tests have one seed only.
        let seed = self.platform.seed().wrapping_add(self.mailbox.ids.next().0);
        let session = self.session.anew(protocol, seed);
        let broken = std::mem::replace(&mut self.session, session);
        self.handles.settle(&Unknown::Disconnected(reason.clone()));
        for (id, consumer) in self.handles.consumers.iter() {
            let confirmed = consumer.confirmed.is_none();
            if !confirmed {
                let command = Command::Subscribe(id, consumer.channel.clone());
                self.session.handle_command(now, command);
            }
            if confirmed || consumer.fed {
                consumer.queue.interrupt(reason.clone());
                self.session.adopt(id, &consumer.channel);
            }
        }
        self.session.take_over(now, broken, reason.clone());
        self.behind = 0;
        self.broken = false;
    }

    /// Ends after a panic, without another word to the session.
    pub(crate) fn give_up(&mut self, ended: &Ended) {
        self.connection = Connection::None;
        self.broken = true;
        self.handles.settle(&Unknown::Ended(ended.clone()));
        let left = std::mem::take(&mut self.mail);
        for mail in left.into_iter().chain(self.mailbox.close(ended.clone())) {
            self.handles.turn_away(mail, ended);
        }
        let (Ended::AttemptsExhausted(reason) | Ended::Refused(reason)) = ended else {
            return self.handles.finish(ended);
        };
        self.mailbox.note_disconnect(reason.clone());
        self.handles.consumers.iter().for_each(|(_, consumer)| consumer.queue.interrupt(reason.clone()));
        self.handles.carry_out(Effect::Event(Event::Disconnected(reason.clone())));
        self.handles.carry_out(Effect::Event(Event::State(State::Ended(ended.clone()))));
        self.handles.finish(ended);
    }

    /// One round; whether anything happened.
    fn round(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.platform.now();
        let mut busy = self.receive(cx, now);
        busy |= self.read_mail(now);
        busy |= self.notice(cx, now);
        busy |= self.prepare(cx, now);
        // What is over has nothing more to be read.
        let open = matches!(self.connection, Connection::Open(..));
        if !open || self.behind == 0 || self.behind > ROUNDS_BEFORE_TIME {
            busy |= self.keep_time(cx);
        }
        busy |= self.carry_out(cx);
        busy | self.transmit(cx)
    }

    /// Moves the attempt on, or takes what has arrived.
    fn receive(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        match &mut self.connection {
            Connection::None => false,
            Connection::Asking(url, progress) => {
                let Poll::Ready(url) = url.as_mut().poll(cx) else { return false };
                let progress = progress.clone();
                match url {
                    Ok(url) => self.dial(url, progress, now),
                    Err(problem) => self.connect_failed(now, ConnectError::Endpoint(problem)),
                }
                true
            }
            Connection::Connecting(connecting) => {
                let Poll::Ready(result) = connecting.as_mut().poll(cx) else { return false };
                match result {
                    Ok(socket) => {
                        self.connection = Connection::Open(socket, None);
                        self.session.handle_connected(now);
                    }
                    Err(error) => self.connect_failed(now, error),
                }
                true
            }
            Connection::Open(..) => self.receive_frames(cx, now),
        }
    }

    fn receive_frames(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let behind = std::mem::take(&mut self.behind);
        for count in 0..FRAMES_A_ROUND {
            let Connection::Open(socket, _) = &mut self.connection else { return count > 0 };
            match socket.poll_receive(cx) {
                Poll::Ready(Ok(frame)) => {
                    self.handles.observed.tell(|| Observation::received(&frame));
                    self.session.handle_frame(now, frame);
                }
                Poll::Ready(Err(reason)) => self.disconnected(reason),
                Poll::Pending => return count > 0,
            }
            self.carry_out(cx);
        }
        self.behind = behind + 1;
        true
    }

    fn read_mail(&mut self, now: Instant) -> bool {
        // What a panic left is read first.
        if self.mail.is_empty() {
            self.mailbox.take(&mut self.mail);
        }
        let busy = !self.mail.is_empty();
        while let Some(mail) = self.mail.pop_front() {
            self.read_one(now, mail);
        }
        busy
    }

    fn read_one(&mut self, now: Instant, mail: Mail) {
        let command = match mail {
            Mail::Command(command) => {
                if let Command::Unsubscribe(consumer) = command {
                    self.handles.consumers.remove(consumer);
                }
                command
            }
            // A call whose future is gone already is never sent.
            Mail::Submit { outcome, .. } if outcome.is_canceled() => return,
            Mail::Submit { id, work, timeout, outcome } => {
                self.handles.calls.insert(id, outcome);
                Command::Submit { id, work, timeout }
            }
            Mail::Batch { id, work, timeout, outcomes } => {
                for (id, outcome) in outcomes {
                    self.handles.calls.insert(id, outcome);
                }
                Command::Submit { id, work, timeout }
            }
            Mail::Subscribe { consumer, channel, queue, confirmed, anew } => {
                let entry =
                    Consumer { channel: channel.clone(), queue, confirmed: Some(confirmed), fed: false };
                self.handles.consumers.insert(consumer, entry);
                self.session.handle_command(now, Command::Subscribe(consumer, channel));
                if !anew {
                    return;
                }
                Command::Renew(consumer)
            }
            Mail::Messages(queue) => return add(&mut self.handles.messages, queue, is_read),
            Mail::Events(queue) => return add(&mut self.handles.events, queue, is_read),
            Mail::Ready(tell) => {
                self.publish();
                add(&mut self.handles.ready, tell, |tell| !tell.is_canceled());
                return self.handles.announce(&self.session.state());
            }
            Mail::End(tell) => return add(&mut self.handles.end, tell, |tell| !tell.is_canceled()),
            Mail::Alarm(after, bell) => return self.handles.bells.set(now + after, bell),
        };
        if let Command::Cancel(id) = &command {
            self.handles.calls.remove(*id);
        }
        self.session.handle_command(now, command);
    }

    fn notice(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let Poll::Ready(signal) = self.platform.poll_signal(cx) else { return false };
        self.session.handle_signal(now, signal);
        true
    }

    fn prepare(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let Connection::Open(_, preparation) = &mut self.connection else { return false };
        let Some(Poll::Ready(request)) = preparation.as_mut().map(|request| request.poll_unpin(cx)) else {
            return false;
        };
        *preparation = None;
        self.session.handle_prepared(now, request);
        true
    }

    fn keep_time(&mut self, cx: &mut Context<'_>) -> bool {
        let deadlines = [self.session.poll_timeout(), self.handles.bells.next()];
        let Some(deadline) = deadlines.into_iter().flatten().min() else { return false };
        let due = self.platform.poll_sleep(cx, deadline).is_ready();
        if due {
            let now = self.platform.now();
            self.session.handle_timeout(now);
            self.handles.bells.ring(now);
        }
        due
    }

    fn carry_out(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        let mut published = false;
        while let Some(effect) = self.session.poll_effect() {
            busy = true;
            match effect {
                Effect::Connect(progress) => self.connect(progress),
                Effect::Drop => self.hang_up(cx),
                Effect::Prepare(request) => {
                    if let Connection::Open(_, preparation) = &mut self.connection {
                        *preparation = Some(request);
                    }
                }
                Effect::Deliver(consumer, payload) => self.deliver(consumer, payload),
                news => {
                    if let Effect::Event(Event::Disconnected(reason)) = &news {
                        self.mailbox.note_disconnect(reason.clone());
                    }
                    // Whoever is woken by it may ask at once, in another thread, where the connection is.
                    if !std::mem::replace(&mut published, true) {
                        self.publish();
                    }
                    self.handles.carry_out(news);
                }
            }
        }
        busy
    }

    fn publish(&self) {
        let stats = self.session.stats();
        self.handles.observed.tell(|| Observation::Stats(&stats));
        self.mailbox.publish(self.session.state(), stats);
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> bool {
        let mut busy = false;
        loop {
            let Connection::Open(socket, _) = &mut self.connection else { return busy };
            match socket.poll_ready(cx) {
                Poll::Ready(Ok(())) => self.session.handle_writable(self.platform.now(), true),
                Poll::Ready(Err(reason)) => {
                    self.disconnected(reason);
                    return true;
                }
                Poll::Pending => {
                    self.session.handle_writable(self.platform.now(), false);
                    return busy;
                }
            }
            // What is returned counts as sent, so it is asked for only now that there is room.
            let frame = self.session.poll_transmit(self.platform.now());
            let result = match frame {
                Some(frame) => {
                    self.handles.observed.tell(|| Observation::sent(&frame));
                    socket.send(frame).map(|()| true)
                }
                None => match socket.poll_flush(cx) {
                    Poll::Ready(Err(reason)) => Err(reason),
                    Poll::Ready(Ok(())) | Poll::Pending => Ok(false),
                },
            };
            busy |= self.carry_out(cx);
            match result {
                Ok(true) => busy = true,
                Ok(false) => return busy,
                Err(reason) => {
                    self.disconnected(reason);
                    return true;
                }
            }
        }
    }

    fn connect(&mut self, progress: Progress) {
        match &self.config.endpoint {
            Endpoint::Fixed(url) => self.dial(url.clone(), progress, self.platform.now()),
            Endpoint::Provider(provider) => self.connection = Connection::Asking(provider(), progress),
        }
    }

    fn dial(&mut self, url: Url, progress: Progress, now: Instant) {
        if let Err(error) = self.config.check_plaintext(&url) {
            return self.connect_failed(now, error.into());
        }
        #[cfg(feature = "record")]
        self.session.dial(now, &url);
        let attempt = Attempt { url, config: self.config.clone(), progress };
        self.connection = Connection::Connecting(Box::pin(self.platform.connect(attempt)));
    }

    fn connect_failed(&mut self, now: Instant, error: ConnectError) {
        self.connection = Connection::None;
        self.session.handle_connect_failed(now, error);
    }

    fn disconnected(&mut self, reason: Disconnect) {
        self.connection = Connection::None;
        self.session.handle_disconnected(self.platform.now(), reason);
    }

    fn hang_up(&mut self, cx: &mut Context<'_>) {
        if let Connection::Open(socket, _) = &mut self.connection {
            // The answer to the peer's close frame may still be here. The connection is over either way.
            let _ = socket.poll_flush(cx);
        }
        self.connection = Connection::None;
    }

    fn deliver(&mut self, id: ConsumerId, payload: Payload) {
        let Some(consumer) = self.handles.consumers.get_mut(id) else { return };
        if !consumer.receive(payload, &self.handles.observed) {
            self.handles.consumers.remove(id);
            self.session.handle_command(self.platform.now(), Command::Unsubscribe(id));
        }
    }

    /// Says goodbye to every handle.
    fn finish(&mut self, ended: &Ended) {
        while let Some(effect) = self.session.poll_effect() {
            self.handles.carry_out(effect);
        }
        for mail in self.mailbox.close(ended.clone()) {
            self.handles.turn_away(mail, ended);
        }
        self.handles.finish(ended);
    }
}

impl<L: Platform, P: Protocol> Future for Driver<L, P> {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let this = self.get_mut();
        this.broken = true;
        this.mailbox.register(cx.waker());
        this.session.start(this.platform.now());
        // A runtime may ration what one poll reads and writes: a flood must not use it up before anything is written.
        this.read_mail(this.platform.now());
        this.carry_out(cx);
        this.transmit(cx);
        let mut busy = true;
        for _ in 0..ROUNDS_A_POLL {
            busy = this.round(cx);
            if !busy {
                break;
            }
        }
        this.publish();
        this.broken = false;
        if let State::Ended(ended) = this.session.state() {
            this.finish(&ended);
            return Poll::Ready(ended);
        }
        if busy {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<L: Platform, P: Protocol> Drop for Driver<L, P> {
    fn drop(&mut self) {
        if cfg!(panic = "unwind") && self.broken {
            // A panic in here would end the program.
            if self.mailbox.ended().is_none() {
                self.give_up(&Ended::Abandoned);
            }
            return;
        }
        if matches!(self.session.state(), State::Ended(_)) {
            return;
        }
        self.session.handle_abandoned(self.platform.now());
        self.finish(&Ended::Abandoned);
    }
}

impl Handles {
    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Settle(id, outcome) => {
                if let Some(tell) = self.calls.remove(id) {
                    let _ = tell.send(outcome);
                }
            }
            Effect::Deliver(consumer, payload) => {
                if let Some(consumer) = self.consumers.get_mut(consumer) {
                    consumer.receive(payload, &self.observed);
                }
            }
            Effect::Tell(consumer, note) => {
                if let Some(consumer) = self.consumers.get_mut(consumer) {
                    let channel = &consumer.channel;
                    self.observed.tell(|| Observation::Subscription { channel, note: &note });
                    consumer.hear(note);
                }
            }
            Effect::Unmatched(unmatched) => fan_out(&mut self.messages, unmatched),
            Effect::Event(event) => {
                self.observed.tell(|| Observation::Event(&event));
                if let Event::State(state) = &event {
                    self.announce(state);
                }
                fan_out(&mut self.events, event);
            }
            Effect::Connect(_) | Effect::Drop | Effect::Prepare(_) => {}
        }
    }

    /// All calls end in this way.
    fn settle(&mut self, outcome: &Unknown) {
        for tell in std::mem::take(&mut self.calls).into_values() {
            let _ = tell.send(Err(outcome.clone().into()));
        }
    }

    /// Tells those who wait for the connection to be live.
    fn announce(&mut self, state: &State) {
        if let State::Live = state {
            for tell in self.ready.drain(..) {
                let _ = tell.send(());
            }
        }
    }

    /// Answers mail that came after the end.
    fn turn_away(&mut self, mail: Mail, ended: &Ended) {
        let not_sent = || NotSent::Ended(ended.clone());
        match mail {
            Mail::Command(_) | Mail::Alarm(..) => {}
            Mail::Submit { outcome, .. } => drop(outcome.send(Err(not_sent().into()))),
            Mail::Batch { outcomes, .. } => {
                outcomes.into_iter().for_each(|(_, tell)| drop(tell.send(Err(not_sent().into()))));
            }
            Mail::Subscribe { queue, confirmed, .. } => {
                queue.end();
                let _ = confirmed.send(Err(not_sent().into()));
            }
            Mail::Messages(queue) => queue.end(),
            Mail::Events(queue) => queue.end(),
            // That it is dropped says enough.
            Mail::Ready(_) | Mail::End(_) => {}
        }
    }

    fn finish(&mut self, ended: &Ended) {
        for consumer in std::mem::take(&mut self.consumers).into_values() {
            if let Some(tell) = consumer.confirmed {
                let _ = tell.send(Err(NotSent::Ended(ended.clone()).into()));
            }
            consumer.queue.end();
        }
        self.messages.drain(..).for_each(|queue| queue.end());
        self.events.drain(..).for_each(|queue| queue.end());
        // The mailbox says why to those who hear no more.
        self.ready.clear();
        self.end.clear();
        self.bells = Bells::default();
    }
}

impl Consumer {
    /// Takes data. Whether more is wanted.
    #[inline]
    fn receive(&mut self, payload: Payload, observed: &Observed) -> bool {
        self.fed = true;
        if !observed.is_heard() {
            return self.queue.push(payload);
        }
        let before = self.queue.dropped();
        let more = self.queue.push(payload);
        let lost = self.queue.dropped() - before;
        let (channel, waiting) = (&self.channel, self.queue.len());
        observed.tell(|| Observation::Delivered { channel, waiting, lost });
        more
    }

    fn hear(&mut self, note: Note) {
        match (note, self.confirmed.take()) {
            (Note::Confirmed, Some(tell)) => drop(tell.send(Ok(Payload::default()))),
            (Note::Refused(reason), Some(tell)) => {
                drop(tell.send(Err(Error::Refused { channel: self.channel.clone(), reason })));
            }
            (note, waiting) => {
                self.confirmed = waiting;
                match note {
                    Note::Confirmed => {}
                    Note::Interrupted(reason) => self.queue.interrupt(reason),
                    Note::Renewing => self.queue.renew(),
                    Note::Resumed => self.queue.resume(),
                    Note::Refused(reason) => self.queue.refuse(reason),
                }
            }
        }
    }
}

/// Gives an item to every queue that still has a reader.
fn fan_out<T: Clone + Weight>(queues: &mut Vec<Arc<Queue<T>>>, item: T) {
    queues.retain(|queue| is_read(queue) && queue.push(item.clone()));
}

/// Whether the other end still exists.
fn is_read<T>(queue: &Arc<Queue<T>>) -> bool {
    Arc::strong_count(queue) > 1
}
