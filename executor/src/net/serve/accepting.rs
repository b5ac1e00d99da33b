//! The task that accepts a server's connections.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::Listener;
use super::connections::{Connections, Place};
use crate::driver::is_shut_down;
use crate::task::TaskTracker;
use crate::task_api::spawn_at;

/// What a server does with a connection, and with an error in place of one.
pub(super) struct Accepting<H> {
    pub(super) connections: Arc<Connections>,
    pub(super) tracker: TaskTracker,
    pub(super) handler: Arc<H>,
    pub(super) on_error: Option<Box<OnError>>,
    pub(super) location: &'static Location<'static>,
}

type Accepted<L> = io::Result<(<L as Listener>::Io, <L as Listener>::Addr)>;

pub(super) type OnError = dyn FnMut(io::Error) + Send;

impl<H> Accepting<H> {
    /// Until the server is closed.
    pub(super) async fn run<L, F>(mut self, mut listener: L)
    where
        L: Listener,
        H: Fn(L::Io, L::Addr) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        // Whatever ends this task, nobody accepts any more.
        let closed = Closed(self.connections.clone());
        while let Some(accepted) = poll_fn(|cx| poll_next(&closed.0, &mut listener, cx)).await {
            match accepted {
                Ok((io, address)) => self.spawn::<L, F>(io, address),
                // It would say so for ever.
                Err(error) if is_shut_down(&error) => return,
                Err(error) => self.count(error),
            }
        }
    }

    fn spawn<L, F>(&self, io: L::Io, address: L::Addr)
    where
        L: Listener,
        H: Fn(L::Io, L::Addr) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let place = self.connections.enter();
        let key = place.key();
        let handler = self.handler.clone();
        let task = serve_one(place, move || handler(io, address));
        // The handle is dropped: a panic is told of.
        let task = spawn_at(self.location, self.tracker.track_future(task)).abort_handle();
        self.connections.set_task(key, task);
    }

    fn count(&mut self, error: io::Error) {
        self.connections.count_error();
        if let Some(on_error) = &mut self.on_error {
            on_error(error);
        }
    }
}

/// `None`: the server was closed.
fn poll_next<L: Listener>(
    connections: &Connections,
    listener: &mut L,
    cx: &mut Context<'_>,
) -> Poll<Option<Accepted<L>>> {
    if ready!(connections.poll_room(cx)) {
        // It counts in the budget, so a flood does not keep the worker from its other tasks.
        listener.poll_accept(cx).map(Some)
    } else {
        Poll::Ready(None)
    }
}

/// A connection's task. The handler is called in it, so a panic there is of this connection alone.
async fn serve_one<F: Future<Output = ()>>(place: Place, handle: impl FnOnce() -> F) {
    handle().await;
    place.finish();
}

struct Closed(Arc<Connections>);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.close();
    }
}
