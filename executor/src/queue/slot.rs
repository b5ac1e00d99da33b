//! The next slot: room for the one task that a worker runs next, ahead of its FIFO.
//!
//! ```text
//!   owner: put = swap(new)      ──┐    or, into an empty slot, store(new)
//!   owner: take = swap(null)    ──┼──▶ one pointer; every taker swaps or compares, so each value leaves once
//!   thief: steal = CAS(seen, null)┘
//! ```
//! A task that was just woken is most likely hot in this core's cache, and the two sides of a conversation take turns here
//! without a queue between them. Filling the empty slot tells nobody: the owner is awake and looks here first. A thief takes it
//! only if the owner's poll counter has not moved while the thief searched, so the value is not snatched from a healthy owner.

use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use crate::rt_sync::atomic::AtomicPtr;
use crate::rt_sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// Holds at most one value.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    value: AtomicPtr<()>,
    /// The values may cross threads (`OneWord: Send`), and nobody gets a reference to one in here.
    _owns: PhantomData<fn() -> T>,
}

/// A value that is one pointer.
pub(crate) trait OneWord: Send {
    fn into_raw(self) -> NonNull<()>;

    /// # Safety
    ///
    /// - `raw` came from `into_raw`, and is turned back once.
    unsafe fn from_raw(raw: NonNull<()>) -> Self;
}

impl<T: OneWord> Slot<T> {
    pub(crate) fn new() -> Self {
        Self {
            value: AtomicPtr::new(ptr::null_mut()),
            _owns: PhantomData,
        }
    }

    /// Puts a value in, and returns the one that was there. The owner's call.
    #[inline]
    pub(crate) fn put(&self, value: T) -> Option<T> {
        // Relaxed: only the owner fills the slot, so an empty one stays empty until the store.
        if self.value.load(Relaxed).is_null() {
            // Release: pairs with the Acquire of `take` and `steal`.
            self.value.store(value.into_raw().as_ptr(), Release);
            return None;
        }
        // Release: pairs with the Acquire of `take` and `steal`. Acquire: pairs with our own earlier Release, by way of a thief.
        owned(self.value.swap(value.into_raw().as_ptr(), AcqRel))
    }

    /// Takes the value out. The owner's call.
    #[inline]
    pub(crate) fn take(&self) -> Option<T> {
        // Relaxed: only the owner fills the slot, so "empty" cannot be news to it.
        if self.value.load(Relaxed).is_null() {
            return None;
        }
        // Acquire: pairs with the Release of `put`.
        owned(self.value.swap(ptr::null_mut(), AcqRel))
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // Relaxed: a hint. A thief that must not miss one orders this load by the idle protocol's fence.
        self.value.load(Relaxed).is_null()
    }

    /// Takes the value out unless the owner is quicker. A thief's call.
    pub(crate) fn steal(&self) -> Option<T> {
        let seen = self.value.load(Relaxed);
        if seen.is_null() {
            return None;
        }
        // Acquire: pairs with the Release of `put`. Should the same pointer have left and come back between the load and here,
        // it is a value all the same.
        let taken = self
            .value
            .compare_exchange(seen, ptr::null_mut(), Acquire, Relaxed)
            .ok()?;
        owned(taken)
    }
}

fn owned<T: OneWord>(raw: *mut ()) -> Option<T> {
    // SAFETY: the pointer was put in by `put` as `into_raw`, and an atomic exchange has just taken it out: nobody else has it.
    NonNull::new(raw).map(|raw| unsafe { T::from_raw(raw) })
}

#[cfg(all(test, loom))]
mod loom_tests {
    use std::num::NonZeroUsize;
    use std::ptr::NonNull;

    use loom::sync::Arc;
    use loom::thread;

    use super::{OneWord, Slot};

    struct Value(usize);

    impl OneWord for Value {
        fn into_raw(self) -> NonNull<()> {
            NonNull::without_provenance(NonZeroUsize::new(self.0).unwrap())
        }

        unsafe fn from_raw(raw: NonNull<()>) -> Self {
            Self(raw.addr().get())
        }
    }

    #[test]
    fn loom_each_value_leaves_the_slot_once() {
        loom::model(|| {
            let slot = Arc::new(Slot::<Value>::new());
            let thief = slot.clone();
            let stealing = thread::spawn(move || {
                thief
                    .steal()
                    .into_iter()
                    .chain(thief.steal())
                    .map(|value| value.0)
                    .sum::<usize>()
            });
            let mut owned = 0;
            for value in [1, 10] {
                owned += slot.put(Value(value)).map_or(0, |value| value.0);
            }
            owned += slot.take().map_or(0, |value| value.0);
            owned += slot.put(Value(100)).map_or(0, |value| value.0);
            let stolen = stealing.join().unwrap();
            let left = slot.take().map_or(0, |value| value.0);
            assert_eq!(owned + stolen + left, 111, "a value was lost or came twice");
        });
    }
}
