//! Timers of a runtime, by their own type: it can be held, polled once, reset and dropped.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use super::{Runtime, Tokio};

/// A runtime with timers. Called inside of it only, as the functions of [`Runtime`] are.
pub(crate) trait Timers: Runtime {
    type Timer: Future<Output = ()> + Send + 'static;

    fn timer(duration: Duration) -> Self::Timer;

    fn timer_until(deadline: Instant) -> Self::Timer;

    /// Whether a task that waits for the timer must poll it again after a reset, or the timer would not wake it.
    const POLL_AFTER_RESET: bool;

    /// Another deadline.
    fn reset(timer: Pin<&mut Self::Timer>, deadline: Instant);
}

/// The two have the same names and meanings here.
macro_rules! timers {
    ($runtime:ty, $library:ident, $poll:expr $(, $parameter:tt)?) => {
        impl$(<const $parameter: u8>)? Timers for $runtime {
            type Timer = $library::time::Sleep;

            const POLL_AFTER_RESET: bool = $poll;

            fn timer(duration: Duration) -> Self::Timer {
                $library::time::sleep(duration)
            }

            fn timer_until(deadline: Instant) -> Self::Timer {
                $library::time::sleep_until(deadline.into())
            }

            fn reset(timer: Pin<&mut Self::Timer>, deadline: Instant) {
                timer.reset(deadline.into());
            }
        }
    };
}

#[cfg(feature = "sockets")]
use super::Executor;
#[cfg(feature = "sockets")]
// Of both a reset keeps the waker. The other timers of tokio's unstable build are registered anew in a poll only.
timers!(Executor, executor, false);
timers!(
    Tokio<SETTINGS>,
    tokio,
    SETTINGS == super::tokio::UNSTABLE,
    SETTINGS
);
