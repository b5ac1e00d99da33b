//! `Region`: the part of a future that is told of a cancellation, from its first poll to its end.
//!
//! While it waits it is entered in the scope around it (see `scope`), and so keeps it live. What it polls may contain regions in turn: they wait in
//! its own scope, which it links below the outer one. It ends by a cancellation only when nothing inside is live, so that each region
//! gets the error where it is, and what it does then may be shielded.

use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use super::level::{self, Deadline};
use super::scope::Listener;
use super::{Cancelled, Level, Scope};
use crate::task::{drop_quietly, waker};

/// A region's state beside the future that it polls.
#[derive(Debug, Default)]
pub(crate) struct Region {
    place: Option<Place>,
    /// Made when a region inside begins to wait, or given.
    own: OnceLock<Scope>,
}

/// A region that waits.
#[derive(Debug)]
struct Place {
    outer: Scope,
    /// The task whose scope the outer one is: its own waker need not be stored, see `scope`.
    task: Option<usize>,
    listening: Option<Listening>,
}

/// What the outer scope's list has.
#[derive(Debug, PartialEq)]
struct Listening {
    key: usize,
    /// Data and table of the waker, which cannot be another's while the clone in the list lives.
    waker: Option<(usize, usize)>,
    linked: bool,
}

impl Region {
    /// Whose scope can be cancelled from elsewhere.
    pub(crate) fn of(scope: Scope) -> Self {
        Self {
            place: None,
            own: OnceLock::from(scope),
        }
    }

    pub(crate) fn own(&self) -> Option<&Scope> {
        self.own.get()
    }

    /// True from the first poll that was pending to the end.
    pub(crate) fn is_waiting(&self) -> bool {
        self.place.is_some()
    }

    /// Polls, by `f`, what is in the region.
    #[inline]
    pub(crate) fn within<R>(&self, deadline: Deadline, f: impl FnOnce() -> R) -> R {
        Level::new(&self.own, deadline).enter(f)
    }

    /// Polls a region that the requests of the outer scope reach.
    #[inline]
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        f: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, Cancelled>> {
        if !self.is_waiting()
            && let Some(request) = level::nearest_request()
        {
            return Poll::Ready(Err(request));
        }
        match self.within(Deadline::Inherited, || f(cx)) {
            Poll::Ready(output) => {
                self.leave();
                Poll::Ready(Ok(output))
            }
            Poll::Pending => match self.listen(cx.waker(), true).and_then(|()| self.settle()) {
                None => Poll::Pending,
                Some(request) => {
                    self.leave();
                    Poll::Ready(Err(request))
                }
            },
        }
    }

    /// For a poll that was pending: waits in the outer scope. Returns if that is requested to cancel. `down`: what is in the region is cancelled with it.
    pub(crate) fn listen(&mut self, waker: &Waker, down: bool) -> Option<()> {
        if self.place.is_none() {
            let here = level::here()?;
            here.scope.enter();
            self.place = Some(Place {
                outer: here.scope,
                task: here.task,
                listening: None,
            });
        }
        let place = self.place.as_mut()?;
        if !place.outer.is_requested() {
            let own = self.own.get().filter(|_| down);
            place.listen(waker, own);
        }
        place.outer.is_requested().then_some(())
    }

    /// The outer scope's request.
    pub(crate) fn outer_request(&self) -> Option<Cancelled> {
        self.place.as_ref()?.outer.request()
    }

    /// The outer request goes down. Returns it if nothing inside is live: the region is over.
    pub(crate) fn settle(&self) -> Option<Cancelled> {
        let request = self.outer_request()?;
        let Some(own) = self.own.get() else {
            return Some(request);
        };
        own.cancel(&request);
        if own.is_live() { None } else { own.request() }
    }

    /// The region is over, and what was in it dropped.
    pub(crate) fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            let key = place.listening.map(|listening| listening.key);
            drop_quietly(place.outer.leave(key));
        }
    }
}

impl Place {
    fn listen(&mut self, waker: &Waker, below: Option<&Scope>) {
        let by_task = self.task.is_some() && waker::task_address(waker) == self.task;
        if by_task && below.is_none() && self.listening.is_none() {
            return;
        }
        let wanted = (!by_task).then(|| {
            let table: *const _ = waker.vtable();
            (waker.data().addr(), table.addr())
        });
        if let Some(listening) = &self.listening
            && listening.waker == wanted
            && listening.linked == below.is_some()
        {
            return;
        }
        let listener = Listener {
            waker: wanted.map(|_| waker.clone()),
            below: below.cloned(),
        };
        let key = self.listening.as_ref().map(|listening| listening.key);
        let (key, old) = self.outer.listen(key, listener);
        drop_quietly(old);
        if let Some(key) = key {
            self.listening = Some(Listening {
                key,
                waker: wanted,
                linked: below.is_some(),
            });
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        self.leave();
    }
}
