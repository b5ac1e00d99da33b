//! Several runtimes in one process: tasks of one await those of another, and nothing ends up in the wrong place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use executor::runtime::{Builder, Handle, Runtime};
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};

use crate::support::{block_on, current_thread, within, workers};

fn named(name: &str) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(name)
        .build()
        .unwrap()
}

/// The name of the thread that a task spawned here and now runs on.
async fn where_spawned() -> String {
    executor::spawn(async { thread::current().name().unwrap_or("none").to_owned() })
        .await
        .unwrap()
}

#[test]
fn two_runtimes_wake_each_other_a_hundred_thousand_times() {
    within(60, || {
        for (a, b) in [(workers(1), workers(1)), (workers(2), workers(2))] {
            let (mut to_b, mut from_a) = mpsc::channel::<u32>(1);
            let (mut to_a, mut from_b) = mpsc::channel::<u32>(1);
            let echo = b.spawn(async move {
                while let Some(n) = from_a.next().await {
                    to_a.send(n).await.unwrap();
                }
            });
            let count = a.spawn(async move {
                for n in 0..50_000 {
                    to_b.send(n).await.unwrap();
                    assert_eq!(from_b.next().await, Some(n));
                }
            });
            block_on(count).unwrap();
            block_on(echo).unwrap();
        }
    });
}

#[test]
fn a_worker_and_a_current_thread_wake_each_other() {
    within(60, || {
        let (a, b) = (current_thread(), workers(1));
        let (mut to_b, mut from_a) = mpsc::channel::<u32>(1);
        let (mut to_a, mut from_b) = mpsc::channel::<u32>(1);
        let echo = b.spawn(async move {
            while let Some(n) = from_a.next().await {
                to_a.send(n).await.unwrap();
            }
        });
        a.block_on(a.spawn(async move {
            for n in 0..20_000 {
                to_b.send(n).await.unwrap();
                assert_eq!(from_b.next().await, Some(n));
            }
        }))
        .unwrap();
        block_on(echo).unwrap();
    });
}

#[test]
fn a_task_spawns_in_its_own_runtime_whoever_awaits_it() {
    within(60, || {
        let (a, b) = (named("place-a"), named("place-b"));
        let b_handle = b.handle().clone();
        let places = a.spawn(async move {
            let before = where_spawned().await;
            let there = b_handle.spawn(where_spawned()).await.unwrap();
            (before, there, where_spawned().await)
        });
        let (before, there, after) = b.block_on(places).unwrap();
        assert_eq!(
            (before.as_str(), there.as_str(), after.as_str()),
            ("place-a", "place-b", "place-a")
        );
        assert_eq!(b.block_on(where_spawned()), "place-b");
        assert!(Handle::try_current().is_err());
    });
}

#[test]
fn entered_runtimes_nest() {
    within(60, || {
        let (a, b) = (named("place-a"), named("place-b"));
        let place = || block_on(where_spawned());
        {
            let _a = a.enter();
            assert_eq!(place(), "place-a");
            {
                let _b = b.enter();
                assert_eq!(place(), "place-b");
                {
                    let _a = a.handle().enter();
                    assert_eq!(place(), "place-a");
                    assert_eq!(b.block_on(async { where_spawned().await }), "place-b");
                    assert_eq!(place(), "place-a");
                }
                assert_eq!(place(), "place-b");
            }
            assert_eq!(place(), "place-a");
        }
        assert!(Handle::try_current().is_err());
    });
}

#[test]
fn a_panic_leaves_the_entered_runtime_behind() {
    let runtime = named("place-a");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _entered = runtime.enter();
        std::panic::resume_unwind(Box::new("unwound"));
    }));
    assert!(panicked.is_err());
    assert!(Handle::try_current().is_err());
}

#[test]
fn guards_left_out_of_order_are_refused_and_leave_no_dangling_context() {
    let (a, b) = (named("place-a"), named("place-b"));
    let (first, second) = (a.enter(), b.enter());
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(first)));
    let text = *refused.unwrap_err().downcast::<&str>().unwrap();
    assert!(text.contains("drop the latest first"), "{text}");
    assert_eq!(block_on(where_spawned()), "place-b");
    drop(second);
}

#[test]
fn blocking_closures_are_in_the_runtime_that_runs_them() {
    within(60, || {
        let (a, b) = (named("place-a"), named("place-b"));
        let place = |runtime: &Runtime| {
            block_on(runtime.spawn_blocking(|| block_on(where_spawned()))).unwrap()
        };
        assert_eq!(
            (place(&a).as_str(), place(&b).as_str()),
            ("place-a", "place-b")
        );
    });
}

#[test]
fn many_runtimes_side_by_side() {
    within(60, || {
        let runtimes: Vec<_> = (0..20).map(|_| workers(1)).collect();
        let count = Arc::new(AtomicUsize::new(0));
        for (n, runtime) in runtimes.iter().enumerate() {
            let (next, count) = (runtimes[(n + 1) % 20].handle().clone(), count.clone());
            block_on(runtime.spawn(async move {
                next.spawn(async move { count.fetch_add(1, SeqCst) })
                    .await
                    .unwrap();
            }))
            .unwrap();
        }
        assert_eq!(count.load(SeqCst), 20);
    });
}
