//! `block_on`: nested, concurrent, on any thread.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use executor::runtime::{Handle, RuntimeFlavor};
use executor::task::{block_in_place, spawn_blocking, yield_now};
use executor::time::sleep;
use futures::channel::oneshot;

use crate::panics::quiet;
use crate::support::{assert_usable, current_thread, each_runtime, until, within, workers};

#[test]
fn the_root_future_need_not_be_send() {
    each_runtime(|runtime| {
        let shared = Rc::new(5);
        let clone = shared.clone();
        let output = runtime.block_on(async move {
            yield_now().await;
            clone
        });
        assert_eq!(output, shared);
    });
}

/// What is waited for is a task of the same runtime, which may have one worker only.
#[test]
fn inside_a_task_the_others_go_on() {
    within(60, || {
        each_runtime(|runtime| {
            for _ in 0..20 {
                let task = runtime.spawn(async {
                    let child = executor::spawn(async {
                        yield_now().await;
                        sleep(Duration::from_micros(100)).await;
                        spawn_blocking(|| 1).await.unwrap()
                    });
                    let local = Rc::new(2);
                    let here = thread::current().id();
                    let sum = Handle::current().block_on(async move {
                        assert_eq!(thread::current().id(), here);
                        sleep(Duration::from_micros(100)).await;
                        *local + child.await.unwrap()
                    });
                    // The rest of the poll, and the next one.
                    let grandchild = executor::spawn(async { 3 });
                    yield_now().await;
                    sum + grandchild.await.unwrap()
                });
                assert_eq!(runtime.block_on(task).unwrap(), 6);
            }
            assert_usable(&runtime);
        });
    });
}

#[test]
fn inside_a_task_it_waits_for_another_runtime() {
    within(60, || {
        each_runtime(|outer| {
            each_runtime(|inner| {
                let inner = Arc::new(inner);
                for _ in 0..5 {
                    let other = inner.clone();
                    let task = outer.spawn(async move {
                        let flavor = other.handle().runtime_flavor();
                        let n = other.block_on(async {
                            assert_eq!(Handle::current().runtime_flavor(), flavor);
                            executor::spawn(async {
                                sleep(Duration::from_micros(100)).await;
                                4
                            })
                            .await
                        });
                        yield_now().await;
                        n.unwrap()
                    });
                    assert_eq!(outer.block_on(task).unwrap(), 4);
                }
                assert_usable(&inner);
            });
            assert_usable(&outer);
        });
    });
}

/// The runtime that waits goes on with its other tasks meanwhile; only of two current-thread runtimes the outer one stands still.
#[test]
fn inside_a_task_of_another_runtime_the_outer_one_goes_on() {
    within(60, || {
        each_runtime(|outer| {
            let inner = Arc::new(workers(1));
            let task = outer.spawn(async move {
                let outer = Handle::current();
                let (send, receive) = oneshot::channel();
                drop(executor::spawn(async move {
                    sleep(Duration::from_millis(1)).await;
                    // The task is polled in its own runtime, whoever waits for whom.
                    assert_eq!(Handle::current().runtime_flavor(), outer.runtime_flavor());
                    send.send(5).unwrap();
                }));
                inner.block_on(async {
                    assert_eq!(
                        Handle::current().runtime_flavor(),
                        RuntimeFlavor::MultiThread
                    );
                    yield_now().await;
                    receive.await.unwrap()
                })
            });
            assert_eq!(outer.block_on(task).unwrap(), 5);
        });
    });
}

/// Futures that wait for a child, which waits for its own in turn, each in a call of its own.
fn deep(depth: usize) -> usize {
    if depth == 0 {
        return 0;
    }
    let child = executor::spawn(async move {
        yield_now().await;
        deep(depth - 1)
    });
    1 + Handle::current().block_on(child).unwrap()
}

#[test]
fn calls_nest() {
    within(60, || {
        each_runtime(|runtime| {
            assert_eq!(runtime.block_on(async { deep(12) }), 12);
            let task = runtime.spawn(async { deep(12) });
            assert_eq!(runtime.block_on(task).unwrap(), 12);
            assert_usable(&runtime);
        });
    });
}

#[test]
fn calls_nest_with_block_in_place() {
    within(60, || {
        let runtime = workers(1);
        let nested = || {
            block_in_place(|| {
                Handle::current().block_on(async {
                    let task = executor::spawn(async { block_in_place(|| deep(2)) });
                    block_in_place(|| Handle::current().block_on(task).unwrap())
                })
            })
        };
        assert_eq!(runtime.block_on(async { nested() }), 2);
        let task = runtime.spawn(async move { nested() });
        assert_eq!(runtime.block_on(task).unwrap(), 2);
        assert_usable(&runtime);
    });
}

#[test]
fn in_a_root_it_goes_on_with_the_tasks() {
    within(60, || {
        each_runtime(|runtime| {
            let handle = runtime.handle().clone();
            let output = runtime.block_on(async {
                let (send, receive) = oneshot::channel();
                let task = executor::spawn(async move {
                    sleep(Duration::from_millis(1)).await;
                    send.send(7).unwrap();
                });
                let n = handle.block_on(receive).unwrap();
                task.await.unwrap();
                n
            });
            assert_eq!(output, 7);
        });
    });
}

/// The outer root is woken while an inner one is waited for, and must not be forgotten.
#[test]
fn a_wake_of_the_outer_root_is_kept_by_an_inner_call() {
    within(60, || {
        each_runtime(|runtime| {
            for _ in 0..50 {
                let (send, receive) = oneshot::channel();
                let (started, start) = channel();
                let foreign = thread::spawn(move || {
                    start.recv().unwrap();
                    send.send(1).unwrap();
                });
                let task = runtime.spawn(async move {
                    started.send(()).unwrap();
                    Handle::current().block_on(sleep(Duration::from_micros(200)));
                    2
                });
                assert_eq!(runtime.block_on(receive), Ok(1));
                assert_eq!(runtime.block_on(task).unwrap(), 2);
                foreign.join().unwrap();
            }
        });
    });
}

#[test]
fn a_panic_of_an_inner_root_is_the_task_s() {
    quiet();
    within(60, || {
        each_runtime(|runtime| {
            for _ in 0..10 {
                let task = runtime.spawn(async {
                    Handle::current().block_on(async {
                        yield_now().await;
                        panic!("expected")
                    })
                });
                assert!(runtime.block_on(task).unwrap_err().is_panic());
                assert_usable(&runtime);
            }
        });
    });
}

#[test]
fn a_current_thread_runtime_that_would_wait_for_itself_panics() {
    within(60, || {
        let outer = current_thread();
        let inner = Arc::new(current_thread());
        let task = outer.spawn(async move {
            let outer = Handle::current();
            inner.block_on(async { outer.block_on(async {}) });
        });
        let error = outer.block_on(task).unwrap_err().to_string();
        assert!(
            error.contains("wait for itself") && error.contains(".await"),
            "{error}"
        );
        assert_usable(&outer);
    });
}

#[test]
fn inside_a_task_of_a_runtime_that_ends_it_returns() {
    within(60, || {
        each_runtime(|runtime| {
            let (started, start) = channel();
            let task = runtime.spawn(async move {
                let _ = Handle::current().block_on(async move {
                    started.send(()).unwrap();
                    executor::spawn(std::future::pending::<()>()).await
                });
                std::future::pending::<()>().await;
            });
            let handle = runtime.handle().clone();
            let ending = thread::spawn(move || {
                start.recv().unwrap();
                runtime.shutdown_background();
            });
            assert!(handle.block_on(task).unwrap_err().is_cancelled());
            ending.join().unwrap();
        });
    });
}

#[test]
fn inside_a_blocking_closure_it_works() {
    within(60, || {
        each_runtime(|runtime| {
            let output = runtime.block_on(async {
                spawn_blocking(|| {
                    Handle::current()
                        .block_on(async { executor::spawn(async { 4 }).await.unwrap() })
                })
                .await
            });
            assert_eq!(output.unwrap(), 4);
        });
    });
}

#[test]
fn many_blocking_closures_block_on_at_once() {
    within(60, || {
        each_runtime(|runtime| {
            let sum: usize = runtime.block_on(async {
                let jobs = (0..50usize).map(|n| {
                    spawn_blocking(move || {
                        Handle::current().block_on(async move {
                            sleep(Duration::from_millis(n as u64 % 5)).await;
                            executor::spawn(async move { n }).await.unwrap()
                        })
                    })
                });
                futures::future::join_all(jobs)
                    .await
                    .into_iter()
                    .map(Result::unwrap)
                    .sum()
            });
            assert_eq!(sum, 1225);
        });
    });
}

#[test]
fn many_threads_block_on_at_once() {
    within(60, || {
        each_runtime(|runtime| {
            let total = AtomicUsize::new(0);
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for n in 0..100 {
                            runtime.block_on(async {
                                let task = executor::spawn(async move {
                                    yield_now().await;
                                    if n % 10 == 0 {
                                        sleep(Duration::from_micros(100)).await;
                                    }
                                    1
                                });
                                total.fetch_add(task.await.unwrap(), SeqCst);
                            });
                        }
                    });
                }
            });
            assert_eq!(total.load(SeqCst), 800);
        });
    });
}

/// Two threads in `block_on` of one current-thread runtime. The first drives; it ends, or panics; then the second must drive, or its
/// task would wait for ever.
fn the_driver_leaves(panics: bool) {
    let runtime = Arc::new(current_thread());
    let (drive, driving) = (runtime.clone(), channel());
    let (end, ended) = oneshot::channel::<()>();
    let first = thread::spawn(move || {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            drive.block_on(async move {
                yield_now().await;
                driving.0.send(()).unwrap();
                ended.await.unwrap();
                assert!(!panics, "expected");
            });
        }));
    });
    driving.1.recv().unwrap();
    let (other, waiting) = (runtime.clone(), channel());
    let second = thread::spawn(move || {
        other.block_on(async move {
            let task = executor::spawn(async {
                // Long after the first one has left.
                sleep(Duration::from_millis(30)).await;
                6
            });
            waiting.0.send(()).unwrap();
            task.await.unwrap()
        })
    });
    waiting.1.recv().unwrap();
    end.send(()).unwrap();
    first.join().unwrap();
    assert_eq!(second.join().unwrap(), 6);
}

#[test]
fn of_two_on_a_current_thread_one_drives_and_hands_over() {
    within(60, || (0..20).for_each(|_| the_driver_leaves(false)));
}

#[test]
fn a_driver_that_panics_hands_over() {
    quiet();
    within(60, || (0..20).for_each(|_| the_driver_leaves(true)));
}

#[test]
fn a_waiting_thread_that_panics_disturbs_nobody() {
    quiet();
    within(60, || {
        let runtime = Arc::new(current_thread());
        let (end, ended) = oneshot::channel::<()>();
        let (drive, (started, start)) = (runtime.clone(), channel());
        let driver = thread::spawn(move || {
            drive.block_on(async move {
                started.send(()).unwrap();
                ended.await.unwrap();
            });
        });
        start.recv().unwrap();
        for _ in 0..10 {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async { panic!("expected") })
            }));
            assert!(panicked.is_err());
        }
        end.send(()).unwrap();
        driver.join().unwrap();
        assert_usable(&runtime);
    });
}

#[test]
fn a_wake_is_kept_though_the_future_parks_its_thread() {
    within(60, || {
        each_runtime(|runtime| {
            let mut polls = 0;
            runtime.block_on(poll_fn(|context| {
                polls += 1;
                if polls > 10 {
                    return Poll::Ready(());
                }
                let (waker, thread) = (context.waker().clone(), thread::current());
                thread::spawn(move || {
                    waker.wake();
                    thread.unpark();
                })
                .join()
                .unwrap();
                // As a channel of the standard library does: it takes the thread's token, which is not the runtime's alone.
                thread::park();
                Poll::Pending
            }));
        });
    });
}

#[test]
fn it_returns_what_is_ready_at_once() {
    each_runtime(|runtime| {
        for n in 0..1000 {
            assert_eq!(runtime.block_on(async { n }), n);
        }
    });
}

#[test]
fn on_the_current_thread_nothing_moves_without_it() {
    within(60, || {
        let runtime = current_thread();
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        let task = runtime.spawn(async move { counter.fetch_add(1, SeqCst) });
        thread::sleep(Duration::from_millis(20));
        assert_eq!(count.load(SeqCst), 0);
        runtime.block_on(task).unwrap();
        assert_eq!(count.load(SeqCst), 1);
    });
}

#[test]
fn a_detached_task_moves_on_at_the_next_call() {
    within(60, || {
        let runtime = current_thread();
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        drop(runtime.spawn(async move {
            loop {
                counter.fetch_add(1, SeqCst);
                yield_now().await;
            }
        }));
        for _ in 0..10 {
            let before = count.load(SeqCst);
            until(|| {
                runtime.block_on(yield_now());
                count.load(SeqCst) > before
            });
        }
    });
}

#[test]
fn spawned_from_outside_a_task_reaches_a_sleeping_driver() {
    within(60, || {
        each_runtime(|runtime| {
            let handle = runtime.handle().clone();
            let (send, receive) = oneshot::channel();
            let foreign = thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                drop(handle.spawn(async move { send.send(8).unwrap() }));
            });
            assert_eq!(runtime.block_on(receive).unwrap(), 8);
            foreign.join().unwrap();
            let _keep = workers(1);
        });
    });
}

/// The call for work that came from outside must not be forgotten with the driver who heard it: the next driver would fall asleep
/// while everybody believes that somebody is on the way.
#[test]
fn a_driver_that_leaves_after_a_call_for_work_lets_the_next_one_be_called() {
    within(60, || {
        let runtime = current_thread();
        for _ in 0..300 {
            let handle = runtime.handle().clone();
            let (leave, left) = oneshot::channel::<()>();
            let foreign = thread::spawn(move || {
                thread::sleep(Duration::from_micros(200));
                drop(handle.spawn(async {}));
                leave.send(()).unwrap();
            });
            runtime.block_on(left).unwrap();
            foreign.join().unwrap();
        }
        let (send, receive) = oneshot::channel();
        let task = runtime.spawn(receive);
        let foreign = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            send.send(5).unwrap();
        });
        assert_eq!(runtime.block_on(task).unwrap(), Ok(5));
        foreign.join().unwrap();
    });
}

#[test]
fn many_short_calls_get_to_timers_as_one_long_call_does() {
    within(60, || {
        let runtime = current_thread();
        let task = runtime.spawn(async { sleep(Duration::from_millis(1)).await });
        until(|| {
            (0..100).for_each(|_| runtime.block_on(yield_now()));
            task.is_finished()
        });
    });
}
