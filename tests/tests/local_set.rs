//! Tasks that are not `Send` in a `LocalSet`: where they run, when, and above all on which thread they are dropped.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::task::{JoinHandle, LocalSet, spawn_local, yield_now};
use executor::time::sleep;
use futures::channel::oneshot;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::support::{
    Drops, Home, PanicIn, block_on, counting_waker, current_thread, each_runtime, panicking_waker,
    poll_once, within, workers,
};

/// Waits until it is let go, and leaves its waker where others find it.
async fn until_set(flag: &AtomicBool, waker: &Mutex<Option<Waker>>) {
    poll_fn(|cx| {
        *waker.lock().unwrap() = Some(cx.waker().clone());
        if flag.load(SeqCst) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// Polls the set once, for nobody.
fn tick(set: &mut LocalSet) -> Poll<()> {
    pin!(set).poll(&mut Context::from_waker(Waker::noop()))
}

/// A task of the set that waits for ever, polled once. Its waker.
fn waiting(set: &mut LocalSet, home: &Home) -> (JoinHandle<()>, Waker) {
    let slot = Arc::new(Mutex::new(None));
    let task = set.spawn_local(home.keep({
        let slot = slot.clone();
        async move { until_set(&AtomicBool::new(false), &slot).await }
    }));
    assert!(tick(set).is_pending());
    let waker = slot.lock().unwrap().take().unwrap();
    (task, waker)
}

#[test]
fn run_until_runs_tasks_that_are_not_send_on_this_thread() {
    within(30, || {
        each_runtime(|runtime| {
            let (set, home) = (LocalSet::new(), Home::here());
            let shared = Rc::new(Cell::new(0));
            let output = runtime.block_on(set.run_until(async {
                let tasks: Vec<_> = (0..100)
                    .map(|n| {
                        let shared = shared.clone();
                        spawn_local(home.keep(async move {
                            yield_now().await;
                            sleep(Duration::from_micros(n)).await;
                            shared.set(shared.get() + 1);
                            shared
                        }))
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
                shared.get()
            }));
            assert_eq!((output, home.drops()), (100, 100));
            assert!(home.polls() >= 200);
        });
    });
}

#[test]
fn a_set_that_is_awaited_is_ready_when_all_its_tasks_are() {
    within(30, || {
        each_runtime(|runtime| {
            let (set, done) = (LocalSet::new(), Rc::new(Cell::new(0)));
            for n in 0..10 {
                let done = done.clone();
                set.spawn_local(async move {
                    sleep(Duration::from_millis(n)).await;
                    let inner = done.clone();
                    spawn_local(async move {
                        yield_now().await;
                        inner.set(inner.get() + 1);
                    });
                });
            }
            runtime.block_on(set);
            assert_eq!(done.get(), 10);
        });
    });
    block_on(LocalSet::new());
}

#[test]
fn block_on_leaves_what_is_not_done_for_the_next_call() {
    within(30, || {
        let (runtime, set) = (current_thread(), LocalSet::default());
        let (send, receive) = oneshot::channel();
        let task = set.spawn_local(async { Rc::new(receive.await.unwrap()) });
        assert_eq!(set.block_on(&runtime, async { 1 }), 1);
        assert!(!task.is_finished());
        send.send(2).unwrap();
        assert_eq!(*set.block_on(&runtime, task).unwrap(), 2);
        drop(runtime);
        // The set is not the runtime's.
        let other = workers(1);
        let task = set.spawn_local(async { yield_now().await });
        set.block_on(&other, task).unwrap();
    });
}

#[test]
fn an_entered_set_gets_the_tasks_and_guards_may_go_in_any_order() {
    let (first, second) = (LocalSet::new(), LocalSet::new());
    assert_ne!(first.id(), second.id());
    assert_eq!(first.id(), first.id());
    let counts = [&first, &second].map(|_| Rc::new(Cell::new(0)));
    let spawn = |count: &Rc<Cell<i32>>| {
        let count = count.clone();
        drop(spawn_local(async move { count.set(count.get() + 1) }));
    };
    let outer = first.enter();
    spawn(&counts[0]);
    let inner = second.enter();
    spawn(&counts[1]);
    drop(outer);
    spawn(&counts[1]);
    drop(inner);
    assert!(catch_unwind(|| spawn_local(async {})).is_err());
    within(10, || {
        block_on(first);
        block_on(second);
    });
    assert_eq!(counts.map(|count| count.get()), [1, 2]);
}

#[test]
fn spawn_local_elsewhere_panics_at_the_callers_line_and_names_the_cure() {
    let said = |f: fn()| {
        let message = Arc::new(Mutex::new(String::new()));
        thread::scope(|scope| {
            scope
                .spawn(|| {
                    let payload = catch_unwind(f).unwrap_err();
                    *message.lock().unwrap() = payload.downcast_ref::<&str>().unwrap().to_string();
                })
                .join()
                .unwrap();
        });
        Arc::into_inner(message).unwrap().into_inner().unwrap()
    };
    let outside = said(|| drop(spawn_local(async {})));
    assert!(
        outside.contains("run_until") && outside.contains("LocalRuntime"),
        "{outside}"
    );
    let on_a_runtime = said(|| current_thread().block_on(async { drop(spawn_local(async {})) }));
    assert_eq!(outside, on_a_runtime);
    // A task of another kind that is spawned in the set is not in it.
    let (runtime, set) = (workers(1), LocalSet::new());
    let error = set
        .block_on(&runtime, async {
            executor::spawn(async { drop(spawn_local(async {})) }).await
        })
        .unwrap_err();
    assert!(error.to_string().contains("outside of a local task set"));
    let debug = format!("{:?}", set.spawn_local(async {}));
    assert!(debug.contains(file!()), "{debug}");
}

#[test]
fn tasks_of_tasks_are_local_and_the_innermost_set_counts() {
    within(30, || {
        let (runtime, outer, home) = (current_thread(), LocalSet::new(), Home::here());
        outer.block_on(&runtime, async {
            let task = spawn_local(home.keep(async {
                let home = Home::here();
                let inner = LocalSet::new();
                let [task] = inner
                    .run_until(home.keep(async { [spawn_local(pending::<Rc<()>>())] }))
                    .await;
                // Nobody polls the inner set any more; its end is its task's.
                drop(inner);
                assert!(task.await.unwrap_err().is_cancelled());
                spawn_local(home.keep(async { Rc::new(5) })).await.unwrap()
            }));
            assert_eq!(*task.await.unwrap(), 5);
        });
        assert_eq!(home.drops(), 1);
    });
}

#[test]
fn a_handle_is_awaited_and_its_output_dropped_on_another_thread() {
    within(30, || {
        each_runtime(|runtime| {
            let (set, drops) = (LocalSet::new(), Drops::default());
            let value = drops.value();
            let task = set.spawn_local(async move {
                yield_now().await;
                let _not_send = Rc::new(());
                value
            });
            let other = runtime.spawn(async move { drop(task.await.unwrap()) });
            runtime.block_on(set);
            runtime.block_on(other).unwrap();
            assert_eq!(drops.count(), 1);
        });
    });
}

#[test]
fn without_a_handle_the_output_is_dropped_at_home() {
    within(30, || {
        let (runtime, set, home) = (workers(2), LocalSet::new(), Home::here());
        for _ in 0..100 {
            let value = home.value();
            let (send, receive) = oneshot::channel::<()>();
            drop(set.spawn_local(async move {
                let _ = receive.await;
                value
            }));
            runtime.spawn(async move { drop(send) });
        }
        runtime.block_on(set);
        assert_eq!(home.drops(), 100);
    });
}

#[test]
fn an_abort_elsewhere_drops_the_future_at_home_before_the_handle_answers() {
    within(60, || {
        let (mut set, home) = (LocalSet::new(), Home::here());
        for n in 0..100 {
            let (task, _waker) = waiting(&mut set, &home);
            let (abort, finished) = (task.abort_handle(), task.abort_handle());
            thread::spawn(move || abort.abort()).join().unwrap();
            assert!(!finished.is_finished(), "only its own thread may drop it");
            assert_eq!(home.drops(), n);
            assert!(tick(&mut set).is_ready());
            assert_eq!(home.drops(), n + 1);
            assert!(block_on(task).unwrap_err().is_cancelled());
        }
    });
}

#[test]
fn aborts_from_a_worker_reach_tasks_that_wait_run_or_were_never_polled() {
    within(60, || {
        let (runtime, set, home) = (workers(2), LocalSet::new(), Home::here());
        let total = 300;
        set.block_on(&runtime, async {
            for n in 0..total {
                let task = spawn_local(home.keep(async move {
                    if n % 3 == 0 {
                        loop {
                            yield_now().await;
                        }
                    }
                    pending::<()>().await;
                }));
                if n % 2 == 0 {
                    yield_now().await;
                }
                let abort = task.abort_handle();
                executor::spawn(async move { abort.abort() });
                assert!(task.await.unwrap_err().is_cancelled());
            }
        });
        assert_eq!(home.drops(), total);
    });
}

#[test]
fn a_dropped_set_drops_its_futures_here_and_its_handles_answer_cancelled() {
    let (mut set, home) = (LocalSet::new(), Home::here());
    let (waits, waker) = waiting(&mut set, &home);
    let (woken, other) = waiting(&mut set, &home);
    other.wake_by_ref();
    let never_polled = set.spawn_local(home.keep(pending::<()>()));
    let (count, counts) = counting_waker();
    let mut handles = [waits, woken, never_polled];
    for handle in &mut handles {
        assert!(
            pin!(handle)
                .poll(&mut Context::from_waker(&count))
                .is_pending()
        );
    }
    drop(set);
    assert_eq!((home.drops(), counts.load(SeqCst)), (3, 3));
    for handle in handles {
        assert!(block_on(handle).unwrap_err().is_cancelled());
    }
    // Late wakes find nothing, here or elsewhere.
    waker.wake_by_ref();
    thread::spawn(move || {
        waker.wake();
        other.wake();
    })
    .join()
    .unwrap();
    assert_eq!(home.drops(), 3);
}

#[test]
fn wakers_and_abort_handles_outlive_the_thread_of_their_set() {
    within(30, || {
        let (task, waker, home) = thread::spawn(|| {
            let (mut set, home) = (LocalSet::new(), Home::here());
            let (task, waker) = waiting(&mut set, &home);
            (task, waker, home)
        })
        .join()
        .unwrap();
        assert_eq!(home.drops(), 1);
        waker.wake_by_ref();
        task.abort();
        assert!(waker.clone().will_wake(&waker));
        waker.wake();
        assert!(block_on(task).unwrap_err().is_cancelled());
    });
}

#[test]
fn a_forgotten_set_is_safe_to_wake_when_its_thread_has_ended() {
    within(30, || {
        for _ in 0..20 {
            let (home, waker, task) = thread::spawn(|| {
                let (mut set, home) = (LocalSet::new(), Home::here());
                let (task, waker) = waiting(&mut set, &home);
                std::mem::forget(set);
                (home, waker, task)
            })
            .join()
            .unwrap();
            // Threads that may have got the storage of that one.
            thread::spawn(move || {
                waker.wake();
                task.abort();
            })
            .join()
            .unwrap();
            assert_eq!(home.drops(), 0);
        }
    });
}

#[test]
fn sets_are_dropped_while_other_threads_wake_and_abort_their_tasks() {
    const ROUNDS: usize = 3000;
    within(120, || {
        type Batch = Vec<(Waker, executor::task::AbortHandle)>;
        let (sends, threads): (Vec<_>, Vec<_>) = (0..2)
            .map(|_| {
                let (send, receive) = std::sync::mpsc::sync_channel::<Arc<Batch>>(1);
                let thread = thread::spawn(move || {
                    for batch in receive {
                        for (waker, abort) in batch.iter() {
                            waker.wake_by_ref();
                            abort.abort();
                            drop(waker.clone());
                        }
                    }
                });
                (send, thread)
            })
            .unzip();
        let home = Home::here();
        for round in 0..ROUNDS {
            let mut set = LocalSet::new();
            let (handles, wakers): (Vec<_>, Vec<_>) =
                (0..4).map(|_| waiting(&mut set, &home)).unzip();
            let aborts = handles.iter().map(JoinHandle::abort_handle);
            let batch: Batch = wakers.into_iter().zip(aborts).collect();
            let batch = Arc::new(batch);
            for send in &sends {
                send.send(batch.clone()).unwrap();
            }
            if round % 2 == 0 {
                let _ = tick(&mut set);
            }
            drop(set);
            assert_eq!(home.drops(), 4 * (round + 1));
            assert!(handles.iter().all(JoinHandle::is_finished));
        }
        drop(sends);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn wakes_from_other_threads_are_all_heard() {
    const ROUNDS: usize = 2000;
    within(120, || {
        each_runtime(|runtime| {
            let (set, home) = (LocalSet::new(), Home::here());
            let sum = set.block_on(&runtime, async {
                let mut sum = 0;
                for n in 0..ROUNDS {
                    let (send, receive) = oneshot::channel();
                    let task = spawn_local(home.keep(receive));
                    executor::spawn(async move { send.send(n % 2).unwrap() });
                    sum += task.await.unwrap().unwrap();
                }
                sum
            });
            assert_eq!((sum, home.drops()), (ROUNDS / 2, ROUNDS));
        });
    });
}

#[test]
fn a_thread_wakes_the_set_that_is_awaited_without_a_runtime() {
    within(60, || {
        for _ in 0..500 {
            let set = LocalSet::new();
            let (send, receive) = oneshot::channel::<()>();
            let task = set.spawn_local(async { Rc::new(receive.await) });
            let thread = thread::spawn(move || send.send(()).unwrap());
            block_on(set);
            assert!(block_on(task).unwrap().is_ok());
            thread.join().unwrap();
        }
    });
}

#[test]
fn a_task_spawned_from_outside_calls_whoever_polls_the_set() {
    within(30, || {
        let set = LocalSet::new();
        block_on(async {
            let mut beside = pin!(set.run_until(pending::<()>()));
            assert!(poll_once(beside.as_mut()).is_pending());
            let task = set.spawn_local(ready(3));
            let output = futures::future::select(task, beside).await;
            let futures::future::Either::Left((output, _)) = output else {
                unreachable!("pending")
            };
            assert_eq!(output.unwrap(), 3);
        });
    });
}

#[test]
fn of_several_futures_that_poll_the_set_one_may_leave_with_the_call() {
    within(30, || {
        let set = LocalSet::new();
        let (sends, receives): (Vec<_>, Vec<_>) = (0..4).map(|_| oneshot::channel()).unzip();
        let mut sends = sends.into_iter();
        sends.next().unwrap().send(()).unwrap();
        block_on(async {
            // Each has a waker of its own in there.
            let mut beside = FuturesUnordered::new();
            for (receive, next) in receives.into_iter().zip(sends.map(Some).chain([None])) {
                let set = &set;
                beside.push(set.run_until(async move {
                    receive.await.unwrap();
                    if let Some(next) = next {
                        // For whoever is left: this one is ready now, and polls the set no more.
                        set.spawn_local(async move {
                            yield_now().await;
                            next.send(()).unwrap();
                        });
                    }
                }));
            }
            let mut ready = 0;
            while beside.next().await.is_some() {
                ready += 1;
            }
            assert_eq!(ready, 4);
        });
    });
}

#[test]
fn tasks_that_are_always_ready_starve_nobody() {
    within(60, || {
        each_runtime(|runtime| {
            let set = LocalSet::new();
            for _ in 0..3 {
                set.spawn_local(async {
                    loop {
                        yield_now().await;
                    }
                });
            }
            set.block_on(&runtime, async {
                // Another kind of task, a timer, a wake from elsewhere, and the future itself.
                executor::spawn(async { yield_now().await }).await.unwrap();
                sleep(Duration::from_millis(1)).await;
                let (send, receive) = oneshot::channel();
                let task = spawn_local(receive);
                thread::spawn(move || send.send(1).unwrap());
                assert_eq!(task.await.unwrap().unwrap(), 1);
                yield_now().await;
            });
        });
    });
}

#[test]
fn a_poll_of_the_set_runs_a_bounded_number_in_order() {
    let (mut set, order) = (LocalSet::new(), Rc::new(RefCell::new(Vec::new())));
    for n in 0..200 {
        let order = order.clone();
        set.spawn_local(async move { order.borrow_mut().push(n) });
    }
    let (waker, wakes) = counting_waker();
    let poll = pin!(&mut set).poll(&mut Context::from_waker(&waker));
    assert!(poll.is_pending());
    let first = order.borrow().len();
    assert!((1..200).contains(&first), "{first} in the first poll");
    assert_eq!(wakes.load(SeqCst), 1);
    within(10, || block_on(set));
    assert_eq!(*order.borrow(), (0..200).collect::<Vec<_>>());
}

#[test]
fn a_panic_stays_in_its_task() {
    within(30, || {
        let (runtime, set, home) = (current_thread(), LocalSet::new(), Home::here());
        set.block_on(&runtime, async {
            let task: JoinHandle<()> = spawn_local(home.keep(async { panic!("no") }));
            let error = task.await.unwrap_err();
            assert!(error.is_panic() && error.to_string().contains("no"));
            spawn_local(home.keep(ready(()))).await.unwrap();
        });
        let beside = set.run_until(async { panic!("the future itself") });
        assert!(catch_unwind(AssertUnwindSafe(|| runtime.block_on(beside))).is_err());
        let task = set.spawn_local(home.keep(ready(())));
        set.block_on(&runtime, task).unwrap();
        assert_eq!(home.drops(), 3);
    });
}

#[test]
fn a_future_that_panics_beside_the_set_leaves_it_to_the_others_that_poll_it() {
    within(30, || {
        let set = LocalSet::new();
        let (send, receive) = oneshot::channel();
        let task = set.spawn_local(receive);
        let mut waits = Box::pin(set.run_until(task));
        let mut panics = Box::pin(set.run_until(async { panic!("on purpose") }));
        let (waker, calls) = counting_waker();
        assert!(
            waits
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        let poll = catch_unwind(AssertUnwindSafe(|| poll_once(panics.as_mut())));
        assert!(poll.is_err());
        let before = calls.load(SeqCst);
        send.send(7).unwrap();
        assert!(calls.load(SeqCst) > before, "nobody was called");
        // In its first poll the set runs the task, in its second it sees the handle's wake.
        let mut polls = (0..2).map(|_| poll_once(waits.as_mut()));
        let output = polls.find(Poll::is_ready);
        assert!(matches!(output, Some(Poll::Ready(Ok(Ok(7))))));
        // It stays where it is all the time, as in `join!`.
        drop(panics);
    });
}

#[test]
fn a_waker_of_whoever_polls_the_set_may_panic() {
    for place in [PanicIn::Wake, PanicIn::Drop] {
        let (mut set, home) = (LocalSet::new(), Home::here());
        let waker = panicking_waker(place);
        let (_task, wakes) = waiting(&mut set, &home);
        let poll = pin!(&mut set).poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
        // Here and elsewhere: the panic is not the caller's.
        wakes.wake_by_ref();
        let _ = pin!(&mut set).poll(&mut Context::from_waker(&waker));
        thread::spawn(move || wakes.wake()).join().unwrap();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(set)));
        assert_eq!(home.drops(), 1);
        let _ = catch_unwind(AssertUnwindSafe(|| drop(waker)));
    }
}

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn destructors_spawn_wake_and_panic_while_their_set_is_dropped() {
    let (mut set, home) = (LocalSet::new(), Home::here());
    let spawned = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..3 {
        let (_, waker) = waiting(&mut set, &home);
        let (home, spawned) = (home.clone(), spawned.clone());
        let destructor = OnDrop(move || {
            // Another task of the set, which may be dropped already.
            waker.wake_by_ref();
            let task = spawn_local(home.keep(pending::<()>()));
            assert!(task.is_finished());
            spawned.borrow_mut().push(task);
            panic!("in a destructor");
        });
        set.spawn_local(async move {
            let _destructor = destructor;
            pending::<()>().await;
        });
    }
    assert!(tick(&mut set).is_pending());
    drop(set);
    assert_eq!(home.drops(), 6);
    for task in spawned.take() {
        assert!(block_on(task).unwrap_err().is_cancelled());
    }
}

#[test]
fn a_destructor_sends_to_another_task_of_the_set() {
    let (mut set, home) = (LocalSet::new(), Home::here());
    let (send, receive) = oneshot::channel::<()>();
    let (last, end) = oneshot::channel::<()>();
    set.spawn_local(home.keep(async move {
        let _ = receive.await;
        unreachable!("polled while the set is dropped");
    }));
    set.spawn_local(home.keep(async move {
        let _ = end.await;
        drop(send);
        unreachable!("polled while the set is dropped");
    }));
    set.spawn_local(home.keep(async move {
        pending::<()>().await;
        drop(last);
    }));
    assert!(tick(&mut set).is_pending());
    drop(set);
    assert_eq!(home.drops(), 3);
}

#[test]
fn a_set_in_a_thread_local_is_dropped_with_its_thread() {
    thread_local! {
        static SET: RefCell<Option<LocalSet>> = const { RefCell::new(None) };
    }
    within(30, || {
        let (home, tasks) = thread::spawn(|| {
            let (mut set, home) = (LocalSet::new(), Home::here());
            let (task, waker) = waiting(&mut set, &home);
            let (other, _) = waiting(&mut set, &home);
            let destructor = OnDrop(move || {
                waker.wake_by_ref();
                assert!(spawn_local(async {}).is_finished());
            });
            set.spawn_local(async move {
                let _destructor = destructor;
                pending::<()>().await;
            });
            assert!(tick(&mut set).is_pending());
            SET.set(Some(set));
            (home, [task, other])
        })
        .join()
        .unwrap();
        assert_eq!(home.drops(), 2);
        for task in tasks {
            assert!(block_on(task).unwrap_err().is_cancelled());
        }
    });
}

#[test]
fn a_local_task_waits_for_another_set_and_for_its_own() {
    within(30, || {
        let runtime = current_thread();
        let set = Rc::new(LocalSet::new());
        let output = set.block_on(&runtime, async {
            let inner = set.clone();
            spawn_local(async move {
                let other = spawn_local(async {
                    yield_now().await;
                    1
                });
                // The set is being polled by what polls this task.
                inner.run_until(other).await.unwrap()
            })
            .await
            .unwrap()
        });
        assert_eq!(output, 1);
    });
}

#[test]
fn the_end_of_the_runtime_from_another_thread_leaves_local_tasks_to_their_thread() {
    within(60, || {
        for _ in 0..20 {
            let (runtime, home) = (workers(2), Home::here());
            let handle = runtime.handle().clone();
            let ended = Arc::new(AtomicUsize::new(0));
            let output = handle.block_on({
                let (home, ended) = (home.clone(), ended.clone());
                async move {
                    let set = LocalSet::new();
                    for _ in 0..10 {
                        let ended = ended.clone();
                        set.spawn_local(home.keep(async move {
                            sleep(Duration::from_secs(3600)).await;
                            ended.fetch_add(1, SeqCst);
                        }));
                    }
                    let abort = set.spawn_local(home.keep(pending::<()>())).abort_handle();
                    let (send, receive) = oneshot::channel();
                    thread::spawn(move || {
                        runtime.shutdown_background();
                        abort.abort();
                        send.send(7).unwrap();
                    });
                    set.run_until(receive).await.unwrap()
                }
            });
            assert_eq!(output, 7);
            assert_eq!(home.drops(), 11);
        }
    });
}
