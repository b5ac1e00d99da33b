//! A function that is called once, or taken back before.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

use super::spawn::spawn_at;
use crate::rt_sync::whole::Mutex;
use crate::task::JoinHandle;

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

/// Calls a function of the user. If it panics, that is the panic of a task that nobody awaits, and the caller goes on.
pub(crate) fn call(origin: &'static Location<'static>, f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        // It has a task of its own to fail.
        let failed = async move { resume_unwind(payload) };
        drop::<JoinHandle<()>>(spawn_at(origin, failed));
    }
}
