//! Under `--cfg executor_ledger`: counts how often the lock of a wheel goes from one thread to another.
//!
//! Only then does its line move. Without the flag there is nothing of it.

#[cfg(executor_ledger)]
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Which thread has held a lock last.
#[derive(Default)]
pub(crate) struct LastHolder {
    #[cfg(executor_ledger)]
    thread: AtomicUsize,
}

impl LastHolder {
    /// To be called with the lock held.
    #[inline(always)]
    pub(crate) fn note(&self) {
        #[cfg(executor_ledger)]
        {
            thread_local!(static HERE: u8 = const { 0 });
            // Its address is this thread's alone, while it lives.
            let me = HERE.with(|here| std::ptr::from_ref(here).addr());
            if ![0, me].contains(&self.thread.swap(me, Relaxed)) {
                HANDED_OVER.fetch_add(1, Relaxed);
            }
        }
    }
}

/// How often the lock of a wheel was taken by another thread than the one that held it before, in the whole process.
#[cfg(executor_ledger)]
#[doc(hidden)]
pub fn wheels_handed_over() -> u64 {
    HANDED_OVER.load(Relaxed)
}

#[cfg(executor_ledger)]
static HANDED_OVER: AtomicU64 = AtomicU64::new(0);
