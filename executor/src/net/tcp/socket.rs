//! `TcpSocket`: a socket that is set up before it connects or listens.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::{TcpListener, TcpStream};
use crate::net::stream::connect;

/// A TCP socket that is neither connected nor listening yet, to set options that matter before.
///
/// [`TcpStream::connect`] and [`TcpListener::bind`] do without. Nothing is set here but what you set: for a listener,
/// [`set_reuseaddr`](Self::set_reuseaddr) is usually wanted.
///
/// Options that are missing here can be set through the descriptor, with the crate `socket2` (its `SockRef`) for instance.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::net::TcpSocket;
///
/// let socket = TcpSocket::new_v4()?;
/// socket.set_reuseaddr(true)?;
/// socket.bind("127.0.0.1:0".parse().unwrap())?;
/// let listener = socket.listen(128)?;
///
/// let socket = TcpSocket::new_v4()?;
/// socket.set_nodelay(true)?;
/// let stream = socket.connect(listener.local_addr()?).await?;
/// assert!(stream.nodelay()?);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub struct TcpSocket {
    socket: Socket,
}

impl TcpSocket {
    /// Makes a socket for IPv4.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn new_v4() -> io::Result<Self> {
        Self::new(Domain::IPV4)
    }

    /// Makes a socket for IPv6.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn new_v6() -> io::Result<Self> {
        Self::new(Domain::IPV6)
    }

    pub(super) fn new(domain: Domain) -> io::Result<Self> {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
    }

    /// Takes over a socket of the standard library, which may have been made with other options by another crate. It must not
    /// be connected.
    pub fn from_std_stream(std_stream: net::TcpStream) -> Self {
        Self {
            socket: std_stream.into(),
        }
    }

    /// Chooses the local address (`SO_REUSEADDR` decides whether it may have been in use a moment ago).
    ///
    /// # Errors
    ///
    /// That the address is in use, or what else the system says.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.bind(&addr.into())
    }

    /// Connects to `addr`, in the current runtime.
    ///
    /// # Errors
    ///
    /// What the system says; that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future gives the attempt up and closes the socket.
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        // One from elsewhere may be in blocking mode.
        self.socket.set_nonblocking(true)?;
        self.connect_nonblocking(addr).await
    }

    pub(super) async fn connect_nonblocking(self, addr: SocketAddr) -> io::Result<TcpStream> {
        Ok(connect(self.socket, &addr.into()).await?.into())
    }

    /// Listens, in the current runtime. Up to `backlog` connections wait to be accepted, or fewer if the system says so.
    ///
    /// # Errors
    ///
    /// What the system says; that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        self.socket
            .listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        TcpListener::from_std(self.socket.into())
    }

    /// The local address.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let address = SockAddr::as_socket(&self.socket.local_addr()?);
        address.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Fetches and clears the error that is pending on the socket, if any.
    ///
    /// # Errors
    ///
    /// What the system says when it is asked.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }
}

/// Pairs of methods that read and set an option.
macro_rules! options {
    ($($(#[$attribute:meta])* $get:ident, $set:ident: $type:ty = $text:literal, $inner_get:ident, $inner_set:ident;)*) => {
        impl TcpSocket {$(
            #[doc = concat!("Reads the option: ", $text)]
            ///
            /// # Errors
            ///
            /// What the system says.
            $(#[$attribute])*
            pub fn $get(&self) -> io::Result<$type> {
                self.socket.$inner_get()
            }

            #[doc = concat!("Sets the option: ", $text)]
            ///
            /// # Errors
            ///
            /// What the system says.
            $(#[$attribute])*
            pub fn $set(&self, value: $type) -> io::Result<()> {
                self.socket.$inner_set(value)
            }
        )*}
    };
}

options! {
    reuseaddr, set_reuseaddr: bool = "whether `bind` may take an address that was in use a moment ago (`SO_REUSEADDR`).",
        reuse_address, set_reuse_address;
    #[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
    reuseport, set_reuseport: bool = "whether several sockets may listen on one address, and share the connections (`SO_REUSEPORT`).",
        reuse_port, set_reuse_port;
    keepalive, set_keepalive: bool = "whether the system asks from time to time if the peer is still there (`SO_KEEPALIVE`).",
        keepalive, set_keepalive;
    nodelay, set_nodelay: bool = "whether small writes are sent at once (`TCP_NODELAY`).",
        tcp_nodelay, set_tcp_nodelay;
    linger, set_linger: Option<Duration> = "how long, in whole seconds, closing waits for what was written to be sent, and blocks the thread meanwhile (`SO_LINGER`). Zero throws unsent data away and resets the connection.",
        linger, set_linger;
    #[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
    tos_v4, set_tos_v4: u32 = "the type of service of IPv4 packets (`IP_TOS`).",
        tos_v4, set_tos_v4;
    #[cfg(any(target_os = "android", target_os = "freebsd", target_os = "linux", target_os = "macos", target_os = "netbsd", target_os = "openbsd"))]
    tclass_v6, set_tclass_v6: u32 = "the traffic class of IPv6 packets (`IPV6_TCLASS`).",
        tclass_v6, set_tclass_v6;
}

impl TcpSocket {
    /// Makes closing the connection reset it, and throw unsent data away.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set_linger(Some(Duration::ZERO))
    }

    /// The size of the system's buffer for sending, in bytes. Linux says twice what was set.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        Ok(saturated(self.socket.send_buffer_size()?))
    }

    /// Asks for a size of the system's buffer for sending, in bytes.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_send_buffer_size(&self, size: u32) -> io::Result<()> {
        self.socket.set_send_buffer_size(size as usize)
    }

    /// The size of the system's buffer for receiving, in bytes. Linux says twice what was set.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        Ok(saturated(self.socket.recv_buffer_size()?))
    }

    /// Asks for a size of the system's buffer for receiving, in bytes.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_recv_buffer_size(&self, size: u32) -> io::Result<()> {
        self.socket.set_recv_buffer_size(size as usize)
    }

    /// The network interface that the socket is bound to, if any (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    ///
    /// What the system says.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        self.socket.device()
    }

    /// Binds the socket to a network interface, such as `b"eth0"`, or (`None`) to none (`SO_BINDTODEVICE`).
    ///
    /// # Errors
    ///
    /// That there is no such interface, or what else the system says.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.socket.bind_device(interface)
    }
}

impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for TcpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

impl FromRawFd for TcpSocket {
    /// Takes over a TCP socket that is neither connected nor listening.
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

impl IntoRawFd for TcpSocket {
    fn into_raw_fd(self) -> RawFd {
        self.socket.into_raw_fd()
    }
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

fn saturated(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
