//! `Scope`: a request to cancel that has come or not, and who is told when it comes.
//!
//! ```text
//!   word:  REQUESTED, live regions, references      (see `word`; regions enter and leave by plain stores)
//!   inner: the request, the deadline, who is woken  (under a lock; only who needs a wake of its own, or has a scope below, is in there)
//!
//!   who is woken for a scope that a future runs in:    its runner ──── a waker that is kept here
//!                                                or    its route ────▶ the task's scope around it, which keeps the task's
//! ```
//!
//! Invariant: no region misses the request. Who asks sets REQUESTED with the lock held and takes the listeners' wakers; who comes to listen looks for
//! the request with the lock held. A region that is polled with the waker of the level around it does not listen: whoever cancels a task wakes it by
//! its state word, and whoever cancels a scope wakes its runner, after REQUESTED is set here; so the poll that this leads to, or the one under way, is
//! followed by one that sees it.
//!
//! The runner says after its polls who it is, and only when that, or the deadline, has changed (see `runner`). What came before is found there; what
//! comes later takes the waker, and wakes it. A runner that is polled by its task directly need not leave a waker: it leaves the way to the task's scope, once. The
//! way is good as long as the run, because the region of the run is live out there. So who goes it holds the lock here, and a run that ends while there is a
//! request, or news, takes the lock in turn before its region leaves.
//!
//! Whoever leaves a future alone after a request, because regions are live, keeps its waker here first: one that leaves elsewhere wakes it.
//!
//! A request goes down: what is linked below is cancelled as well, one scope at a time, without two locks held. A scope that is linked
//! while this happens finds the request itself. So one look at the own word is enough, however deep a region lies.

use std::alloc::Layout;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use slab::Slab;

use super::level;
use super::word::{End, Left, Word};
use super::{Around, Cancelled, Rare};
use crate::rt_sync::atomic::AtomicPtr;
use crate::rt_sync::atomic::Ordering::Relaxed;
use crate::rt_sync::{Mutex, MutexGuard};
use crate::task::{drop_quietly, memory, wake_quietly};

/// A counted reference to a scope.
///
/// It is no `Arc`: regions that are live keep it without a step on the count; and the memory comes from where tasks have theirs, because a scope around an
/// operation lives as short.
pub(crate) struct Scope(NonNull<Node>);

// SAFETY: all of a node may be used from any thread, and dropped on any.
unsafe impl Send for Scope where Node: Send + Sync {}
// SAFETY: as above.
unsafe impl Sync for Scope where Node: Send + Sync {}

pub(super) struct Node {
    pub(super) word: Word,
    /// Of a routed scope: the scope of the task that runs it.
    pub(super) route: AtomicPtr<Self>,
    inner: Mutex<Rare<Inner>>,
}

/// Made when the lock is taken for the first time, as for most scopes it never is.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) request: Option<Cancelled>,
    listeners: Slab<Listener>,
    /// The future that runs in the scope, if it waits for news, or is left alone after the request.
    pub(super) runner: Option<Waker>,
    /// Of a task's scope: the task, until it ends, once a scope inside is routed.
    task: Option<Waker>,
    /// When the runner asks for the cancellation, and what it says then.
    pub(super) deadline: Option<(Instant, Cancelled)>,
    /// Of a task's scope: what the task is a part of.
    around: Option<Arc<Around>>,
}

pub(super) struct Locked<'a>(MutexGuard<'a, Rare<Inner>>);

/// A live region in the scope that it waits in, which stays because of it.
#[derive(Debug)]
pub(super) struct Entry {
    scope: ManuallyDrop<Scope>,
    /// It is a task's.
    is_of_task: bool,
}

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
            route: AtomicPtr::new(ptr::null_mut()),
            inner: Mutex::new(Rare::default()),
        };
        // SAFETY: it is memory for a node, which nobody else knows.
        unsafe { node.write(new) };
        Self(node)
    }

    #[inline]
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    #[inline]
    pub(super) fn node(&self) -> &Node {
        // SAFETY: made by `new`, and freed when the last reference goes.
        unsafe { self.0.as_ref() }
    }

    /// Asks for the cancellation of everything in the scope, and wakes whom it concerns. The first request counts. It may run code of the user.
    pub(crate) fn cancel(&self, cancelled: &Cancelled) {
        let mut scopes = vec![self.clone()];
        let mut wakers = Vec::new();
        while let Some(scope) = scopes.pop() {
            let mut inner = scope.node().lock();
            if inner.request.is_some() {
                // What lies below has been told, or finds it.
                continue;
            }
            inner.request = Some(cancelled.clone());
            let is_routed = scope.node().word.set_requested();
            wakers.extend(scope.take_runner(&mut inner, is_routed));
            for (_, listener) in &mut inner.listeners {
                wakers.extend(listener.waker.take());
                scopes.extend(listener.below.clone());
            }
        }
        wake_all(wakers);
    }

    /// Whom a request or news wakes. `inner` is locked; that there is something was said before, and `is_routed` then.
    fn take_runner(&self, inner: &mut Inner, is_routed: bool) -> Option<Waker> {
        if inner.runner.is_some() || !is_routed {
            return inner.runner.take();
        }
        // Relaxed: written before ROUTED was set.
        let route = self.node().route.load(Relaxed);
        // SAFETY: if it is not null the run has not ended, and cannot while we have the lock, see `end`; till then its region is live in that scope.
        let task = unsafe { route.as_ref() }?;
        // It is the waker of a task: to clone it runs no code of the user.
        task.lock().task.clone()
    }

    /// After a poll that was pending, and after the request: whether the future is left alone, because a region in it is live. Then `waker` is woken
    /// when one has left that others poll; those that are polled with the future are seen after its polls.
    pub(crate) fn spares(&self, waker: &Waker) -> bool {
        if !self.is_live() {
            return false;
        }
        // Cloned and dropped without the lock.
        let clone = waker.clone();
        let (unneeded, is_live) = {
            let mut inner = self.node().lock();
            // With the lock: one that leaves now, and is not seen, takes it afterwards.
            if self.is_live() {
                (inner.runner.replace(clone), true)
            } else {
                (Some(clone), false)
            }
        };
        drop_quietly(unneeded);
        is_live
    }

    #[inline]
    pub(crate) fn is_requested(&self) -> bool {
        self.node().word.is_requested()
    }

    #[inline]
    pub(crate) fn request(&self) -> Option<Cancelled> {
        if self.is_requested() {
            self.copy_request()
        } else {
            None
        }
    }

    #[cold]
    fn copy_request(&self) -> Option<Cancelled> {
        self.node().lock().request.clone()
    }

    /// True if a region in it has begun and not ended. For who polls in it.
    pub(crate) fn is_live(&self) -> bool {
        self.node().word.is_live()
    }

    /// A region begins to wait, until the entry is dropped. By who polls in the scope, which is a task's or not.
    #[inline]
    pub(super) fn enter(&self, is_of_task: bool) -> Entry {
        self.node().word.enter();
        Entry {
            scope: ManuallyDrop::new(Self(self.0)),
            is_of_task,
        }
    }

    /// Forgets a listener. The caller drops it where code of the user may run.
    #[must_use]
    pub(super) fn unlisten(&self, key: usize) -> Listener {
        self.node().lock().listeners.remove(key)
    }

    /// Sets what `key` listens with; a new key, if there is none. The caller drops the listener that it gets back as for `unlisten`. `None` for the
    /// key: the request has come already, and nobody will be told.
    pub(super) fn listen(
        &self,
        key: Option<usize>,
        mut listener: Listener,
    ) -> (Option<usize>, Listener) {
        let mut inner = self.node().lock();
        match key {
            _ if inner.request.is_some() => (None, listener),
            Some(key) => {
                std::mem::swap(&mut inner.listeners[key], &mut listener);
                (Some(key), listener)
            }
            None => (Some(inner.listeners.insert(listener)), Listener::default()),
        }
    }

    /// A reference for who is to run in the scope. `None`: there was one.
    #[inline]
    pub(crate) fn begin(&self) -> Option<Self> {
        self.node().word.begin().then(|| Self(self.0))
    }

    /// The run is over, and gives its reference up. Its region is still live outside.
    #[inline]
    pub(super) fn end(self) {
        match self.node().word.end() {
            End::Nothing => mem::forget(self),
            End::Alone => {
                // SAFETY: the scope is over, and `self` is not dropped besides.
                unsafe { free(ManuallyDrop::new(self).0) };
            }
            End::Met => self.end_route(),
        }
    }

    #[cold]
    fn end_route(self) {
        let inner = self.node().lock();
        // Relaxed: with the lock. Who is on the way has released it, who comes finds no way.
        self.node().route.store(ptr::null_mut(), Relaxed);
        drop(inner);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let inner = self.node().lock();
        inner.deadline.as_ref().map(|(at, _)| *at)
    }

    pub(crate) fn set_deadline(&self, deadline: Option<(Instant, Cancelled)>) {
        let (old, runner) = {
            let mut inner = self.node().lock();
            let is_routed = self.node().word.set_news();
            let runner = if inner.request.is_none() {
                self.take_runner(&mut inner, is_routed)
            } else {
                None
            };
            (std::mem::replace(&mut inner.deadline, deadline), runner)
        };
        drop(old);
        wake_all(runner);
    }

    pub(super) fn around(&self) -> Option<Arc<Around>> {
        self.node().lock().around.clone()
    }

    pub(in crate::task) fn set_around(&self, around: Arc<Around>) {
        let old = self.node().lock().around.replace(around);
        drop(old);
    }

    /// Of a task's scope: keeps the task's waker, by which scopes inside are routed.
    pub(super) fn keep_task(&self, waker: &Waker) {
        let waker = waker.clone();
        let mut inner = self.node().lock();
        inner.task = Some(waker);
        self.node().word.set_wakes(true);
    }

    /// Of a task's scope: the task has ended.
    pub(crate) fn forget_task(&self) {
        if self.node().word.wakes() {
            let mut inner = self.node().lock();
            self.node().word.set_wakes(false);
            let waker = inner.task.take();
            drop(inner);
            drop(waker);
        }
    }

    /// The deadline, which was `at`, has come. It is no request any more if there is another one.
    pub(crate) fn expire(&self, at: Instant) {
        let deadline = self.node().lock().deadline.clone();
        if let Some((_, request)) = deadline.filter(|(now, _)| *now == at) {
            self.cancel(&request);
        }
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
    // A call: what drops a future with a scope then finds inline that the scope is gone, as it is as a rule.
    #[inline(never)]
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
        &self.scope
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        let is_here = match self.is_of_task {
            true => level::is_task_in(self),
            false => level::polls_in(self),
        };
        if !is_here {
            self.leave_elsewhere();
        } else if self.node().word.leave_here() {
            self.forget_runner();
        }
    }
}

impl Entry {
    #[inline]
    pub(super) fn is_of_task(&self) -> bool {
        self.is_of_task
    }

    /// The entry is not used any more.
    #[cold]
    fn leave_elsewhere(&mut self) {
        match self.node().word.leave() {
            Left::Nothing => {}
            // SAFETY: the scope is over, and `self.scope` is not dropped besides.
            Left::Alone => unsafe { free(self.scope.0) },
            // SAFETY: the reference is ours, and nothing of `self` is used any more.
            Left::Requested => wake_runner(unsafe { ManuallyDrop::take(&mut self.scope) }),
        }
    }

    /// Whoever polls in the scope looks after its poll, which this is a part of.
    #[cold]
    fn forget_runner(&self) {
        if !self.is_live() {
            let runner = self.node().lock().runner.take();
            drop_quietly(runner);
        }
    }
}

/// A region has left elsewhere, after the request: who was left alone because of it looks once more.
#[cold]
fn wake_runner(scope: Scope) {
    let runner = scope.node().lock().runner.take();
    wake_all(runner);
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

impl Node {
    pub(super) fn lock(&self) -> Locked<'_> {
        let mut inner = self.inner.lock();
        inner.get_or_insert_default();
        Locked(inner)
    }
}

impl Deref for Locked<'_> {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        self.0.as_ref().expect("made by `lock`")
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Inner {
        self.0.as_mut().expect("made by `lock`")
    }
}

/// A waker that panics keeps the others not asleep.
fn wake_all(wakers: impl IntoIterator<Item = Waker>) {
    for waker in wakers {
        wake_quietly(waker);
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
