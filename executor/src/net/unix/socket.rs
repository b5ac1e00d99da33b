//! `UnixSocket`: a socket that is set up before it connects or listens.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::path::Path;

use socket2::{Domain, Socket, Type};

use super::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use crate::net::stream::connect;

/// A Unix socket that is neither connected nor listening yet: to bind it before it connects, or to choose how many
/// connections may wait.
///
/// [`UnixStream::connect`], [`UnixListener::bind`] and [`UnixDatagram::bind`] do without. A path that begins with a zero byte is an abstract name on
/// Linux, here too.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use executor::net::UnixSocket;
///
/// let socket = UnixSocket::new_stream()?;
/// socket.bind("/run/client.sock")?;
/// let stream = socket.connect("/run/service.sock").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixSocket {
    socket: Socket,
}

impl UnixSocket {
    /// Makes a socket for datagrams.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn new_datagram() -> io::Result<Self> {
        Self::new(Type::DGRAM)
    }

    /// Makes a socket for connections.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn new_stream() -> io::Result<Self> {
        Self::new(Type::STREAM)
    }

    fn new(kind: Type) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, kind, None)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }

    /// Gives the socket an address, and makes a file for it.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the path exists, or what else the system says.
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let address = SocketAddr::of(path.as_ref())?;
        self.socket.bind(&address.to_socket2()?)
    }

    /// Listens, in the current runtime. About `backlog` connections wait to be accepted, or fewer if the system says so.
    ///
    /// # Errors
    ///
    /// That this is a socket for datagrams, or what else the system says; that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        self.refuse(Type::DGRAM, "listen cannot be called on a datagram socket")?;
        self.socket
            .listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        UnixListener::from_std(self.socket.into())
    }

    /// Sends and receives datagrams, in the current runtime.
    ///
    /// # Errors
    ///
    /// That this is a socket for connections, or what the system says; that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        self.refuse(Type::STREAM, "datagram cannot be called on a stream socket")?;
        UnixDatagram::from_std(self.socket.into())
    }

    /// Connects to the socket that listens at a path, in the current runtime.
    ///
    /// # Errors
    ///
    /// That this is a socket for datagrams, or what the system says, see [`UnixStream::connect`]; that the runtime has shut
    /// down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future gives the attempt up and closes the socket.
    pub async fn connect(self, path: impl AsRef<Path>) -> io::Result<UnixStream> {
        self.refuse(Type::DGRAM, "connect cannot be called on a datagram socket")?;
        let address = SocketAddr::of(path.as_ref())?;
        // One from elsewhere may be in blocking mode.
        self.socket.set_nonblocking(true)?;
        self.connect_addr(&address).await
    }

    pub(super) async fn connect_addr(self, address: &SocketAddr) -> io::Result<UnixStream> {
        Ok(connect(self.socket, &address.to_socket2()?).await?.into())
    }

    fn refuse(&self, kind: Type, text: &'static str) -> io::Result<()> {
        if self.socket.r#type()? == kind {
            return Err(io::Error::other(text));
        }
        Ok(())
    }
}

impl AsFd for UnixSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for UnixSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl FromRawFd for UnixSocket {
    /// Takes over a Unix socket that is neither connected nor listening.
    ///
    /// # Safety
    ///
    /// The descriptor is open, and the caller owns it.
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller's promise is the same.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Self { socket: fd.into() }
    }
}

impl IntoRawFd for UnixSocket {
    fn into_raw_fd(self) -> RawFd {
        self.socket.into_raw_fd()
    }
}
