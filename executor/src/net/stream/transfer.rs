//! When to read and write, and what the answers say about readiness.
//!
//! Readiness is edge-triggered, so it is believed until the system says that nothing is left: by `WouldBlock`, or by doing
//! less than it was asked for, which saves the call that would only say `WouldBlock`. The exceptions are a descriptor whose
//! short reads mean less (see `SHORT_READ_IS_LAST`), and a direction that has been hung up or has an error: what announced it
//! does not come twice, and the next call has to find it.
//!
//! A new descriptor counts as not ready until the reactor's next turn has looked at it, but for the directions that are assumed to
//! be: a connection that was accepted often has its first request in it already.

use std::io::{self, IoSlice, IoSliceMut};
#[cfg(any(feature = "io", feature = "hyper"))]
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::task::{Context, Poll, ready};

use super::descriptor::MOST_SLICES;
use super::{ByteStream, ReadFd, WriteFd};
use crate::coop;
use crate::driver::Direction;

impl<T: ReadFd> ByteStream<T> {
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_transfer(cx, Asked::read::<T>(buf.len()), |fd| fd.read(buf))
    }

    /// Reads into memory that need not be initialized. As many bytes as the result says are, afterwards, and none of the
    /// others has changed.
    #[cfg(any(feature = "io", feature = "hyper"))]
    #[inline(always)]
    pub(crate) fn poll_read_uninit(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [MaybeUninit<u8>],
    ) -> Poll<io::Result<usize>> {
        self.poll_transfer(cx, Asked::read::<T>(buf.len()), |fd| fd.read_uninit(buf))
    }

    #[cfg(feature = "io")]
    pub(crate) fn poll_read_buf(
        &self,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // SAFETY: reading initializes bytes; it never makes one uninitialized.
        let unfilled = unsafe { buf.unfilled_mut() };
        let n = ready!(self.poll_read_uninit(cx, unfilled))?;
        // SAFETY: the system has just written as many bytes.
        unsafe { buf.assume_init(n) };
        buf.advance(n);
        Poll::Ready(Ok(()))
    }

    /// Reads what is there into the next free chunk of `buf`, without waiting.
    #[cfg(feature = "io")]
    pub(crate) fn try_read_buf<B: bytes::BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        // SAFETY: reading initializes bytes; it never makes one uninitialized.
        let chunk = unsafe { buf.chunk_mut().as_uninit_slice_mut() };
        let n = self
            .source
            .try_io(Direction::Read, |fd| fd.read_uninit(chunk))?;
        // SAFETY: the system has just written as many bytes to the chunk.
        unsafe { buf.advance_mut(n) };
        Ok(n)
    }

    pub(crate) fn poll_read_slices(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        // More are left out by the system call, and if their room counted, a read that filled the others would look short.
        let most = bufs.len().min(MOST_SLICES);
        let bufs = &mut bufs[..most];
        let room = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_transfer(cx, Asked::read::<T>(room), |fd| fd.read_slices(bufs))
    }
}

impl<T: WriteFd> ByteStream<T> {
    // Never: it would be a call on to what both families of traits share.
    #[inline(never)]
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_transfer(cx, Asked::write(buf.len()), |fd| fd.write(buf))
    }

    pub(crate) fn poll_write_slices(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bufs = &bufs[..bufs.len().min(MOST_SLICES)];
        let room = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_transfer(cx, Asked::write(room), |fd| fd.write_slices(bufs))
    }

    /// Ends the writing direction of a socket. A pipe has no way to do that but to be closed.
    pub(crate) fn shut_down_write(&self) -> io::Result<()> {
        self.get_ref().shut_down()
    }
}

impl<T: AsRawFd> ByteStream<T> {
    /// Calls `op`, which moves bytes past the buffers of the program, when there is hope, until it says anything but "later". That it moves less
    /// than it could says nothing about readiness.
    pub(crate) fn poll_op(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        op: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let asked = Asked {
            direction,
            room: 0,
            short_is_last: false,
        };
        let moved = ready!(self.poll_transfer(cx, asked, op))?;
        if moved >= LARGE {
            coop::end_of_round();
        }
        Poll::Ready(Ok(moved))
    }

    /// Calls `op`, which moves at most as much as `asked`, when there is hope, until it says anything but "later". It counts in
    /// the task's budget.
    // Always: only where the compiler sees what is asked is this short.
    #[inline(always)]
    fn poll_transfer(
        &self,
        cx: &mut Context<'_>,
        asked: Asked,
        mut op: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        ready!(coop::poll_allowed(cx));
        let result = loop {
            let event = match self.source.poll_ready(cx, asked.direction) {
                Poll::Ready(Ok(event)) => event,
                Poll::Ready(Err(error)) => break Err(error),
                Poll::Pending => return Poll::Pending,
            };
            match op(self.get_ref()) {
                Ok(n) => {
                    if asked.is_last(n) && !event.is_closed() && !event.is_error() {
                        self.source.clear_ready(event);
                    }
                    break Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.source.clear_would_block(event)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        coop::count();
        Poll::Ready(result)
    }
}

/// What one operation is to move, and what it means if it moves less.
#[derive(Clone, Copy)]
struct Asked {
    direction: Direction,
    room: usize,
    short_is_last: bool,
}

impl Asked {
    fn read<T: ReadFd>(room: usize) -> Self {
        Self {
            direction: Direction::Read,
            room,
            short_is_last: T::SHORT_READ_IS_LAST,
        }
    }

    /// Whatever takes less than it was given is full.
    fn write(room: usize) -> Self {
        Self {
            direction: Direction::Write,
            room,
            short_is_last: true,
        }
    }

    /// Something was moved, but less than there was room for: nothing is left. (0 bytes are the end of the stream.)
    fn is_last(self, n: usize) -> bool {
        self.short_is_last && 0 < n && n < self.room
    }
}

/// What takes about as long to move as a round of other operations.
const LARGE: usize = 64 << 10;
