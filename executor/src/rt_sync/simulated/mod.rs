//! A simulated machine for whole runtimes, over shuttle: threads, locks, time and faults that all follow from one seed.
//!
//! ```text
//!   the runtime ──▶ Mutex Condvar thread now ──▶ `bed` one thread's sleep ──▶ shuttle's park
//!                                                  ▲ deadline                     │ who runs next?
//!                                                `world` the clock, faults    `seeded` the schedule
//! ```
//! shuttle runs one of the threads at a time, all of them on one thread of the system, and switches before every operation on what they
//! share. It knows neither time nor faults, which are added here. What it executes is sequentially consistent whatever the orderings
//! say: a fence or an ordering that is missing is found by the loom models, not here.

mod bed;
mod local_key;
mod lock;
mod seeded;
pub(crate) mod thread;
mod world;

pub(crate) use super::cell::UnsafeCell;
pub(crate) use local_key::{LocalKey, local_key as thread_local};
pub(crate) use lock::{Condvar, Mutex, MutexGuard, wait, wait_for, wait_until};
pub(crate) use seeded::check;
pub(crate) use shuttle::hint::spin_loop;
pub(crate) use shuttle::sync::atomic;
pub(crate) use std::sync::Arc;
pub(crate) use world::{Fault, elapsed, happens, now, random, refuse_threads};

/// Lets another thread run, as before every operation on what is shared.
pub(crate) fn switch() {
    shuttle::thread::sleep(std::time::Duration::ZERO);
}

/// Fewer than there are workers in the models.
pub(crate) fn processors() -> usize {
    2
}

/// A number for the current thread, the same each time, from small ones on.
pub(crate) fn thread_number() -> usize {
    thread::current().id().into()
}
