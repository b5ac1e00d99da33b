//! `Interval`: ticks at equal distances.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::{Instant, Sleep, sleep_until};

/// Ticks every `period`, the first time at once.
///
/// # Panics
///
/// If `period` is zero, and as [`sleep`](super::sleep).
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::time::{Duration, interval};
///
/// let mut interval = interval(Duration::from_millis(1));
/// for _ in 0..3 {
///     interval.tick().await;
/// }
/// # });
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks every `period`, the first time at `start`. See [`interval`], also for panics.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "the period of an interval must not be zero: it would tick for ever without a pause"
    );
    Interval {
        delay: Box::pin(sleep_until(start)),
        period,
        missed: MissedTickBehavior::default(),
    }
}

/// Ticks at equal distances. Made by [`interval`] and [`interval_at`].
#[derive(Debug)]
pub struct Interval {
    delay: Pin<Box<Sleep>>,
    period: Duration,
    missed: MissedTickBehavior,
}

/// What an [`Interval`] does after a tick that was taken late, by more than 5 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Ticks without a pause until the missed ticks are made up for.
    #[default]
    Burst,
    /// Goes on from the late tick: the next one comes a period after it was taken, even if none was missed.
    Delay,
    /// Leaves the missed ticks out: the next one comes when it would have come anyway.
    Skip,
}

impl Interval {
    /// Waits for the next tick, and returns when it was due.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a tick that was not returned is returned by the next call.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// As [`tick`](Self::tick). If it is not time yet, the task is woken when it is.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.delay.as_mut().poll(cx));
        let due = self.delay.deadline();
        let now = self.delay.now();
        let next = self.missed.next(due, now, self.period);
        self.delay.as_mut().reset(next);
        Poll::Ready(due)
    }

    /// Starts anew: the next tick comes a period from now. A task that waits for one, by [`poll_tick`](Self::poll_tick), is woken then; so it is by
    /// the other functions that start anew.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Starts anew: the next tick comes at once.
    pub fn reset_immediately(&mut self) {
        self.reset_at(self.delay.now());
    }

    /// Starts anew: the next tick comes after `after`.
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(self.delay.now().far_after(after));
    }

    /// Starts anew: the next tick comes at `deadline`.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.delay.as_mut().reset(deadline);
    }

    /// What happens to missed ticks.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Sets what happens to missed ticks. Default: [`Burst`](MissedTickBehavior::Burst).
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// The distance of the ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}

impl MissedTickBehavior {
    /// When the tick after the one that was due at `due`, and is returned at `now`, is due.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        let regular = due
            .checked_add(period)
            .unwrap_or_else(|| now.far_after(Duration::MAX));
        // The clock's own grain, and a busy worker's, must not count as lateness: `Delay` would drift by it at every tick.
        let late = now.duration_since(due) > TOLERANCE;
        match self {
            Self::Delay if late => now.far_after(period),
            Self::Skip if late => {
                let into_period = now.duration_since(due).as_nanos() % period.as_nanos();
                let into_period =
                    Duration::new((into_period / NANOS) as u64, (into_period % NANOS) as u32);
                (now - into_period)
                    .checked_add(period)
                    .unwrap_or_else(|| now.far_after(Duration::MAX))
            }
            Self::Burst | Self::Delay | Self::Skip => regular,
        }
    }
}

const NANOS: u128 = 1_000_000_000;

/// A tick that comes at most this late is on time.
const TOLERANCE: Duration = Duration::from_millis(5);
