//! `Runtime::shutdown` says what it has dropped, and names what it did not wait for.

use std::future::pending;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use executor::net::lookup_host;
use executor::runtime::{Builder, LocalRuntime, ShutdownReport, StragglerKind};
use executor::task::{self, FutureExt, shield, spawn_local, yield_now};
use executor::time::sleep;

use crate::support::{
    Drops, block_on, current_thread, each_runtime, in_time, until, within, workers,
};

const SHORT: Duration = Duration::from_millis(50);

/// A closure that says when it has begun, and blocks until the sender is dropped.
fn stuck() -> (Sender<()>, Receiver<()>, impl FnOnce() + Send + 'static) {
    let (release, wait) = channel::<()>();
    let (started, start) = channel();
    let closure = move || {
        started.send(()).unwrap();
        let _ = wait.recv();
    };
    (release, start, closure)
}

/// Calls `end`, which ends a runtime of which so many threads are stuck, until the others have ended within the grace. Returns that.
fn with_others_ended<R>(
    stuck: usize,
    mut end: impl FnMut(Duration) -> (ShutdownReport, R),
) -> (Duration, ShutdownReport, R) {
    let mut ended = None;
    in_time(|grace| {
        let (report, rest) = end(grace);
        let others_ended = report.threads_left() <= stuck;
        ended = Some((grace, report, rest));
        others_ended
    });
    ended.unwrap()
}

#[test]
fn a_runtime_that_leaves_nothing_says_how_much_it_dropped() {
    within(60, || {
        each_runtime(|runtime| {
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
            let done = runtime.spawn(async {});
            runtime.block_on(done).unwrap();
            let report = runtime.shutdown(Duration::from_secs(30));
            assert!(report.is_complete(), "{report}");
            assert_eq!(
                (report.tasks_dropped(), report.closures_dropped()),
                (100, 0)
            );
            assert_eq!((report.threads_left(), report.stragglers().len()), (0, 0));
            assert_eq!(drops.count(), 100);
            assert_eq!(
                report.to_string(),
                "the runtime has ended: 100 tasks and 0 closures were dropped; nothing is left"
            );
            for task in tasks {
                assert!(block_on(task).unwrap_err().is_cancelled());
            }
        });
    });
}

#[test]
fn a_closure_that_is_stuck_is_named_and_those_behind_it_are_dropped() {
    within(60, || {
        for mut builder in [Builder::new_multi_thread(), Builder::new_current_thread()] {
            let end = |grace| {
                let runtime = builder
                    .worker_threads(1)
                    .max_blocking_threads(1)
                    .build()
                    .unwrap();
                let (release, start, closure) = stuck();
                let job = task::Builder::new()
                    .name("backup")
                    .spawn_blocking_on(closure, runtime.handle());
                let job = job.unwrap();
                start.recv().unwrap();
                let queued: Vec<_> = (0..10).map(|_| runtime.spawn_blocking(|| ())).collect();
                (runtime.shutdown(grace), (release, job, queued))
            };
            let (grace, report, (release, job, queued)) = with_others_ended(1, end);
            assert!(!report.is_complete());
            assert_eq!((report.closures_dropped(), report.threads_left()), (10, 1));
            assert!(report.took() >= grace);
            let [straggler] = report.stragglers() else {
                panic!("{report}");
            };
            assert_eq!(straggler.kind(), StragglerKind::BlockingClosure);
            assert_eq!(straggler.task_id(), job.id());
            assert_eq!(straggler.name(), Some("backup"));
            assert_eq!(straggler.spawned_at().file(), file!());
            assert!(straggler.running_for() >= grace);
            let text = report.to_string();
            assert!(text.contains("1 thread is left after"), "{text}");
            assert!(
                text.contains(&format!(
                    "\n  the closure of task {} \"backup\", spawned at ",
                    job.id()
                )),
                "{text}"
            );
            for job in queued {
                assert!(block_on(job).unwrap_err().is_cancelled());
            }
            drop(release);
            block_on(job).unwrap();
        }
    });
}

#[test]
fn a_poll_that_does_not_end_is_named() {
    within(60, || {
        for count in [1, 2] {
            let end = |grace| {
                let runtime = workers(2);
                let stuck: Vec<_> = (0..count)
                    .map(|n| {
                        let (release, start, closure) = stuck();
                        let task = task::Builder::new()
                            .name(&format!("spinner {n}"))
                            .spawn_on(async move { closure() }, runtime.handle());
                        start.recv().unwrap();
                        (release, task.unwrap())
                    })
                    .collect();
                // One that waits is no straggler.
                drop(runtime.spawn(pending::<()>()));
                (runtime.shutdown(grace), stuck)
            };
            let (grace, report, stuck) = with_others_ended(count, end);
            assert_eq!(
                (report.threads_left(), report.stragglers().len()),
                (count, count),
                "{report}"
            );
            assert_eq!(report.tasks_dropped(), 1);
            for (release, task) in stuck {
                let straggler = report
                    .stragglers()
                    .iter()
                    .find(|s| s.task_id() == task.id());
                let straggler = straggler.unwrap();
                assert_eq!(straggler.kind(), StragglerKind::Poll);
                assert!(straggler.name().unwrap().starts_with("spinner"));
                assert_eq!(straggler.spawned_at().file(), file!());
                assert!(straggler.running_for() >= grace);
                assert!(report.to_string().contains(&straggler.to_string()));
                drop(release);
                block_on(task).unwrap();
            }
        }
    });
}

/// The runtime still runs while its tasks are asked to end: polls may begin.
#[test]
fn a_poll_that_begins_during_the_shutdown_has_not_run_since_its_beginning() {
    within(60, || {
        in_time(|grace| {
            let runtime = workers(1);
            let (release, start, closure) = stuck();
            let (waits, waiting) = channel();
            let (told, begun) = channel();
            let task = runtime.spawn(async move {
                waits.send(()).unwrap();
                pending::<()>().or_cancelled().await.unwrap_err();
                let clean_up = async {
                    sleep(grace / 5).await;
                    told.send(Instant::now()).unwrap();
                    closure();
                };
                let _ = shield(Duration::from_secs(60), clean_up).await;
            });
            waiting.recv().unwrap();
            let report = runtime.shutdown(grace);
            if start.recv().is_err() {
                // It was aborted before, after half of the grace.
                return false;
            }
            let straggler = &report.stragglers()[0];
            assert_eq!(straggler.task_id(), task.id());
            assert!(straggler.running_for() <= begun.recv().unwrap().elapsed());
            drop(release);
            true
        });
    });
}

#[test]
fn what_ends_in_time_is_no_straggler() {
    within(60, || {
        each_runtime(|runtime| {
            let (release, start, closure) = stuck();
            let job = runtime.spawn_blocking(closure);
            start.recv().unwrap();
            let releaser = thread::spawn(move || {
                thread::sleep(SHORT);
                drop(release);
            });
            let report = runtime.shutdown(Duration::from_secs(30));
            assert!(report.is_complete(), "{report}");
            block_on(job).unwrap();
            releaser.join().unwrap();
        });
    });
}

#[test]
fn a_lookup_that_hangs_is_counted_and_those_behind_it_are_dropped() {
    within(60, || {
        let (release, wait) = channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(1)
            .on_thread_start(move || _ = wait.lock().unwrap().recv())
            .build()
            .unwrap();
        let lookups: Vec<_> = (0..3)
            .map(|_| runtime.spawn(async { lookup_host("localhost:80").await.map(drop) }))
            .collect();
        let metrics = runtime.metrics();
        runtime.block_on(async {
            while metrics.blocking_queue_depth() < 3 {
                yield_now().await;
            }
        });
        let report = runtime.shutdown(SHORT);
        assert_eq!(
            (report.tasks_dropped(), report.closures_dropped()),
            (3, 3),
            "{report}"
        );
        // Its thread has not come so far as to begin one.
        assert_eq!(
            (report.threads_left(), report.stragglers().len()),
            (1, 0),
            "{report}"
        );
        drop(release);
        for lookup in lookups {
            assert!(block_on(lookup).unwrap_err().is_cancelled());
        }
    });
}

#[test]
fn inside_a_task_nothing_is_waited_for_and_the_caller_is_named() {
    within(60, || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        let task = handle.spawn(async move { runtime.shutdown(Duration::from_secs(1000)) });
        let id = task.id();
        let report = block_on(task).unwrap();
        assert!(!report.is_complete());
        assert_eq!(report.stragglers()[0].task_id(), id);

        let runtime = workers(1);
        let handle = runtime.handle().clone();
        let job = handle.spawn_blocking(move || runtime.shutdown(Duration::from_secs(1000)));
        let id = job.id();
        let report = block_on(job).unwrap();
        assert!(
            report
                .stragglers()
                .iter()
                .any(|straggler| straggler.task_id() == id),
            "{report}"
        );
    });
}

#[test]
fn a_task_that_another_thread_drives_is_named() {
    within(60, || {
        let runtime = current_thread();
        let handle = runtime.handle().clone();
        let (release, start, closure) = stuck();
        let task = runtime.spawn(async move { closure() });
        let driver = thread::spawn(move || {
            handle.block_on(async {
                while !task.is_finished() {
                    yield_now().await
                }
            })
        });
        start.recv().unwrap();
        let report = runtime.shutdown(SHORT);
        assert_eq!(
            (report.threads_left(), report.stragglers().len()),
            (0, 1),
            "{report}"
        );
        assert_eq!(report.stragglers()[0].kind(), StragglerKind::Poll);
        assert!(!report.is_complete());
        drop(release);
        driver.join().unwrap();
    });
}

#[test]
fn a_local_runtime_counts_its_local_tasks() {
    within(60, || {
        let end = |grace| {
            let runtime = LocalRuntime::new().unwrap();
            runtime.block_on(async {
                (0..3).for_each(|_| drop(spawn_local(pending::<()>())));
                (0..4).for_each(|_| drop(executor::spawn(pending::<()>())));
                yield_now().await;
            });
            let (release, start, closure) = stuck();
            let job = runtime.spawn_blocking(closure);
            start.recv().unwrap();
            (runtime.shutdown(grace), (release, job))
        };
        let (_, report, (release, job)) = with_others_ended(1, end);
        assert_eq!(
            (report.tasks_dropped(), report.threads_left()),
            (7, 1),
            "{report}"
        );
        assert_eq!(report.stragglers()[0].task_id(), job.id());
        drop(release);
    });
}

#[test]
fn a_report_can_be_printed_and_kept() {
    within(60, || {
        let runtime = workers(1);
        until(|| runtime.metrics().num_workers() == 1);
        let report = runtime.shutdown(Duration::MAX);
        assert!(report.clone().is_complete());
        assert!(format!("{report:?}").contains("ShutdownReport"));
    });
}
