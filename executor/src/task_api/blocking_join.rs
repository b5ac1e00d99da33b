//! `JoinHandle` for code that is not async: waits by blocking the thread, or does not wait.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant as StdInstant};

use crate::context;
use crate::rt_sync::whole::{now, thread};
use crate::runtime::Handle;
use crate::task::{JoinError, JoinHandle};
use crate::time;

impl<T> JoinHandle<T> {
    /// Blocks the thread until the task has ended, and gives its result.
    ///
    /// For threads that are not the runtime's own, and closures of [`spawn_blocking`](super::spawn_blocking). Inside of a runtime
    /// it is [`Handle::block_on`], with its panics: a worker that calls it hands its seat over meanwhile.
    ///
    /// # Errors
    ///
    /// As awaiting the handle.
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let runtime = executor::runtime::Runtime::new()?;
    /// let task = runtime.spawn(async { 42 });
    /// assert_eq!(task.blocking_join()?, 42);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "run_coroutine_threadsafe")]
    #[track_caller]
    pub fn blocking_join(mut self) -> Result<T, JoinError> {
        match Handle::try_current() {
            Ok(runtime) => runtime.block_on(self),
            Err(_) => park_until(None, &mut self).expect("there is no limit"),
        }
    }

    /// As [`blocking_join`](Self::blocking_join), for so long at most.
    ///
    /// # Errors
    ///
    /// The handle, if the time has passed: the task goes on. Otherwise as awaiting the handle.
    #[track_caller]
    pub fn blocking_join_timeout(mut self, limit: Duration) -> Result<Result<T, JoinError>, Self> {
        let result = match Handle::try_current() {
            Ok(runtime) => {
                let limited = async { time::timeout(limit, &mut self).await.ok() };
                runtime.block_on(limited)
            }
            Err(_) => park_until(now().checked_add(limit), &mut self),
        };
        result.ok_or(self)
    }

    /// The result, if the task has ended: what awaiting the handle would give at once. `None`: it goes on.
    ///
    /// # Panics
    ///
    /// If the result was taken before.
    #[doc(alias = "result")]
    #[doc(alias = "exception")]
    #[doc(alias = "InvalidStateError")]
    pub fn try_result(&mut self) -> Option<Result<T, JoinError>> {
        if !self.is_finished() {
            return None;
        }
        match self.poll_output(Waker::noop()) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }
}

/// `None`: the deadline came first.
fn park_until<T>(
    deadline: Option<StdInstant>,
    task: &mut JoinHandle<T>,
) -> Option<Result<T, JoinError>> {
    debug_assert!(context::try_with_current(|state| state.is_none()));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(result) = Future::poll(Pin::new(&mut *task), &mut context) {
            return Some(result);
        }
        // Woken for nothing, it looks once more, and waits for the rest of the time.
        match deadline {
            None => thread::park(),
            Some(deadline) => match deadline.saturating_duration_since(now()) {
                Duration::ZERO => return None,
                left => thread::park_timeout(left),
            },
        }
    }
}

struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
