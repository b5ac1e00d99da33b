//! A panic in a task, or in a value it owns, stays in the task and reaches its handle.

use std::future::pending;
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use executor::runtime::Builder;

use crate::support::{assert_usable, each_runtime, until, within, workers};

/// Panics are part of these tests: their texts would hide everything else.
pub(crate) fn quiet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let expected = info
                .payload()
                .downcast_ref::<&str>()
                .is_some_and(|text| text.starts_with("expected"));
            if !expected && !info.payload().is::<PanicOnDrop>() && !info.payload().is::<Number>() {
                usual(info);
            }
        }));
    });
}

struct Number(usize);

#[test]
fn ten_thousand_panics_cost_no_worker_and_no_answer() {
    quiet();
    within(60, || {
        let stops = Arc::new(AtomicUsize::new(0));
        let count = stops.clone();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .on_thread_stop(move || {
                count.fetch_add(1, SeqCst);
            })
            .build()
            .unwrap();
        let spawn = |n: usize| {
            let panicking = runtime.spawn(async move {
                executor::task::yield_now().await;
                panic_any(Number(n));
            });
            (panicking, runtime.spawn(async move { n }))
        };
        let tasks: Vec<_> = (0..10_000).map(spawn).collect();
        runtime.block_on(async {
            for (n, (panicking, normal)) in tasks.into_iter().enumerate() {
                let error: executor::task::JoinError = panicking.await.unwrap_err();
                assert_eq!(error.into_panic().downcast::<Number>().unwrap().0, n);
                assert_eq!(normal.await.unwrap(), n);
            }
        });
        assert_eq!(stops.load(SeqCst), 0, "a worker ended");
        both_workers_work(&runtime);
    });
}

/// Two tasks that each block their thread until the other runs: that needs two workers.
fn both_workers_work(runtime: &executor::runtime::Runtime) {
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let tasks = [barrier.clone(), barrier].map(|barrier| {
        runtime.spawn(async move {
            barrier.wait();
            thread::current().id()
        })
    });
    let [a, b] = tasks.map(|task| runtime.block_on(task).unwrap());
    assert_ne!(a, b);
}

/// A payload that panics again when it is dropped.
struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("expected: the payload's destructor");
        }
    }
}

#[test]
fn a_payload_whose_destructor_panics_harms_nobody() {
    quiet();
    within(60, || {
        each_runtime(|runtime| {
            for _ in 0..10 {
                drop(runtime.spawn(async { panic_any(PanicOnDrop) }));
                let error = runtime.block_on(runtime.spawn(async { panic_any(PanicOnDrop) }));
                drop(error.unwrap_err());
                let error = runtime.block_on(runtime.spawn(async { panic_any(PanicOnDrop) }));
                std::mem::forget(error.unwrap_err().into_panic());
                drop(runtime.spawn_blocking(|| panic_any(PanicOnDrop)));
            }
            assert_usable(&runtime);
        });
    });
}

/// Panics with a [`PanicOnDrop`] when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic_any(PanicOnDrop);
        }
    }
}

#[test]
fn of_two_panics_the_first_is_reported() {
    quiet();
    within(60, || {
        each_runtime(|runtime| {
            // The poll panics, then the destructor of what is left of the future does.
            struct Twice;
            impl Future for Twice {
                type Output = ();
                fn poll(
                    self: std::pin::Pin<&mut Self>,
                    _: &mut std::task::Context<'_>,
                ) -> std::task::Poll<()> {
                    panic!("expected: the first");
                }
            }
            impl Drop for Twice {
                fn drop(&mut self) {
                    panic_any(PanicOnDrop);
                }
            }
            let error = runtime.block_on(runtime.spawn(Twice)).unwrap_err();
            assert_eq!(
                *error.into_panic().downcast::<&str>().unwrap(),
                "expected: the first"
            );
            assert_usable(&runtime);
        });
    });
}

#[test]
fn a_runtime_full_of_tasks_whose_destructors_panic_shuts_down() {
    quiet();
    within(60, || {
        each_runtime(|runtime| {
            let handles: Vec<_> = (0..100)
                .map(|_| {
                    let bomb = Bomb;
                    runtime.spawn(async move {
                        let _bomb = bomb;
                        pending::<()>().await;
                    })
                })
                .collect();
            drop(runtime);
            for handle in handles {
                let error = crate::support::block_on(handle).unwrap_err();
                assert!(error.is_panic());
                std::mem::forget(error.into_panic());
            }
        });
    });
}

#[test]
fn a_panicking_blocking_closure_keeps_its_thread() {
    quiet();
    within(60, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let first = runtime.spawn_blocking(|| thread::current().id());
        let first = runtime.block_on(first).unwrap();
        let error = runtime
            .block_on(runtime.spawn_blocking(|| panic!("expected")))
            .unwrap_err();
        assert!(error.is_panic());
        let after = runtime
            .block_on(runtime.spawn_blocking(|| thread::current().id()))
            .unwrap();
        assert_eq!(first, after);
    });
}

#[test]
fn a_panic_of_the_root_future_leaves_the_runtime_usable() {
    quiet();
    each_runtime(|runtime| {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async { panic!("expected: the root") })
        }));
        assert!(panicked.is_err());
        assert!(
            executor::runtime::Handle::try_current().is_err(),
            "the context was left behind"
        );
        assert_usable(&runtime);
    });
}

#[test]
fn detached_panics_leave_both_workers() {
    quiet();
    within(30, || {
        let runtime = workers(2);
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..1000 {
            let count = count.clone();
            drop(runtime.spawn(async move {
                count.fetch_add(1, SeqCst);
                panic!("expected");
            }));
        }
        until(|| count.load(SeqCst) == 1000);
        both_workers_work(&runtime);
    });
}
