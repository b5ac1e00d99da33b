//! `TaskGroup`: no task outlives its group, the first failure cancels the others, and every error is told.

use std::future::{Future, pending};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use executor::sync::oneshot;
use executor::task::{
    self, AbortHandle, CancelScope, FutureExt, GroupPolicy, StartError, Started, TaskError,
    TaskErrors, TaskGroup, first_done, first_ok, group, group_with, shield, yield_now,
};
use executor::time::{Duration, Instant, sleep, timeout};

use crate::support::{Drops, each_runtime, paused, poll_once, within, workers};

type Never = std::convert::Infallible;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_group_waits_for_all_its_tasks_and_gives_the_bodys_output() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let done = Arc::new(AtomicUsize::new(0));
                let output = group(async |g| {
                    for _ in 0..10 {
                        let done = done.clone();
                        g.spawn(async move {
                            sleep(Duration::from_millis(2)).await;
                            done.fetch_add(1, SeqCst);
                            Ok::<_, Never>(())
                        });
                    }
                    Ok("body")
                });
                assert_eq!(output.await.unwrap(), "body");
                assert_eq!(done.load(SeqCst), 10);
            });
        });
    });
}

#[test]
fn children_give_their_outputs_and_tasks_spawn_into_their_own_group() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (count, counted) = (Arc::new(AtomicUsize::new(0)), ());
                let sum = group(async |g: TaskGroup<Never>| {
                    let one = g.spawn(async { Ok(1) });
                    let text = g.spawn(async { Ok("2") });
                    let (inner, counts) = (g.clone(), count.clone());
                    g.spawn(async move {
                        yield_now().await;
                        inner.spawn(async move {
                            yield_now().await;
                            counts.fetch_add(1, SeqCst);
                            Ok(())
                        });
                        Ok(counted)
                    });
                    Ok(one.await.unwrap() + text.await.unwrap().parse::<i32>().unwrap())
                });
                assert_eq!(sum.await.unwrap(), 3);
                assert_eq!(count.load(SeqCst), 1, "the task of the task was awaited");
            });
        });
    });
}

#[test]
fn the_first_failure_cancels_the_siblings_awaits_their_clean_up_and_all_errors_are_told() {
    paused().block_on(async {
        let start = Instant::now();
        let cleaned = Arc::new(AtomicUsize::new(0));
        let cleans = cleaned.clone();
        let result: Result<(), TaskErrors<String>> = group(async |g| {
            g.spawn(async move {
                let heard = pending::<()>().or_cancelled().await.unwrap_err();
                shield(60 * SECOND, sleep(5 * SECOND)).await.unwrap();
                cleans.fetch_add(1, SeqCst);
                Err::<(), _>(format!("in the clean-up after: {}", heard.reason()))
            });
            g.spawn(pending::<Result<(), String>>());
            g.spawn(async {
                sleep(SECOND).await;
                Err::<(), _>("first".to_owned())
            });
            pending::<()>().await;
            Ok(())
        })
        .await;
        let errors = result.unwrap_err();
        let failures: Vec<_> = errors.failures().cloned().collect();
        assert_eq!(
            failures,
            [
                "first",
                "in the clean-up after: another task of the group failed"
            ]
        );
        assert_eq!((errors.len(), errors.cancelled().is_none()), (2, true));
        assert_eq!(cleaned.load(SeqCst), 1);
        assert_eq!(start.elapsed(), 6 * SECOND);
        assert!(
            errors.to_string().starts_with("first; in the clean-up"),
            "{errors}"
        );
        let errors = errors.into_single().unwrap_err();
        assert!(matches!(errors.into_first(), TaskError::Failed(first) if first == "first"));
    });
}

#[test]
fn a_body_that_fails_cancels_the_tasks() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let drops = Drops::default();
                let value = drops.value();
                let result: Result<(), _> = group(async |g| {
                    g.spawn(async move {
                        let _value = value;
                        pending::<Result<(), &str>>().await
                    });
                    Err("body")
                })
                .await;
                assert_eq!(drops.count(), 1);
                let error = result.unwrap_err().into_single().unwrap();
                assert!(matches!(error, TaskError::Failed("body")));
            });
        });
    });
}

#[test]
fn a_panic_is_an_error_of_the_group_and_cancels_the_others() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let result = group(async |g| {
                    let panics = g.spawn(async {
                        yield_now().await;
                        if true {
                            panic!("on purpose");
                        }
                        Ok::<_, Never>(())
                    });
                    g.spawn(pending::<Result<(), Never>>());
                    assert!(panics.await.is_err());
                    Ok(())
                })
                .await;
                let Ok(TaskError::Panicked(error)) = result.unwrap_err().into_single() else {
                    panic!("one panic");
                };
                assert!(error.to_string().contains("on purpose"), "{error}");
            });
        });
    });
}

#[test]
fn a_request_for_the_task_that_runs_the_group_reaches_its_tasks() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let drops = Drops::default();
                let values = [drops.value(), drops.value()];
                let (send, wait) = oneshot::channel();
                let task = executor::spawn(async move {
                    let result = group(async |g| {
                        for value in values {
                            g.spawn(async move {
                                let _value = value;
                                pending::<Result<(), Never>>().await
                            });
                        }
                        send.send(()).unwrap();
                        pending::<()>().await;
                        Ok(())
                    });
                    let errors = result.await.unwrap_err();
                    errors.cancelled().unwrap().reason().to_owned()
                });
                wait.await.unwrap();
                task.cancel("from outside");
                assert_eq!(task.await.unwrap(), "from outside");
                assert_eq!(drops.count(), 2);
            });
        });
    });
}

#[test]
fn a_request_after_the_body_reaches_the_tasks_that_are_left() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let scope = CancelScope::new();
                let (send, wait) = oneshot::channel();
                let handle = scope.clone();
                executor::spawn(async move {
                    wait.await.unwrap();
                    handle.cancel("after the body");
                });
                let result = scope.run(group(async |g| {
                    g.spawn(async move {
                        send.send(()).unwrap();
                        pending::<Result<(), Never>>().await
                    });
                    Ok(7)
                }));
                let errors = result.await.unwrap().unwrap_err();
                assert_eq!(errors.cancelled().unwrap().reason(), "after the body");
            });
        });
    });
}

#[test]
fn a_request_before_the_first_poll_is_passed_on_to_tasks_that_are_there_and_they_are_awaited() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (send, mut clean_up) = oneshot::channel();
                let (give, own_handle) = oneshot::channel::<AbortHandle>();
                let task = executor::spawn(async move {
                    // The closure is called here, the future that it returns is not polled.
                    let running = group(|g: TaskGroup<Never>| {
                        g.spawn(async move {
                            let heard = pending::<()>().or_cancelled().await;
                            let clean_up = async {
                                for _ in 0..10 {
                                    yield_now().await;
                                }
                                send.send(heard.is_err()).unwrap();
                            };
                            let _ = shield(SECOND, clean_up).await;
                            Ok(())
                        });
                        async { unreachable!("a body that began under a request") }
                    });
                    own_handle.await.unwrap().cancel("too early");
                    let result: Result<(), _> = running.await;
                    result.unwrap_err().cancelled().unwrap().reason().to_owned()
                });
                assert!(give.send(task.abort_handle()).is_ok());
                assert_eq!(task.await.unwrap(), "too early");
                // The group has waited for it.
                assert!(clean_up.try_recv().unwrap());
            });
        });
    });
}

#[test]
fn a_group_cancelled_from_inside_ends_with_the_bodys_output_if_there_is_one() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let output = group(async |g: TaskGroup<Never>| {
                    g.spawn(pending::<Result<(), Never>>());
                    g.cancel("that is all");
                    assert!(g.is_cancelled());
                    // It begins cancelled.
                    let late = g.spawn(async { Ok(pending::<()>().or_cancelled().await.is_err()) });
                    let late = shield(60 * SECOND, late).await.unwrap();
                    Ok(late.unwrap())
                });
                assert!(output.await.unwrap());

                let result = group(async |g: TaskGroup<Never>| {
                    g.cancel("that is all");
                    pending::<()>().await;
                    Ok(())
                });
                let errors = result.await.unwrap_err();
                assert_eq!(errors.cancelled().unwrap().reason(), "that is all");
            });
        });
    });
}

#[test]
fn a_child_that_is_cancelled_alone_is_no_failure() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let output = group(async |g: TaskGroup<Never>| {
                    let (one, two) = (
                        g.spawn(pending::<Result<(), Never>>()),
                        g.spawn(pending::<Result<(), Never>>()),
                    );
                    one.cancel("not needed");
                    two.abort();
                    Ok((one.await.is_err(), two.await.is_err()))
                });
                assert_eq!(output.await.unwrap(), (true, true));
            });
        });
    });
}

#[test]
fn a_group_that_is_dropped_aborts_its_tasks() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let drops = Drops::default();
                let value = drops.value();
                let (send, wait) = oneshot::channel();
                let mut escaped = None;
                {
                    let mut running = Box::pin(group(async |g: TaskGroup<Never>| {
                        g.spawn(async move {
                            let _value = value;
                            send.send(()).unwrap();
                            pending::<Result<(), Never>>().await
                        });
                        escaped = Some(g);
                        pending::<()>().await;
                        Ok(())
                    }));
                    assert!(futures::poll!(&mut running).is_pending());
                    wait.await.unwrap();
                }
                while drops.count() == 0 {
                    yield_now().await;
                }
                // A handle that is left spawns nothing that lives.
                let late = escaped.unwrap().spawn(pending::<Result<(), Never>>());
                assert!(late.await.is_err());
            });
        });
    });
}

#[test]
fn start_waits_until_the_task_is_ready_and_gives_its_value() {
    paused().block_on(async {
        async fn service(ready: Started<u16>) -> Result<(), io::Error> {
            sleep(SECOND).await;
            ready.set(7);
            sleep(SECOND).await;
            Ok(())
        }
        let start = Instant::now();
        let at_ready = group(async |g| {
            assert_eq!(g.start(service).await.unwrap(), 7);
            Ok(start.elapsed())
        });
        assert_eq!(at_ready.await.unwrap(), SECOND);
        assert_eq!(start.elapsed(), 2 * SECOND);
        assert!(service(Started::ignored()).await.is_ok());
    });
}

#[test]
fn an_error_before_the_task_is_ready_is_the_callers_and_one_after_it_the_groups() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let result = group(async |g| {
                    let early = g.start(async |_: Started<()>| Err("early")).await;
                    assert!(matches!(early, Err(StartError::Failed("early"))));
                    let never = g.start(async |_: Started<()>| Ok(())).await;
                    assert!(matches!(never, Err(StartError::Ended)));
                    g.start(async |ready: Started<()>| {
                        ready.set(());
                        Err("late")
                    })
                    .await
                    .unwrap();
                    Ok(())
                });
                let errors = result.await.unwrap_err();
                assert_eq!(errors.failures().collect::<Vec<_>>(), [&"late"]);
            });
        });
    });
}

#[test]
fn an_error_before_the_task_is_ready_is_the_groups_if_nobody_waits() {
    paused().block_on(async {
        let result = group(async |g| {
            let start = g.start(async |_ready: Started<()>| {
                sleep(2 * SECOND).await;
                Err("nobody waits")
            });
            assert!(timeout(SECOND, start).await.is_err());
            Ok(())
        });
        let errors = result.await.unwrap_err();
        assert_eq!(errors.failures().collect::<Vec<_>>(), [&"nobody waits"]);
    });
}

#[test]
fn of_several_the_first_that_succeeds_counts_and_the_others_have_ended() {
    paused().block_on(async {
        let drops = Drops::default();
        let after = |seconds: u32, result: Result<u32, &'static str>| {
            let value = drops.value();
            async move {
                let _value = value;
                sleep(seconds * SECOND).await;
                result
            }
        };
        let start = Instant::now();
        let first = first_ok([after(3, Ok(3)), after(2, Ok(2)), after(1, Err("one"))]);
        assert_eq!(first.await.unwrap(), 2);
        assert_eq!((start.elapsed(), drops.count()), (2 * SECOND, 3));

        let none = first_ok([after(2, Err("two")), after(1, Err("one"))]).await;
        assert_eq!(
            none.unwrap_err().failures().collect::<Vec<_>>(),
            [&"one", &"two"]
        );

        let start = Instant::now();
        let failed = first_done([after(2, Ok(2)), after(1, Err("one"))]).await;
        assert_eq!(failed.unwrap_err().failures().collect::<Vec<_>>(), [&"one"]);
        assert_eq!(
            first_done([after(2, Ok(2)), after(1, Ok(1))])
                .await
                .unwrap(),
            1
        );
        assert_eq!((start.elapsed(), drops.count()), (2 * SECOND, 9));
    });
}

#[test]
fn a_task_that_is_cancelled_alone_is_done_as_well() {
    paused().block_on(async {
        let start = Instant::now();
        let output = group_with(GroupPolicy::FirstDone, async |g: TaskGroup<Never>| {
            let first = g.spawn(pending::<Result<(), Never>>());
            let second = g.spawn(pending::<Result<(), Never>>());
            sleep(SECOND).await;
            first.abort();
            let ends = (first.await.is_err(), second.await.is_err());
            // It is no failure: the body goes on.
            sleep(SECOND).await;
            Ok(ends)
        });
        let output = timeout(10 * SECOND, output)
            .await
            .expect("the other task is cancelled");
        assert_eq!(output.unwrap(), (true, true));
        assert_eq!(start.elapsed(), 2 * SECOND);
    });
}

#[test]
fn the_first_of_tasks_that_their_runtime_has_dropped_is_an_error() {
    for policy in [GroupPolicy::FirstOk, GroupPolicy::FirstDone] {
        let other = paused();
        let mut first: Pin<Box<dyn Future<Output = Result<(), TaskErrors<Never>>>>> = {
            let futures = [pending::<Result<(), Never>>(), pending()];
            match policy {
                GroupPolicy::FirstOk => Box::pin(first_ok(futures)),
                _ => Box::pin(first_done(futures)),
            }
        };
        other.block_on(async { assert!(poll_once(first.as_mut()).is_pending()) });
        drop(other);
        let errors = paused().block_on(first).unwrap_err();
        assert!(errors.cancelled().is_some(), "{errors:?}");
    }
}

#[test]
fn the_body_goes_on_after_the_first_success() {
    paused().block_on(async {
        let output = group_with(GroupPolicy::FirstOk, async |g: TaskGroup<Never>| {
            let slow = g.spawn(async {
                sleep(10 * SECOND).await;
                Ok(10)
            });
            g.spawn(async {
                sleep(SECOND).await;
                Ok(1)
            });
            Ok(slow.await.is_err())
        });
        assert!(output.await.unwrap());
    });
}

#[test]
fn groups_nest_and_the_inner_one_is_cancelled_with_the_outer() {
    paused().block_on(async {
        let drops = Drops::default();
        let value = drops.value();
        let result: Result<(), _> = group(async |outer: TaskGroup<&str>| {
            outer.spawn(async move {
                let inner: Result<(), TaskErrors<Never>> = group(async |inner| {
                    inner.spawn(async move {
                        let _value = value;
                        pending::<Result<(), Never>>().await
                    });
                    pending::<()>().await;
                    Ok(())
                })
                .await;
                inner.map_err(|_| "the inner one")
            });
            sleep(SECOND).await;
            Err("the outer one")
        })
        .await;
        let errors = result.unwrap_err();
        assert_eq!(
            errors.failures().collect::<Vec<_>>(),
            [&"the outer one", &"the inner one"]
        );
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn groups_cross_threads() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    within(10, || {
        workers(2).block_on(async {
            let task = executor::spawn(send(async {
                group(async |g: TaskGroup<Never>| {
                    let child = g.spawn(async { Ok(7) });
                    Ok(child.await.unwrap())
                })
                .await
            }));
            assert_eq!(task.await.unwrap().unwrap(), 7);
            assert!(task::check_cancelled().is_ok());
        });
    });
}
