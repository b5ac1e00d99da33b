//! `UnixListener`: where connections come in.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net;
use std::path::Path;
use std::task::{Context, Poll, ready};

use super::addr::Shown;
use super::{SocketAddr, UnixStream};
use crate::net::acceptor::Acceptor;
use crate::net::addr::about;

/// A Unix socket that waits for connections.
///
/// Any number of tasks may [`accept`](Self::accept) on one listener. Dropping it leaves its file where it is; a new
/// listener cannot have the path until the file is removed.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use executor::net::UnixListener;
///
/// let listener = UnixListener::bind("/run/service.sock")?;
/// loop {
///     let (stream, _) = listener.accept().await?;
///     println!("user {} is here", stream.peer_cred()?.uid());
/// }
/// # }
/// ```
#[doc(alias = "start_unix_server")]
#[doc(alias = "create_unix_server")]
pub struct UnixListener {
    acceptor: Acceptor<net::UnixListener>,
}

impl UnixListener {
    /// Makes a socket at a path, and listens. On Linux, a path that begins with a zero byte is an abstract name.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the path exists, be it of a listener that is gone, or what else the system
    /// says, with the path in the text: the error has the kind of the system's, but not its number (`raw_os_error` is
    /// `None`). Also that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::bind_addr(&SocketAddr::of(path.as_ref())?)
    }

    /// As [`bind`](Self::bind), to an address.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<Self> {
        net::UnixListener::bind_addr(&socket_addr.0)
            .and_then(Self::from_std)
            .map_err(|error| about(&error, "listen on", Shown(socket_addr)))
    }

    /// Takes over a listener of the standard library, and puts it into non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the system says when it refuses to watch the socket, or that the runtime has shut down. The socket is closed then.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn from_std(listener: net::UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let acceptor = Acceptor::new(listener)?;
        Ok(Self { acceptor })
    }

    /// Gives the listener back to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn into_std(self) -> io::Result<net::UnixListener> {
        Ok(self.acceptor.into_inner())
    }

    /// Waits for the next connection, and returns it with its address. It belongs to the runtime that accepts it.
    ///
    /// # Errors
    ///
    /// What the system says; the listener stays usable, and waits after an error that would come again at once, see
    /// [`TcpListener::accept`](crate::net::TcpListener::accept). Also that the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no connection is lost.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        registered(self.acceptor.accept(accept).await?)
    }

    /// As [`accept`](Self::accept). Only the last task that polled is woken.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        Poll::Ready(registered(ready!(self.acceptor.poll_accept(cx, accept))?))
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr(self.acceptor.get_ref().local_addr()?))
    }

    /// Fetches and clears the error that is pending on the socket, if any.
    ///
    /// # Errors
    ///
    /// What the system says when it is asked.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.acceptor.get_ref().take_error()
    }
}

/// Takes a connection that is waiting. The standard library reads its address, which a peer may have made of any bytes.
fn accept(listener: &net::UnixListener) -> io::Result<(net::UnixStream, net::SocketAddr)> {
    listener.accept()
}

fn registered(
    (stream, address): (net::UnixStream, net::SocketAddr),
) -> io::Result<(UnixStream, SocketAddr)> {
    Ok((UnixStream::from_std(stream)?, SocketAddr(address)))
}

impl TryFrom<net::UnixListener> for UnixListener {
    type Error = io::Error;

    /// As [`UnixListener::from_std`].
    fn try_from(listener: net::UnixListener) -> io::Result<Self> {
        Self::from_std(listener)
    }
}

impl AsFd for UnixListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.acceptor.get_ref().as_fd()
    }
}

impl AsRawFd for UnixListener {
    fn as_raw_fd(&self) -> RawFd {
        self.acceptor.get_ref().as_raw_fd()
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.acceptor.get_ref().fmt(f)
    }
}
