//! A clock that stands still, for tests (feature `test-util`).
//!
//! While it is paused and everything waits for timers, time jumps to the next deadline: a test of an hour takes no time, and its
//! times are exact.

use std::time::Duration;

use crate::context;
use crate::driver::Driver;
use crate::task_api::yield_now;

/// Stops the clock of the current runtime. See [`Builder::start_paused`](crate::runtime::Builder::start_paused).
///
/// From then on time moves only by [`advance`], and on its own when every task waits and no closure runs in the blocking pool:
/// then it jumps to the next timer.
///
/// # Panics
///
/// If the clock is paused already, and outside of a current-thread runtime.
#[track_caller]
#[doc(alias = "MockClock")]
pub fn pause() {
    assert!(
        with_driver(|driver| driver.clock().pause()),
        "the clock is paused already: `time::resume` it first"
    );
}

/// Lets the clock of the current runtime run again, from where it stands.
///
/// # Panics
///
/// If the clock is not paused, and outside of a current-thread runtime.
#[track_caller]
pub fn resume() {
    let resumed = with_driver(|driver| {
        let resumed = driver.clock().resume();
        // Called from a blocking closure, whoever sleeps in the driver waits for that to end, not for a deadline.
        driver.wake();
        resumed
    });
    assert!(resumed, "the clock is not paused: `time::pause` it first");
}

/// Moves a paused clock on by `duration`, and lets the tasks run whose timers are due then.
///
/// # Panics
///
/// If the clock is not paused, and outside of a current-thread runtime.
pub async fn advance(duration: Duration) {
    let advanced = with_driver(|driver| driver.clock().advance(duration));
    assert!(advanced, "the clock is not paused: `time::pause` it first");
    context::with_current(|state| state.scheduler.clone()).look();
    yield_now().await;
}

#[track_caller]
fn with_driver<R>(f: impl FnOnce(&Driver) -> R) -> R {
    let result = context::try_with_current(|state| {
        let state = state.filter(|state| state.scheduler.is_current_thread())?;
        Some(f(state.scheduler.driver()))
    });
    result.expect("the clock can be paused on the current-thread flavour only: `Builder::new_current_thread`, or #[executor::test]")
}
