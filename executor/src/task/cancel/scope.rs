//! `Scope`: a request to cancel that has come or not, and who is told when it comes.
//!
//! ```text
//!   word:  REQUESTED │ number of live regions      (one add to enter, one subtraction to leave)
//!   inner: the request, listeners                  (under a lock; only who needs a wake of its own, or has a scope below, is in there)
//! ```
//!
//! Invariant: no region misses the request. Who asks sets REQUESTED with the lock held and takes the listeners' wakers; who comes to listen looks for
//! the request with the lock held. A region that is polled with the waker of the level around it does not listen: whoever cancels a task wakes it by
//! its state word, and whoever cancels a scope wakes its runner, after REQUESTED is set here; so the poll that this leads to, or the one under way, is
//! followed by one that sees it.
//!
//! A request goes down: what is linked below is cancelled as well, one scope at a time, without two locks held. A scope that is linked
//! while this happens finds the request itself. So one look at the own word is enough, however deep a region lies.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use super::Cancelled;
use crate::rt_sync::Mutex;
use crate::rt_sync::atomic::AtomicUsize;
use crate::rt_sync::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::task::drop_quietly;

/// A counted reference to a scope.
#[derive(Clone)]
pub(crate) struct Scope(Arc<Node>);

struct Node {
    word: AtomicUsize,
    inner: Mutex<Inner>,
}

struct Inner {
    request: Option<Cancelled>,
    listeners: Slab<Listener>,
    /// The future that runs in the scope, if the scope can be cancelled without it.
    runner: Option<Waker>,
    /// When the runner asks for the cancellation, and what it says then.
    deadline: Option<(Instant, Cancelled)>,
}

/// A region's entry.
#[derive(Default)]
pub(crate) struct Listener {
    pub(crate) waker: Option<Waker>,
    /// The region's own scope.
    pub(crate) below: Option<Scope>,
}

/// The request has come.
const REQUESTED: usize = 1;
/// It has had its one run.
const BEGUN: usize = 1 << 1;
/// A region that has begun and not ended.
const LIVE: usize = 1 << 2;

impl Scope {
    #[inline]
    pub(crate) fn new() -> Self {
        Self(Arc::new(Node {
            word: AtomicUsize::new(0),
            inner: Mutex::new(Inner {
                request: None,
                listeners: Slab::new(),
                runner: None,
                deadline: None,
            }),
        }))
    }

    /// Asks for the cancellation of everything in the scope, and wakes whom it concerns. The first request counts. It may run code of the user.
    pub(crate) fn cancel(&self, cancelled: &Cancelled) {
        let mut scopes = vec![self.clone()];
        let mut wakers = Vec::new();
        while let Some(scope) = scopes.pop() {
            let mut inner = scope.0.inner.lock();
            if inner.request.is_some() {
                // What lies below has been told, or finds it.
                continue;
            }
            inner.request = Some(cancelled.clone());
            // Release: pairs with the Acquire of `is_requested` and `enter`.
            scope.0.word.fetch_or(REQUESTED, Release);
            wakers.extend(inner.runner.take());
            for (_, listener) in &mut inner.listeners {
                wakers.extend(listener.waker.take());
                scopes.extend(listener.below.clone());
            }
        }
        wake_all(wakers);
    }

    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        // Acquire: pairs with the Release of `cancel`.
        self.0.word.load(Acquire) & REQUESTED != 0
    }

    #[inline]
    pub(crate) fn request(&self) -> Option<Cancelled> {
        if self.is_requested() {
            self.0.inner.lock().request.clone()
        } else {
            None
        }
    }

    /// True if a region in it has begun and not ended.
    pub(crate) fn is_live(&self) -> bool {
        // Relaxed: asked by who polls the regions.
        self.0.word.load(Relaxed) >= LIVE
    }

    /// A region begins to wait.
    #[inline]
    pub(super) fn enter(&self) {
        // Relaxed: who asks whether it is live polls the region.
        self.0.word.fetch_add(LIVE, Relaxed);
    }

    /// A region ends. The caller drops what it gets where code of the user may run.
    #[must_use]
    #[inline]
    pub(super) fn leave(&self, key: Option<usize>) -> Option<Listener> {
        let listener = key.map(|key| self.0.inner.lock().listeners.remove(key));
        // Relaxed: as for `enter`.
        self.0.word.fetch_sub(LIVE, Relaxed);
        listener
    }

    /// Sets what `key` listens with; a new key, if there is none. The caller drops the listener that it gets back as for `leave`. `None` for the
    /// key: the request has come already, and nobody will be told.
    pub(super) fn listen(
        &self,
        key: Option<usize>,
        mut listener: Listener,
    ) -> (Option<usize>, Listener) {
        let mut inner = self.0.inner.lock();
        match key {
            _ if inner.request.is_some() => (None, listener),
            Some(key) => {
                std::mem::swap(&mut inner.listeners[key], &mut listener);
                (Some(key), listener)
            }
            None => (Some(inner.listeners.insert(listener)), Listener::default()),
        }
    }

    /// Who is woken when the scope is cancelled or gets another deadline: its runner. Returns the deadline.
    pub(crate) fn set_runner(&self, waker: &Waker, is_first: bool) -> Option<(Instant, Cancelled)> {
        if !is_first {
            let inner = self.0.inner.lock();
            let runner = inner.runner.as_ref();
            if runner.is_some_and(|runner| runner.will_wake(waker)) || inner.request.is_some() {
                return inner.deadline.clone();
            }
        }
        // Cloned and dropped without the lock.
        let waker = waker.clone();
        let (old, deadline) = {
            let mut inner = self.0.inner.lock();
            let old = if inner.request.is_none() {
                inner.runner.replace(waker)
            } else {
                Some(waker)
            };
            (old, inner.deadline.clone())
        };
        drop_quietly(old);
        deadline
    }

    /// False: it has begun before.
    pub(crate) fn begin(&self) -> bool {
        // Relaxed: a count of one.
        self.0.word.fetch_or(BEGUN, Relaxed) & BEGUN == 0
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let inner = self.0.inner.lock();
        inner.deadline.as_ref().map(|(at, _)| *at)
    }

    pub(crate) fn set_deadline(&self, deadline: Option<(Instant, Cancelled)>) {
        let runner = {
            let mut inner = self.0.inner.lock();
            inner.deadline = deadline;
            inner.runner.take()
        };
        wake_all(runner);
    }
}

/// A waker that panics keeps the others not asleep.
fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        drop_quietly(catch_unwind(AssertUnwindSafe(|| waker.wake())));
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("is_requested", &self.is_requested())
            .field("is_live", &self.is_live())
            .finish()
    }
}
