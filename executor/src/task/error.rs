//! Why a task has no output: it was aborted, it was cancelled, or it panicked.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::Mutex;

use super::Id;
use super::cancel::Cancelled;
use super::failure::{Unseen, message};
use super::harness::drop_quietly;

/// Why awaiting a [`JoinHandle`](super::JoinHandle) gave no output.
pub struct JoinError {
    id: Id,
    /// `None`: aborted. Boxed, because every task has room for its error.
    cause: Option<Box<Cause>>,
}

enum Cause {
    Cancelled(Cancelled),
    Panic(Panic),
}

struct Panic {
    /// The mutex makes a payload that is only `Send` shareable; nobody ever waits for it.
    payload: Mutex<Payload>,
    unseen: Unseen,
}

/// A panic's payload, whose own destructor may panic too.
struct Payload(Option<Box<dyn Any + Send>>);

impl JoinError {
    /// Of a task whose future was dropped; because of `request`, if there was one.
    pub(crate) fn dropped(id: Id, request: Option<Cancelled>) -> Self {
        Self {
            id,
            cause: request.map(|request| Box::new(Cause::Cancelled(request))),
        }
    }

    pub(super) fn panicked(id: Id, payload: Box<dyn Any + Send>, unseen: Unseen) -> Self {
        let payload = Mutex::new(Payload(Some(payload)));
        Self {
            id,
            cause: Some(Box::new(Cause::Panic(Panic { payload, unseen }))),
        }
    }

    /// It is given to the user. Before, a panic in it is told of when it is dropped.
    pub(crate) fn seen(mut self) -> Self {
        if let Some(panic) = self.panic_mut() {
            panic.unseen.seen();
        }
        self
    }

    /// True if the task was cancelled or aborted, or dropped by its runtime's shutdown. Its future is gone already.
    #[doc(alias = "CancelledError")]
    pub fn is_cancelled(&self) -> bool {
        self.panic().is_none()
    }

    /// Why, by whom and where the task was cancelled, if it was by [`JoinHandle::cancel`](super::JoinHandle::cancel) or its like. `None` for a
    /// task that was only aborted, or that panicked.
    pub fn cancelled(&self) -> Option<&Cancelled> {
        match self.cause.as_deref()? {
            Cause::Cancelled(cancelled) => Some(cancelled),
            Cause::Panic(_) => None,
        }
    }

    /// True if the task, or the destructor of its future, panicked.
    pub fn is_panic(&self) -> bool {
        self.panic().is_some()
    }

    fn panic(&self) -> Option<&Panic> {
        match self.cause.as_deref()? {
            Cause::Cancelled(_) => None,
            Cause::Panic(panic) => Some(panic),
        }
    }

    fn panic_mut(&mut self) -> Option<&mut Panic> {
        match self.cause.as_deref_mut()? {
            Cause::Cancelled(_) => None,
            Cause::Panic(panic) => Some(panic),
        }
    }

    /// The panic's payload, for [`resume_unwind`](std::panic::resume_unwind).
    ///
    /// # Panics
    ///
    /// If the task did not panic. Ask [`is_panic`](Self::is_panic), or use [`try_into_panic`](Self::try_into_panic).
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic()
            .expect("this task was cancelled, it did not panic: ask `is_panic` first")
    }

    /// The panic's payload.
    ///
    /// # Errors
    ///
    /// The error itself, if the task did not panic.
    pub fn try_into_panic(mut self) -> Result<Box<dyn Any + Send + 'static>, Self> {
        let payload = self.panic_mut().and_then(|panic| {
            let payload = panic.payload.get_mut();
            payload.unwrap_or_else(|e| e.into_inner()).0.take()
        });
        payload.ok_or(self)
    }

    /// The task that has no output.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The panic's message, if it is text as `panic!` makes it.
    fn message(&self) -> Option<String> {
        let payload = self.panic()?.payload.lock();
        let payload = payload.unwrap_or_else(|e| e.into_inner());
        message(&**payload.0.as_ref()?).map(String::from)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        drop_quietly(self.0.take());
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_panic(), self.message()) {
            (false, _) => match self.cancelled() {
                Some(cancelled) => write!(f, "task {} was {cancelled}", self.id),
                None => write!(f, "task {} was cancelled", self.id),
            },
            (true, Some(message)) => {
                write!(f, "task {} panicked with message {message:?}", self.id)
            }
            (true, None) => write!(f, "task {} panicked", self.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_panic(), self.message()) {
            (false, _) => match self.cancelled() {
                Some(cancelled) => {
                    let reason = cancelled.reason();
                    write!(f, "JoinError::Cancelled({:?}, {reason:?})", self.id)
                }
                None => write!(f, "JoinError::Cancelled({:?})", self.id),
            },
            (true, Some(message)) => write!(f, "JoinError::Panic({:?}, {message:?}, ...)", self.id),
            (true, None) => write!(f, "JoinError::Panic({:?}, ...)", self.id),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        Self::other(if error.is_panic() {
            "task panicked"
        } else {
            "task was cancelled"
        })
    }
}
