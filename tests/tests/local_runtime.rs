//! A `LocalRuntime`: `spawn_local` without a set, on one thread, whoever else holds a handle.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, ready};
use std::io::ErrorKind;
use std::panic::catch_unwind;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::Duration;

use executor::runtime::{Builder, Handle, LocalOptions, LocalRuntime};
use executor::task::{JoinHandle, LocalSet, spawn_local, yield_now};
use executor::time::{Instant, sleep};
use futures::channel::oneshot;

use crate::support::{Home, block_on, within};

fn local_runtime() -> LocalRuntime {
    LocalRuntime::new().unwrap()
}

#[test]
fn spawn_local_works_in_the_future_in_local_tasks_and_in_others() {
    within(30, || {
        let (runtime, home) = (local_runtime(), Home::here());
        let before = runtime.spawn_local(home.keep(async { Rc::new(1) }));
        let entered = {
            let _entered = runtime.enter();
            spawn_local(home.keep(async { Rc::new(2) }))
        };
        let by_handle = {
            let _entered = runtime.handle().enter();
            spawn_local(home.keep(async { Rc::new(3) }))
        };
        let sum = runtime.block_on(async {
            let inside = spawn_local(home.keep(async {
                let home = Home::here();
                *spawn_local(home.keep(async { Rc::new(4) })).await.unwrap()
            }));
            let from_another_kind = executor::spawn(async {
                yield_now().await;
                // The task is `Send`, so the handle, of a number, is too.
                spawn_local(async {
                    let _not_send = Rc::new(());
                    sleep(Duration::from_micros(50)).await;
                    5
                })
                .await
                .unwrap()
            });
            let blocking = executor::task::spawn_blocking(|| 6);
            let local =
                *before.await.unwrap() + *entered.await.unwrap() + *by_handle.await.unwrap();
            local
                + inside.await.unwrap()
                + from_another_kind.await.unwrap()
                + blocking.await.unwrap()
        });
        assert_eq!((sum, home.drops()), (21, 4));
    });
}

#[test]
fn tasks_run_between_calls_of_block_on_where_they_stopped() {
    within(30, || {
        let (runtime, count) = (local_runtime(), Rc::new(Cell::new(0)));
        let counted = count.clone();
        let task = runtime.spawn_local(async move {
            loop {
                counted.set(counted.get() + 1);
                yield_now().await;
            }
        });
        assert_eq!(count.get(), 0);
        runtime.block_on(async {
            while count.get() < 10 {
                yield_now().await
            }
        });
        let after = count.get();
        runtime.block_on(async {
            while count.get() < after + 10 {
                yield_now().await
            }
        });
        task.abort();
        assert!(runtime.block_on(task).unwrap_err().is_cancelled());
        assert_eq!(Rc::strong_count(&count), 1);
    });
}

#[test]
fn other_threads_spawn_through_the_handle_what_is_send() {
    within(30, || {
        let (runtime, home) = (local_runtime(), Home::here());
        let (send, receive) = oneshot::channel();
        let local = runtime.spawn_local(home.keep(receive));
        let handle = runtime.handle().clone();
        let id = handle.id();
        assert_eq!(id, runtime.handle().id());
        let thread = thread::spawn(move || {
            let task = handle.spawn(async move { send.send(thread::current().id()).unwrap() });
            let _entered = handle.enter();
            let refused = catch_unwind(|| drop(spawn_local(async {}))).unwrap_err();
            let text = refused.downcast_ref::<&str>().unwrap().to_string();
            assert!(
                text.contains("another thread") && text.contains("LocalSet"),
                "{text}"
            );
            assert_eq!(Handle::current().id(), id);
            task
        });
        assert_eq!(
            runtime.block_on(local).unwrap().unwrap(),
            thread::current().id()
        );
        runtime.block_on(thread.join().unwrap()).unwrap();
    });
}

#[test]
fn another_thread_that_drives_leaves_local_tasks_alone() {
    within(60, || {
        let (runtime, home) = (local_runtime(), Home::here());
        for n in 0..50 {
            let stop = Arc::new(AtomicBool::new(false));
            let (send, receive) = oneshot::channel();
            let local = runtime.spawn_local(home.keep(async move {
                yield_now().await;
                Rc::new(receive.await.unwrap())
            }));
            let other = thread::spawn({
                let (handle, stop) = (runtime.handle().clone(), stop.clone());
                move || {
                    let mut send = Some(send);
                    handle.block_on(async {
                        while !stop.load(SeqCst) {
                            executor::spawn(async { yield_now().await }).await.unwrap();
                            if let Some(send) = send.take() {
                                send.send(n).unwrap();
                            }
                            thread::yield_now();
                        }
                    });
                }
            });
            // It may drive meanwhile, and this thread wait for its turn.
            assert_eq!(*runtime.block_on(local).unwrap(), n);
            stop.store(true, SeqCst);
            other.join().unwrap();
            assert_eq!(home.drops(), n + 1);
        }
    });
}

#[test]
fn its_end_drops_local_tasks_first_and_here() {
    within(60, || {
        let ends: [fn(LocalRuntime); 3] = [drop, LocalRuntime::shutdown_background, |runtime| {
            runtime.shutdown_timeout(Duration::from_secs(10))
        }];
        for end in ends {
            let (runtime, home) = (local_runtime(), Home::here());
            let handle = runtime.handle().clone();
            let task = runtime.spawn_local(home.keep(pending::<()>()));
            let sleeper = runtime.spawn_local(home.keep(sleep(Duration::from_secs(3600))));
            let never_polled = || runtime.spawn_local(home.keep(async {}));
            runtime.block_on(yield_now());
            let tasks = [task, sleeper, never_polled()];
            end(runtime);
            assert_eq!(home.drops(), 3);
            for task in tasks {
                assert!(block_on(task).unwrap_err().is_cancelled());
            }
            let _entered = handle.enter();
            let late = spawn_local(home.keep(pending::<()>()));
            assert!(block_on(late).unwrap_err().is_cancelled());
            assert_eq!(home.drops(), 4);
        }
    });
}

#[test]
fn aborts_and_wakes_from_other_threads_race_with_its_end() {
    within(120, || {
        for _ in 0..300 {
            let (runtime, home) = (local_runtime(), Home::here());
            let (sends, tasks): (Vec<_>, Vec<_>) = (0..8)
                .map(|_| {
                    let (send, receive) = oneshot::channel::<()>();
                    (send, runtime.spawn_local(home.keep(receive)))
                })
                .unzip();
            runtime.block_on(yield_now());
            let aborts: Vec<_> = tasks.iter().map(|task| task.abort_handle()).collect();
            let other = thread::spawn(move || {
                for (send, abort) in sends.into_iter().zip(aborts) {
                    let _ = send.send(());
                    abort.abort();
                }
            });
            drop(runtime);
            assert_eq!(home.drops(), 8);
            assert!(tasks.iter().all(|task| task.is_finished()));
            other.join().unwrap();
        }
    });
}

#[test]
fn dropped_by_one_of_its_own_tasks_it_ends_the_others_and_that_one_with_its_poll() {
    within(60, || {
        for (waits_first, in_the_root) in [(false, false), (true, false), (false, true)] {
            let (runtime, home) = (local_runtime(), Home::here());
            let handle = runtime.handle().clone();
            let waits = runtime.spawn_local(home.keep(pending::<()>()));
            let ready: JoinHandle<()> = runtime.spawn_local(home.keep(async {
                loop {
                    yield_now().await;
                }
            }));
            if waits_first {
                runtime.block_on(yield_now());
            }
            let entered = handle.clone();
            let destroy = move |runtime: LocalRuntime| {
                drop(runtime);
                let _entered = entered.enter();
                assert!(spawn_local(pending::<()>()).is_finished());
            };
            if in_the_root {
                handle.block_on(async move {
                    yield_now().await;
                    destroy(runtime);
                });
            } else {
                let (send, receive) = oneshot::channel::<LocalRuntime>();
                let (gone, end) = oneshot::channel::<()>();
                let task: JoinHandle<()> = runtime.spawn_local(home.keep(async move {
                    let _gone = gone;
                    if waits_first {
                        yield_now().await;
                    }
                    destroy(receive.await.unwrap());
                    yield_now().await;
                    unreachable!("polled after the end of its runtime");
                }));
                handle.block_on(async move {
                    yield_now().await;
                    assert!(send.send(runtime).is_ok());
                    assert!(end.await.is_err());
                });
                assert!(block_on(task).unwrap_err().is_cancelled());
            }
            assert!(block_on(waits).unwrap_err().is_cancelled());
            assert!(block_on(ready).unwrap_err().is_cancelled());
            assert_eq!(home.drops(), if in_the_root { 2 } else { 3 });
        }
    });
}

#[test]
fn dropped_by_the_output_of_one_of_its_own_tasks_it_ends_the_others() {
    within(60, || {
        for keeps_an_abort_handle in [false, true] {
            let (runtime, home) = (local_runtime(), Home::here());
            let handle = runtime.handle().clone();
            let waits = runtime.spawn_local(home.keep(pending::<()>()));
            let (send, receive) = oneshot::channel::<LocalRuntime>();
            let task = runtime.spawn_local(home.keep(async move { receive.await.ok() }));
            let kept = keeps_an_abort_handle.then(|| task.abort_handle());
            drop(task);
            handle.block_on(async move {
                yield_now().await;
                assert!(send.send(runtime).is_ok());
                yield_now().await;
            });
            assert!(kept.is_none_or(|task| task.is_finished()));
            assert!(block_on(waits).unwrap_err().is_cancelled());
            assert_eq!(home.drops(), 2);
        }
    });
}

#[test]
fn dropped_by_whom_a_task_wakes_at_its_end_it_ends_the_others() {
    thread_local! {
        static DROPPED_BY_WAKE: RefCell<Option<LocalRuntime>> = const { RefCell::new(None) };
    }
    struct Drops;
    impl Wake for Drops {
        fn wake(self: Arc<Self>) {
            drop(DROPPED_BY_WAKE.take());
        }
    }
    within(60, || {
        let (runtime, home) = (local_runtime(), Home::here());
        let handle = runtime.handle().clone();
        let waits = runtime.spawn_local(home.keep(pending::<()>()));
        let mut task = runtime.spawn_local(home.keep(ready(1)));
        let waker = Waker::from(Arc::new(Drops));
        let mut context = Context::from_waker(&waker);
        assert!(Pin::new(&mut task).poll(&mut context).is_pending());
        DROPPED_BY_WAKE.set(Some(runtime));
        handle.block_on(yield_now());
        assert_eq!(block_on(task).unwrap(), 1);
        assert!(block_on(waits).unwrap_err().is_cancelled());
        assert_eq!(home.drops(), 2);
    });
}

#[test]
fn a_set_inside_gets_its_own_tasks() {
    within(30, || {
        let (runtime, set) = (local_runtime(), LocalSet::new());
        let count = Rc::new(Cell::new(0));
        let counted = count.clone();
        runtime.block_on(async {
            set.run_until(async {
                drop(spawn_local(async move {
                    sleep(Duration::from_micros(100)).await;
                    counted.set(1);
                }));
            })
            .await;
            set.await;
        });
        assert_eq!(count.get(), 1);
    });
}

#[test]
fn local_tasks_do_not_keep_others_and_timers_from_running() {
    within(60, || {
        let runtime = local_runtime();
        for _ in 0..3 {
            runtime.spawn_local(async {
                loop {
                    yield_now().await;
                }
            });
        }
        let others = Arc::new(AtomicUsize::new(0));
        let counted = others.clone();
        let forever = runtime.handle().spawn(async move {
            loop {
                counted.fetch_add(1, SeqCst);
                yield_now().await;
            }
        });
        runtime.block_on(async {
            sleep(Duration::from_millis(2)).await;
            assert_eq!(spawn_local(ready(3)).await.unwrap(), 3);
            while others.load(SeqCst) < 100 {
                yield_now().await;
            }
        });
        forever.abort();
    });
}

/// Each poll of the root is up to 61 polls of local tasks: timers and events come after as many polls as with other tasks.
#[test]
fn local_tasks_with_long_polls_do_not_put_timers_off() {
    within(60, || {
        let runtime = local_runtime();
        let polls = Rc::new(Cell::new(0));
        let counted = polls.clone();
        runtime.spawn_local(async move {
            loop {
                counted.set(counted.get() + 1);
                std::thread::sleep(Duration::from_millis(1));
                yield_now().await;
            }
        });
        runtime.block_on(async { sleep(Duration::from_millis(1)).await });
        assert!(
            polls.get() < 1000,
            "the timer came after {} polls",
            polls.get()
        );
    });
}

#[test]
fn the_builder_refuses_workers() {
    let error = Builder::new_multi_thread().build_local(LocalOptions::default());
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("new_current_thread"));
}

#[executor::test(flavor = "local")]
async fn the_attribute_makes_one() {
    let shared = Rc::new(2);
    let task = spawn_local({
        let shared = shared.clone();
        async move { *shared }
    });
    assert_eq!(task.await.unwrap() + *shared, 4);
}

#[executor::test(flavor = "local", start_paused = true)]
async fn a_paused_clock_jumps_when_local_tasks_wait() {
    let start = Instant::now();
    let tasks = [3600, 60].map(|seconds| {
        spawn_local(async move {
            sleep(Duration::from_secs(seconds)).await;
            Rc::new(Instant::now())
        })
    });
    for task in tasks {
        assert!(*task.await.unwrap() > start);
    }
    assert!(start.elapsed() >= Duration::from_secs(3600));
}
