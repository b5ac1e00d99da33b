//! tokio, and our runtime, which has its names: one text for both.

use std::future::Future;
use std::net::SocketAddr;
use std::{io, net};

use super::Wire;
use crate::Result;

macro_rules! wire {
    ($runtime:ty, $library:ident) => {
        impl Wire for $runtime {
            type Listener = ::$library::net::TcpListener;
            type Stream = ::$library::net::TcpStream;
            type Socket = ::$library::net::UdpSocket;

            fn start(workers: usize, server: impl Future<Output = ()> + Send + 'static) -> Result {
                super::start::<Self>(workers, server)
            }

            fn spawn(task: impl Future<Output = ()> + Send + 'static) {
                drop(::$library::spawn(task));
            }

            fn listen(listener: net::TcpListener) -> io::Result<Self::Listener> {
                Self::Listener::from_std(listener)
            }

            async fn accept(listener: &mut Self::Listener) -> io::Result<Self::Stream> {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(stream)
            }

            async fn read(stream: &mut Self::Stream, buffer: &mut [u8]) -> io::Result<usize> {
                ::$library::io::AsyncReadExt::read(stream, buffer).await
            }

            async fn write_all(stream: &mut Self::Stream, bytes: &[u8]) -> io::Result<()> {
                ::$library::io::AsyncWriteExt::write_all(stream, bytes).await
            }

            fn bound(socket: net::UdpSocket) -> io::Result<Self::Socket> {
                Self::Socket::from_std(socket)
            }

            async fn receive(
                socket: &Self::Socket,
                buffer: &mut [u8],
            ) -> io::Result<(usize, SocketAddr)> {
                socket.recv_from(buffer).await
            }

            async fn send(
                socket: &Self::Socket,
                bytes: &[u8],
                to: SocketAddr,
            ) -> io::Result<usize> {
                socket.send_to(bytes, to).await
            }
        }
    };
}

wire!(crate::peers::Tokio, tokio);
#[cfg(feature = "sockets")]
wire!(crate::peers::Executor, executor);
