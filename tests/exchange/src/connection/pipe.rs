//! The socket of one connection: reads and writes at once, and can stand still on command.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::ending::How;
use crate::server::wire::Wire;

/// How long a peer may take to take part in an end.
const FAREWELL: Duration = Duration::from_millis(500);

/// A control frame holds 125 bytes, of which the code takes two.
const MAX_REASON: usize = 123;

/// What happened on the socket.
#[derive(Debug)]
pub(crate) enum Event {
    /// A frame came in, or reading failed or ended.
    Read(Option<Result<Message, Error>>),
    /// Everything given so far is written, or writing failed.
    Written(Result<(), Error>),
}

/// A WebSocket with frames on their way out.
pub(crate) struct Pipe {
    socket: WebSocketStream<Wire>,
    outgoing: VecDeque<Message>,
    dirty: bool,
    stalled: bool,
}

impl Pipe {
    pub(crate) fn new(socket: WebSocketStream<Wire>) -> Self {
        Self { socket, outgoing: VecDeque::new(), dirty: false, stalled: false }
    }

    pub(crate) fn push(&mut self, message: Message) {
        self.outgoing.push_back(message);
        self.dirty = true;
    }

    /// Whether there is nothing left to write.
    pub(crate) fn is_clear(&self) -> bool {
        !self.dirty && !self.stalled
    }

    /// A stalled pipe neither reads nor writes, while TCP stays up.
    pub(crate) fn stall(&mut self, stalled: bool) {
        self.stalled = stalled;
    }

    pub(crate) fn is_stalled(&self) -> bool {
        self.stalled
    }

    /// The next event. Safe to drop between polls.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if self.stalled {
            return Poll::Pending;
        }
        if self.dirty
            && let Poll::Ready(result) = self.poll_write(cx)
        {
            self.dirty = false;
            return Poll::Ready(Event::Written(result));
        }
        self.socket.poll_next_unpin(cx).map(Event::Read)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while !self.outgoing.is_empty() {
            ready!(self.socket.poll_ready_unpin(cx))?;
            if let Some(message) = self.outgoing.pop_front() {
                self.socket.start_send_unpin(message)?;
            }
        }
        self.socket.poll_flush_unpin(cx)
    }

    /// Writes what is left, for a short time, then ends the connection.
    pub(crate) async fn end(mut self, how: How) {
        match how {
            How::Reset => self.socket.get_mut().reset_on_drop(),
            How::Fin => {
                let _late = tokio::time::timeout(FAREWELL, self.finish()).await;
            }
            How::Frame(code, reason) => {
                let frame = CloseFrame { code: code.into(), reason: short(&reason).into() };
                self.push(Message::Close(Some(frame)));
                let _late = tokio::time::timeout(FAREWELL, self.farewell()).await;
            }
        }
    }

    /// Flushes, ends the sending side, and reads on so that unread bytes do not turn the end into a reset.
    async fn finish(&mut self) {
        let _broken = std::future::poll_fn(|cx| self.poll_write(cx)).await;
        let tcp = self.socket.get_mut().tcp_mut();
        let _gone = tcp.shutdown().await;
        let mut rest = [0; 4_096];
        while matches!(tcp.read(&mut rest).await, Ok(1..)) {}
    }

    /// Sends the close frame and waits for the peer's, then for the end of TCP.
    async fn farewell(&mut self) {
        let _broken = std::future::poll_fn(|cx| self.poll_write(cx)).await;
        while let Some(Ok(_)) = self.socket.next().await {}
        self.finish().await;
    }
}

/// As much of a reason as a close frame holds.
fn short(reason: &str) -> &str {
    let mut end = reason.len().min(MAX_REASON);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}
