//! `shield`: what is not to be cancelled in the middle, for a limited time.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::scope::poll_timer;
use crate::task::{Cancelled, Deadline, Rare, Region, Scope};
use crate::time::{Instant, Sleep};

/// Keeps the requests of the task, and of the scopes around it, from what is inside for `grace`: for clean-up that has to wait.
///
/// The time runs from the request, or from the first poll if the request came before. When it is over, what is inside is asked to cancel, and dropped
/// where it waits unless something in it hears of that. Deadlines of outer scopes are requests like others.
///
/// It is no protection from [`abort`](crate::task::JoinHandle::abort), from the end of the runtime, or from being dropped with what is around it: a
/// [`finalizer`](crate::task::finalizer) is.
///
/// # Errors
///
/// [`Cancelled`] if the grace was over first.
///
/// # Cancel safety
///
/// As cancel safe as the future.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::{self, FutureExt};
/// use executor::time::{Duration, sleep};
///
/// let task = executor::spawn(async {
///     let result = std::future::pending::<()>().or_cancelled().await;
///     // Here the task is to end, and would be dropped at the next await that waits.
///     task::shield(Duration::from_secs(1), sleep(Duration::from_millis(5))).await?;
///     result
/// });
/// task.cancel("enough");
/// assert_eq!(task.await.unwrap().unwrap_err().reason(), "enough");
/// # });
/// ```
#[doc(alias = "disable_cancellation")]
#[doc(alias = "cancel_shielded_checkpoint")]
pub fn shield<F: IntoFuture>(grace: Duration, future: F) -> Shield<F::IntoFuture> {
    Shield {
        future: Some(future.into_future()),
        region: Region::of(Scope::new()),
        grace,
        until: None,
        timer: Rare::default(),
    }
}

pin_project! {
    /// A future that is not cancelled at once. Made by [`shield`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Shield<F> {
        // Dropped before the region ends: what is inside of it leaves first.
        #[pin]
        future: Option<F>,
        region: Region,
        grace: Duration,
        // Set once the request has come.
        until: Option<Instant>,
        timer: Rare<Pin<Box<Sleep>>>,
    }
}

#[cfg(feature = "http")]
impl<F> Shield<F> {
    /// The future, until it is ready.
    pub(crate) fn get_pin_mut(self: Pin<&mut Self>) -> Option<Pin<&mut F>> {
        self.project().future.as_pin_mut()
    }
}

impl<F: Future> Future for Shield<F> {
    type Output = Result<F::Output, Cancelled>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this.future.as_mut().as_pin_mut();
        let future = future.expect("`Shield` was polled after it was ready");
        let deadline = Deadline::Shielded(this.until.map(Instant::into_std));
        if let Poll::Ready(output) = this.region.within(cx.waker(), deadline, || future.poll(cx)) {
            this.future.set(None);
            this.region.leave();
            return Poll::Ready(Ok(output));
        }
        this.region.listen(cx.waker(), false);
        let Some(request) = this.region.outer_request() else {
            return Poll::Pending;
        };
        let grace = *this.grace;
        let until = *this.until.get_or_insert_with(|| Instant::after(grace));
        let own = this.region.own().expect("made by `shield`");
        if !own.is_requested() && poll_timer(this.timer, until, cx).is_ready() {
            own.cancel(&request);
            // What waits inside with this waker looks at its scope when it is polled.
            cx.waker().wake_by_ref();
        }
        match own.request() {
            Some(request) if !own.spares(cx.waker()) => {
                this.future.set(None);
                this.region.leave();
                Poll::Ready(Err(request))
            }
            _ => Poll::Pending,
        }
    }
}
