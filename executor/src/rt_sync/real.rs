//! The real primitives: the standard library's and parking_lot's, with loom's forms where those differ.

use std::time::{Duration, Instant};

pub(crate) use super::cell::UnsafeCell;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(crate) use std::hint::spin_loop;
pub(crate) use std::sync::{Arc, atomic};
pub(crate) use std::{thread, thread_local};

/// Waits on `condvar`, giving the guard back: the form that loom has.
pub(crate) fn wait<'a, T>(condvar: &Condvar, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(&mut guard);
    guard
}

/// As `wait`, for `timeout` at most. True: it has passed.
pub(crate) fn wait_for<'a, T>(
    condvar: &Condvar,
    mut guard: MutexGuard<'a, T>,
    timeout: Duration,
) -> (MutexGuard<'a, T>, bool) {
    let timed_out = condvar.wait_for(&mut guard, timeout).timed_out();
    (guard, timed_out)
}

/// As `wait`, until `deadline` at most. True: it has passed.
pub(crate) fn wait_until<'a, T>(
    condvar: &Condvar,
    mut guard: MutexGuard<'a, T>,
    deadline: Instant,
) -> (MutexGuard<'a, T>, bool) {
    let timed_out = condvar.wait_until(&mut guard, deadline).timed_out();
    (guard, timed_out)
}

/// The time by the system's monotonic clock.
#[inline(always)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How many threads can run at once.
pub(crate) fn processors() -> usize {
    num_cpus::get()
}

/// A number for the current thread, the same each time, from small ones on.
pub(crate) fn thread_number() -> usize {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    if NUMBER.get() == usize::MAX {
        NUMBER.set(NEXT.fetch_add(1, Relaxed));
    }
    NUMBER.get()
}
