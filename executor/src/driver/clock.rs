//! The runtime's clock: the real one, or, for tests, one that stands still and jumps.

#[cfg(not(all(target_os = "linux", not(shuttle))))]
use std::time::Instant;
#[cfg(all(target_os = "linux", not(shuttle)))]
use std::time::{Duration, Instant};

#[cfg(all(target_os = "linux", not(shuttle)))]
use crate::rt_sync::whole::now;

#[cfg(not(feature = "test-util"))]
pub(crate) use real::Clock;
#[cfg(feature = "test-util")]
pub(crate) use test::Clock;

#[cfg(not(feature = "test-util"))]
mod real {
    use std::time::Instant;

    use super::Coarse;
    use crate::rt_sync::whole::now;

    /// Without the feature `test-util`: the monotonic clock itself.
    #[derive(Debug)]
    pub(crate) struct Clock {
        coarse: Coarse,
    }

    impl Clock {
        pub(crate) fn new(_start_paused: bool) -> Self {
            Self {
                coarse: Coarse::new(),
            }
        }

        #[inline]
        pub(crate) fn now(&self) -> Instant {
            now()
        }

        #[inline]
        pub(crate) fn at(&self, real: Instant) -> Instant {
            real
        }

        /// True if `time` is known to be far from now, without an exact look at the clock; false says nothing.
        #[inline]
        pub(crate) fn is_far(&self, time: Instant) -> bool {
            self.coarse.is_far(time)
        }

        #[inline]
        pub(crate) fn is_paused(&self) -> bool {
            false
        }

        pub(crate) fn jump_to(&self, _deadline: Instant) {}
    }
}

#[cfg(feature = "test-util")]
mod test {
    use std::time::{Duration, Instant};

    use super::Coarse;
    use crate::rt_sync::whole::atomic::AtomicBool;
    use crate::rt_sync::whole::atomic::Ordering::Relaxed;
    use crate::rt_sync::whole::{Mutex, now};

    /// Virtual time: `base`, plus what the real clock has gone since `running_since`.
    #[derive(Debug)]
    pub(crate) struct Clock {
        /// True once the clock was ever paused; until then reading it takes no lock.
        virtual_time: AtomicBool,
        state: Mutex<State>,
        coarse: Coarse,
    }

    #[derive(Debug)]
    struct State {
        base: Instant,
        /// `None`: paused.
        running_since: Option<Instant>,
    }

    impl Clock {
        pub(crate) fn new(start_paused: bool) -> Self {
            let now = now();
            let running_since = if start_paused { None } else { Some(now) };
            Self {
                virtual_time: AtomicBool::new(start_paused),
                state: Mutex::new(State {
                    base: now,
                    running_since,
                }),
                coarse: Coarse::new(),
            }
        }

        #[inline]
        pub(crate) fn now(&self) -> Instant {
            // Relaxed: a thread that pauses the clock reads it under the lock from then on; others may see the change later.
            if self.virtual_time.load(Relaxed) {
                self.state.lock().now()
            } else {
                now()
            }
        }

        /// As `now`, for a caller who has just asked the real clock, and goes by it himself.
        #[inline]
        pub(crate) fn at(&self, real: Instant) -> Instant {
            if self.virtual_time.load(Relaxed) {
                self.state.lock().now()
            } else {
                real
            }
        }

        /// True if `time` is known to be far from now, without an exact look at the clock; false says nothing.
        #[inline]
        pub(crate) fn is_far(&self, time: Instant) -> bool {
            !self.virtual_time.load(Relaxed) && self.coarse.is_far(time)
        }

        pub(crate) fn is_paused(&self) -> bool {
            self.virtual_time.load(Relaxed) && self.state.lock().running_since.is_none()
        }

        /// Stops the clock. False if it stood still already.
        pub(crate) fn pause(&self) -> bool {
            let mut state = self.state.lock();
            let was_running = state.running_since.is_some();
            // Real and virtual time are one until the first pause.
            state.base = if self.virtual_time.load(Relaxed) {
                state.now()
            } else {
                now()
            };
            state.running_since = None;
            self.virtual_time.store(true, Relaxed);
            was_running
        }

        /// Lets the clock run on from where it stands. False if it runs already.
        pub(crate) fn resume(&self) -> bool {
            let mut state = self.state.lock();
            let was_paused = state.running_since.is_none();
            if was_paused {
                state.running_since = Some(now());
            }
            was_paused
        }

        /// Moves a paused clock on. False if it is not paused.
        pub(crate) fn advance(&self, by: Duration) -> bool {
            let mut state = self.state.lock();
            if state.running_since.is_some() {
                return false;
            }
            state.base = state
                .base
                .checked_add(by)
                .expect("the clock was advanced past the end of time");
            true
        }

        /// Moves the clock to `deadline`, if it is still paused.
        pub(crate) fn jump_to(&self, deadline: Instant) {
            let mut state = self.state.lock();
            if state.running_since.is_none() {
                state.base = state.base.max(deadline);
            }
        }
    }

    impl State {
        fn now(&self) -> Instant {
            self.running_since.map_or(self.base, |since| {
                self.base + now().saturating_duration_since(since)
            })
        }
    }
}

/// The system's clock as of its last tick, some milliseconds ago: that costs a third of an exact look, which asks a counter of the processor.
///
/// It may be behind by more, where the system itself was not run. So it is only good to tell what is far from what is near, by callers
/// for whom a time that is wrongly called far has no worse end than a timer that is registered late.
#[cfg(all(target_os = "linux", not(shuttle)))]
#[derive(Debug)]
struct Coarse {
    /// What the standard library calls the beginning of `second`, and [`FAR`] more.
    far_from_second: Instant,
    second: libc::time_t,
}

#[cfg(all(target_os = "linux", not(shuttle)))]
impl Coarse {
    fn new() -> Self {
        // The standard library does not say what it calls a point of time, but on Linux it goes by this clock.
        let time = read(libc::CLOCK_MONOTONIC);
        let origin = now();
        let into_second = Duration::from_nanos(time.tv_nsec.try_into().unwrap_or(0));
        Self {
            far_from_second: origin.checked_sub(into_second).unwrap_or(origin) + FAR,
            second: time.tv_sec,
        }
    }

    #[inline]
    fn is_far(&self, time: Instant) -> bool {
        let coarse = read(libc::CLOCK_MONOTONIC_COARSE);
        let seconds = (coarse.tv_sec - self.second).try_into().unwrap_or(0);
        let since_second = Duration::new(seconds, coarse.tv_nsec as u32);
        time > self.far_from_second + since_second
    }
}

#[cfg(all(target_os = "linux", not(shuttle)))]
#[inline]
fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the structure outlives the call, which fills it, or leaves it as it is if there is no such clock.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time
}

/// Far from a time that a tick of 10 ms, the slowest of Linux, has passed.
#[cfg(all(target_os = "linux", not(shuttle)))]
const FAR: Duration = Duration::from_millis(20);

#[cfg(not(all(target_os = "linux", not(shuttle))))]
#[derive(Debug)]
struct Coarse;

#[cfg(not(all(target_os = "linux", not(shuttle))))]
impl Coarse {
    fn new() -> Self {
        Self
    }

    fn is_far(&self, _time: Instant) -> bool {
        false
    }
}
