//! Functions that the runtime calls: `on_complete`, `defer`, `call_later`; and tasks that are joined, or begun, without waiting.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use executor::runtime::{Builder, Handle};
use executor::task::{defer, spawn_eager, try_id, yield_now};
use executor::time::{Duration, Instant, call_at, call_later, sleep};
use executor::{spawn, task};

use crate::gather::each_paused;
use crate::support::{Drops, current_thread, each_runtime, until, within, workers};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_done_callback_gets_the_result_once() {
    within(60, || {
        each_runtime(|runtime| {
            let calls = Arc::new(AtomicUsize::new(0));
            runtime.block_on(async {
                for n in 0..200 {
                    let counted = calls.clone();
                    let task = spawn(async move {
                        if n % 3 == 0 {
                            yield_now().await;
                        }
                        n
                    });
                    if n % 2 == 0 {
                        yield_now().await;
                    }
                    let callback = task.on_complete(move |result| {
                        assert_eq!(*result.as_ref().unwrap(), n);
                        counted.fetch_add(1, SeqCst);
                    });
                    assert_eq!(callback.await.unwrap(), n);
                    assert_eq!(calls.load(SeqCst), n + 1);
                }
                let panics = spawn(async { panic!("no") });
                let callback = panics.on_complete(|result: &Result<(), _>| {
                    assert!(result.as_ref().unwrap_err().is_panic());
                });
                assert!(callback.await.unwrap_err().is_panic());
                let aborted = spawn(pending::<()>());
                let callback = aborted.on_complete(|result| {
                    assert!(result.as_ref().unwrap_err().is_cancelled());
                });
                callback.abort();
                assert!(callback.await.unwrap_err().is_cancelled());
            });
        });
    });
}

#[test]
fn a_done_callback_is_scheduled_also_of_a_task_that_is_done() {
    current_thread().block_on(async {
        let task = spawn(async {});
        yield_now().await;
        assert!(task.is_finished());
        let called = Arc::new(AtomicBool::new(false));
        let set = called.clone();
        let callback = task.on_complete(move |_| set.store(true, SeqCst));
        assert!(!called.load(SeqCst), "not called by `on_complete` itself");
        callback.await.unwrap();
        assert!(called.load(SeqCst));

        // Nor is it called in the middle of what the task does.
        let (log, mut order) = (Arc::new(Mutex::new(Vec::new())), Vec::new());
        let (of_task, of_callback) = (log.clone(), log.clone());
        struct Ends(Arc<Mutex<Vec<&'static str>>>);
        impl Drop for Ends {
            fn drop(&mut self) {
                self.0.lock().unwrap().push("dropped");
            }
        }
        let ends = Ends(of_task.clone());
        let task = spawn(async move {
            let _ends = ends;
            yield_now().await;
            of_task.lock().unwrap().push("returns");
        });
        let callback = task.on_complete(move |_| of_callback.lock().unwrap().push("called"));
        callback.await.unwrap();
        order.append(&mut log.lock().unwrap());
        assert_eq!(order, ["returns", "dropped", "called"]);
    });
}

#[test]
fn done_callbacks_of_one_thread_are_called_in_the_order_in_which_the_tasks_end() {
    let runtime = Builder::new_current_thread()
        .start_paused(true)
        .build()
        .unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    runtime.block_on(async {
        for n in [3, 1, 2, 5, 4] {
            let log = log.clone();
            let task = spawn(sleep(n * SECOND));
            drop(task.on_complete(move |_| log.lock().unwrap().push(n)));
        }
        sleep(9 * SECOND).await;
    });
    assert_eq!(*log.lock().unwrap(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_done_callback_that_is_removed_is_dropped_and_its_task_goes_on() {
    within(30, || {
        each_paused(|runtime| {
            let drops = Drops::default();
            runtime.block_on(async {
                let (send, ended) = futures::channel::oneshot::channel();
                let task = spawn(async {
                    sleep(SECOND).await;
                    send.send(()).unwrap();
                    7
                });
                let value = drops.value();
                let callback = task.on_complete(move |_| {
                    let _value = value;
                    unreachable!("it was removed");
                });
                assert!(callback.remove() && !callback.remove());
                assert_eq!(drops.count(), 1);
                ended.await.unwrap();
                assert_eq!(callback.await.unwrap(), 7);

                let callback = spawn(async {}).on_complete(|_| ());
                while !callback.is_finished() {
                    yield_now().await;
                }
                assert!(!callback.remove(), "too late");
            });
        });
    });
}

#[test]
fn several_done_callbacks_are_called_in_their_order_and_the_result_is_awaited_after_them() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let log = Arc::new(Mutex::new(Vec::new()));
                let note = |name: &'static str| {
                    let log = log.clone();
                    move |result: &Result<Vec<u8>, _>| {
                        assert_eq!(result.as_ref().unwrap(), &[7]);
                        log.lock().unwrap().push(name);
                    }
                };
                // It ends when all functions have been given to it, and one taken away.
                let (go, all_there) = executor::sync::oneshot::channel();
                let task = spawn(async {
                    all_there.await.unwrap();
                    vec![7]
                });
                let id = task.id();
                let task = task.on_complete(note("first"));
                let task = task.on_complete(note("removed"));
                assert!(task.remove());
                let task = task.on_complete(|_| panic!("harms nobody"));
                let task = task.on_complete(note("last"));
                assert_eq!(task.id(), id);
                go.send(()).unwrap();
                assert_eq!(task.await.unwrap(), [7]);
                assert_eq!(*log.lock().unwrap(), ["first", "last"]);

                // A request and an abort go to the task itself, and all functions see what comes of it.
                let errors = Arc::new(AtomicUsize::new(0));
                let count = || {
                    let errors = errors.clone();
                    move |result: &Result<(), task::JoinError>| {
                        assert!(result.as_ref().unwrap_err().is_cancelled());
                        errors.fetch_add(1, SeqCst);
                    }
                };
                let waits = spawn(pending()).on_complete(count()).on_complete(count());
                waits.cancel("no longer needed");
                assert!(waits.await.unwrap_err().is_cancelled());
                let waits = spawn(pending()).on_complete(count()).on_complete(count());
                waits.abort_handle().abort();
                assert!(waits.await.unwrap_err().is_cancelled());
                assert_eq!(errors.load(SeqCst), 4);
            });
        });
    });
}

#[test]
fn a_callback_that_panics_harms_nobody_and_is_told_of() {
    within(60, || {
        for worker_threads in [0, 1, 2] {
            let mut builder = match worker_threads {
                0 => Builder::new_current_thread(),
                _ => Builder::new_multi_thread(),
            };
            let (send, told) = channel();
            let send = Mutex::new(send);
            builder
                .worker_threads(worker_threads.max(1))
                .on_unobserved_failure(move |failure| {
                    send.lock().unwrap().send(failure.to_string()).unwrap();
                });
            let runtime = builder.build().unwrap();
            runtime.block_on(async {
                drop(spawn(async {}).on_complete(|_| panic!("first")));
                defer(|| panic!("second"));
                call_later(Duration::ZERO, || panic!("third"));
                let (send, called) = futures::channel::oneshot::channel();
                defer(move || send.send(()).unwrap());
                called.await.unwrap();
                let callback = spawn(async { 7 }).on_complete(|_| panic!("fourth"));
                assert_eq!(callback.await.unwrap(), 7);
                while runtime.metrics().num_alive_tasks() > 0 {
                    yield_now().await;
                }
            });
            drop(runtime);
            let told: Vec<_> = told.try_iter().collect();
            for text in ["first", "second", "third", "fourth"] {
                let count = told.iter().filter(|line| line.contains(text)).count();
                assert_eq!(count, 1, "{text}: {told:?}");
            }
            assert!(
                told.iter().all(|line| line.contains("callbacks.rs")),
                "{told:?}"
            );
            assert_eq!(told.len(), 4, "{told:?}");
        }
    });
}

#[test]
fn deferred_functions_keep_their_place_among_the_tasks_of_one_thread() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |text| {
        let log = log.clone();
        move || log.lock().unwrap().push(text)
    };
    current_thread().block_on(async {
        defer(note("a"));
        let (task, later) = (note("b"), note("e"));
        spawn(async move {
            task();
            defer(later);
        });
        defer(note("c")).cancel();
        defer(note("d"));
        assert!(
            log.lock().unwrap().is_empty(),
            "not called by `defer` itself"
        );
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(*log.lock().unwrap(), ["a", "b", "d", "e"]);
}

#[test]
fn functions_that_many_threads_defer_are_called_in_order_and_one_at_a_time() {
    const THREADS: usize = 4;
    const EACH: usize = 2000;
    within(60, || {
        each_runtime(|runtime| {
            let called = Arc::new(Mutex::new(vec![Vec::new(); THREADS]));
            let busy = Arc::new(AtomicBool::new(false));
            let start = Arc::new(Barrier::new(THREADS));
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (called, busy, start) = (called.clone(), busy.clone(), start.clone());
                    let handle = runtime.handle().clone();
                    thread::spawn(move || {
                        start.wait();
                        for n in 0..EACH {
                            let (called, busy) = (called.clone(), busy.clone());
                            handle.defer(move || {
                                assert!(!busy.swap(true, SeqCst), "two at once");
                                called.lock().unwrap()[thread].push(n);
                                busy.store(false, SeqCst);
                            });
                        }
                    })
                })
                .collect();
            runtime.block_on(async {
                while called.lock().unwrap().iter().any(|of| of.len() < EACH) {
                    sleep(Duration::from_millis(1)).await;
                }
            });
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
            for of in &*called.lock().unwrap() {
                assert!(of.iter().copied().eq(0..EACH), "each thread's in its order");
            }
        });
    });
}

#[test]
fn a_runtime_that_ends_drops_the_functions_that_it_has_not_called() {
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            let (stay, go) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
            let holds = move |value: crate::support::Counted| move || drop(value);
            let timer = runtime.block_on(async {
                drop(spawn(pending::<()>()).on_complete({
                    let value = drops.value();
                    move |_| drop(value)
                }));
                call_later(3600 * SECOND, holds(drops.value()))
            });
            let multi = runtime.metrics().num_workers() > 1;
            if multi {
                // One is called while the others wait for it.
                let (stays, goes) = (stay.clone(), go.clone());
                runtime.handle().defer(move || {
                    stays.wait();
                    goes.wait();
                });
                stay.wait();
            }
            for _ in 0..10 {
                runtime.handle().defer(holds(drops.value()));
            }
            if multi {
                thread::spawn(move || go.wait());
            }
            let handle = runtime.handle().clone();
            drop(runtime);
            assert_eq!(drops.count(), 12);
            handle.defer(holds(drops.value()));
            assert_eq!(drops.count(), 13);
            assert!(!timer.cancel() && !timer.reset(Instant::now()));
        });
    });
}

#[test]
fn timers_call_in_the_order_of_their_times_and_may_be_taken_back() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let runtime = Builder::new_current_thread()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        let call = |seconds: u32| {
            let log = log.clone();
            call_later(seconds * SECOND, move || {
                assert_eq!(start.elapsed(), seconds * SECOND);
                log.lock().unwrap().push(seconds);
            })
        };
        let timers = [3, 1, 4, 1, 2].map(call);
        assert_eq!(timers[0].deadline(), start + 3 * SECOND);
        assert!(timers[2].cancel() && !timers[2].cancel());
        sleep(10 * SECOND).await;
        assert_eq!(*log.lock().unwrap(), [1, 1, 2, 3]);
        assert!(!timers[0].cancel(), "it was called");
        call_at(start, || ());
    });
}

#[test]
fn a_timer_that_is_reset_calls_at_its_new_time_only() {
    within(30, || {
        each_paused(|runtime| {
            runtime.block_on(async {
                let start = Instant::now();
                let calls = Arc::new(Mutex::new(Vec::new()));
                let call = |name: &'static str| {
                    let calls = calls.clone();
                    call_later(5 * SECOND, move || {
                        calls.lock().unwrap().push((name, start.elapsed()));
                    })
                };
                let (later, sooner) = (call("later"), call("sooner"));
                sleep(SECOND).await;
                assert!(later.reset(start + 8 * SECOND));
                assert!(sooner.reset(start + 2 * SECOND));
                sleep(6 * SECOND).await;
                assert_eq!(*calls.lock().unwrap(), [("sooner", 2 * SECOND)]);
                assert!(!sooner.reset(start + 9 * SECOND));
                sleep(20 * SECOND).await;
                assert_eq!(calls.lock().unwrap()[1..], [("later", 8 * SECOND)]);
            });
        });
    });
}

#[test]
fn a_timer_is_no_task_until_its_time_has_come() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let drops = Drops::default();
                let timers: Vec<_> = (0..100)
                    .map(|_| {
                        let value = drops.value();
                        call_later(3600 * SECOND, move || drop(value))
                    })
                    .collect();
                assert_eq!(runtime.metrics().num_alive_tasks(), 0);
                assert!(timers.iter().all(|timer| timer.cancel()));
                assert_eq!(drops.count(), 100);
                // Taken back, it is not kept by the wheel either.
                let shared = Arc::new(());
                let kept = shared.clone();
                let timer = call_later(3600 * SECOND, move || drop(kept));
                timer.cancel();
                assert_eq!(Arc::strong_count(&shared), 1);

                let (send, called) = futures::channel::oneshot::channel();
                call_later(Duration::from_millis(1), move || {
                    send.send(try_id()).unwrap();
                });
                assert!(called.await.unwrap().is_some(), "called as a task");
            });
        });
    });
}

#[test]
fn timers_that_many_threads_reset_and_take_back_are_called_once_or_never() {
    within(60, || {
        each_runtime(|runtime| {
            const TIMERS: usize = 400;
            let calls: Arc<Vec<_>> = Arc::new((0..TIMERS).map(|_| AtomicUsize::new(0)).collect());
            let timers: Arc<Vec<_>> = Arc::new(runtime.block_on(async {
                let call = |n: usize| {
                    let calls = calls.clone();
                    let delay = Duration::from_micros(50 * (n as u64 % 40));
                    call_later(delay, move || _ = calls[n].fetch_add(1, SeqCst))
                };
                (0..TIMERS).map(call).collect()
            }));
            let start = Arc::new(Barrier::new(2));
            let threads = [0, 1].map(|thread| {
                let (timers, start) = (timers.clone(), start.clone());
                let now = Instant::now();
                thread::spawn(move || {
                    start.wait();
                    let mut taken_back = 0;
                    for (n, timer) in timers.iter().enumerate() {
                        match (n + thread) % 3 {
                            0 => taken_back += usize::from(timer.cancel()),
                            1 => drop(timer.reset(now + Duration::from_micros(n as u64))),
                            _ => drop(timer.reset(now + Duration::from_millis(3))),
                        }
                    }
                    taken_back
                })
            });
            let called = || calls.iter().map(|calls| calls.load(SeqCst)).sum::<usize>();
            runtime.block_on(async {
                while threads.iter().any(|thread| !thread.is_finished()) {
                    sleep(Duration::from_millis(1)).await;
                }
                let taken_back: usize = threads.map(|thread| thread.join().unwrap()).iter().sum();
                while called() + taken_back < TIMERS {
                    sleep(Duration::from_millis(1)).await;
                }
                sleep(Duration::from_millis(5)).await;
                assert_eq!(called() + taken_back, TIMERS);
                assert!(calls.iter().all(|calls| calls.load(SeqCst) <= 1));
            });
        });
    });
}

#[test]
fn threads_join_tasks() {
    within(60, || {
        each_runtime(|runtime| {
            let alive = runtime.metrics().num_workers() > 1;
            let handle = runtime.handle().clone();
            let thread = thread::spawn(move || {
                let (send, wait) = futures::channel::oneshot::channel::<u8>();
                let waits = handle.spawn(async move { wait.await.unwrap() });
                let waits = match alive {
                    true => waits
                        .blocking_join_timeout(Duration::from_millis(1))
                        .unwrap_err(),
                    false => waits,
                };
                send.send(7).unwrap();
                let sum = waits.blocking_join().unwrap()
                    + handle
                        .spawn(async { 1 })
                        .blocking_join_timeout(60 * SECOND)
                        .unwrap()
                        .unwrap();
                let panics = handle.spawn(async { panic!("no") });
                assert!(panics.blocking_join().is_err());
                sum
            });
            let sum = runtime.block_on(async move {
                while !thread.is_finished() {
                    sleep(Duration::from_millis(1)).await;
                }
                thread.join().unwrap()
            });
            assert_eq!(sum, 8);
        });
    });
}

#[test]
fn a_task_that_joins_another_by_blocking_stops_nobody() {
    within(60, || {
        each_runtime(|runtime| {
            let joined = runtime.block_on(spawn(async {
                let other = spawn(async {
                    sleep(Duration::from_millis(1)).await;
                    7
                });
                let never = spawn(pending::<()>());
                let never = never
                    .blocking_join_timeout(Duration::from_millis(1))
                    .unwrap_err();
                never.abort();
                other.blocking_join().unwrap()
            }));
            assert_eq!(joined.unwrap(), 7);
        });
    });
}

#[test]
fn a_result_is_there_once_the_task_has_ended() {
    let runtime = workers(1);
    let (send, wait) = futures::channel::oneshot::channel::<u8>();
    let mut task = runtime.spawn(async move { wait.await.unwrap() });
    assert!(task.try_result().is_none());
    send.send(3).unwrap();
    until(|| task.is_finished());
    assert_eq!(task.try_result().unwrap().unwrap(), 3);
}

#[test]
fn an_eager_task_is_polled_by_its_spawner_first() {
    within(60, || {
        each_runtime(|runtime| {
            let eager = async {
                let outer = try_id();
                let thread = thread::current().id();
                let (send, wait) = futures::channel::oneshot::channel::<u8>();
                let ready = spawn_eager(async move {
                    assert_ne!(try_id(), outer);
                    assert_eq!(thread::current().id(), thread);
                    1
                });
                assert!(ready.is_finished());
                assert_eq!(try_id(), outer);
                let begun = Arc::new(AtomicBool::new(false));
                let waits = spawn_eager({
                    let begun = begun.clone();
                    async move {
                        begun.store(true, SeqCst);
                        wait.await.unwrap()
                    }
                });
                assert!(begun.load(SeqCst) && !waits.is_finished());
                let panics = spawn_eager(async { panic!("no") });
                assert!(panics.is_finished());
                assert!(panics.await.unwrap_err().is_panic());
                send.send(2).unwrap();
                ready.await.unwrap() + waits.await.unwrap()
            };
            assert_eq!(runtime.block_on(spawn(eager)).unwrap(), 3);
        });
    });
}

#[test]
fn an_eager_task_may_block_in_place_and_spawn_others() {
    within(60, || {
        let runtime = workers(2);
        let sum = runtime.block_on(spawn(async {
            let task = spawn_eager(async {
                let inner = spawn(async { 1 });
                let one = task::block_in_place(|| Handle::current().block_on(inner).unwrap());
                let next = spawn_eager(async {
                    yield_now().await;
                    2
                });
                one + next.await.unwrap()
            });
            task.await.unwrap()
        }));
        assert_eq!(sum.unwrap(), 3);
    });
}

#[test]
fn outside_of_workers_an_eager_task_is_spawned() {
    within(60, || {
        let runtime = workers(1);
        assert_eq!(
            runtime.block_on(async { spawn_eager(async { 1 }).await.unwrap() }),
            1
        );
    });
}
