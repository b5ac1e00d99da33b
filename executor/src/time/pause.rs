//! A clock that stands still, for tests (feature `test-util`).
//!
//! While it is paused and everything waits for timers, time jumps to the next deadline: a test of an hour takes no time, and its
//! times are exact. When that is, is decided in the scheduler (`stillness`).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::context;
use crate::rt_sync::whole::atomic::{Ordering::SeqCst, fence};
use crate::scheduler::Shared;
use crate::task_api::yield_now;

/// Stops the clock of the current runtime. See [`Builder::start_paused`](crate::runtime::Builder::start_paused).
///
/// From then on time moves only by [`advance`], and on its own when everything in the runtime waits: then it jumps to the next timer,
/// exactly, and all timers of that instant fire together. "Everything" is
///
/// - every task, on whatever worker;
/// - every thread in `block_on` of this runtime, but for one that drives a current-thread runtime outside of that call;
/// - every closure in the blocking pool, and every thread in [`block_in_place`](crate::task::block_in_place), unless it waits in
///   `block_on` itself;
/// - every [`ClockHold`].
///
/// Other threads and other processes are invisible: while a task waits for one of them, time may jump. Take a [`hold`] for that time.
/// What one task writes to a socket another one reads in time as a rule, because before a jump the runtime listens to its sockets
/// for a millisecond. But the system may keep bytes back for longer, for example the second of two small writes to a TCP stream, up to
/// 40 ms: set `nodelay`, or take a hold.
///
/// # Panics
///
/// If the clock is paused already, and outside of a runtime.
#[track_caller]
#[doc(alias = "MockClock")]
pub fn pause() {
    let paused = with_scheduler(|scheduler| {
        let driver = scheduler.driver();
        let paused = driver.clock().pause();
        // Pairs with R2 of `stillness`. Whoever waits for a deadline waits by the real clock, and must begin anew.
        fence(SeqCst);
        driver.wake();
        paused
    });
    assert!(
        paused,
        "the clock is paused already: `time::resume` it first"
    );
}

/// Lets the clock of the current runtime run again, from where it stands.
///
/// # Panics
///
/// If the clock is not paused, and outside of a runtime.
#[track_caller]
pub fn resume() {
    let resumed = with_scheduler(|scheduler| {
        let resumed = scheduler.driver().clock().resume();
        // Whoever sleeps in the driver may wait for everybody to rest, and not for a deadline.
        scheduler.driver().wake();
        resumed
    });
    assert!(resumed, "the clock is not paused: `time::pause` it first");
}

/// Moves a paused clock on by `duration`, and lets the tasks run whose timers are due then.
///
/// When this is ready, the timers that are due have fired. On the current-thread flavour their tasks were woken in the order of the
/// deadlines, and have had their turn, if this is called in a task. On the multi-thread flavour a worker may fire some of them at the
/// same time, so tasks may still be about to be woken, wait for a worker, or run at this moment, in any order: await them, or
/// something they do. All see the time after the whole step; to stop at every deadline on the way, [`sleep`](super::sleep) instead.
///
/// # Panics
///
/// If the clock is not paused, if it would go past the end of time, and outside of a runtime.
///
/// # Cancel safety
///
/// Once polled it has moved the clock; dropping it then only means not to wait for others.
pub async fn advance(duration: Duration) {
    let scheduler = with_scheduler(Arc::clone);
    let advanced = scheduler.driver().clock().advance(duration);
    assert!(advanced, "the clock is not paused: `time::pause` it first");
    scheduler.fire_due();
    drop(scheduler);
    yield_now().await;
}

/// Keeps the paused clock of the current runtime from moving on its own, for something that the runtime cannot see.
///
/// A thread or a process that works for a test is invisible to the clock, which jumps while a task waits for it. A hold stands for such
/// a thread; it may be sent there and dropped when the work is done. Holds add up. [`advance`] moves the clock all the same. While
/// the clock is not paused a hold has no effect.
///
/// # Panics
///
/// Outside of a runtime.
///
/// ```
/// # let runtime = executor::runtime::Builder::new_multi_thread().worker_threads(2).start_paused(true).build()?;
/// # runtime.block_on(async {
/// use executor::time::{self, Duration};
///
/// let (answer, answered) = futures::channel::oneshot::channel();
/// let hold = time::hold();
/// std::thread::spawn(move || {
///     std::thread::sleep(Duration::from_millis(10));
///     answer.send(42).unwrap();
///     drop(hold);
/// });
/// let answer = time::timeout(Duration::from_secs(1), answered).await;
/// assert_eq!(answer, Ok(Ok(42)));
/// # });
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn hold() -> ClockHold {
    let scheduler = with_scheduler(Arc::clone);
    scheduler.hold_clock();
    ClockHold { scheduler }
}

/// While it lives, a paused clock does not move on its own. Made by [`hold`].
#[must_use = "dropping the hold lets the clock go on at once"]
pub struct ClockHold {
    scheduler: Arc<Shared>,
}

impl Drop for ClockHold {
    fn drop(&mut self) {
        self.scheduler.release_clock();
    }
}

impl fmt::Debug for ClockHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClockHold")
    }
}

#[track_caller]
fn with_scheduler<R>(f: impl FnOnce(&Arc<Shared>) -> R) -> R {
    let result = context::try_with_current(|state| state.map(|state| f(&state.scheduler)));
    result.expect("outside of a runtime there is no clock to pause: use #[executor::test], `Runtime::block_on` or `Handle::enter`")
}
