//! An open WebSocket over tungstenite's framing.

use std::fmt;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::frame::Frame as RawFrame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::{CloseFrame as RawCloseFrame, Role, WebSocketConfig};

use super::dial::patience;
use super::stream::{Inspected, Stream};
use crate::config::Config;
use crate::error::Disconnect;
use crate::frame::{CloseCode, CloseFrame, Frame, Message, Text};
use crate::transport::Socket;

/// How much may gather before it is written without waiting for the flush, in bytes.
const WRITE_BUFFER: usize = 64 * 1024;

/// An open connection of the [`Native`](super::Native) platform.
///
/// When the connection breaks, `poll_receive` says why, after all that came before; until then sending waits.
pub struct NativeSocket {
    stream: WebSocketStream<Inspected>,
    /// The answer to a ping waits in the write buffer. Until it left, no other joins it: a peer that floods us with
    /// pings and reads nothing costs two pongs.
    answering: bool,
    /// The newest ping that came meanwhile, which is the one to answer (RFC 6455 section 5.5.3).
    unanswered: Option<Bytes>,
    /// The peer's close frame, once it came.
    closed: Option<Option<CloseFrame>>,
    /// How long the operating system waits for an acknowledgement: see `dial`.
    patience: Option<Duration>,
}

impl NativeSocket {
    /// Wraps a stream on which the upgrade is done; `first` is what came behind its head.
    pub(super) async fn new(stream: Box<dyn Stream>, first: Vec<u8>, config: &Config) -> Self {
        // No cap on the write buffer: at it tungstenite refuses a message for good, one that is larger than the cap
        // even when the buffer is empty. `poll_ready` bounds our frames, and of pongs there is one.
        let limits = WebSocketConfig::default()
            .read_buffer_size(config.read_buffer)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(config.max_message))
            .max_frame_size(Some(config.max_message));
        let stream = Inspected::new(stream, first, config);
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, Some(limits)).await;
        Self { stream, answering: false, unanswered: None, closed: None, patience: patience(config) }
    }
}

impl Socket for NativeSocket {
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Frame, Disconnect>> {
        if self.answering {
            // A failure is reported by reading, after what is still to be read.
            let _ = self.poll_flush(cx);
        }
        let frame = match self.stream.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(message))) => self.receive(cx, message),
            Poll::Ready(Some(Err(error))) => Err(self.fail(cx, error)),
            Poll::Ready(None) => Err(self.ended("the connection is closed")),
            Poll::Pending => match self.stream.get_mut().inspector.take_held() {
                Some(payload) => Ok(self.hold(payload.into())),
                None => return Poll::Pending,
            },
        };
        Poll::Ready(frame)
    }

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        self.stream.poll_ready_unpin(cx).map_err(|error| self.ended(error))
    }

    fn send(&mut self, frame: Frame) -> Result<(), Disconnect> {
        let raw = match frame {
            // As raw frames, because tungstenite's text type would check the UTF-8 again, and its pong would take
            // the place of an automatic one.
            Frame::Message(Message::Text(text)) => data(Data::Text, text.into_bytes()),
            Frame::Message(Message::Binary(bytes)) => data(Data::Binary, bytes),
            Frame::Ping(payload) => tungstenite::Message::Ping(payload),
            Frame::Pong(payload) => pong(payload),
            // The answer to the peer's close frame left when that was received.
            Frame::Close(_) if self.closed.is_some() => return Ok(()),
            Frame::Close(frame) => tungstenite::Message::Close(frame.map(into_raw)),
        };
        self.stream.start_send_unpin(raw).map_err(|error| self.ended(error))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Disconnect>> {
        loop {
            ready!(self.stream.poll_flush_unpin(cx)).map_err(|error| self.ended(error))?;
            // The answer left. Behind a close frame there are no others.
            let Some(payload) = self.unanswered.take() else { break };
            if self.stream.start_send_unpin(pong(payload)).is_err() {
                break;
            }
        }
        self.set_answering(false);
        Poll::Ready(Ok(()))
    }
}

impl NativeSocket {
    fn receive(&mut self, cx: &mut Context<'_>, message: tungstenite::Message) -> Result<Frame, Disconnect> {
        match message {
            tungstenite::Message::Text(text) => match Text::try_from(Bytes::from(text)) {
                Ok(text) => Ok(Frame::Message(Message::Text(text))),
                Err(error) => Err(self.violation(cx, CloseCode::INVALID_DATA, error)),
            },
            tungstenite::Message::Binary(bytes) => Ok(Frame::Message(Message::Binary(bytes))),
            tungstenite::Message::Ping(payload) => {
                // tungstenite answers it at the next flush.
                self.set_answering(true);
                let _ = self.poll_flush(cx);
                Ok(Frame::Ping(payload))
            }
            tungstenite::Message::Pong(payload) => Ok(Frame::Pong(payload)),
            tungstenite::Message::Close(frame) => Ok(self.receive_close(cx, frame)),
            // tungstenite gives raw frames to nobody; should that change, this is the honest answer.
            tungstenite::Message::Frame(_) => {
                Err(self.violation(cx, CloseCode::PROTOCOL_ERROR, "a frame of an unknown kind"))
            }
        }
    }

    /// tungstenite has queued the answer; it is sent here, because the connection may be dropped before the next
    /// flush.
    fn receive_close(&mut self, cx: &mut Context<'_>, frame: Option<RawCloseFrame>) -> Frame {
        let seen = || frame.map(|raw| CloseFrame::new(CloseCode(raw.code.into()), raw.reason.as_str()));
        let frame = self.stream.get_ref().inspector.closed().cloned().unwrap_or_else(seen);
        self.closed = Some(frame.clone());
        let _ = self.stream.poll_flush_unpin(cx);
        Frame::Close(frame)
    }

    /// A ping that came while the answer to another one waits.
    fn hold(&mut self, payload: Bytes) -> Frame {
        self.unanswered = Some(payload.clone());
        Frame::Ping(payload)
    }

    fn set_answering(&mut self, answering: bool) {
        self.answering = answering;
        self.stream.get_mut().inspector.hold_pings(answering);
    }

    /// Why reading failed.
    fn fail(&mut self, cx: &mut Context<'_>, error: tungstenite::Error) -> Disconnect {
        if self.closed.is_some() {
            return self.ended(error);
        }
        if let Some(breach) = self.stream.get_ref().inspector.breach() {
            return self.violation(cx, breach.code, breach.problem);
        }
        match error {
            tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                self.ended("the server ended the connection")
            }
            // The inspector found nothing; tungstenite is believed.
            tungstenite::Error::Protocol(problem) => self.violation(cx, CloseCode::PROTOCOL_ERROR, problem),
            tungstenite::Error::Capacity(problem) => self.violation(cx, CloseCode::TOO_BIG, problem),
            tungstenite::Error::Utf8(problem) => self.violation(cx, CloseCode::INVALID_DATA, problem),
            tungstenite::Error::Io(error) => match self.patience {
                Some(patience) if error.kind() == io::ErrorKind::TimedOut => Disconnect::Stalled(patience),
                _ => self.ended(error),
            },
            // None of these comes from reading frames.
            tungstenite::Error::ConnectionClosed
            | tungstenite::Error::AlreadyClosed
            | tungstenite::Error::WriteBufferFull(_)
            | tungstenite::Error::Tls(_)
            | tungstenite::Error::AttackAttempt
            | tungstenite::Error::Url(_)
            | tungstenite::Error::Http(_)
            | tungstenite::Error::HttpFormat(_) => self.ended(error),
        }
    }

    /// The peer broke the protocol. It is told so if the socket takes the frame at once.
    fn violation(&mut self, cx: &mut Context<'_>, code: CloseCode, problem: impl fmt::Display) -> Disconnect {
        let _ = self.send(Frame::Close(Some(CloseFrame::new(code, ""))));
        let _ = self.stream.poll_flush_unpin(cx);
        Disconnect::Violation { code, problem: problem.to_string() }
    }

    /// The connection is over: by the peer's close frame when there was one.
    fn ended(&self, problem: impl fmt::Display) -> Disconnect {
        match &self.closed {
            Some(frame) => Disconnect::Closed(frame.clone()),
            None => Disconnect::Dropped(problem.to_string()),
        }
    }
}

impl fmt::Debug for NativeSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeSocket").finish_non_exhaustive()
    }
}

fn data(kind: Data, payload: Bytes) -> tungstenite::Message {
    tungstenite::Message::Frame(RawFrame::message(payload, OpCode::Data(kind), true))
}

fn pong(payload: Bytes) -> tungstenite::Message {
    tungstenite::Message::Frame(RawFrame::pong(payload))
}

fn into_raw(frame: CloseFrame) -> RawCloseFrame {
    let CloseFrame { code, reason } = CloseFrame::new(frame.code, frame.reason);
    RawCloseFrame { code: code.0.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};

    use futures::FutureExt;
    use futures::task::noop_waker_ref;
    use proptest::prelude::*;
    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::*;

    /// A peer that sends what it is told to and reads only as much as it is told to.
    #[derive(Clone, Default)]
    struct Peer(Arc<Mutex<Wire>>);

    #[derive(Default)]
    struct Wire {
        to_client: VecDeque<u8>,
        from_client: Vec<u8>,
        window: usize,
        broken: bool,
    }

    impl Peer {
        fn new(window: usize) -> Self {
            Self(Arc::new(Mutex::new(Wire { window, ..Wire::default() })))
        }

        fn wire(&self) -> std::sync::MutexGuard<'_, Wire> {
            self.0.lock().unwrap()
        }

        fn send(&self, bytes: &[u8]) {
            self.wire().to_client.extend(bytes);
        }
    }

    impl AsyncRead for Peer {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let mut wire = self.wire();
            if wire.to_client.is_empty() {
                return Poll::Pending;
            }
            let length = buf.remaining().min(wire.to_client.len());
            buf.put_slice(&wire.to_client.drain(..length).collect::<Vec<_>>());
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Peer {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let mut wire = self.wire();
            if wire.broken {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let length = bytes.len().min(wire.window);
            if length == 0 {
                return Poll::Pending;
            }
            wire.window -= length;
            wire.from_client.extend(&bytes[..length]);
            Poll::Ready(Ok(length))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    async fn socket(peer: &Peer) -> NativeSocket {
        NativeSocket::new(Box::new(peer.clone()), Vec::new(), &Config::new("wss://h").unwrap()).await
    }

    /// How many frames can be received before the socket waits.
    fn drain(socket: &mut NativeSocket) -> usize {
        let mut cx = Context::from_waker(noop_waker_ref());
        std::iter::from_fn(|| socket.poll_receive(&mut cx).is_ready().then_some(())).count()
    }

    fn ping() -> Vec<u8> {
        [&[0x89, 125][..], &[7; 125]].concat()
    }

    #[tokio::test]
    async fn a_ping_flood_from_a_peer_that_does_not_read_costs_two_pongs() {
        let peer = Peer::new(0);
        let mut socket = socket(&peer).await;
        peer.send(&ping().repeat(3000));
        peer.send(&[0x89, 4, b'l', b'a', b's', b't']);
        assert_eq!(drain(&mut socket), 3001, "each ping is a sign of life");
        peer.send(b"\x81\x02hi");
        assert_eq!(drain(&mut socket), 1, "data is not held up");
        peer.wire().window = usize::MAX;
        assert_eq!(drain(&mut socket), 0);
        // The first, which was on its way, and the newest.
        assert_eq!(peer.wire().from_client.len(), 131 + 10);
        peer.send(&ping().repeat(3));
        assert_eq!(drain(&mut socket), 3);
        assert_eq!(peer.wire().from_client.len(), 131 + 10 + 3 * 131, "each is answered again");
    }

    #[tokio::test]
    async fn reading_goes_on_while_writing_is_blocked() {
        let peer = Peer::new(0);
        let mut socket = socket(&peer).await;
        let mut cx = Context::from_waker(noop_waker_ref());
        let large = vec![1; 4 * WRITE_BUFFER];
        assert!(socket.poll_ready(&mut cx).is_ready());
        socket.send(Frame::Message(large.clone().into())).unwrap();
        assert!(socket.poll_ready(&mut cx).is_pending(), "one large frame is enough");
        assert!(socket.poll_flush(&mut cx).is_pending());
        peer.send(b"\x81\x02hi");
        peer.send(&ping());
        assert_eq!(drain(&mut socket), 2);
        peer.wire().window = usize::MAX;
        assert!(socket.poll_flush(&mut cx).is_ready());
        // Header, mask and payload of both frames.
        assert_eq!(peer.wire().from_client.len(), 14 + large.len() + 131);
        assert!(socket.poll_ready(&mut cx).is_ready());
    }

    #[tokio::test]
    async fn small_frames_are_written_together() {
        let peer = Peer::new(usize::MAX);
        let mut socket = socket(&peer).await;
        let mut cx = Context::from_waker(noop_waker_ref());
        for _ in 0..10 {
            assert!(socket.poll_ready(&mut cx).is_ready());
            socket.send(Frame::Message(Bytes::from_static(b"x").into())).unwrap();
        }
        assert_eq!(peer.wire().from_client.len(), 0);
        assert!(socket.poll_flush(&mut cx).is_ready());
        assert_eq!(peer.wire().from_client.len(), 10 * 7);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            frames in prop::collection::vec(
                prop_oneof![
                    Just(ping()),
                    Just(vec![0x01, 2, 0xc3, 0xbc]),
                    Just(vec![0x80, 1, b'x']),
                    Just(vec![0x88, 2, 3, 0xe8]),
                    prop::collection::vec(any::<u8>(), 0..20),
                ],
                0..8,
            ),
            window in 0_usize..400,
        ) {
            let peer = Peer::new(window);
            let mut socket = socket(&peer).now_or_never().unwrap();
            let mut cx = Context::from_waker(noop_waker_ref());
            peer.send(&frames.concat());
            while let Poll::Ready(Ok(_)) = socket.poll_receive(&mut cx) {}
        }
    }

    #[tokio::test]
    async fn a_failed_write_does_not_hide_the_peers_reason() {
        let peer = Peer::new(usize::MAX);
        let mut socket = socket(&peer).await;
        let mut cx = Context::from_waker(noop_waker_ref());
        let mut receive = |socket: &mut NativeSocket| socket.poll_receive(&mut cx);
        peer.wire().broken = true;
        // The answer to the ping fails first, then a frame of ours; the close frame is behind both.
        peer.send(&[&ping()[..], &[0x88, 2, 3, 0xf0]].concat());
        assert!(matches!(receive(&mut socket), Poll::Ready(Ok(Frame::Ping(_)))));
        socket.send(Frame::Message("x".into())).unwrap();
        assert!(socket.poll_flush(&mut Context::from_waker(noop_waker_ref())).is_pending());
        let frame = Some(CloseFrame::new(CloseCode::POLICY_VIOLATION, ""));
        assert_eq!(receive(&mut socket), Poll::Ready(Ok(Frame::Close(frame.clone()))));
        assert_eq!(receive(&mut socket), Poll::Ready(Err(Disconnect::Closed(frame))));
    }

    #[tokio::test]
    async fn a_failed_write_ends_a_ping_flood() {
        let peer = Peer::new(0);
        let mut socket = socket(&peer).await;
        let mut cx = Context::from_waker(noop_waker_ref());
        peer.send(&ping().repeat(10));
        assert_eq!(drain(&mut socket), 10);
        peer.wire().broken = true;
        peer.send(&ping());
        assert!(matches!(socket.poll_receive(&mut cx), Poll::Ready(Ok(Frame::Ping(_)))), "it is read first");
        assert!(matches!(socket.poll_receive(&mut cx), Poll::Ready(Err(Disconnect::Dropped(_)))));
    }

    #[tokio::test]
    async fn a_failed_write_ends_a_connection_on_which_nothing_comes() {
        let peer = Peer::new(usize::MAX);
        let mut socket = socket(&peer).await;
        let mut cx = Context::from_waker(noop_waker_ref());
        peer.wire().broken = true;
        socket.send(Frame::Message("x".into())).unwrap();
        assert!(socket.poll_flush(&mut cx).is_pending());
        assert!(matches!(socket.poll_receive(&mut cx), Poll::Ready(Err(Disconnect::Dropped(_)))));
    }

    #[tokio::test]
    async fn nothing_is_sent_after_the_peers_close() {
        let peer = Peer::new(usize::MAX);
        let mut socket = socket(&peer).await;
        peer.send(&[0x88, 2, 3, 0xe9]);
        assert_eq!(drain(&mut socket), 1);
        let reason = socket.send(Frame::Message("late".into())).unwrap_err();
        assert_eq!(reason, Disconnect::Closed(Some(CloseFrame::new(CloseCode::GOING_AWAY, ""))));
    }
}
