//! The system refuses a thread: an error or a cancelled handle, nothing left behind, and nobody waits for ever.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use executor::runtime::{Builder, Runtime};

use crate::support::{Drops, assert_usable, block_on, child, fds, threads, until, within, workers};

/// More than the address space has.
const ABSURD: usize = 1 << 46;

fn without_threads() -> Runtime {
    Builder::new_current_thread()
        .thread_stack_size(ABSURD)
        .build()
        .unwrap()
}

#[test]
fn build_is_an_error_and_leaves_nothing_behind() {
    child(
        "refused_threads::build_is_an_error_and_leaves_nothing_behind",
        || {
            drop(workers(1));
            let base = (threads(), fds());
            for size in [ABSURD, usize::MAX / 2, usize::MAX] {
                for _ in 0..10 {
                    let error = Builder::new_multi_thread()
                        .worker_threads(3)
                        .thread_stack_size(size)
                        .build()
                        .unwrap_err();
                    assert!(error.to_string().contains("thread"), "{error}");
                    until(|| (threads(), fds()) == base);
                }
            }
            assert_usable(&workers(2));
        },
    );
}

#[test]
fn a_stack_that_is_too_small_is_made_large_enough() {
    for size in [0, 1, 4097, 65_537] {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_stack_size(size.max(1))
            .build();
        // Whatever the system says, it is no crash.
        drop(runtime);
    }
}

#[test]
fn the_threads_that_did_start_end_when_a_later_one_is_refused() {
    child(
        "refused_threads::the_threads_that_did_start_end_when_a_later_one_is_refused",
        || {
            let stops = std::sync::Arc::new(AtomicUsize::new(0));
            drop(workers(1));
            let base = (threads(), fds());
            // Each thread takes 1 GiB of addresses: some fit, not all.
            let limit = libc::rlimit {
                rlim_cur: 6 << 30,
                rlim_max: libc::RLIM_INFINITY,
            };
            // SAFETY: the limit is a local variable; in this process no other test runs.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
            let count = stops.clone();
            let built = Builder::new_multi_thread()
                .worker_threads(64)
                .thread_stack_size(1 << 30)
                .on_thread_stop(move || {
                    count.fetch_add(1, SeqCst);
                })
                .build();
            assert!(built.is_err());
            assert!(
                stops.load(SeqCst) > 0,
                "no thread was started at all: the test tests nothing"
            );
            until(|| (threads(), fds()) == base);
            let unlimited = libc::rlimit {
                rlim_cur: libc::RLIM_INFINITY,
                ..limit
            };
            // SAFETY: as above.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &unlimited) }, 0);
            assert_usable(&workers(2));
        },
    );
}

#[test]
fn spawn_blocking_answers_cancelled() {
    within(60, || {
        let runtime = without_threads();
        for _ in 0..10 {
            let drops = Drops::default();
            let value = drops.value();
            let job = runtime.spawn_blocking(move || drop(value));
            assert!(runtime.block_on(job).unwrap_err().is_cancelled());
            assert_eq!(drops.count(), 1);
        }
        assert_eq!(
            runtime.block_on(async { executor::spawn(async { 1 }).await.unwrap() }),
            1
        );
    });
}

#[test]
fn of_many_closures_handed_in_at_once_every_one_answers() {
    within(60, || {
        for _ in 0..50 {
            let runtime = without_threads();
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..50 {
                            let job = runtime.spawn_blocking(|| ());
                            assert!(block_on(job).unwrap_err().is_cancelled());
                        }
                    });
                }
            });
        }
    });
}

#[test]
fn on_the_paused_clock_a_refused_closure_does_not_hold_the_time() {
    within(60, || {
        let runtime = Builder::new_current_thread()
            .start_paused(true)
            .thread_stack_size(ABSURD)
            .build()
            .unwrap();
        runtime.block_on(async {
            assert!(executor::task::spawn_blocking(|| ()).await.is_err());
            executor::time::sleep(std::time::Duration::from_secs(3600)).await;
        });
    });
}
