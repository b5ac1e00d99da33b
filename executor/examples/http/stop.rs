//! `Stop`: tells every connection to finish, and waits until all have.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Context;

use futures::channel::{mpsc, oneshot};
use futures::future::Shared;
use futures::{FutureExt, StreamExt};

/// One connection's view.
#[derive(Clone)]
pub(crate) struct Stop {
    set: Arc<AtomicBool>,
    wake: Shared<oneshot::Receiver<()>>,
    waiting: bool,
    /// Nothing is ever sent: that the sender exists says that the connection does.
    _open: mpsc::Sender<Infallible>,
}

/// The server's view.
pub(crate) struct Stopper {
    set: Arc<AtomicBool>,
    wake: oneshot::Sender<()>,
    open: mpsc::Receiver<Infallible>,
}

pub(crate) fn new() -> (Stopper, Stop) {
    let set = Arc::new(AtomicBool::new(false));
    let (wake, woken) = oneshot::channel();
    let (sender, open) = mpsc::channel(0);
    let stop = Stop {
        set: set.clone(),
        wake: woken.shared(),
        waiting: false,
        _open: sender,
    };
    (Stopper { set, wake, open }, stop)
}

impl Stopper {
    /// Tells all, and returns when each `Stop` has been dropped.
    pub(crate) async fn stop(mut self) {
        // Release: pairs with the Acquire in `is_set`.
        self.set.store(true, Ordering::Release);
        // An error says that nobody is left to be told.
        let _ = self.wake.send(());
        let None = self.open.next().await;
    }
}

impl Stop {
    /// Whether the server stops. If not yet, the task is woken when it does.
    ///
    /// A connection asks at each of its polls, which happens for each request, so that must be cheap: the waker is left only
    /// once, because a task's waker stays the same, and then this is one load of what nobody writes.
    pub(crate) fn is_set(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.waiting {
            self.waiting = true;
            // Before the load, or a stop in between would be neither seen nor heard.
            let _ = self.wake.poll_unpin(cx);
        }
        // Acquire: pairs with the Release in `stop`.
        self.set.load(Ordering::Acquire)
    }
}
