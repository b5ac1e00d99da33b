//! A count of tasks that still run, for which one thread waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};

/// Never freed, so that tasks count down with one operation and hold nothing.
pub(super) struct Countdown {
    left: AtomicUsize,
    waiting: Thread,
}

impl Countdown {
    /// For the calling thread to wait.
    pub(super) fn leaked() -> &'static Self {
        Box::leak(Box::new(Self {
            left: AtomicUsize::new(0),
            waiting: thread::current(),
        }))
    }

    /// From now on so many tasks run. None did.
    pub(super) fn set(&self, tasks: usize) {
        // Relaxed: what starts the tasks passes it on.
        self.left.store(tasks, Ordering::Relaxed);
    }

    pub(super) fn decrement(&self) {
        // Release, with the load in `wait`.
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.waiting.unpark();
        }
    }

    pub(super) fn wait(&self) {
        while self.left.load(Ordering::Acquire) > 0 {
            thread::park();
        }
    }
}
