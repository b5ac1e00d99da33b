//! `TaskErrors`: everything that went wrong in a group, not the first thing alone.

use std::error::Error;
use std::fmt;

use crate::task::{Cancelled, JoinError};

/// What went wrong in a [`group`](super::group): at least one error, in the order in which they were seen.
#[derive(Debug)]
#[doc(alias = "ExceptionGroup")]
#[doc(alias = "BaseExceptionGroup")]
#[doc(alias = "MultiError")]
pub struct TaskErrors<E> {
    errors: Vec<TaskError<E>>,
}

/// One of the [`TaskErrors`].
#[derive(Debug)]
pub enum TaskError<E> {
    /// A task of the group, or its body, has returned this.
    Failed(E),
    /// A task of the group panicked.
    Panicked(JoinError),
    /// The group was cancelled before its body was done, or from outside. Cancelled children are no errors beside that. To
    /// [`first_ok`](super::first_ok) and [`first_done`](super::first_done) also: they were, and none gave an output.
    Cancelled(Cancelled),
}

impl<E> TaskErrors<E> {
    /// They are given to the user.
    pub(super) fn new(errors: Vec<TaskError<E>>) -> Self {
        debug_assert!(!errors.is_empty(), "an error without a cause");
        let seen = |error| match error {
            TaskError::Panicked(error) => TaskError::Panicked(error.seen()),
            other => other,
        };
        Self {
            errors: errors.into_iter().map(seen).collect(),
        }
    }

    /// The errors, the first one first.
    pub fn iter(&self) -> std::slice::Iter<'_, TaskError<E>> {
        self.errors.iter()
    }

    /// The first one.
    pub fn first(&self) -> &TaskError<E> {
        &self.errors[0]
    }

    /// How many there are; never 0.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.errors.len()
    }

    /// What the tasks and the body have returned, without panics and cancellation.
    pub fn failures(&self) -> impl Iterator<Item = &E> {
        self.iter().filter_map(|error| match error {
            TaskError::Failed(error) => Some(error),
            TaskError::Panicked(_) | TaskError::Cancelled(_) => None,
        })
    }

    /// The request that the group was ended by, if it was.
    pub fn cancelled(&self) -> Option<&Cancelled> {
        self.iter().find_map(|error| match error {
            TaskError::Cancelled(cancelled) => Some(cancelled),
            TaskError::Failed(_) | TaskError::Panicked(_) => None,
        })
    }

    /// The error itself, if it is the only one.
    ///
    /// # Errors
    ///
    /// All of them, if there are several.
    pub fn into_single(mut self) -> Result<TaskError<E>, Self> {
        match self.errors.pop() {
            Some(error) if self.errors.is_empty() => Ok(error),
            last => {
                self.errors.extend(last);
                Err(self)
            }
        }
    }

    /// The first error. The others are dropped.
    pub fn into_first(self) -> TaskError<E> {
        self.errors.into_iter().next().expect("never empty")
    }
}

impl<E> IntoIterator for TaskErrors<E> {
    type Item = TaskError<E>;
    type IntoIter = std::vec::IntoIter<TaskError<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.errors.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a TaskErrors<E> {
    type Item = &'a TaskError<E>;
    type IntoIter = std::slice::Iter<'a, TaskError<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<E: fmt::Display> fmt::Display for TaskErrors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, error) in self.errors.iter().enumerate() {
            write!(f, "{}{error}", if n == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl<E: fmt::Display> fmt::Display for TaskError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Panicked(error) => error.fmt(f),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for TaskErrors<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.first())
    }
}

impl<E: Error + 'static> Error for TaskError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Panicked(error) => Some(error),
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}
