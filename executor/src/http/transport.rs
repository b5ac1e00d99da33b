//! `Transport`: a connection below HTTP, on which no write may stand still for too long, and whose end is heard of.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::channel::oneshot;
use hyper::rt::{Read, ReadBufCursor, Write};

use crate::time::{Sleep, sleep};

/// It outlives the HTTP on it if that is upgraded, to a WebSocket say. The limit on writes then stays.
#[derive(Debug)]
pub(super) struct Transport<I> {
    io: I,
    limit: Option<Duration>,
    /// Runs while the client takes nothing of what there is.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Nothing is ever sent: that it goes is the message.
    _here: oneshot::Sender<Infallible>,
}

/// Ready, with an error, once the transport is dropped.
pub(super) type Gone = oneshot::Receiver<Infallible>;

impl<I> Transport<I> {
    pub(super) fn new(io: I, limit: Option<Duration>) -> (Self, Gone) {
        let (here, gone) = oneshot::channel();
        let transport = Self {
            io,
            limit,
            stalled: None,
            _here: here,
        };
        (transport, gone)
    }
}

impl<I: Unpin> Transport<I> {
    /// Polls a way to write. One that waits for as long as the limit fails.
    fn poll_limited<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut I>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let polled = poll(Pin::new(&mut self.io), cx);
        if polled.is_ready() {
            self.stalled = None;
        } else if let Some(limit) = self.limit {
            let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(limit)));
            if stalled.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(too_slow()));
            }
        }
        polled
    }
}

fn too_slow() -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        "the client takes nothing of what it is sent",
    )
}

impl<I: Read + Unpin> Read for Transport<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<I: Write + Unpin> Write for Transport<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_limited(cx, |io, cx| io.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_limited(cx, |io, cx| io.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_limited(cx, |io, cx| io.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_limited(cx, |io, cx| io.poll_shutdown(cx))
    }
}
