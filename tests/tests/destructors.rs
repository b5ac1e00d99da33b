//! What a future's destructor may do, wherever it runs: in the task, at an abort, at the end of the runtime.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use executor::runtime::{Handle, Runtime};
use executor::time::sleep;

use crate::support::{Drops, each_runtime, thread_names, within};

/// Calls a function when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Spawns three tasks that own what `make` makes: one ends, one is aborted, one lives until the runtime ends.
fn dropped_three_ways<D: Send + 'static>(runtime: Runtime, make: impl Fn() -> D) {
    let spawn = |ends: bool| {
        let value = make();
        runtime.spawn(async move {
            let _value = value;
            executor::task::yield_now().await;
            if !ends {
                pending::<()>().await;
            }
        })
    };
    let (ends, aborted, left) = (spawn(true), spawn(false), spawn(false));
    runtime.block_on(ends).unwrap();
    aborted.abort();
    assert!(runtime.block_on(aborted).unwrap_err().is_cancelled());
    drop(runtime);
    let answer = crate::support::block_on(left);
    assert!(answer.unwrap_err().is_cancelled());
}

#[test]
fn a_destructor_spawns_and_its_tasks_are_dropped_once() {
    within(60, || {
        each_runtime(|runtime| {
            let (drops, spawned) = (Drops::default(), Arc::new(AtomicUsize::new(0)));
            dropped_three_ways(runtime, || {
                let (drops, spawned) = (drops.clone(), spawned.clone());
                OnDrop(move || {
                    let value = drops.value();
                    spawned.fetch_add(1, SeqCst);
                    drop(executor::spawn(async move {
                        let _value = value;
                        pending::<()>().await;
                    }));
                })
            });
            assert_eq!((spawned.load(SeqCst), drops.count()), (3, 3));
        });
    });
}

#[test]
fn a_destructor_is_in_its_own_runtime_also_at_shutdown() {
    within(60, || {
        each_runtime(|runtime| {
            let (send, found) = channel();
            let flavor = runtime.handle().runtime_flavor();
            dropped_three_ways(runtime, || {
                let send: Sender<_> = send.clone();
                OnDrop(move || {
                    send.send(Handle::try_current().map(|handle| handle.runtime_flavor()))
                        .unwrap()
                })
            });
            for _ in 0..3 {
                assert_eq!(
                    found.recv().unwrap().expect("outside of any runtime"),
                    flavor
                );
            }
        });
    });
}

#[test]
fn a_destructor_at_shutdown_does_not_start_the_default_runtime() {
    crate::support::child(
        "destructors::a_destructor_at_shutdown_does_not_start_the_default_runtime",
        || {
            each_runtime(|runtime| {
                dropped_three_ways(runtime, || {
                    OnDrop(|| {
                        drop(executor::spawn(pending::<()>()));
                        drop(executor::task::spawn_blocking(|| ()));
                        drop(sleep(Duration::from_secs(1)));
                    })
                });
            });
            let names = thread_names();
            assert!(
                !names.iter().any(|name| name.starts_with("executor-defaul")),
                "{names:?}"
            );
        },
    );
}

#[test]
fn a_destructor_makes_and_polls_timers() {
    within(60, || {
        each_runtime(|runtime| {
            dropped_three_ways(runtime, || {
                OnDrop(|| {
                    let mut sleep = Box::pin(sleep(Duration::from_secs(3600)));
                    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                    // At shutdown the poll may panic: the runtime is gone. That must be all that happens.
                    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        assert!(sleep.as_mut().poll(&mut context).is_pending());
                    }));
                })
            });
        });
    });
}

#[test]
fn a_destructor_locks_what_the_tasks_lock() {
    within(60, || {
        each_runtime(|runtime| {
            let lock = Arc::new(Mutex::new(0));
            let make = lock.clone();
            dropped_three_ways(runtime, move || {
                let lock = make.clone();
                OnDrop(move || *lock.lock().unwrap() += 1)
            });
            assert_eq!(*lock.lock().unwrap(), 3);
        });
    });
}

#[test]
fn a_destructor_wakes_and_aborts_other_tasks() {
    within(60, || {
        each_runtime(|runtime| {
            let drops = Drops::default();
            let mut aborters = Vec::new();
            // Each task aborts the one before it when it is dropped, and wakes the one after it.
            let mut wake_next = None;
            for _ in 0..1000 {
                let (send, receive) = futures::channel::oneshot::channel::<()>();
                let value = (drops.value(), aborters.pop(), wake_next.replace(send));
                let value = OnDrop({
                    let mut value = Some(value);
                    move || {
                        let (_count, abort, wake) = value.take().unwrap();
                        if let Some(abort) = abort {
                            let abort: executor::task::AbortHandle = abort;
                            abort.abort();
                        }
                        wake.map(|wake: futures::channel::oneshot::Sender<()>| wake.send(()));
                    }
                });
                let handle = runtime.spawn(async move {
                    let _value = value;
                    let _ = receive.await;
                    pending::<()>().await;
                });
                aborters.push(handle.abort_handle());
            }
            drop(runtime);
            assert_eq!(drops.count(), 1000);
        });
    });
}

#[test]
fn a_destructor_that_holds_the_last_runtime_handle_is_harmless() {
    within(60, || {
        each_runtime(|runtime| {
            let handle = runtime.handle().clone();
            let task = runtime.spawn(async move {
                let _handle = handle;
                pending::<()>().await;
            });
            drop(runtime);
            assert!(crate::support::block_on(task).unwrap_err().is_cancelled());
        });
    });
}

/// Lists of waiters wake under their lock, and a waiting future takes itself off when it is dropped: so do mutexes and channels of several crates.
#[test]
fn who_wakes_under_a_lock_while_the_runtime_ends_does_not_run_destructors_that_take_it() {
    struct Waiter(Arc<Mutex<Option<Waker>>>);
    impl Future for Waiter {
        type Output = ();
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            *self.0.lock().unwrap() = Some(cx.waker().clone());
            Poll::Pending
        }
    }
    impl Drop for Waiter {
        fn drop(&mut self) {
            self.0.lock().unwrap().take();
        }
    }
    within(60, || {
        each_runtime(|runtime| {
            let place = Arc::new(Mutex::new(None));
            let (closing, is_closing) = channel();
            let (woken, is_woken) = channel::<()>();
            let waiting = runtime.spawn(Waiter(place.clone()));
            let last = OnDrop(move || {
                let _ = closing.send(());
                // Until the other one is woken. If it was not dropped before, it is idle as long as this runs: who drains is here.
                let _ = is_woken.recv();
            });
            drop(runtime.spawn(async move {
                let _last = last;
                pending::<()>().await;
            }));
            while place.lock().unwrap().is_none() {
                runtime.block_on(executor::task::yield_now());
            }
            let waker = std::thread::spawn(move || {
                is_closing.recv().unwrap();
                let place = place.lock().unwrap();
                if let Some(waker) = &*place {
                    waker.wake_by_ref();
                }
                drop(place);
                drop(woken);
            });
            drop(runtime);
            waker.join().unwrap();
            let answer = crate::support::block_on(waiting);
            assert!(answer.unwrap_err().is_cancelled());
        });
    });
}

#[test]
fn what_a_runtime_that_has_ended_refuses_is_dropped_in_it() {
    crate::support::child(
        "destructors::what_a_runtime_that_has_ended_refuses_is_dropped_in_it",
        || {
            each_runtime(|runtime| {
                let handle = runtime.handle().clone();
                drop(runtime);
                let spawns = || OnDrop(|| drop(executor::spawn(pending::<()>())));
                let value = spawns();
                let refused = handle.spawn(async move { drop(value) });
                assert!(
                    crate::support::block_on(refused)
                        .unwrap_err()
                        .is_cancelled()
                );
                let value = spawns();
                let refused = handle.spawn_blocking(move || drop(value));
                assert!(crate::support::block_on(refused).is_err());
            });
            let names = thread_names();
            assert!(
                !names.iter().any(|name| name.starts_with("executor-defaul")),
                "{names:?}"
            );
        },
    );
}
