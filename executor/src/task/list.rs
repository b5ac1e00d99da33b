//! An owner's list of the tasks that wait: what shutdown walks, and what keeps the owner alive.
//!
//! Invariant: a task is linked from before it is idle for the first time until its completion. One that completes before it ever
//! waited, as most short ones do, is never linked: it was always in a queue or being polled, where shutdown finds it, too; but once
//! tasks are asked to end it is linked as soon as it waits for its turn, because whoever asks finds it nowhere else. While
//! the list is not both closed and empty it holds `keep_alive`, its owner. So whoever makes a token of an idle task, however late
//! that waker fires, may follow the task's pointer to its scheduler; and the owner needs no reference count per task.

use std::ptr::NonNull;

use super::cancel::Cancelled;
use super::raw::Header;
use super::reference::TaskRef;
use crate::rt_sync::Mutex;

/// The list. One per worker and a few more, so that the lock is nearly always free.
pub(crate) struct TaskList<K> {
    inner: Mutex<Inner<K>>,
}

struct Inner<K> {
    head: Option<NonNull<Header>>,
    len: usize,
    mode: Mode,
    keep_alive: Option<K>,
}

/// What becomes of a task that comes.
enum Mode {
    Open,
    /// It is linked, and asked to end.
    Asking(Cancelled),
    /// It is refused.
    Closed,
}

/// What became of it.
#[must_use]
pub(crate) enum Insert {
    Linked,
    /// And the caller must ask it to end.
    Asked(Cancelled),
    /// The caller must cancel the task.
    Refused,
}

// SAFETY: the pointers are tasks, which may cross threads, and are followed only under the lock.
unsafe impl<K: Send> Send for Inner<K> {}

/// A task's neighbours. Belongs to the list's lock.
#[derive(Default)]
pub(super) struct Links {
    previous: Option<NonNull<Header>>,
    next: Option<NonNull<Header>>,
}

impl<K> TaskList<K> {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                head: None,
                len: 0,
                mode: Mode::Open,
                keep_alive: None,
            }),
        }
    }

    /// What must live until the list is closed and empty.
    pub(crate) fn set_keep_alive(&self, keep_alive: K) {
        self.inner.lock().keep_alive = Some(keep_alive);
    }

    /// Links a task that its caller runs.
    pub(crate) fn insert(&self, task: &TaskRef) -> Insert {
        let task = task.pointer();
        let mut inner = self.inner.lock();
        let inserted = match &inner.mode {
            Mode::Open => Insert::Linked,
            Mode::Asking(request) => Insert::Asked(request.clone()),
            Mode::Closed => return Insert::Refused,
        };
        let head = inner.head.replace(task);
        inner.len += 1;
        with_links(task, |links| links.next = head);
        if let Some(head) = head {
            with_links(head, |links| links.previous = Some(task));
        }
        inserted
    }

    /// The tasks that are linked; each that comes from now on is to be asked to end.
    pub(crate) fn ask(&self, request: &Cancelled) -> Vec<TaskRef> {
        let mut inner = self.inner.lock();
        if matches!(inner.mode, Mode::Open) {
            inner.mode = Mode::Asking(request.clone());
        }
        inner.tasks()
    }

    /// The tasks that are linked.
    pub(crate) fn all(&self) -> Vec<TaskRef> {
        self.inner.lock().tasks()
    }

    /// Unlinks a completing task. Returns `keep_alive` if this was the last one: what lives by it, perhaps
    /// this list, is gone once the caller drops that.
    #[must_use]
    pub(crate) fn remove(&self, task: &TaskRef) -> Option<K> {
        let task = task.pointer();
        let mut inner = self.inner.lock();
        let (previous, next) = with_links(task, |links| (links.previous.take(), links.next.take()));
        match previous {
            Some(previous) => with_links(previous, |links| links.next = next),
            None => inner.head = next,
        }
        if let Some(next) = next {
            with_links(next, |links| links.previous = previous);
        }
        inner.len -= 1;
        inner.take_keep_alive_if_done()
    }

    /// Refuses new tasks from now on. Returns those that are left, and `keep_alive` if there are none.
    #[must_use]
    pub(crate) fn close(&self) -> (Vec<TaskRef>, Option<K>) {
        let mut inner = self.inner.lock();
        inner.mode = Mode::Closed;
        let tasks = inner.tasks();
        let keep_alive = inner.take_keep_alive_if_done();
        (tasks, keep_alive)
    }
}

impl<K> Inner<K> {
    fn tasks(&self) -> Vec<TaskRef> {
        let mut tasks = Vec::with_capacity(self.len);
        let mut next = self.head;
        while let Some(task) = next {
            // The clone counts a reference of its own; the task is alive because it is linked.
            tasks.push(TaskRef::borrow(task).clone());
            next = with_links(task, |links| links.next);
        }
        tasks
    }

    fn take_keep_alive_if_done(&mut self) -> Option<K> {
        if matches!(self.mode, Mode::Closed) && self.len == 0 {
            self.keep_alive.take()
        } else {
            None
        }
    }
}

/// For callers who hold the list's lock.
fn with_links<R>(task: NonNull<Header>, f: impl FnOnce(&mut Links) -> R) -> R {
    // SAFETY: the task is linked, or being linked by its only holder, so it is alive.
    let header = unsafe { task.as_ref() };
    // SAFETY: links are touched under the list's lock only, which the caller holds.
    header.links.with_mut(|links| f(unsafe { &mut *links }))
}
