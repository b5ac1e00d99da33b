//! Makes a connection without blocking, for TCP and for Unix sockets.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use socket2::{SockAddr, SockRef, Socket};

use super::ByteStream;
use crate::driver::{Direction, Interest};
use crate::task::coop::consume_budget;

/// Connects a socket that is in non-blocking mode, and watches it. Dropping the future closes it.
///
/// An attempt counts in the task's budget: it may succeed or fail at once.
pub(crate) async fn connect<T>(socket: Socket, address: &SockAddr) -> io::Result<ByteStream<T>>
where
    T: From<Socket> + AsFd + AsRawFd,
{
    consume_budget().await;
    let under_way = match socket.connect(address) {
        Ok(()) => false,
        Err(error) if is_under_way(&error) => true,
        Err(error) => return Err(error),
    };
    // Only now: a socket that is not even connecting counts as hung up.
    let socket = T::from(socket);
    if !under_way {
        return ByteStream::connected(socket, &[]);
    }
    let bytes = ByteStream::new(socket, Interest::READABLE | Interest::WRITABLE, &[])?;
    bytes.source().ready(Direction::Write).await?;
    // Readiness says that the attempt has ended, and the socket's error how.
    match SockRef::from(bytes.get_ref()).take_error()? {
        Some(error) => Err(error),
        None => Ok(bytes),
    }
}

fn is_under_way(error: &io::Error) -> bool {
    // An interrupted `connect` goes on by itself.
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}
