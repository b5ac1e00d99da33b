//! Puts one thread to sleep, by the driver or without it, and wakes it.
//!
//! ```text
//!            park / poll                     unpark
//!   EMPTY ───────────────▶ PARKED, POLLING ─────────▶ NOTIFIED ──park or poll returns──▶ EMPTY
//!     └──────────────────────── unpark ──────────────────▲
//! ```
//! A notification is never lost: it is stored, and the next sleep returns at once. One that finds the thread POLLING must also end
//! the driver's blocking call, which its caller knows how to do.

use crate::ledger::{self, Line};
use crate::rt_sync::atomic::AtomicU32;
use crate::rt_sync::atomic::Ordering::{AcqRel, Acquire};
use crate::rt_sync::{Arc, Condvar, Mutex, wait};

/// The sleeper's end. One thread at a time sleeps with it.
#[derive(Debug)]
pub(crate) struct Parker(Arc<Inner>);

/// The waker's end.
#[derive(Clone, Debug)]
pub(crate) struct Unparker(Arc<Inner>);

/// What `Unparker::unpark` leaves to its caller.
#[must_use]
#[derive(Debug, PartialEq)]
pub(crate) enum Unparked {
    Done,
    /// The thread blocks in the driver: end that.
    EndPoll,
}

#[derive(Debug)]
struct Inner {
    state: AtomicU32,
    lock: Mutex<()>,
    condvar: Condvar,
}

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const POLLING: u32 = 2;
const NOTIFIED: u32 = 3;

impl Parker {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner {
            state: AtomicU32::new(EMPTY),
            lock: Mutex::new(()),
            condvar: Condvar::new(),
        }))
    }

    pub(crate) fn unparker(&self) -> Unparker {
        Unparker(self.0.clone())
    }

    /// Sleeps until notified.
    pub(crate) fn park(&self) {
        let inner = &*self.0;
        // The lock, the exchange below, and the swap.
        ledger::writes(Line::Parker, 4);
        let mut guard = inner.lock.lock();
        // Acquire: pairs with the Release of `unpark`, whose writes the thread goes on to read.
        if inner
            .state
            .compare_exchange(EMPTY, PARKED, AcqRel, Acquire)
            .is_ok()
        {
            // The state changes to NOTIFIED before `unpark` takes the lock, which we hold until the wait begins: no signal is lost.
            while inner.state.load(Acquire) == PARKED {
                guard = wait(&inner.condvar, guard);
            }
        }
        // A second notification may have come since: Acquire pairs with its Release too, so that what it announces is seen.
        inner.state.swap(EMPTY, AcqRel);
    }

    /// Announces a sleep in the driver. False: a notification is there already, and was consumed.
    pub(crate) fn start_poll(&self) -> bool {
        // Acquire: as in `park`.
        ledger::write(Line::Parker);
        let announced = self
            .0
            .state
            .compare_exchange(EMPTY, POLLING, AcqRel, Acquire)
            .is_ok();
        if !announced {
            self.0.state.swap(EMPTY, AcqRel);
        }
        announced
    }

    /// True if the next sleep will not happen, or the current one ends.
    pub(crate) fn is_notified(&self) -> bool {
        // Acquire: as in `park`.
        self.0.state.load(Acquire) == NOTIFIED
    }

    /// Back from the driver. True: somebody notified.
    pub(crate) fn end_poll(&self) -> bool {
        // Acquire: as in `park`.
        ledger::write(Line::Parker);
        self.0.state.swap(EMPTY, AcqRel) == NOTIFIED
    }
}

impl Unparker {
    /// True if both wake the same parker.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn unpark(&self) -> Unparked {
        // Release: pairs with the Acquire of `park`, `start_poll` and `end_poll`.
        ledger::write(Line::Parker);
        match self.0.state.swap(NOTIFIED, AcqRel) {
            PARKED => {
                // The empty critical section waits until the sleeper, who holds the lock from its check on, really waits.
                ledger::lock(Line::Parker);
                drop(self.0.lock.lock());
                self.0.condvar.notify_one();
                Unparked::Done
            }
            POLLING => Unparked::EndPoll,
            _ => Unparked::Done,
        }
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicUsize;
    use loom::sync::atomic::Ordering::Relaxed;
    use loom::thread;

    use super::Parker;

    #[test]
    fn loom_parker_keeps_a_notification() {
        loom::model(|| {
            let parker = Parker::new();
            let unparker = parker.unparker();
            let news = Arc::new(AtomicUsize::new(0));
            let news2 = news.clone();
            let waking = thread::spawn(move || {
                news2.store(1, Relaxed);
                let _ = unparker.unpark();
            });
            parker.park();
            // The notification carries what its sender wrote before.
            assert_eq!(news.load(Relaxed), 1);
            waking.join().unwrap();
        });
    }
}
