//! Which scope the code that runs on this thread belongs to: that of the innermost region that is being polled, else that of the task.
//!
//! A region puts a `Level` on the thread's stack while it polls, with the place of its own scope, which most regions never fill. A task puts nothing
//! there: tasks that use no region pay nothing. A level counts only in the frame (see `current`) in which it was put there, so that a task
//! which is polled inside of another's poll, as by a nested `block_on`, does not see the levels of that one.

use std::cell::Cell;
use std::ptr;
use std::sync::OnceLock;
use std::time::Instant;

use super::{Cancelled, Scope};
use crate::rt_sync::thread_local;
use crate::task::current::{self, Frame};

/// What a region, or the root of a `block_on`, is to the code that it polls.
pub(crate) struct Level<'a> {
    own: &'a OnceLock<Scope>,
    deadline: Deadline,
    frame: *const Frame,
    outer: *const Level<'static>,
}

/// What a level does to the deadline of what it polls.
#[derive(Clone, Copy)]
pub(crate) enum Deadline {
    /// The earlier of its scope's own and the outer ones counts.
    Inherited,
    /// The outer ones do not count. `None`: there is none yet.
    Shielded(Option<Instant>),
}

/// Where a region waits.
pub(super) struct Here {
    pub(super) scope: Scope,
    /// The scope is that of the task at this address.
    pub(super) task: Option<usize>,
}

impl<'a> Level<'a> {
    pub(crate) fn new(own: &'a OnceLock<Scope>, deadline: Deadline) -> Self {
        Self {
            own,
            deadline,
            frame: current::frame(),
            outer: INNERMOST.with(Cell::get),
        }
    }

    /// Code that `f` calls is in this level.
    #[inline]
    pub(crate) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
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
}

/// Calls `f` with each level that counts here, from the innermost on, until it returns something.
#[inline]
fn find<R>(mut f: impl FnMut(&Level<'_>) -> Option<R>) -> Option<R> {
    let frame = current::frame();
    let mut next = INNERMOST.with(Cell::get);
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

/// The request that code which begins now must not begin for, if there is one.
#[inline]
pub(crate) fn nearest_request() -> Option<Cancelled> {
    // A scope that is missing has not been asked for anything, and what is asked of an outer one it would have heard.
    match find(|level| level.own.get().map(Scope::request)) {
        Some(request) => request,
        None => current::with_task(|task| task.origin.try_scope().and_then(Scope::request)),
    }
}

/// The innermost scope, made if it is missing. `None` outside of tasks and roots.
pub(super) fn here() -> Option<Here> {
    let of_level = find(|level| {
        Some(Here {
            scope: level.own.get_or_init(Scope::new).clone(),
            task: None,
        })
    });
    of_level.or_else(|| {
        current::with_task(|task| {
            Some(Here {
                scope: task.origin.scope().clone(),
                task: Some(ptr::from_ref(task).addr()),
            })
        })
    })
}

/// The earliest deadline among the levels.
pub(crate) fn effective_deadline() -> Option<Instant> {
    let mut earliest: Option<Instant> = None;
    let shielded = find(|level| {
        let own = level.own.get().and_then(Scope::deadline);
        earliest = [earliest, own].into_iter().flatten().min();
        match level.deadline {
            Deadline::Inherited => None,
            Deadline::Shielded(until) => Some(until),
        }
    });
    [earliest, shielded.flatten()].into_iter().flatten().min()
}

thread_local! {
    static INNERMOST: Cell<*const Level<'static>> = const { Cell::new(ptr::null()) };
}
