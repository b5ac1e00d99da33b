//! Tasks and their handles: output, order, ids, detaching.

use std::collections::HashSet;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;

use executor::runtime::Runtime;
use executor::task::{JoinHandle, spawn_blocking, yield_now};
use futures::channel::oneshot;

use crate::support::{Drops, block_on, current_thread, each_runtime, until, within, workers};

#[test]
fn a_task_gives_its_output_to_its_handle() {
    each_runtime(|runtime| {
        let handle = runtime.spawn(async { String::from("output") });
        assert_eq!(runtime.block_on(handle).unwrap(), "output");
    });
}

#[test]
fn dropping_the_handle_detaches_the_task() {
    within(30, || {
        each_runtime(|runtime| {
            let (gate, wait) = oneshot::channel::<()>();
            let (done, end) = oneshot::channel();
            drop(runtime.spawn(async move {
                wait.await.unwrap();
                done.send(5).unwrap();
            }));
            gate.send(()).unwrap();
            assert_eq!(runtime.block_on(end).unwrap(), 5);
        });
    });
}

#[test]
fn the_output_of_a_detached_task_is_dropped_at_its_end() {
    within(30, || {
        let runtime = workers(1);
        let drops = Drops::default();
        let value = drops.value();
        drop(runtime.spawn(async move { value }));
        until(|| drops.count() == 1);
    });
}

#[test]
fn a_handle_polled_again_after_its_answer_panics_with_a_text() {
    let runtime = current_thread();
    let mut handle = runtime.spawn(async {});
    runtime.block_on(&mut handle).unwrap();
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let mut context = Context::from_waker(Waker::noop());
        let _ = pin!(&mut handle).poll(&mut context);
    }));
    let text = *again
        .unwrap_err()
        .downcast::<String>()
        .unwrap_or_else(|other| Box::new((*other.downcast::<&str>().unwrap()).to_owned()));
    assert!(text.contains("polled again"), "{text}");
}

#[test]
fn ids_are_unique_among_all_runtimes() {
    let (a, b) = (workers(2), current_thread());
    let mut ids = HashSet::new();
    let mut add = |id| assert!(ids.insert(id));
    for _ in 0..2000 {
        add(a.spawn(async {}).id());
        add(b.spawn(async {}).id());
        add(a
            .block_on(a.spawn(async { executor::spawn(async {}).id() }))
            .unwrap());
    }
}

type Way = fn(&Runtime) -> (JoinHandle<()>, u32);

#[test]
fn debug_shows_where_a_task_was_spawned() {
    let runtime = current_thread();
    let _entered = runtime.enter();
    let ways: [Way; 5] = [
        |runtime| (runtime.spawn(pending()), line!()),
        |runtime| (runtime.handle().spawn(pending()), line!()),
        |runtime| (runtime.spawn_blocking(|| ()), line!()),
        |_| (executor::spawn(pending()), line!()),
        |_| (spawn_blocking(|| ()), line!()),
    ];
    for way in ways {
        let (handle, line) = way(&runtime);
        let expected = format!("{}:{line}:", file!());
        for text in [
            format!("{handle:?}"),
            format!("{:?}", handle.abort_handle()),
        ] {
            assert!(text.contains(&expected), "{text} should contain {expected}");
            assert!(text.contains(&format!("{:?}", handle.id())), "{text}");
        }
    }
}

#[test]
fn a_handle_is_awaited_anywhere() {
    within(30, || {
        let (a, b, c) = (workers(2), workers(1), current_thread());
        let handle = |n: usize| {
            a.spawn(async move {
                for _ in 0..n {
                    yield_now().await;
                }
                n
            })
        };
        assert_eq!(b.block_on(handle(1)).unwrap(), 1);
        assert_eq!(b.block_on(b.spawn(handle(20))).unwrap().unwrap(), 20);
        assert_eq!(c.block_on(handle(300)).unwrap(), 300);
        assert_eq!(block_on(handle(1000)).unwrap(), 1000);
        let moved = handle(1000);
        assert_eq!(
            thread::spawn(|| block_on(moved)).join().unwrap().unwrap(),
            1000
        );
    });
}

#[test]
fn a_handle_wakes_the_waker_it_was_polled_with_last() {
    within(30, || {
        let runtime = workers(1);
        let (gate, wait) = oneshot::channel::<()>();
        let mut handle = runtime.spawn(wait);
        let (first, first_count) = crate::support::counting_waker();
        let (last, last_count) = crate::support::counting_waker();
        for waker in [&first, &last, &last] {
            assert!(
                pin!(&mut handle)
                    .poll(&mut Context::from_waker(waker))
                    .is_pending()
            );
        }
        gate.send(()).unwrap();
        until(|| last_count.load(SeqCst) == 1);
        assert_eq!(first_count.load(SeqCst), 0);
        assert!(
            pin!(&mut handle)
                .poll(&mut Context::from_waker(&last))
                .is_ready()
        );
    });
}

#[test]
fn the_current_thread_flavour_runs_tasks_first_in_first_out() {
    let runtime = current_thread();
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |n: usize| {
        let order = order.clone();
        async move {
            order.lock().unwrap().push(n);
            yield_now().await;
            order.lock().unwrap().push(100 + n);
        }
    };
    runtime.block_on(async {
        let tasks: Vec<_> = (0..100).map(|n| executor::spawn(note(n))).collect();
        futures::future::join_all(tasks).await;
    });
    assert_eq!(*order.lock().unwrap(), (0..200).collect::<Vec<_>>());
}

#[test]
fn yield_now_lets_every_other_ready_task_run() {
    within(60, || {
        each_runtime(|runtime| {
            let rounds = Arc::new(AtomicUsize::new(0));
            let count = rounds.clone();
            // It never ends, so on one worker the others run only if a yield really lets them.
            let busy = runtime.spawn(async move {
                loop {
                    count.fetch_add(1, SeqCst);
                    yield_now().await;
                }
            });
            for _ in 0..100 {
                let others: Vec<_> = (0..10).map(|n| runtime.spawn(async move { n })).collect();
                let all = runtime.block_on(futures::future::join_all(others));
                assert!(all.into_iter().map(Result::unwrap).eq(0..10));
            }
            assert!(rounds.load(SeqCst) > 0);
            busy.abort();
        });
    });
}

#[test]
fn two_tasks_that_wake_each_other_do_not_starve_a_third() {
    within(30, || {
        let runtime = workers(1);
        let stop = Arc::new(AtomicBool::new(false));
        let [flag, seen] = [stop.clone(), stop.clone()];
        runtime
            .block_on(runtime.spawn(async move {
                let (a, b) = (
                    futures::channel::mpsc::channel::<()>(1),
                    futures::channel::mpsc::channel::<()>(1),
                );
                let player = |(mut send, _keep): (futures::channel::mpsc::Sender<()>, ()),
                              mut receive: futures::channel::mpsc::Receiver<()>,
                              seen: Arc<AtomicBool>| async move {
                    use futures::{SinkExt, StreamExt};
                    while !seen.load(SeqCst) {
                        let _ = send.send(()).await;
                        receive.next().await;
                    }
                };
                let one = executor::spawn(player((a.0, ()), b.1, seen.clone()));
                let two = executor::spawn(player((b.0, ()), a.1, seen));
                executor::spawn(async move { flag.store(true, SeqCst) })
                    .await
                    .unwrap();
                one.await.unwrap();
                two.await.unwrap();
            }))
            .unwrap();
    });
}

#[test]
fn a_hundred_thousand_tasks_all_run() {
    within(60, || {
        each_runtime(|runtime| {
            let sum = runtime.block_on(async {
                let mut tasks = Vec::new();
                for n in 0..30_000u64 {
                    tasks.push(executor::spawn(async move {
                        yield_now().await;
                        n
                    }));
                }
                let mut sum = 0;
                for task in tasks {
                    sum += task.await.unwrap();
                }
                sum
            });
            assert_eq!(sum, 30_000 * 29_999 / 2);
        });
    });
}

#[test]
fn a_large_future_may_be_spawned_from_a_small_stack() {
    within(30, || {
        let runtime = workers(1);
        let handle = runtime.handle().clone();
        let small = thread::Builder::new().stack_size(256 << 10);
        let task = small.spawn(move || {
            handle.spawn(async {
                let buffer = [1u8; 16 << 10];
                yield_now().await;
                buffer.iter().map(|&byte| u32::from(byte)).sum::<u32>()
            })
        });
        assert_eq!(block_on(task.unwrap().join().unwrap()).unwrap(), 16 << 10);
    });
}

#[test]
fn poll_of_a_pending_handle_answers_pending() {
    let runtime = current_thread();
    let mut handle = runtime.spawn(async {});
    let poll = pin!(&mut handle).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending));
}
