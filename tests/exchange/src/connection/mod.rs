//! One connection: frames in, frames out, faults and timers in between.

pub(crate) mod ending;
pub(crate) mod heartbeat;
mod misbehave;
pub(crate) mod outbox;
mod pipe;
mod replies;
pub(crate) mod seat;

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::{Error, Message};

use self::ending::{Closed, Ending, How};
use self::heartbeat::{Beat, Heartbeat};
use self::outbox::{Inbox, Item, Order};
use self::pipe::{Event, Pipe};
use self::replies::Replies;
use self::seat::{Lease, Seat};
use crate::channels::Ticket;
use crate::faults::mischief::Mischief;
use crate::rpc::envelope;
use crate::rpc::session::{Reaction, Session};
use crate::server::wire::Wire;

/// Frames given to the socket before it is flushed.
const BATCH: usize = 64;

/// A stalled connection that nobody resumes ends after this, so that it does not stay for ever.
const LONGEST_STALL: Duration = Duration::from_secs(300);

/// What the loop woke up for.
enum Wake {
    Order(Order),
    Socket(Event),
    Item(Item),
    Time,
}

/// Ends the loop: `None` when the peer already ended the connection.
type Flow = ControlFlow<(Option<How>, Closed)>;

struct Connection {
    session: Session,
    pipe: Pipe,
    inbox: Inbox,
    replies: Replies,
    /// The end is decided; nothing more is answered.
    closing: bool,
    stalled: Option<Instant>,
}

/// Serves one upgraded connection to its end, and writes it into the journal.
pub(crate) async fn serve(socket: WebSocketStream<Wire>, seat: Seat) {
    let (mut connection, lease) = Connection::new(socket, seat);
    let (how, why) = connection.run().await;
    connection.leave_channels();
    lease.end(why);
    if let Some(how) = how {
        connection.pipe.end(how).await;
    }
}

/// Ends a connection that has only just been upgraded.
pub(crate) async fn dismiss(socket: WebSocketStream<Wire>, seat: Seat, ending: Ending) {
    seat.lease.end(ending.why);
    Pipe::new(socket).end(ending.how).await;
}

impl Connection {
    fn new(socket: WebSocketStream<Wire>, seat: Seat) -> (Self, Lease) {
        let Seat { ip, handle, inbox, faults, lease } = seat;
        let mut mischief = Mischief::default();
        for fault in faults {
            mischief.plan(fault);
        }
        let state = lease.state.clone();
        let heartbeat = Heartbeat::new(state.settings.second, Instant::now());
        let rng = state.luck(handle.number());
        let session = Session {
            state,
            ip,
            handle,
            channels: Default::default(),
            heartbeat,
            mischief,
            rng,
            login: None,
        };
        let connection = Self {
            session,
            pipe: Pipe::new(socket),
            inbox,
            replies: Replies::default(),
            closing: false,
            stalled: None,
        };
        (connection, lease)
    }

    async fn run(&mut self) -> (Option<How>, Closed) {
        loop {
            let wake = self.wake().await;
            let flow = match wake {
                Wake::Order(order) => self.obey(order),
                Wake::Socket(event) => self.on_socket(event),
                Wake::Item(item) => self.write_batch(item),
                Wake::Time => self.on_time(),
            };
            if let ControlFlow::Break(end) = flow {
                return end;
            }
        }
    }

    async fn wake(&mut self) -> Wake {
        let deadline = self.deadline();
        let pipe = &mut self.pipe;
        let Inbox { items, orders, postponed } = &mut self.inbox;
        let clear = pipe.is_clear();
        if let Some(order) = postponed.take_if(|_| clear) {
            return Wake::Order(order);
        }
        let rest = async {
            // None of these may starve the others, so which goes first is left to chance.
            tokio::select! {
                event = poll_fn(|cx| pipe.poll(cx)) => Wake::Socket(event),
                Some(item) = items.recv(), if clear => Wake::Item(item),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => Wake::Time,
            }
        };
        // An order given before a request was sent is obeyed before the request is answered.
        tokio::select! {
            biased;
            Some(order) = orders.recv() => Wake::Order(order),
            wake = rest => wake,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if let Some(since) = self.stalled {
            return Some(since + LONGEST_STALL);
        }
        let subscribed = !self.session.channels.is_empty();
        let heartbeat = self.session.heartbeat.deadline(subscribed);
        heartbeat.into_iter().chain(self.replies.deadline()).min()
    }

    fn on_socket(&mut self, event: Event) -> Flow {
        match event {
            Event::Written(Ok(())) => Flow::Continue(()),
            Event::Read(Some(Ok(message))) => self.on_message(message),
            Event::Read(Some(Err(error))) if is_bad_frame(&error) => end(Ending::bad_frame(&error)),
            Event::Written(Err(_)) | Event::Read(Some(Err(_)) | None) => Flow::Break((None, Closed::Lost)),
        }
    }

    fn on_message(&mut self, message: Message) -> Flow {
        match message {
            Message::Text(text) => self.on_request(text.as_str()),
            // Text only, says the venue: a binary frame is no JSON, whatever is in it.
            Message::Binary(_) => self.on_request(""),
            Message::Close(frame) => {
                // The socket answers the close by itself while it is read to its end.
                let why = Closed::ByClient(frame.map(|frame| frame.code.into()));
                return Flow::Break((Some(How::Fin), why));
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                self.session.heartbeat.heard(Instant::now());
            }
        }
        Flow::Continue(())
    }

    fn on_request(&mut self, text: &str) {
        if self.closing {
            return;
        }
        let now = Instant::now();
        let mut reaction = self.session.receive(text, now);
        let (end, command) = (reaction.end.take(), reaction.command.take());
        let joins = std::mem::take(&mut reaction.joins);
        self.closing = end.is_some();
        if reaction.delay.is_zero() {
            self.reply(&reaction);
            self.join(joins);
        } else {
            // The first frames of the channels overtake the acknowledgement.
            self.join(joins);
            self.replies.hold(now + reaction.delay, reaction.reply, reaction.copies);
        }
        let orders = command.map(Order::Run).into_iter().chain(end.map(Order::End));
        orders.for_each(|order| self.session.handle.send(Item::Then(order)));
    }

    fn reply(&self, reaction: &Reaction) {
        for _ in 0..reaction.copies {
            self.session.handle.send_text(reaction.reply.clone());
        }
    }

    fn join(&self, tickets: Vec<Ticket>) {
        let state = &self.session.state;
        let mut floor = state.floor();
        for ticket in tickets {
            floor.join(ticket, &self.session.handle, state.clock.millis());
        }
    }

    fn leave_channels(&self) {
        let mut floor = self.session.state.floor();
        let number = self.session.handle.number();
        self.session.channels.iter().for_each(|(name, owner)| floor.leave(name, *owner, number));
    }

    fn on_time(&mut self) -> Flow {
        if self.stalled.is_some() {
            return end(Ending::fault(How::Reset, "stall"));
        }
        let now = Instant::now();
        for text in self.replies.due(now) {
            self.session.handle.send_text(text);
        }
        match self.session.heartbeat.poll(now, !self.session.channels.is_empty()) {
            Some(Beat::Ask { quiet }) => self.ask(quiet),
            Some(Beat::Unanswered) => return end(Ending::heartbeat()),
            Some(Beat::Idle) => return end(Ending::idle()),
            None => {}
        }
        Flow::Continue(())
    }

    fn ask(&mut self, quiet: bool) {
        for kind in quiet.then_some("heartbeat").into_iter().chain(["test_request"]) {
            let params = format!("{{\"type\":\"{kind}\"}}");
            let text = envelope::notification("heartbeat", params, &mut self.session.rng);
            self.session.handle.send_text(text);
        }
    }

    fn write_batch(&mut self, first: Item) -> Flow {
        let mut next = Some(first);
        for left in (0..BATCH).rev() {
            match next {
                Some(Item::Then(order)) if self.pipe.is_clear() => return self.obey(order),
                // What must follow the frames waits for them at the head of the line.
                Some(Item::Then(order)) => {
                    self.inbox.postponed = Some(order);
                    break;
                }
                Some(item) => self.write(item),
                None => break,
            }
            // What is taken out here must be written here.
            next = if left > 0 { self.inbox.items.try_recv().ok() } else { None };
        }
        Flow::Continue(())
    }

    fn write(&mut self, item: Item) {
        match item {
            Item::Update { channel, opens, text } => {
                if !self.session.mischief.loses(&channel, opens) {
                    self.session.heartbeat.spoke();
                    self.pipe.push(Message::Text(text));
                }
            }
            Item::Answer { text, number } => self.write_answer(text, number),
            Item::Text(text) => self.pipe.push(Message::Text(text)),
            Item::Then(_) => {}
        }
    }

    /// An answer of the matching engine meets the same fates as any other reply.
    fn write_answer(&mut self, text: String, number: u64) {
        let fate = self.session.answer_fate();
        if fate.copies == 0 {
            return;
        }
        let state = &self.session.state;
        state.floor().ledger.answered(number, state.clock.uptime());
        if fate.delay.is_zero() {
            (0..fate.copies).for_each(|_| self.pipe.push(Message::text(text.clone())));
        } else {
            self.replies.hold(Instant::now() + fate.delay, text, fate.copies);
        }
    }

    fn obey(&mut self, order: Order) -> Flow {
        match order {
            // A client cannot read from a connection that stands still.
            Order::End(ending) if self.pipe.is_stalled() && ending.why == Closed::TooSlow => {
                self.inbox.postponed = Some(Order::End(ending));
            }
            Order::End(ending) => return end(ending),
            Order::Run(command) => self.session.state.run(command),
            Order::Misbehave(fault) => {
                if let Some(now) = self.session.mischief.plan(fault) {
                    return self.misbehave(now);
                }
            }
        }
        Flow::Continue(())
    }
}

/// Whether the client broke the WebSocket protocol, rather than the connection.
fn is_bad_frame(error: &Error) -> bool {
    let torn = matches!(error, Error::Protocol(ProtocolError::ResetWithoutClosingHandshake));
    !torn && matches!(error, Error::Protocol(_) | Error::Capacity(_) | Error::Utf8(_))
}

fn end(ending: Ending) -> Flow {
    Flow::Break((Some(ending.how), ending.why))
}
