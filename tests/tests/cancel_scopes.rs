//! `CancelScope` and `shield`: parts of a task that are cancelled apart from the rest, or later.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use executor::sync::oneshot;
use executor::task::{self, CancelScope, FutureExt, shield, yield_now};
use executor::time::{Duration, Instant, sleep, timeout};

use crate::support::{Drops, current_thread, each_runtime, paused, within};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_scope_is_cancelled_from_elsewhere_and_its_future_dropped() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let drops = Drops::default();
                let (value, scope) = (drops.value(), CancelScope::new());
                let handle = scope.clone();
                let task = executor::spawn(async move {
                    let result = scope.run(async move {
                        let _value = value;
                        pending::<()>().await;
                    });
                    let error = result.await.unwrap_err();
                    // The task itself goes on.
                    yield_now().await;
                    sleep(Duration::from_millis(1)).await;
                    error
                });
                yield_now().await;
                handle.cancel("by hand");
                assert_eq!(task.await.unwrap().reason(), "by hand");
                assert_eq!(drops.count(), 1);
                assert!(handle.is_cancelled());
                assert_eq!(handle.cancelled().unwrap().reason(), "by hand");
            });
        });
    });
}

#[test]
fn a_scope_works_in_the_future_of_block_on() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let scope = CancelScope::new();
                let handle = scope.clone();
                executor::spawn(async move { handle.cancel("by a task") });
                let error = scope.run(pending::<()>()).await.unwrap_err();
                assert_eq!(error.reason(), "by a task");
            });
        });
    });
}

#[test]
fn a_scope_that_ends_by_itself_gives_its_output_also_after_a_request() {
    current_thread().block_on(async {
        assert_eq!(CancelScope::new().run(async { 7 }).await.unwrap(), 7);
        let scope = CancelScope::new();
        let output = scope
            .run(async {
                scope.cancel("caught inside");
                pending::<()>().or_cancelled().await.is_err()
            })
            .await;
        assert!(output.unwrap());
        assert!(scope.is_cancelled());
    });
}

#[test]
fn a_scope_that_was_cancelled_before_does_not_begin() {
    current_thread().block_on(async {
        let scope = CancelScope::new();
        scope.cancel("before");
        let begun = AtomicBool::new(false);
        let result = scope.run(async { begun.store(true, SeqCst) }).await;
        assert_eq!(result.unwrap_err().reason(), "before");
        assert!(!begun.load(SeqCst));
    });
}

#[test]
fn a_request_for_the_task_ends_its_scopes() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (send, wait) = oneshot::channel();
                let task = executor::spawn(async move {
                    let (outer, inner) = (CancelScope::new(), CancelScope::new());
                    let nested = inner.run(async {
                        send.send(()).unwrap();
                        pending::<()>().await;
                    });
                    let result = outer.run(nested).await;
                    // The inner one has caught it, and the outer one's future has ended by itself.
                    let caught = result.unwrap().unwrap_err();
                    (
                        caught.reason().to_owned(),
                        outer.is_cancelled(),
                        inner.is_cancelled(),
                    )
                });
                wait.await.unwrap();
                task.cancel("enough");
                assert_eq!(task.await.unwrap(), ("enough".to_owned(), true, true));
            });
        });
    });
}

#[test]
fn an_inner_scope_is_cancelled_without_the_outer_one() {
    current_thread().block_on(async {
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        let handle = inner.clone();
        executor::spawn(async move { handle.cancel("the inner") });
        let result = outer
            .run(async {
                let caught = inner.run(pending::<()>()).await.is_err();
                yield_now().or_cancelled().await.unwrap();
                caught
            })
            .await;
        assert!(result.unwrap());
        assert!(!outer.is_cancelled());
    });
}

#[test]
#[should_panic(expected = "a `CancelScope` runs one future")]
fn a_scope_does_not_run_twice() {
    current_thread().block_on(async {
        let scope = CancelScope::new();
        scope.run(async {}).await.unwrap();
        let _ = scope.run(async {}).await;
    });
}

#[test]
fn a_deadline_cancels_and_may_be_moved_while_it_runs() {
    paused().block_on(async {
        let start = Instant::now();
        let scope = CancelScope::with_timeout(SECOND);
        let line = line!() - 1;
        let error = scope.run(pending::<()>()).await.unwrap_err();
        assert_eq!(start.elapsed(), SECOND);
        assert_eq!(error.reason(), "the deadline has passed");
        assert_eq!((error.at().file(), error.at().line()), (file!(), line));

        // Put off.
        let start = Instant::now();
        let scope = CancelScope::with_timeout(SECOND);
        let handle = scope.clone();
        executor::spawn(async move {
            sleep(SECOND / 2).await;
            handle.set_deadline(Some(start + 3 * SECOND));
        });
        assert!(scope.run(pending::<()>()).await.is_err());
        assert_eq!(start.elapsed(), 3 * SECOND);

        // Brought forward.
        let start = Instant::now();
        let scope = CancelScope::with_timeout(100 * SECOND);
        let handle = scope.clone();
        executor::spawn(async move { handle.set_deadline(Some(start + SECOND)) });
        assert!(scope.run(pending::<()>()).await.is_err());
        assert_eq!(start.elapsed(), SECOND);

        // Taken away.
        let scope = CancelScope::with_timeout(SECOND);
        scope.set_deadline(None);
        assert_eq!(scope.deadline(), None);
        assert!(scope.run(sleep(10 * SECOND)).await.is_ok());
    });
}

#[test]
fn the_earliest_of_nested_deadlines_is_in_effect() {
    paused().block_on(async {
        let now = Instant::now();
        assert_eq!(task::effective_deadline(), None);
        let at = |seconds: u32| now + seconds * SECOND;
        let (outer, inner) = (
            CancelScope::with_deadline(at(5)),
            CancelScope::with_deadline(at(9)),
        );
        let seen = outer.run(async {
            let first = task::effective_deadline();
            let second = inner
                .run(async {
                    let before = task::effective_deadline();
                    inner.set_deadline(Some(at(3)));
                    (before, task::effective_deadline())
                })
                .await
                .unwrap();
            let shielded = shield(SECOND, async { task::effective_deadline() })
                .await
                .unwrap();
            (first, second, shielded)
        });
        let seen = seen.await.unwrap();
        assert_eq!(seen, (Some(at(5)), (Some(at(5)), Some(at(3))), None));
        assert_eq!(task::effective_deadline(), None);
    });
}

#[test]
fn an_outer_deadline_ends_an_inner_scope() {
    paused().block_on(async {
        let start = Instant::now();
        let outer = CancelScope::with_timeout(SECOND);
        let inner = CancelScope::with_timeout(60 * SECOND);
        let result = outer.run(async { inner.run(pending::<()>()).await.is_err() });
        assert!(result.await.unwrap(), "the inner scope has caught it");
        assert_eq!(start.elapsed(), SECOND);
    });
}

#[test]
fn clean_up_in_a_shield_is_awaited_and_its_grace_counts_from_the_request() {
    paused().block_on(async {
        let task = executor::spawn(async {
            let caught = pending::<()>().or_cancelled().await;
            // It begins after the request: its own time, from then on.
            shield(5 * SECOND, sleep(4 * SECOND)).await.unwrap();
            shield(5 * SECOND, sleep(4 * SECOND)).await.unwrap();
            caught
        });
        yield_now().await;
        let start = Instant::now();
        task.cancel("enough");
        assert!(task.await.unwrap().is_err());
        assert_eq!(start.elapsed(), 8 * SECOND);
    });
}

#[test]
fn what_is_in_a_shield_too_long_is_asked_to_cancel_and_then_dropped() {
    paused().block_on(async {
        let drops = Drops::default();
        let value = drops.value();
        let task = executor::spawn(async move {
            let unheard = shield(5 * SECOND, async move {
                let _value = value;
                pending::<()>().await;
            });
            let unheard = unheard.await.unwrap_err();
            let heard = shield(SECOND, pending::<()>().or_cancelled()).await;
            (unheard, heard.unwrap().unwrap_err())
        });
        yield_now().await;
        let start = Instant::now();
        task.cancel("enough");
        sleep(2 * SECOND).await;
        assert_eq!(drops.count(), 0);
        let (unheard, heard) = task.await.unwrap();
        assert_eq!((unheard.reason(), heard.reason()), ("enough", "enough"));
        assert_eq!(start.elapsed(), 6 * SECOND);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_shield_that_nobody_disturbs_lasts_as_long_as_it_likes() {
    paused().block_on(async {
        let task = executor::spawn(shield(SECOND, sleep(60 * SECOND)));
        assert!(task.await.unwrap().is_ok());
    });
}

#[test]
fn a_shield_keeps_the_deadlines_of_outer_scopes_off() {
    paused().block_on(async {
        let start = Instant::now();
        let scope = CancelScope::with_timeout(SECOND);
        let result = scope.run(shield(60 * SECOND, async {
            sleep(5 * SECOND).await;
            task::check_cancelled().is_ok()
        }));
        assert!(result.await.unwrap().unwrap());
        assert_eq!(start.elapsed(), 5 * SECOND);
    });
}

#[test]
fn an_abort_does_not_stop_at_a_shield() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (send, wait) = oneshot::channel();
                let task = executor::spawn(shield(60 * SECOND, async {
                    send.send(()).unwrap();
                    pending::<()>().await;
                }));
                wait.await.unwrap();
                task.abort();
                assert!(task.await.unwrap_err().is_cancelled());
            });
        });
    });
}

#[test]
fn a_scope_inside_of_select_and_timeout_is_dropped_with_them() {
    paused().block_on(async {
        let scope = CancelScope::new();
        assert!(timeout(SECOND, scope.run(pending::<()>())).await.is_err());
        scope.cancel("nobody runs in it");
        // Nothing is left waiting in the task: it is dropped by a request.
        let task = executor::spawn(async {
            let scope = CancelScope::new();
            let _ = timeout(SECOND, scope.run(pending::<()>().or_cancelled())).await;
            pending::<()>().await;
        });
        sleep(2 * SECOND).await;
        task.cancel("enough");
        assert!(task.await.unwrap_err().cancelled().is_some());
    });
}

#[test]
fn a_panic_in_a_scope_leaves_nothing_behind() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let reached = Arc::new(AtomicBool::new(false));
                let reaches = reached.clone();
                let task = executor::spawn(async move {
                    use futures::FutureExt as _;
                    let scope = CancelScope::new();
                    let panics = scope.run(async {
                        yield_now().or_cancelled().await.unwrap();
                        panic!("on purpose");
                    });
                    let caught = std::panic::AssertUnwindSafe(panics).catch_unwind().await;
                    assert!(caught.is_err());
                    assert_eq!(task::effective_deadline(), None);
                    reaches.store(true, SeqCst);
                    pending::<()>().await;
                });
                while !reached.load(SeqCst) {
                    yield_now().await;
                }
                task.cancel("enough");
                assert!(task.await.unwrap_err().cancelled().is_some());
            });
        });
    });
}

#[test]
fn what_waits_in_a_scope_that_is_cancelled_in_its_first_poll_is_told() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let task = executor::spawn(async {
                    let scope = CancelScope::new();
                    let waits = async { pending::<()>().or_cancelled().await.is_err() };
                    let cancels = async { scope.cancel("from inside, after the other has begun") };
                    let both = scope.run(async { executor::join!(waits, cancels) });
                    both.await.unwrap()
                });
                assert_eq!(task.await.unwrap(), (true, ()));
            });
        });
    });
}

#[test]
fn a_task_of_a_group_is_inside_of_the_scopes_around_the_group() {
    paused().block_on(async {
        let now = Instant::now();
        let at = |seconds: u32| now + seconds * SECOND;
        let scope = CancelScope::with_deadline(at(9));
        let result = scope.run(task::group(async |group| {
            let inner = CancelScope::with_deadline(at(7));
            let child = group.spawn(async move {
                let first = task::effective_deadline();
                let nested = task::group(async |group| {
                    let child = group.spawn(async { Ok(task::effective_deadline()) });
                    Ok::<_, ()>(child.await.unwrap())
                });
                let nested = inner.run(nested).await.unwrap().unwrap();
                let shielded = shield(SECOND, async { task::effective_deadline() }).await;
                // Set meanwhile.
                sleep(2 * SECOND).await;
                Ok((first, nested, shielded.unwrap(), task::effective_deadline()))
            });
            sleep(SECOND).await;
            scope.set_deadline(Some(at(5)));
            Ok::<_, ()>(child.await.unwrap())
        }));
        let seen = result.await.unwrap().unwrap();
        assert_eq!(seen, (Some(at(9)), Some(at(7)), None, Some(at(5))));

        // A task that is spawned is in none.
        let outside = scope_around_a_spawn().await;
        assert_eq!(outside, None);
    });
}

async fn scope_around_a_spawn() -> Option<Instant> {
    let spawned = async { executor::spawn(async { task::effective_deadline() }).await };
    let scope = CancelScope::with_timeout(SECOND);
    scope.run(spawned).await.unwrap().unwrap()
}
