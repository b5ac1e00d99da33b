//! `TaskTracker` and `CancellationToken`, by tokio-util's names.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::Ordering::SeqCst;
use std::task::Context;

use executor::sync::CancellationToken;
use executor::task::{TaskTracker, yield_now};

use crate::support::{
    Drops, PanicIn, counting_waker, each_runtime, panicking_waker, poll_once, within,
};

#[test]
fn wait_returns_when_the_tracker_is_closed_and_its_futures_are_gone() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let (tracker, drops) = (TaskTracker::new(), Drops::default());
                let token = CancellationToken::new();
                for _ in 0..10 {
                    let (value, token) = (drops.value(), token.clone());
                    tracker.spawn(async move {
                        let _value = value;
                        token.cancelled().await;
                    });
                }
                let aborted = tracker.spawn(pending::<()>());
                let closure = tracker.spawn_blocking(|| 7);
                assert_eq!(closure.await.unwrap(), 7);
                assert!(tracker.close() && !tracker.close());
                assert!(tracker.reopen() && !tracker.is_closed());
                let waits = tracker.clone();
                let waiting = executor::spawn(async move { waits.wait().await });
                yield_now().await;
                tracker.close();
                token.cancel();
                aborted.abort();
                waiting.await.unwrap();
                assert_eq!(drops.count(), 10);
                assert!(tracker.is_empty());
            });
        });
    });
}

#[test]
fn tokens_count_as_tasks_and_every_waiter_is_woken() {
    each_runtime(|runtime| {
        within(10, || {
            runtime.block_on(async {
                let tracker = TaskTracker::new();
                let (one, two) = (tracker.token(), tracker.token());
                assert_eq!(one.clone().task_tracker().len(), 3);
                tracker.close();
                let waiting: Vec<_> = (0..3)
                    .map(|_| {
                        let tracker = tracker.clone();
                        executor::spawn(async move { tracker.wait().await })
                    })
                    .collect();
                {
                    // One that gives up waiting leaves the others.
                    let mut gives_up = std::pin::pin!(tracker.wait());
                    assert!(futures::poll!(&mut gives_up).is_pending());
                }
                yield_now().await;
                drop((one, two));
                for task in waiting {
                    task.await.unwrap();
                }
            });
        });
    });
}

#[test]
fn who_waits_hears_also_of_a_moment_without_tasks() {
    let tracker = TaskTracker::new();
    let first = tracker.token();
    tracker.close();
    let mut wait = pin!(tracker.wait());
    assert!(poll_once(wait.as_mut()).is_pending());
    drop(first);
    let _second = tracker.token();
    assert!(poll_once(wait.as_mut()).is_ready());
    // Who comes now waits for that one.
    assert!(poll_once(pin!(tracker.wait())).is_pending());
}

#[test]
fn a_waker_that_panics_keeps_nobody_else_asleep() {
    let tracker = TaskTracker::new();
    let token = tracker.token();
    tracker.close();
    let (mut first, mut second) = (Box::pin(tracker.wait()), Box::pin(tracker.wait()));
    let hostile = panicking_waker(PanicIn::Wake);
    let (waker, wakes) = counting_waker();
    let mut cx = Context::from_waker(&hostile);
    assert!(first.as_mut().poll(&mut cx).is_pending());
    let mut cx = Context::from_waker(&waker);
    assert!(second.as_mut().poll(&mut cx).is_pending());
    // Here the panic must not come out either.
    drop(token);
    assert_eq!(wakes.load(SeqCst), 1);
    assert!(second.as_mut().poll(&mut cx).is_ready());
}
