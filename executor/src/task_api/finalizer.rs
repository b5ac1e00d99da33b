//! `finalizer`: clean-up that waits, and that is done though its task is aborted.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::context::{self, State};
use crate::task::shield;
use crate::time::timeout;

/// Clean-up for the task that makes it: `future` is run to its end, for `limit` at most, when what this returns is dropped, however that comes about:
/// by the end of the scope, `?`, a panic, [`abort`](crate::task::JoinHandle::abort), or [`Runtime::shutdown`](crate::runtime::Runtime::shutdown).
///
/// It is run as a task of its own, of the runtime that the caller is in, and shielded from requests to cancel. [`Finalizer::run`] runs it in place,
/// and waits for it; [`Finalizer::disarm`] forgets it. `Runtime::shutdown` waits for those that run. A runtime that is dropped, or has ended, runs none
/// any more.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task;
/// use std::time::Duration;
///
/// let (send, goodbye) = futures::channel::oneshot::channel();
/// let farewell = task::finalizer(Duration::from_secs(1), async move {
///     let _ = send.send("goodbye");
/// });
/// let session = executor::spawn(async move {
///     let _farewell = farewell;
///     std::future::pending::<()>().await;
/// });
/// session.abort();
/// assert_eq!(goodbye.await, Ok("goodbye"));
/// # });
/// ```
#[doc(alias = "finally")]
#[doc(alias = "shutdown_asyncgens")]
#[track_caller]
pub fn finalizer<F>(limit: Duration, future: F) -> Finalizer
where
    F: Future<Output = ()> + Send + 'static,
{
    Finalizer {
        future: Some(Box::pin(future)),
        limit,
        state: context::with_current(Arc::clone),
        location: Location::caller(),
    }
}

/// Clean-up that is done when this is dropped. Made by [`finalizer`].
#[must_use = "dropped at once, it runs at once"]
pub struct Finalizer {
    /// Until it has run, also if it has begun; gone if it has panicked.
    future: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    limit: Duration,
    state: Arc<State>,
    location: &'static Location<'static>,
}

impl Finalizer {
    /// Runs it now, and waits for it. What is left of it after `limit` is dropped. If it panics, so does this, and it is not run again.
    ///
    /// # Cancel safety
    ///
    /// Dropped midway, also by an abort, it goes on in the background, as if this had not been called.
    pub async fn run(mut self) {
        let limit = self.limit;
        let in_place = poll_fn(|cx| {
            // Not here while it is polled: of one that panics nothing is left to run.
            let Some(mut future) = self.future.take() else {
                return Poll::Ready(());
            };
            let poll = future.as_mut().poll(cx);
            if poll.is_pending() {
                self.future = Some(future);
            }
            poll
        });
        let _ = shield(limit, timeout(limit, in_place)).await;
        self.disarm();
    }

    /// It is not needed: drops the future.
    pub fn disarm(mut self) {
        self.future = None;
    }
}

impl Drop for Finalizer {
    fn drop(&mut self) {
        let Some(future) = self.future.take() else {
            return;
        };
        let limit = self.limit;
        // The timer is made where the future is polled, and there belongs to the runtime.
        let shielded = async move {
            let _ = shield(limit, async move { timeout(limit, future).await }).await;
        };
        self.state.finalize(shielded, self.location);
    }
}

impl fmt::Debug for Finalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finalizer")
            .field("limit", &self.limit)
            .field("made_at", &format_args!("{}", self.location))
            .finish_non_exhaustive()
    }
}
