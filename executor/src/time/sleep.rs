//! `Sleep`: a future that is ready at a point in time.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::Instant;
use crate::context;
use crate::coop;
use crate::driver::{Alarm, Entry, Status, Timers};
use crate::scheduler;

/// Waits until `duration` has passed.
///
/// # Panics
///
/// Awaiting it panics if the runtime to which the timer belongs has been shut down. Outside of a runtime, making it panics if
/// the default runtime cannot be started.
///
/// # Cancel safety
///
/// Cancel safe: dropping it takes the timer away at once.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::time::{Duration, Instant, sleep};
///
/// let start = Instant::now();
/// sleep(Duration::from_micros(300)).await;
/// assert!(start.elapsed() >= Duration::from_micros(300));
/// # });
/// ```
pub fn sleep(duration: Duration) -> Sleep {
    Sleep::new(Instant::after(duration))
}

/// Waits until `deadline`. See [`sleep`], also for panics and cancel safety.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::new(deadline)
}

pin_project! {
    /// A future that is ready at a point in time. Made by [`sleep`] and [`sleep_until`].
    ///
    /// It holds its place in the runtime's timer wheel itself, so it allocates nothing, and must be pinned to be polled.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        #[pin]
        entry: Entry<Alarm>,
        // What the first poll found, which asks the clock.
        begun: Option<Begun>,
    }
}

/// The timer's runtime has been shut down: it never fires.
pub(crate) struct Closed;

/// What a sleep's first poll found.
#[derive(Clone, Copy, PartialEq)]
enum Begun {
    /// The deadline had passed: the timer is not needed.
    Past,
    /// The timer is registered, or was.
    Timer,
}

impl Sleep {
    fn new(deadline: Instant) -> Self {
        let wheel = context::with_current(|state| state.scheduler.timers().clone());
        Self::of(wheel, deadline)
    }

    /// A timer of this wheel, whatever runtime the caller is in.
    pub(crate) fn of(wheel: Arc<Timers>, deadline: Instant) -> Self {
        Self {
            entry: Entry::new(wheel, deadline.into_std()),
            begun: None,
        }
    }

    /// When it is, or was, ready.
    pub fn deadline(&self) -> Instant {
        Instant::from_std(self.entry.deadline())
    }

    /// The time of the clock that it goes by, whatever runtime the caller is in.
    pub(super) fn now(&self) -> Instant {
        Instant::from_std(self.entry.wheel().extra().now())
    }

    /// True once it has fired.
    pub fn is_elapsed(&self) -> bool {
        self.begun == Some(Begun::Past) || self.entry.is_fired()
    }

    /// Sets a new deadline, also after the old one has passed, without allocating.
    ///
    /// A task that waits goes on waiting: it is woken at the new deadline, or at once if that has passed.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        if let Some(waker) = self.reset_and_leave(deadline) {
            waker.wake();
        }
    }

    /// As `reset`, for who holds a lock: returns the waker of who waits if the new deadline has passed.
    #[must_use = "who waits must be woken"]
    pub(super) fn reset_and_leave(self: Pin<&mut Self>, deadline: Instant) -> Option<Waker> {
        let mut this = self.project();
        // Whether it goes on waiting or not: the new time, too, may have come, and the next poll asks the clock.
        *this.begun = None;
        let mut due = None;
        let status = this
            .entry
            .as_mut()
            .reset_and_leave(deadline.into_std(), &mut due);
        if status == Some(Status::Earliest) {
            this.entry
                .wheel()
                .extra()
                .deadline_added(deadline.into_std());
        }
        due
    }

    fn poll_elapsed(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match ready!(self.poll_unless_closed(cx)) {
            Ok(()) => Poll::Ready(()),
            // Nobody is left to tell: the task goes where it waits, as its runtime's others do.
            Err(Closed) if scheduler::is_last_poll() => Poll::Pending,
            Err(Closed) => panic!(
                "the runtime of this timer has been shut down: await timers inside the runtime that made them"
            ),
        }
    }

    /// Ready also if the runtime has been shut down. It does not count in the task's budget.
    pub(crate) fn poll_unless_closed(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Closed>> {
        let mut this = self.project();
        // The wheel's own time may be behind, so the first poll asks the clock: the one that the deadline was made for.
        let begun = *this.begun.get_or_insert_with(|| {
            match this.entry.wheel().extra().has_come(this.entry.deadline()) {
                true => Begun::Past,
                false => Begun::Timer,
            }
        });
        if begun == Begun::Past {
            return Poll::Ready(Ok(()));
        }
        match this.entry.as_mut().register(cx.waker()) {
            Status::Fired => Poll::Ready(Ok(())),
            Status::Waiting => Poll::Pending,
            Status::Earliest => {
                this.entry
                    .wheel()
                    .extra()
                    .deadline_added(this.entry.deadline());
                Poll::Pending
            }
            Status::Closed => Poll::Ready(Err(Closed)),
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        coop::poll_counted(cx, |cx| self.poll_elapsed(cx))
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .field("is_elapsed", &self.is_elapsed())
            .finish()
    }
}
