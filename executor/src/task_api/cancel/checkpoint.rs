//! Questions of code to what is around it: is it to end, and by when.

use super::FutureExt;
use crate::task::{Cancelled, nearest_request};
use crate::time::Instant;

use super::super::yield_now;

/// Lets other tasks run, unless the task or the innermost scope is asked to cancel.
///
/// For loops that compute for long.
///
/// # Errors
///
/// [`Cancelled`], before or after the others have run.
///
/// # Cancel safety
///
/// Cancel safe: it does nothing but wait.
pub async fn checkpoint() -> Result<(), Cancelled> {
    yield_now().or_cancelled().await?;
    check_cancelled()
}

/// Asks whether the task, or the innermost scope, is to cancel. It does not wait. Closures of [`spawn_blocking`](crate::task::spawn_blocking) may ask
/// it as well.
///
/// # Errors
///
/// [`Cancelled`] if it is.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let search = executor::task::spawn_blocking(|| {
///     loop {
///         executor::task::check_cancelled()?;
///         // The next part of the search.
///         # if false { return Ok::<(), executor::task::Cancelled>(()); }
///     }
/// });
/// search.cancel("found elsewhere");
/// assert_eq!(search.await.unwrap().unwrap_err().reason(), "found elsewhere");
/// # });
/// ```
#[doc(alias = "checkpoint_if_cancelled")]
#[doc(alias = "check_cancellation")]
pub fn check_cancelled() -> Result<(), Cancelled> {
    match nearest_request() {
        Some(request) => Err(request),
        None => Ok(()),
    }
}

/// The earliest deadline of the [`CancelScope`](super::CancelScope)s around the code that calls. `None` if there is none.
///
/// A task of a [`group`](crate::task::group) is inside of the scopes that the group runs in, and one that [`gather`](crate::task::gather()) spawns inside of those
/// around that call. Others are in none when they begin.
///
/// Inside of a [`shield`](super::shield) that of the scopes outside does not count, but the end of the shield's grace does as soon as it is known.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::{CancelScope, effective_deadline};
/// use std::time::Duration;
///
/// let outer = CancelScope::with_timeout(Duration::from_secs(1));
/// let inner = CancelScope::with_timeout(Duration::from_secs(60));
/// let deadline = outer.run(inner.run(async { effective_deadline() })).await.unwrap().unwrap();
/// assert_eq!(deadline, outer.deadline());
/// # });
/// ```
#[doc(alias = "current_effective_deadline")]
pub fn effective_deadline() -> Option<Instant> {
    crate::task::inner_deadline().map(Instant::from_std)
}
