//! Reads and writes a TCP stream, whichever family of traits asks.
//!
//! Readiness is edge-triggered, so it is believed until the system says that nothing is left: by `WouldBlock`, or by doing
//! less than it was asked for, which saves the call that would only say `WouldBlock`. The exception is a direction that has
//! been hung up or has an error: what announced it does not come twice, and the next call has to find it.
//!
//! A new socket counts as not ready until the reactor's next turn has looked at it. A connection that was accepted often has
//! its first request in it already, so its first call in each direction is made without waiting to be told.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
#[cfg(any(feature = "io", feature = "hyper"))]
use std::mem::MaybeUninit;
use std::net::{self, Shutdown};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use socket2::SockRef;

use super::TcpStream;
use crate::driver::Direction;
use crate::net::NO_SIGNAL;

impl TcpStream {
    pub(super) fn poll_read_slice(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let room = buf.len();
        self.poll_transfer(cx, Direction::Read, room, |mut socket| socket.read(buf))
    }

    /// Reads into memory that need not be initialized. As many bytes as the result says are, afterwards, and none of the
    /// others has changed.
    #[cfg(any(feature = "io", feature = "hyper"))]
    pub(crate) fn poll_read_uninit(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>> {
        let room = buf.len();
        self.poll_transfer(cx, Direction::Read, room, |socket| {
            SockRef::from(socket).recv(buf)
        })
    }

    pub(super) fn poll_read_slices(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        // More are left out by `read_vectored`, and if their room counted, a read that filled the others would look short.
        let most = bufs.len().min(MOST_SLICES);
        let bufs = &mut bufs[..most];
        let room = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_transfer(cx, Direction::Read, room, |mut socket| {
            socket.read_vectored(bufs)
        })
    }

    pub(crate) fn poll_write_slice(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The standard library's `write` raises no SIGPIPE; its `write_vectored` does.
        self.poll_transfer(cx, Direction::Write, buf.len(), |mut socket| {
            socket.write(buf)
        })
    }

    pub(crate) fn poll_write_slices(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bufs = &bufs[..bufs.len().min(MOST_SLICES)];
        let room = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_transfer(cx, Direction::Write, room, |socket| {
            send_slices(socket, bufs)
        })
    }

    /// Says to the peer that nothing more will come. A connection that is gone already has nobody to say it to.
    pub(crate) fn shut_down_write(&self) -> io::Result<()> {
        match self.source().get_ref().shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// Calls `op`, which moves at most `room` bytes, when there is hope, until it says anything but "later".
    fn poll_transfer(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        room: usize,
        mut op: impl FnMut(&net::TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if self.fresh().is_fresh(direction)
            && let Some(result) = self.try_unannounced(direction, room, &mut op)
        {
            return Poll::Ready(result);
        }
        loop {
            let event = ready!(self.source().poll_ready(cx, direction))?;
            match op(self.source().get_ref()) {
                Ok(n) => {
                    if is_short(n, room) && !event.is_closed() && !event.is_error() {
                        self.source().clear_ready(event);
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.source().clear_would_block(event)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Calls `op` without an event. Whatever is left afterwards, or comes later, will be announced by one.
    #[cold]
    fn try_unannounced(
        &self,
        direction: Direction,
        room: usize,
        op: impl FnOnce(&net::TcpStream) -> io::Result<usize>,
    ) -> Option<io::Result<usize>> {
        match self.source().try_io(direction, |_| Ok(())) {
            Ok(()) => {
                // The first event has come by now.
                self.fresh().used_up(direction);
                return None;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // The runtime has ended.
            Err(error) => return Some(Err(error)),
        }
        match op(self.source().get_ref()) {
            Ok(n) => {
                if is_short(n, room) {
                    self.fresh().used_up(direction);
                }
                Some(Ok(n))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.fresh().used_up(direction);
                None
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// Which directions of a socket may be ready although no event has said so.
#[derive(Debug)]
pub(super) struct Fresh {
    read: AtomicBool,
    write: AtomicBool,
}

impl Fresh {
    pub(super) fn new(fresh: bool) -> Self {
        Self {
            read: AtomicBool::new(fresh),
            write: AtomicBool::new(fresh),
        }
    }

    fn is_fresh(&self, direction: Direction) -> bool {
        // Relaxed, here and below: only a hint. Wrongly true costs a system call, wrongly false a turn of the reactor.
        self.flag(direction).load(Ordering::Relaxed)
    }

    fn used_up(&self, direction: Direction) {
        self.flag(direction).store(false, Ordering::Relaxed);
    }

    fn flag(&self, direction: Direction) -> &AtomicBool {
        match direction {
            Direction::Write => &self.write,
            _ => &self.read,
        }
    }
}

/// Sends without raising SIGPIPE, unlike `write_vectored` of the standard library.
pub(super) fn send_slices(socket: &net::TcpStream, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let bufs = &bufs[..bufs.len().min(MOST_SLICES)];
    SockRef::from(socket).send_vectored_with_flags(bufs, NO_SIGNAL)
}

/// Something was moved, but less than there was room for: nothing is left. (0 bytes are the end of the stream.)
fn is_short(n: usize, room: usize) -> bool {
    0 < n && n < room
}

/// The system refuses more slices in one call.
const MOST_SLICES: usize = 1024;
