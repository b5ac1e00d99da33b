//! Names the synchronisation types: the real ones, or loom's when its models are built.

#[cfg(not(loom))]
mod real {
    pub(crate) use parking_lot::Mutex;
    pub(crate) use std::sync::atomic::{AtomicU8, AtomicU64};

    /// The standard cell with the closure interface of loom's.
    #[derive(Debug)]
    pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

    impl<T> UnsafeCell<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::cell::UnsafeCell::new(value))
        }

        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}

#[cfg(loom)]
mod model {
    pub(crate) use loom::{
        cell::UnsafeCell,
        sync::atomic::{AtomicU8, AtomicU64},
    };

    /// loom's mutex without poisoning, as parking_lot's is.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().expect("a model panicked under the lock")
        }
    }
}

#[cfg(loom)]
pub(crate) use model::{AtomicU8, AtomicU64, Mutex, UnsafeCell};
#[cfg(not(loom))]
pub(crate) use real::{AtomicU8, AtomicU64, Mutex, UnsafeCell};
