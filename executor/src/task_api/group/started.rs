//! `Started`: how a task says that it has begun to do what it is for.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use futures::channel::oneshot;

use crate::rt_sync::whole::Mutex;

/// Given to the function of [`TaskGroup::start`](super::TaskGroup::start): says that the task is ready.
#[doc(alias = "TaskStatus")]
pub struct Started<V>(Option<Box<dyn FnOnce(V) + Send>>);

impl<V> Started<V> {
    /// For a call without a group that waits for it: nobody is told.
    #[doc(alias = "TASK_STATUS_IGNORED")]
    pub fn ignored() -> Self {
        Self(None)
    }

    /// The task is ready, and gives `value` to whom waits for that.
    #[doc(alias = "started")]
    pub fn set(self, value: V) {
        if let Some(tell) = self.0 {
            tell(value);
        }
    }
}

impl<V> fmt::Debug for Started<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Started")
    }
}

/// Why a task that was to be started is not ready.
#[derive(Debug)]
pub enum StartError<E> {
    /// It failed before it was ready. That is told here, to whom waits, and not to the group.
    Failed(E),
    /// It ended before it was ready: it returned without an error, panicked or was cancelled. The group hears of a panic.
    Ended,
}

impl<E: fmt::Display> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Ended => f.write_str("the task ended before it called `Started::set`"),
        }
    }
}

impl<E: Error + 'static> Error for StartError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Ended => None,
        }
    }
}

/// The way to who waits, until something was said.
pub(super) struct Answer<V, E>(Arc<Mutex<Option<Sender<V, E>>>>);

type Sender<V, E> = oneshot::Sender<Result<V, E>>;

impl<V: Send + 'static, E: Send + 'static> Answer<V, E> {
    pub(super) fn new() -> (Self, oneshot::Receiver<Result<V, E>>) {
        let (send, receive) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(send)))), receive)
    }

    pub(super) fn started(&self) -> Started<V> {
        let answer = Self(self.0.clone());
        Started(Some(Box::new(move |value| {
            if let Some(send) = answer.take() {
                let _ = send.send(Ok(value));
            }
        })))
    }

    /// What the task returned is the caller's if it was not ready before, and then no failure of the group. If nobody waits any more, it is.
    pub(super) fn end(self, result: Result<(), E>) -> Result<(), E> {
        match (self.take(), result) {
            (Some(send), Err(error)) => match send.send(Err(error)) {
                Err(Err(error)) => Err(error),
                _ => Ok(()),
            },
            (_, result) => result,
        }
    }

    fn take(&self) -> Option<Sender<V, E>> {
        self.0.lock().take()
    }
}
