//! Which scope the code that runs on this thread belongs to: that of the innermost region that is being polled, else that of the task.
//!
//! A region puts a `Level` on the thread's stack while it polls, with the place of its own scope, which most regions never fill. A task puts nothing
//! there: tasks that use no region pay nothing. A level counts only in the frame (see `current`) in which it was put there, so that a task
//! which is polled inside of another's poll, as by a nested `block_on`, does not see the levels of that one.

use std::cell::Cell;
use std::ptr;
use std::task::Waker;
use std::time::Instant;

use super::region::Own;
use super::scope::Entry;
use super::{Cancelled, Scope};
use crate::rt_sync::thread_local;
use crate::task::current::{self, Frame};
use crate::task::waker;

/// What a region is to the code that it polls.
pub(crate) struct Level<'a> {
    own: &'a Own,
    waker: &'a Waker,
    deadline: Deadline,
    frame: *const Frame,
    outer: *const Level<'static>,
}

/// Data and table of a waker: the same for two that wake the same, while one of them lives.
pub(super) type Identity = (usize, usize);

/// What a level does to the deadline of what it polls.
#[derive(Clone, Copy)]
pub(crate) enum Deadline {
    /// The earlier of its scope's own and the outer ones counts.
    Inherited,
    /// The outer ones do not count. `None`: there is none yet.
    Shielded(Option<Instant>),
}

impl<'a> Level<'a> {
    #[inline]
    pub(super) fn new(own: &'a Own, waker: &'a Waker, deadline: Deadline) -> Self {
        Self {
            own,
            waker,
            deadline,
            frame: current::frame(),
            outer: INNERMOST.with(Cell::get),
        }
    }

    /// Code that `f` calls is in this level.
    #[inline]
    pub(super) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Back(*const Level<'static>);
        impl Drop for Back {
            #[inline]
            fn drop(&mut self) {
                INNERMOST.with(|innermost| innermost.set(self.0));
            }
        }
        // The lifetime is that of this call: `Back` takes the pointer away before it ends.
        INNERMOST.with(|innermost| innermost.set(ptr::from_ref(self).cast()));
        let _back = Back(self.outer);
        f()
    }

    /// The scope, if it is one that may have a deadline.
    pub(super) fn given(&self) -> Option<&Scope> {
        match self.own {
            Own::Given(scope) => scope.as_ref(),
            Own::Lazy(_) => None,
        }
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// As `nearest_request`, around this level, which is not entered yet.
    #[inline]
    pub(super) fn outer_request(&self) -> Option<Cancelled> {
        request_from(self.outer, self.frame)
    }
}

#[inline]
pub(super) fn identity(waker: &Waker) -> Identity {
    let table: *const _ = waker.vtable();
    (waker.data().addr(), table.addr())
}

/// Calls `f` with each level that counts in `frame`, from `next` outwards, until it returns something.
#[inline]
fn find<R>(
    mut next: *const Level<'static>,
    frame: *const Frame,
    mut f: impl FnMut(&Level<'_>) -> Option<R>,
) -> Option<R> {
    // SAFETY: not null means that the `enter` of this level has not returned, which borrows it; `f` cannot keep it.
    while let Some(level) = unsafe { next.as_ref() } {
        if !ptr::eq(level.frame, frame) {
            break;
        }
        if let Some(found) = f(level) {
            return Some(found);
        }
        next = level.outer;
    }
    None
}

#[inline]
pub(super) fn find_here<R>(f: impl FnMut(&Level<'_>) -> Option<R>) -> Option<R> {
    find(INNERMOST.with(Cell::get), current::frame(), f)
}

/// The request that code which begins now must not begin for, if there is one.
#[inline]
pub(crate) fn nearest_request() -> Option<Cancelled> {
    request_from(INNERMOST.with(Cell::get), current::frame())
}

#[inline]
fn request_from(innermost: *const Level<'static>, frame: *const Frame) -> Option<Cancelled> {
    let is_asked = |own: &Scope| own.is_requested().then_some(());
    // Whatever is shielded: as a rule nobody is asked at all.
    let any = find(innermost, frame, |level| level.own.get().and_then(is_asked));
    any.or_else(|| current::with_task(|task| task.origin.try_scope().and_then(is_asked)))?;
    find_request(innermost, frame)
}

#[cold]
fn find_request(innermost: *const Level<'static>, frame: *const Frame) -> Option<Cancelled> {
    // A scope inside may not have heard yet of what an outer one was asked.
    let of_level =
        |level: &Level<'_>| match (level.own.get().and_then(Scope::request), level.deadline) {
            (Some(request), _) => Some(Some(request)),
            (None, Deadline::Shielded(_)) => Some(None),
            (None, Deadline::Inherited) => None,
        };
    match find(innermost, frame, of_level) {
        Some(request) => request,
        None => current::with_task(|task| task.origin.try_scope().and_then(Scope::request)),
    }
}

/// Where code that runs waits.
pub(super) struct Here {
    pub(super) outer: Entry,
    /// With what it is polled there.
    pub(super) waker: Identity,
}

/// Enters the innermost scope, made if it is missing. `None` outside of tasks and regions.
// As `Region::listen`, which calls it.
#[inline(always)]
pub(super) fn here() -> Option<Here> {
    let of_level = find_here(|level| {
        Some(Here {
            outer: level.own.get_or_make()?.enter(false),
            waker: identity(level.waker),
        })
    });
    of_level.or_else(|| {
        current::with_task(|task| {
            Some(Here {
                outer: task.origin.scope().enter(true),
                waker: (ptr::from_ref(task).addr(), waker::table_address()),
            })
        })
    })
}

/// True if it is the innermost scope here: then nobody else polls in it.
#[inline]
pub(super) fn polls_in(scope: &Scope) -> bool {
    find_here(|level| Some(level.own.get().is_some_and(|own| own.is(scope)))) == Some(true)
}

/// True if it is the scope of the task here: then nobody else polls in it.
#[inline]
pub(super) fn is_task_in(scope: &Scope) -> bool {
    current::with_task(|task| task.origin.try_scope().map(|own| own.is(scope))) == Some(true)
}

/// True in a task, and in what a region polls.
pub(crate) fn is_inside() -> bool {
    !current::frame().is_null() || !INNERMOST.with(Cell::get).is_null()
}

thread_local! {
    static INNERMOST: Cell<*const Level<'static>> = const { Cell::new(ptr::null()) };
}
