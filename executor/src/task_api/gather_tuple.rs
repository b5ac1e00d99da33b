//! What `gather!` calls: waits for a few tasks of different types.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::placed::GIVEN_UP;
use super::spawn::spawn_at;
use crate::task::{Around, JoinError, JoinHandle, Origin};

/// Waits for a few tasks of different types, as [`task::gather`](crate::task::gather()) does for many of one, and gives a tuple.
///
/// An argument is the handle of a task, or a future, which is spawned. All are, at once, before the result is awaited.
///
/// # Errors
///
/// The error of the first task that panics or is aborted. The others go on.
///
/// # Cancel safety
///
/// As [`task::gather`](crate::task::gather()): dropped before it is ready, it cancels the tasks that have not ended.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let handle = executor::spawn(async { "two" });
/// let (one, two) = executor::gather!(async { 1 }, handle).await.unwrap();
/// assert_eq!((one, two), (1, "two"));
/// # });
/// ```
#[macro_export]
macro_rules! gather {
    ($($task:expr),+ $(,)?) => {
        $crate::macros::gathering::gather(($({
            #[allow(unused_imports)]
            use $crate::macros::gathering::{Begun as _, NotBegun as _};
            $crate::macros::gathering::Argument::new($task).begin()
        },)+))
    };
}

/// The future of `gather!`. Cancels those that have not ended when it is dropped.
#[must_use = "dropping it cancels the tasks"]
pub struct GatherTuple<C: Tuple>(Option<C>);

/// The tasks as a tuple. Not for users.
pub fn gather<C: Tuple>(tasks: C) -> GatherTuple<C> {
    GatherTuple(Some(tasks))
}

/// Tasks that become a tuple of outputs.
pub trait Tuple: Unpin {
    /// The outputs.
    type Outputs;
    /// Ready when all have ended, or with the first error that it finds.
    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Outputs, JoinError>>;
    /// Those that have not ended.
    fn cancel_all(&self);
}

impl<C: Tuple> Future for GatherTuple<C> {
    type Output = Result<C::Outputs, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let tasks = self.0.as_mut();
        let result = tasks
            .expect("a gather was polled after it was ready")
            .poll_all(cx);
        if result.is_ready() {
            // Without their handles the others go on.
            self.0 = None;
        }
        result
    }
}

impl<C: Tuple> Drop for GatherTuple<C> {
    fn drop(&mut self) {
        self.0.iter().for_each(C::cancel_all);
    }
}

impl<C: Tuple> fmt::Debug for GatherTuple<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").finish_non_exhaustive()
    }
}

/// One of the tasks, or its output.
#[derive(Debug)]
pub enum Entry<T> {
    /// It has not answered.
    Waiting(JoinHandle<T>),
    /// It has.
    Done(Option<T>),
}

impl<T> Unpin for Entry<T> {}

impl<T> Entry<T> {
    /// True once there is an output.
    fn poll(&mut self, cx: &mut Context<'_>) -> Result<bool, JoinError> {
        if let Self::Waiting(task) = self
            && let Poll::Ready(result) = Pin::new(task).poll(cx)
        {
            *self = Self::Done(Some(result?));
        }
        Ok(matches!(self, Self::Done(_)))
    }

    fn take(&mut self) -> T {
        match self {
            Self::Done(output) => output.take().expect("taken once"),
            Self::Waiting(_) => unreachable!("taken when all are done"),
        }
    }

    fn cancel(&self) {
        if let Self::Waiting(task) = self {
            task.cancel(GIVEN_UP);
        }
    }
}

macro_rules! tuples {
    ($(($($T:ident $n:tt),+))+) => {$(
        impl<$($T),+> Tuple for ($(Entry<$T>,)+) {
            type Outputs = ($($T,)+);

            fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Outputs, JoinError>> {
                let mut all = true;
                $(all &= self.$n.poll(cx)?;)+
                if !all {
                    return Poll::Pending;
                }
                Poll::Ready(Ok(($(self.$n.take(),)+)))
            }

            fn cancel_all(&self) {
                $(self.$n.cancel();)+
            }
        }
    )+};
}

tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
}

/// An argument of the macro. A handle is found by the method of [`Begun`], which takes it by value; any other future by that of
/// [`NotBegun`], for which the compiler looks after it.
#[expect(
    missing_debug_implementations,
    reason = "it lives for the length of an expression"
)]
pub struct Argument<F>(Cell<Option<F>>);

impl<F> Argument<F> {
    /// An argument as it was written.
    pub fn new(argument: F) -> Self {
        Self(Cell::new(Some(argument)))
    }

    fn take(&self) -> F {
        self.0.take().expect("an argument is taken once")
    }
}

/// A task's handle.
pub trait Begun<T> {
    /// As it is.
    fn begin(self) -> Entry<T>;
}

impl<T> Begun<T> for Argument<JoinHandle<T>> {
    fn begin(self) -> Entry<T> {
        Entry::Waiting(self.take())
    }
}

/// A future that is no task yet.
pub trait NotBegun<T> {
    /// As a task.
    fn begin(&self) -> Entry<T>;
}

impl<F> NotBegun<F::Output> for Argument<F>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    #[track_caller]
    fn begin(&self) -> Entry<F::Output> {
        let origin = Origin::inside(Location::caller(), Around::here());
        Entry::Waiting(spawn_at(origin, self.take()))
    }
}
