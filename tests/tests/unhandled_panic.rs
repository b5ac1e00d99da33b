//! `UnhandledPanic::ShutdownRuntime`: the first task that panics ends its runtime, and every `block_on` says why.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::thread;

use executor::runtime::{Builder, LocalOptions, Runtime, UnhandledPanic};
use executor::task::{LocalSet, spawn_blocking, spawn_local, yield_now};

use crate::support::{Drops, assert_usable, block_on, within};

fn each(mut test: impl FnMut(Runtime)) {
    for workers in [1, 2] {
        test(
            Builder::new_multi_thread()
                .worker_threads(workers)
                .unhandled_panic(UnhandledPanic::ShutdownRuntime)
                .build()
                .unwrap(),
        );
    }
    test(
        Builder::new_current_thread()
            .unhandled_panic(UnhandledPanic::ShutdownRuntime)
            .build()
            .unwrap(),
    );
}

/// What `f` panics with, and where.
#[track_caller]
fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        panic!("there was no panic");
    };
    *payload.downcast::<String>().unwrap()
}

#[test]
fn block_on_panics_and_names_the_task() {
    within(60, || {
        each(|runtime| {
            let text = panic_of(|| {
                runtime.block_on(async {
                    drop(executor::spawn(async { panic!("the disk is full") }));
                    pending::<()>().await;
                })
            });
            assert!(text.contains("ShutdownRuntime"), "{text}");
            assert!(text.contains("the disk is full"), "{text}");
            assert!(text.contains("unhandled_panic.rs:"), "{text}");
            // And so does a later one.
            assert_eq!(panic_of(|| runtime.block_on(async {})), text);
        });
    });
}

#[test]
fn so_it_does_if_the_future_awaits_the_task() {
    within(60, || {
        for _ in 0..5 {
            each(|runtime| {
                let text = panic_of(|| {
                    runtime.block_on(async { executor::spawn(async { panic!("seen") }).await })
                });
                assert!(text.contains("seen"), "{text}");
            });
        }
    });
}

#[test]
fn every_task_is_dropped_and_none_begins() {
    within(60, || {
        each(|runtime| {
            let drops = Drops::default();
            let tasks: Vec<_> = (0..100)
                .map(|_| {
                    let value = drops.value();
                    runtime.spawn(async move {
                        let _value = value;
                        pending::<()>().await;
                    })
                })
                .collect();
            let failed = runtime.spawn(async {
                yield_now().await;
                panic!("the first");
            });
            panic_of(|| runtime.block_on(pending::<()>()));
            for task in tasks {
                assert!(block_on(task).unwrap_err().is_cancelled());
            }
            assert_eq!(drops.count(), 100);
            assert!(block_on(failed).unwrap_err().is_panic());
            let late = runtime.spawn(async {});
            assert!(block_on(late).unwrap_err().is_cancelled());
            let late = runtime.spawn_blocking(|| ());
            assert!(block_on(late).unwrap_err().is_cancelled());
        });
    });
}

#[test]
fn every_thread_in_block_on_is_told() {
    within(60, || {
        each(|runtime| {
            let (waits, waiting) = channel();
            thread::scope(|scope| {
                let threads: Vec<_> = (0..3)
                    .map(|_| {
                        let (runtime, waits) = (&runtime, waits.clone());
                        scope.spawn(move || {
                            panic_of(|| {
                                runtime.block_on(async {
                                    waits.send(()).unwrap();
                                    pending::<()>().await;
                                })
                            })
                        })
                    })
                    .collect();
                (0..3).for_each(|_| waiting.recv().unwrap());
                drop(runtime.spawn(async { panic!("for all") }));
                for thread in threads {
                    let text = thread.join().unwrap();
                    assert!(text.contains("for all"), "{text}");
                }
            });
        });
    });
}

#[test]
fn closures_and_the_future_of_block_on_are_no_tasks() {
    within(60, || {
        each(|runtime| {
            runtime.block_on(async {
                spawn_blocking(|| panic!("a closure")).await.unwrap_err();
            });
            let caught = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async { panic!("the future itself") })
            }));
            assert_eq!(
                *caught.unwrap_err().downcast::<&str>().unwrap(),
                "the future itself"
            );
            assert_usable(&runtime);
        });
    });
}

#[test]
fn local_tasks_end_their_runtime_too() {
    within(60, || {
        each(|runtime| {
            let (set, drops) = (LocalSet::new(), Drops::default());
            let value = drops.value();
            drop(set.spawn_local(async move {
                let _value = value;
                pending::<()>().await;
            }));
            let text = panic_of(|| {
                set.block_on(&runtime, async {
                    drop(spawn_local(async { panic!("in a set") }));
                    pending::<()>().await;
                })
            });
            assert!(text.contains("in a set"), "{text}");
            // The set is not the runtime's.
            assert_eq!(drops.count(), 0);
            drop(set);
            assert_eq!(drops.count(), 1);
        });
        let runtime = Builder::new_current_thread()
            .unhandled_panic(UnhandledPanic::ShutdownRuntime)
            .build_local(LocalOptions::default())
            .unwrap();
        let drops = Drops::default();
        let value = drops.value();
        drop(runtime.spawn_local(async move {
            let _value = value;
            pending::<()>().await;
        }));
        let text = panic_of(|| {
            runtime.block_on(async {
                drop(spawn_local(async { panic!("a local task") }));
                pending::<()>().await;
            })
        });
        assert!(text.contains("a local task"), "{text}");
        assert_eq!(drops.count(), 1);
    });
}

/// The local tasks wait for their own thread.
#[test]
fn a_task_that_panics_while_another_thread_drives_ends_a_local_runtime() {
    within(60, || {
        let runtime = Builder::new_current_thread()
            .unhandled_panic(UnhandledPanic::ShutdownRuntime)
            .build_local(LocalOptions::default())
            .unwrap();
        let drops = Drops::default();
        let value = drops.value();
        let local = runtime.spawn_local(async move {
            let _value = value;
            pending::<()>().await;
        });
        let handle = runtime.handle().clone();
        let text = thread::spawn(move || {
            panic_of(|| {
                handle.block_on(async {
                    drop(executor::spawn(async { panic!("elsewhere") }));
                    pending::<()>().await;
                })
            })
        });
        assert!(text.join().unwrap().contains("elsewhere"));
        assert_eq!(drops.count(), 0);
        assert!(panic_of(|| runtime.block_on(async {})).contains("elsewhere"));
        drop(runtime);
        assert_eq!(drops.count(), 1);
        assert!(block_on(local).unwrap_err().is_cancelled());
    });
}

#[test]
fn by_default_a_panic_ends_nothing() {
    within(60, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .unhandled_panic(UnhandledPanic::ShutdownRuntime)
            .unhandled_panic(UnhandledPanic::Ignore)
            .build()
            .unwrap();
        let task = runtime.spawn(async { panic!("ignored") });
        assert!(runtime.block_on(task).unwrap_err().is_panic());
        assert_usable(&runtime);
    });
}
