//! The future of one readiness, for any number of waiters of one direction.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::interest::{Direction, ReadyEvent};
use crate::readiness::Place;
use crate::registration::Registration;

/// Waits until one direction of a source is ready; see [`Source::ready`](crate::Source::ready).
///
/// Cancel safe: dropping it takes its waker away and nothing else. Polled after it has answered, it waits again.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ReadyFuture<'a> {
    registration: &'a Registration,
    direction: Direction,
    /// The place of its waker, once it has had to wait.
    key: Option<u64>,
}

impl<'a> ReadyFuture<'a> {
    pub(crate) fn new(registration: &'a Registration, direction: Direction) -> Self {
        Self {
            registration,
            direction,
            key: None,
        }
    }

    /// The answer there is now. No waker is left behind.
    ///
    /// # Errors
    /// That the runtime has shut down.
    pub fn look(&self) -> Poll<io::Result<ReadyEvent>> {
        self.registration.look(self.direction)
    }
}

impl Future for ReadyFuture<'_> {
    type Output = io::Result<ReadyEvent>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let seen = this.look();
        if seen.is_ready() {
            return seen;
        }
        let key = *this
            .key
            .get_or_insert_with(|| this.registration.entry().next_key());
        this.registration
            .wait(this.direction, Place::Listed(key), cx.waker())
    }
}

impl Drop for ReadyFuture<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.registration.forget(self.direction, key);
        }
    }
}
