//! `Runtime::shutdown` asks tasks to end before it aborts them, and waits for finalizers.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use executor::runtime::LocalRuntime;
use executor::sync::{Notify, oneshot};
use executor::task::{self, FutureExt, checkpoint, finalizer, shield, yield_now};
use executor::time::{Duration, sleep};

use crate::support::{Drops, current_thread, each_runtime, in_time, until, within, workers};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(100);

/// Clean-up that takes a few polls and a timer.
async fn clean_up(done: Arc<AtomicUsize>) {
    yield_now().await;
    sleep(Duration::from_millis(2)).await;
    done.fetch_add(1, SeqCst);
}

#[test]
fn tasks_are_asked_to_end_and_their_clean_up_is_awaited() {
    each_runtime(|runtime| {
        within(60, || {
            let done = Arc::new(AtomicUsize::new(0));
            for _ in 0..10 {
                let (done, (send, wait)) = (done.clone(), oneshot::channel());
                runtime.spawn(async move {
                    send.send(()).unwrap();
                    let request = pending::<()>().or_cancelled().await.unwrap_err();
                    assert_eq!(request.reason(), "the runtime shuts down");
                    shield(LONG, clean_up(done)).await.unwrap();
                });
                runtime.block_on(wait).unwrap();
            }
            let report = runtime.shutdown(LONG);
            assert!(report.is_complete(), "{report}");
            assert_eq!((report.tasks_dropped(), report.tasks_aborted()), (10, 0));
            assert_eq!(done.load(SeqCst), 10);
        });
    });
}

#[test]
fn a_task_that_goes_on_is_aborted_and_its_finalizer_runs() {
    within(60, || {
        // A quarter of the grace is the time that the finalizer has.
        in_time(|grace| {
            let mut in_time = true;
            each_runtime(|runtime| {
                let done = Arc::new(AtomicUsize::new(0));
                let (finalized, (send, wait)) = (done.clone(), oneshot::channel());
                runtime.spawn(async move {
                    let _finalizer = finalizer(LONG, clean_up(finalized));
                    send.send(()).unwrap();
                    let _ = shield(LONG, pending::<()>()).await;
                });
                runtime.block_on(wait).unwrap();
                let report = runtime.shutdown(grace);
                assert_eq!(report.tasks_aborted(), 1);
                in_time &= report.is_complete() && done.load(SeqCst) == 1;
            });
            in_time
        });
    });
}

/// The finalizers of those that are aborted first begin, and wait, while the others are still being aborted.
#[test]
fn a_finalizer_is_not_aborted_with_the_tasks_that_are() {
    each_runtime(|runtime| {
        within(60, || {
            let (done, began) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            for _ in 0..5000 {
                let (finalized, began) = (done.clone(), began.clone());
                runtime.spawn(async move {
                    let _finalizer = finalizer(LONG, clean_up(finalized));
                    began.fetch_add(1, SeqCst);
                    let _ = shield(LONG, pending::<()>()).await;
                });
            }
            runtime.block_on(async {
                while began.load(SeqCst) < 5000 {
                    yield_now().await;
                }
            });
            // A quarter of it is the time that the finalizers have.
            let report = runtime.shutdown(LONG / 4);
            assert!(report.is_complete(), "{report}");
            assert_eq!((report.tasks_aborted(), done.load(SeqCst)), (5000, 5000));
        });
    });
}

#[test]
fn tasks_that_come_while_the_others_are_asked_are_asked_as_well() {
    each_runtime(|runtime| {
        within(60, || {
            let asked = Arc::new(AtomicBool::new(false));
            let (asks, (send, wait)) = (asked.clone(), oneshot::channel());
            runtime.spawn(async move {
                send.send(()).unwrap();
                let _ = pending::<()>().or_cancelled().await;
                let late = executor::spawn(async { pending::<()>().or_cancelled().await.is_err() });
                let late = shield(LONG, late).await.unwrap();
                asks.store(late.unwrap(), SeqCst);
            });
            runtime.block_on(wait).unwrap();
            let report = runtime.shutdown(LONG);
            assert_eq!(report.tasks_aborted(), 0, "{report}");
            assert!(asked.load(SeqCst));
        });
    });
}

#[test]
fn a_task_that_waits_for_nothing_but_its_turn_is_asked_and_aborted_as_well() {
    each_runtime(|runtime| {
        within(60, || {
            let cleaned = Arc::new(AtomicUsize::new(0));
            let heard = cleaned.clone();
            drop(runtime.spawn(async {
                loop {
                    yield_now().await;
                }
            }));
            drop(runtime.spawn(async move {
                while checkpoint().await.is_ok() {}
                shield(LONG, clean_up(heard)).await.unwrap();
            }));
            let report = runtime.shutdown(LONG);
            assert!(report.is_complete(), "{report}");
            assert_eq!((report.tasks_dropped(), report.tasks_aborted()), (2, 0));
            assert_eq!(cleaned.load(SeqCst), 1);
        });
    });
    within(60, || {
        // All of the grace but what finalizers need passes.
        in_time(|grace| {
            let mut in_time = true;
            each_runtime(|runtime| {
                let done = Arc::new(AtomicUsize::new(0));
                let finalized = done.clone();
                drop(runtime.spawn(async move {
                    let _finalizer = finalizer(LONG, clean_up(finalized));
                    loop {
                        shield(LONG, yield_now()).await.unwrap();
                    }
                }));
                let report = runtime.shutdown(grace);
                in_time &= report.tasks_aborted() == 1 && done.load(SeqCst) == 1;
            });
            in_time
        });
    });
}

#[test]
fn local_tasks_are_asked_as_well() {
    within(60, || {
        let runtime = LocalRuntime::new().unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        let (cleans, more) = (done.clone(), done.clone());
        runtime.block_on(async move {
            task::spawn_local(async move {
                let _ = pending::<()>().or_cancelled().await;
                shield(LONG, clean_up(cleans)).await.unwrap();
            });
            let cleans = more;
            task::spawn_local(async move {
                while checkpoint().await.is_ok() {}
                shield(LONG, clean_up(cleans)).await.unwrap();
            });
            yield_now().await;
        });
        let report = runtime.shutdown(LONG);
        assert!(report.is_complete(), "{report}");
        assert_eq!(done.load(SeqCst), 2);
    });
}

#[test]
fn a_finalizer_runs_when_its_task_is_aborted_panics_or_returns_early() {
    each_runtime(|runtime| {
        within(60, || {
            let done = Arc::new(AtomicUsize::new(0));
            runtime.block_on(async {
                let (cleans, (send, wait)) = (done.clone(), oneshot::channel());
                let aborted = executor::spawn(async move {
                    let _finalizer = finalizer(LONG, clean_up(cleans));
                    send.send(()).unwrap();
                    pending::<()>().await;
                });
                wait.await.unwrap();
                aborted.abort();
                assert!(aborted.await.unwrap_err().is_cancelled());

                let cleans = done.clone();
                let panics = executor::spawn(async move {
                    let _finalizer = finalizer(LONG, clean_up(cleans));
                    yield_now().await;
                    panic!("on purpose");
                });
                assert!(panics.await.unwrap_err().is_panic());

                let cleans = done.clone();
                drop(finalizer(LONG, clean_up(cleans)));
                while done.load(SeqCst) < 3 {
                    sleep(Duration::from_millis(1)).await;
                }
            });
        });
    });
}

#[test]
fn a_finalizer_in_place_is_awaited_and_a_disarmed_one_never_runs() {
    each_runtime(|runtime| {
        within(60, || {
            let (done, drops) = (Arc::new(AtomicUsize::new(0)), Drops::default());
            runtime.block_on(async {
                finalizer(LONG, clean_up(done.clone())).run().await;
                assert_eq!(done.load(SeqCst), 1);
                let value = drops.value();
                finalizer(LONG, async move {
                    let _value = value;
                    unreachable!("disarmed");
                })
                .disarm();
                assert_eq!(drops.count(), 1);
            });
        });
    });
}

#[test]
fn a_finalizer_that_is_dropped_midway_goes_on() {
    within(60, || {
        let runtime = workers(2);
        let steps = Arc::new(AtomicUsize::new(0));
        let (counts, (go, wait)) = (steps.clone(), oneshot::channel());
        let task = runtime.spawn(async move {
            let two_steps = async move {
                counts.fetch_add(1, SeqCst);
                let _ = wait.await;
                counts.fetch_add(1, SeqCst);
            };
            finalizer(LONG, two_steps).run().await;
        });
        until(|| steps.load(SeqCst) == 1);
        task.abort();
        assert!(runtime.block_on(task).unwrap_err().is_cancelled());
        go.send(()).unwrap();
        until(|| steps.load(SeqCst) == 2);
    });
}

#[test]
fn a_finalizer_ends_by_its_limit() {
    each_runtime(|runtime| {
        within(60, || {
            let drops = Drops::default();
            let value = drops.value();
            runtime.block_on(async {
                drop(finalizer(Duration::from_millis(5), async move {
                    let _value = value;
                    pending::<()>().await;
                }));
                while drops.count() == 0 {
                    sleep(Duration::from_millis(1)).await;
                }
            });
        });
    });
}

#[test]
fn a_finalizer_of_a_runtime_that_has_ended_is_dropped() {
    let drops = Drops::default();
    let (runtime, value) = (workers(1), drops.value());
    let left = runtime.block_on(async {
        finalizer(LONG, async move {
            let _value = value;
            pending::<()>().await;
        })
    });
    drop(runtime);
    drop(left);
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_hundred_thousand_finalizers_that_run_at_once_end_without_looking_at_each_other() {
    each_runtime(|runtime| {
        within(30, || {
            let done = Arc::new(AtomicUsize::new(0));
            let (go, hold) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
            runtime.block_on(async {
                for _ in 0..100_000 {
                    let (done, go, hold) = (done.clone(), go.clone(), hold.clone());
                    drop(finalizer(LONG, async move {
                        let gone = go.notified();
                        hold.fetch_add(1, SeqCst);
                        gone.await;
                        done.fetch_add(1, SeqCst);
                    }));
                }
                while hold.load(SeqCst) < 100_000 {
                    yield_now().await;
                }
                // Those that hold have made their future, but may not wait yet.
                while done.load(SeqCst) < 100_000 {
                    go.notify_waiters();
                    yield_now().await;
                }
            });
            let report = runtime.shutdown(LONG);
            assert!(report.is_complete(), "{report}");
        });
    });
}

#[test]
fn a_thread_that_takes_over_driving_and_gets_stuck_holds_shutdown_no_longer_than_the_grace() {
    within(10, || {
        let runtime = current_thread();
        let (asked, is_asked) = std::sync::mpsc::channel();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let ((send, wait), handle) = (oneshot::channel(), runtime.handle().clone());
        runtime.spawn(async move {
            send.send(()).unwrap();
            let _ = pending::<()>().or_cancelled().await;
            asked.send(()).unwrap();
            let _ = shield(LONG, pending::<()>()).await;
        });
        runtime.block_on(wait).unwrap();
        let driver = std::thread::spawn(move || {
            // The shutdown drives, and has more to wait for: this thread comes between its rounds.
            is_asked.recv().unwrap();
            while !handle.block_on(async { task::try_id().is_none() }) {}
            handle.block_on(async { held.recv() }).unwrap_err();
        });
        let report = runtime.shutdown(3 * SHORT);
        assert_eq!(report.tasks_dropped(), 1);
        drop(release);
        driver.join().unwrap();
    });
}
