//! The place of one source in its reactor, whatever the type of the source.

use std::io;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use crate::error;
use crate::handle::Handle;
use crate::interest::{Direction, ReadyEvent};
use crate::readiness::{Clear, Look, Place, Snapshot};
use crate::registry::{Entry, Token};

#[derive(Debug)]
pub(crate) struct Registration {
    /// Of the registry that `handle` keeps alive. Here, because every operation asks it several times.
    entry: &'static Entry,
    handle: Handle,
    token: Token,
    fd: RawFd,
    /// The system was not asked about writing yet. Then that counts as ready, and no operation has said otherwise.
    write_unwatched: AtomicBool,
}

impl Registration {
    pub(crate) fn new(handle: Handle, token: Token, fd: RawFd, write_unwatched: bool) -> Self {
        let entry = ptr::from_ref(handle.registry().entry(token.index()));
        Self {
            // SAFETY: an entry is neither moved nor freed before its registry, which lives as long as the handle; and `entry` gives the
            // reference out for no longer than it borrows `self`.
            entry: unsafe { &*entry },
            handle,
            token,
            fd,
            write_unwatched: AtomicBool::new(write_unwatched),
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
        let look = self.entry().readiness(direction).look(direction.wanted());
        answer(look).map_ok(|snapshot| ReadyEvent::new(direction, snapshot))
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
        // Made here, where the compiler sees which direction it is.
        let event = |snapshot| ReadyEvent::new(direction, snapshot);
        self.wait_for_event(direction, place, waker).map_ok(event)
    }

    fn wait_for_event(
        &self,
        direction: Direction,
        place: Place,
        waker: &Waker,
    ) -> Poll<io::Result<Snapshot>> {
        // A lock that another thread held at the fork is never released in the child, and no event comes there.
        if self.handle.was_forked() {
            return Poll::Ready(Err(error::forked()));
        }
        if direction == Direction::Write && self.is_write_unwatched() {
            self.watch_writing()?;
        }
        let readiness = self.entry().readiness(direction);
        answer(readiness.wait(direction.wanted(), place, waker))
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
        if direction == Direction::Write && self.is_write_unwatched() {
            // After the clear, so that what the system answers stands. Here, because who only tries, and never waits, needs the event, too.
            // If it fails, whoever waits tries again, and is told.
            let _ = self.watch_writing();
        }
    }

    #[inline]
    fn is_write_unwatched(&self) -> bool {
        // Relaxed: who sees it late asks the system twice, which does no harm.
        self.write_unwatched.load(Ordering::Relaxed)
    }

    /// From now on the system tells of writing, and now if it is possible.
    #[cold]
    fn watch_writing(&self) -> io::Result<()> {
        self.handle.watch_both(self.token, self.fd)?;
        self.write_unwatched.store(false, Ordering::Relaxed);
        Ok(())
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
fn answer(look: Look) -> Poll<io::Result<Snapshot>> {
    match look {
        Look::Idle => Poll::Pending,
        Look::Ready(snapshot) => Poll::Ready(Ok(snapshot)),
        Look::Shutdown => Poll::Ready(Err(error::shut_down())),
    }
}
