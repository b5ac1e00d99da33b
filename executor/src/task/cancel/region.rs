//! `Region`: the part of a future that is told of a cancellation, from its first poll to its end.
//!
//! While it waits it is entered in the scope around it (see `scope`), and so keeps it live. What it polls may contain regions in turn: they wait in
//! its own scope, which is cancelled with the outer one. It ends by a cancellation only when nothing inside is live, so that each region
//! gets the error where it is, and what it does then may be shielded.
//!
//! Who must be woken by a request? A region that is polled with the waker of the level around it, task or region, is polled when that one is, and looks
//! at the scope then: it does not listen. One with another waker, as in a `FuturesUnordered`, leaves it in the scope's list, and its own scope with it.

use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use super::level::{self, Deadline, Identity, Level, identity};
use super::scope::{Entry, Listener};
use super::{Cancelled, Scope};
use crate::task::drop_quietly;

/// A region's state beside the future that it polls.
#[derive(Debug, Default)]
pub(crate) struct Region {
    place: Option<Place>,
    own: Own,
}

/// A region's own scope, of which it has the reference of who polls in it.
#[derive(Debug)]
pub(crate) enum Own {
    /// By who made the region, until that is over.
    Given(Option<Scope>),
    /// Made when a region inside begins to wait.
    Lazy(OnceLock<Scope>),
}

/// A region that waits.
#[derive(Debug)]
struct Place {
    outer: Entry,
    /// The waker of the level around it.
    implied: Identity,
    listening: Option<Listening>,
}

/// What the outer scope's list has.
#[derive(Debug, PartialEq)]
struct Listening {
    key: usize,
    /// Of the waker, which cannot be another's while the clone in the list lives.
    waker: Identity,
    linked: bool,
}

impl Region {
    /// Whose scope can be cancelled from elsewhere. It is new, or from `Scope::begin`.
    pub(crate) fn of(scope: Scope) -> Self {
        Self {
            place: None,
            own: Own::Given(Some(scope)),
        }
    }

    #[inline]
    pub(crate) fn own(&self) -> Option<&Scope> {
        self.own.get()
    }

    /// Polls, by `f`, what is in the region.
    #[inline]
    pub(crate) fn within<R>(&self, waker: &Waker, deadline: Deadline, f: impl FnOnce() -> R) -> R {
        Level::new(&self.own, waker, deadline).enter(f)
    }

    /// Polls a region that the requests of the outer scope reach.
    #[inline]
    pub(crate) fn poll<T>(
        &mut self,
        cx: &mut Context<'_>,
        f: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<Result<T, Cancelled>> {
        let level = Level::new(&self.own, cx.waker(), Deadline::Inherited);
        match &self.place {
            None => {
                if let Some(request) = level.outer_request() {
                    return Poll::Ready(Err(request));
                }
            }
            Some(place) if place.outer.is_requested() => self.pass_down(),
            Some(_) => {}
        }
        match level.enter(|| f(cx)) {
            Poll::Ready(output) => {
                self.leave();
                Poll::Ready(Ok(output))
            }
            Poll::Pending => {
                if !self.listen(cx.waker(), true) {
                    return Poll::Pending;
                }
                match self.settle(cx.waker()) {
                    None => Poll::Pending,
                    Some(request) => {
                        self.leave();
                        Poll::Ready(Err(request))
                    }
                }
            }
        }
    }

    /// For a poll that was pending: waits in the outer scope. True if that is requested to cancel. `down`: what is in the region is cancelled with it.
    // As a part of the poll it has 40 instructions, as a call 68. `always`: several futures call it.
    #[inline(always)]
    pub(crate) fn listen(&mut self, waker: &Waker, down: bool) -> bool {
        if self.place.is_none() {
            let Some(here) = level::here() else {
                return false;
            };
            self.place = Some(Place {
                outer: here.outer,
                implied: here.waker,
                listening: None,
            });
        }
        let Some(place) = &mut self.place else {
            return false;
        };
        if place.listening.is_some() || place.implied != identity(waker) {
            place.listen(waker, self.own.get().filter(|_| down));
        }
        place.outer.is_requested()
    }

    /// The scope of the task, if that polls the region with `waker`, its own, and nothing in between.
    #[inline]
    pub(crate) fn task(&self, waker: &Waker) -> Option<&Scope> {
        let place = self.place.as_ref()?;
        (place.outer.is_of_task() && place.implied == identity(waker)).then(|| &*place.outer)
    }

    /// The outer scope's request.
    pub(crate) fn outer_request(&self) -> Option<Cancelled> {
        self.place.as_ref()?.outer.request()
    }

    /// Before what is inside is polled, which looks at its scope then. A request that comes later leads to another poll.
    #[cold]
    fn pass_down(&self) {
        if let (Some(request), Some(own)) = (self.outer_request(), self.own.get()) {
            own.cancel(&request);
        }
    }

    /// The outer request goes down. Returns it if nothing inside is live: the region is over.
    #[cold]
    fn settle(&self, waker: &Waker) -> Option<Cancelled> {
        let request = self.outer_request()?;
        let Some(own) = self.own.get() else {
            return Some(request);
        };
        own.cancel(&request);
        if own.spares(waker) {
            None
        } else {
            own.request()
        }
    }

    /// The region is over, and what was in it dropped.
    #[inline]
    pub(crate) fn leave(&mut self) {
        // The scope inside first: its way to the task leads through the entry.
        if let Own::Given(own) = &mut self.own
            && let Some(own) = own.take()
        {
            own.end();
        }
        if let Some(place) = &self.place {
            if let Some(listening) = &place.listening {
                drop_quietly(place.outer.unlisten(listening.key));
            }
            // The entry is dropped.
            self.place = None;
        }
    }

    /// Dropped while it waits, or before it was polled.
    #[cold]
    fn leave_early(&mut self) {
        self.leave();
    }
}

impl Place {
    #[inline(never)]
    fn listen(&mut self, waker: &Waker, below: Option<&Scope>) {
        if self.outer.is_requested() {
            return;
        }
        let (identity, linked) = (identity(waker), below.is_some());
        if let Some(listening) = &self.listening
            && listening.waker == identity
            && listening.linked == linked
        {
            return;
        }
        let listener = Listener {
            waker: Some(waker.clone()),
            below: below.cloned(),
        };
        let key = self.listening.as_ref().map(|listening| listening.key);
        let (key, old) = self.outer.listen(key, listener);
        drop_quietly(old);
        if let Some(key) = key {
            self.listening = Some(Listening {
                key,
                waker: identity,
                linked,
            });
        }
    }
}

impl Own {
    #[inline]
    pub(super) fn get(&self) -> Option<&Scope> {
        match self {
            Self::Given(scope) => scope.as_ref(),
            Self::Lazy(scope) => scope.get(),
        }
    }

    #[inline]
    pub(super) fn get_or_make(&self) -> Option<&Scope> {
        match self {
            Self::Given(scope) => scope.as_ref(),
            Self::Lazy(scope) => Some(scope.get_or_init(Scope::new)),
        }
    }
}

impl Default for Own {
    fn default() -> Self {
        Self::Lazy(OnceLock::new())
    }
}

impl Drop for Region {
    #[inline]
    fn drop(&mut self) {
        if self.place.is_some() || matches!(self.own, Own::Given(Some(_))) {
            self.leave_early();
        }
    }
}
