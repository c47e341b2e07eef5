//! The bytes under a WebSocket: plain TCP or TLS.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::inspect::{Inspector, Step};
use crate::config::Config;

/// Either kind of connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that lets only good frames through, and does not lose what the peer said last.
///
/// A server that closes with a reason and hangs up makes our next write fail while its close frame still waits to be
/// read. So a failed write stays pending, and reading reports the failure once nothing more can be read.
pub(super) struct Inspected {
    stream: Box<dyn Stream>,
    failed: Option<io::Error>,
    /// What was read, and the part of it that is still to be inspected.
    buffer: Vec<u8>,
    unread: Range<usize>,
    pub(super) inspector: Inspector,
}

impl Inspected {
    /// Takes a stream behind the upgrade, and the frames that came with the upgrade.
    pub(super) fn new(stream: Box<dyn Stream>, first: Vec<u8>, config: &Config) -> Self {
        let unread = 0..first.len();
        let mut buffer = first;
        buffer.resize(unread.len().max(config.read_buffer), 0);
        Self { stream, failed: None, buffer, unread, inspector: Inspector::new(config.max_message) }
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

    /// Reads into the empty buffer; whether anything came before the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut buf = ReadBuf::new(&mut self.buffer);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buf) {
            Poll::Pending => match self.failed.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending,
            },
            Poll::Ready(result) => {
                self.unread = 0..buf.filled().len();
                Poll::Ready(result.map(|()| !self.unread.is_empty()))
            }
        }
    }
}

impl AsyncRead for Inspected {
    /// A breach of the protocol is an error of kind `InvalidData`; the inspector has it.
    ///
    /// It is pending when a held ping is complete too: whoever holds pings must look for one then.
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.unread.is_empty() && !ready!(self.poll_fill(cx))? {
                return Poll::Ready(Ok(()));
            }
            let this = &mut *self;
            let end = this.unread.end.min(this.unread.start + buf.remaining());
            let bytes = &this.buffer[this.unread.start..end];
            match this.inspector.inspect(bytes) {
                Step::Pass(length) => {
                    buf.put_slice(&bytes[..length]);
                    this.unread.start += length;
                    return Poll::Ready(Ok(()));
                }
                Step::Hold(length) => {
                    this.unread.start += length;
                    if this.inspector.has_held() {
                        return Poll::Pending;
                    }
                }
                Step::Refuse(breach) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, breach.problem)));
                }
            }
        }
    }
}

impl AsyncWrite for Inspected {
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
