//! Sleeps, timeouts and intervals of every duration: never early, and nothing overflows.

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use executor::time::{
    Instant, Sleep, interval, interval_at, sleep, sleep_until, timeout, timeout_at,
};

use crate::support::{each_runtime, paused, within};

const DAYS_30: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const YEARS_29: Duration = Duration::from_secs(29 * 365 * 24 * 60 * 60);

/// Around every digit of a wheel with 64 slots, in nanoseconds and in milliseconds, and around the limits of integers.
fn durations() -> Vec<Duration> {
    let mut all = vec![
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_nanos(999_999),
    ];
    for k in 1..=10 {
        let power = 64u64.pow(k);
        for near in [power - 1, power, power + 1] {
            all.push(Duration::from_nanos(near));
            if k <= 7 {
                all.push(Duration::from_millis(near));
            }
        }
    }
    let wrap = Duration::from_millis(1 << 31);
    let millisecond = Duration::from_millis(1);
    all.extend([wrap - millisecond, wrap, wrap + millisecond]);
    all.extend([i32::MAX as u64, u32::MAX.into(), u64::MAX].map(Duration::from_millis));
    all.extend([Duration::from_secs(u64::MAX), Duration::MAX]);
    all
}

#[test]
fn on_the_paused_clock_a_sleep_is_exact() {
    within(60, || {
        for duration in durations() {
            paused().block_on(async {
                let start = Instant::now();
                sleep(duration).await;
                let elapsed = start.elapsed();
                if duration < YEARS_29 {
                    assert_eq!(elapsed, duration);
                } else {
                    assert!(elapsed >= YEARS_29, "{duration:?} took {elapsed:?}");
                }
            });
        }
    });
}

#[test]
fn on_the_paused_clock_all_sleeps_together_fire_in_deadline_order() {
    within(60, || {
        paused().block_on(async {
            let start = Instant::now();
            let mut durations: Vec<_> = durations()
                .into_iter()
                .filter(|duration| *duration < YEARS_29)
                .collect();
            let mut sleeps: futures::stream::FuturesUnordered<_> = durations
                .iter()
                .rev()
                .map(|&duration| async move {
                    sleep(duration).await;
                    assert_eq!(start.elapsed(), duration);
                    duration
                })
                .collect();
            let mut fired = Vec::new();
            while let Some(duration) = futures::StreamExt::next(&mut sleeps).await {
                fired.push(duration);
            }
            durations.sort();
            assert_eq!(fired, durations);
        });
    });
}

#[test]
fn on_the_paused_clock_a_timeout_is_exact() {
    within(60, || {
        for duration in durations()
            .into_iter()
            .filter(|duration| *duration < YEARS_29)
        {
            paused().block_on(async {
                let start = Instant::now();
                assert!(timeout(duration, pending::<()>()).await.is_err());
                assert_eq!(start.elapsed(), duration);
                assert!(
                    timeout_at(start + duration + duration, pending::<()>())
                        .await
                        .is_err()
                );
                assert_eq!(start.elapsed(), duration + duration);
            });
        }
    });
}

#[test]
fn on_the_paused_clock_an_interval_is_exact() {
    within(60, || {
        for period in durations()
            .into_iter()
            .filter(|duration| !duration.is_zero() && *duration < DAYS_30)
        {
            paused().block_on(async {
                let start = Instant::now();
                let mut interval = interval(period);
                for n in 0..4 {
                    assert_eq!(interval.tick().await, start + period * n);
                    assert_eq!(start.elapsed(), period * n);
                }
            });
        }
    });
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> bool {
    future
        .poll(&mut Context::from_waker(Waker::noop()))
        .is_ready()
}

#[test]
fn on_the_real_clock_every_duration_is_accepted() {
    within(60, || {
        each_runtime(|runtime| {
            let _entered = runtime.enter();
            for duration in durations() {
                let far = duration > Duration::from_secs(60);
                let mut waiting = pin!(sleep(duration));
                assert!(!poll_once(waiting.as_mut()) || !far, "{duration:?}");
                // Each one's successor moves past it.
                waiting.as_mut().reset(Instant::now());
                assert!(poll_once(waiting.as_mut()));
                let mut limited = pin!(timeout(duration, pending::<()>()));
                assert!(!poll_once(limited.as_mut()) || !far);
                assert!(poll_once(pin!(timeout(duration, async {}))));
                if !duration.is_zero() {
                    let mut ticks = interval(duration);
                    assert!(
                        poll_once(pin!(ticks.tick())),
                        "the first tick comes at once"
                    );
                    assert!(!poll_once(pin!(ticks.tick())) || !far);
                    ticks.reset_after(duration);
                    ticks.reset();
                    ticks.reset_immediately();
                    assert!(poll_once(pin!(ticks.tick())));
                }
            }
            // A worker that sleeps until one of these must still be woken for a near one.
            let mut sleeps: Vec<Pin<Box<Sleep>>> = durations()
                .into_iter()
                .map(|duration| Box::pin(sleep(duration)))
                .collect();
            sleeps.iter_mut().for_each(|sleep| {
                let _ = poll_once(sleep.as_mut());
            });
            runtime.block_on(sleep(Duration::from_millis(2)));
        });
    });
}

#[test]
fn on_the_real_clock_a_sleep_is_never_early() {
    within(60, || {
        each_runtime(|runtime| {
            runtime.block_on(async {
                let mut tasks = Vec::new();
                for n in 0..200u32 {
                    let duration = Duration::from_nanos(131_071) * n;
                    tasks.push(executor::spawn(async move {
                        let start = std::time::Instant::now();
                        sleep(duration).await;
                        assert!(
                            start.elapsed() >= duration,
                            "{duration:?} took {:?}",
                            start.elapsed()
                        );
                    }));
                }
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
    });
}

#[test]
fn a_deadline_that_has_passed_is_ready_at_once() {
    each_runtime(|runtime| {
        let _entered = runtime.enter();
        let now = Instant::now();
        assert!(poll_once(pin!(sleep_until(now))));
        assert!(poll_once(pin!(sleep(Duration::ZERO))));
        if let Some(long_ago) = now.checked_sub(Duration::from_secs(1)) {
            assert!(poll_once(pin!(sleep_until(long_ago))));
            assert!(poll_once(pin!(timeout_at(long_ago, pending::<()>()))));
            assert!(poll_once(pin!(interval_at(long_ago, Duration::MAX).tick())));
        }
    });
}

#[test]
fn a_period_of_zero_is_refused_with_a_text() {
    let runtime = paused();
    let _entered = runtime.enter();
    let refused = std::panic::catch_unwind(|| drop(interval(Duration::ZERO)));
    let text = *refused.unwrap_err().downcast::<&str>().unwrap();
    assert!(text.contains("must not be zero"), "{text}");
}

#[test]
fn a_timeout_prefers_the_future_that_is_ready_in_the_same_moment() {
    paused().block_on(async {
        let second = Duration::from_secs(1);
        assert_eq!(timeout(second, async { sleep(second).await }).await, Ok(()));
        assert_eq!(timeout(Duration::ZERO, async { 1 }).await, Ok(1));
        let error = timeout(second, pending::<()>()).await.unwrap_err();
        assert_eq!(error.to_string(), "deadline has elapsed");
        assert_eq!(
            std::io::Error::from(error).kind(),
            std::io::ErrorKind::TimedOut
        );
    });
}
