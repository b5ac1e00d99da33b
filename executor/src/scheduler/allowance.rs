//! The allowance: how many more workers may be called though as many are awake as there are processors.
//!
//! Where there are more workers than processors, each push would call one more, who waits for a processor, finds a task, calls the next and
//! falls asleep: many threads for the work of few, and two processors were seen to be busy as one and a third (decision 003). But polls
//! may block their threads, which is why people have more workers than processors, and then the others are needed at once. So these calls
//! are allowed as long as the allowance lasts. It begins with one for each worker, and the guard fills it when it has found a worker that blocks in a
//! poll, or computes in one for long.
//!
//! Invariant: who gives up a call for want of an allowance is an awake worker, who will look everywhere before it sleeps. If it blocks first,
//! the guard finds the work that waits, and calls (see `idle` for why some awake worker is enough).

use crate::rt_sync::whole::atomic::AtomicUsize;
use crate::rt_sync::whole::atomic::Ordering::Relaxed;

/// Written only while more workers are called than there are processors, and by the guard.
#[derive(Debug)]
pub(super) struct Allowance {
    left: AtomicUsize,
    most: usize,
}

impl Allowance {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            left: AtomicUsize::new(workers),
            most: workers,
        }
    }

    /// True: one call more, which is taken off.
    pub(super) fn take(&self) -> bool {
        // Orders nothing: a number of calls, and one too many or too few is no harm.
        self.left
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
            .is_ok()
    }

    pub(super) fn is_full(&self) -> bool {
        self.left.load(Relaxed) >= self.most
    }

    pub(super) fn fill(&self) {
        self.left.store(self.most, Relaxed);
    }
}
