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

    /// Another deadline. The timer must be polled again, so that it wakes the task.
    fn reset(timer: Pin<&mut Self::Timer>, deadline: Instant);
}

/// The two have the same names and meanings here.
macro_rules! timers {
    ($runtime:ty, $library:ident $(, $parameter:tt)?) => {
        impl$(<const $parameter: bool>)? Timers for $runtime {
            type Timer = $library::time::Sleep;

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
timers!(Executor, executor);
timers!(Tokio<UNSTABLE>, tokio, UNSTABLE);
