//! `block_in_place`: the calling task blocks its thread, and another thread goes on with the seat.
//!
//! Most tests have one worker, so that what the closure waits for can only come if the seat was handed over.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use executor::net::{TcpListener, TcpStream};
use executor::runtime::{Builder, Handle, Runtime};
use executor::spawn;
use executor::task::{block_in_place, spawn_blocking, yield_now};
use executor::time::sleep;
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::panics::quiet;
use crate::support::{
    Drops, assert_usable, block_on, child, current_thread, thread_names, threads, until, within,
    workers, workers_without_spares,
};

/// Blocks until a new task has run. On one worker another thread has the seat after this.
fn lose_seat() {
    let (done, wait) = mpsc::channel();
    drop(spawn(async move { done.send(()).unwrap() }));
    block_in_place(|| wait.recv().unwrap());
}

/// Runs `f` in a task.
#[track_caller]
fn in_task<R: Send + 'static>(runtime: &Runtime, f: impl FnOnce() -> R + Send + 'static) -> R {
    block_on(runtime.spawn(async move { f() })).unwrap()
}

#[test]
fn the_tasks_in_the_queue_and_in_the_next_slot_run_elsewhere() {
    within(30, || {
        let runtime = workers(1);
        in_task(&runtime, || {
            let (done, wait) = mpsc::channel();
            for _ in 0..100 {
                let done = done.clone();
                drop(spawn(async move {
                    yield_now().await;
                    done.send(()).unwrap();
                }));
            }
            block_in_place(|| (0..100).for_each(|_| wait.recv().unwrap()));
        });
        assert_usable(&runtime);
    });
}

#[test]
fn timers_and_sockets_go_on() {
    within(30, || {
        let runtime = workers(1);
        block_on(runtime.spawn(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            drop(spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut byte = [0];
                while stream.read_exact(&mut byte).await.is_ok() {
                    sleep(Duration::from_millis(1)).await;
                    stream.write_all(&byte).await.unwrap();
                }
            }));
            block_in_place(|| {
                let mut peer = std::net::TcpStream::connect(address).unwrap();
                for n in 0..20 {
                    peer.write_all(&[n]).unwrap();
                    let mut byte = [0];
                    peer.read_exact(&mut byte).unwrap();
                    assert_eq!(byte, [n]);
                }
            });
        }))
        .unwrap();
    });
}

#[test]
fn the_closure_runs_here_and_may_borrow() {
    within(30, || {
        let runtime = workers(2);
        in_task(&runtime, || {
            let (here, mut text) = (thread::current().id(), String::from("a"));
            let length = block_in_place(|| {
                assert_eq!(thread::current().id(), here);
                text.push('b');
                text.len()
            });
            assert_eq!((length, text.as_str()), (2, "ab"));
        });
    });
}

#[test]
fn the_closure_is_in_its_runtime() {
    within(30, || {
        let runtime = Arc::new(workers(1));
        in_task(&runtime, || {
            block_in_place(|| {
                let task = spawn(async { thread::current().id() });
                assert_ne!(block_on(task).unwrap(), thread::current().id());
                block_on(sleep(Duration::from_millis(1)));
            });
        });
        // Of whatever runtime it is in: the seat is that of the thread.
        let (other, inner) = (Arc::new(workers(1)), Arc::new(current_thread()));
        let entered = other.clone();
        in_task(&runtime, move || {
            let (done, wait) = mpsc::channel();
            drop(spawn(async move { done.send(()).unwrap() }));
            for handle in [entered.handle(), inner.handle()] {
                let _entered = handle.enter();
                block_in_place(|| {
                    assert_eq!(Handle::current().runtime_flavor(), handle.runtime_flavor())
                });
            }
            block_in_place(|| wait.recv().unwrap());
        });
        assert_usable(&runtime);
        assert_usable(&other);
    });
}

/// After the seat is lost the rest of the poll is that of a thread which is no worker: all that a poll may do works, and so does its end,
/// whether the task has waited before or not, and whether it is woken, waits or completes.
#[test]
fn the_poll_goes_on_without_the_seat() {
    within(60, || {
        let runtime = workers(1);
        for waited_before in [false, true] {
            let task = runtime.spawn(async move {
                if waited_before {
                    sleep(Duration::from_micros(50)).await;
                }
                lose_seat();
                // Woken during its poll.
                yield_now().await;
                lose_seat();
                // It waits, for the first time perhaps.
                sleep(Duration::from_millis(1)).await;
                lose_seat();
                let child = spawn(async {
                    yield_now().await;
                    7
                });
                let child = child.await.unwrap();
                lose_seat();
                child
            });
            assert_eq!(block_on(task).unwrap(), 7);
        }
        assert_usable(&runtime);
    });
}

#[test]
fn a_task_that_was_never_idle_waits_after_the_seat_is_lost() {
    within(30, || {
        let runtime = workers(1);
        let (send, receive) = futures::channel::oneshot::channel();
        let task = runtime.spawn(async {
            lose_seat();
            receive.await.unwrap()
        });
        until(|| runtime.block_on(async { spawn(async {}).await.is_ok() }));
        send.send(3).unwrap();
        assert_eq!(block_on(task).unwrap(), 3);
    });
}

#[test]
fn more_tasks_than_workers_block_at_once() {
    within(60, || {
        let runtime = workers(2);
        let (done, ticked) = mpsc::channel();
        drop(runtime.spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            loop {
                sleep(Duration::from_millis(1)).await;
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"x").await.unwrap();
                listener.accept().await.unwrap();
                if done.send(()).is_err() {
                    return;
                }
            }
        }));
        let all = Arc::new(Barrier::new(101));
        let tasks: Vec<_> = (0..100)
            .map(|n| {
                let all = all.clone();
                runtime.spawn(async move {
                    block_in_place(|| all.wait());
                    // They return together, too.
                    block_in_place(|| all.wait());
                    yield_now().await;
                    n
                })
            })
            .collect();
        all.wait();
        // All hundred are inside, and timers and sockets go on.
        while ticked.try_recv().is_ok() {}
        (0..10).for_each(|_| ticked.recv().unwrap());
        all.wait();
        let sum: usize = tasks.into_iter().map(|task| block_on(task).unwrap()).sum();
        assert_eq!(sum, 4950);
        assert_usable(&runtime);
    });
}

#[test]
fn nested_it_just_calls() {
    within(30, || {
        let runtime = workers(1);
        let n = in_task(&runtime, || {
            block_in_place(|| {
                lose_seat();
                block_in_place(|| {
                    lose_seat();
                    block_in_place(|| 5)
                })
            })
        });
        assert_eq!(n, 5);
        assert_usable(&runtime);
    });
}

#[test]
fn outside_of_a_task_it_just_calls() {
    within(30, || {
        assert_eq!(block_in_place(|| 1), 1);
        for runtime in [workers(1), current_thread()] {
            let job = runtime.spawn_blocking(|| block_in_place(|| 2));
            assert_eq!(runtime.block_on(job).unwrap(), 2);
            let _entered = runtime.enter();
            assert_eq!(block_in_place(|| 3), 3);
        }
        let runtime = workers(1);
        assert_eq!(runtime.block_on(async { block_in_place(|| 4) }), 4);
    });
}

#[test]
fn on_a_current_thread_runtime_it_panics_and_names_the_cure() {
    quiet();
    within(30, || {
        let runtime = current_thread();
        let error = runtime
            .block_on(runtime.spawn(async { block_in_place(|| ()) }))
            .unwrap_err();
        for text in ["current-thread", "spawn_blocking", "new_multi_thread"] {
            assert!(error.to_string().contains(text), "{error}");
        }
        let in_root = || runtime.block_on(async { block_in_place(|| ()) });
        assert!(catch_unwind(AssertUnwindSafe(in_root)).is_err());
        assert_usable(&runtime);
    });
}

#[test]
fn a_panic_propagates_after_the_seat_is_put_right() {
    quiet();
    within(60, || {
        let runtime = workers(1);
        for lose in [false, true] {
            for _ in 0..20 {
                let task = runtime.spawn(async move {
                    let caught = catch_unwind(|| block_in_place(|| panic!("expected")));
                    assert!(caught.is_err());
                    block_in_place(|| {
                        if lose {
                            lose_seat();
                            block_on(spawn(async {})).unwrap();
                        }
                        panic!("expected")
                    })
                });
                assert!(block_on(task).unwrap_err().is_panic());
                assert_usable(&runtime);
            }
        }
    });
}

#[test]
fn in_the_destructor_of_an_aborted_task_it_hands_over_too() {
    struct Blocks;
    impl Drop for Blocks {
        fn drop(&mut self) {
            lose_seat();
        }
    }
    within(30, || {
        let runtime = workers(1);
        let task = runtime.spawn(async {
            let _blocks = Blocks;
            std::future::pending::<()>().await;
        });
        in_task(&runtime, || ());
        task.abort();
        assert!(block_on(task).unwrap_err().is_cancelled());
        assert_usable(&runtime);
    });
}

/// A waker of a batch of events runs between polls, where nothing is handed over.
#[test]
fn in_a_waker_it_just_calls() {
    struct Blocks(Waker, AtomicBool);
    impl Wake for Blocks {
        fn wake(self: Arc<Self>) {
            block_in_place(|| {
                self.1.store(true, SeqCst);
                self.0.wake_by_ref();
                drop(spawn(async {}));
            });
        }
    }
    within(30, || {
        let runtime = workers(1);
        let task = runtime.spawn(async {
            let mut rounds = 0;
            while rounds < 10 {
                let mut slept = pin!(sleep(Duration::from_millis(1)));
                let blocks = poll_fn(|cx| {
                    let waker = Arc::new(Blocks(cx.waker().clone(), AtomicBool::new(false)));
                    Poll::Ready(waker)
                })
                .await;
                let waker = Waker::from(blocks.clone());
                let mut waits = false;
                poll_fn(|_| {
                    let slept = slept.as_mut().poll(&mut Context::from_waker(&waker));
                    waits |= slept.is_pending();
                    slept
                })
                .await;
                // On a busy machine the time may be over at the first look, which wakes nobody.
                assert_eq!(blocks.1.load(SeqCst), waits);
                rounds += u32::from(waits);
            }
        });
        block_on(task).unwrap();
        assert_usable(&runtime);
    });
}

/// The name of the next thread, while this is true, is one that cannot be.
fn without_new_threads(workers: usize) -> (Runtime, Arc<AtomicBool>) {
    let refuse = Arc::new(AtomicBool::new(false));
    let refusing = refuse.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_name_fn(move || if refusing.load(SeqCst) { "\0" } else { "good" }.into())
        .build()
        .unwrap();
    refuse.store(true, SeqCst);
    (runtime, refuse)
}

#[test]
fn without_a_thread_it_blocks_with_its_worker() {
    within(60, || {
        let (runtime, refuse) = without_new_threads(1);
        for round in 0..3 {
            let task = runtime.spawn(async {
                let child = spawn(async {
                    sleep(Duration::from_millis(1)).await;
                    6
                });
                assert_eq!(block_in_place(|| 5), 5);
                child.await.unwrap()
            });
            assert_eq!(block_on(task).unwrap(), 6);
            assert_usable_without_threads(&runtime);
            assert_eq!(round, in_task(&runtime, move || block_in_place(|| round)));
        }
        refuse.store(false, SeqCst);
        in_task(&runtime, lose_seat);
        assert_usable(&runtime);
    });
}

/// What the closure wakes and spawns goes where the other worker finds it, and what was queued before is stolen.
#[test]
fn without_a_thread_the_other_workers_go_on() {
    within(60, || {
        let (runtime, _) = without_new_threads(2);
        for _ in 0..10 {
            in_task(&runtime, || {
                let (done, wait) = mpsc::channel();
                let before = done.clone();
                drop(spawn(async move { before.send(()).unwrap() }));
                block_in_place(|| {
                    drop(spawn(async move {
                        sleep(Duration::from_millis(1)).await;
                        done.send(()).unwrap();
                    }));
                    (0..2).for_each(|_| wait.recv().unwrap());
                });
            });
        }
        assert_usable_without_threads(&runtime);
    });
}

fn assert_usable_without_threads(runtime: &Runtime) {
    let task = runtime.spawn(async {
        yield_now().await;
        spawn(async { 2 }).await.unwrap()
    });
    assert_eq!(block_on(task).unwrap(), 2);
}

#[test]
fn a_runtime_that_ends_meanwhile_waits_for_the_closure() {
    within(60, || {
        let runtime = workers(1);
        let (drops, ended) = (Drops::default(), Arc::new(AtomicBool::new(false)));
        let (value, end) = (drops.value(), ended.clone());
        let (inside, entered) = mpsc::channel();
        let task = runtime.spawn(async move {
            let _value = value;
            lose_seat();
            block_in_place(|| {
                inside.send(()).unwrap();
                // The closer is at it.
                thread::sleep(Duration::from_millis(50));
                end.store(true, SeqCst);
            });
            std::future::pending::<()>().await;
        });
        let idle = runtime.spawn(std::future::pending::<()>());
        entered.recv().unwrap();
        drop(runtime);
        assert!(ended.load(SeqCst));
        // Its own thread has dropped it, after the poll.
        assert_eq!(drops.count(), 1);
        assert!(block_on(task).unwrap_err().is_cancelled());
        assert!(block_on(idle).unwrap_err().is_cancelled());
    });
}

#[test]
fn a_closure_that_outlives_its_runtime_ends_in_peace() {
    child(
        "block_in_place::a_closure_that_outlives_its_runtime_ends_in_peace",
        || {
            let base = threads();
            for lose in [false, true] {
                for _ in 0..20 {
                    let runtime = workers(2);
                    let drops = Drops::default();
                    let value = drops.value();
                    let (inside, entered) = mpsc::channel();
                    let (release, released) = mpsc::channel::<()>();
                    let task = runtime.spawn(async move {
                        let _value = value;
                        if lose {
                            lose_seat();
                        }
                        block_in_place(|| {
                            inside.send(()).unwrap();
                            released.recv().unwrap();
                        });
                        // A closed runtime refuses it, and the one below is never idle.
                        assert!(spawn(async {}).await.unwrap_err().is_cancelled());
                        std::future::pending::<()>().await;
                    });
                    entered.recv().unwrap();
                    runtime.shutdown_background();
                    assert_eq!(drops.count(), 0);
                    release.send(()).unwrap();
                    assert!(block_on(task).unwrap_err().is_cancelled());
                    assert_eq!(drops.count(), 1);
                }
            }
            until(|| threads() == base);
        },
    );
}

#[test]
fn a_runtime_may_end_in_the_closure() {
    within(60, || {
        for _ in 0..20 {
            let runtime = workers(1);
            let handle = runtime.handle().clone();
            let (done, wait) = mpsc::channel();
            let task = handle.spawn(async move {
                block_in_place(|| drop(runtime));
                done.send(()).unwrap();
                std::future::pending::<()>().await;
            });
            wait.recv().unwrap();
            assert!(block_on(task).unwrap_err().is_cancelled());
        }
    });
}

/// A runtime that counts the threads that it has ever started.
fn counting(workers: usize, keep_alive: Duration) -> (Runtime, Arc<AtomicUsize>) {
    let started = Arc::new(AtomicUsize::new(0));
    let count = started.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_keep_alive(keep_alive)
        .thread_name("counted")
        .on_thread_start(move || {
            count.fetch_add(1, SeqCst);
        })
        .build()
        .unwrap();
    (runtime, started)
}

#[test]
fn a_thousand_calls_one_after_the_other_start_few_threads() {
    within(120, || {
        let (runtime, started) = counting(2, Duration::from_secs(60));
        let task = runtime.spawn(async {
            for _ in 0..1000 {
                block_in_place(|| ());
                yield_now().await;
            }
            for n in 0..1000 {
                let child = spawn(async move { n });
                // Whether or not this loses the seat.
                assert_eq!(block_in_place(|| block_on(child)).unwrap(), n);
                yield_now().await;
            }
        });
        block_on(task).unwrap();
        let started = started.load(SeqCst);
        assert!(started < 50, "{started} threads were started");
    });
}

#[test]
fn the_threads_that_came_end_when_they_are_not_needed() {
    child(
        "block_in_place::the_threads_that_came_end_when_they_are_not_needed",
        || {
            let (runtime, started) = counting(2, Duration::from_millis(5));
            let counted = || {
                thread_names()
                    .iter()
                    .filter(|name| *name == "counted")
                    .count()
            };
            let inside = Arc::new(Barrier::new(21));
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let inside = inside.clone();
                    runtime.spawn(async move {
                        block_in_place(|| inside.wait());
                    })
                })
                .collect();
            inside.wait();
            assert!(started.load(SeqCst) >= 20);
            tasks.into_iter().for_each(|task| block_on(task).unwrap());
            until(|| counted() == 2);
            block_on(runtime.spawn(async { lose_seat() })).unwrap();
            until(|| counted() == 2);
            assert_usable(&runtime);
        },
    );
}

#[test]
fn many_tasks_block_now_and_then_and_none_is_lost() {
    within(120, || {
        for count in [1, 2] {
            let runtime = workers(count);
            let handle = runtime.handle().clone();
            let outside = thread::spawn(move || {
                (0..500)
                    .map(|n| block_on(handle.spawn(async move { n })).unwrap())
                    .sum::<usize>()
            });
            let tasks: Vec<_> = (0..50usize)
                .map(|task| {
                    runtime.spawn(async move {
                        let mut sum = 0;
                        for n in 0..40 {
                            match (task + n) % 6 {
                                0 => sum += block_in_place(|| n),
                                1 => {
                                    thread::yield_now();
                                    block_in_place(thread::yield_now);
                                    yield_now().await;
                                    sum += n;
                                }
                                2 => {
                                    sum += spawn(async move { block_in_place(|| n) }).await.unwrap()
                                }
                                3 => {
                                    sleep(Duration::from_micros(20)).await;
                                    sum += block_in_place(|| block_on(spawn(async move { n })))
                                        .unwrap();
                                }
                                4 => sum += spawn_blocking(move || n).await.unwrap(),
                                _ => {
                                    yield_now().await;
                                    sum += n;
                                }
                            }
                        }
                        sum
                    })
                })
                .collect();
            for task in tasks {
                assert_eq!(block_on(task).unwrap(), 780);
            }
            assert_eq!(outside.join().unwrap(), 124_750);
            assert_usable(&runtime);
        }
    });
}

#[test]
fn thread_locals_of_the_task_s_thread_stay_for_the_whole_poll() {
    thread_local!(static MARK: Cell<u32> = const { Cell::new(0) });
    within(30, || {
        let runtime = workers(1);
        in_task(&runtime, || {
            MARK.set(1);
            lose_seat();
            assert_eq!(MARK.get(), 1);
        });
    });
}

#[test]
fn the_metrics_name_the_thread_that_has_the_seat() {
    within(30, || {
        let runtime = workers_without_spares(1);
        let metrics = runtime.metrics();
        in_task(&runtime, move || {
            let here = thread::current().id();
            assert_eq!(metrics.worker_thread_id(0), Some(here));
            lose_seat();
            let there = block_on(spawn(async { thread::current().id() })).unwrap();
            assert_ne!(there, here);
            assert_eq!(metrics.worker_thread_id(0), Some(there));
        });
        // Whether or not this loses it, the thread of the next poll has it.
        let metrics = runtime.metrics();
        let task = runtime.spawn(async move {
            for _ in 0..100 {
                block_in_place(|| ());
                yield_now().await;
                let here = thread::current().id();
                assert_eq!(metrics.worker_thread_id(0), Some(here));
            }
        });
        block_on(task).unwrap();
    });
}
