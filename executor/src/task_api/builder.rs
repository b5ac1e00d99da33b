//! `Builder`: spawns a task with a name, or with values that it inherits.

use std::future::Future;
use std::io;
use std::panic::Location;

use super::blocking::spawn_blocking_at;
use super::context_local::{inherit, inherit_fn};
use super::local_set::LocalSet;
use super::spawn::spawn_at;
use super::spawn_local::spawn_local_at;
use crate::runtime::Handle;
use crate::task::{JoinHandle, Origin};

/// Spawns a task with settings of its own: with a name, which the `Debug` of its handles shows.
///
/// A name costs one allocation, and tasks without one nothing.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::task::Builder;
///
/// let task = Builder::new().name("answer").spawn(async { 42 })?;
/// assert!(format!("{task:?}").contains("\"answer\""));
/// assert_eq!(task.await?, 42);
/// # std::io::Result::Ok(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Builder<'a> {
    name: Option<&'a str>,
    inherits: bool,
}

impl<'a> Builder<'a> {
    /// Without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name.
    #[must_use]
    pub fn name(&self, name: &'a str) -> Self {
        Self {
            name: Some(name),
            ..*self
        }
    }

    /// The task, or the closure of the `spawn_blocking` methods, has the values of [`context_local!`](crate::context_local) that are there where
    /// it is spawned.
    #[must_use]
    pub fn inherit(&self) -> Self {
        Self {
            inherits: true,
            ..*self
        }
    }

    /// As [`spawn`](super::spawn).
    ///
    /// # Errors
    ///
    /// None at present.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Ok(if self.inherits {
            spawn_at(self.origin(), inherit(future))
        } else {
            spawn_at(self.origin(), future)
        })
    }

    /// As [`Handle::spawn`].
    ///
    /// # Errors
    ///
    /// None at present.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Ok(if self.inherits {
            handle.spawn_at(self.origin(), inherit(future))
        } else {
            handle.spawn_at(self.origin(), future)
        })
    }

    /// As [`spawn_local`](super::spawn_local).
    ///
    /// # Errors
    ///
    /// None at present.
    ///
    /// # Panics
    ///
    /// As [`spawn_local`](super::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(if self.inherits {
            spawn_local_at(self.origin(), inherit(future))
        } else {
            spawn_local_at(self.origin(), future)
        })
    }

    /// As [`LocalSet::spawn_local`].
    ///
    /// # Errors
    ///
    /// None at present.
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, set: &LocalSet) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(if self.inherits {
            set.spawn_local_at(self.origin(), inherit(future))
        } else {
            set.spawn_local_at(self.origin(), future)
        })
    }

    /// As [`spawn_blocking`](super::spawn_blocking).
    ///
    /// # Errors
    ///
    /// None at present: if the system refuses a thread, the handle answers "cancelled".
    #[track_caller]
    pub fn spawn_blocking<F, R>(self, f: F) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        Ok(if self.inherits {
            spawn_blocking_at(self.origin(), inherit_fn(f))
        } else {
            spawn_blocking_at(self.origin(), f)
        })
    }

    /// As [`Handle::spawn_blocking`].
    ///
    /// # Errors
    ///
    /// As [`spawn_blocking`](Self::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking_on<F, R>(self, f: F, handle: &Handle) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        Ok(if self.inherits {
            handle.spawn_blocking_at(self.origin(), inherit_fn(f))
        } else {
            handle.spawn_blocking_at(self.origin(), f)
        })
    }

    #[track_caller]
    fn origin(self) -> Origin {
        Origin::new(self.name, Location::caller())
    }
}
