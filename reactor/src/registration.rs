//! The place of one source in its reactor, whatever the type of the source.

use std::io;
use std::os::fd::RawFd;
use std::ptr;
use std::task::{Poll, Waker};

use crate::error;
use crate::handle::Handle;
use crate::interest::{Direction, ReadyEvent};
use crate::readiness::{Clear, Look, Place};
use crate::registry::{Entry, Token};

#[derive(Debug)]
pub(crate) struct Registration {
    /// Of the registry that `handle` keeps alive. Here, because every operation asks it several times.
    entry: &'static Entry,
    handle: Handle,
    token: Token,
    fd: RawFd,
}

impl Registration {
    pub(crate) fn new(handle: Handle, token: Token, fd: RawFd) -> Self {
        let entry = ptr::from_ref(handle.registry().entry(token.index()));
        Self {
            // SAFETY: an entry is neither moved nor freed before its registry, which lives as long as the handle; and `entry` gives the
            // reference out for no longer than it borrows `self`.
            entry: unsafe { &*entry },
            handle,
            token,
            fd,
        }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.fd
    }

    #[inline]
    pub(crate) fn entry(&self) -> &Entry {
        self.entry
    }

    /// The readiness there is now, if any, or the reason why there will be none.
    #[inline]
    pub(crate) fn look(&self, direction: Direction) -> Poll<io::Result<ReadyEvent>> {
        answer(
            direction,
            self.entry().readiness(direction).look(direction.wanted()),
        )
    }

    /// As `look`, but leaves `waker` behind if there is none.
    #[inline]
    pub(crate) fn wait(
        &self,
        direction: Direction,
        place: Place,
        waker: &Waker,
    ) -> Poll<io::Result<ReadyEvent>> {
        let seen = self.look(direction);
        if seen.is_ready() {
            return seen;
        }
        self.wait_for_event(direction, place, waker)
    }

    fn wait_for_event(
        &self,
        direction: Direction,
        place: Place,
        waker: &Waker,
    ) -> Poll<io::Result<ReadyEvent>> {
        // A lock that another thread held at the fork is never released in the child, and no event comes there.
        if self.handle.was_forked() {
            return Poll::Ready(Err(error::forked()));
        }
        answer(
            direction,
            self.entry()
                .readiness(direction)
                .wait(direction.wanted(), place, waker),
        )
    }

    pub(crate) fn assume(&self, direction: Direction) {
        self.entry().readiness(direction).assume();
    }

    pub(crate) fn forget(&self, direction: Direction, key: u64) {
        if !self.handle.was_forked() {
            self.entry().readiness(direction).forget(key);
        }
    }

    #[inline]
    pub(crate) fn clear(&self, event: ReadyEvent, part: Clear) {
        let direction = event.direction();
        self.entry()
            .readiness(direction)
            .clear(direction.wanted(), event.snapshot(), part);
    }

    /// Gives the place back. Called once, by the source, which knows the descriptor it has `now`.
    pub(crate) fn end(&self, now: RawFd) {
        // In a forked child the registration is the parent's, and the locks may be held by threads that are not here.
        if !self.handle.was_forked() {
            // Another value was put in its place (`get_mut`). The number we registered may belong to anybody by now, so
            // it is not touched; events that still come for it carry a generation that fits nobody.
            self.handle
                .remove(self.token, (now == self.fd).then_some(now));
        }
    }
}

#[inline]
fn answer(direction: Direction, look: Look) -> Poll<io::Result<ReadyEvent>> {
    match look {
        Look::Idle => Poll::Pending,
        Look::Ready(snapshot) => Poll::Ready(Ok(ReadyEvent::new(direction, snapshot))),
        Look::Shutdown => Poll::Ready(Err(error::shut_down())),
    }
}
