//! A closure as a task that is ready at its first poll: so it has a handle, an id and a name as every task.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::task::{
    self, Id, JoinHandle, Notified, Observer, Origin, Schedule, TaskRef, UnobservedFailure,
};

struct Job<F>(Option<F>);

/// A job that a thread has begun.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) id: Id,
    pub(crate) name: Option<Box<str>>,
    pub(crate) location: &'static Location<'static>,
    pub(crate) since: Instant,
}

impl Begun {
    pub(crate) fn new(job: &Notified, since: Instant) -> Self {
        let origin = job.origin();
        Self {
            id: job.id(),
            name: origin.name().map(Box::from),
            location: origin.location(),
            since,
        }
    }
}

/// Jobs are queued by hand and never woken. What it has is `job`'s `observer`.
struct NotScheduled(fn() -> Observer);

/// Makes a job of a closure. `observer` is asked, if it panics, by the thread that runs or drops it.
pub(crate) fn job<F, R>(
    f: F,
    origin: impl Into<Origin>,
    observer: fn() -> Observer,
) -> (Notified, JoinHandle<R>)
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    task::new(Job(Some(f)), NotScheduled(observer), Id::next(), origin)
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

    fn failed(&self, _: &UnobservedFailure) -> Observer {
        (self.0)()
    }

    fn release(&self, _: &TaskRef) {}
}
