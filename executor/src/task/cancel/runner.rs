//! `Runner`: what the future that runs in a scope tells it: how a request, or another deadline, wakes it.

use std::mem;
use std::ptr;
use std::task::Waker;
use std::time::Instant;

use super::Scope;
use super::level::{Identity, identity};
use crate::rt_sync::atomic::Ordering::Relaxed;
use crate::task::drop_quietly;

/// What the future that runs in a scope knows of it: as which waker it is woken if the scope is cancelled, or gets another deadline, and which it has.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    woken: Woken,
    deadline: Option<Instant>,
    is_told: bool,
}

/// How a request, or news, reaches the runner.
#[derive(Debug, Default)]
enum Woken {
    /// It has not presented itself.
    #[default]
    Not,
    /// By way of the task's scope.
    Routed,
    /// By this waker, which cannot be another's while the scope has the clone, or else has news or a request.
    As(Identity),
}

impl Runner {
    /// After a poll that was pending. True, once: the scope was cancelled during it, perhaps without a wake. What waits inside need not know. `task`: the
    /// scope of the task that polls the runner with `waker`, its own, directly.
    #[inline]
    pub(crate) fn attend(&mut self, scope: &Scope, waker: &Waker, task: Option<&Scope>) -> bool {
        let word = &scope.node().word;
        let is_known = match (&self.woken, task) {
            (Woken::Not, Some(task)) => !word.has_news() && self.route(scope, waker, task),
            // A task may have ended, and another one be where it was.
            (Woken::Routed, Some(task)) => !word.has_news() && task.node().word.wakes(),
            (Woken::As(known), _) => !word.has_news() && *known == identity(waker),
            (_, None) => false,
        };
        !is_known && self.present(scope, waker)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Leaves the way to the task's scope. False: a request, or news, came before.
    #[inline]
    fn route(&mut self, scope: &Scope, waker: &Waker, task: &Scope) -> bool {
        if !task.node().word.wakes() {
            task.keep_task(waker);
        }
        let node = scope.node();
        // Relaxed: `set_routed` releases it.
        node.route
            .store(ptr::from_ref(task.node()).cast_mut(), Relaxed);
        self.woken = Woken::Routed;
        !node.word.set_routed()
    }

    /// Leaves a waker, and takes the news.
    #[inline(never)]
    fn present(&mut self, scope: &Scope, waker: &Waker) -> bool {
        let node = scope.node();
        // Cloned and dropped without the lock.
        let clone = waker.clone();
        let (old, is_requested) = {
            let mut inner = node.lock();
            if node.word.has_news() {
                node.word.take_news();
                self.deadline = inner.deadline.as_ref().map(|(at, _)| *at);
            }
            if inner.request.is_none() {
                (inner.runner.replace(clone), false)
            } else {
                (Some(clone), true)
            }
        };
        drop_quietly(old);
        self.woken = Woken::As(identity(waker));
        is_requested && !mem::replace(&mut self.is_told, true)
    }
}
