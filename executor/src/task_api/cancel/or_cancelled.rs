//! `or_cancelled`: an operation that fails when its task, or the scope around it, is cancelled.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::task::{Cancelled, Region};

/// What futures can do besides, in a task that may be cancelled.
pub trait FutureExt: IntoFuture + Sized {
    /// Ready with [`Cancelled`] if the task, or the innermost [`CancelScope`](super::CancelScope) around it, is asked to cancel before the future is
    /// ready; at the first poll, without polling the future, if that was so before.
    ///
    /// When the request comes the future is polled once more, so one that is ready wins. If it waits in a region inside of it, an `or_cancelled` of its
    /// own, a scope or a [`shield`](super::shield), it goes on until these are done: each gets the error where it waits.
    ///
    /// Outside of tasks, scopes and `block_on` nothing is ever cancelled.
    ///
    /// # Errors
    ///
    /// [`Cancelled`]. By then the future is dropped.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as the future, which an error drops where it waits.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// use executor::task::FutureExt;
    ///
    /// let task = executor::spawn(async {
    ///     let first = std::future::pending::<()>().or_cancelled().await;
    ///     // The request stays: what begins now fails at once.
    ///     let second = executor::task::yield_now().or_cancelled().await;
    ///     (first.is_err(), second.is_err())
    /// });
    /// task.cancel("enough");
    /// assert_eq!(task.await.unwrap(), (true, true));
    /// # });
    /// ```
    fn or_cancelled(self) -> OrCancelled<Self::IntoFuture> {
        OrCancelled {
            future: Some(self.into_future()),
            region: Region::default(),
        }
    }
}

impl<F: IntoFuture> FutureExt for F {}

pin_project! {
    /// A future that may be cancelled. Made by [`FutureExt::or_cancelled`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct OrCancelled<F> {
        // Dropped before the region ends: what is inside of it leaves first.
        #[pin]
        future: Option<F>,
        region: Region,
    }
}

impl<F: Future> Future for OrCancelled<F> {
    type Output = Result<F::Output, Cancelled>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = &mut this.future;
        let result = this.region.poll(cx, |cx| {
            let future = future.as_mut().as_pin_mut();
            future
                .expect("`OrCancelled` was polled after it was ready")
                .poll(cx)
        });
        if result.is_ready() {
            this.future.set(None);
        }
        result
    }
}
