//! The time in which several tasks run: from when the first thread begins to when the last task ends, for which one thread waits.
//!
//! Neither end is when that thread finds out: it may have to wait for a processor, which those that it measures keep.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Never freed, so that tasks count down with one operation and hold nothing.
pub(super) struct Countdown {
    left: AtomicUsize,
    waiting: Thread,
    /// Since when the two below count their nanoseconds.
    epoch: Instant,
    first: AtomicU64,
    last: AtomicU64,
}

impl Countdown {
    /// For the calling thread to wait.
    pub(super) fn leaked() -> &'static Self {
        Box::leak(Box::new(Self {
            left: AtomicUsize::new(0),
            waiting: thread::current(),
            epoch: Instant::now(),
            first: AtomicU64::new(u64::MAX),
            last: AtomicU64::new(0),
        }))
    }

    /// From now on so many tasks run. None did.
    pub(super) fn set(&self, tasks: usize) {
        // Relaxed: what starts the tasks passes it on.
        self.first.store(u64::MAX, Ordering::Relaxed);
        self.left.store(tasks, Ordering::Relaxed);
    }

    /// Before what starts tasks does so; the first of several counts.
    pub(super) fn begin(&self) {
        // Relaxed: the tasks that are started then pass it on.
        self.first.fetch_min(self.now(), Ordering::Relaxed);
    }

    pub(super) fn decrement(&self) {
        // Release, with the load in `wait`.
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.last.store(self.now(), Ordering::Release);
            self.waiting.unpark();
        }
    }

    /// How long it took from the first [`begin`](Self::begin) to the last [`decrement`](Self::decrement).
    pub(super) fn wait(&self) -> Duration {
        loop {
            // Acquire, with the store above: then all that began has been noted. 0 stands for what has not ended.
            match self.last.swap(0, Ordering::Acquire) {
                0 => thread::park(),
                last => return Duration::from_nanos(last - self.first.load(Ordering::Relaxed)),
            }
        }
    }

    /// Never 0.
    fn now(&self) -> u64 {
        self.epoch.elapsed().as_nanos() as u64 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_from_the_first_beginning_to_the_last_end() {
        let countdown = Countdown::leaked();
        for _ in 0..3 {
            countdown.set(2);
            let before = Instant::now();
            countdown.begin();
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        countdown.begin();
                        thread::sleep(Duration::from_millis(2));
                        countdown.decrement();
                    });
                }
            });
            let at_most = before.elapsed();
            // What passes before somebody waits does not count.
            thread::sleep(Duration::from_millis(20));
            let taken = countdown.wait();
            assert!(
                Duration::from_millis(2) <= taken && taken <= at_most,
                "{taken:?}"
            );
        }
    }
}
