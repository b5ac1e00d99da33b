//! `JoinHandle::on_complete`: functions that see the task's result before whoever awaits it.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::once::{Cancel, Once, call};
use super::spawn::spawn_at;
use crate::coop;
use crate::task::{AbortHandle, Id, JoinError, JoinHandle};

impl<T: Send + 'static> JoinHandle<T> {
    /// Calls a function with the task's result, once, when the task has ended. It must not block.
    ///
    /// It is called by the runtime that the caller is in, soon after the task has ended: never by `on_complete` itself, though the task
    /// have ended already, and never in the middle of what the task does. In asyncio, too, a done callback is scheduled. Functions of
    /// different tasks may run at the same time, on several workers. On the current-thread flavour they are called in the order in which
    /// the tasks end, or, for tasks that end before the runtime has begun to wait for them, in that in which they were added.
    ///
    /// The function only looks: awaiting the [`CallbackHandle`] gives the result, once the function has returned, and more functions may be
    /// added to that. They are called in the order in which they were added. A function that is to have the result itself is a task,
    /// `spawn(async { f(task.await) })`. A panic of the task counts as seen once a function was called with it.
    ///
    /// A panic of the function is that of a task whose handle was dropped, see
    /// [`on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure); the next is called all the same. A runtime that ends
    /// drops the functions that it has not called.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// let task = executor::spawn(async { 42 })
    ///     .on_complete(|result| println!("the answer is {}", result.as_ref().unwrap()))
    ///     .on_complete(|result| println!("it went well: {}", result.is_ok()));
    /// assert_eq!(task.await.unwrap(), 42);
    /// # });
    /// ```
    #[doc(alias = "add_done_callback")]
    #[track_caller]
    pub fn on_complete<F>(self, f: F) -> CallbackHandle<T>
    where
        F: FnOnce(&Result<T, JoinError>) + Send + 'static,
    {
        let task = self.abort_handle();
        let mut handle = self;
        let result = poll_fn(move |cx| coop::poll_counted(cx, |cx| handle.poll_unseen(cx.waker())));
        CallbackHandle::new(task, result, f, Location::caller())
    }
}

/// A task, and functions that are called when it has ended, see [`JoinHandle::on_complete`]. Awaiting it gives the task's result, once they have
/// returned.
///
/// Dropping it changes nothing: the task goes on, and the functions are called.
///
/// # Errors
///
/// Those of the task; and "cancelled" if the runtime of the functions has ended first.
///
/// # Cancel safety
///
/// Awaiting `&mut handle` is cancel safe.
#[must_use = "use `let _ =` if nobody waits for the task, nor removes the function"]
pub struct CallbackHandle<T> {
    task: AbortHandle,
    /// Calls the function, and passes the result on.
    passes_on: JoinHandle<Result<T, JoinError>>,
    function: Arc<dyn Cancel>,
}

impl<T: Send + 'static> CallbackHandle<T> {
    /// `result` is not seen yet.
    fn new<F>(
        task: AbortHandle,
        result: impl Future<Output = Result<T, JoinError>> + Send + 'static,
        f: F,
        origin: &'static Location<'static>,
    ) -> Self
    where
        F: FnOnce(&Result<T, JoinError>) + Send + 'static,
    {
        let once = Arc::new(Once::new(f));
        let called = once.clone();
        let passes_on = async move {
            let mut result = result.await;
            if let Some(f) = called.take() {
                result = result.map_err(JoinError::seen);
                call(origin, || f(&result));
            }
            result
        };
        Self {
            task,
            passes_on: spawn_at(origin, passes_on),
            function: once,
        }
    }

    /// As [`JoinHandle::on_complete`]: one more function, which is called after those before.
    #[track_caller]
    pub fn on_complete<F>(self, f: F) -> Self
    where
        F: FnOnce(&Result<T, JoinError>) + Send + 'static,
    {
        let task = self.task.clone();
        let mut handle = self;
        let result = poll_fn(move |cx| handle.poll_unseen(cx));
        Self::new(task, result, f, Location::caller())
    }
}

impl<T> CallbackHandle<T> {
    /// Drops the function that was added last. True: it was not called, and will not be. The task goes on, and so do the functions that were
    /// added before.
    #[doc(alias = "remove_done_callback")]
    pub fn remove(&self) -> bool {
        self.function.cancel()
    }

    fn poll_unseen(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let passed_on = coop::poll_counted(cx, |cx| self.passes_on.poll_unseen(cx.waker()));
        passed_on.map(|result| result.and_then(|result| result))
    }

    /// True once awaiting it will not wait.
    pub fn is_finished(&self) -> bool {
        self.passes_on.is_finished()
    }

    /// The task's, see [`JoinHandle::id`].
    pub fn id(&self) -> Id {
        self.task.id()
    }

    /// As [`JoinHandle::abort`]: the functions are called with the error.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// As [`JoinHandle::cancel`].
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Cow<'static, str>>) {
        self.task.cancel(reason);
    }

    /// The task's, see [`JoinHandle::abort_handle`].
    pub fn abort_handle(&self) -> AbortHandle {
        self.task.clone()
    }
}

impl<T> Future for CallbackHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_unseen(cx).map_err(JoinError::seen)
    }
}

impl<T> fmt::Debug for CallbackHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackHandle")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}
