//! What a runtime counts about itself.

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use executor::runtime::{Builder, Runtime, RuntimeFlavor, worker_index};
use executor::spawn;
use executor::task::{self, spawn_blocking, yield_now};
use futures::channel::oneshot;

use crate::support::{
    current_thread, each_runtime, pair_with_std, until, within, workers, workers_without_spares,
};

/// A number of every worker, added up.
fn sum(runtime: &Runtime, of: impl Fn(usize) -> u64) -> u64 {
    (0..runtime.metrics().num_workers()).map(of).sum()
}

#[test]
fn there_are_as_many_workers_as_were_asked_for() {
    assert_eq!(workers(3).metrics().num_workers(), 3);
    assert_eq!(current_thread().handle().metrics().num_workers(), 1);
}

#[test]
fn a_task_is_alive_from_its_spawn_until_its_handle_answers() {
    each_runtime(|runtime| {
        within(30, || {
            let metrics = runtime.metrics();
            assert_eq!(metrics.num_alive_tasks(), 0);
            let (release, wait) = oneshot::channel::<()>();
            let task = runtime.spawn(wait);
            assert_eq!(metrics.num_alive_tasks(), 1);
            runtime.block_on(async {
                for n in 0..100 {
                    // Some wait, some never do; spawned by a task, or not.
                    spawn(async move {
                        if n % 2 == 0 {
                            yield_now().await;
                        }
                    })
                    .await
                    .unwrap();
                    spawn(async { spawn(async {}).await.unwrap() })
                        .await
                        .unwrap();
                    assert_eq!(metrics.num_alive_tasks(), 1, "in round {n}");
                }
                assert_eq!(metrics.spawned_tasks_count(), 1 + 300);
                release.send(()).unwrap();
                task.await.unwrap().unwrap();
            });
            assert_eq!(metrics.num_alive_tasks(), 0);
        });
    });
}

#[test]
fn tasks_that_are_aborted_or_dropped_with_their_runtime_are_alive_no_longer() {
    each_runtime(|runtime| {
        within(30, || {
            let metrics = runtime.metrics();
            let aborted = runtime.spawn(std::future::pending::<()>());
            // It waits when the next one has run: on one worker they run in their order.
            runtime.block_on(async { spawn(sleep_a_little()).await.unwrap() });
            aborted.abort();
            assert!(runtime.block_on(aborted).unwrap_err().is_cancelled());
            assert_eq!(metrics.num_alive_tasks(), 0);
            let idle = runtime.spawn(std::future::pending::<()>());
            runtime.block_on(async { spawn(sleep_a_little()).await.unwrap() });
            let late: Vec<_> = (0..10).map(|_| runtime.spawn(yield_now())).collect();
            drop(runtime);
            assert!(idle.is_finished() && late.iter().all(|task| task.is_finished()));
            assert_eq!(metrics.num_alive_tasks(), 0);
        });
    });
}

async fn sleep_a_little() {
    executor::time::sleep(Duration::from_millis(1)).await;
}

/// A runtime that ends inside a task of another: each counts its own.
#[test]
fn each_runtime_counts_the_tasks_that_it_drops() {
    within(30, || {
        let outer = workers(1);
        let (metrics, inner_metrics) = outer.block_on(async {
            spawn(async {
                let inner = current_thread();
                let metrics = inner.metrics();
                // Nobody ever drives it: they are never polled.
                for _ in 0..5 {
                    drop(inner.spawn(async {}));
                }
                assert_eq!(metrics.num_alive_tasks(), 5);
                drop(inner);
                (executor::runtime::Handle::current().metrics(), metrics)
            })
            .await
            .unwrap()
        });
        assert_eq!(inner_metrics.num_alive_tasks(), 0);
        assert_eq!(metrics.num_alive_tasks(), 0);
        // Had the outer runtime counted them, these would be missing.
        let (release, wait) = oneshot::channel::<()>();
        let task = outer.spawn(wait);
        assert_eq!(metrics.num_alive_tasks(), 1);
        release.send(()).unwrap();
        outer.block_on(task).unwrap().unwrap();
    });
}

/// A destructor, run by the end of one runtime, drives another one.
#[test]
fn a_runtime_that_is_driven_while_another_is_dropped_counts_for_itself() {
    struct Drives(Arc<Runtime>);
    impl Drop for Drives {
        fn drop(&mut self) {
            self.0.block_on(async { spawn(async {}).await.unwrap() });
        }
    }
    within(30, || {
        let driven = Arc::new(current_thread());
        let dropped = current_thread();
        let drives = Drives(driven.clone());
        drop(dropped.spawn(async move { drop(drives) }));
        let metrics = dropped.metrics();
        drop(dropped);
        assert_eq!(metrics.num_alive_tasks(), 0);
        assert_eq!(driven.metrics().spawned_tasks_count(), 1);
        assert_eq!(driven.metrics().num_alive_tasks(), 0);
        let waiting = driven.spawn(std::future::pending::<()>());
        assert_eq!(driven.metrics().num_alive_tasks(), 1);
        drop(waiting);
    });
}

#[test]
fn queues_show_what_waits_in_them() {
    within(30, || {
        let runtime = current_thread();
        let metrics = runtime.metrics();
        for _ in 0..3 {
            drop(runtime.spawn(async {}));
        }
        assert_eq!(metrics.global_queue_depth(), 3);
        assert_eq!(metrics.remote_schedule_count(), 3);
        let metrics2 = metrics.clone();
        runtime.block_on(async {
            spawn(async move {
                for _ in 0..4 {
                    drop(spawn(async {}));
                }
                assert_eq!(metrics2.worker_local_queue_depth(0), 4);
            })
            .await
            .unwrap();
            while metrics.num_alive_tasks() > 0 {
                yield_now().await;
            }
        });
        assert_eq!(metrics.global_queue_depth(), 0);
        // The future given to `block_on` runs on the worker's thread: all but the first three were spawned there.
        assert_eq!(metrics.remote_schedule_count(), 3);
        assert_eq!(metrics.spawned_tasks_count(), 8);
        // Only the spawns: no task was woken, and the future given to `block_on` is none.
        assert_eq!(metrics.worker_local_schedule_count(0), 5);
    });
}

#[test]
fn polls_are_counted() {
    each_runtime(|runtime| {
        within(30, || {
            let metrics = runtime.metrics();
            let before = sum(&runtime, |worker| metrics.worker_poll_count(worker));
            runtime.block_on(async {
                let task = spawn(async {
                    for _ in 0..99 {
                        yield_now().await;
                    }
                });
                task.await.unwrap();
            });
            let polls = sum(&runtime, |worker| metrics.worker_poll_count(worker)) - before;
            assert_eq!(polls, 100);
            let scheduled = sum(&runtime, |worker| {
                metrics.worker_local_schedule_count(worker)
            });
            assert!(scheduled >= 99, "{scheduled}");
        });
    });
}

#[test]
fn a_worker_counts_its_sleeps_and_the_time_in_between() {
    within(60, || {
        let runtime = workers(1);
        let metrics = runtime.metrics();
        let busy = Duration::from_millis(20);
        until(|| metrics.worker_park_unpark_count(0) % 2 == 1);
        let (parks, start) = (
            metrics.worker_park_count(0),
            metrics.worker_total_busy_duration(0),
        );
        let begin = Instant::now();
        runtime.block_on(async {
            let task = spawn(async move {
                let start = Instant::now();
                while start.elapsed() < busy {
                    std::hint::spin_loop();
                }
            });
            task.await.unwrap();
        });
        until(|| {
            metrics.worker_park_count(0) > parks && metrics.worker_park_unpark_count(0) % 2 == 1
        });
        let counted = metrics.worker_total_busy_duration(0) - start;
        assert!(counted >= busy && counted <= begin.elapsed(), "{counted:?}");
    });
}

#[test]
fn on_the_current_thread_flavour_the_time_between_two_calls_is_not_busy() {
    within(30, || {
        let runtime = current_thread();
        let metrics = runtime.metrics();
        let mut inside = Duration::ZERO;
        for _ in 0..3 {
            let start = Instant::now();
            runtime.block_on(yield_now());
            inside += start.elapsed();
            thread::sleep(Duration::from_millis(5));
        }
        assert!(metrics.worker_total_busy_duration(0) <= inside);
        assert!(metrics.worker_total_busy_duration(0) > Duration::ZERO);
    });
}

#[test]
fn a_wake_for_nothing_is_a_noop() {
    within(60, || {
        let runtime = current_thread();
        let metrics = runtime.metrics();
        runtime.block_on(async {
            // One that is over before the worker sleeps wakes nobody.
            while metrics.worker_noop_count(0) < 2 {
                // The future given to `block_on` is polled; no task is.
                sleep_a_little().await;
            }
            // Each wake is known to have been for nothing when the next sleep begins.
            assert_eq!(
                metrics.worker_noop_count(0),
                metrics.worker_park_count(0) - 1
            );
        });
        assert_eq!(metrics.worker_poll_count(0), 0);
    });
}

#[test]
fn steals_are_counted() {
    within(60, || {
        let runtime = workers(2);
        let metrics = runtime.metrics();
        runtime.block_on(async {
            spawn(async {
                // Both run at once, so one of them was stolen: this worker is in this poll until both have begun.
                let barrier = Arc::new(Barrier::new(2));
                let other = barrier.clone();
                let first = spawn(async move { _ = other.wait() });
                let filler = spawn(async {});
                barrier.wait();
                first.await.unwrap();
                filler.await.unwrap();
            })
            .await
            .unwrap();
        });
        let stolen = sum(&runtime, |worker| metrics.worker_steal_count(worker));
        let steals = sum(&runtime, |worker| metrics.worker_steal_operations(worker));
        assert!(steals >= 1 && stolen >= steals, "{steals} {stolen}");
    });
}

#[test]
fn workers_say_which_thread_they_are() {
    within(30, || {
        let runtime = workers(1);
        let seen = runtime
            .block_on(runtime.spawn(async { thread::current().id() }))
            .unwrap();
        assert_eq!(runtime.metrics().worker_thread_id(0), Some(seen));
        let runtime = current_thread();
        assert_eq!(runtime.metrics().worker_thread_id(0), None);
        runtime.block_on(async {});
        assert_eq!(
            runtime.metrics().worker_thread_id(0),
            Some(thread::current().id())
        );
    });
}

#[test]
fn a_thread_knows_which_worker_it_is() {
    within(60, || {
        assert_eq!(worker_index(), None);
        for runtime in [
            workers_without_spares(1),
            workers_without_spares(2),
            current_thread(),
        ] {
            let metrics = runtime.metrics();
            for _ in 0..100 {
                let task = runtime.spawn(async { (worker_index(), thread::current().id()) });
                let (index, thread) = runtime.block_on(task).unwrap();
                assert_eq!(metrics.worker_thread_id(index.unwrap()), Some(thread));
            }
            let in_pool = runtime.spawn_blocking(worker_index);
            assert_eq!(runtime.block_on(in_pool).unwrap(), None);
            let in_block_on = runtime.block_on(async { worker_index() });
            match runtime.handle().runtime_flavor() {
                RuntimeFlavor::CurrentThread => assert_eq!(in_block_on, Some(0)),
                _ => assert_eq!(in_block_on, None),
            }
            assert_eq!(worker_index(), None);
        }
        let runtime = workers(1);
        let task = runtime.spawn(async {
            (
                task::block_in_place(worker_index),
                task::block_in_place(|| current_thread().block_on(async { worker_index() })),
            )
        });
        assert_eq!(runtime.block_on(task).unwrap(), (None, Some(0)));
    });
}

#[test]
fn the_blocking_pool_shows_its_threads_and_its_queue() {
    within(60, || {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .build()
            .unwrap();
        let metrics = runtime.metrics();
        assert_eq!(metrics.num_blocking_threads(), 0);
        let (began, begun) = channel();
        let (release, wait) = channel::<()>();
        let first = runtime.spawn_blocking(move || {
            began.send(()).unwrap();
            wait.recv().unwrap();
        });
        begun.recv().unwrap();
        let second = runtime.spawn_blocking(|| ());
        assert_eq!(metrics.num_blocking_threads(), 1);
        assert_eq!(metrics.num_idle_blocking_threads(), 0);
        assert_eq!(metrics.blocking_queue_depth(), 1);
        // No closure is a task.
        assert_eq!(metrics.num_alive_tasks(), 0);
        release.send(()).unwrap();
        runtime.block_on(async {
            first.await.unwrap();
            second.await.unwrap();
        });
        until(|| metrics.num_idle_blocking_threads() == 1);
        assert_eq!(metrics.blocking_queue_depth(), 0);
        assert_eq!(metrics.spawned_tasks_count(), 0);
    });
}

#[test]
fn sockets_and_their_events_are_counted() {
    within(60, || {
        let runtime = workers(1);
        let metrics = runtime.metrics();
        runtime.block_on(async {
            let before = metrics.io_driver_fd_registered_count();
            let (socket, peer) = pair_with_std().await;
            let registered = metrics.io_driver_fd_registered_count() - before;
            assert!(registered >= 1);
            let events = metrics.io_driver_ready_count();
            let reader = spawn(async move {
                futures::AsyncReadExt::read_exact(&mut { socket }, &mut [0; 4])
                    .await
                    .unwrap();
            });
            std::io::Write::write_all(&mut &peer, b"ping").unwrap();
            reader.await.unwrap();
            until(|| metrics.io_driver_ready_count() > events);
            until(|| {
                metrics.io_driver_fd_deregistered_count() == metrics.io_driver_fd_registered_count()
            });
        });
    });
}

#[test]
fn polls_that_use_up_their_budget_are_counted() {
    each_runtime(|runtime| {
        within(60, || {
            let metrics = runtime.metrics();
            assert_eq!(metrics.budget_forced_yield_count(), 0);
            runtime.block_on(async {
                spawn(async {
                    while executor::task::coop::has_budget_remaining() {
                        executor::task::coop::consume_budget().await;
                    }
                })
                .await
                .unwrap();
            });
            until(|| metrics.budget_forced_yield_count() >= 1);
        });
    });
}

#[test]
fn metrics_outlive_their_runtime() {
    each_runtime(|runtime| {
        let metrics = runtime.metrics();
        runtime.block_on(async { spawn_blocking(|| ()).await.unwrap() });
        drop(runtime);
        assert_eq!(metrics.num_alive_tasks(), 0);
        assert!(format!("{metrics:?}").contains("num_alive_tasks: 0"));
    });
}

#[test]
fn a_worker_that_is_not_there_is_refused() {
    crate::panics::quiet();
    let runtime = workers(2);
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.metrics().worker_poll_count(2)
    }))
    .unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.contains("from 0 to 1"), "{text}");
}
