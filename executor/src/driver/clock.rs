//! The runtime's clock: the real one, or, for tests, one that stands still and jumps.

#[cfg(not(feature = "test-util"))]
pub(crate) use real::Clock;
#[cfg(feature = "test-util")]
pub(crate) use test::Clock;

#[cfg(not(feature = "test-util"))]
mod real {
    use std::time::Instant;

    /// Without the feature `test-util`: the monotonic clock itself.
    #[derive(Debug)]
    pub(crate) struct Clock;

    impl Clock {
        pub(crate) fn new(_start_paused: bool) -> Self {
            Self
        }

        #[inline]
        pub(crate) fn now(&self) -> Instant {
            Instant::now()
        }

        #[inline]
        pub(crate) fn at(&self, real: Instant) -> Instant {
            real
        }

        #[inline]
        pub(crate) fn is_paused(&self) -> bool {
            false
        }

        pub(crate) fn is_held(&self) -> bool {
            false
        }

        pub(crate) fn jump_to(&self, _deadline: Instant) {}

        pub(crate) fn hold(&self) {}

        pub(crate) fn release(&self) {}
    }
}

#[cfg(feature = "test-util")]
mod test {
    use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
    use std::sync::atomic::{AtomicBool, AtomicUsize};
    use std::time::{Duration, Instant};

    use parking_lot::Mutex;

    /// Virtual time: `base`, plus what the real clock has gone since `running_since`.
    #[derive(Debug)]
    pub(crate) struct Clock {
        /// True once the clock was ever paused; until then reading it takes no lock.
        virtual_time: AtomicBool,
        state: Mutex<State>,
        /// Blocking jobs that run: while there are any, time does not jump on its own.
        holds: AtomicUsize,
    }

    #[derive(Debug)]
    struct State {
        base: Instant,
        /// `None`: paused.
        running_since: Option<Instant>,
    }

    impl Clock {
        pub(crate) fn new(start_paused: bool) -> Self {
            let now = Instant::now();
            let running_since = if start_paused { None } else { Some(now) };
            Self {
                virtual_time: AtomicBool::new(start_paused),
                state: Mutex::new(State {
                    base: now,
                    running_since,
                }),
                holds: AtomicUsize::new(0),
            }
        }

        #[inline]
        pub(crate) fn now(&self) -> Instant {
            // Relaxed: a thread that pauses the clock reads it under the lock from then on; others may see the change later.
            if self.virtual_time.load(Relaxed) {
                self.state.lock().now()
            } else {
                Instant::now()
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
                Instant::now()
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
                state.running_since = Some(Instant::now());
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

        /// True while a blocking job runs: time must not jump.
        pub(crate) fn is_held(&self) -> bool {
            // Acquire: pairs with the Release of `release`.
            self.holds.load(Acquire) != 0
        }

        /// Moves a paused clock to `deadline`.
        pub(crate) fn jump_to(&self, deadline: Instant) {
            let mut state = self.state.lock();
            state.base = state.base.max(deadline);
        }

        pub(crate) fn hold(&self) {
            self.holds.fetch_add(1, Relaxed);
        }

        pub(crate) fn release(&self) {
            // Release: pairs with the Acquire of `is_held`, which then sees whom the job has called.
            self.holds.fetch_sub(1, Release);
        }
    }

    impl State {
        fn now(&self) -> Instant {
            self.running_since
                .map_or(self.base, |since| self.base + since.elapsed())
        }
    }
}
