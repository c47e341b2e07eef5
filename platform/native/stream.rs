//! The bytes under a WebSocket: plain TCP or TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::close_code::CloseWatch;
use crate::frame::CloseCode;

/// Either kind of connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that does not lose what the peer said last.
///
/// A server that closes with a reason and hangs up makes our next write fail while its close frame still waits to be
/// read. So a failed write stays pending, and reading reports the failure once nothing more can be read.
pub(super) struct ReadFirst {
    stream: Box<dyn Stream>,
    failed: Option<io::Error>,
    watch: CloseWatch,
}

impl ReadFirst {
    /// Takes a stream behind the upgrade, and the frames that came with the upgrade.
    pub(super) fn new(stream: Box<dyn Stream>, first: &[u8]) -> Self {
        let mut watch = CloseWatch::default();
        watch.handle_bytes(first);
        Self { stream, failed: None, watch }
    }

    /// The status code of the peer's close frame, as it was sent.
    pub(super) fn close_code(&self) -> Option<CloseCode> {
        self.watch.code()
    }

    /// Whether a write failed: everything left is to be read, and nothing will be written.
    pub(super) fn write_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Turns a failure into waiting, and wakes the task so that it reads.
    fn defer<T>(&mut self, cx: &Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match outcome {
            Poll::Ready(Err(error)) => {
                self.failed = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            other => other,
        }
    }
}

impl AsyncRead for ReadFirst {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Pending => match self.failed.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending,
            },
            ready => {
                self.watch.handle_bytes(&buf.filled()[before..]);
                ready
            }
        }
    }
}

impl AsyncWrite for ReadFirst {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.failed.is_some() {
            return Poll::Pending;
        }
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.defer(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.failed.is_some() {
            return Poll::Pending;
        }
        let outcome = Pin::new(&mut self.stream).poll_flush(cx);
        self.defer(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
