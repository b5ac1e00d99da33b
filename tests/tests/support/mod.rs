//! What several areas need: a hang limit, child processes, counts of the system's objects, values that count their drops.

mod child;
mod counts;
mod directory;
mod drops;
mod example;
mod home;
mod net;
mod random;
pub(crate) mod source;
mod strace;
mod wakers;
mod watchdog;

pub(crate) use child::{
    Child, child, child_under, child_with, is_child, spawn_child, spawn_child_as, works,
};
pub(crate) use counts::{fds, in_time, more_descriptors, thread_names, threads, until};
pub(crate) use directory::Directory;
pub(crate) use drops::{Counted, Drops};
pub(crate) use example::{RUN_LIMIT, Running, example};
pub(crate) use home::Home;
pub(crate) use net::{Dead, kind, pair, pair_with_std, poll_once, refusing_address};
pub(crate) use random::Random;
pub(crate) use strace::{failing, injecting};
pub(crate) use wakers::{PanicIn, block_on, counting_waker, panicking_waker};
pub(crate) use watchdog::within;

use executor::runtime::{Builder, Runtime};

/// A multi-thread runtime.
pub(crate) fn workers(workers: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .build()
        .unwrap()
}

/// The same without spare workers. One comes if the system holds another for some milliseconds in a poll, has a thread of its own, and no number.
pub(crate) fn workers_without_spares(workers: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .max_spare_workers(0)
        .build()
        .unwrap()
}

/// A current-thread runtime.
pub(crate) fn current_thread() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// A current-thread runtime whose clock stands still, and jumps.
pub(crate) fn paused() -> Runtime {
    Builder::new_current_thread()
        .start_paused(true)
        .build()
        .unwrap()
}

/// One runtime of each kind that schedules differently.
pub(crate) fn each_runtime(mut test: impl FnMut(Runtime)) {
    test(workers(1));
    test(workers(2));
    test(current_thread());
}

/// Runs a few tasks that wait for each other, a timer and a blocking closure: the runtime still works.
#[track_caller]
pub(crate) fn assert_usable(runtime: &Runtime) {
    let sum = runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|i| {
                executor::spawn(async move {
                    executor::task::yield_now().await;
                    executor::time::sleep(std::time::Duration::from_micros(100)).await;
                    executor::task::spawn_blocking(move || i).await.unwrap()
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 28);
}
