//! A place for one waker that several threads reach, and that one at a time may touch.
//!
//! Who that is, other words decide: `Readiness` by bits of its own. What is asked of the slot without that right are two looks: whether
//! it is empty, and whether it holds a given waker.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr;
use std::task::{RawWakerVTable, Waker};

use crate::sync::{AtomicPtr, Ordering};

/// The two parts of a waker. Without a table it is empty.
#[derive(Default)]
pub(crate) struct Slot {
    data: AtomicPtr<()>,
    table: AtomicPtr<RawWakerVTable>,
}

impl Slot {
    /// Fills the slot, which the caller has found empty. What it held otherwise would leak.
    pub(crate) fn put(&self, waker: Waker) {
        let waker = ManuallyDrop::new(waker);
        // Release: pairs with `seems_to_hold`. Who takes it synchronizes with us by the word that gave the right to.
        self.data.store(waker.data().cast_mut(), Ordering::Release);
        self.table
            .store(ptr::from_ref(waker.vtable()).cast_mut(), Ordering::Release);
    }

    /// Empties the slot.
    ///
    /// # Safety
    /// - Nobody else puts or takes meanwhile.
    /// - What the last `put` did happened before.
    pub(crate) unsafe fn take(&self) -> Option<Waker> {
        let table = self.table.load(Ordering::Relaxed);
        let data = self.data.load(Ordering::Relaxed);
        // Release: pairs with `is_empty`. Whoever sees it empty writes after our reads.
        self.table.store(ptr::null_mut(), Ordering::Release);
        // SAFETY: a table comes from a `put`, as does the data beside it, and lives for ever; that waker was forgotten there, so it is ours now.
        (!table.is_null()).then(|| unsafe { Waker::new(data, &*table) })
    }

    /// Whether there is nothing in it, for who may fill it then.
    pub(crate) fn is_empty(&self) -> bool {
        // Acquire: pairs with `take`.
        self.table.load(Ordering::Acquire).is_null()
    }

    /// Whether this waker seems to be in it. A put at the same time may be seen by half.
    pub(crate) fn seems_to_hold(&self, waker: &Waker) -> bool {
        // Acquire: pairs with `put`. Whoever sees a waker in the slot sees as well that it was claimed.
        ptr::eq(self.data.load(Ordering::Acquire), waker.data())
            && ptr::eq(self.table.load(Ordering::Acquire), waker.vtable())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: it is borrowed exclusively, and whoever lent it has synchronized with all that was done.
        drop(unsafe { self.take() });
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}
