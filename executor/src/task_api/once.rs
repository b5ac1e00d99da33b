//! A function that is called once, or taken back before.

use crate::rt_sync::whole::Mutex;

/// Whoever takes the function calls it, or drops it. Nobody else can.
pub(crate) struct Once<F>(Mutex<Option<F>>);

/// What is left of a [`Once`] for those who do not know its type.
pub(crate) trait Cancel: Send + Sync {
    /// Drops the function. True: it was there.
    fn cancel(&self) -> bool;
}

impl<F> Once<F> {
    pub(crate) fn new(f: F) -> Self {
        Self(Mutex::new(Some(f)))
    }

    pub(crate) fn take(&self) -> Option<F> {
        self.0.lock().take()
    }
}

impl<F: Send> Cancel for Once<F> {
    fn cancel(&self) -> bool {
        let function = self.take();
        // Dropped here, without the lock.
        function.is_some()
    }
}
