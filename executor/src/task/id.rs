//! Task ids: unique in the process, handed out from blocks so that spawning touches no shared line.

use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU64;
// Not through the shim: ids live in a static, which no model may own, and order nothing.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::ledger::{self, Line};
use crate::rt_sync::whole::thread_local;

/// Identifies a task among all tasks of the process, those of other runtimes and finished ones included.
///
/// Ids say nothing about the order in which tasks were spawned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(NonZeroU64);

/// One thread's stock of ids.
#[derive(Debug)]
pub(crate) struct IdSource {
    next: Cell<u64>,
    end: Cell<u64>,
}

impl Id {
    /// An id of the current thread's own stock, for threads that are no workers.
    pub(crate) fn next() -> Self {
        STOCK.with(IdSource::next)
    }

    pub(crate) fn from_number(number: u64) -> Self {
        Self(NonZeroU64::new(number).expect("2^64 tasks were spawned"))
    }

    pub(crate) fn to_number(self) -> u64 {
        self.0.get()
    }
}

impl IdSource {
    pub(crate) const fn new() -> Self {
        Self {
            next: Cell::new(0),
            end: Cell::new(0),
        }
    }

    #[inline]
    pub(crate) fn next(&self) -> Id {
        if self.next.get() == self.end.get() {
            ledger::write(Line::Ids);
            let start = NEXT.fetch_add(BLOCK, Relaxed);
            self.next.set(start);
            self.end.set(start + BLOCK);
        }
        let number = self.next.get();
        self.next.set(number + 1);
        Id::from_number(number)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}

thread_local! {
    static STOCK: IdSource = const { IdSource::new() };
}

static NEXT: AtomicU64 = AtomicU64::new(1);
const BLOCK: u64 = 1024;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn ids_of_several_stocks_never_meet() {
        let (a, b) = (IdSource::new(), IdSource::new());
        let mut seen = std::collections::HashSet::new();
        for _ in 0..3 * BLOCK {
            assert!(seen.insert(a.next()) && seen.insert(b.next()) && seen.insert(Id::next()));
        }
    }
}
