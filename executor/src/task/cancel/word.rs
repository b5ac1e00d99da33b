//! `Word`: what is asked of a scope without its lock: has the request come, are regions in it live, is anybody left who refers to it.
//!
//! ```text
//!   bit   0           1       2      4              34
//!         REQUESTED │ BEGUN │ NEWS │ live regions │ references
//! ```
//! One word, so that a region enters by one addition, which is its reference as well, and leaves by one subtraction.
//!
//! Invariant: there are at most as many live regions as references, of which each has one; so they cannot overflow where those are refused.

use std::process::abort;

use crate::rt_sync::atomic::AtomicU64;
use crate::rt_sync::atomic::Ordering::{Acquire, Relaxed, Release};

pub(super) struct Word(AtomicU64);

/// The request has come.
const REQUESTED: u64 = 1;
/// It has had its one run.
const BEGUN: u64 = 1 << 1;
/// The deadline is another than the one that the runner knows.
const NEWS: u64 = 1 << 2;
/// A region that has begun and not ended.
const LIVE: u64 = 1 << 4;
const ALL_LIVE: u64 = REFERENCE - LIVE;
const REFERENCE: u64 = 1 << 34;
/// So many references that only forgotten ones can be meant.
const TOO_MANY: u64 = 1 << 63;

/// What a region leaves.
pub(super) enum Left {
    Nothing,
    /// Its was the last reference: the scope is the caller's alone.
    Alone,
    /// The request has come; the reference is still the caller's.
    Referring,
    /// As `Referring`, and no region is live any more.
    Quiet,
}

impl Word {
    /// With one reference.
    #[inline]
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(REFERENCE))
    }

    #[inline]
    pub(super) fn is_requested(&self) -> bool {
        // Acquire: pairs with the Release of `set_requested`.
        self.0.load(Acquire) & REQUESTED != 0
    }

    /// True: regions are live.
    pub(super) fn set_requested(&self) -> bool {
        // Release: pairs with the Acquire of `is_requested`.
        self.0.fetch_or(REQUESTED, Release) & ALL_LIVE != 0
    }

    /// False: it was set before.
    #[inline]
    pub(super) fn set_begun(&self) -> bool {
        // Relaxed: a count of one.
        self.0.fetch_or(BEGUN, Relaxed) & BEGUN == 0
    }

    #[inline]
    pub(super) fn has_news(&self) -> bool {
        // Relaxed: what it is about is read with the lock.
        self.0.load(Relaxed) & NEWS != 0
    }

    /// With the lock held.
    pub(super) fn set_news(&self, news: bool) {
        // Relaxed: as for `has_news`.
        if news {
            self.0.fetch_or(NEWS, Relaxed);
        } else {
            self.0.fetch_and(!NEWS, Relaxed);
        }
    }

    pub(super) fn is_live(&self) -> bool {
        // Relaxed: asked by who polls the regions.
        self.0.load(Relaxed) & ALL_LIVE != 0
    }

    /// One more live region, which has a reference.
    #[inline]
    pub(super) fn enter(&self) {
        self.add(LIVE + REFERENCE);
    }

    /// One live region less, with its reference.
    #[inline]
    pub(super) fn leave(&self) -> Left {
        let mut word = self.0.load(Relaxed);
        while word & REQUESTED == 0 {
            // Release: as for `subtract`.
            let left = word - (LIVE + REFERENCE);
            match self.0.compare_exchange_weak(word, left, Release, Relaxed) {
                Ok(_) if left / REFERENCE == 0 => {
                    // Acquire: as for `subtract`.
                    self.0.load(Acquire);
                    return Left::Alone;
                }
                Ok(_) => return Left::Nothing,
                Err(now) => word = now,
            }
        }
        // Relaxed: whoever looks for live regions was woken after the request, and sees what came before it; if it looked before this, it is woken again.
        if self.0.fetch_sub(LIVE, Relaxed) & ALL_LIVE == LIVE {
            Left::Quiet
        } else {
            Left::Referring
        }
    }

    #[inline]
    pub(super) fn refer(&self) {
        self.add(REFERENCE);
    }

    /// One reference less. True: it was the last, and the scope is the caller's alone.
    #[inline]
    #[must_use]
    pub(super) fn forget(&self) -> bool {
        // Acquire: pairs with the Release of `subtract`. Whoever has the only reference need not give it up for others to see.
        self.0.load(Acquire) / REFERENCE == 1 || self.subtract(REFERENCE)
    }

    #[inline]
    fn add(&self, references: u64) {
        // Relaxed: a new reference comes from another one. Whether a scope is live is asked by who polls its regions.
        if self.0.fetch_add(references, Relaxed) >= TOO_MANY {
            abort();
        }
    }

    #[inline]
    fn subtract(&self, references: u64) -> bool {
        // Release: what was done by this reference comes before the end, which is after the Acquire of whoever is the last.
        let is_last = self.0.fetch_sub(references, Release) / REFERENCE == 1;
        if is_last {
            // Acquire: pairs with the Release of all others.
            self.0.load(Acquire);
        }
        is_last
    }
}
