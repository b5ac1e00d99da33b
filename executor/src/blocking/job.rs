//! A closure as a task that is ready at its first poll: so it has a handle, an id and a name as every task.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::task::{self, Id, JoinHandle, Notified, Origin, Schedule, TaskRef};

struct Job<F>(Option<F>);

/// Jobs are queued by hand and never woken.
struct NotScheduled;

/// Makes a job of a closure.
pub(crate) fn job<F, R>(f: F, origin: impl Into<Origin>) -> (Notified, JoinHandle<R>)
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    task::new(Job(Some(f)), NotScheduled, Id::next(), origin)
}

impl<F> Unpin for Job<F> {}

impl<F: FnOnce() -> R, R> Future for Job<F> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<R> {
        let f = self.0.take().expect("a job is polled once");
        Poll::Ready(f())
    }
}

impl Schedule for NotScheduled {
    fn schedule(&self, _: Notified) {
        unreachable!("a job is never idle, so nothing can wake it");
    }

    fn reschedule(&self, _: Notified) {
        unreachable!("a job is ready at its first poll");
    }

    fn link(&self, _: &TaskRef) -> bool {
        unreachable!("a job is ready at its first poll");
    }

    fn release(&self, _: &TaskRef) {}
}
