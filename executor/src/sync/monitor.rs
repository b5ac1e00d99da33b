//! `Monitor`: a state under a lock, and futures that wait until it lets them go on. All types of this module that are ours are made of it.
//!
//! ```text
//!   change:  lock ; change the state ; settle: call those who may go on now ; unlock ; wake the called
//!   wait:    lock ; may it go on? else enter a list ─▶ … called ; woken ─▶ lock ; come back, and go on
//!                                                      └ dropped meanwhile ─▶ leave ; settle: the next is called instead
//! ```
//! *Invariant:* whenever the lock is free, nobody waits who may go on. A waiter that was called owns what it was called for, an item or room
//! for one: whoever comes later must leave that much. So waiters are served in order of arrival, and one that is dropped, called or not,
//! loses nothing of the others': its leaving is a change like any other, after which the state settles.
//!
//! Wakers are cloned, woken and dropped without the lock.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll};

use super::wait_list::{Called, Ticket, WaitList};
use crate::coop;
use crate::rt_sync::whole::{Mutex, MutexGuard};

/// What a monitor guards.
pub(super) trait State {
    /// What a waiter is told when it is called.
    type Outcome;

    /// Calls everybody who may go on.
    fn settle(&mut self, called: &mut Called);

    /// One that was called leaves, and has not gone on.
    fn declined(&mut self, _outcome: Self::Outcome) {}
}

/// A state under a lock.
#[derive(Debug, Default)]
pub(super) struct Monitor<S>(Mutex<S>);

/// One of the lists of a state.
pub(super) type ListOf<S> = fn(&mut S) -> &mut WaitList<<S as State>::Outcome>;

impl<S: State> Monitor<S> {
    pub(super) fn new(state: S) -> Self {
        Self(Mutex::new(state))
    }

    /// Changes the state, then wakes whom that lets go on, and whom the change itself has called.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut S, &mut Called) -> R) -> R {
        let mut entered = Entered {
            state: Some(self.0.lock()),
            called: Called::default(),
        };
        let Entered { state, called } = &mut entered;
        change(state.as_mut().expect("just locked"), called)
    }

    /// Looks at the state.
    pub(super) fn look<R>(&self, look: impl FnOnce(&S) -> R) -> R {
        look(&self.0.lock())
    }

    /// Waits, in `list`, until `attempt` returns something. It is asked at first without an outcome, and then, once called, with one; what it
    /// is called for must suffice. It may call others itself. Counts in the task's budget.
    pub(super) fn wait<'a, R>(
        &'a self,
        list: ListOf<S>,
        mut attempt: impl FnMut(&mut S, Option<S::Outcome>, &mut Called) -> Option<R> + 'a,
    ) -> impl Future<Output = R> + 'a {
        let mut place = self.place(list);
        poll_fn(move |cx| coop::poll_counted(cx, |cx| place.poll(cx, &mut attempt)))
    }

    pub(super) fn place(&self, list: ListOf<S>) -> Place<'_, S> {
        Place {
            monitor: self,
            list,
            ticket: None,
        }
    }
}

/// The state, locked. Settles and wakes when dropped, also after a panic of the user's code.
struct Entered<'a, S: State> {
    state: Option<MutexGuard<'a, S>>,
    called: Called,
}

impl<S: State> Drop for Entered<'_, S> {
    fn drop(&mut self) {
        if let Some(mut state) = self.state.take() {
            state.settle(&mut self.called);
        }
        if !self.called.is_empty() {
            std::mem::take(&mut self.called).wake();
        }
    }
}

/// A waiter's place in a list, once it has one.
pub(super) struct Place<'a, S: State> {
    monitor: &'a Monitor<S>,
    list: ListOf<S>,
    ticket: Option<Ticket>,
}

/// What a poll has come to under the lock.
enum Found<R> {
    Ready(R),
    Waits,
    /// A waker is cloned without the lock, and then all is looked at again.
    NeedsWaker,
}

impl<S: State> Place<'_, S> {
    pub(super) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        attempt: &mut impl FnMut(&mut S, Option<S::Outcome>, &mut Called) -> Option<R>,
    ) -> Poll<R> {
        let mut waker = None;
        loop {
            let (list, ticket) = (self.list, &mut self.ticket);
            let found = self.monitor.change(|state, called| {
                let outcome = match *ticket {
                    None => None,
                    Some(mine) => {
                        if let Some(registered) = list(state).waker(mine) {
                            return match &mut waker {
                                _ if registered.will_wake(cx.waker()) => Found::Waits,
                                None => Found::NeedsWaker,
                                Some(waker) => {
                                    std::mem::swap(registered, waker);
                                    Found::Waits
                                }
                            };
                        }
                        *ticket = None;
                        list(state).come_back(mine)
                    }
                };
                match (attempt(state, outcome, called), waker.take()) {
                    (Some(ready), clone) => {
                        waker = clone;
                        Found::Ready(ready)
                    }
                    (None, None) => Found::NeedsWaker,
                    (None, Some(waker)) => {
                        *ticket = Some(list(state).enter(waker));
                        Found::Waits
                    }
                }
            });
            match found {
                Found::Ready(ready) => return Poll::Ready(ready),
                Found::Waits => return Poll::Pending,
                Found::NeedsWaker => waker = Some(cx.waker().clone()),
            }
        }
    }
}

impl<S: State> Drop for Place<'_, S> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let list = self.list;
        // Dropped after the lock.
        let _waker = self.monitor.change(|state, _| {
            let waker = list(state).give_up(ticket);
            if let Some(outcome) = list(state).come_back(ticket) {
                state.declined(outcome);
            }
            waker
        });
    }
}
