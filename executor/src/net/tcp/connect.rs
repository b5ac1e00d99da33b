//! Makes a connection without blocking.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

use super::TcpStream;
use crate::net::stream::Fresh;

pub(super) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    let under_way = match socket.connect(&address.into()) {
        Ok(()) => false,
        Err(error) if is_under_way(&error) => true,
        Err(error) => return Err(error),
    };
    // Only now: a socket that is not even connecting counts as hung up.
    let stream = TcpStream::register(socket.into(), Fresh::none())?;
    if under_way {
        stream.writable().await?;
        // Readiness says that the attempt has ended, and the socket's error how.
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
    }
    Ok(stream)
}

fn is_under_way(error: &io::Error) -> bool {
    // An interrupted `connect` goes on by itself.
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}
