//! `Rare`: an `Option` that is `None` as a rule.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};

/// What is there in few of its owners.
///
/// To drop it is a test where that is done, and only if there is something a call. Of an `Option` the compiler makes a function as long as what drops the
/// content, and calls that: where a future ends it is called for nothing, some twenty instructions each time.
pub(crate) struct Rare<T>(ManuallyDrop<Option<T>>);

impl<T> Default for Rare<T> {
    #[inline]
    fn default() -> Self {
        Self(ManuallyDrop::new(None))
    }
}

impl<T> Deref for Rare<T> {
    type Target = Option<T>;

    #[inline]
    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T> DerefMut for Rare<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Option<T> {
        &mut self.0
    }
}

impl<T> Drop for Rare<T> {
    #[inline]
    fn drop(&mut self) {
        #[cold]
        #[inline(never)]
        fn drop_content<T>(rare: &mut Rare<T>) {
            // SAFETY: called by the destructor, after which nobody uses it.
            unsafe { ManuallyDrop::drop(&mut rare.0) };
        }
        if self.is_some() {
            drop_content(self);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Rare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
