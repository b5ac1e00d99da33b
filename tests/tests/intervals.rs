//! Intervals on the paused clock: what happens to missed ticks, resets, cancelled ticks.

use std::future::poll_fn;
use std::time::Duration;

use executor::time::{
    self, Instant, Interval, MissedTickBehavior, interval, interval_at, sleep, timeout,
};

use crate::support::{paused, within};

const SECOND: Duration = Duration::from_secs(1);

/// Three ticks, the first of which is taken two and a half periods late.
fn late_ticks(behavior: MissedTickBehavior) -> Vec<(f32, f32)> {
    paused().block_on(async move {
        let start = Instant::now();
        let mut interval = interval(SECOND);
        interval.set_missed_tick_behavior(behavior);
        assert_eq!(interval.missed_tick_behavior(), behavior);
        assert_eq!(interval.period(), SECOND);
        interval.tick().await;
        time::advance(3 * SECOND + SECOND / 2).await;
        let mut ticks = Vec::new();
        for _ in 0..4 {
            let due = interval.tick().await;
            ticks.push((
                due.duration_since(start).as_secs_f32(),
                start.elapsed().as_secs_f32(),
            ));
        }
        ticks
    })
}

#[test]
fn burst_makes_up_for_missed_ticks() {
    assert_eq!(
        late_ticks(MissedTickBehavior::Burst),
        [(1.0, 3.5), (2.0, 3.5), (3.0, 3.5), (4.0, 4.0)]
    );
}

#[test]
fn delay_goes_on_from_the_late_tick() {
    assert_eq!(
        late_ticks(MissedTickBehavior::Delay),
        [(1.0, 3.5), (4.5, 4.5), (5.5, 5.5), (6.5, 6.5)]
    );
}

/// When the tick comes that follows one taken half a period late, so that none was missed.
fn after_half_a_period(behavior: MissedTickBehavior) -> Duration {
    paused().block_on(async move {
        let start = Instant::now();
        let mut interval = interval(SECOND);
        interval.set_missed_tick_behavior(behavior);
        interval.tick().await;
        time::advance(SECOND + SECOND / 2).await;
        assert_eq!(interval.tick().await - start, SECOND);
        interval.tick().await - start
    })
}

#[test]
fn delay_keeps_its_distance_also_when_no_tick_was_missed() {
    assert_eq!(
        after_half_a_period(MissedTickBehavior::Delay),
        2 * SECOND + SECOND / 2
    );
    for other in [MissedTickBehavior::Burst, MissedTickBehavior::Skip] {
        assert_eq!(after_half_a_period(other), 2 * SECOND, "{other:?}");
    }
}

#[test]
fn skip_leaves_missed_ticks_out() {
    assert_eq!(
        late_ticks(MissedTickBehavior::Skip),
        [(1.0, 3.5), (4.0, 4.0), (5.0, 5.0), (6.0, 6.0)]
    );
}

#[test]
fn an_interval_is_reset() {
    paused().block_on(async {
        let start = Instant::now();
        let mut interval = interval(10 * SECOND);
        interval.tick().await;
        sleep(3 * SECOND).await;
        interval.reset();
        assert_eq!(interval.tick().await - start, 13 * SECOND);
        interval.reset_immediately();
        assert_eq!(interval.tick().await - start, 13 * SECOND);
        interval.reset_after(SECOND);
        assert_eq!(interval.tick().await - start, 14 * SECOND);
        interval.reset_at(start + 20 * SECOND);
        assert_eq!(interval.tick().await - start, 20 * SECOND);
        assert_eq!(interval.tick().await - start, 30 * SECOND);
    });
}

/// Polls `interval` once, resets it by `reset`, and then waits for its tick without another poll in between; how long that took.
async fn reset_after_a_poll(mut interval: Interval, reset: impl FnOnce(&mut Interval)) -> Duration {
    let start = Instant::now();
    let mut reset = Some(reset);
    poll_fn(|cx| {
        let tick = interval.poll_tick(cx);
        if let Some(reset) = reset.take() {
            assert!(tick.is_pending());
            reset(&mut interval);
        }
        tick
    })
    .await;
    start.elapsed()
}

#[test]
fn an_interval_that_is_reset_while_a_task_waits_ticks_for_that_task() {
    within(30, || {
        paused().block_on(async {
            let late = || interval_at(Instant::now() + 10 * SECOND, SECOND);
            let soon = reset_after_a_poll(late(), |interval| interval.reset_after(2 * SECOND));
            assert_eq!(soon.await, 2 * SECOND);
            let now = reset_after_a_poll(late(), Interval::reset_immediately);
            assert_eq!(now.await, Duration::ZERO);
            let later = reset_after_a_poll(late(), |interval| interval.reset_after(20 * SECOND));
            assert_eq!(later.await, 20 * SECOND);
        });
    });
}

#[test]
fn a_cancelled_tick_is_not_lost() {
    paused().block_on(async {
        let start = Instant::now();
        let mut interval = interval(10 * SECOND);
        interval.tick().await;
        for _ in 0..9 {
            assert!(timeout(SECOND, interval.tick()).await.is_err());
        }
        assert_eq!(interval.tick().await - start, 10 * SECOND);
    });
}

#[test]
fn a_monitor_looks_six_times_a_minute_however_long_its_look_takes() {
    paused().block_on(async {
        let start = Instant::now();
        let mut every = interval(10 * SECOND);
        let mut looks = Vec::new();
        for n in 0..60 {
            every.tick().await;
            looks.push(start.elapsed());
            sleep(SECOND * (n % 10)).await;
        }
        let expected: Vec<_> = (0..60).map(|n| 10 * SECOND * n).collect();
        assert_eq!(looks, expected, "in ten minutes");
    });
}
