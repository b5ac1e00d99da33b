//! Cooperative scheduling: tasks that always have something to do let others run all the same.
//!
//! A task runs until an `.await` has to wait. One whose awaits never have to, because its socket always has data, say, would keep its worker
//! for ever. So each poll of a task has a budget. The runtime's own operations count, whether they succeed or fail: those of sockets, pipes
//! and files, timers, signals, children, [`JoinHandle`](crate::task::JoinHandle) and [`JoinSet`](crate::task::JoinSet). When the budget is
//! used up, the next of them waits, though it could go on, and wakes its task, which gets a new budget behind all others that are ready.
//!
//! Of the runtime's functions these do not count: those named `try_..`, which never wait; to flush, close or shut down a socket, which no loop
//! repeats; those that only pass on what the future within does, as [`timeout`](crate::time::timeout) and `join!`; and arguments that are
//! refused before anything begins, as a path that is too long for a socket.
//!
//! The budget is counted in operations, but measured in time: every 32 operations the clock is read, and a poll that goes on for 50 µs
//! after the first 32 is over. So a task that does little yields late, and one whose operations are slow yields soon. Futures given to
//! `block_on` have a budget, too; closures given to `spawn_blocking` have none.
//!
//! What does not wait for the runtime does not count unless it says so: a task that computes says so by [`consume_budget`], an operation by
//! [`cooperative`] or [`poll_proceed`]. This includes channels and locks of other crates. Those of the crate `tokio` have
//! a budget of their own, which is without limit outside of tokio's runtime.
//!
//! ```
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::task::coop::cooperative;
//! use futures::{StreamExt, channel::mpsc};
//!
//! let (sender, mut receiver) = mpsc::unbounded();
//! # (0..1000).for_each(|n| sender.unbounded_send(n).unwrap());
//! # drop(sender);
//! // However fast somebody sends, others get their turn.
//! while let Some(message) = cooperative(receiver.next()).await {
//!     println!("{message}");
//! }
//! # });
//! ```

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

pub use crate::coop::{RestoreOnPending, has_budget_remaining, poll_proceed};

/// Counts as one operation: waits if the task has used up its budget, so that others can run.
///
/// A task that was asked to [cancel](crate::task::JoinHandle::cancel) is dropped where it waits for this, as for anything else, unless something hears of the request. A loop
/// that only ever waits here has not waited as far as [`Runtime::shutdown`](crate::runtime::Runtime::shutdown) is concerned, and goes on until the
/// runtime closes.
///
/// For loops that compute. It costs next to nothing while there is budget left, unlike [`yield_now`](super::yield_now), which always
/// waits.
///
/// # Cancel safety
///
/// Cancel safe: it does nothing but wait.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::coop::consume_budget;
///
/// let mut sum = 0_u64;
/// for n in 0..100_000 {
///     sum += n;
///     consume_budget().await;
/// }
/// # assert_eq!(sum, 4_999_950_000);
/// # });
/// ```
#[doc(alias = "checkpoint")]
pub async fn consume_budget() {
    poll_fn(|cx| crate::coop::poll_counted(cx, |_| Poll::Ready(()))).await
}

/// Makes each completion of `future` count as one operation.
///
/// For futures that wait for no other that counts, such as those of channels and locks. See [the module](self).
#[inline]
pub fn cooperative<F: Future>(future: F) -> Coop<F> {
    Coop { future }
}

/// Lets a future run without a budget: nothing that it does makes it wait for the sake of others.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::coop::{consume_budget, unconstrained};
///
/// unconstrained(async {
///     for _ in 0..10_000 {
///         consume_budget().await; // never waits
///     }
/// })
/// .await;
/// # });
/// ```
pub fn unconstrained<F>(inner: F) -> Unconstrained<F> {
    Unconstrained { inner }
}

pin_project! {
    /// A future that counts as one operation. Made by [`cooperative`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Coop<F: Future> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let progress = ready!(poll_proceed(cx));
        let output = ready!(self.project().future.poll(cx));
        progress.made_progress();
        Poll::Ready(output)
    }
}

pin_project! {
    /// A future without a budget. Made by [`unconstrained`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Unconstrained<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let inner = self.project().inner;
        crate::coop::unlimited(|| inner.poll(cx))
    }
}
