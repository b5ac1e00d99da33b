//! `ServerBuilder`: what a server is to do besides accepting.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::sync::Arc;

use super::accepting::{Accepting, OnError};
use super::connections::Connections;
use super::{Listener, Server};
use crate::task::TaskTracker;
use crate::task_api::spawn_at;

/// Settings of a [`Server`], from [`Server::builder`].
pub struct ServerBuilder {
    max_connections: usize,
    on_accept_error: Option<Box<OnError>>,
    asks_at_once: bool,
}

impl ServerBuilder {
    /// How many connections there may be at once. While there are as many, no more are accepted: they wait in the listener's backlog, and are refused by the
    /// system if that is full.
    ///
    /// Default: no limit but the descriptors of the process.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[must_use]
    #[track_caller]
    pub fn max_connections(mut self, connections: usize) -> Self {
        assert!(
            connections > 0,
            "a server that may have no connection serves nobody: give max_connections at least 1"
        );
        self.max_connections = connections;
        self
    }

    /// Calls `f` with each error of the listener, in the task that accepts: it must not block. The server goes on afterwards, see [`serve`](super::serve).
    ///
    /// Default: errors are counted, see [`ServerReport::accept_errors`](super::ServerReport::accept_errors).
    #[must_use]
    pub fn on_accept_error(mut self, f: impl FnMut(io::Error) + Send + 'static) -> Self {
        self.on_accept_error = Some(Box::new(f));
        self
    }

    /// A shutdown asks the connections at once: the handlers listen, and finish what is under way.
    #[cfg(feature = "http")]
    pub(crate) fn ask_at_once(mut self) -> Self {
        self.asks_at_once = true;
        self
    }

    /// As [`serve`](super::serve).
    ///
    /// # Panics
    ///
    /// As [`serve`](super::serve).
    #[track_caller]
    pub fn serve<L, H, F>(self, listener: L, handler: H) -> Server<L::Addr>
    where
        L: Listener,
        H: Fn(L::Io, L::Addr) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let location = Location::caller();
        let connections = Arc::new(Connections::new(self.max_connections));
        let tracker = TaskTracker::new();
        let address = listener.local_addr();
        let accepting = Accepting {
            connections: connections.clone(),
            tracker: tracker.clone(),
            handler: Arc::new(handler),
            on_error: self.on_accept_error,
            location,
        };
        // The handle is dropped: a panic of `on_accept_error` is told of.
        drop(spawn_at(
            location,
            tracker.track_future(accepting.run(listener)),
        ));
        // The accepting task is one of those it waits for.
        tracker.close();
        Server::new(address, connections, tracker, self.asks_at_once)
    }
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            max_connections: usize::MAX,
            on_accept_error: None,
            asks_at_once: false,
        }
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}
