//! `ChildTask`: the output of one task of a group.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::channel::oneshot;
use pin_project_lite::pin_project;

use crate::coop;
use crate::task::{AbortHandle, Id};

/// A task of a [`group`](super::group). Awaited, it gives the task's output.
///
/// Dropping it changes nothing: the task belongs to the group.
///
/// # Cancel safety
///
/// Awaiting `&mut child` is cancel safe.
#[derive(Debug)]
#[doc(alias = "TaskHandle")]
pub struct ChildTask<T> {
    output: oneshot::Receiver<T>,
    task: AbortHandle,
}

impl<T> ChildTask<T> {
    pub(super) fn new(output: oneshot::Receiver<T>, task: AbortHandle) -> Self {
        Self { output, task }
    }

    /// Asks this task alone to end, as [`JoinHandle::cancel`](crate::task::JoinHandle::cancel). That is no failure of the group.
    #[track_caller]
    pub fn cancel(&self, reason: impl Into<Cow<'static, str>>) {
        self.task.cancel(reason);
    }

    /// Drops this task alone where it waits, as [`JoinHandle::abort`](crate::task::JoinHandle::abort). That is no failure of the group.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// True once it has ended.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.task.id()
    }
}

impl<T> Future for ChildTask<T> {
    type Output = Result<T, ChildFailed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let output = coop::poll_counted(cx, |cx| Pin::new(&mut self.output).poll(cx));
        output.map(|output| output.map_err(|_| ChildFailed(())))
    }
}

/// A [`ChildTask`] gave no output: it failed, panicked, or was cancelled. Its error is the group's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChildFailed(());

impl fmt::Display for ChildFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a task of a group gave no output; the group says why")
    }
}

impl fmt::Debug for ChildFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChildFailed")
    }
}

impl Error for ChildFailed {}

pin_project! {
    /// What the task runs: the future, whose output goes to the `ChildTask`, and whose error to the group.
    pub(super) struct Reports<F, T> {
        #[pin]
        future: Option<F>,
        output: Option<oneshot::Sender<T>>,
    }
}

impl<F, T> Reports<F, T> {
    pub(super) fn new(future: F) -> (Self, oneshot::Receiver<T>) {
        let (send, output) = oneshot::channel();
        let reports = Self {
            future: Some(future),
            output: Some(send),
        };
        (reports, output)
    }
}

impl<F: Future<Output = Result<T, E>>, T, E> Future for Reports<F, T> {
    type Output = Result<(), E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let future = this.future.as_mut().as_pin_mut();
        let result = std::task::ready!(future.expect("a task is polled after its end").poll(cx));
        // Gone before anybody hears of its output.
        this.future.set(None);
        Poll::Ready(result.map(|output| {
            if let Some(send) = this.output.take() {
                // Nobody may be interested.
                let _ = send.send(output);
            }
        }))
    }
}
