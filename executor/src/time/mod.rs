//! Sleeping, timeouts and intervals.
//!
//! ```
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::time::{self, Duration};
//!
//! time::sleep(Duration::from_millis(1)).await;
//! let slow = std::future::pending::<()>();
//! assert!(time::timeout(Duration::from_millis(1), slow).await.is_err());
//! # });
//! ```
//!
//! Timers never fire early. How late they fire depends on the machine: the wheel is exact, and on Linux so are the sleeps of an idle
//! runtime, to some tens of microseconds; a busy worker looks about every 50 µs between two tasks, and where more than 10 000 in a second are due,
//! those within 100 µs wake up together.
//!
//! A timer belongs to the runtime in which it was made, outside of any to the default one (see
//! [`Handle::current`](crate::runtime::Handle::current)). Any [`Duration`] is accepted; what lies beyond the clock's range is about
//! thirty years off.

mod call_later;
mod instant;
mod interval;
mod sleep;
mod timeout;

#[cfg(feature = "test-util")]
mod pause;

pub use std::time::Duration;

pub use call_later::{TimerHandle, call_at, call_later};
pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
#[cfg(feature = "test-util")]
pub use pause::{ClockHold, advance, hold, pause, resume};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Timeout, timeout, timeout_at};

/// Errors of this module.
pub mod error {
    pub use super::timeout::Elapsed;
}
