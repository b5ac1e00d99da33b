//! `TcpStream`: a connection.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use socket2::{Domain, SockRef};

use super::TcpSocket;
use crate::driver::{Direction, Interest};
use crate::net::ToSocketAddrs;
use crate::net::addr::{about, no_address, resolve};
use crate::net::stream::{ByteStream, Carrier};

/// A TCP connection.
///
/// It is read and written through the I/O traits, those of `futures` or, with the feature `io`, those of
/// `executor::io`. Each direction may be used by one task at a time; [`split`](Self::split) and
/// [`into_split`](Self::into_split) give each direction to a task of its own.
///
/// Dropping it closes the connection. To end only the writing direction, which the peer reads as the end of the stream, use
/// `shutdown` (tokio's traits) or `close` (those of `futures`).
///
/// [`readable`](Self::readable) and [`try_read`](Self::try_read), and the same for writing, keep readiness and I/O apart:
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// # use executor::net::{TcpListener, TcpStream};
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// # let writer = TcpStream::connect(listener.local_addr()?).await?;
/// # let (stream, _) = listener.accept().await?;
/// # writer.writable().await?;
/// # writer.try_write(b"hello")?;
/// let mut buffer = [0; 16];
/// let n = loop {
///     stream.readable().await?;
///     match stream.try_read(&mut buffer) {
///         Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
///         result => break result?,
///     }
/// };
/// assert_eq!(&buffer[..n], b"hello");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// Urgent (out-of-band) data is not supported: what a peer sends right behind it may be read only when more follows.
///
/// ```no_run
/// # #[cfg(feature = "io")]
/// # async fn example() -> std::io::Result<()> {
/// use executor::io::{AsyncReadExt, AsyncWriteExt};
/// use executor::net::TcpStream;
///
/// let mut stream = TcpStream::connect("example.org:80").await?;
/// stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
/// let mut answer = Vec::new();
/// stream.read_to_end(&mut answer).await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "StreamReader")]
#[doc(alias = "StreamWriter")]
#[doc(alias = "SocketStream")]
pub struct TcpStream {
    bytes: ByteStream<net::TcpStream>,
}

impl TcpStream {
    /// Connects to an address, or to the first of several that answers.
    ///
    /// A host name is looked up first, see [`ToSocketAddrs`]. The addresses are tried one after the other; [`connect_any`](Self::connect_any) does
    /// not wait that long.
    ///
    /// # Errors
    ///
    /// That of the lookup, or of the last address tried, with the address in its text: it has the kind of the system's error, but
    /// not its number (`raw_os_error` is `None`). Also that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future gives the attempt up and closes its socket.
    #[doc(alias = "open_connection")]
    #[doc(alias = "create_connection")]
    #[doc(alias = "open_tcp_stream")]
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        let mut last = no_address();
        for address in resolve(addr).await? {
            match connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = about(&error, "connect to", address),
            }
        }
        Err(last)
    }

    /// Takes over a connection of the standard library, and puts it into non-blocking mode.
    ///
    /// It must be connected, or connecting: then it is [`writable`](Self::writable) once the attempt has ended, and
    /// [`take_error`](Self::take_error) says how.
    ///
    /// # Errors
    ///
    /// What the system says when it refuses to watch the socket, or that the runtime has shut down. The socket is closed then.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn from_std(stream: net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        if stream.peer_addr().is_ok() {
            return Self::register(stream);
        }
        // Still connecting: nothing is known of it, and that there is room is an event, to be waited for.
        let bytes = ByteStream::new(stream, Interest::READABLE | Interest::WRITABLE, &[])?;
        Ok(Self { bytes })
    }

    /// Gives the connection back to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        Ok(self.bytes.into_inner())
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) after the peer has reset the connection, or what else the system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// Fetches and clears the error that is pending on the socket, if any.
    ///
    /// # Errors
    ///
    /// What the system says when it is asked.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }

    /// True if small writes are sent at once (Nagle's algorithm is off).
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket().nodelay()
    }

    /// Sends small writes at once (true), or waits a little to put several into one packet (false, the system's default).
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket().set_nodelay(nodelay)
    }

    /// True if what arrives is acknowledged at once (`TCP_QUICKACK`).
    ///
    /// # Errors
    ///
    /// What the system says.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    pub fn quickack(&self) -> io::Result<bool> {
        SockRef::from(self).tcp_quickack()
    }

    /// Acknowledges what arrives at once (true), or waits a little in the hope of data to send with it (false).
    ///
    /// The system may change this by itself at any later time: set it again after reading, if it matters.
    ///
    /// # Errors
    ///
    /// What the system says.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        SockRef::from(self).set_tcp_quickack(quickack)
    }

    /// How long the system goes on sending after the stream was dropped, if a limit was set.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        SockRef::from(self).linger()
    }

    /// Sets how long, in whole seconds, dropping the stream waits for what was written to be sent. Less than one counts as zero.
    ///
    /// While it waits, the thread that drops the stream is blocked. Zero throws unsent data away and resets the connection.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        SockRef::from(self).set_linger(dur)
    }

    /// Makes dropping the stream reset the connection, and throw unsent data away.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set_linger(Some(Duration::ZERO))
    }

    /// How many hops a packet may take.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket().ttl()
    }

    /// Sets how many hops a packet may take.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket().set_ttl(ttl)
    }

    /// Watches a connection that is made, and in non-blocking mode, in the current runtime.
    pub(super) fn register(stream: net::TcpStream) -> io::Result<Self> {
        Ok(Self {
            bytes: ByteStream::connected(stream, &[Direction::Read])?,
        })
    }

    fn socket(&self) -> &net::TcpStream {
        self.bytes.get_ref()
    }
}

pub(super) async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new(Domain::for_address(address))?;
    socket.connect_nonblocking(address).await
}

impl From<ByteStream<net::TcpStream>> for TcpStream {
    fn from(bytes: ByteStream<net::TcpStream>) -> Self {
        Self { bytes }
    }
}

impl Carrier for TcpStream {
    type Fd = net::TcpStream;

    fn bytes(&self) -> &ByteStream<net::TcpStream> {
        &self.bytes
    }
}

impl TryFrom<net::TcpStream> for TcpStream {
    type Error = io::Error;

    /// As [`TcpStream::from_std`].
    fn try_from(stream: net::TcpStream) -> io::Result<Self> {
        Self::from_std(stream)
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        self.socket().as_raw_fd()
    }
}

impl AsRef<Self> for TcpStream {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket().fmt(f)
    }
}
