//! What a wait for an `AsyncFd` gives: the readiness that was seen, to be used or to be cleared.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use super::{AsyncFd, TryIoError};
use crate::io::Ready;
use crate::io::readiness::{Seen, would_block};

/// A descriptor that was seen to be ready.
///
/// Its readiness is remembered, and the next wait ends at once, until [`try_io`](Self::try_io) or [`clear_ready`](Self::clear_ready)
/// forgets it. An event that has come after this guard was made is not forgotten.
#[must_use = "run the operation in `try_io`, or say by `clear_ready` or `retain_ready` what has become of the readiness"]
pub struct AsyncFdReadyGuard<'a, T: AsRawFd> {
    async_fd: &'a AsyncFd<T>,
    view: View,
}

/// As [`AsyncFdReadyGuard`], of a descriptor that was lent to change.
#[must_use = "run the operation in `try_io`, or say by `clear_ready` or `retain_ready` what has become of the readiness"]
pub struct AsyncFdReadyMutGuard<'a, T: AsRawFd> {
    async_fd: &'a mut AsyncFd<T>,
    view: View,
}

/// What was seen, and what of it the guard still vouches for.
struct View {
    seen: Seen,
    ready: Ready,
}

impl View {
    fn new(seen: Seen) -> Self {
        let ready = seen.ready();
        Self { seen, ready }
    }

    fn clear<T: AsRawFd>(&mut self, async_fd: &AsyncFd<T>, part: Ready) {
        async_fd.clear(&self.seen, self.ready & part);
        self.ready = self.ready - part;
    }

    fn settle<T: AsRawFd, R>(
        &mut self,
        async_fd: &AsyncFd<T>,
        result: io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        if would_block(&result) {
            async_fd.forget(&self.seen);
            self.ready = Ready::EMPTY;
            return Err(TryIoError(()));
        }
        Ok(result)
    }
}

impl<'a, T: AsRawFd> AsyncFdReadyGuard<'a, T> {
    pub(super) fn new(async_fd: &'a AsyncFd<T>, seen: Seen) -> Self {
        Self {
            async_fd,
            view: View::new(seen),
        }
    }

    /// Forgets what was seen: the next wait is for a new event.
    ///
    /// To be called when an operation has answered `WouldBlock`, and only then: as long as something is left to read (or to write), no
    /// new event comes. A hang-up stays known all the same; [`try_io`](Self::try_io) forgets that too, because it knows the answer.
    pub fn clear_ready(&mut self) {
        self.clear_ready_matching(Ready::ALL);
    }

    /// As [`clear_ready`](Self::clear_ready), for a part of what was seen.
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        self.view.clear(self.async_fd, ready);
    }

    /// Does nothing: says that the descriptor is still ready, where the compiler asks for an answer.
    pub fn retain_ready(&mut self) {}

    /// What was seen, without what this guard has cleared.
    pub fn ready(&self) -> Ready {
        self.view.ready
    }

    /// Runs `f`, and forgets what was seen if it answers `WouldBlock`.
    ///
    /// # Errors
    ///
    /// [`TryIoError`] if `f` would have blocked: wait again. Inside of `Ok`, what else `f` returns.
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&'a AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        let result = f(self.async_fd);
        self.view.settle(self.async_fd, result)
    }

    /// The descriptor this guard is about.
    pub fn get_ref(&self) -> &'a AsyncFd<T> {
        self.async_fd
    }

    /// What owns the descriptor.
    pub fn get_inner(&self) -> &'a T {
        self.async_fd.get_ref()
    }
}

impl<'a, T: AsRawFd> AsyncFdReadyMutGuard<'a, T> {
    pub(super) fn new(async_fd: &'a mut AsyncFd<T>, seen: Seen) -> Self {
        Self {
            async_fd,
            view: View::new(seen),
        }
    }

    /// See [`AsyncFdReadyGuard::clear_ready`].
    pub fn clear_ready(&mut self) {
        self.clear_ready_matching(Ready::ALL);
    }

    /// See [`AsyncFdReadyGuard::clear_ready_matching`].
    pub fn clear_ready_matching(&mut self, ready: Ready) {
        self.view.clear(self.async_fd, ready);
    }

    /// See [`AsyncFdReadyGuard::retain_ready`].
    pub fn retain_ready(&mut self) {}

    /// See [`AsyncFdReadyGuard::ready`].
    pub fn ready(&self) -> Ready {
        self.view.ready
    }

    /// See [`AsyncFdReadyGuard::try_io`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&mut AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        let result = f(self.async_fd);
        self.view.settle(self.async_fd, result)
    }

    /// The descriptor this guard is about.
    pub fn get_ref(&self) -> &AsyncFd<T> {
        self.async_fd
    }

    /// The descriptor this guard is about, to change.
    pub fn get_mut(&mut self) -> &mut AsyncFd<T> {
        self.async_fd
    }

    /// What owns the descriptor.
    pub fn get_inner(&self) -> &T {
        self.async_fd.get_ref()
    }

    /// What owns the descriptor, to change.
    pub fn get_inner_mut(&mut self) -> &mut T {
        self.async_fd.get_mut()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFdReadyGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyGuard")
            .field("async_fd", &self.async_fd)
            .field("ready", &self.ready())
            .finish()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFdReadyMutGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyMutGuard")
            .field("async_fd", &self.async_fd)
            .field("ready", &self.ready())
            .finish()
    }
}
