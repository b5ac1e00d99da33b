//! A file descriptor that is being watched, and the ways to wait for it.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;
use std::task::{Context, Poll, ready};

use crate::handle::Handle;
use crate::interest::{Direction, ReadyEvent};
use crate::readiness::{Clear, Place};
use crate::ready::ReadyFuture;
use crate::registration::Registration;

/// Owns a value with a file descriptor, and knows when it can be read and written.
///
/// Made by [`Handle::register`]. Dropping it ends the registration first, then drops the value.
pub struct Source<T: AsRawFd> {
    /// `None` only while `into_inner` or `drop` takes it out.
    io: Option<T>,
    registration: Registration,
}

impl<T: AsRawFd> Source<T> {
    pub(crate) fn new(io: T, registration: Registration) -> Self {
        Self {
            io: Some(io),
            registration,
        }
    }

    /// The value that is being watched.
    pub fn get_ref(&self) -> &T {
        self.io
            .as_ref()
            .expect("a source keeps its value until it is dropped")
    }

    /// The value that is being watched, to change. Another value put in its place is not watched.
    pub fn get_mut(&mut self) -> &mut T {
        self.io
            .as_mut()
            .expect("a source keeps its value until it is dropped")
    }

    /// Ends the registration and gives the value back.
    pub fn into_inner(mut self) -> T {
        self.end()
            .expect("a source keeps its value until it is dropped")
    }

    /// The reactor it is registered with.
    pub fn handle(&self) -> &Handle {
        self.registration.handle()
    }

    /// Takes it that reading and writing in `directions` is worth trying, before any event has said so. An operation that answers
    /// `WouldBlock` corrects a wrong guess.
    ///
    /// For a source that nobody waits for yet: this wakes nobody.
    #[must_use = "it gives the source back"]
    pub fn assume_ready(self, directions: &[Direction]) -> Self {
        for &direction in directions {
            self.registration.assume(direction);
        }
        self
    }

    /// Waits until `direction` is ready.
    ///
    /// Each direction has one place for a waker here, and the last caller's is kept; for several waiters use
    /// [`ready`](Self::ready).
    ///
    /// # Errors
    /// That the runtime has shut down, or that it was made before a `fork`.
    pub fn poll_ready(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<ReadyEvent>> {
        self.registration.wait(direction, Place::Slot, cx.waker())
    }

    /// Waits until `direction` is ready. Any number of these may wait at the same time, and an event wakes them all.
    ///
    /// Cancel safe: dropping the future loses no event.
    ///
    /// # Errors
    /// That the runtime has shut down, or that it was made before a `fork`.
    pub fn ready(&self, direction: Direction) -> ReadyFuture<'_> {
        ReadyFuture::new(&self.registration, direction)
    }

    /// The readiness of `direction` as it is known now, without waiting; `None` after a shutdown as well.
    pub fn readiness(&self, direction: Direction) -> Option<ReadyEvent> {
        match self.registration.look(direction) {
            Poll::Ready(Ok(event)) => Some(event),
            Poll::Ready(Err(_)) | Poll::Pending => None,
        }
    }

    /// Forgets the readiness that `event` showed, unless a newer event has come since. A hang-up stays known.
    ///
    /// For an operation that did less than was asked (a short read), which says that nothing is left, but not that the
    /// end of the stream is not there too. After `WouldBlock` use [`clear_would_block`](Self::clear_would_block).
    /// `event` must come from this source.
    pub fn clear_ready(&self, event: ReadyEvent) {
        self.registration.clear(event, Clear::KeepClosed);
    }

    /// Forgets all that `event` showed, a hang-up too, unless a newer event has come since.
    ///
    /// For an operation that the operating system refused with `WouldBlock` after `event` was seen. Then even a hang-up
    /// is out of date (a FIFO has got a new writer), and keeping it would make a waiting loop spin.
    /// `event` must come from this source.
    pub fn clear_would_block(&self, event: ReadyEvent) {
        self.registration.clear(event, Clear::All);
    }

    /// Runs `op` if `direction` is known to be ready, and forgets the readiness if it answers `WouldBlock`.
    ///
    /// # Errors
    /// `WouldBlock` if it is not ready (without calling `op`) or if `op` said so; that the runtime has shut down; or
    /// whatever else `op` returns.
    pub fn try_io<R>(
        &self,
        direction: Direction,
        op: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        match self.registration.look(direction) {
            Poll::Ready(event) => self.attempt(event?, op),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Waits for `direction` and runs `op`, again and again until `op` answers anything but `WouldBlock`.
    ///
    /// `op` must return `WouldBlock` only if the descriptor itself would block: else no event ends the wait.
    /// Cancel safe as far as `op` is: between two calls of `op` nothing is lost.
    ///
    /// # Errors
    /// That the runtime has shut down or was made before a `fork`, or what `op` returns.
    pub async fn async_io<R>(
        &self,
        direction: Direction,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let event = self.ready(direction).await?;
            match self.attempt(event, &mut op) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }

    /// As [`async_io`](Self::async_io), with the one waker place of [`poll_ready`](Self::poll_ready).
    ///
    /// # Errors
    /// That the runtime has shut down or was made before a `fork`, or what `op` returns.
    pub fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let event = ready!(self.poll_ready(cx, direction))?;
            match self.attempt(event, &mut op) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn attempt<R>(&self, event: ReadyEvent, op: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        let result = op(self.get_ref());
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.clear_would_block(event);
        }
        result
    }

    /// Ends the registration while the descriptor is still open, and takes the value out.
    fn end(&mut self) -> Option<T> {
        let io = self.io.take()?;
        self.registration.end(io.as_raw_fd());
        Some(io)
    }
}

impl<T: AsRawFd> Drop for Source<T> {
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl<T: AsRawFd> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("fd", &self.registration.fd())
            .field("read", &self.readiness(Direction::Read))
            .field("write", &self.readiness(Direction::Write))
            .finish_non_exhaustive()
    }
}
