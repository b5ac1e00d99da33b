//! `UnobservedFailure`: a task's panic that no handle has taken, and who hears of it.
//!
//! A panic becomes the task's output, a `JoinError`, and that carries an `Unseen`: dropped, it tells; given to the user, it is silent for
//! ever. So each failure is told of once or seen, whoever drops it: the completer of a task without a handle, a handle that is dropped
//! later, or what has taken the outputs of several tasks and is dropped before it gives them out. None of them holds a lock then, because outputs are
//! dropped there as well. A task that does not panic pays nothing.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::Arc;

use super::raw::Header;
use super::{Id, drop_quietly};

/// A task, or a closure of [`spawn_blocking`](super::spawn_blocking), that panicked, and nobody will ever ask for its output.
///
/// Given to the function of [`Builder::on_unobserved_failure`](crate::runtime::Builder::on_unobserved_failure).
#[derive(Clone, Debug)]
pub struct UnobservedFailure {
    id: Id,
    name: Option<Box<str>>,
    location: &'static Location<'static>,
    message: Option<Box<str>>,
}

impl UnobservedFailure {
    #[cold]
    pub(super) fn new(task: &Header, payload: &(dyn Any + Send)) -> Self {
        Self {
            id: task.id,
            name: task.origin.name().map(Box::from),
            location: task.origin.location(),
            message: message(payload).map(Box::from),
        }
    }

    /// The task.
    pub fn task_id(&self) -> Id {
        self.id
    }

    /// The task's name, if it was given one by [`task::Builder`](super::Builder).
    pub fn task_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where the task was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.location
    }

    /// The panic's message, if it is text as `panic!` makes it.
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// One line, for a log.
impl fmt::Display for UnobservedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, ", spawned at {}, panicked", self.location)?;
        match &self.message {
            Some(message) => write!(f, " with message {message:?}"),
            None => Ok(()),
        }
    }
}

/// The message of a panic, if it is text.
pub(super) fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Who hears of failures that nobody has seen. By default standard error.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Tell>>);

type Tell = dyn Fn(&UnobservedFailure) + Send + Sync;

// Its panics are caught.
impl UnwindSafe for Observer {}
impl RefUnwindSafe for Observer {}

impl Observer {
    pub(crate) fn new(f: impl Fn(&UnobservedFailure) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(f)))
    }

    /// Nobody but standard error.
    pub(crate) fn is_default(&self) -> bool {
        self.0.is_none()
    }

    fn tell(&self, failure: &UnobservedFailure) {
        let tell = || match &self.0 {
            Some(f) => f(failure),
            None => eprintln!("executor: {failure}, and nobody asks for its output"),
        };
        drop_quietly(catch_unwind(AssertUnwindSafe(tell)));
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// A failure that nobody has seen yet.
pub(super) struct Unseen(Option<(UnobservedFailure, Observer)>);

impl Unseen {
    pub(super) fn new(failure: UnobservedFailure, observer: Observer) -> Self {
        Self(Some((failure, observer)))
    }

    /// Whom it concerns has it.
    pub(super) fn seen(&mut self) {
        self.0 = None;
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        if let Some((failure, observer)) = self.0.take() {
            observer.tell(&failure);
            drop_quietly(observer);
        }
    }
}
