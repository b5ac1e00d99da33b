//! Outside of any runtime, tasks, timers and closures belong to the default one.

use std::thread;
use std::time::Duration;

use executor::runtime::{Handle, RuntimeFlavor};
use executor::task::spawn_blocking;
use executor::time::{Instant, interval, sleep, timeout};

use crate::support::{block_on, child, thread_names, until, within, workers};

#[test]
fn plain_threads_spawn_sleep_and_block() {
    within(60, || {
        thread::scope(|scope| {
            for n in 0..8 {
                scope.spawn(move || {
                    assert_eq!(block_on(executor::spawn(async move { n })).unwrap(), n);
                    let start = Instant::now();
                    block_on(sleep(Duration::from_millis(2)));
                    assert!(start.elapsed() >= Duration::from_millis(2));
                    assert_eq!(block_on(spawn_blocking(move || n)).unwrap(), n);
                    let late = block_on(timeout(
                        Duration::from_micros(100),
                        std::future::pending::<()>(),
                    ));
                    assert!(late.is_err());
                    let mut ticks = interval(Duration::from_micros(100));
                    for _ in 0..3 {
                        block_on(ticks.tick());
                    }
                });
            }
        });
    });
}

#[test]
fn current_is_the_default_runtime_and_try_current_is_none() {
    within(60, || {
        assert!(Handle::try_current().is_err());
        let handle = Handle::current();
        assert_eq!(handle.runtime_flavor(), RuntimeFlavor::MultiThread);
        assert!(
            Handle::try_current().is_err(),
            "having asked is not being inside"
        );
        let error = Handle::try_current().unwrap_err();
        assert!(error.to_string().contains("Handle::enter"), "{error}");
        let inside = executor::spawn(async { Handle::try_current().is_ok() });
        assert!(handle.block_on(inside).unwrap());
        assert!(block_on(executor::spawn(async { Handle::try_current().is_ok() })).unwrap());
    });
}

#[test]
fn inside_a_runtime_there_is_a_current_one() {
    within(60, || {
        crate::support::each_runtime(|runtime| {
            let inside = || Handle::try_current().map(|handle| handle.runtime_flavor());
            let flavor = runtime.handle().runtime_flavor();
            assert_eq!(runtime.block_on(async { inside() }).unwrap(), flavor);
            assert_eq!(
                runtime
                    .block_on(runtime.spawn(async move { inside() }))
                    .unwrap()
                    .unwrap(),
                flavor
            );
            assert_eq!(
                runtime
                    .block_on(runtime.spawn_blocking(inside))
                    .unwrap()
                    .unwrap(),
                flavor
            );
            let entered = runtime.enter();
            assert_eq!(inside().unwrap(), flavor);
            drop(entered);
            assert!(inside().is_err());
        });
    });
}

#[test]
fn it_is_started_by_the_first_use_and_has_few_threads() {
    child(
        "default_runtime::it_is_started_by_the_first_use_and_has_few_threads",
        || {
            let threads = || {
                thread_names()
                    .iter()
                    .filter(|name| name.starts_with("executor-defaul"))
                    .count()
            };
            drop(workers(1));
            let _ = Handle::try_current();
            assert_eq!(threads(), 0);
            drop(executor::spawn(async {}));
            // Two workers at most, and the guard.
            until(|| (2..=3).contains(&threads()));
            for _ in 0..100 {
                block_on(executor::spawn(async {})).unwrap();
            }
            assert!(threads() <= 3);
        },
    );
}

#[test]
fn a_process_ends_though_it_has_tasks() {
    child(
        "default_runtime::a_process_ends_though_it_has_tasks",
        || {
            for _ in 0..100 {
                drop(executor::spawn(async {
                    loop {
                        executor::task::yield_now().await;
                    }
                }));
                drop(executor::spawn(sleep(Duration::from_secs(3600))));
            }
            std::mem::forget(workers(2));
        },
    );
}
