//! `with_resource`: acquires something, uses it, and releases it, whatever happens in between.
//!
//! The releasing is a finalizer of the runtime, a task of its own, from the moment it begins: whoever waits for it may go, and it goes on. What leads
//! to it:
//! ```text
//!   body is ready ────────▶ begin release ; await it ; the body's result
//!   body panics ──caught──▶ begin release ; await it ; the panic goes on
//!   dropped meanwhile ────▶ begin release
//! ```

use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, resume_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;

use super::cancel::shield;
use crate::context::{self, State};

/// Acquires something, uses it, and releases it by an async function, whatever happens in between.
///
/// `acquire` is awaited first. If it fails, that is the result. `body` then borrows what was acquired. When it is done, `release` is called with it,
/// and awaited before this returns, also if the body has failed or panicked. If this future is dropped before that, because its task is aborted,
/// a `timeout` is over or a `select!` has another winner, the release goes on as a task, as that of a [`finalizer`](super::finalizer) does: requests
/// to cancel do not reach it, and [`Runtime::shutdown`](crate::runtime::Runtime::shutdown) waits for it, as long as its grace allows.
///
/// For what is given back without waiting a destructor is better: it runs in all cases, and here it does the rest if the release cannot run,
/// because its runtime was dropped, or has ended: then what was acquired is dropped.
///
/// Inside of a task that is spawned, what is acquired must be of a type without references, `'static` ones included, or the compiler says that an
/// "implementation of `AsyncFnOnce` is not general enough": put it into a struct.
///
/// # Errors
///
/// Those of `acquire` and `body`.
///
/// # Panics
///
/// If `acquire`, `body` or `release` does. If both body and release panic, with the body's panic.
///
/// # Cancel safety
///
/// Dropped during `acquire`, it is as cancel safe as that. After that the release takes place, see above.
///
#[cfg_attr(not(feature = "io"), doc = "```ignore")]
#[cfg_attr(feature = "io", doc = "```")]
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::io::{self, AsyncReadExt, AsyncWriteExt};
/// use executor::task;
///
/// let (ours, mut theirs) = io::duplex(64);
/// let sent = task::with_resource(
///     async { Ok(ours) },
///     async |stream| stream.write_all(b"hello, ").await,
///     // Also if the write fails, or this task is aborted in it.
///     async |mut stream| _ = stream.write_all(b"goodbye").await,
/// );
/// sent.await.unwrap();
///
/// let mut received = String::new();
/// theirs.read_to_string(&mut received).await.unwrap();
/// assert_eq!(received, "hello, goodbye");
/// # });
/// ```
#[doc(alias = "async with")]
#[doc(alias = "asynccontextmanager")]
#[doc(alias = "AsyncExitStack")]
#[doc(alias = "aclosing")]
#[track_caller]
pub fn with_resource<R, T, E, L, F>(
    acquire: impl Future<Output = Result<R, E>>,
    body: impl AsyncFnOnce(&mut R) -> Result<T, E>,
    release: L,
) -> impl Future<Output = Result<T, E>>
where
    R: Send + 'static,
    L: FnOnce(R) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let location = Location::caller();
    async move { hold(acquire.await?, body, release, location).await }
}

async fn hold<R, T, E, L, F>(
    acquired: R,
    body: impl AsyncFnOnce(&mut R) -> Result<T, E>,
    release: L,
    location: &'static Location<'static>,
) -> Result<T, E>
where
    R: Send + 'static,
    L: FnOnce(R) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let mut held = Held {
        // Asked now: where this future is dropped there may be another runtime, or none.
        state: context::with_current(Arc::clone),
        location,
        inner: Some((acquired, release)),
    };
    let (resource, _) = held.inner.as_mut().expect("held until released");
    let used = AssertUnwindSafe(body(resource)).catch_unwind().await;
    // From here on the task does it, also if nobody waits any more.
    let released = match held.release() {
        Some(released) => released.await,
        None => Ok(Ok(())),
    };
    let result = used.unwrap_or_else(|panic| resume_unwind(panic));
    match released {
        Ok(Err(panic)) => resume_unwind(panic),
        // Not told: the runtime has ended.
        Ok(Ok(())) | Err(oneshot::Canceled) => result,
    }
}

/// What was acquired, until it is released.
struct Held<R, L, F>
where
    R: Send + 'static,
    L: FnOnce(R) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    state: Arc<State>,
    location: &'static Location<'static>,
    inner: Option<(R, L)>,
}

impl<R, L, F> Held<R, L, F>
where
    R: Send + 'static,
    L: FnOnce(R) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    /// Begins the release, and returns what hears of its end.
    fn release(&mut self) -> Option<oneshot::Receiver<thread::Result<()>>> {
        let (resource, release) = self.inner.take()?;
        let (done, released) = oneshot::channel();
        let releasing = async move {
            // In the task, where a panic is a task's: this may be called by a destructor.
            let release = shield(Duration::MAX, async move { release(resource).await });
            let end = AssertUnwindSafe(release).catch_unwind().await;
            // With nobody there it is the task's own, and told of as such.
            if let Err(Err(panic)) = done.send(end.map(|_| ())) {
                resume_unwind(panic);
            }
        };
        self.state.finalize(releasing, self.location);
        Some(released)
    }
}

impl<R, L, F> Drop for Held<R, L, F>
where
    R: Send + 'static,
    L: FnOnce(R) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    fn drop(&mut self) {
        drop(self.release());
    }
}
