//! `Word`: what is asked of a scope without its lock: has the request come, are regions in it live, is anybody left who refers to it.
//!
//! ```text
//!   shared   bit  0           1       2      3        4       5       34
//!                 REQUESTED │ BEGUN │ NEWS │ ROUTED │ WAKES │ left  │ references
//!   inside   regions that have entered, less those that left here
//! ```
//! Regions enter where the scope is polled, and leave there as a rule; so one thread at a time writes `inside`, and plainly. One that leaves elsewhere, because
//! it was moved or is dropped with its task, counts in `left`. Live are those that are inside and have not left.
//!
//! Whoever polls in a scope has a reference to it: the task, or the region whose own it is. Regions inside have none; that they are there keeps the scope.
//!
//! Invariant: a scope is over when it has no references and `left` has come to `inside`; exactly one step makes it so. Without references nobody polls in it,
//! and `inside` stands still.

use std::process::abort;

use crate::rt_sync::atomic::AtomicU64;
use crate::rt_sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

pub(super) struct Word {
    shared: AtomicU64,
    inside: AtomicU64,
}

/// The request has come.
const REQUESTED: u64 = 1;
/// It has, or had, its one run.
const BEGUN: u64 = 1 << 1;
/// The deadline is another than the one that the runner knows.
const NEWS: u64 = 1 << 2;
/// The runner is woken by what wakes the scope around this one.
const ROUTED: u64 = 1 << 3;
/// It has the waker of its task.
const WAKES: u64 = 1 << 4;
/// A region that left elsewhere.
const LEFT: u64 = 1 << 5;
const REFERENCE: u64 = 1 << 34;
/// So many references that only forgotten ones can be meant.
const TOO_MANY: u64 = 1 << 63;
/// So many regions have left elsewhere that they are taken off both counts, long before there is no room for more.
const MANY_LEFT: u64 = 1 << 20;

/// What a region leaves.
pub(super) enum Left {
    Nothing,
    /// The scope is over, and the caller's alone.
    Alone,
    /// The request has come, and the caller has a reference now.
    Requested,
}

/// What the end of a run leaves.
pub(super) enum End {
    Nothing,
    /// As for `Left`.
    Alone,
    /// Whoever has news for the runner may be on the way to it; the reference is still the caller's.
    Met,
}

fn left(shared: u64) -> u64 {
    shared % REFERENCE / LEFT
}

impl Word {
    /// With one reference.
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            shared: AtomicU64::new(REFERENCE),
            inside: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(super) fn is_requested(&self) -> bool {
        // Acquire: pairs with the Release of `set_requested`.
        self.shared.load(Acquire) & REQUESTED != 0
    }

    /// With the lock held. True: the runner is routed.
    pub(super) fn set_requested(&self) -> bool {
        // Release: pairs with the Acquire of `is_requested`. Acquire: pairs with the Release of `set_routed`.
        self.shared.fetch_or(REQUESTED, AcqRel) & ROUTED != 0
    }

    /// One more reference, for who is to poll in the scope. False, without one: somebody has it already.
    #[inline]
    pub(super) fn begin(&self) -> bool {
        let mut word = self.shared.load(Relaxed);
        while word & BEGUN == 0 {
            let next = (word | BEGUN) + REFERENCE;
            // Relaxed: a new reference comes from another one.
            match self
                .shared
                .compare_exchange_weak(word, next, Relaxed, Relaxed)
            {
                Ok(_) if word < TOO_MANY => return true,
                Ok(_) => abort(),
                Err(now) => word = now,
            }
        }
        false
    }

    #[inline]
    pub(super) fn has_news(&self) -> bool {
        // Relaxed: what it is about is read with the lock.
        self.shared.load(Relaxed) & NEWS != 0
    }

    /// With the lock held. True: the runner is routed.
    pub(super) fn set_news(&self) -> bool {
        // Acquire: pairs with the Release of `set_routed`. Release: pairs with its Acquire.
        self.shared.fetch_or(NEWS, AcqRel) & ROUTED != 0
    }

    /// With the lock held.
    pub(super) fn take_news(&self) {
        // Relaxed: as for `has_news`.
        self.shared.fetch_and(!NEWS, Relaxed);
    }

    /// The route is there. True: a request, or news, came before, from somebody who does not know it.
    pub(super) fn set_routed(&self) -> bool {
        // Release and Acquire: pair with those of `set_requested` and `set_news`.
        self.shared.fetch_or(ROUTED, AcqRel) & (REQUESTED | NEWS) != 0
    }

    #[inline]
    pub(super) fn wakes(&self) -> bool {
        // Relaxed: the waker is looked for with the lock.
        self.shared.load(Relaxed) & WAKES != 0
    }

    /// With the lock held.
    pub(super) fn set_wakes(&self, wakes: bool) {
        // Relaxed: as for `wakes`.
        if wakes {
            self.shared.fetch_or(WAKES, Relaxed);
        } else {
            self.shared.fetch_and(!WAKES, Relaxed);
        }
    }

    /// For who polls in the scope.
    #[inline]
    pub(super) fn is_live(&self) -> bool {
        // Acquire: pairs with the Release of `leave`.
        self.inside.load(Relaxed) != left(self.shared.load(Acquire))
    }

    /// One more live region. By who polls in the scope.
    #[inline]
    pub(super) fn enter(&self) {
        // Relaxed: nobody else writes it, and it is read elsewhere only when nobody writes it any more.
        let mut inside = self.inside.load(Relaxed);
        let left = left(self.shared.load(Relaxed));
        if left > MANY_LEFT {
            // Relaxed: both counts are less by the same number, which changes nothing for anybody.
            self.shared.fetch_sub(left * LEFT, Relaxed);
            inside -= left;
        }
        self.inside.store(inside + 1, Relaxed);
    }

    /// One live region less. By who polls in the scope. True: the request has come.
    #[inline]
    pub(super) fn leave_here(&self) -> bool {
        // Relaxed: as for `enter`.
        self.inside.store(self.inside.load(Relaxed) - 1, Relaxed);
        self.shared.load(Relaxed) & REQUESTED != 0
    }

    /// One live region less. By anybody.
    pub(super) fn leave(&self) -> Left {
        let mut word = self.shared.load(Relaxed);
        loop {
            let is_requested = word & REQUESTED != 0;
            let next = word + LEFT + if is_requested { REFERENCE } else { 0 };
            // Release: pairs with the Acquire of `is_live`, and of who finds the scope over. Acquire: pairs with the Release of these.
            match self
                .shared
                .compare_exchange_weak(word, next, AcqRel, Relaxed)
            {
                Ok(_) if is_requested => return Left::Requested,
                Ok(_) if self.is_over(next) => return Left::Alone,
                Ok(_) => return Left::Nothing,
                Err(now) => word = now,
            }
        }
    }

    #[inline]
    pub(super) fn refer(&self) {
        // Relaxed: a new reference comes from another one.
        if self.shared.fetch_add(REFERENCE, Relaxed) >= TOO_MANY {
            abort();
        }
    }

    /// One reference less. True: the scope is over, and the caller's alone.
    #[inline]
    #[must_use]
    pub(super) fn forget(&self) -> bool {
        // Release and Acquire: as in `leave`.
        self.is_sole() || self.is_over(self.shared.fetch_sub(REFERENCE, AcqRel) - REFERENCE)
    }

    /// As `forget`, for who polled in the scope.
    #[inline]
    pub(super) fn end(&self) -> End {
        if self.is_sole() {
            return End::Alone;
        }
        let mut word = self.shared.load(Relaxed);
        loop {
            if word & ROUTED != 0 && word & (REQUESTED | NEWS) != 0 {
                return End::Met;
            }
            let next = (word & !ROUTED) - REFERENCE;
            // Release and Acquire: as in `leave`.
            match self
                .shared
                .compare_exchange_weak(word, next, AcqRel, Relaxed)
            {
                Ok(_) if self.is_over(next) => return End::Alone,
                Ok(_) => return End::Nothing,
                Err(now) => word = now,
            }
        }
    }

    /// Whoever has the only reference, and no region is inside, need not give it up for others to see.
    #[inline]
    fn is_sole(&self) -> bool {
        // Acquire: pairs with the Release of `forget`, `end` and `leave`.
        let word = self.shared.load(Acquire);
        word / REFERENCE == 1 && self.inside.load(Relaxed) == left(word)
    }

    /// `word` is what the caller's step has made of it.
    #[inline]
    fn is_over(&self, word: u64) -> bool {
        // Relaxed: who polled in the scope gave its reference up after the last write, which the caller has acquired.
        word / REFERENCE == 0 && self.inside.load(Relaxed) == left(word)
    }
}
