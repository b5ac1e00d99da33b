//! `Server`: the handle to a listener that is served, and what it reports at its end.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::ServerBuilder;
use super::connections::{Connections, End};
use crate::task::{Cancelled, TaskTracker};
use crate::time::timeout;

/// A listener that is served, from [`serve`](super::serve).
///
/// A server that is dropped is [closed](Self::close): nobody is accepted any more, and the connections there are go on. To serve for as long as the program runs,
/// await [`serve_forever`](Self::serve_forever); to end in order, [`shutdown`](Self::shutdown).
#[derive(Debug)]
#[must_use = "a server that is dropped accepts nobody any more: await `serve_forever`"]
pub struct Server<A = SocketAddr> {
    address: io::Result<A>,
    connections: Arc<Connections>,
    tracker: TaskTracker,
    /// A shutdown does not wait before it asks the connections to end.
    asks_at_once: bool,
}

/// What a server has done, from [`Server::report`] and [`Server::shutdown`]. One line by `Display`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerReport {
    /// Connections that were accepted.
    pub accepted: u64,
    /// Errors of the listener. One that comes again is counted each time.
    pub accept_errors: u64,
    /// Handlers that have returned.
    pub finished: u64,
    /// Handlers that have panicked.
    pub panicked: u64,
    /// Handlers that were dropped before their end: cancelled, aborted, or left when the runtime ended.
    pub dropped: u64,
    /// Connections that are still there: their handlers do not come to an await point.
    pub open: usize,
}

impl Server {
    /// Settings for a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }
}

impl<A> Server<A> {
    pub(super) fn new(
        address: io::Result<A>,
        connections: Arc<Connections>,
        tracker: TaskTracker,
        asks_at_once: bool,
    ) -> Self {
        Self {
            address,
            connections,
            tracker,
            asks_at_once,
        }
    }

    /// The address it listens on, or listened on.
    ///
    /// # Errors
    ///
    /// What the system said when the server began.
    #[doc(alias = "sockets")]
    pub fn local_addr(&self) -> io::Result<A>
    where
        A: Clone,
    {
        match &self.address {
            Ok(address) => Ok(address.clone()),
            Err(error) => Err(match error.raw_os_error() {
                Some(number) => io::Error::from_raw_os_error(number),
                None => error.kind().into(),
            }),
        }
    }

    /// False once it is closed, or its runtime has ended.
    pub fn is_serving(&self) -> bool {
        !self.connections.is_closed()
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// What it has done until now.
    pub fn report(&self) -> ServerReport {
        let counts = self.connections.counts();
        ServerReport {
            accepted: counts.accepted,
            accept_errors: counts.accept_errors,
            finished: counts.finished,
            panicked: counts.panicked,
            dropped: counts.dropped,
            open: self.connections.len(),
        }
    }

    /// Accepts nobody any more. The listener is closed soon, and the connections there are go on. Returns false if it was closed before.
    pub fn close(&self) -> bool {
        self.connections.close()
    }

    /// Asks all connections to end, by [`cancel`](crate::task::JoinHandle::cancel): a handler that listens for it, in
    /// [`or_cancelled`](crate::task::FutureExt::or_cancelled) say, may say farewell; others are dropped where they wait, and the connection with them.
    #[track_caller]
    pub fn close_clients(&self) {
        self.connections.end(&End::Cancel(Cancelled::new(CLOSED)));
    }

    /// Aborts the tasks of all connections.
    pub fn abort_clients(&self) {
        self.connections.end(&End::Abort);
    }

    /// Waits until the server is closed and all connections are gone. Any number of tasks may.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_closed(&self) {
        self.tracker.wait().await;
    }

    /// As [`wait_closed`](Self::wait_closed), but closes the server if it is dropped before: the last line of a program that does
    /// nothing but serve.
    ///
    /// # Cancel safety
    ///
    /// The server is closed, and its connections go on.
    pub async fn serve_forever(self) {
        self.wait_closed().await;
    }

    /// Ends in order. Nobody is accepted any more, and connections have so long to end by themselves. Those that are left are asked to, as by
    /// [`close_clients`](Self::close_clients), and aborted if they are there after as long again. It returns as soon as all are gone, and at the latest
    /// a second after that; what is still there is [`open`](ServerReport::open).
    ///
    /// For connections that wait for their clients' next request, tell the handlers: by a
    #[cfg_attr(
        feature = "sync",
        doc = "[`CancellationToken`](crate::sync::CancellationToken)"
    )]
    #[cfg_attr(not(feature = "sync"), doc = "`CancellationToken`")]
    /// that they look at between two requests, or by a `grace` of zero, if they listen for a cancellation.
    ///
    /// # Cancel safety
    ///
    /// The server is closed, and what was not asked of its connections is not asked.
    pub async fn shutdown(self, grace: Duration) -> ServerReport {
        self.close();
        let are_gone = !self.asks_at_once && self.are_gone_within(grace).await;
        if !are_gone {
            self.close_clients();
            if !self.are_gone_within(grace).await {
                self.abort_clients();
                // Who comes to an await point is gone now, as soon as a worker has time to drop it.
                self.are_gone_within(AFTER_ABORT).await;
            }
        }
        self.report()
    }

    async fn are_gone_within(&self, time: Duration) -> bool {
        timeout(time, self.wait_closed()).await.is_ok()
    }
}

impl<A> Drop for Server<A> {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Display for ServerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            accepted,
            accept_errors,
            finished,
            panicked,
            dropped,
            open,
        } = self;
        write!(
            f,
            "{accepted} connections: {finished} finished, {panicked} panicked, {dropped} dropped, {open} open; {accept_errors} errors of accept"
        )
    }
}

/// How long an abort may take where the handler comes to an await point: tasks are dropped by a worker.
const AFTER_ABORT: Duration = Duration::from_secs(1);

/// What handlers are told.
const CLOSED: &str = "the server closes its connections";
