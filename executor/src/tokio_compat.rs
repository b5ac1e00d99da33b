//! `in_tokio`: a tokio for futures that need one.
//!
//! Much of what was written for tokio needs its traits and channels only, and runs here as it is. What opens tokio's sockets, waits for its
//! timers or spawns its tasks itself panics with "there is no reactor running", unless a tokio runtime is there. [`in_tokio`] has one ready
//! for the futures that are given to it, and for no others.
//!
#![cfg_attr(not(feature = "macros"), doc = "```ignore")]
#![cfg_attr(feature = "macros", doc = "```")]
//! use executor::tokio_compat::in_tokio;
//!
//! # #[executor::main]
//! # async fn main() -> Result<(), tokio::task::JoinError> {
//! let answer = in_tokio(async {
//!     // A library that knows only tokio does this somewhere.
//!     tokio::spawn(async { 6 * 7 }).await
//! });
//! assert_eq!(answer.await?, 42);
//! # Ok(())
//! # }
//! ```
//!
//! The future itself is polled where it would be polled anyway, by the task that awaits it, and all of this library works in it. tokio's part is
//! one thread, `async-compat/tokio-1`, that is started by the first use and stays until the process ends. It waits for tokio's sockets and timers, and
//! runs what is spawned by `tokio::spawn`, of all who use it. So:
//!
//! - Each event crosses from that thread to a worker, which costs a switch of threads. Where a library can be given
//!   streams, give it this library's.
//! - What `tokio::spawn` was given shares that one thread. This runtime knows nothing of it: its end does not wait for such tasks, nor drop
//!   them. `spawn_blocking` has tokio's threads, and `block_in_place` panics in such a task.
//! - A clock that is paused here goes on there.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use async_compat::Compat;
use pin_project_lite::pin_project;

/// Makes a tokio runtime the current one whenever `future` is polled, and while it is dropped.
///
/// If the caller is in a tokio runtime already, it is that one.
///
/// # Panics
///
/// Polling it panics if the system refuses tokio's thread.
///
/// # Cancel safety
///
/// As cancel safe as the future within.
#[doc(alias = "Compat")]
pub fn in_tokio<F: IntoFuture>(future: F) -> InTokio<F::IntoFuture> {
    InTokio {
        compat: Compat::new(future.into_future()),
    }
}

pin_project! {
    /// A future that finds a tokio runtime. Made by [`in_tokio`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct InTokio<F> {
        #[pin]
        compat: Compat<F>,
    }
}

impl<F: Future> Future for InTokio<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().compat.poll(cx)
    }
}

impl<F> fmt::Debug for InTokio<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTokio").finish_non_exhaustive()
    }
}
