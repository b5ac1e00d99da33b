//! `Scope`: a request to cancel that has come or not, and who is told when it comes.
//!
//! ```text
//!   word:  REQUESTED, live regions, references      (see `word`; one addition to enter, one subtraction to leave)
//!   inner: the request, the deadline, who is woken  (under a lock; only who needs a wake of its own, or has a scope below, is in there)
//! ```
//!
//! Invariant: no region misses the request. Who asks sets REQUESTED with the lock held and takes the listeners' wakers; who comes to listen looks for
//! the request with the lock held. A region that is polled with the waker of the level around it does not listen: whoever cancels a task wakes it by
//! its state word, and whoever cancels a scope wakes its runner, after REQUESTED is set here; so the poll that this leads to, or the one under way, is
//! followed by one that sees it.
//!
//! The runner says after its polls who it is, and only when that, or the deadline, has changed (see `Runner`). What came before is found there, with
//! the lock held; what comes later takes the waker, and wakes it.
//!
//! A request goes down: what is linked below is cancelled as well, one scope at a time, without two locks held. A scope that is linked
//! while this happens finds the request itself. So one look at the own word is enough, however deep a region lies.

use std::alloc::Layout;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use super::level::{Identity, identity};
use super::word::{Left, Word};
use super::{Around, Cancelled};
use crate::rt_sync::Mutex;
use crate::task::{drop_quietly, memory};

/// A counted reference to a scope.
///
/// It is no `Arc`: the count is in the word, so that a region's entry is a reference without another step; and the memory comes from where tasks have
/// theirs, because a scope around an operation lives as short.
pub(crate) struct Scope(NonNull<Node>);

// SAFETY: all of a node may be used from any thread, and dropped on any.
unsafe impl Send for Scope where Node: Send + Sync {}
// SAFETY: as above.
unsafe impl Sync for Scope where Node: Send + Sync {}

struct Node {
    word: Word,
    inner: Mutex<Inner>,
}

struct Inner {
    request: Option<Cancelled>,
    listeners: Slab<Listener>,
    /// The future that runs in the scope, if the scope can be cancelled without it.
    runner: Option<Waker>,
    /// When the runner asks for the cancellation, and what it says then.
    deadline: Option<(Instant, Cancelled)>,
    /// Of a task's scope: what the task is a part of.
    around: Option<Arc<Around>>,
}

/// A live region's reference to the scope that it waits in.
#[derive(Debug)]
pub(super) struct Entry(ManuallyDrop<Scope>);

/// A region's entry.
#[derive(Default)]
pub(crate) struct Listener {
    pub(crate) waker: Option<Waker>,
    /// The region's own scope.
    pub(crate) below: Option<Scope>,
}

impl Scope {
    pub(crate) fn new() -> Self {
        let node = memory::allocate(Layout::new::<Node>()).cast::<Node>();
        let new = Node {
            word: Word::new(),
            inner: Mutex::new(Inner {
                request: None,
                listeners: Slab::new(),
                runner: None,
                deadline: None,
                around: None,
            }),
        };
        // SAFETY: it is memory for a node, which nobody else knows.
        unsafe { node.write(new) };
        Self(node)
    }

    #[inline]
    fn node(&self) -> &Node {
        // SAFETY: made by `new`, and freed when the last reference goes.
        unsafe { self.0.as_ref() }
    }

    /// Asks for the cancellation of everything in the scope, and wakes whom it concerns. The first request counts. It may run code of the user.
    ///
    /// True: it was the first, and regions are live. A caller that wakes the scope's task then lets its waker be kept, see `keep`.
    pub(crate) fn cancel(&self, cancelled: &Cancelled) -> bool {
        let mut scopes = vec![self.clone()];
        let (mut wakers, mut runners) = (Vec::new(), Vec::new());
        let mut is_live_here = false;
        while let Some(scope) = scopes.pop() {
            let mut inner = scope.node().inner.lock();
            if inner.request.is_some() {
                // What lies below has been told, or finds it.
                continue;
            }
            inner.request = Some(cancelled.clone());
            let is_live = scope.node().word.set_requested();
            is_live_here |= is_live && scope.0 == self.0;
            let runner = inner.runner.take();
            for (_, listener) in &mut inner.listeners {
                wakers.extend(listener.waker.take());
                scopes.extend(listener.below.clone());
            }
            drop(inner);
            match runner {
                Some(runner) if is_live => runners.push((scope, runner)),
                runner => wakers.extend(runner),
            }
        }
        wake_all(wakers);
        for (scope, runner) in runners {
            drop_quietly(catch_unwind(AssertUnwindSafe(|| runner.wake_by_ref())));
            scope.keep(runner);
        }
        is_live_here
    }

    /// Keeps the waker of the task or the runner, which was woken after the request, until no region is live. For regions that others poll: the
    /// poll that the request led to has left the future alone because of them.
    pub(crate) fn keep(&self, waker: Waker) {
        let unneeded = {
            let mut inner = self.node().inner.lock();
            if self.is_live() {
                inner.runner.replace(waker)
            } else {
                // They have left meanwhile, perhaps after the poll.
                Some(waker)
            }
        };
        wake_all(unneeded);
    }

    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.node().word.is_requested()
    }

    #[inline]
    pub(crate) fn request(&self) -> Option<Cancelled> {
        if self.is_requested() {
            self.node().inner.lock().request.clone()
        } else {
            None
        }
    }

    /// True if a region in it has begun and not ended.
    pub(crate) fn is_live(&self) -> bool {
        self.node().word.is_live()
    }

    /// A region begins to wait, until the entry is dropped.
    #[inline]
    pub(super) fn enter(&self) -> Entry {
        self.node().word.enter();
        Entry(ManuallyDrop::new(Self(self.0)))
    }

    /// Forgets a listener. The caller drops it where code of the user may run.
    #[must_use]
    pub(super) fn unlisten(&self, key: usize) -> Listener {
        self.node().inner.lock().listeners.remove(key)
    }

    /// Sets what `key` listens with; a new key, if there is none. The caller drops the listener that it gets back as for `unlisten`. `None` for the
    /// key: the request has come already, and nobody will be told.
    pub(super) fn listen(
        &self,
        key: Option<usize>,
        mut listener: Listener,
    ) -> (Option<usize>, Listener) {
        let mut inner = self.node().inner.lock();
        match key {
            _ if inner.request.is_some() => (None, listener),
            Some(key) => {
                std::mem::swap(&mut inner.listeners[key], &mut listener);
                (Some(key), listener)
            }
            None => (Some(inner.listeners.insert(listener)), Listener::default()),
        }
    }

    /// False: it has begun before.
    #[inline]
    pub(crate) fn begin(&self) -> bool {
        self.node().word.set_begun()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let inner = self.node().inner.lock();
        inner.deadline.as_ref().map(|(at, _)| *at)
    }

    pub(crate) fn set_deadline(&self, deadline: Option<(Instant, Cancelled)>) {
        let (old, runner) = {
            let mut inner = self.node().inner.lock();
            self.node().word.set_news(true);
            let runner = if inner.request.is_none() {
                inner.runner.take()
            } else {
                None
            };
            (std::mem::replace(&mut inner.deadline, deadline), runner)
        };
        drop(old);
        wake_all(runner);
    }

    pub(super) fn around(&self) -> Option<Arc<Around>> {
        self.node().inner.lock().around.clone()
    }

    pub(super) fn set_around(&self, around: Arc<Around>) {
        let old = self.node().inner.lock().around.replace(around);
        drop(old);
    }

    /// The deadline, which was `at`, has come. It is no request any more if there is another one.
    pub(crate) fn expire(&self, at: Instant) {
        let deadline = self.node().inner.lock().deadline.clone();
        if let Some((_, request)) = deadline.filter(|(now, _)| *now == at) {
            self.cancel(&request);
        }
    }
}

/// What the future that runs in a scope knows of it: as which waker it is woken if the scope is cancelled, or gets another deadline, and which it has.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    /// Of the waker, which cannot be another's while the scope has the clone, or else has news or a request.
    waker: Option<Identity>,
    deadline: Option<Instant>,
    is_told: bool,
}

impl Runner {
    /// After a poll that was pending. True, once: the scope was cancelled during it, perhaps without a wake. What waits inside need not know.
    #[inline]
    pub(crate) fn attend(&mut self, scope: &Scope, waker: &Waker) -> bool {
        let is_known = self.waker == Some(identity(waker)) && !scope.node().word.has_news();
        !is_known && self.present(scope, waker)
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    #[inline(never)]
    fn present(&mut self, scope: &Scope, waker: &Waker) -> bool {
        // Cloned and dropped without the lock.
        let clone = waker.clone();
        let (old, is_requested) = {
            let node = scope.node();
            let mut inner = node.inner.lock();
            if node.word.has_news() {
                node.word.set_news(false);
                self.deadline = inner.deadline.as_ref().map(|(at, _)| *at);
            }
            if inner.request.is_none() {
                (inner.runner.replace(clone), false)
            } else {
                (Some(clone), true)
            }
        };
        drop_quietly(old);
        self.waker = Some(identity(waker));
        is_requested && !std::mem::replace(&mut self.is_told, true)
    }
}

impl Clone for Scope {
    #[inline]
    fn clone(&self) -> Self {
        self.node().word.refer();
        Self(self.0)
    }
}

impl Drop for Scope {
    #[inline]
    fn drop(&mut self) {
        if self.node().word.forget() {
            // SAFETY: it was the last reference.
            unsafe { free(self.0) };
        }
    }
}

impl Deref for Entry {
    type Target = Scope;

    #[inline]
    fn deref(&self) -> &Scope {
        &self.0
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        match self.node().word.leave() {
            Left::Nothing => {}
            // SAFETY: it was the last reference, and `self.0` is not dropped besides.
            Left::Alone => unsafe { free(self.0.0) },
            Left::Referring => self.end(false),
            Left::Quiet => self.end(true),
        }
    }
}

impl Entry {
    /// The end of an entry whose reference is left. In a scope that was cancelled, and is quiet now, its task or runner looks once more.
    #[cold]
    fn end(&mut self, is_quiet: bool) {
        // SAFETY: nothing of `self` is used any more.
        let scope = unsafe { ManuallyDrop::take(&mut self.0) };
        if is_quiet {
            let runner = scope.node().inner.lock().runner.take();
            wake_all(runner);
        }
    }
}

/// # Safety
///
/// - `node` was made by `Scope::new`, and no reference to it is left.
#[inline]
unsafe fn free(node: NonNull<Node>) {
    struct Memory(NonNull<Node>);
    impl Drop for Memory {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: the memory is that of `new`, and what was in it is dropped.
            unsafe { memory::free(self.0.cast(), Layout::new::<Node>()) };
        }
    }
    // Also if a waker's destructor panics.
    let _memory = Memory(node);
    // SAFETY: the caller's promise.
    unsafe { node.drop_in_place() };
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
