//! Wakers that panic: the others are woken all the same, and the runtime goes on.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Waker};
use std::time::Duration;

use executor::time::{Sleep, sleep};
use futures::channel::oneshot;

use crate::support::{
    PanicIn, assert_usable, block_on, counting_waker, in_time, pair_with_std, panicking_waker,
    until, within, workers,
};

const PLACES: [PanicIn; 3] = [PanicIn::Wake, PanicIn::Clone, PanicIn::Drop];

/// Polls with a waker that may panic in its clone, and in its drop. True: it waits.
fn poll_with<F: Future + Unpin>(future: &mut F, waker: &Waker) -> bool {
    let poll = catch_unwind(AssertUnwindSafe(|| {
        Pin::new(future)
            .poll(&mut Context::from_waker(waker))
            .is_pending()
    }));
    poll.unwrap_or(false)
}

/// A waker that panics in its drop must not do so at the end of a test.
fn hostile(place: PanicIn) -> std::mem::ManuallyDrop<Waker> {
    std::mem::ManuallyDrop::new(panicking_waker(place))
}

#[test]
fn a_handle_with_a_panicking_waker_harms_nobody() {
    within(60, || {
        for place in PLACES {
            let runtime = workers(2);
            let waker = hostile(place);
            let (gates, mut handles): (Vec<_>, Vec<_>) = (0..10)
                .map(|_| {
                    let (gate, wait) = oneshot::channel::<()>();
                    (gate, runtime.spawn(wait))
                })
                .unzip();
            let (good, count) = counting_waker();
            for (n, handle) in handles.iter_mut().enumerate() {
                poll_with(handle, if n % 2 == 0 { &waker } else { &good });
            }
            gates.into_iter().for_each(|gate| gate.send(()).unwrap());
            until(|| count.load(SeqCst) == 5);
            for mut handle in handles {
                // With a new waker, which replaces the hostile one.
                let answer = catch_unwind(AssertUnwindSafe(|| block_on(&mut handle)));
                answer.unwrap().unwrap().unwrap();
                let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
            }
            assert_usable(&runtime);
        }
    });
}

#[test]
fn a_sleep_with_a_panicking_waker_harms_nobody() {
    within(60, || {
        for place in PLACES {
            let runtime = workers(2);
            let waker = hostile(place);
            let (good, count) = counting_waker();
            let guard = runtime.enter();
            let mut sleeps = Vec::<Pin<Box<Sleep>>>::new();
            let mut good_ones = 0;
            // On a busy machine some are over before they are polled: those wake nobody.
            in_time(|time| {
                let waiting = good_ones;
                for n in 0..10 {
                    let mut sleep = Box::pin(sleep(time / 2));
                    let is_good = n % 2 == 1;
                    let waits = poll_with(&mut sleep, if is_good { &good } else { &waker });
                    good_ones += usize::from(is_good && waits);
                    sleeps.push(sleep);
                }
                good_ones > waiting
            });
            drop(guard);
            until(|| count.load(SeqCst) == good_ones);
            for sleep in sleeps {
                let _ = catch_unwind(AssertUnwindSafe(|| drop(sleep)));
            }
            assert_usable(&runtime);
        }
    });
}

#[test]
fn dropping_a_waiting_sleep_with_a_panicking_waker_harms_nobody() {
    within(60, || {
        let runtime = workers(1);
        let waker = hostile(PanicIn::Drop);
        let guard = runtime.enter();
        for _ in 0..10 {
            let mut sleep = Box::pin(sleep(Duration::from_secs(3600)));
            poll_with(&mut sleep, &waker);
            assert!(catch_unwind(AssertUnwindSafe(|| drop(sleep))).is_err());
        }
        drop(guard);
        assert_usable(&runtime);
    });
}

#[test]
fn a_runtime_that_ends_wakes_past_panicking_wakers() {
    within(60, || {
        let runtime = workers(1);
        let waker = hostile(PanicIn::Wake);
        let (good, count) = counting_waker();
        let guard = runtime.enter();
        let mut sleeps: Vec<_> = (0..10)
            .map(|_| Box::pin(sleep(Duration::from_secs(3600))))
            .collect();
        let mut tasks: Vec<_> = (0..10).map(|_| executor::spawn(pending::<()>())).collect();
        for n in 0..10 {
            let waker = if n % 2 == 0 { &*waker } else { &good };
            poll_with(&mut sleeps[n], waker);
            poll_with(&mut tasks[n], waker);
        }
        drop(guard);
        drop(runtime);
        assert_eq!(count.load(SeqCst), 10);
    });
}

#[test]
fn readiness_with_a_panicking_waker_harms_nobody() {
    within(60, || {
        for place in PLACES {
            let runtime = workers(2);
            let waker = hostile(place);
            let (good, count) = counting_waker();
            let pairs: Vec<_> = runtime.block_on(async {
                let mut pairs = Vec::new();
                for _ in 0..10 {
                    pairs.push(pair_with_std().await);
                }
                pairs
            });
            for (n, (socket, _)) in pairs.iter().enumerate() {
                let waker = if n % 2 == 0 { &*waker } else { &good };
                poll_with(
                    &mut std::future::poll_fn(|context| socket.poll_read_ready(context)),
                    waker,
                );
            }
            for (_, peer) in &pairs {
                std::io::Write::write_all(&mut &*peer, b"x").unwrap();
            }
            until(|| count.load(SeqCst) == 5);
            for (socket, _) in pairs {
                let mut byte = [0];
                assert_eq!(
                    runtime
                        .block_on(async {
                            socket.readable().await?;
                            socket.try_read(&mut byte)
                        })
                        .unwrap(),
                    1
                );
                let _ = catch_unwind(AssertUnwindSafe(|| drop(socket)));
            }
            assert_usable(&runtime);
        }
    });
}
