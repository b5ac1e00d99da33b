//! `timeout`: a future that is given up at a point in time.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::{Instant, Sleep, sleep, sleep_until};
use crate::coop;

/// Gives `future` up if it is not ready after `duration`.
///
/// The future is polled before the time is looked at, so one that is ready wins even if the time has passed. When the time is up
/// the future is dropped together with the timeout; [`Timeout::into_inner`] gets it back.
///
/// # Errors
///
/// [`Elapsed`] if the time was up first.
///
/// # Panics
///
/// As [`sleep`].
///
/// # Cancel safety
///
/// As cancel safe as the future within.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::time::{Duration, timeout};
///
/// assert_eq!(timeout(Duration::from_secs(60), async { 1 }).await, Ok(1));
/// # });
/// ```
#[doc(alias = "wait_for")]
#[doc(alias = "fail_after")]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        delay: sleep(duration),
    }
}

/// Gives `future` up if it is not ready at `deadline`. See [`timeout`], also for errors, panics and cancel safety.
#[doc(alias = "fail_at")]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        delay: sleep_until(deadline),
    }
}

pin_project! {
    /// A future that is given up at a point in time. Made by [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    #[derive(Debug)]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        #[pin]
        delay: Sleep,
    }
}

impl<F> Timeout<F> {
    /// The future within.
    pub fn get_ref(&self) -> &F {
        &self.future
    }

    /// The future within.
    pub fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// When the future is given up, or was.
    pub fn deadline(&self) -> Instant {
        self.delay.deadline()
    }

    /// Sets another deadline. A task that waits goes on waiting, and is woken at that one.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// use executor::time::{Duration, Instant, sleep, timeout};
    /// use std::pin::pin;
    ///
    /// let mut limited = pin!(timeout(Duration::ZERO, sleep(Duration::from_millis(1))));
    /// limited.as_mut().reset(Instant::now() + Duration::from_secs(60));
    /// assert!(limited.await.is_ok());
    /// # });
    /// ```
    #[doc(alias = "reschedule")]
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.project().delay.reset(deadline);
    }

    /// The future within, without the timeout.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = coop::has_budget_remaining();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let elapsed = if had_budget && !coop::has_budget_remaining() {
            // A future that uses the whole budget up each time it is polled must not put the deadline off for ever.
            coop::unlimited(|| this.delay.poll(cx))
        } else {
            this.delay.poll(cx)
        };
        elapsed.map(|()| Err(Elapsed(())))
    }
}

/// The time was up. See [`timeout`].
#[derive(Debug, PartialEq, Eq)]
#[doc(alias = "TimeoutError")]
#[doc(alias = "TooSlowError")]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(_: Elapsed) -> Self {
        io::ErrorKind::TimedOut.into()
    }
}
