//! The pace of a worker: how many polls it makes between two maintenances, and so how long its polls take.
//!
//! The clock is read at maintenance and before a sleep, not at every poll. So what is known is the mean of the polls between. From one such stretch to
//! the next the estimate follows long polls at once and short ones by and by: a few that are long count for more than many that are not.

use std::cell::Cell;
use std::time::Duration;

/// Counts polls down to the next maintenance, so that it comes by elapsed time.
#[derive(Debug)]
pub(super) struct Pace {
    left: Cell<u32>,
    interval: Cell<u32>,
    /// The most polls between two maintenances: bounds the delay when polls suddenly become slow.
    longest: u32,
    /// What a poll takes of late, in nanoseconds.
    poll: Cell<u32>,
    /// How long the last batch that was kept may still take.
    kept: Cell<Option<Duration>>,
}

impl Pace {
    pub(super) fn new(longest: u32) -> Self {
        Self {
            left: Cell::new(longest),
            interval: Cell::new(longest),
            longest,
            // Nothing is known: as if they were long.
            poll: Cell::new(KEPT.as_nanos() as u32),
            kept: Cell::new(None),
        }
    }

    /// Before each look for a task. True once per interval.
    #[inline]
    pub(super) fn tick(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.wrapping_sub(1));
        left == 0
    }

    /// So many polls were made without a look for a task before each.
    pub(super) fn count(&self, polls: u32) {
        // Not past zero, at which the next look is due.
        self.left.set(self.left.get().saturating_sub(polls));
    }

    /// The worker falls asleep, so long after its last maintenance or sleep: it has just looked at all that there is.
    pub(super) fn pause(&self, after: Duration) {
        self.note(after);
        self.forget_kept();
        // One that sleeps often may never come to the end of an interval that is too long for its polls.
        if after > TARGET {
            self.shorten();
        }
    }

    /// The worker woke. The time it slept does not count, and its driver has just looked at the outside world.
    pub(super) fn resume(&self) {
        self.left.set(self.interval.get());
    }

    /// Adapts the interval to how long the last one took.
    pub(super) fn restart(&self, took: Duration) {
        self.note(took);
        let interval = self.interval.get();
        if took > TARGET {
            self.shorten();
        } else if took < TARGET / 4 {
            self.interval
                .set(interval.saturating_mul(2).min(self.longest));
        }
        self.resume();
    }

    /// How long so many polls will take, as it seems.
    pub(super) fn estimate(&self, polls: usize) -> Duration {
        Duration::from_nanos(u64::from(self.poll.get()).saturating_mul(polls as u64))
    }

    /// True if so many polls are soon done: another worker that is called now would come too late to be of use. If they are not,
    /// `take_overdue` says so.
    pub(super) fn keep(&self, polls: usize) -> bool {
        let is_short = self.estimate(polls) < KEPT;
        if is_short && polls > 0 && self.kept.get().is_none() {
            self.kept.set(Some(KEPT));
        }
        is_short
    }

    /// What was kept is done.
    pub(super) fn forget_kept(&self) {
        self.kept.set(None);
    }

    /// True, once, if what was kept has taken longer than it should.
    pub(super) fn take_overdue(&self) -> bool {
        let is_overdue = self.kept.get() == Some(Duration::ZERO);
        if is_overdue {
            self.forget_kept();
        }
        is_overdue
    }

    /// The polls since the last maintenance, or sleep, took so long together.
    fn note(&self, took: Duration) {
        let left = self.kept.get().map(|left| left.saturating_sub(took));
        self.kept.set(left);
        let looks = self.interval.get().wrapping_sub(self.left.get());
        // The last look has led to maintenance, or found nothing.
        let polls = looks.saturating_sub(1);
        if polls > 0 {
            // 64 bits: a division of more is a function's call.
            let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            let each = took / u64::from(polls);
            let last = self.poll.get();
            let less = last - last / FORGETTING;
            self.poll.set(less.max(each.try_into().unwrap_or(u32::MAX)));
        }
    }

    fn shorten(&self) {
        self.interval.set((self.interval.get() / 2).max(1));
    }
}

/// How often maintenance should come, if polls are not so short that it comes after some number of them.
pub(super) const TARGET: Duration = Duration::from_micros(50);

/// Work that takes less is done by who has it. A worker that is called is up after 20 to 100 microseconds, some of which the call takes its caller.
const KEPT: Duration = Duration::from_micros(200);

/// What a poll is thought to take falls by this part of it with each maintenance, or sleep.
const FORGETTING: u32 = 8;

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    const MICROSECOND: Duration = Duration::from_micros(1);

    /// A worker wakes, polls so many tasks, and falls asleep.
    fn polls(pace: &Pace, polls: u32, each: Duration) {
        pace.resume();
        for _ in 0..polls {
            assert!(!pace.tick(), "the interval is longer");
        }
        pace.tick();
        pace.pause(each * polls);
    }

    #[test]
    fn of_a_worker_that_has_polled_nothing_it_is_not_known_that_it_is_quick() {
        let pace = Pace::new(61);
        assert!(pace.keep(0) && !pace.keep(1));
        polls(&pace, 0, MICROSECOND);
        assert!(!pace.keep(1));
    }

    #[test]
    fn a_worker_keeps_as_many_polls_as_fit_into_the_time_that_a_call_takes() {
        let pace = Pace::new(61);
        (0..100).for_each(|_| polls(&pace, 4, 10 * MICROSECOND));
        assert_eq!(pace.estimate(1), 10 * MICROSECOND);
        assert!(pace.keep(19) && !pace.keep(20));
    }

    #[test]
    fn one_long_poll_is_remembered_for_many_short_ones() {
        let pace = Pace::new(61);
        (0..100).for_each(|_| polls(&pace, 4, 10 * MICROSECOND));
        polls(&pace, 1, 20_000 * MICROSECOND);
        for _ in 0..30 {
            assert!(!pace.keep(1));
            polls(&pace, 1, 10 * MICROSECOND);
        }
        (0..100).for_each(|_| polls(&pace, 1, 10 * MICROSECOND));
        assert!(pace.keep(19));
    }

    #[test]
    fn polls_between_two_maintenances_are_counted_as_those_before_a_sleep() {
        let pace = Pace::new(4);
        for _ in 0..100 {
            (0..4).for_each(|_| assert!(!pace.tick()));
            assert!(pace.tick());
            pace.restart(4 * 10 * MICROSECOND);
        }
        assert_eq!(pace.estimate(1), 10 * MICROSECOND);
    }

    #[test]
    fn maintenance_comes_after_fewer_polls_if_they_are_long_and_after_more_if_they_are_short() {
        let pace = Pace::new(16);
        let interval = || {
            pace.resume();
            (0..).take_while(|_| !pace.tick()).count()
        };
        assert_eq!(interval(), 16);
        pace.restart(TARGET + MICROSECOND);
        assert_eq!(interval(), 8);
        pace.pause(TARGET + MICROSECOND);
        assert_eq!(interval(), 4);
        pace.restart(TARGET);
        pace.restart(TARGET / 4);
        pace.pause(TARGET);
        assert_eq!(interval(), 4);
        (0..10).for_each(|_| pace.restart(2 * TARGET));
        assert_eq!(interval(), 1, "never without a poll between");
        pace.restart(TARGET / 4 - MICROSECOND);
        assert_eq!(interval(), 2);
        (0..10).for_each(|_| pace.restart(MICROSECOND));
        assert_eq!(interval(), 16);
    }

    #[test]
    fn what_is_kept_is_overdue_when_it_has_taken_as_long_as_a_call() {
        let pace = Pace::new(4);
        let maintain = || {
            for _ in 0..5 {
                pace.tick();
            }
            pace.restart(40 * MICROSECOND);
        };
        (0..100).for_each(|_| maintain());
        assert!(pace.keep(0));
        (0..10).for_each(|_| maintain());
        assert!(!pace.take_overdue(), "nothing was kept");
        assert!(pace.keep(4));
        for _ in 0..4 {
            maintain();
            // What comes later does not put it off.
            assert!(pace.keep(4) && !pace.take_overdue());
        }
        maintain();
        assert!(pace.take_overdue() && !pace.take_overdue());
        assert!(pace.keep(4));
        pace.pause(MICROSECOND);
        (0..10).for_each(|_| maintain());
        assert!(!pace.take_overdue(), "it was done before the worker slept");
    }

    #[test]
    fn a_poll_of_hours_is_no_overflow() {
        let pace = Pace::new(61);
        polls(&pace, 1, Duration::from_secs(3 * 3600));
        assert!(pace.estimate(usize::MAX) > Duration::from_secs(1) && !pace.keep(1));
    }
}
