//! Timers that come one close after the other are waited for together, because a sleep costs as much as dozens of them.

use std::time::Duration;

use crate::rt_sync::whole::atomic::Ordering::Relaxed;
use crate::rt_sync::whole::atomic::{AtomicU32, AtomicU64};

/// How close the last deadlines were. Only the holder of the duty reads and writes it, so everything is relaxed.
///
/// Times are nanoseconds since the driver's origin.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// When a turn has last fired a timer.
    last_fired: AtomicU64,
    /// How many sleeps in a row were to end soon after that.
    hurries: AtomicU32,
}

impl Crowd {
    /// A turn has fired timers.
    pub(super) fn fired(&self, now: u64) {
        self.last_fired.store(now, Relaxed);
    }

    /// How long to sleep, now, for a deadline that is `until` away: until then, or in a crowd at least until [`PAUSE`] after the last timer.
    pub(super) fn sleep(&self, now: u64, until: Duration) -> Duration {
        let rested = Duration::from_nanos(now.saturating_sub(self.last_fired.load(Relaxed)));
        let rest = PAUSE.saturating_sub(rested);
        let hurries = self.hurries.load(Relaxed);
        if until >= rest {
            self.hurries.store(0, Relaxed);
            return until;
        }
        if hurries < PATIENCE {
            self.hurries.store(hurries + 1, Relaxed);
            return until;
        }
        rest
    }
}

/// In a crowd a sleep lasts at least until so long after the last timer.
const PAUSE: Duration = Duration::from_micros(100);

/// So many sleeps in a row may be shorter: a few timers that are close to each other are no crowd, and each of them is waited for exactly.
const PATIENCE: u32 = 8;

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    const MICRO: u64 = 1000;

    /// Sleeps of `micros` for `count` timers; the length of the last, and the time after it.
    fn sleeps(crowd: &Crowd, mut now: u64, micros: u64, count: u32) -> (Duration, u64) {
        let mut last = Duration::ZERO;
        for _ in 0..count {
            last = crowd.sleep(now, Duration::from_micros(micros));
            now += last.as_nanos() as u64;
            crowd.fired(now);
        }
        (last, now)
    }

    #[test]
    fn a_few_close_timers_are_waited_for_exactly_and_a_crowd_together() {
        let crowd = Crowd::default();
        crowd.fired(0);
        let (last, now) = sleeps(&crowd, 0, 10, PATIENCE);
        assert_eq!(last, Duration::from_micros(10));
        let (last, now) = sleeps(&crowd, now, 10, 1);
        assert_eq!(last, PAUSE);
        // The time that its tasks took counts, too.
        let later = crowd.sleep(now + 20 * MICRO, Duration::from_micros(1));
        assert_eq!(later, PAUSE - Duration::from_micros(20));
        // It ends with the first deadline that is not close.
        let (last, now) = sleeps(&crowd, now, 200, 1);
        assert_eq!(last, Duration::from_micros(200));
        assert_eq!(sleeps(&crowd, now, 10, 1).0, Duration::from_micros(10));
    }
}
