//! `Connections`: the tasks of a server's handlers, and room for more.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use parking_lot::Mutex;
use slab::Slab;

use crate::task::{AbortHandle, Cancelled};

/// What there is of a server beside its listener. Shared by its handle, the task that accepts, and the handlers' tasks.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    tasks: Slab<Task>,
    closed: bool,
    /// What connections are told that are accepted while the server closes: they come after all others were told.
    late: Option<End>,
    /// The task that accepts, when it waits.
    accepting: Option<Waker>,
    counts: Counts,
}

#[derive(Debug)]
enum Task {
    /// For a moment there is a place and no task. It is told what it has missed.
    Coming(Option<End>),
    Here(AbortHandle),
}

/// How connections are ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    Cancel(Cancelled),
    Abort,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) accept_errors: u64,
    pub(super) finished: u64,
    pub(super) panicked: u64,
    /// Cancelled or aborted.
    pub(super) dropped: u64,
}

/// A connection's place, from before its task is there until that is gone.
pub(super) struct Place {
    connections: Arc<Connections>,
    key: usize,
    has_finished: bool,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            inner: Mutex::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.inner.lock().tasks.len()
    }

    pub(super) fn counts(&self) -> Counts {
        self.inner.lock().counts
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inner.lock().closed
    }

    /// Ready with true if there is room for one more, with false if the server was closed. Who waits is told of either; so is
    /// who waits for the listener, and polls this before.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<bool> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Poll::Ready(false);
        }
        // The waker is that of the task that accepts, always: no code of the user runs under the lock.
        match &mut inner.accepting {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        if inner.tasks.len() < self.most {
            Poll::Ready(true)
        } else {
            Poll::Pending
        }
    }

    /// A connection was accepted, and will be a task.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let mut inner = self.inner.lock();
        inner.counts.accepted += 1;
        Place {
            connections: self.clone(),
            key: {
                let late = inner.late.clone();
                inner.tasks.insert(Task::Coming(late))
            },
            has_finished: false,
        }
    }

    /// The task of the place `key`, which may have ended.
    pub(super) fn set_task(&self, key: usize, task: AbortHandle) {
        let missed = {
            let mut inner = self.inner.lock();
            match inner.tasks.get_mut(key) {
                Some(place) => match std::mem::replace(place, Task::Here(task.clone())) {
                    Task::Coming(end) => end,
                    Task::Here(_) => None,
                },
                None => None,
            }
        };
        if let Some(end) = missed {
            end.tell(&task);
        }
    }

    pub(super) fn count_error(&self) {
        self.inner.lock().counts.accept_errors += 1;
    }

    /// True: it was open. The listener is closed by the task that accepts.
    pub(super) fn close(&self) -> bool {
        let (was_open, waker) = {
            let mut inner = self.inner.lock();
            (
                !std::mem::replace(&mut inner.closed, true),
                inner.accepting.take(),
            )
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        was_open
    }

    /// Ends the connections that there are, and, if the server was closed, those on their way.
    pub(super) fn end(&self, end: &End) {
        let tasks = {
            let mut inner = self.inner.lock();
            if inner.closed {
                inner.late = Some(end.clone());
            }
            let mut tasks = Vec::with_capacity(inner.tasks.len());
            for (_, task) in &mut inner.tasks {
                match task {
                    Task::Coming(missed) => *missed = Some(end.clone()),
                    Task::Here(task) => tasks.push(task.clone()),
                }
            }
            tasks
        };
        // Without the lock: it runs code of the user.
        tasks.iter().for_each(|task| end.tell(task));
    }
}

impl End {
    fn tell(&self, task: &AbortHandle) {
        match self {
            Self::Cancel(cancelled) => task.cancel_with(cancelled),
            Self::Abort => task.abort(),
        }
    }
}

impl Place {
    pub(super) fn key(&self) -> usize {
        self.key
    }

    /// The handler has returned.
    pub(super) fn finish(mut self) {
        self.has_finished = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (_task, waker) = {
            let mut inner = self.connections.inner.lock();
            let task = inner.tasks.remove(self.key);
            let counts = &mut inner.counts;
            *match () {
                () if self.has_finished => &mut counts.finished,
                () if thread::panicking() => &mut counts.panicked,
                () => &mut counts.dropped,
            } += 1;
            // Only if it waits for room.
            let was_full = inner.tasks.len() + 1 == self.connections.most;
            (task, inner.accepting.take_if(|_| was_full))
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
