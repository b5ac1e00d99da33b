//! smol: async-executor, and async-io on the threads that run it.

use std::future::{self, Future};
use std::net::SocketAddr;
use std::{io, net, thread};

use async_executor::StaticExecutor;
use async_io::{Async, block_on};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use super::Wire;
use crate::Result;

/// As the crate `smol` does it: each thread runs the executor in async-io's `block_on`, so that threads without work wait for events. The executor is the kind
/// that is made for a static, which does less for each task.
pub(crate) struct SmolIo;

static EXECUTOR: StaticExecutor = StaticExecutor::new();

impl Wire for SmolIo {
    type Listener = Async<net::TcpListener>;
    type Stream = Async<net::TcpStream>;
    type Socket = Async<net::UdpSocket>;

    fn start(workers: usize, server: impl Future<Output = ()> + Send + 'static) -> Result {
        for _ in 0..workers {
            thread::Builder::new()
                .name("smol".into())
                .spawn(|| block_on(EXECUTOR.run(future::pending::<()>())))?;
        }
        Self::spawn(server);
        Ok(())
    }

    fn spawn(task: impl Future<Output = ()> + Send + 'static) {
        EXECUTOR.spawn(task).detach();
    }

    fn listen(listener: net::TcpListener) -> io::Result<Async<net::TcpListener>> {
        Async::new(listener)
    }

    async fn accept(listener: &mut Async<net::TcpListener>) -> io::Result<Async<net::TcpStream>> {
        let (stream, _) = listener.accept().await?;
        stream.get_ref().set_nodelay(true)?;
        Ok(stream)
    }

    async fn read(stream: &mut Async<net::TcpStream>, buffer: &mut [u8]) -> io::Result<usize> {
        AsyncReadExt::read(stream, buffer).await
    }

    async fn write_all(stream: &mut Async<net::TcpStream>, bytes: &[u8]) -> io::Result<()> {
        AsyncWriteExt::write_all(stream, bytes).await
    }

    fn bound(socket: net::UdpSocket) -> io::Result<Async<net::UdpSocket>> {
        Async::new(socket)
    }

    async fn receive(
        socket: &Async<net::UdpSocket>,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr)> {
        socket.recv_from(buffer).await
    }

    async fn send(
        socket: &Async<net::UdpSocket>,
        bytes: &[u8],
        to: SocketAddr,
    ) -> io::Result<usize> {
        socket.send_to(bytes, to).await
    }
}
