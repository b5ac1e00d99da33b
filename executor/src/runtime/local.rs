//! `LocalRuntime`: a runtime whose tasks need not be `Send`, because they stay on one thread.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use super::{Builder, EnterGuard, Handle, Runtime, RuntimeMetrics, ShutdownReport};
use crate::task::JoinHandle;

/// A runtime on the thread that made it, where [`spawn_local`](crate::task::spawn_local) works everywhere: in the future given to
/// [`block_on`](Self::block_on), in every task, and after [`enter`](Self::enter).
///
/// It is a current-thread [`Runtime`] with a [`LocalSet`](crate::task::LocalSet) that every `block_on` polls. What is spawned
/// through a [`Handle`] must still be `Send`: handles cross threads. So does the right to drive a current-thread runtime; if another thread
/// calls `block_on` through a handle, tasks that were spawned as `Send` may run there, and `spawn_local` in them panics. Local
/// tasks wait until their own thread drives.
///
/// # Shutdown
///
/// As that of [`Runtime`]. Local tasks are dropped first, on this thread.
///
/// ```
/// use std::rc::Rc;
///
/// let runtime = executor::runtime::LocalRuntime::new()?;
/// runtime.block_on(async {
///     let shared = Rc::new(1);
///     let task = executor::task::spawn_local({
///         let shared = shared.clone();
///         async move { *shared + 1 }
///     });
///     assert_eq!(task.await.unwrap(), 2);
/// });
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct LocalRuntime {
    runtime: Runtime,
    _not_send: PhantomData<*mut ()>,
}

impl UnwindSafe for LocalRuntime {}
impl RefUnwindSafe for LocalRuntime {}

/// What only a [`LocalRuntime`] can be told. There is nothing yet: use [`LocalOptions::default`].
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct LocalOptions {
    _not_send: PhantomData<*mut ()>,
}

impl LocalRuntime {
    /// A local runtime of the calling thread.
    ///
    /// # Errors
    ///
    /// As [`Builder::build_local`].
    pub fn new() -> io::Result<Self> {
        Builder::new_current_thread().build_local(LocalOptions::default())
    }

    /// Of a runtime that was started with `Options::local`, on this thread.
    pub(super) fn new_on(runtime: Runtime) -> Self {
        Self {
            runtime,
            _not_send: PhantomData,
        }
    }

    /// A handle to this runtime. Other threads may have it, so it spawns what is `Send`.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Runs a future as a task on this thread, whenever `block_on` runs. See [`spawn_local`](crate::task::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let local = self.handle().state.local.as_ref();
        local
            .expect("a local runtime was started as one")
            .spawn(future, Location::caller())
    }

    /// See [`spawn_blocking`](crate::task::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.runtime.spawn_blocking(f)
    }

    /// Runs a future to completion, and meanwhile all tasks. See [`Runtime::block_on`].
    ///
    /// # Panics
    ///
    /// As [`Runtime::block_on`].
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Puts the calling thread into this runtime until the guard is dropped. See [`Handle::enter`].
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// What the runtime counts about itself. Local tasks are not among the tasks that it counts.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }

    /// Ends the runtime, and says what came of it. See [`Runtime::shutdown`].
    #[track_caller]
    pub fn shutdown(self, grace: Duration) -> ShutdownReport {
        self.runtime.shutdown(grace)
    }

    /// Ends the runtime, waiting at most `duration` for blocking closures that are under way.
    pub fn shutdown_timeout(self, duration: Duration) {
        self.runtime.shutdown_timeout(duration);
    }

    /// Ends the runtime without waiting for anything that is under way.
    pub fn shutdown_background(self) {
        self.runtime.shutdown_background();
    }
}
