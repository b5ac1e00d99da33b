//! `Handle`: a runtime seen from anywhere.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

use super::{Id, RuntimeFlavor, RuntimeMetrics, block_on};
use crate::blocking::{self, AtClose, Lane};
use crate::context::{self, Entered, State};
use crate::task::{JoinHandle, Notified, Origin};

/// A reference to a runtime, to spawn from threads outside it, or to enter it.
///
/// A handle does not keep the runtime running. After its end, what is spawned through the handle is dropped, and its
/// [`JoinHandle`] answers "cancelled".
#[derive(Clone, Debug)]
#[doc(alias = "get_running_loop")]
#[doc(alias = "get_event_loop")]
pub struct Handle {
    pub(super) state: Arc<State>,
}

impl Handle {
    /// The runtime that the calling code is in: that of the task, of the `block_on`, or of the latest [`enter`](Self::enter).
    /// Outside of any it is the default runtime, which the first use starts: two worker threads at most, never joined.
    ///
    /// # Panics
    ///
    /// If the default runtime is needed and the system refuses its threads.
    pub fn current() -> Self {
        context::with_current(|state| Self {
            state: state.clone(),
        })
    }

    /// The runtime that the calling code is in. Does not start the default runtime.
    ///
    /// # Errors
    ///
    /// If the code is in no runtime.
    pub fn try_current() -> Result<Self, TryCurrentError> {
        context::try_with_current(|state| {
            state
                .map(|state| Self {
                    state: state.clone(),
                })
                .ok_or(TryCurrentError(()))
        })
    }

    /// Puts the calling thread into this runtime until the guard is dropped: [`spawn`](crate::spawn), timers and sockets
    /// made in between belong to it.
    ///
    /// Guards must be dropped in the reverse of their order.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard {
            _entered: context::enter(&self.state),
            _handle: std::marker::PhantomData,
        }
    }

    /// Runs a future as a task of this runtime. See [`executor::spawn`](crate::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_at(Location::caller(), future)
    }

    pub(crate) fn spawn_at<F>(&self, origin: impl Into<Origin>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (handle, closed) = self.state.scheduler.spawn(future, origin);
        if let Some(closed) = closed {
            // What destructors spawn belongs to the runtime that has ended.
            let _entered = self.enter();
            closed.drain();
        }
        handle
    }

    /// Runs a closure that may block on a thread of this runtime's pool. See [`spawn_blocking`](crate::task::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.spawn_blocking_at(Location::caller(), f)
    }

    pub(crate) fn spawn_blocking_at<F, R>(&self, origin: impl Into<Origin>, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (job, handle) = blocking::job(f, origin, context::observer);
        let refused = self
            .state
            .submit_blocking(Lane::Closures, job, AtClose::Cancel);
        if !refused.is_empty() {
            // As in `spawn_at`.
            let _entered = self.enter();
            refused.into_iter().for_each(Notified::cancel);
        }
        handle
    }

    /// Runs a future on the calling thread until it completes. See [`Runtime::block_on`](super::Runtime::block_on), also for
    /// calls inside a task.
    ///
    /// # Panics
    ///
    /// As there.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut output = None;
        block_on::block_on(&self.state, block_on::root(future, &mut output));
        output.expect("it has run to completion")
    }

    /// As [`block_on`](Self::block_on), but not ended by a panic of a task where the builder says `UnhandledPanic::ShutdownRuntime`.
    #[track_caller]
    pub(crate) fn block_on_to_the_end<F: Future>(&self, future: F) -> F::Output {
        let mut output = None;
        block_on::run(&self.state, block_on::root(future, &mut output));
        output.expect("it has run to completion")
    }

    /// Which kind of runtime this is.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        if self.state.scheduler.is_current_thread() {
            RuntimeFlavor::CurrentThread
        } else {
            RuntimeFlavor::MultiThread
        }
    }

    /// What tells this runtime from every other of the process.
    pub fn id(&self) -> Id {
        Id(self.state.id)
    }

    /// The name that [`Builder::name`](super::Builder::name) gave to this runtime.
    pub fn name(&self) -> Option<&str> {
        self.state.name.as_deref()
    }

    /// What this runtime counts about itself.
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(self.state.clone())
    }
}

/// Keeps the thread in a runtime. See [`Handle::enter`].
#[derive(Debug)]
#[must_use = "dropping the guard leaves the runtime at once"]
pub struct EnterGuard<'a> {
    _entered: Entered,
    _handle: std::marker::PhantomData<&'a Handle>,
}

/// The calling code is in no runtime. See [`Handle::try_current`].
pub struct TryCurrentError(());

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not in a runtime: use `Handle::current` for the default one, or enter one with `Handle::enter`")
    }
}

impl fmt::Debug for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TryCurrentError")
    }
}

impl std::error::Error for TryCurrentError {}
