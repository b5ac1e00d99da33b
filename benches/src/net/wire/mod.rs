//! A runtime's own way to accept, read and write, for servers that need no hyper.

use std::future::Future;
use std::net::SocketAddr;
use std::{io, mem, net};

use crate::Result;
use crate::peers::Runtime;

mod smol;
mod tokio;

pub(crate) use smol::SmolIo;

/// A multi-thread runtime with sockets. All but `start` is called in its tasks.
pub(crate) trait Wire: Sized + 'static {
    type Listener: Send + 'static;
    type Stream: Send + 'static;
    /// Of UDP.
    type Socket: Send + Sync + 'static;

    /// Starts a runtime with so many workers, which runs `server` until the process ends.
    fn start(workers: usize, server: impl Future<Output = ()> + Send + 'static) -> Result;

    fn spawn(task: impl Future<Output = ()> + Send + 'static);

    /// `listener` is in non-blocking mode.
    fn listen(listener: net::TcpListener) -> io::Result<Self::Listener>;

    /// The next connection, with `TCP_NODELAY`.
    fn accept(
        listener: &mut Self::Listener,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    fn read(
        stream: &mut Self::Stream,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<usize>> + Send;

    fn write_all(
        stream: &mut Self::Stream,
        bytes: &[u8],
    ) -> impl Future<Output = io::Result<()>> + Send;

    /// `socket` is in non-blocking mode.
    fn bound(socket: net::UdpSocket) -> io::Result<Self::Socket>;

    fn receive(
        socket: &Self::Socket,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> + Send;

    fn send(
        socket: &Self::Socket,
        bytes: &[u8],
        to: SocketAddr,
    ) -> impl Future<Output = io::Result<usize>> + Send;
}

/// `start` for what takes part in the programs as well.
fn start<R: Runtime>(workers: usize, server: impl Future<Output = ()> + Send + 'static) -> Result {
    let runtime = R::start(workers)?;
    runtime.block_on(async { R::spawn_detached(server) });
    // Never dropped, which would end it.
    mem::forget(runtime);
    Ok(())
}
