//! `JoinHandle` and `AbortHandle`: what the spawner of a task holds.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use super::ending::{drop_join_handle, store_join_waker};
use super::raw::Header;
use super::reference::TaskRef;
use super::{Cancelled, Id, JoinError};
use crate::coop;

/// Awaits a task's output, and may abort it.
///
/// Dropping the handle detaches the task: it goes on, and its output is dropped where it completes.
///
/// # Cancel safety
///
/// Awaiting `&mut handle` is cancel safe: the output stays until it is taken. Awaiting the handle by value and giving up
/// detaches the task, it does not stop it.
///
/// # Panics
///
/// Polling again after the output was taken panics.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let handle = executor::spawn(async { 6 * 7 });
/// assert_eq!(handle.await.unwrap(), 42);
/// # });
/// ```
#[doc(alias = "Task")]
pub struct JoinHandle<T> {
    task: NonNull<Header>,
    _output: PhantomData<T>,
}

// SAFETY: the handle moves the output, which is `Send`, and shares nothing but the state word.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle gives access to the state word only; the output needs `&mut`.
unsafe impl<T: Send> Sync for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// The task's second reference and JOIN_INTEREST become this handle.
    pub(super) fn from_raw(task: NonNull<Header>) -> Self {
        Self {
            task,
            _output: PhantomData,
        }
    }

    /// Asks that the task's future be dropped at its next await, and returns at once.
    ///
    /// Awaiting the handle afterwards says whether the task was cancelled
    /// ([`JoinError::is_cancelled`]) or had completed before. By then its future is dropped.
    pub fn abort(&self) {
        self.task_ref().abort();
    }

    /// Asks the task to end, and returns at once.
    ///
    /// What in the task hears of it, [`or_cancelled`](super::FutureExt::or_cancelled) or a [`CancelScope`](super::CancelScope), gets the error
    /// [`Cancelled`](super::Cancelled) where it waits, and again wherever it begins to wait after that; the task goes on with it as it likes, and if
    /// it returns, it has completed. A task that waits where nothing hears of it is dropped there, as by [`abort`](Self::abort), unless it is in a
    /// [`shield`](super::shield): it is polled once more, and dropped if it still waits. Sockets, timers and channels do not fail by this.
    ///
    /// Of several requests the first one counts. A task that has not begun is begun. A closure of
    /// [`spawn_blocking`](super::spawn_blocking) hears of it by [`check_cancelled`](super::check_cancelled).
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// use executor::task::FutureExt;
    ///
    /// let task = executor::spawn(async {
    ///     match std::future::pending::<()>().or_cancelled().await {
    ///         Ok(()) => "done".to_owned(),
    ///         Err(cancelled) => format!("given up: {}", cancelled.reason()),
    ///     }
    /// });
    /// task.cancel("no time");
    /// assert_eq!(task.await.unwrap(), "given up: no time");
    /// # });
    /// ```
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Cow<'static, str>>) {
        self.cancel_with(&Cancelled::new(reason));
    }

    pub(crate) fn cancel_with(&self, cancelled: &Cancelled) {
        self.task_ref().cancel(cancelled);
    }

    /// A handle that can abort the task and does not keep its output.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle(self.task_ref().clone())
    }

    /// True once the task has completed, panicked or been cancelled: awaiting the handle will not wait.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.task_ref().is_complete()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.task_ref().id()
    }

    /// The output, if the task is complete. If it is not, its completion wakes `waker`.
    ///
    /// It does not count in the caller's budget.
    pub(crate) fn poll_output(&mut self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        self.poll_unseen(waker).map_err(JoinError::seen)
    }

    /// As `poll_output`, for who keeps an error, perhaps in vain: until [`JoinError::seen`] a panic in it is one that nobody has seen.
    pub(crate) fn poll_unseen(&mut self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        if !self.is_finished_or_wakes(waker) {
            return Poll::Pending;
        }
        let mut output = Poll::Pending;
        let destination: *mut Poll<Result<T, JoinError>> = &mut output;
        let task = self.task_ref();
        // SAFETY: the task is complete, this is its JoinHandle, exclusively borrowed, and `destination` has the type of its output.
        unsafe { (task.header().vtable.take_output)(self.task, destination.cast()) };
        output
    }

    /// Wakes `waker` once, when the task is complete. For handles that nobody has polled.
    pub(crate) fn wake_when_finished(&mut self, waker: &Waker) {
        if self.is_finished_or_wakes(waker) {
            waker.wake_by_ref();
        }
    }

    /// True if the task is complete. If it is not, its completion wakes `waker`.
    fn is_finished_or_wakes(&mut self, waker: &Waker) -> bool {
        let task = self.task_ref();
        let snapshot = task.header().state.load();
        snapshot.is_complete() || store_join_waker(task.header(), snapshot, waker).is_err()
    }

    pub(super) fn task_ref(&self) -> super::reference::Borrowed {
        TaskRef::borrow(self.task)
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        coop::poll_counted(cx, |cx| self.poll_output(cx.waker()))
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let task = self.task_ref();
        if !task.header().state.drop_join_handle_fast() {
            // SAFETY: this is the task's JoinHandle, and it is not used again.
            unsafe { drop_join_handle(self.task) };
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "JoinHandle", &self.task_ref())
    }
}

/// Aborts a task, from anywhere, without keeping its output. See [`JoinHandle::abort_handle`].
#[derive(Clone)]
pub struct AbortHandle(TaskRef);

impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl AbortHandle {
    /// As [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.0.abort();
    }

    /// As [`JoinHandle::cancel`].
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Cow<'static, str>>) {
        self.cancel_with(&Cancelled::new(reason));
    }

    pub(crate) fn cancel_with(&self, cancelled: &Cancelled) {
        self.0.cancel(cancelled);
    }

    /// As [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.0.is_complete()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.0.id()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(f, "AbortHandle", &self.0)
    }
}

fn debug(f: &mut fmt::Formatter<'_>, name: &str, task: &TaskRef) -> fmt::Result {
    let mut debug = f.debug_struct(name);
    debug.field("id", &task.id());
    if let Some(name) = task.name() {
        debug.field("name", &name);
    }
    debug
        .field("spawned_at", &format_args!("{}", task.location()))
        .finish_non_exhaustive()
}
