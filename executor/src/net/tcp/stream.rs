//! `TcpStream`: a connection.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;

use super::io::{Fresh, send_slices};
use super::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf, connect};
use crate::driver::{Direction, Interest, Source};
use crate::net::addr::{about, no_address, resolve};
use crate::net::{ToSocketAddrs, watch};

/// A TCP connection.
///
/// It is read and written through the I/O traits, those of `futures` or, with the feature `io`, those of
/// `executor::io`. Each direction may be used by one task at a time; [`split`](Self::split) and
/// [`into_split`](Self::into_split) give each direction to a task of its own.
///
/// Dropping it closes the connection. To end only the writing direction, which the peer reads as the end of the stream, use
/// `shutdown` (tokio's traits) or `close` (those of `futures`).
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
    source: Source<net::TcpStream>,
    fresh: Fresh,
}

impl TcpStream {
    /// Connects to an address, or to the first of several that answers.
    ///
    /// A host name is looked up first, see [`ToSocketAddrs`].
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
            match connect::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = about(&error, "connect to", address),
            }
        }
        Err(last)
    }

    /// Takes over a connection of the standard library, and puts it into non-blocking mode.
    ///
    /// It must be connected, or connecting.
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
        Self::register(stream, true)
    }

    /// Gives the connection back to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        Ok(self.source.into_inner())
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

    /// Waits until the stream can be read: data, the end of the stream, or an error is there.
    ///
    /// Then use [`try_read`](Self::try_read), which may still answer `WouldBlock`. Several tasks may wait.
    ///
    /// # Errors
    ///
    /// That the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: once an event has come, `readable` returns at once until a read answers `WouldBlock`.
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
    #[doc(alias = "wait_readable")]
    pub async fn readable(&self) -> io::Result<()> {
        self.source.ready(Direction::Read).await.map(drop)
    }

    /// Waits until the stream can be written: there is room, or an error is there.
    ///
    /// Then use [`try_write`](Self::try_write), which may still answer `WouldBlock`. Several tasks may wait.
    ///
    /// # Errors
    ///
    /// That the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`readable`](Self::readable).
    #[doc(alias = "wait_writable")]
    pub async fn writable(&self) -> io::Result<()> {
        self.source.ready(Direction::Write).await.map(drop)
    }

    /// As [`readable`](Self::readable). Only the last task that polled for reading, by this or by a trait, is woken.
    ///
    /// # Errors
    ///
    /// That the runtime has shut down.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(ready!(self.source.poll_ready(cx, Direction::Read)).map(drop))
    }

    /// As [`writable`](Self::writable). Only the last task that polled for writing, by this or by a trait, is woken.
    ///
    /// # Errors
    ///
    /// That the runtime has shut down.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(ready!(self.source.poll_ready(cx, Direction::Write)).map(drop))
    }

    /// Reads what is there, without waiting, and returns how much that was. 0: the end of the stream, or `buf` is empty.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing is there, as far as is known; see [`readable`](Self::readable). What the system says; that
    /// the runtime has shut down.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.source
            .try_io(Direction::Read, |mut socket| socket.read(buf))
    }

    /// As [`try_read`](Self::try_read), into several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// As [`try_read`](Self::try_read).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.source
            .try_io(Direction::Read, |mut socket| socket.read_vectored(bufs))
    }

    /// Writes what there is room for, without waiting, and returns how much that was.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room, as far as is known; see [`writable`](Self::writable).
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the connection is gone (no signal is raised), or what else the system
    /// says; that the runtime has shut down.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.source
            .try_io(Direction::Write, |mut socket| socket.write(buf))
    }

    /// As [`try_write`](Self::try_write), from several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// As [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.source
            .try_io(Direction::Write, |socket| send_slices(socket, bufs))
    }

    /// Waits for data and copies it to `buf`; it stays there to be read again.
    ///
    /// Returns how much was copied; 0 at the end of the stream.
    ///
    /// # Errors
    ///
    /// What the system says, or that the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is consumed.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.source
            .async_io(Direction::Read, |socket| socket.peek(buf))
            .await
    }

    /// Borrows the stream as two halves, for two futures of one task.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (ReadHalf(self), WriteHalf(self))
    }

    /// Shares the stream between two halves, for two tasks.
    ///
    /// Dropping the [`OwnedWriteHalf`] ends the writing direction. The connection closes when both are dropped.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        super::split_owned::split(self)
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

    /// Watches a socket that is in non-blocking mode, in the current runtime. `fresh`: it may be ready already.
    pub(super) fn register(stream: net::TcpStream, fresh: bool) -> io::Result<Self> {
        let source = watch(stream, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self {
            source,
            fresh: Fresh::new(fresh),
        })
    }

    pub(super) fn source(&self) -> &Source<net::TcpStream> {
        &self.source
    }

    pub(super) fn fresh(&self) -> &Fresh {
        &self.fresh
    }

    fn socket(&self) -> &net::TcpStream {
        self.source.get_ref()
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
