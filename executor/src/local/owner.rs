//! A value that every thread may hold and only its owner, the thread that made it, may reach.

use std::cell::Cell;
use std::num::NonZeroU64;
// Not through the shim: the numbers live in a static, which no model may own, and order nothing.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::rt_sync::thread_local;

#[derive(Debug)]
pub(super) struct OwnerOnly<T> {
    owner: NonZeroU64,
    value: T,
}

// SAFETY: `get` gives the value to one thread only, because no two threads ever have the same number. Whoever drops it last may be
// another one, as `T: Send` allows.
unsafe impl<T: Send> Sync for OwnerOnly<T> {}

impl<T> OwnerOnly<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            owner: this_thread(),
            value,
        }
    }

    /// The value, if the calling thread is its owner.
    #[inline]
    pub(super) fn get(&self) -> Option<&T> {
        (self.owner == this_thread()).then_some(&self.value)
    }
}

/// The calling thread's number. Unlike an address or the system's id, it is not used again when the thread has ended.
#[inline]
fn this_thread() -> NonZeroU64 {
    // A const-initialised cell without a destructor is there even while other thread locals are being destroyed.
    NUMBER.with(|number| {
        number.get().unwrap_or_else(|| {
            let new = NonZeroU64::new(NEXT.fetch_add(1, Relaxed)).expect("2^64 threads");
            number.set(Some(new));
            new
        })
    })
}

thread_local! {
    static NUMBER: Cell<Option<NonZeroU64>> = const { Cell::new(None) };
}

static NEXT: AtomicU64 = AtomicU64::new(1);
