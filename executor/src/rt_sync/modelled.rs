//! loom's primitives, with the interfaces of the real ones.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::sync::{Arc, MutexGuard, atomic};

use atomic::AtomicUsize;
use atomic::Ordering::Relaxed;

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

/// loom's condition variable, whose waits end by their time when a model says so.
#[derive(Debug)]
pub(crate) struct Condvar {
    inner: loom::sync::Condvar,
    expired: AtomicUsize,
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self {
            inner: loom::sync::Condvar::new(),
            expired: AtomicUsize::new(0),
        }
    }

    pub(crate) fn notify_one(&self) {
        self.inner.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.inner.notify_all();
    }

    /// The time of one `wait_for` has passed: of one that is under way, or else of the next. Called with the waiters' mutex locked.
    ///
    /// It takes more from the waiters than the real one: a wait that was notified may say that its time has passed, and then nobody
    /// else is notified.
    #[cfg_attr(not(test), expect(dead_code, reason = "models call it"))]
    pub(crate) fn expire(&self) {
        self.expired.fetch_add(1, Relaxed);
        self.inner.notify_one();
    }

    // Relaxed: time orders nothing.
    fn has_expired(&self) -> bool {
        self.expired
            .fetch_update(Relaxed, Relaxed, |expired| expired.checked_sub(1))
            .is_ok()
    }
}

pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.inner.wait(guard).expect("no model poisons a lock")
}

/// In the models no time passes but by `Condvar::expire`.
pub(crate) fn wait_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    _timeout: std::time::Duration,
) -> (MutexGuard<'a, T>, bool) {
    if condvar.has_expired() {
        return (guard, true);
    }
    let guard = wait(condvar, guard);
    (guard, condvar.has_expired())
}
