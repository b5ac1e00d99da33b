//! `Runtime`: owns the threads, and ends them.

use std::future::Future;
use std::io;
use std::time::Duration;

use super::wind_down::wind_down;
use super::{Builder, EnterGuard, Handle, RuntimeMetrics, ShutdownReport};
use crate::context::Ended;
use crate::driver;
use crate::rt_sync::whole::now;
use crate::task::{Cancelled, JoinHandle};

/// An async runtime: scheduler, reactor, timers and blocking pool.
///
/// # Shutdown
///
/// Dropping the runtime, or ending it with one of the methods below, closes it: no future is polled after the poll it is in, every
/// task is dropped where it waits, and its [`JoinHandle`] answers "cancelled". What was not started in the blocking pool is
/// dropped, too. Sockets and timers that outlive the runtime answer with an error.
///
/// `drop` waits for the runtime's threads: for polls and blocking closures that are under way, at most 5 seconds. What takes longer
/// is left to itself, and its memory goes when it ends. [`shutdown`](Self::shutdown) sets another limit, and says what is left. On one of
/// the runtime's own threads, that is in a task or a blocking closure, nothing is waited for. A thread that has ended but for its
/// thread-local destructors is waited for without a limit.
#[derive(Debug)]
#[doc(alias = "Runner")]
#[doc(alias = "EventLoop")]
pub struct Runtime {
    handle: Handle,
    /// By one of the methods that say how long to wait.
    ended: bool,
}

/// Kinds of runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// One thread: whoever calls `block_on`.
    CurrentThread,
    /// Worker threads that steal from each other.
    MultiThread,
}

impl Runtime {
    /// A multi-thread runtime with a worker for each processor, or as many as `EXECUTOR_WORKERS` says.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`].
    #[doc(alias = "new_event_loop")]
    pub fn new() -> io::Result<Self> {
        Builder::new_multi_thread().build()
    }

    pub(super) fn from_handle(handle: Handle) -> Self {
        Self {
            handle,
            ended: false,
        }
    }

    /// A handle to this runtime.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs a future to completion on the calling thread, and returns its output.
    ///
    /// On the multi-thread flavour the calling thread is no worker: only this future runs on it, so it need not be `Send`;
    /// but what it spawns runs elsewhere, and everything it exchanges with tasks crosses threads. Servers spawn their acceptor.
    /// On the current-thread flavour this call is what makes tasks, timers and sockets move; of several concurrent calls one
    /// drives, and hands over when it is done.
    ///
    /// # Inside a task
    ///
    /// The call blocks the task that makes it, and whatever is joined or selected with it there, but nothing else, whichever runtime the
    /// future is for. `.await` is cheaper where it can be had; this is for functions that are not async.
    ///
    /// A worker of a multi-thread runtime first hands its place over to another thread, as
    /// [`block_in_place`](crate::task::block_in_place) does. The thread that drives a current-thread runtime goes on with its other tasks
    /// in the inner call. What is being polled outside cannot go on before the inner call returns: the calling task, the future of the outer
    /// call, and of calls nested in each other all but the innermost. A future that waits for one of these waits for ever. So does everything
    /// of a current-thread runtime while its thread drives another one, or has entered another one and then calls that one's `block_on`.
    ///
    /// ```
    /// use executor::runtime::{Handle, Runtime};
    ///
    /// fn not_async() -> u8 {
    ///     let task = executor::spawn(async { 42 });
    ///     Handle::current().block_on(task).unwrap()
    /// }
    ///
    /// let runtime = Runtime::new()?;
    /// assert_eq!(runtime.block_on(async { executor::spawn(async { not_async() }).await })?, 42);
    /// # std::io::Result::Ok(())
    /// ```
    ///
    /// # Panics
    ///
    /// If the future panics. If the runtime is a current-thread one that this thread drives, and inside that drives another: it would wait
    /// for itself.
    #[doc(alias = "run_until_complete")]
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }

    /// See [`executor::spawn`](crate::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// See [`spawn_blocking`](crate::task::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(f)
    }

    /// See [`Handle::enter`].
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// See [`Handle::metrics`].
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }

    /// Ends the runtime in good order, within `grace`, and says what came of it.
    ///
    /// 1. Every task is asked to end, as by [`JoinHandle::cancel`], also those that are spawned from now on. What waits where nothing hears of that is
    ///    dropped, the others have half of the grace.
    /// 2. Those that are left are aborted. [Finalizers](crate::task::finalizer) have another quarter.
    /// 3. The runtime closes: it takes nothing more, and drops every task. Polls and blocking closures that are under way are waited for as long as there
    ///    is time, and reported if they take longer.
    ///
    /// A task that has not waited yet hears of the request when it begins to: one that does nothing but yield goes on until the runtime closes.
    ///
    /// On one of the runtime's own threads, in a task or a blocking closure, it waits for nothing, and the caller is among the stragglers.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = executor::runtime::Runtime::new()?;
    /// runtime.spawn(std::future::pending::<()>());
    ///
    /// let report = runtime.shutdown(Duration::from_secs(3));
    /// assert!(report.is_complete(), "{report}");
    /// assert_eq!(report.tasks_dropped(), 1);
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn shutdown(mut self, grace: Duration) -> ShutdownReport {
        let (begin, state) = (now(), self.handle.state.clone());
        let (alive, polls) = (state.alive(), state.scheduler.polls_under_way());
        let request = Cancelled::new("the runtime shuts down");
        let aborted = wind_down(&state, &request, grace);
        let wound_down = alive.saturating_sub(state.alive());
        let took = now().saturating_duration_since(begin);
        let mut ended = self.end(grace.saturating_sub(took));
        ended.tasks += wound_down;
        let closed_for = ended.took;
        // Not the sum: a moment between the two would be in neither.
        ended.took = now().saturating_duration_since(begin);
        ShutdownReport::new(&state, &ended, aborted, |poll| {
            // While tasks are asked to end others are polled; once the runtime is closed no poll begins.
            let lasts = polls.iter().any(|before| before.is_same_as(poll));
            if lasts { ended.took } else { closed_for }
        })
    }

    /// Ends the runtime, waiting at most `duration` for polls and blocking closures that are under way.
    pub fn shutdown_timeout(mut self, duration: Duration) {
        self.end(duration);
    }

    fn end(&mut self, grace: Duration) -> Ended {
        self.ended = true;
        // A time that cannot be reached is no limit.
        self.handle.state.shut_down(now().checked_add(grace))
    }

    /// Ends the runtime without waiting for anything that is under way.
    ///
    /// Tasks that wait are dropped before this returns, on the calling thread.
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }
}

/// True if an operation on a socket failed because the runtime it belongs to has shut down.
///
/// ```
/// use executor::net::TcpListener;
/// use executor::runtime::{Runtime, is_rt_shutdown_err};
///
/// let first = Runtime::new()?;
/// let listener = first.block_on(TcpListener::bind("127.0.0.1:0"))?;
/// drop(first);
///
/// let second = Runtime::new()?;
/// let error = second.block_on(listener.accept()).unwrap_err();
/// assert!(is_rt_shutdown_err(&error));
/// # std::io::Result::Ok(())
/// ```
pub fn is_rt_shutdown_err(err: &io::Error) -> bool {
    driver::is_shut_down(err)
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // After one of the shutdown methods nothing is left to do, and `drop` must not wait for what they gave up on.
        if !self.ended {
            self.handle.state.shut_down(Some(now() + DROP_PATIENCE));
        }
    }
}

const DROP_PATIENCE: Duration = Duration::from_secs(5);
