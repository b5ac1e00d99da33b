//! What a runtime must do to take part.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::Result;

mod current_thread;
pub(crate) mod echo;
mod executor;
mod join;
mod pages;
mod smol;
mod streams;
mod tasks;
mod timers;
mod tokio;

pub(crate) use current_thread::{ExecutorCt, TokioCt};
pub(crate) use executor::Executor;
pub(crate) use pages::Pages;
pub(crate) use smol::Smol;
pub(crate) use streams::Streams;
pub(crate) use tasks::{Foreign, Tools};
pub(crate) use timers::Timers;
#[cfg(tokio_unstable)]
pub(crate) use tokio::UNSTABLE;
pub(crate) use tokio::{TUNED, Tokio};

/// A runtime. The functions without `self` are called inside of it only: in its tasks and its `block_on`.
pub(crate) trait Runtime: Send + Sync + Sized + 'static {
    const NAME: &'static str;

    /// Awaits a task's output.
    type Join<T: Send + 'static>: Future<Output = T> + Send;

    fn start(workers: usize) -> Result<Self>;

    /// Runs a future on the calling thread, which is no worker. On the current-thread flavour it drives all tasks, too.
    fn block_on<F: Future>(&self, future: F) -> F::Output;

    fn spawn<F>(future: F) -> Self::Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    fn spawn_detached(future: impl Future<Output = ()> + Send + 'static);

    fn yield_now() -> impl Future<Output = ()> + Send;
}

/// A runtime with sockets and timers.
pub(crate) trait Sockets: Runtime {
    type Listener: Send + 'static;
    type Stream: hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static;

    fn bind(address: SocketAddr) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    fn local_addr(listener: &Self::Listener) -> io::Result<SocketAddr>;

    /// The next connection, with `TCP_NODELAY`.
    fn accept(
        listener: &mut Self::Listener,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// A connection, with `TCP_NODELAY`.
    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send;

    fn sleep_until(deadline: Instant) -> impl Future<Output = ()> + Send;
}
