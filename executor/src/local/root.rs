//! Futures that poll a local task set: until one of their own is ready, or until no task is left.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::Local;
use super::inbox::Poller;

pin_project! {
    /// Polls a future, and the set beside it.
    struct RunUntil<F> {
        #[pin]
        future: F,
        place: Place,
    }
}

/// One of those who poll the set, which it leaves when dropped.
struct Place {
    local: Arc<Local>,
    poller: Poller,
    /// The set's thread is the only one that may leave it.
    _not_send: PhantomData<*const ()>,
}

impl Local {
    /// Polls `future` in the set, and the set's tasks meanwhile.
    pub(crate) fn run_until<F: Future>(
        self: &Arc<Self>,
        future: F,
    ) -> impl Future<Output = F::Output> + use<F> {
        let pollers = &self.own().pollers;
        pollers.set(pollers.get() + 1);
        RunUntil {
            future,
            place: Place {
                local: self.clone(),
                poller: Poller(pollers.get()),
                _not_send: PhantomData,
            },
        }
    }

    /// Polls the set's tasks. Ready once there are none. For one future at a time.
    pub(crate) fn poll_all(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        let root = |_: &mut Context<'_>| Poll::<()>::Pending;
        let _ = self.poll(Poller(0), cx, root);
        if self.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<F: Future> Future for RunUntil<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let place = &*this.place;
        let output = place
            .local
            .poll(place.poller, cx, |cx| this.future.poll(cx));
        if output.is_ready() {
            // It may stay around for long.
            place.leave();
        }
        output
    }
}

impl Place {
    fn leave(&self) {
        self.local.leave(self.poller);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}
