//! loom's primitives, with the interfaces of the real ones.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::{Arc, Condvar, MutexGuard, atomic};

/// loom's, with the standard library's form for a constant.
macro_rules! local_key {
    (static $name:ident: $type:ty = const { $value:expr };) => {
        loom::thread_local! { static $name: $type = $value; }
    };
}
pub(crate) use local_key as thread_local;

/// loom's mutex with parking_lot's interface: no poisoning.
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("no model poisons a lock")
    }
}

pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).expect("no model poisons a lock")
}

/// In the models no time passes.
pub(crate) fn wait_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    _timeout: std::time::Duration,
) -> (MutexGuard<'a, T>, bool) {
    (wait(condvar, guard), false)
}
