//! `UnixStream`: a connection to a process on the same machine.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net;
use std::path::Path;

use super::addr::Shown;
use super::cred::peer_cred;
use super::{SocketAddr, UCred, UnixSocket};
use crate::driver::Direction;
use crate::net::addr::about;
use crate::net::stream::{ByteStream, Carrier};
use crate::task::coop::consume_budget;

/// A connection over a Unix socket.
///
/// It is read and written as a [`TcpStream`](crate::net::TcpStream) is. A plain read takes no descriptors that were sent with
/// the data: they are closed. To receive them, make the system call in [`async_io`](Self::async_io).
///
/// ```
/// # #[cfg(feature = "io")]
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::io::{AsyncReadExt, AsyncWriteExt};
/// use executor::net::UnixStream;
///
/// let (mut one, mut other) = UnixStream::pair()?;
/// one.write_all(b"hello").await?;
/// one.shutdown().await?;
/// let mut text = String::new();
/// other.read_to_string(&mut text).await?;
/// assert_eq!(text, "hello");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "open_unix_connection")]
#[doc(alias = "create_unix_connection")]
#[doc(alias = "open_unix_socket")]
pub struct UnixStream {
    bytes: ByteStream<net::UnixStream>,
}

impl UnixStream {
    /// Connects to the socket that listens at a path. On Linux, a path that begins with a zero byte is an abstract name.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if nothing is there, [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if
    /// nobody listens, [`WouldBlock`](io::ErrorKind::WouldBlock) if too many connections wait to be accepted (the system
    /// offers no way to wait for that), or what else it says, with the path in the text: the error has the kind of the
    /// system's, but not its number (`raw_os_error` is `None`). Also that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future gives the attempt up and closes its socket.
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let address = SocketAddr::of(path.as_ref())?;
        Self::connect_addr(&address).await
    }

    /// As [`connect`](Self::connect), to an address.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    ///
    /// # Panics
    ///
    /// As [`connect`](Self::connect).
    ///
    /// # Cancel safety
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_addr(socket_addr: &SocketAddr) -> io::Result<Self> {
        // Also if no descriptor is left for the socket.
        consume_budget().await;
        let result = UnixSocket::new_stream()?.connect_addr(socket_addr).await;
        result.map_err(|error| about(&error, "connect to", Shown(socket_addr)))
    }

    /// Makes two streams that are connected to each other.
    ///
    /// # Errors
    ///
    /// What the system says; that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = net::UnixStream::pair()?;
        let register = |stream: net::UnixStream| {
            stream.set_nonblocking(true)?;
            // The other end is the caller's, who has written nothing yet.
            let bytes = ByteStream::connected(stream, &[])?;
            Ok::<_, io::Error>(Self { bytes })
        };
        Ok((register(one)?, register(other)?))
    }

    /// Takes over a connection of the standard library, and puts it into non-blocking mode.
    ///
    /// # Errors
    ///
    /// What the system says when it refuses to watch the socket, or that the runtime has shut down. The socket is closed then.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn from_std(stream: net::UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Self::register(stream)
    }

    /// Gives the connection back to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn into_std(self) -> io::Result<net::UnixStream> {
        Ok(self.bytes.into_inner())
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr(self.socket().local_addr()?))
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(SocketAddr(self.socket().peer_addr()?))
    }

    /// Who is at the other end: the process that connected, or listens, or made the pair, as it was then.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn peer_cred(&self) -> io::Result<UCred> {
        peer_cred(self)
    }

    /// Fetches and clears the error that is pending on the socket, if any.
    ///
    /// # Errors
    ///
    /// What the system says when it is asked.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }

    /// Watches a connection that is in non-blocking mode, in the current runtime.
    pub(super) fn register(stream: net::UnixStream) -> io::Result<Self> {
        Ok(Self {
            bytes: ByteStream::connected(stream, &[Direction::Read])?,
        })
    }

    fn socket(&self) -> &net::UnixStream {
        self.bytes.get_ref()
    }
}

impl From<ByteStream<net::UnixStream>> for UnixStream {
    fn from(bytes: ByteStream<net::UnixStream>) -> Self {
        Self { bytes }
    }
}

impl Carrier for UnixStream {
    type Fd = net::UnixStream;

    fn bytes(&self) -> &ByteStream<net::UnixStream> {
        &self.bytes
    }
}

impl TryFrom<net::UnixStream> for UnixStream {
    type Error = io::Error;

    /// As [`UnixStream::from_std`].
    fn try_from(stream: net::UnixStream) -> io::Result<Self> {
        Self::from_std(stream)
    }
}

impl AsFd for UnixStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl AsRawFd for UnixStream {
    fn as_raw_fd(&self) -> RawFd {
        self.socket().as_raw_fd()
    }
}

impl AsRef<Self> for UnixStream {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket().fmt(f)
    }
}
