//! Local task sets: tasks whose futures need not be `Send`, polled and dropped by the one thread that made the set.
//!
//! ```text
//!   spawn, wake by the owner's thread ──▶ queue ────────────┐
//!                                          ▲ all of them    ├──▶ tick: at most 61 polls, by whoever polls the set
//!   wake, abort by other threads ──▶ inbox ┘                │
//!                              └─ calls whoever polls       └──▶ close: drops every future
//! ```
//! | file | concept |
//! |---|---|
//! | `owner` | a value that only its thread may reach |
//! | `inbox` | the other threads' half |
//! | `current` | which set the thread is in |
//! | `root` | a future that polls the set beside itself |
//!
//! Invariant: a task's future is polled and dropped by the owner's thread only. Tokens are spent in `Own::run`, which that thread
//! reaches and no other; another thread that makes a token, by a wake or an abort, carries it to the inbox and does no more.
//!
//! Closing must drop a task, too, whose token another thread is just carrying, and cannot claim it: it waits for it. That thread runs no
//! foreign code between the step that makes the token and the one that leaves it, so the wait is as short as one for a lock. After
//! `close` no task of the set is left, except those that are being polled by the very stack that closes it: they end with
//! their poll. One that is complete is not among them, though its output's destructor may be what closes the set. So nobody makes a
//! token any more, and wakers that are left keep memory alive and nothing else.

mod current;
mod inbox;
mod owner;
mod root;

#[cfg(all(test, loom))]
mod loom_tests;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use std::task::{Context, Poll};

use crate::coop;
use crate::task::{
    self, Cancelled, Id, IdSource, Insert, JoinHandle, Notified, Observer, Origin, Schedule,
    TaskList, TaskRef, UnobservedFailure,
};
use inbox::{Inbox, Poller};
use owner::OwnerOnly;

pub(crate) use current::{Entered, current, enter};

/// A set of tasks that stay on the thread that made it.
pub(crate) struct Local {
    own: OwnerOnly<Own>,
    inbox: Inbox,
    host: Host,
}

/// The runtime that the thread is in, as far as a set has to do with one.
#[derive(Clone, Copy)]
pub(crate) struct Host {
    /// Who is to hear of a task that has panicked. May do what that runtime does about it.
    pub(crate) failed: fn(&UnobservedFailure) -> Observer,
    /// Its debug mode, if it is in it.
    pub(crate) watcher: fn() -> Option<Arc<dyn Watcher>>,
    /// In a poll of the set so many tasks were polled. Who looks for events after a number of polls counts these, too.
    pub(crate) polled: fn(u32),
}

/// A runtime's debug mode.
pub(crate) trait Watcher: Send + Sync {
    /// Calls `run`, and tells of it if that takes long. Not inside of it: who is told may close the set, in which nothing must seem to run then.
    fn run(&self, task: Notified, run: &dyn Fn(Notified));
    /// These were dropped because their set was.
    fn dropped(&self, tasks: &[TaskRef]);
}

/// The owner's half.
struct Own {
    queue: RefCell<VecDeque<Notified>>,
    /// The tasks that wait. They keep the set alive themselves.
    waiting: TaskList<()>,
    ids: IdSource,
    /// Tasks that are not complete.
    living: Cell<usize>,
    /// Those of them that this thread is polling: more than one if a task polls the set.
    running: Cell<usize>,
    /// The innermost of those. `None` also once that one is complete, while what waits for it is woken, or its output dropped.
    innermost: Cell<Option<Id>>,
    /// Whoever polls the set does so now, or was called: a wake need not call.
    awake: Cell<bool>,
    closed: Cell<bool>,
    /// Tasks are asked to end.
    asks: Cell<bool>,
    /// How many futures have polled the set beside themselves.
    pollers: Cell<u64>,
    /// The debug mode of the runtime in which the set was polled last.
    watcher: RefCell<Option<Arc<dyn Watcher>>>,
}

/// A task's way home: a counted reference to its set, and in the lowest bit whether the task is linked in the list of those that
/// wait. One word, and atomic, because a task may be freed while one of its scheduler's methods returns.
///
/// The bit is the owner's alone.
struct Member(AtomicPtr<Local>);

impl Local {
    pub(crate) fn new(host: Host) -> Arc<Self> {
        Arc::new(Self {
            own: OwnerOnly::new(Own {
                queue: RefCell::default(),
                waiting: TaskList::new(),
                ids: IdSource::new(),
                living: Cell::new(0),
                running: Cell::new(0),
                innermost: Cell::new(None),
                awake: Cell::new(false),
                closed: Cell::new(false),
                asks: Cell::new(false),
                pollers: Cell::new(0),
                watcher: RefCell::default(),
            }),
            inbox: Inbox::new(),
            host,
        })
    }

    /// True on the thread that made the set. Only there may the other methods be called.
    pub(crate) fn is_own_thread(&self) -> bool {
        self.own.get().is_some()
    }

    /// How many tasks are left.
    pub(crate) fn living(&self) -> usize {
        self.own().living.get()
    }

    /// True if no task is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.living() == 0
    }

    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        future: F,
        origin: impl Into<Origin>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let own = self.own();
        own.living.set(own.living.get() + 1);
        let (member, id) = (Member::new(self), own.ids.next());
        // SAFETY: `own` has made sure that this is the owner's thread. Tokens of the set's tasks are spent in `Own::run`, and the
        // tasks claimed in `close`: both need an `Own`, which no other thread gets.
        let (task, handle) = unsafe { task::new_local(future, member, id, origin) };
        if own.closed.get() {
            own.run(task, Notified::cancel);
        } else {
            own.queue.borrow_mut().push_back(task);
            self.call(own);
        }
        handle
    }

    /// Asks every task that waits, and each that begins to, be it for its turn, to end.
    pub(crate) fn ask_all(&self, request: &Cancelled) {
        let own = self.own();
        own.asks.set(true);
        for task in own.waiting.ask(request) {
            task.cancel(request);
        }
    }

    /// Aborts every task that waits, or has. Returns them.
    pub(crate) fn abort_all(&self) -> Vec<TaskRef> {
        let tasks = self.own().waiting.all();
        tasks.iter().for_each(|task| task.abort());
        tasks
    }

    /// Drops every task, and takes no more. In debug mode it returns those that it has dropped, some
    /// perhaps twice.
    pub(crate) fn close(self: &Arc<Self>) -> Vec<TaskRef> {
        let own = self.own();
        if own.closed.replace(true) {
            return Vec::new();
        }
        let watched = own.watcher().is_some();
        let mut dropped = Vec::new();
        // Nobody is to be called any more.
        own.awake.set(true);
        // Destructors are in their own set: closed, but no other.
        current::inside(self, || {
            for task in own.waiting.close().0 {
                task.cancel_if_idle();
                if watched {
                    dropped.push(task);
                }
            }
            loop {
                while let Some(task) = self.next(own) {
                    if watched {
                        dropped.push(task.task_ref());
                    }
                    own.run(task, Notified::cancel);
                }
                // A task that is left, and is not below us on the stack, was idle when another thread woke or aborted it.
                if own.living.get() == own.running.get() {
                    break;
                }
                self.inbox.wait(&own.queue);
            }
        });
        dropped
    }

    /// As `close`, and tells debug mode.
    pub(crate) fn close_and_tell(self: &Arc<Self>) {
        let watcher = self.own().watcher();
        let dropped = self.close();
        if let Some(watcher) = watcher
            && !dropped.is_empty()
        {
            watcher.dropped(&dropped);
        }
    }

    /// Polls `root`, and if that is not ready, tasks.
    fn poll<T>(
        self: &Arc<Self>,
        poller: Poller,
        cx: &mut Context<'_>,
        root: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let own = self.own();
        own.awake.set(true);
        // What was there is dropped after the borrow.
        let _before = own.watcher.replace((self.host.watcher)());
        // First: whom the root or a task calls from here on is us, or is queued.
        self.inbox.take_or_register(poller, cx.waker(), &own.queue);
        current::inside(self, || {
            let output = root(cx);
            if output.is_pending() && self.tick(own) {
                cx.waker().wake_by_ref();
            }
            output
        })
    }

    /// Runs tasks, a bounded number. True: there are more, and whoever polls the set must come again.
    fn tick(&self, own: &Own) -> bool {
        let watcher = own.watcher();
        let mut polls = 0;
        while polls < MOST_POLLS
            && let Some(task) = self.next(own)
        {
            match &watcher {
                None => own.run(task, Notified::run),
                Some(watcher) => watcher.run(task, &|task| own.run(task, Notified::run)),
            }
            polls += 1;
        }
        (self.host.polled)(polls);
        let more = own.has_queued() || self.inbox.take(&own.queue);
        if !own.closed.get() {
            own.awake.set(more);
        }
        more
    }

    /// First in, first out: tokens of other threads are put behind those that are there at the beginning of a poll of the set, and
    /// when there are no others.
    fn next(&self, own: &Own) -> Option<Notified> {
        let task = own.queue.borrow_mut().pop_front();
        task.or_else(|| {
            self.inbox.take(&own.queue);
            own.queue.borrow_mut().pop_front()
        })
    }

    /// Sees to it that somebody polls the set.
    fn call(&self, own: &Own) {
        if !own.awake.replace(true) {
            self.inbox.call();
        }
    }

    /// One of those who poll the set goes. If it was called, others must be.
    fn leave(&self, poller: Poller) {
        self.inbox.leave(poller);
        let own = self.own();
        if !own.closed.get() {
            own.awake.set(false);
            if own.has_queued() {
                self.call(own);
            }
        }
    }

    fn own(&self) -> &Own {
        self.own
            .get()
            .expect("a local task set is used by its own thread")
    }
}

impl Own {
    /// Spends a token: the only place where a task of the set is polled, or dropped by its token.
    fn run(&self, task: Notified, how: impl FnOnce(Notified)) {
        let outer = self.innermost.replace(Some(task.id()));
        self.running.set(self.running.get() + 1);
        coop::budgeted(|| how(task));
        self.leave(outer);
        // A task that closed the set while it was polled, or was polled below one that did, and did not end by itself.
        while self.closed.get()
            && let Some(task) = { self.queue.borrow_mut().pop_front() }
        {
            task.cancel();
        }
    }

    /// The innermost task runs no more, if it has not left before.
    fn leave(&self, outer: Option<Id>) {
        if self.innermost.replace(outer).is_some() {
            self.running.set(self.running.get() - 1);
        }
    }

    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        self.watcher.borrow().clone()
    }

    fn has_queued(&self) -> bool {
        !self.queue.borrow().is_empty()
    }
}

impl Member {
    fn new(local: &Arc<Local>) -> Self {
        Self(AtomicPtr::new(Arc::into_raw(local.clone()).cast_mut()))
    }

    /// The reference, not counted again.
    fn local(&self) -> ManuallyDrop<Arc<Local>> {
        let local = self.0.load(Relaxed).map_addr(|address| address & !LINKED);
        // SAFETY: `new` made the pointer of an `Arc`, whose count lasts until `drop`.
        ManuallyDrop::new(unsafe { Arc::from_raw(local) })
    }

    fn is_linked(&self) -> bool {
        self.0.load(Relaxed).addr() & LINKED != 0
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        drop(ManuallyDrop::into_inner(self.local()));
    }
}

impl Schedule for Member {
    fn schedule(&self, task: Notified) {
        let local = self.local();
        match local.own.get() {
            // Nothing is called that could run the task.
            Some(own) if own.awake.get() => own.queue.borrow_mut().push_back(task),
            Some(own) => {
                // Whoever is called may run the task, which may be the last to hold the set.
                let local = Arc::clone(&local);
                own.queue.borrow_mut().push_back(task);
                local.call(own);
            }
            None => {
                // As above: the owner's thread may run the task at once.
                let local = Arc::clone(&local);
                local.inbox.push(task);
            }
        }
    }

    fn reschedule(&self, task: Notified) {
        let local = self.local();
        let own = local.own();
        if own.asks.get() && !self.is_linked() {
            // Refused, it is dropped where the queue is emptied.
            self.insert(&task.link());
        }
        own.queue.borrow_mut().push_back(task);
    }

    fn link(&self, task: &TaskRef) -> bool {
        self.is_linked() || self.insert(task)
    }

    fn failed(&self, failure: &UnobservedFailure) -> Observer {
        let failed = self.local().host.failed;
        failed(failure)
    }

    fn release(&self, task: &TaskRef) {
        let local = self.local();
        let own = local.own();
        if self.is_linked() {
            let _ = own.waiting.remove(task);
        }
        own.living.set(own.living.get() - 1);
        // What follows, its output's destructor or the waker of who waits for it, may close the set, and must not wait for this task. One that
        // `close` has claimed is not the innermost.
        if own.innermost.get() == Some(task.id()) {
            own.leave(None);
        }
    }
}

impl Member {
    /// Links a task, and asks it to end if all are asked. False: the set has ended.
    fn insert(&self, task: &TaskRef) -> bool {
        let inserted = self.local().own().waiting.insert(task);
        let linked = !matches!(inserted, Insert::Refused);
        if linked {
            // Relaxed: the owner's alone. Other threads read the pointer, which stays the same.
            let linked = self.0.load(Relaxed).map_addr(|address| address | LINKED);
            self.0.store(linked, Relaxed);
        }
        if let Insert::Asked(request) = &inserted {
            task.cancel(request);
        }
        linked
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}

/// The most polls of tasks in a poll of the set.
const MOST_POLLS: u32 = 61;

/// In `Member`.
const LINKED: usize = 1;
