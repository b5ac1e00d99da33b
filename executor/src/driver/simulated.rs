//! The reactor of a simulation: no descriptors, only the sleep of the duty's holder, what ends it, and events that a test makes.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use reactor::{Interest, Source};

use crate::rt_sync::whole::{Condvar, Fault, Mutex, happens, now, wait, wait_until};

#[derive(Debug)]
pub(crate) struct Reactor(Handle);

#[derive(Clone, Debug)]
pub(crate) struct Handle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The turn, or the next one, ends at once.
    woken: bool,
    closed: bool,
    /// Events that have come and were not seen yet: whom they wake.
    events: Vec<Waker>,
}

impl Reactor {
    pub(super) fn with_capacity(_events: usize) -> io::Result<(Self, Handle)> {
        let handle = Handle(Arc::new(Inner {
            state: Mutex::default(),
            changed: Condvar::new(),
        }));
        Ok((Self(handle.clone()), handle))
    }

    pub(super) fn limit_looks(&mut self, _events: usize) {}

    /// See `reactor::Reactor::turn`.
    pub(super) fn turn(
        &mut self,
        timeout: Option<Duration>,
        wakers: &mut Vec<Waker>,
    ) -> io::Result<()> {
        let inner = &*self.0.0;
        let deadline = timeout.and_then(|timeout| now().checked_add(timeout));
        let mut state = inner.state.lock();
        while !(state.woken || state.closed || !state.events.is_empty() || is_over(deadline)) {
            if happens(Fault::EarlyTurn) {
                break;
            }
            state = match deadline {
                Some(deadline) => wait_until(&inner.changed, state, deadline).0,
                None => wait(&inner.changed, state),
            };
        }
        state.woken = false;
        wakers.append(&mut state.events);
        Ok(())
    }
}

fn is_over(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= now())
}

impl Handle {
    pub(crate) fn wake(&self) {
        self.0.state.lock().woken = true;
        self.0.changed.notify_one();
    }

    /// Something happens outside, of which the next turn hears, and wakes `waker`.
    pub(crate) fn event(&self, waker: Waker) {
        let mut state = self.0.state.lock();
        if state.closed {
            drop(state);
            return waker.wake();
        }
        state.events.push(waker);
        drop(state);
        self.0.changed.notify_one();
    }

    pub(crate) fn close(&self, wakers: &mut Vec<Waker>) {
        let mut state = self.0.state.lock();
        state.closed = true;
        wakers.append(&mut state.events);
        drop(state);
        self.0.changed.notify_one();
    }

    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (0, 0, 0)
    }

    pub(crate) fn register<T: AsRawFd>(&self, io: T, _: Interest) -> io::Result<Source<T>> {
        self.try_register(io, Interest::READABLE)
            .map_err(|(_, error)| error)
    }

    pub(crate) fn register_writable<T: AsRawFd>(&self, io: T) -> io::Result<Source<T>> {
        self.register(io, Interest::READABLE)
    }

    pub(crate) fn try_register<T: AsRawFd>(
        &self,
        io: T,
        _: Interest,
    ) -> Result<Source<T>, (T, io::Error)> {
        Err((io, io::ErrorKind::Unsupported.into()))
    }
}
