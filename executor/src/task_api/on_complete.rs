//! `JoinHandle::on_complete`: a function that is called with the task's result.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::once::{Cancel, Once};
use super::spawn::spawn_at;
use crate::task::{JoinError, JoinHandle};

impl<T: Send + 'static> JoinHandle<T> {
    /// Calls a function with the task's result, once, when the task has ended. It must not block.
    ///
    /// It is called by the runtime that the caller is in, soon after the task has ended: never by `on_complete` itself, though the task
    /// have ended already, and never in the middle of what the task does. In asyncio, too, a done callback is scheduled. Functions of
    /// different tasks may run at the same time, on several workers. On the current-thread flavour they are called in the order in which
    /// the tasks end.
    ///
    /// The function takes what awaiting the handle would have given; awaiting the [`CallbackHandle`] instead waits until it has
    /// returned. A panic of it is that of a task, for whoever awaits that, or else for
    /// [`on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure). A runtime that ends drops the functions that
    /// it has not called.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// let task = executor::spawn(async { 42 });
    /// let callback = task.on_complete(|result| println!("the answer is {}", result.unwrap()));
    /// callback.await.unwrap();
    /// # });
    /// ```
    #[doc(alias = "add_done_callback")]
    #[track_caller]
    pub fn on_complete<F>(self, f: F) -> CallbackHandle
    where
        F: FnOnce(Result<T, JoinError>) + Send + 'static,
    {
        let once = Arc::new(Once::new(f));
        let called = once.clone();
        let call = async move {
            let result = self.await;
            if let Some(f) = called.take() {
                f(result);
            }
        };
        CallbackHandle {
            task: spawn_at(Location::caller(), call),
            function: once,
        }
    }
}

/// A function that is called when a task has ended, see [`JoinHandle::on_complete`]. Awaiting it waits until the function has returned.
///
/// Dropping it changes nothing.
///
/// # Errors
///
/// If the function panicked, was [removed](Self::remove), or was dropped because the runtime ended.
///
/// # Cancel safety
///
/// Awaiting `&mut callback` is cancel safe.
#[must_use = "use `let _ =` if nobody waits for the function, nor removes it"]
pub struct CallbackHandle {
    task: JoinHandle<()>,
    function: Arc<dyn Cancel>,
}

impl CallbackHandle {
    /// Drops the function. True: it was not called, and will not be. The task goes on, and its output is dropped.
    #[doc(alias = "remove_done_callback")]
    pub fn remove(&self) -> bool {
        let removed = self.function.cancel();
        if removed {
            // It has nothing left to wait for.
            self.task.abort();
        }
        removed
    }

    /// True once awaiting it will not wait.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl Future for CallbackHandle {
    type Output = Result<(), JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.task).poll(cx)
    }
}

impl fmt::Debug for CallbackHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackHandle")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}
