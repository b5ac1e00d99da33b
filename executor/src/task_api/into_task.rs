//! What `gather` and its kin take: futures, which they spawn, and tasks that run already.
//!
//! One function cannot take both, because a handle *is* a future: nothing in stable Rust tells the compiler which of two implementations
//! is meant. So there are two, apart by a marker that the compiler infers for every future but a handle; for that it finds both, and
//! refuses. Without the second, a handle would be spawned once more, and its error would be an output among others.

use std::fmt;
use std::future::Future;
use std::iter::FusedIterator;
use std::panic::Location;
use std::sync::Arc;

use super::spawn::spawn_at;
use crate::task::{Around, JoinHandle, Origin};

/// A task, or what becomes one: what [`gather`](super::gather()) and its kin take.
///
/// All futures that may be spawned are. Handles are through [`running`]. `M` is for the compiler alone, and always inferred.
pub trait IntoTask<M>: Sealed<M, Given = Self::Output> {
    /// What the task gives.
    type Output;
}

/// For [`IntoTask`] alone.
#[expect(unnameable_types, reason = "that is how it is closed")]
pub trait Sealed<M> {
    /// As [`IntoTask::Output`].
    type Given;
    /// The task, which is spawned here if it was not.
    fn into_task(self, caller: &Caller) -> JoinHandle<Self::Given>;
}

/// The user's code that calls.
#[expect(unnameable_types, reason = "an argument of what is closed")]
#[expect(missing_debug_implementations, reason = "nobody can have one")]
pub struct Caller {
    location: &'static Location<'static>,
    /// Whose deadlines its tasks have.
    around: Option<Arc<Around>>,
}

impl Caller {
    /// Of tasks that go on without whoever waits for them.
    #[track_caller]
    pub(super) fn of_others() -> Self {
        Self {
            location: Location::caller(),
            around: None,
        }
    }

    /// Of tasks that are cancelled with whoever waits for them.
    #[track_caller]
    pub(super) fn of_its_own() -> Self {
        Self {
            location: Location::caller(),
            around: Around::here(),
        }
    }
}

/// What is meant is plain: a future, which is spawned, or a task of [`running`].
#[expect(unnameable_types, reason = "inferred, never written")]
#[derive(Debug)]
pub enum Plain {}

/// What the compiler shows to whoever forgets [`running`].
#[expect(unnameable_types, reason = "never inferred, never written")]
#[derive(Debug)]
pub enum WrapHandlesInRunning {}

impl<F> IntoTask<Plain> for F
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Output = F::Output;
}

impl<F> Sealed<Plain> for F
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Given = F::Output;

    fn into_task(self, caller: &Caller) -> JoinHandle<F::Output> {
        spawn_at(Origin::inside(caller.location, caller.around.clone()), self)
    }
}

impl<T> IntoTask<WrapHandlesInRunning> for JoinHandle<T> {
    type Output = T;
}

impl<T> Sealed<WrapHandlesInRunning> for JoinHandle<T> {
    type Given = T;

    fn into_task(self, _: &Caller) -> Self {
        self
    }
}

/// Handles of tasks, for [`gather`](super::gather()) and its kin, which spawn futures but not these.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::{spawn, task::{gather, running}};
///
/// let handles = [spawn(async { 1 }), spawn(async { 2 })];
/// assert_eq!(gather(running(handles)).await.unwrap(), [1, 2]);
/// # });
/// ```
///
/// A handle is also a future, so the compiler does not know what is meant without it, and says "type annotations needed":
///
/// ```compile_fail,E0283
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// # use executor::{spawn, task::gather};
/// let handles = [spawn(async { 1 }), spawn(async { 2 })];
/// gather(handles).await.unwrap();
/// # });
/// ```
pub fn running<I, T>(handles: I) -> Running<I::IntoIter>
where
    I: IntoIterator<Item = JoinHandle<T>>,
{
    Running(handles.into_iter())
}

/// The iterator of [`running`].
#[must_use = "it is for `gather` and its kin; dropped, it lets the tasks go on"]
#[derive(Debug)]
pub struct Running<I>(I);

/// One task of [`running`].
pub struct RunningTask<T>(JoinHandle<T>);

impl<I, T> Iterator for Running<I>
where
    I: Iterator<Item = JoinHandle<T>>,
{
    type Item = RunningTask<T>;

    fn next(&mut self) -> Option<RunningTask<T>> {
        self.0.next().map(RunningTask)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<I, T> ExactSizeIterator for Running<I> where I: ExactSizeIterator<Item = JoinHandle<T>> {}
impl<I, T> FusedIterator for Running<I> where I: FusedIterator<Item = JoinHandle<T>> {}

impl<T> IntoTask<Plain> for RunningTask<T> {
    type Output = T;
}

impl<T> Sealed<Plain> for RunningTask<T> {
    type Given = T;

    fn into_task(self, _: &Caller) -> JoinHandle<T> {
        self.0
    }
}

impl<T> fmt::Debug for RunningTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunningTask").field(&self.0).finish()
    }
}

/// All of them, in their order. Those that were not are spawned here.
pub(super) fn into_tasks<I, M, T>(tasks: I, caller: Caller) -> impl Iterator<Item = JoinHandle<T>>
where
    I: IntoIterator<Item: IntoTask<M, Output = T>>,
{
    tasks.into_iter().map(move |task| task.into_task(&caller))
}
