//! `cancel`: a task is asked to end, and ends where it waits, or hears of it where it waits in a region.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use executor::sync::{Notify, oneshot};
use executor::task::{self, Cancelled, FutureExt, JoinHandle, JoinSet, yield_now};
use executor::time::{Duration, sleep};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::support::{Drops, each_runtime, within, workers};

/// Spawns what `make` makes of a sender, and waits until it has sent.
async fn started<F>(make: impl FnOnce(oneshot::Sender<()>) -> F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (send, wait) = oneshot::channel();
    let task = executor::spawn(make(send));
    wait.await.unwrap();
    task
}

#[test]
fn a_task_that_nothing_hears_in_is_dropped_where_it_waits() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let drops = Drops::default();
                let value = drops.value();
                let task = started(|send| async move {
                    let _value = value;
                    send.send(()).unwrap();
                    pending::<()>().await;
                })
                .await;
                task.cancel("enough");
                let error = task.await.unwrap_err();
                assert!(error.is_cancelled() && !error.is_panic());
                assert_eq!(error.cancelled().unwrap().reason(), "enough");
                assert_eq!(
                    drops.count(),
                    1,
                    "the handle answers when the future is gone"
                );
            });
        });
    });
}

#[test]
fn the_error_says_who_asked_for_it_where_and_why() {
    workers(2).block_on(async {
        let task = executor::spawn(pending::<()>());
        let abort = task.abort_handle();
        let line = line!() + 1;
        let asking = executor::spawn(async move { abort.cancel(format!("reason {}", 7)) });
        let by = asking.id();
        asking.await.unwrap();
        let error = task.await.unwrap_err();
        let cancelled = error.cancelled().unwrap();
        assert_eq!(cancelled.reason(), "reason 7");
        assert_eq!(cancelled.by(), Some(by));
        assert_eq!(
            (cancelled.at().file(), cancelled.at().line()),
            (file!(), line)
        );
        assert!(
            error.to_string().ends_with("was cancelled: reason 7"),
            "{error}"
        );

        let task = executor::spawn(pending::<()>());
        task.cancel("outside of tasks");
        assert_eq!(task.await.unwrap_err().cancelled().unwrap().by(), None);
    });
}

#[test]
fn the_first_of_two_requests_counts() {
    each_runtime(|runtime| {
        runtime.block_on(async {
            let task = executor::spawn(pending::<()>());
            task.cancel("first");
            task.cancel("second");
            assert_eq!(
                task.await.unwrap_err().cancelled().unwrap().reason(),
                "first"
            );
        });
    });
}

#[test]
fn an_aborted_task_has_no_request_and_a_request_before_the_abort_is_told() {
    each_runtime(|runtime| {
        runtime.block_on(async {
            let task = executor::spawn(pending::<()>());
            task.abort();
            let error = task.await.unwrap_err();
            assert!(error.is_cancelled() && error.cancelled().is_none());

            // It does not end by the request, and is aborted then.
            let (heard, wait) = oneshot::channel();
            let task = executor::spawn(task::shield(Duration::from_secs(3600), async move {
                let _ = heard.send(());
                pending::<()>().await;
            }));
            wait.await.unwrap();
            task.cancel("please");
            yield_now().await;
            assert!(!task.is_finished());
            task.abort();
            assert_eq!(
                task.await.unwrap_err().cancelled().unwrap().reason(),
                "please"
            );
        });
    });
}

#[test]
fn a_region_that_waits_gets_the_error_and_the_task_completes_with_what_it_makes_of_it() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let task = started(|send| async move {
                    send.send(()).unwrap();
                    let result = pending::<()>().or_cancelled().await;
                    result.unwrap_err().reason().to_owned()
                })
                .await;
                task.cancel("enough");
                // asyncio's swallowed CancelledError: the task has completed.
                assert_eq!(task.await.unwrap(), "enough");
            });
        });
    });
}

#[test]
fn the_request_stays_and_every_later_region_fails_at_its_first_poll() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let polls = Arc::new(AtomicUsize::new(0));
                let polled = polls.clone();
                let task = started(|send| async move {
                    send.send(()).unwrap();
                    let mut errors = 0;
                    for _ in 0..3 {
                        let operation = async {
                            polled.fetch_add(1, SeqCst);
                            pending::<()>().await;
                        };
                        errors += usize::from(operation.or_cancelled().await.is_err());
                    }
                    errors
                })
                .await;
                while polls.load(SeqCst) == 0 {
                    yield_now().await;
                }
                task.cancel("enough");
                assert_eq!(task.await.unwrap(), 3);
                assert_eq!(polls.load(SeqCst), 1, "later operations do not begin");
            });
        });
    });
}

#[test]
fn a_request_in_the_first_step_drops_the_task_there_though_it_wraps_the_second() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let second = Arc::new(AtomicBool::new(false));
                let reached = second.clone();
                let task = started(|send| async move {
                    send.send(()).unwrap();
                    pending::<()>().await;
                    let _ = async { reached.store(true, SeqCst) }.or_cancelled().await;
                })
                .await;
                task.cancel("enough");
                assert!(task.await.unwrap_err().cancelled().is_some());
                assert!(!second.load(SeqCst));
            });
        });
    });
}

#[test]
fn a_first_step_that_is_ready_together_with_the_request_leads_to_the_second_which_fails() {
    // One thread: nothing runs between the two wakes.
    crate::support::current_thread().block_on(async {
        let (go, wait) = oneshot::channel();
        let task = started(|send| async move {
            send.send(()).unwrap();
            let first = wait.await;
            (first, pending::<()>().or_cancelled().await.is_err())
        })
        .await;
        go.send(7).unwrap();
        task.cancel("enough");
        assert_eq!(task.await.unwrap(), (Ok(7), true));
    });
}

#[test]
fn a_future_that_is_ready_wins_over_the_request() {
    crate::support::current_thread().block_on(async {
        let (go, wait) = oneshot::channel();
        let task = started(|send| async move {
            send.send(()).unwrap();
            wait.or_cancelled().await
        })
        .await;
        task.cancel("enough");
        go.send(7).unwrap();
        assert_eq!(task.await.unwrap().unwrap(), Ok(7));
    });
}

#[test]
fn after_the_error_a_wait_that_nothing_hears_in_is_the_tasks_end() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let caught = Arc::new(AtomicBool::new(false));
                let catches = caught.clone();
                let task = started(|send| async move {
                    send.send(()).unwrap();
                    let _ = pending::<()>().or_cancelled().await;
                    catches.store(true, SeqCst);
                    sleep(Duration::from_secs(3600)).await;
                })
                .await;
                task.cancel("enough");
                assert!(task.await.unwrap_err().cancelled().is_some());
                assert!(caught.load(SeqCst));
            });
        });
    });
}

#[test]
fn every_region_that_waits_is_told() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let task = started(|send| async move {
                    send.send(()).unwrap();
                    let regions = (0..100)
                        .map(|n| async move { (n, pending::<()>().or_cancelled().await.is_err()) });
                    // These have wakers of their own.
                    let mut regions: FuturesUnordered<_> = regions.collect();
                    let mut told = Vec::new();
                    while let Some((n, is_told)) = regions.next().await {
                        assert!(is_told);
                        told.push(n);
                    }
                    told.sort();
                    told
                })
                .await;
                task.cancel("enough");
                assert_eq!(task.await.unwrap(), (0..100).collect::<Vec<_>>());
            });
        });
    });
}

#[test]
fn the_inner_of_two_regions_gets_the_error_and_the_outer_its_output() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let task = started(|send| async move {
                    let inner = async {
                        send.send(()).unwrap();
                        let error = pending::<()>().or_cancelled().await.unwrap_err();
                        // Clean-up that waits, in the inner region's place.
                        task::shield(Duration::from_secs(60), sleep(Duration::from_millis(1)))
                            .await
                            .unwrap();
                        error
                    };
                    inner.or_cancelled().await
                })
                .await;
                task.cancel("enough");
                let inner: Result<Cancelled, Cancelled> = task.await.unwrap();
                assert_eq!(inner.unwrap().reason(), "enough");
            });
        });
    });
}

#[test]
fn an_outer_region_drops_what_waits_unheard_beside_an_inner_one() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let task = started(|send| async move {
                    let both = async {
                        let told = async { pending::<()>().or_cancelled().await.is_err() };
                        let unheard = async {
                            send.send(()).unwrap();
                            pending::<()>().await;
                        };
                        executor::join!(told, unheard)
                    };
                    both.or_cancelled().await.is_err()
                })
                .await;
                task.cancel("enough");
                assert!(task.await.unwrap());
            });
        });
    });
}

#[test]
fn a_region_that_no_poll_reaches_for_now_keeps_the_task_until_one_does() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (aside, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
                let (is_aside, going) = (aside.clone(), go_on.clone());
                let task = executor::spawn(async move {
                    let mut region = std::pin::pin!(pending::<()>().or_cancelled());
                    assert!(futures::poll!(&mut region).is_pending());
                    is_aside.notify_one();
                    going.notified().await;
                    region.await.is_err()
                });
                aside.notified().await;
                task.cancel("enough");
                for _ in 0..10 {
                    yield_now().await;
                }
                assert!(!task.is_finished());
                go_on.notify_one();
                assert!(task.await.unwrap());
            });
        });
    });
}

#[test]
fn a_task_that_was_never_polled_is_begun_and_fails_at_its_first_region() {
    crate::support::current_thread().block_on(async {
        let task = executor::spawn(async { pending::<()>().or_cancelled().await.is_err() });
        task.cancel("at once");
        assert!(task.await.unwrap());
        let task = executor::spawn(async { 7 });
        task.cancel("at once");
        assert_eq!(task.await.unwrap(), 7, "it never waits");
    });
}

#[test]
fn a_task_may_cancel_itself() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (send, handle) = oneshot::channel::<task::AbortHandle>();
                let task = executor::spawn(async move {
                    handle.await.unwrap().cancel("myself");
                    let now = task::check_cancelled().is_err();
                    (now, yield_now().or_cancelled().await.is_err())
                });
                assert!(send.send(task.abort_handle()).is_ok());
                assert_eq!(task.await.unwrap(), (true, true));
            });
        });
    });
}

#[test]
fn a_complete_task_takes_no_notice() {
    workers(1).block_on(async {
        let mut task = executor::spawn(async { 7 });
        let abort = task.abort_handle();
        assert_eq!((&mut task).await.unwrap(), 7);
        abort.cancel("too late");
        task.cancel("too late");
    });
}

#[test]
fn all_tasks_of_a_set_are_cancelled() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let mut set: JoinSet<()> = (0..10).map(|_| pending()).collect();
                set.spawn(async {
                    let _ = pending::<()>().or_cancelled().await;
                });
                set.cancel_all("the set ends");
                let (mut cancelled, mut completed) = (0, 0);
                while let Some(result) = set.join_next().await {
                    match result {
                        Ok(()) => completed += 1,
                        Err(error) => {
                            assert_eq!(error.cancelled().unwrap().reason(), "the set ends");
                            cancelled += 1;
                        }
                    }
                }
                assert_eq!((cancelled, completed), (10, 1));
            });
        });
    });
}

#[test]
fn tasks_with_names_can_be_cancelled_and_keep_them() {
    workers(1).block_on(async {
        let task = task::Builder::new()
            .name("named")
            .spawn(pending::<()>())
            .unwrap();
        task.cancel("enough");
        assert!(format!("{task:?}").contains("\"named\""));
        assert!(task.await.unwrap_err().cancelled().is_some());
    });
}

#[test]
fn local_tasks_are_cancelled_on_their_thread() {
    let runtime = executor::runtime::LocalRuntime::new().unwrap();
    within(10, || {
        runtime.block_on(async {
            let shared = std::rc::Rc::new(());
            let kept = shared.clone();
            let task = task::spawn_local(async move {
                let _kept = kept;
                pending::<()>().await;
            });
            let abort = task.abort_handle();
            std::thread::spawn(move || abort.cancel("from elsewhere"))
                .join()
                .unwrap();
            assert_eq!(
                task.await.unwrap_err().cancelled().unwrap().reason(),
                "from elsewhere"
            );
            assert_eq!(std::rc::Rc::strong_count(&shared), 1);
        });
    });
}

#[test]
fn a_request_reaches_into_a_nested_block_on() {
    within(10, || {
        workers(2).block_on(async {
            let (send, wait) = oneshot::channel();
            let task = executor::spawn(async move {
                executor::runtime::Handle::current().block_on(async {
                    send.send(()).unwrap();
                    pending::<()>().or_cancelled().await.is_err()
                })
            });
            wait.await.unwrap();
            task.cancel("enough");
            assert!(task.await.unwrap());
        });
    });
}

#[test]
fn a_task_polled_inside_another_does_not_see_that_ones_request() {
    within(10, || {
        crate::support::current_thread().block_on(async {
            let (send, wait) = oneshot::channel::<task::AbortHandle>();
            let outer = executor::spawn(async move {
                wait.await.unwrap().cancel("the outer one");
                let inner = executor::spawn(async { yield_now().or_cancelled().await.is_ok() });
                // Drives the inner task inside of this poll, and in no region of it.
                let in_region = async {
                    executor::runtime::Handle::current()
                        .block_on(inner)
                        .unwrap()
                };
                (in_region.await, task::check_cancelled().is_err())
            });
            assert!(send.send(outer.abort_handle()).is_ok());
            assert_eq!(outer.await.unwrap(), (true, true));
        });
    });
}

#[test]
fn outside_of_any_task_nothing_is_cancelled() {
    let output = crate::support::block_on(async { 7 }.or_cancelled());
    assert_eq!(output.unwrap(), 7);
    assert!(task::check_cancelled().is_ok());
}

#[test]
fn a_checkpoint_lets_others_run_and_fails_after_a_request() {
    crate::support::current_thread().block_on(async {
        let rounds = Arc::new(AtomicUsize::new(0));
        let counted = rounds.clone();
        let task = executor::spawn(async move {
            loop {
                counted.fetch_add(1, SeqCst);
                task::checkpoint().await?;
            }
            #[expect(unreachable_code, reason = "the type of the output")]
            Ok::<(), Cancelled>(())
        });
        while rounds.load(SeqCst) < 10 {
            yield_now().await;
        }
        task.cancel("enough");
        assert_eq!(task.await.unwrap().unwrap_err().reason(), "enough");
    });
}

#[test]
fn a_region_that_moves_to_another_task_wakes_that_one_and_at_its_end_the_first() {
    within(10, || {
        crate::support::current_thread().block_on(async {
            let (send, receive) = oneshot::channel();
            let first = executor::spawn(async move {
                let mut region = Box::pin(pending::<()>().or_cancelled());
                assert!(futures::poll!(&mut region).is_pending());
                assert!(send.send(region).is_ok());
                pending::<()>().await;
            });
            let second = executor::spawn(async move { receive.await.unwrap().await.is_err() });
            for _ in 0..10 {
                yield_now().await;
            }
            // The region belongs to the task in which it began to wait.
            first.cancel("the first");
            assert!(second.await.unwrap());
            // Which was polled with the request, and left alone because of the region.
            let error = first.await.unwrap_err();
            assert_eq!(error.cancelled().unwrap().reason(), "the first");
        });
    });
}

#[test]
fn a_region_without_a_handle_ends_when_one_that_moved_out_of_it_does() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (send, moved) = oneshot::channel();
                let first = executor::spawn(async {
                    let outer = async move {
                        let mut inner = Box::pin(pending::<()>().or_cancelled());
                        assert!(futures::poll!(inner.as_mut()).is_pending());
                        assert!(send.send(inner).is_ok());
                        pending::<()>().await;
                    };
                    outer.or_cancelled().await.is_err()
                });
                let inner = moved.await.unwrap();
                first.cancel("enough");
                for _ in 0..10 {
                    yield_now().await;
                }
                assert!(!first.is_finished(), "the inner one has not been told");
                drop(inner);
                assert!(first.await.unwrap());
            });
        });
    });
}

#[test]
fn a_task_that_waits_only_because_its_budget_is_used_up_is_dropped_there() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (drops, rounds) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
                let (value, counted) = (drops.value(), rounds.clone());
                let task = executor::spawn(async move {
                    let _value = value;
                    loop {
                        counted.fetch_add(1, SeqCst);
                        task::coop::consume_budget().await;
                    }
                });
                while rounds.load(SeqCst) == 0 {
                    yield_now().await;
                }
                task.cancel("enough");
                let error: task::JoinError = task.await.map(|never: ()| never).unwrap_err();
                assert_eq!(error.cancelled().unwrap().reason(), "enough");
                assert_eq!(drops.count(), 1);
            });
        });
    });
}
