//! What a runtime leaves behind: no thread, no descriptor, no future.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use executor::runtime::Builder;
use executor::task::{AbortHandle, JoinHandle};
use executor::time::sleep;

use crate::support::{
    Counted, Drops, block_on, child, current_thread, each_runtime, fds, threads, until, within,
    workers,
};

#[test]
fn a_thousand_runtimes_leave_no_thread_no_descriptor_and_no_future() {
    child(
        "leaks::a_thousand_runtimes_leave_no_thread_no_descriptor_and_no_future",
        || {
            let drops = Drops::default();
            drop(workers(1));
            let base = (threads(), fds());
            for n in 0..1000 {
                let runtime = match n % 3 {
                    0 => current_thread(),
                    n => workers(n),
                };
                runtime.block_on(async {
                    for _ in 0..50 {
                        let (ends, waits) = (drops.value(), drops.value());
                        drop(executor::spawn(async move { drop(ends) }));
                        drop(executor::spawn(async move {
                            let _waits = waits;
                            sleep(Duration::from_secs(3600)).await;
                        }));
                    }
                    let closure = drops.value();
                    executor::task::spawn_blocking(|| drop(closure))
                        .await
                        .unwrap();
                    let listener = executor::net::TcpListener::bind("127.0.0.1:0")
                        .await
                        .unwrap();
                    let socket = drops.value();
                    drop(executor::spawn(async move {
                        let _socket = socket;
                        let _ = listener.accept().await;
                    }));
                    sleep(Duration::from_micros(10)).await;
                });
                drop(runtime);
                // A joined thread may show in /proc a moment longer.
                until(|| (threads(), fds()) == base);
                assert_eq!(drops.count(), (n + 1) * 102);
            }
        },
    );
}

#[test]
fn a_task_that_holds_its_own_handles_is_freed() {
    struct Ring {
        _own: Mutex<Option<(JoinHandle<()>, AbortHandle)>>,
        _count: Counted,
    }
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            for ends in [true, false] {
                for _ in 0..10 {
                    let ring = Arc::new(Ring {
                        _own: Mutex::new(None),
                        _count: drops.value(),
                    });
                    let inner = ring.clone();
                    let (gate, wait) = futures::channel::oneshot::channel::<()>();
                    let handle = runtime.spawn(async move {
                        let _inner = inner;
                        wait.await.unwrap();
                        if !ends {
                            pending::<()>().await;
                        }
                    });
                    let abort = handle.abort_handle();
                    *ring._own.lock().unwrap() = Some((handle, abort));
                    gate.send(()).unwrap();
                }
            }
            drop(runtime);
            assert_eq!(drops.count(), 20);
        });
    });
}

#[test]
fn tasks_that_await_each_other_are_freed_with_their_runtime() {
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            let mut last: Option<JoinHandle<()>> = None;
            for _ in 0..1000 {
                let (value, before) = (drops.value(), last.take());
                last = Some(runtime.spawn(async move {
                    let _value = value;
                    match before {
                        Some(before) => before.await.unwrap(),
                        None => pending().await,
                    }
                }));
            }
            runtime.block_on(executor::task::yield_now());
            drop(runtime);
            assert_eq!(drops.count(), 1000);
        });
    });
}

#[test]
fn a_forgotten_runtime_goes_on() {
    within(60, || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        std::mem::forget(runtime);
        assert_eq!(block_on(handle.spawn(async { 2 })).unwrap(), 2);
    });
}

#[test]
fn a_stuck_blocking_thread_ends_after_its_closure() {
    child(
        "leaks::a_stuck_blocking_thread_ends_after_its_closure",
        || {
            drop(workers(1));
            let base = (threads(), fds());
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .build()
                .unwrap();
            let (release, wait) = std::sync::mpsc::channel::<()>();
            let job = runtime.spawn_blocking(move || {
                let _ = wait.recv();
            });
            // Two workers, the guard, and the closure's.
            until(|| threads() == base.0 + 4);
            runtime.shutdown_background();
            drop(release);
            let _ = block_on(job);
            until(|| (threads(), fds()) == base);
        },
    );
}
