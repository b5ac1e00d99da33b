//! `JoinSet`: tasks that are awaited, aborted and dropped together.

mod builder;
mod finished;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use finished::Finished;

use crate::coop;
use crate::runtime::Handle;
use crate::task::{AbortHandle, Cancelled, Id, JoinError, JoinHandle, LocalSet};

pub use builder::Builder;

/// Tasks with outputs of one type, which are awaited in the order in which they finish.
///
/// A task takes its place in that order a moment after its [`is_finished`](AbortHandle::is_finished) says so: of two that finish at the same time,
/// on two workers, either may come first.
///
/// Dropping the set aborts all tasks in it. [`detach_all`](Self::detach_all) lets them go on instead.
///
/// Spawning a task, and taking the next output, cost the same however many tasks there are.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::JoinSet;
///
/// let mut set = JoinSet::new();
/// for n in 0..10 {
///     set.spawn(async move { n * n });
/// }
/// let mut sum = 0;
/// while let Some(square) = set.join_next().await {
///     sum += square.unwrap();
/// }
/// assert_eq!(sum, 285);
/// # });
/// ```
#[doc(alias = "TaskGroup")]
#[doc(alias = "Nursery")]
#[doc(alias = "as_completed")]
#[doc(alias = "gather")]
#[must_use = "dropping the set aborts its tasks"]
pub struct JoinSet<T> {
    /// All tasks whose output was not taken.
    tasks: HashMap<Id, JoinHandle<T>>,
    /// Those of them that have finished.
    finished: Arc<Finished>,
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self {
            tasks: HashMap::new(),
            finished: Arc::default(),
        }
    }

    /// How many tasks are in the set, those included that have finished and whose output was not taken.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// True if there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task with a name.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// let mut set = executor::task::JoinSet::new();
    /// set.build_task().name("answer").spawn(async { 42 })?;
    /// assert_eq!(set.join_next().await.unwrap()?, 42);
    /// # std::io::Result::Ok(()) }).unwrap();
    /// ```
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder {
            set: self,
            builder: crate::task::Builder::new(),
        }
    }

    /// Spawns a task into the set, as [`spawn`](crate::spawn) does.
    ///
    /// # Panics
    ///
    /// As [`spawn`](crate::spawn).
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(super::spawn(task))
    }

    /// Spawns a task of another runtime into the set.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(task))
    }

    /// Spawns a task that need not be `Send` into the set, as [`spawn_local`](super::spawn_local) does.
    ///
    /// # Panics
    ///
    /// As [`spawn_local`](super::spawn_local).
    ///
    /// ```
    /// use std::rc::Rc;
    ///
    /// # executor::runtime::LocalRuntime::new()?.block_on(async {
    /// let mut set = executor::task::JoinSet::new();
    /// let shared = Rc::new(41);
    /// set.spawn_local(async move { Rc::new(*shared + 1) });
    /// assert_eq!(*set.join_next().await.unwrap().unwrap(), 42);
    /// # });
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(super::spawn_local(task))
    }

    /// Spawns a task of a [`LocalSet`] into the set. It runs when the `LocalSet` is polled.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set.spawn_local(task))
    }

    /// Runs a closure that may block, as [`spawn_blocking`](super::spawn_blocking) does, and puts it into the set.
    ///
    /// # Panics
    ///
    /// As [`spawn_blocking`](super::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(super::spawn_blocking(f))
    }

    /// As [`spawn_blocking`](Self::spawn_blocking), on another runtime.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }

    pub(in crate::task_api) fn insert(&mut self, task: JoinHandle<T>) -> AbortHandle {
        let (id, abort) = (task.id(), task.abort_handle());
        let waker = self.finished.waker(id);
        // In the set before it can be finished: the wake runs code of the user, which may panic.
        self.tasks
            .entry(id)
            .insert_entry(task)
            .get_mut()
            .wake_when_finished(&waker);
        abort
    }

    /// Waits until one of the tasks finishes, takes it out of the set, and returns its output. `None` if the set is empty.
    ///
    /// # Errors
    ///
    /// If that task panicked or was aborted.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a task leaves the set only when its output is returned.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`join_next`](Self::join_next), with the id of the task. That of one without output is [`JoinError::id`].
    ///
    /// # Errors
    ///
    /// As [`join_next`](Self::join_next).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`join_next`](Self::join_next).
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// The output of a task that has finished already. `None` if there is none; [`is_empty`](Self::is_empty) says whether one may come.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        Some(without_id(self.try_join_next_with_id()?))
    }

    /// As [`try_join_next`](Self::try_join_next), with the id of the task.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        let id = self.finished.pop()?;
        Some(self.take(id).map_err(JoinError::seen))
    }

    /// As [`join_next`](Self::join_next). If no task has finished, the caller's task is woken when one has; only the last that polled
    /// is woken.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        let next = ready!(self.poll_join_next_with_id(cx));
        Poll::Ready(next.map(without_id))
    }

    /// As [`poll_join_next`](Self::poll_join_next), with the id of the task.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        let next = ready!(self.poll_unseen(cx));
        Poll::Ready(next.map(|result| result.map_err(JoinError::seen)))
    }

    /// As [`poll_join_next_with_id`](Self::poll_join_next_with_id), for who does not give it out at once, see [`JoinHandle::poll_unseen`].
    pub(in crate::task_api) fn poll_unseen(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        let id = ready!(coop::poll_counted(cx, |cx| {
            if self.is_empty() {
                return Poll::Ready(None);
            }
            self.finished.poll_pop(cx).map(Some)
        }));
        Poll::Ready(id.map(|id| self.take(id)))
    }

    /// Waits for all tasks, and returns their outputs in the order in which they finished.
    ///
    /// # Panics
    ///
    /// If a task panicked, with its panic; if one was aborted. The others are aborted then.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropping the future aborts all tasks, and loses the outputs of those that have finished.
    ///
    /// ```
    /// # executor::runtime::Runtime::new().unwrap().block_on(async {
    /// use executor::task::JoinSet;
    ///
    /// let set: JoinSet<u32> = (0..3).map(|n| async move { n }).collect();
    /// let mut outputs = set.join_all().await;
    /// outputs.sort();
    /// assert_eq!(outputs, [0, 1, 2]);
    /// # });
    /// ```
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            outputs.push(result.unwrap_or_else(|error| match error.try_into_panic() {
                Ok(payload) => resume_unwind(payload),
                Err(cancelled) => panic!(
                    "{cancelled}: `JoinSet::join_all` needs all outputs; use `join_next` in a set whose tasks may be aborted"
                ),
            }));
        }
        outputs
    }

    /// Aborts all tasks and waits until they have ended. What they returned is dropped; if they panicked, that is told of as if the set were dropped, see
    /// [`on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the tasks are aborted, and those that have not ended stay in the set.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while poll_fn(|cx| self.poll_unseen(cx)).await.is_some() {}
    }

    /// Aborts all tasks. They stay in the set; [`join_next`](Self::join_next) tells how each of them ended.
    pub fn abort_all(&mut self) {
        self.tasks.values().for_each(JoinHandle::abort);
    }

    /// Asks all tasks to end, as [`JoinHandle::cancel`] does. They stay in the set; [`join_next`](Self::join_next) tells how each of them ended.
    #[track_caller]
    #[doc(alias = "cancel_remaining")]
    pub fn cancel_all(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.cancel_all_with(&Cancelled::new(reason));
    }

    pub(in crate::task_api) fn cancel_all_with(&mut self, cancelled: &Cancelled) {
        self.tasks
            .values()
            .for_each(|task| task.cancel_with(cancelled));
    }

    /// Takes all tasks out of the set and lets them go on. Their outputs are dropped.
    pub fn detach_all(&mut self) {
        self.tasks.clear();
        // Those tasks go on to announce their end to the old queue.
        self.finished = Arc::default();
    }

    fn take(&mut self, id: Id) -> Result<(Id, T), JoinError> {
        let mut task = self.tasks.remove(&id).expect("a task ends once");
        match task.poll_unseen(Waker::noop()) {
            Poll::Ready(result) => result.map(|output| (id, output)),
            Poll::Pending => unreachable!("a task wakes its handle when it is complete"),
        }
    }
}

fn without_id<T>(result: Result<(Id, T), JoinError>) -> Result<T, JoinError> {
    result.map(|(_, output)| output)
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.tasks.values().for_each(JoinHandle::abort);
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

/// Spawns each future of an iterator.
impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.spawn(future);
        }
    }
}

/// Spawns each future of an iterator.
impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = Self::new();
        set.extend(futures);
        set
    }
}
