//! Children that borrow: `concurrent`, in one task, and `scope_blocking`, in parallel.

use std::cell::Cell;
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::thread;

use executor::runtime::{Builder, Handle, UnhandledPanic};
use executor::spawn;
use executor::task::{concurrent, scope_blocking, spawn_blocking, yield_now};
use executor::time::{Duration, Instant, sleep};

use crate::gather::each_paused;
use crate::support::{
    Drops, counting_waker, current_thread, each_runtime, poll_once, within, workers,
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn concurrent_children_borrow_and_take_turns() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let (words, sum) = (
                    vec![String::from("one"), String::from("two")],
                    AtomicUsize::new(0),
                );
                let first = concurrent(async |scope| {
                    let handles: Vec<_> = (1..=3)
                        .map(|n| {
                            let (words, sum) = (&words, &sum);
                            scope.spawn(async move {
                                sleep(n * SECOND).await;
                                sum.fetch_add(words[0].len(), SeqCst);
                                n
                            })
                        })
                        .collect();
                    let mut handles = handles.into_iter();
                    handles.next().unwrap().await
                });
                assert_eq!(first.await, 1);
                assert_eq!(start.elapsed(), 3 * SECOND, "it waits for all");
                assert_eq!((sum.into_inner(), words.len()), (9, 2));
            });
        });
    });
}

#[test]
fn concurrent_children_spawn_children() {
    each_runtime(|runtime| {
        let count = runtime.block_on(spawn(async {
            let count = AtomicUsize::new(0);
            concurrent(async |scope| {
                for _ in 0..10 {
                    let (inner, count) = (scope.clone(), &count);
                    scope.spawn(async move {
                        yield_now().await;
                        for _ in 0..10 {
                            inner.spawn(async {
                                yield_now().await;
                                count.fetch_add(1, SeqCst);
                            });
                        }
                    });
                }
            })
            .await;
            count.into_inner()
        }));
        assert_eq!(count.unwrap(), 100);
    });
}

#[test]
fn a_child_that_comes_from_another_task_or_thread_is_polled() {
    each_runtime(|runtime| {
        within(10, || {
            let sum = runtime.block_on(concurrent(async |scope| {
                let from_a_task = scope.clone();
                let task = spawn(async move {
                    sleep(Duration::from_millis(10)).await;
                    from_a_task.spawn(async { 1 }).await
                });
                let thread = spawn_blocking(move || {
                    thread::sleep(Duration::from_millis(10));
                    scope.spawn(async { 2 })
                });
                task.await.unwrap() + thread.await.unwrap().await
            }));
            assert_eq!(sum, 3);
        });
    });
}

#[test]
fn a_child_that_is_spawned_inside_wakes_nobody() {
    let (waker, calls) = counting_waker();
    let mut whole = pin!(concurrent(async |scope| {
        // It spawns whenever it is polled.
        poll_fn(|_| {
            drop(scope.spawn(async {}));
            Poll::<()>::Pending
        })
        .await;
    }));
    for _ in 0..3 {
        let poll = whole.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
    }
    assert_eq!(calls.load(SeqCst), 0);
}

#[test]
fn a_concurrent_that_is_dropped_drops_its_children_also_those_that_were_never_polled() {
    let drops = Drops::default();
    let polls = AtomicUsize::new(0);
    {
        let mut future = Box::pin(concurrent(async |scope| {
            for _ in 0..3 {
                let (value, inner, polls) = (drops.value(), scope.clone(), &polls);
                scope.spawn(async move {
                    let (_value, _inner) = (value, inner);
                    polls.fetch_add(1, SeqCst);
                    pending::<()>().await;
                });
            }
            pending::<()>().await;
        }));
        assert!(poll_once(future.as_mut()).is_pending());
        assert_eq!((polls.load(SeqCst), drops.count()), (3, 0));
    }
    assert_eq!(drops.count(), 3);
    {
        let value = drops.value();
        let future = concurrent(|scope| {
            let inner = scope.clone();
            // Before the first poll.
            drop(scope.spawn(async move {
                let (_value, _inner) = (value, inner);
            }));
            pending::<()>()
        });
        drop(future);
    }
    assert_eq!(drops.count(), 4);
}

#[test]
fn a_child_of_a_concurrent_that_panics_ends_the_whole() {
    let drops = Drops::default();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        current_thread().block_on(concurrent(async |scope| {
            let value = drops.value();
            scope.spawn(async move {
                let _value = value;
                pending::<()>().await;
            });
            scope.spawn(async { panic!("no") }).await
        }))
    }));
    assert!(panicked.is_err());
    assert_eq!(drops.count(), 1);
}

#[test]
fn parallel_children_borrow_and_change_what_they_borrow() {
    within(60, || {
        each_runtime(|runtime| {
            let work = |numbers: &mut [usize]| {
                let sum = AtomicUsize::new(0);
                let answer = scope_blocking(|scope| {
                    for number in numbers.iter_mut() {
                        let sum = &sum;
                        scope.spawn(async move {
                            sleep(Duration::from_micros(50)).await;
                            *number *= 2;
                            // A child of a child.
                            scope.spawn(async move {
                                yield_now().await;
                                sum.fetch_add(*number, SeqCst);
                            });
                        });
                    }
                    let awaited = scope.spawn(async { 1 });
                    let awaits = scope.spawn(async { awaited.await.unwrap() + 1 });
                    awaits.join().unwrap()
                });
                (answer, sum.into_inner())
            };
            let expected = (2, 2 * (0..50).sum::<usize>());
            let mut numbers: Vec<_> = (0..50).collect();
            // Called by the root, by a task, by a closure that may block.
            let root = runtime.block_on(async { work(&mut numbers) });
            assert_eq!(root, expected);
            assert!(numbers.iter().copied().eq((0..50).map(|n| 2 * n)));
            let task =
                runtime.block_on(spawn(async move { work(&mut (0..50).collect::<Vec<_>>()) }));
            assert_eq!(task.unwrap(), expected);
            let closure = runtime.block_on(async {
                spawn_blocking(move || work(&mut (0..50).collect::<Vec<_>>())).await
            });
            assert_eq!(closure.unwrap(), expected);
            // And by a thread outside.
            let handle = runtime.handle().clone();
            let outside = thread::spawn(move || {
                let _entered = handle.enter();
                work(&mut (0..50).collect::<Vec<_>>())
            });
            runtime.block_on(async {
                while !outside.is_finished() {
                    sleep(Duration::from_millis(1)).await;
                }
            });
            assert_eq!(outside.join().unwrap(), expected);
        });
    });
}

#[test]
fn children_that_borrow_have_ended_whatever_panics() {
    within(60, || {
        each_runtime(|runtime| {
            let ended = AtomicUsize::new(0);
            let slow = async |value: &Drops| {
                let _value = value.value();
                sleep(Duration::from_millis(5)).await;
                ended.fetch_add(1, SeqCst);
            };
            let _entered = runtime.enter();
            let drops = Drops::default();
            let closure = catch_unwind(AssertUnwindSafe(|| {
                scope_blocking(|scope| {
                    scope.spawn(slow(&drops));
                    panic!("the closure")
                })
            }));
            let payload: Box<dyn std::any::Any + Send> = closure.map(|(): ()| ()).unwrap_err();
            assert_eq!(*payload.downcast::<&str>().unwrap(), "the closure");
            assert_eq!((ended.load(SeqCst), drops.count()), (1, 1));

            let child = catch_unwind(AssertUnwindSafe(|| {
                scope_blocking(|scope| {
                    scope.spawn(slow(&drops));
                    scope.spawn(async {
                        let _value = drops.value();
                        if true {
                            panic!("a child");
                        }
                    });
                })
            }));
            let payload = child.unwrap_err();
            assert!(
                payload
                    .downcast::<&str>()
                    .unwrap()
                    .contains("await its handle")
            );
            assert_eq!((ended.load(SeqCst), drops.count()), (2, 3));

            // Whoever asks has the error, and nobody panics.
            scope_blocking(|scope| {
                scope.spawn(slow(&drops));
                let child = scope.spawn(async { panic!("seen") });
                let error: executor::task::JoinError = child.join().map(|(): ()| ()).unwrap_err();
                assert!(error.to_string().contains("seen"));
            });
            assert_eq!((ended.load(SeqCst), drops.count()), (3, 4));

            // A destructor of the future that panics.
            struct Bomb<'a>(&'a AtomicUsize);
            impl Drop for Bomb<'_> {
                fn drop(&mut self) {
                    self.0.fetch_add(1, SeqCst);
                    panic!("a destructor");
                }
            }
            let bombs = AtomicUsize::new(0);
            let result = scope_blocking(|scope| {
                let child = scope.spawn(async {
                    let _bomb = Bomb(&bombs);
                    yield_now().await;
                });
                child.join()
            });
            assert!(result.unwrap_err().is_panic());
            assert_eq!(bombs.into_inner(), 1);
        });
    });
}

#[test]
fn a_runtime_that_ends_drops_the_children_before_the_scope_returns() {
    within(60, || {
        for _ in 0..20 {
            let runtime = workers(2);
            let handle = runtime.handle().clone();
            let (begun, begin) = std::sync::mpsc::channel();
            let thread = thread::spawn(move || {
                let _entered = handle.enter();
                let drops = Drops::default();
                let cancelled = scope_blocking(|scope| {
                    let child = scope.spawn(async {
                        let _value = drops.value();
                        pending::<()>().await;
                    });
                    begun.send(()).unwrap();
                    child.join()
                });
                assert!(cancelled.unwrap_err().is_cancelled());
                drops.count()
            });
            begin.recv().unwrap();
            drop(runtime);
            assert!(thread.join().unwrap() <= 1);
        }
    });
}

#[test]
fn a_runtime_that_a_panic_ends_lets_no_child_outlive_the_scope() {
    within(60, || {
        for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = builder
                .unhandled_panic(UnhandledPanic::ShutdownRuntime)
                .build()
                .unwrap();
            let drops = Drops::default();
            let ended = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async {
                    scope_blocking(|scope| {
                        for _ in 0..3 {
                            scope.spawn(async {
                                let _value = drops.value();
                                pending::<()>().await;
                            });
                        }
                        scope.spawn(async {
                            yield_now().await;
                            panic!("no")
                        });
                    });
                });
            }));
            assert!(ended.is_err());
            assert!(drops.count() <= 3);
        }
    });
}

#[test]
fn many_short_scopes_lose_nothing() {
    within(60, || {
        each_runtime(|runtime| {
            let _entered = runtime.enter();
            for n in 0..500 {
                let cell = Cell::new(0);
                let sum = AtomicUsize::new(0);
                scope_blocking(|scope| {
                    for _ in 0..n % 7 {
                        scope.spawn(async {
                            sum.fetch_add(1, SeqCst);
                        });
                    }
                    cell.set(n % 7);
                });
                assert_eq!(sum.into_inner(), cell.get());
            }
        });
    });
}

#[test]
fn a_child_uses_its_runtime() {
    within(60, || {
        let runtime = Arc::new(workers(2));
        let id = runtime.handle().id();
        let _entered = runtime.enter();
        let found = scope_blocking(|scope| scope.spawn(async { Handle::current().id() }).join());
        assert_eq!(found.unwrap(), id);
    });
}
