//! `WaitList`: who waits for one kind of change, in order of arrival, and who was called and has not come back yet.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::task::wake_quietly;

/// Lies under the lock of the state whose changes are waited for. `O` is what a waiter is told when it is called.
#[derive(Debug)]
pub(super) struct WaitList<O = ()> {
    next: u64,
    waiting: BTreeMap<u64, Waker>,
    /// No longer among those who wait. They keep what they were called for until they come back, or leave.
    called: BTreeMap<u64, O>,
}

/// A waiter's place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// Wakers to be woken once the lock is given back: those of callers run code of the user.
#[derive(Debug, Default)]
pub(super) struct Called {
    /// Most changes call one, which needs no memory.
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl<O> WaitList<O> {
    /// A place behind all others.
    pub(super) fn enter(&mut self, waker: Waker) -> Ticket {
        let ticket = self.next;
        self.next += 1;
        self.waiting.insert(ticket, waker);
        Ticket(ticket)
    }

    /// Calls the one that has waited longest. False: nobody waits, which is what most changes find.
    #[inline]
    pub(super) fn call(&mut self, outcome: O, called: &mut Called) -> bool {
        !self.waiting.is_empty() && self.call_first(outcome, called)
    }

    fn call_first(&mut self, outcome: O, called: &mut Called) -> bool {
        let first = self.waiting.pop_first();
        first.is_some_and(|(ticket, waker)| {
            called.push(waker);
            self.called.insert(ticket, outcome);
            true
        })
    }

    /// Calls all, and tells each what `outcome` makes of its place among them.
    pub(super) fn call_all(&mut self, outcome: impl Fn(usize) -> O, called: &mut Called) {
        let mut place = 0;
        while self.call(outcome(place), called) {
            place += 1;
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many were called and have not come back.
    pub(super) fn called(&self) -> usize {
        self.called.len()
    }

    /// The waker of one that still waits, to be replaced.
    pub(super) fn waker(&mut self, ticket: Ticket) -> Option<&mut Waker> {
        self.waiting.get_mut(&ticket.0)
    }

    /// One that was called comes back.
    pub(super) fn come_back(&mut self, ticket: Ticket) -> Option<O> {
        self.called.remove(&ticket.0)
    }

    /// What the last one was called for is gone: it waits again, before all others. It was woken and has not looked, so until it does nobody has to wake it.
    pub(super) fn call_back(&mut self) {
        if let Some((ticket, _)) = self.called.pop_last() {
            self.waiting.insert(ticket, Waker::noop().clone());
        }
    }

    /// One that waits gives up. Its waker is to be dropped after the lock.
    pub(super) fn give_up(&mut self, ticket: Ticket) -> Option<Waker> {
        self.waiting.remove(&ticket.0)
    }
}

impl<O> Default for WaitList<O> {
    fn default() -> Self {
        Self {
            next: 0,
            waiting: BTreeMap::new(),
            called: BTreeMap::new(),
        }
    }
}

impl Called {
    fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.others.push(waker);
        }
    }

    /// As most often.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Wakes everybody. A waker that panics must not keep the others asleep.
    pub(super) fn wake(self) {
        for waker in self.first.into_iter().chain(self.others) {
            wake_quietly(waker);
        }
    }
}
