//! Datagram sockets of every kind: the one place that waits, sends and receives, and a macro for what is in front of it.
//!
//! A datagram is sent or received whole. What does not fit into the buffer is lost, a short one says nothing about the next, and an
//! empty one is no end: so readiness is believed until the system answers `WouldBlock`. A socket counts as having room from the start, and the
//! system is not asked about that before it had none: it would wake the runtime for each datagram that the peer takes.

mod descriptor;
mod methods;

use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll};

#[cfg(feature = "io")]
use std::{mem::MaybeUninit, task::ready};

use crate::coop;
use crate::driver::{Direction, Source};
use crate::net::watch_writable;
use crate::task::coop::cooperative;

pub(crate) use descriptor::{Datagram, no_address};
pub(crate) use methods::datagram_methods;

/// A datagram socket that is watched.
pub(crate) struct Datagrams<T: Datagram> {
    source: Source<T>,
}

impl<T: Datagram> Datagrams<T> {
    /// Watches a socket in the current runtime, in non-blocking mode.
    pub(crate) fn new(socket: T) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let source = watch_writable(socket)?;
        Ok(Self { source })
    }

    pub(crate) fn source(&self) -> &Source<T> {
        &self.source
    }

    pub(crate) fn get_ref(&self) -> &T {
        self.source.get_ref()
    }

    pub(crate) fn into_inner(self) -> T {
        self.source.into_inner()
    }

    /// Waits until the direction is ready, which counts in the task's budget.
    pub(crate) async fn ready(&self, direction: Direction) -> io::Result<()> {
        cooperative(self.source.ready(direction)).await.map(drop)
    }

    pub(crate) fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<()>> {
        coop::poll_counted(cx, |cx| self.source.poll_ready(cx, direction))
            .map(|event| event.map(drop))
    }

    pub(crate) fn try_io<R>(
        &self,
        direction: Direction,
        op: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.try_io(direction, op)
    }

    /// Waits and calls `op` until it does not say `WouldBlock`. It counts in the task's budget, as do the polls below.
    pub(crate) async fn io<R>(
        &self,
        direction: Direction,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        cooperative(self.source.async_io(direction, op)).await
    }

    /// As `io`, with the one waker place of the direction.
    pub(crate) fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        coop::poll_counted(cx, |cx| self.source.poll_io(cx, direction, op))
    }

    /// Receives into the free part of `buf` with `op`, which says how many bytes it has initialized there.
    #[cfg(feature = "io")]
    pub(crate) fn poll_fill<R>(
        &self,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
        mut op: impl FnMut(&T, &mut [MaybeUninit<u8>]) -> io::Result<(usize, R)>,
    ) -> Poll<io::Result<R>> {
        // SAFETY: receiving initializes bytes; it never makes one uninitialized.
        let free = unsafe { buf.unfilled_mut() };
        let (n, rest) = ready!(self.poll_io(cx, Direction::Read, |socket| op(socket, &mut *free)))?;
        // SAFETY: the system has just written as many bytes.
        unsafe { buf.assume_init(n) };
        buf.advance(n);
        Poll::Ready(Ok(rest))
    }
}

/// Receives into the next free chunk of `buf` with `op`, which says how many bytes it has initialized there.
#[cfg(feature = "io")]
pub(crate) fn fill_chunk<B: bytes::BufMut, R>(
    buf: &mut B,
    op: impl FnOnce(&mut [MaybeUninit<u8>]) -> io::Result<(usize, R)>,
) -> io::Result<(usize, R)> {
    // SAFETY: receiving initializes bytes; it never makes one uninitialized.
    let chunk = unsafe { buf.chunk_mut().as_uninit_slice_mut() };
    let (n, rest) = op(chunk)?;
    // SAFETY: the system has just written as many bytes to the chunk.
    unsafe { buf.advance_mut(n) };
    Ok((n, rest))
}

/// Borrows the socket for what the standard library lacks.
pub(crate) fn lent<T: AsFd>(socket: &T) -> socket2::SockRef<'_> {
    socket2::SockRef::from(socket)
}
