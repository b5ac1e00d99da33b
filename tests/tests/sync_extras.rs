//! Event, condition variable, barrier and limiter: what each lets go on, in which order, and what its blocking forms do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;
use std::thread;

use executor::sync::{
    AlreadyBorrows, BarrierBroken, BreakableBarrier, CapacityLimiter, Condvar, Event, Mutex,
    TryBorrowError,
};
use executor::task;

use crate::support::{
    PanicIn, block_on, counting_waker, current_thread, each_runtime, panicking_waker, poll_once,
    within, workers,
};

#[test]
fn an_event_lets_all_go_on_as_long_as_it_is_set() {
    let event = Event::new();
    let (mut first, mut second) = (pin!(event.wait()), pin!(event.wait()));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    event.set();
    assert!(event.is_set());
    assert!(poll_once(pin!(event.wait())).is_ready());
    event.clear();
    assert!(!event.is_set());
    assert!(
        poll_once(first.as_mut()).is_ready(),
        "who waited goes on though it was cleared"
    );
    assert!(poll_once(second.as_mut()).is_ready());
    assert!(poll_once(pin!(event.wait())).is_pending());
}

#[test]
fn an_event_wakes_the_waker_of_the_last_poll() {
    let event = Event::new();
    let (old, old_wakes) = counting_waker();
    let (new, new_wakes) = counting_waker();
    let mut wait = pin!(event.wait());
    for waker in [&old, &new, &new] {
        let mut cx = std::task::Context::from_waker(waker);
        assert!(wait.as_mut().poll(&mut cx).is_pending());
    }
    event.set();
    assert_eq!((old_wakes.load(SeqCst), new_wakes.load(SeqCst)), (0, 1));
}

#[test]
fn a_waker_that_panics_keeps_nobody_asleep() {
    let event = Event::new();
    let (waker, wakes) = counting_waker();
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(event.wait())).collect();
    let bad = panicking_waker(PanicIn::Wake);
    for (wait, waker) in waits.iter_mut().zip([&waker, &bad, &waker]) {
        let mut cx = std::task::Context::from_waker(waker);
        assert!(wait.as_mut().poll(&mut cx).is_pending());
    }
    event.set();
    assert_eq!(wakes.load(SeqCst), 2);
}

#[test]
fn a_condvar_gives_the_lock_back_and_takes_it_again() {
    within(60, || {
        each_runtime(|runtime| {
            let shared = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
            let consumer = runtime.spawn({
                let shared = shared.clone();
                async move {
                    let mut got = Vec::new();
                    let mut items = shared.0.lock().await;
                    while got.len() < 100 {
                        items = shared.1.wait_for(items, |items| !items.is_empty()).await;
                        got.append(&mut items);
                    }
                    got
                }
            });
            runtime.block_on(async {
                for n in 0..100 {
                    shared.0.lock().await.push(n);
                    shared.1.notify_one();
                    if n % 7 == 0 {
                        task::yield_now().await;
                    }
                }
                assert_eq!(consumer.await.unwrap(), (0..100).collect::<Vec<_>>());
            });
        });
    });
}

#[test]
fn notify_one_wakes_in_order_and_is_not_kept() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    condvar.notify_one();
    condvar.notify_all();
    let wait = || Box::pin(condvar.wait(mutex.try_lock().unwrap()));
    let mut waits = Vec::new();
    for _ in 0..3 {
        let mut wait = wait();
        assert!(
            poll_once(wait.as_mut()).is_pending(),
            "earlier calls were not kept"
        );
        waits.push(wait);
    }
    condvar.notify_one();
    let woken: Vec<_> = waits
        .iter_mut()
        .map(|wait| poll_once(wait.as_mut()).is_ready())
        .collect();
    assert_eq!(woken, [true, false, false]);
    condvar.notify_all();
    assert!(
        waits[1..]
            .iter_mut()
            .all(|wait| poll_once(wait.as_mut()).is_ready())
    );
}

#[test]
fn a_call_whose_receiver_is_dropped_goes_to_the_next() {
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let mut first = Box::pin(condvar.wait(mutex.try_lock().unwrap()));
    assert!(poll_once(first.as_mut()).is_pending());
    let mut second = Box::pin(condvar.wait(mutex.try_lock().unwrap()));
    assert!(poll_once(second.as_mut()).is_pending());
    let mut third = Box::pin(condvar.wait(mutex.try_lock().unwrap()));
    assert!(poll_once(third.as_mut()).is_pending());

    condvar.notify_one();
    drop(first);
    // Woken, it waits for the lock: dropped there, it has not gone on either.
    let held = mutex.try_lock().unwrap();
    assert!(poll_once(second.as_mut()).is_pending());
    drop(second);
    drop(held);
    assert!(poll_once(third.as_mut()).is_ready());

    // What all were told, nobody is told again.
    let mut fourth = Box::pin(condvar.wait(mutex.try_lock().unwrap()));
    assert!(poll_once(fourth.as_mut()).is_pending());
    condvar.notify_all();
    let mut fifth = Box::pin(condvar.wait(mutex.try_lock().unwrap()));
    assert!(poll_once(fifth.as_mut()).is_pending());
    drop(fourth);
    assert!(poll_once(fifth.as_mut()).is_pending());
}

#[test]
fn a_barrier_lets_each_full_round_go_on_with_its_places() {
    within(60, || {
        each_runtime(|runtime| {
            let barrier = Arc::new(BreakableBarrier::new(3));
            let leaders = Arc::new(AtomicUsize::new(0));
            let tasks: Vec<_> = (0..3)
                .map(|_| {
                    let (barrier, leaders) = (barrier.clone(), leaders.clone());
                    runtime.spawn(async move {
                        for _ in 0..100 {
                            if barrier.wait().await.unwrap() == 0 {
                                leaders.fetch_add(1, SeqCst);
                            }
                        }
                    })
                })
                .collect();
            for task in tasks {
                runtime.block_on(task).unwrap();
            }
            assert_eq!(leaders.load(SeqCst), 100, "one in each round");
            assert_eq!((barrier.parties(), barrier.waiting()), (3, 0));
        });
    });
}

#[test]
fn a_barrier_that_is_reset_or_broken_sends_away_who_waits() {
    let barrier = BreakableBarrier::new(2);
    let mut waits = pin!(barrier.wait());
    assert!(poll_once(waits.as_mut()).is_pending());
    barrier.reset();
    assert_eq!(poll_once(waits.as_mut()), Poll::Ready(Err(BarrierBroken)));

    let mut waits = pin!(barrier.wait());
    assert!(poll_once(waits.as_mut()).is_pending(), "it is whole again");
    barrier.abort();
    assert_eq!(poll_once(waits.as_mut()), Poll::Ready(Err(BarrierBroken)));
    assert!(barrier.is_broken());
    assert_eq!(
        poll_once(pin!(barrier.wait())),
        Poll::Ready(Err(BarrierBroken))
    );

    barrier.reset();
    assert!(!barrier.is_broken());
    let mut waits = pin!(barrier.wait());
    assert!(poll_once(waits.as_mut()).is_pending());
    assert_eq!(poll_once(pin!(barrier.wait())), Poll::Ready(Ok(1)));
    barrier.reset();
    assert_eq!(
        poll_once(waits.as_mut()),
        Poll::Ready(Ok(0)),
        "the round was over before"
    );
}

#[test]
fn who_leaves_a_barrier_does_not_count() {
    let barrier = BreakableBarrier::new(3);
    let mut first = Box::pin(barrier.wait());
    let mut second = Box::pin(barrier.wait());
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    drop(first);
    assert_eq!(barrier.waiting(), 1);
    let mut third = Box::pin(barrier.wait());
    assert!(poll_once(third.as_mut()).is_pending());
    assert_eq!(poll_once(pin!(barrier.wait())), Poll::Ready(Ok(2)));
    drop(second);
    assert_eq!(poll_once(third.as_mut()), Poll::Ready(Ok(1)));
}

#[test]
fn a_limiter_lends_to_each_borrower_once_and_in_order() {
    let limiter = CapacityLimiter::<&str>::new(1);
    let token = limiter.try_acquire_for("a").unwrap();
    assert_eq!(*token.borrower(), "a");
    let refused = limiter.try_acquire_for("a").unwrap_err();
    assert_eq!(refused, TryBorrowError::AlreadyBorrows);
    assert_eq!(
        poll_once(pin!(limiter.acquire_for("a"))).map(|token| token.unwrap_err()),
        Poll::Ready(AlreadyBorrows)
    );
    let refused = limiter.try_acquire_for("b").unwrap_err();
    assert_eq!(refused, TryBorrowError::NoTokens);

    let mut second = Box::pin(limiter.acquire_for("b"));
    let mut third = Box::pin(limiter.acquire_for("c"));
    assert!(poll_once(second.as_mut()).is_pending());
    assert!(poll_once(third.as_mut()).is_pending());
    assert_eq!(limiter.statistics().tasks_waiting, 2);
    drop(token);
    assert_eq!(
        limiter.try_acquire_for("d").unwrap_err(),
        TryBorrowError::NoTokens,
        "it is for who was called"
    );
    assert!(poll_once(third.as_mut()).is_pending());
    drop(second);
    let Poll::Ready(Ok(token)) = poll_once(third.as_mut()) else {
        panic!("the token of the one that left is the next one's");
    };
    assert_eq!(limiter.statistics().borrowers, ["c"]);
    drop(token);
    assert_eq!(
        (limiter.borrowed_tokens(), limiter.available_tokens()),
        (0, 1)
    );
}

#[test]
fn a_limiter_that_is_changed_calls_more_or_waits_for_fewer() {
    let limiter = CapacityLimiter::<u32>::new(0);
    let mut waits: Vec<_> = (0..4).map(|n| Box::pin(limiter.acquire_for(n))).collect();
    for wait in &mut waits {
        assert!(poll_once(wait.as_mut()).is_pending());
    }
    limiter.set_total_tokens(2);
    let mut tokens: Vec<_> = waits
        .iter_mut()
        .map(|wait| poll_once(wait.as_mut()))
        .filter_map(|poll| match poll {
            Poll::Ready(token) => Some(token.unwrap()),
            Poll::Pending => None,
        })
        .collect();
    assert_eq!(tokens.len(), 2);
    limiter.set_total_tokens(1);
    assert_eq!((limiter.total_tokens(), limiter.available_tokens()), (1, 0));
    tokens.pop();
    assert!(poll_once(waits[2].as_mut()).is_pending());
    tokens.pop();
    assert!(poll_once(waits[2].as_mut()).is_ready());
}

#[test]
fn a_task_that_would_wait_for_its_own_token_is_told() {
    let runtime = workers(2);
    let limiter = Arc::new(CapacityLimiter::new(5));
    let task = runtime.spawn({
        let limiter = limiter.clone();
        async move {
            let _token = limiter.acquire().await.unwrap();
            assert_eq!(*_token.borrower(), task::id());
            limiter.acquire().await.unwrap_err()
        }
    });
    assert_eq!(runtime.block_on(task).unwrap(), AlreadyBorrows);
    assert_eq!(limiter.borrowed_tokens(), 0);
}

#[test]
fn blocking_forms_need_no_runtime_and_hold_no_worker() {
    within(60, || {
        let event = Arc::new(Event::new());
        let limiter = Arc::new(CapacityLimiter::<u32>::new(1));
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let barrier = Arc::new(BreakableBarrier::new(2));
        let wait = {
            let (event, limiter) = (event.clone(), limiter.clone());
            let (shared, barrier) = (shared.clone(), barrier.clone());
            move || {
                event.blocking_wait();
                let guard = shared.0.blocking_lock();
                drop(shared.1.blocking_wait_for(guard, |set| *set));
                drop(limiter.blocking_acquire_for(1).unwrap());
                barrier.blocking_wait().unwrap()
            }
        };
        let go_on = move || {
            let (event, shared, barrier) = (event.clone(), shared.clone(), barrier.clone());
            async move {
                event.set();
                *shared.0.lock().await = true;
                shared.1.notify_all();
                barrier.wait().await.unwrap();
                event.clear();
                *shared.0.lock().await = false;
            }
        };
        let thread = thread::spawn(wait.clone());
        block_on(go_on());
        thread.join().unwrap();

        // One worker, which goes on with what the blocked task waits for.
        for runtime in [workers(1), current_thread()] {
            let wait = wait.clone();
            let blocked = runtime.spawn(async move { wait() });
            let other = runtime.spawn(go_on());
            runtime.block_on(blocked).unwrap();
            runtime.block_on(other).unwrap();
        }
    });
}

#[test]
fn a_task_that_never_has_to_wait_lets_others_run() {
    within(60, || {
        let runtime = current_thread();
        let queue = executor::sync::mpmc::Queue::bounded(1);
        runtime.block_on(async {
            let stop = Arc::new(Event::new());
            let endless = executor::spawn({
                let stop = stop.clone();
                async move {
                    while !stop.is_set() {
                        queue.push(()).await.unwrap();
                        queue.pop().await.unwrap();
                    }
                }
            });
            executor::spawn(async move { stop.set() }).await.unwrap();
            endless.await.unwrap();
        });
    });
}

/// Waits that are given up after a few polls: a call that is lost with one of them leaves somebody asleep for ever.
#[test]
fn a_condvar_and_a_limiter_lose_nothing_when_waits_are_dropped_at_random() {
    within(120, || {
        let runtime = workers(2);
        let shared = Arc::new((Mutex::new(0_u32), Condvar::new()));
        let limiter = Arc::new(CapacityLimiter::<u32>::new(2));
        let consumers: Vec<_> = (0..6_u32)
            .map(|k| {
                let (shared, limiter) = (shared.clone(), limiter.clone());
                runtime.spawn(async move {
                    let (mut random, mut got) = (k + 1, 0);
                    while got < 500 {
                        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let polls = (random >> 16) % 5;
                        let take = async {
                            let _token = limiter.acquire_for(k).await.unwrap();
                            let items = shared.0.lock().await;
                            *shared.1.wait_for(items, |items| *items > 0).await -= 1;
                        };
                        got += u32::from(give_up_after(polls, take).await);
                    }
                })
            })
            .collect();
        let producer = runtime.spawn(async move {
            for n in 0..3000 {
                *shared.0.lock().await += 1;
                shared.1.notify_one();
                if n % 3 == 0 {
                    task::yield_now().await;
                }
            }
        });
        runtime.block_on(async {
            producer.await.unwrap();
            for consumer in consumers {
                consumer.await.unwrap();
            }
        });
        assert_eq!(limiter.borrowed_tokens(), 0);
    });
}

/// Waits for the last of so many polls, or to the end without a limit if there are none. True: it was ready.
async fn give_up_after(polls: u32, future: impl Future<Output = ()>) -> bool {
    let mut future = pin!(future);
    if polls == 0 {
        future.await;
        return true;
    }
    for _ in 0..polls {
        let poll = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx)));
        if poll.await.is_ready() {
            return true;
        }
        task::yield_now().await;
    }
    false
}
