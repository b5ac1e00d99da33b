//! Timers on the real clock: moved, reset, dropped, outliving their runtime, and very many of them.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use executor::time::{Instant, Sleep, interval, sleep, timeout};

use crate::support::{
    assert_usable, block_on, counting_waker, each_runtime, until, within, workers,
};

const HOUR: Duration = Duration::from_secs(3600);

fn poll(sleep: &mut Pin<Box<Sleep>>, waker: &Waker) -> bool {
    sleep
        .as_mut()
        .poll(&mut Context::from_waker(waker))
        .is_ready()
}

#[test]
fn reset_moves_a_timer_before_and_after_it_fired() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let mut timer = Box::pin(sleep(HOUR));
                let millisecond = Duration::from_millis(1);
                for _ in 0..3 {
                    assert!(!poll(&mut timer, Waker::noop()) && !timer.is_elapsed());
                    let deadline = Instant::now() + millisecond;
                    timer.as_mut().reset(deadline);
                    assert_eq!(timer.deadline(), deadline);
                    timer.as_mut().await;
                    assert!(timer.is_elapsed() && Instant::now() >= deadline);
                    timer.as_mut().reset(Instant::now() + HOUR);
                    assert!(!timer.is_elapsed());
                }
            });
        });
    });
}

#[test]
fn a_task_that_waits_is_woken_at_the_earlier_time_that_another_sets() {
    within(60, || {
        each_runtime(|runtime| {
            let guard = runtime.enter();
            // To a time that is to come, and to one that has passed.
            for wait in [Duration::from_millis(1), Duration::ZERO] {
                let mut timer = Box::pin(sleep(HOUR));
                let (waker, woken) = counting_waker();
                assert!(!poll(&mut timer, &waker));
                timer.as_mut().reset(Instant::now() + wait);
                // The current-thread flavour fires its timers while it is driven.
                runtime.block_on(async {
                    while woken.load(SeqCst) == 0 {
                        sleep(Duration::from_micros(100)).await;
                    }
                });
                assert!(poll(&mut timer, &waker));
            }
            drop(guard);
        });
    });
}

#[test]
fn the_task_that_polled_last_is_woken() {
    within(60, || {
        each_runtime(|runtime| {
            let guard = runtime.enter();
            let mut timer = Box::pin(sleep(Duration::from_millis(30)));
            let ((first, first_count), (last, last_count)) = (counting_waker(), counting_waker());
            if poll(&mut timer, &first) || poll(&mut timer, &last) {
                return; // A very slow machine.
            }
            drop(guard);
            until(|| {
                runtime.block_on(sleep(Duration::from_millis(1)));
                last_count.load(SeqCst) == 1
            });
            assert_eq!(first_count.load(SeqCst), 0);
            assert!(poll(&mut timer, Waker::noop()) && timer.is_elapsed());
        });
    });
}

#[test]
fn a_timer_moves_between_tasks_threads_and_runtimes() {
    within(60, || {
        let (a, b) = (workers(2), workers(1));
        let timer = a.block_on(async {
            let mut timer = Box::pin(sleep(Duration::from_millis(20)));
            poll(&mut timer, Waker::noop());
            Arc::new(Mutex::new(Some(timer)))
        });
        let moved = timer.clone();
        b.block_on(b.spawn(async move {
            poll(moved.lock().unwrap().as_mut().unwrap(), Waker::noop());
        }))
        .unwrap();
        let timer = timer.lock().unwrap().take().unwrap();
        thread::spawn(|| block_on(timer)).join().unwrap();
    });
}

#[test]
fn a_timer_is_dropped_on_another_thread_while_it_fires() {
    within(60, || {
        let runtime = workers(2);
        let _entered = runtime.enter();
        for round in 0..200 {
            let (waker, _) = counting_waker();
            let timers: Vec<_> = (0..50)
                .map(|n| {
                    let mut timer = Box::pin(sleep(Duration::from_micros(100 + n * round % 300)));
                    let _ = poll(&mut timer, &waker);
                    timer
                })
                .collect();
            thread::scope(|scope| {
                scope.spawn(|| {
                    for timer in timers {
                        std::hint::spin_loop();
                        drop(timer);
                    }
                });
            });
        }
        drop(_entered);
        assert_usable(&runtime);
    });
}

#[test]
fn a_million_sleeps_are_made_polled_and_dropped() {
    within(120, || {
        let runtime = workers(1);
        runtime
            .block_on(runtime.spawn(async {
                for n in 0..1000u64 {
                    let mut timers: Vec<_> = (0..1000)
                        .map(|k| sleep(HOUR + Duration::from_micros(n * 7919 + k * k)))
                        .collect();
                    for timer in &mut timers {
                        // SAFETY: the vector is neither moved in nor grown until it is dropped.
                        let timer = unsafe { Pin::new_unchecked(timer) };
                        assert!(
                            timer
                                .poll(&mut Context::from_waker(Waker::noop()))
                                .is_pending()
                        );
                    }
                }
            }))
            .unwrap();
        assert_usable(&runtime);
    });
}

#[test]
fn a_hundred_thousand_timers_of_one_instant_all_fire() {
    within(120, || {
        each_runtime(|runtime| {
            let fired = Arc::new(AtomicUsize::new(0));
            let deadline = Instant::now() + Duration::from_millis(300);
            runtime.block_on(async {
                let tasks: Vec<_> = (0..100_000)
                    .map(|_| {
                        let fired = fired.clone();
                        executor::spawn(async move {
                            executor::time::sleep_until(deadline).await;
                            assert!(Instant::now() >= deadline);
                            fired.fetch_add(1, SeqCst);
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            });
            assert_eq!(fired.load(SeqCst), 100_000);
        });
    });
}

#[test]
fn a_near_timer_is_heard_by_a_worker_that_sleeps_until_a_far_one() {
    within(60, || {
        let runtime = workers(2);
        let _far: Vec<_> = (0..2).map(|_| runtime.spawn(sleep(HOUR))).collect();
        for n in 0..200 {
            // Made on this thread, registered by it: the workers only learn of it by the alarm.
            runtime.block_on(sleep(Duration::from_micros(50 * n)));
        }
    });
}

#[test]
fn a_sleep_that_outlives_its_runtime_panics_with_a_text() {
    within(60, || {
        each_runtime(|runtime| {
            let (waker, count) = counting_waker();
            let guard = runtime.enter();
            let (mut waiting, mut fresh) = (Box::pin(sleep(HOUR)), Box::pin(sleep(HOUR)));
            let (past, mut ticks) = (sleep(Duration::ZERO), interval(HOUR));
            let mut limited = Box::pin(timeout(HOUR, std::future::pending::<()>()));
            assert!(!poll(&mut waiting, &waker));
            drop(guard);
            drop(runtime);
            assert_eq!(count.load(SeqCst), 1, "it would wait for ever");
            let text = |poll: &mut dyn FnMut()| {
                let panic = catch_unwind(AssertUnwindSafe(poll)).unwrap_err();
                *panic.downcast::<&str>().unwrap()
            };
            let mut context = Context::from_waker(Waker::noop());
            for text in [
                text(&mut || assert!(!poll(&mut waiting, &waker))),
                text(&mut || assert!(!poll(&mut fresh, &waker))),
                text(&mut || drop(limited.as_mut().poll(&mut context))),
            ] {
                assert!(
                    text.contains("shut down") && text.contains("inside the runtime"),
                    "{text}"
                );
            }
            // What is due needs no runtime.
            block_on(past);
            assert!(matches!(
                ticks.poll_tick(&mut Context::from_waker(Waker::noop())),
                Poll::Ready(_)
            ));
            waiting.as_mut().reset(Instant::now());
            block_on(waiting);
        });
    });
}

#[test]
fn debug_of_a_timer_shows_its_state() {
    let runtime = workers(1);
    let _entered = runtime.enter();
    let timer = sleep(HOUR);
    assert!(format!("{timer:?}").contains("is_elapsed: false"));
    assert!(format!("{:?}", interval(HOUR)).contains("Interval"));
    assert!(format!("{:?}", timeout(HOUR, std::future::pending::<()>())).contains("Timeout"));
}
