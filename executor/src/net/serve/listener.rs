//! `Listener`: what a server accepts connections from.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use crate::net::unix;
use crate::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// What [`serve`](super::serve) accepts connections from. The names are those of `tokio_util::net::Listener`.
///
/// Implemented for the listeners of this crate, and not by others.
pub trait Listener: sealed::Sealed + Send + 'static {
    /// A connection.
    type Io: Send + 'static;
    /// An address.
    type Addr: Clone + Send + Sync + 'static;

    /// As [`TcpListener::poll_accept`].
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`].
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Io, Self::Addr)>>;

    /// As [`TcpListener::local_addr`].
    ///
    /// # Errors
    ///
    /// What the system says.
    fn local_addr(&self) -> io::Result<Self::Addr>;
}

impl Listener for TcpListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        Self::poll_accept(self, cx)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Self::local_addr(self)
    }
}

impl Listener for UnixListener {
    type Io = UnixStream;
    type Addr = unix::SocketAddr;

    fn poll_accept(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(UnixStream, unix::SocketAddr)>> {
        Self::poll_accept(self, cx)
    }

    fn local_addr(&self) -> io::Result<unix::SocketAddr> {
        Self::local_addr(self)
    }
}

mod sealed {
    #[expect(unnameable_types, reason = "that is how it is closed")]
    pub trait Sealed {}
    impl Sealed for super::TcpListener {}
    impl Sealed for super::UnixListener {}
}
