//! `TcpListener`: where connections come in.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

use socket2::{Domain, SockAddr, SockRef, Socket};

use super::{TcpSocket, TcpStream};
use crate::net::ToSocketAddrs;
use crate::net::acceptor::Acceptor;
use crate::net::addr::{about, no_address, resolve};

/// A TCP socket that waits for connections.
///
/// Any number of tasks may [`accept`](Self::accept) on one listener.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use executor::net::TcpListener;
///
/// let listener = TcpListener::bind("127.0.0.1:8080").await?;
/// loop {
///     let (stream, peer) = listener.accept().await?;
///     executor::spawn(async move {
///         println!("{peer} is here");
///         drop(stream);
///     });
/// }
/// # }
/// ```
#[doc(alias = "start_server")]
#[doc(alias = "serve_tcp")]
#[doc(alias = "SocketListener")]
pub struct TcpListener {
    acceptor: Acceptor<net::TcpListener>,
}

impl TcpListener {
    /// Listens on an address, or on the first of several that is free. Port 0 lets the system choose, see
    /// [`local_addr`](Self::local_addr).
    ///
    /// The address may have been used a moment ago (`SO_REUSEADDR`). Up to 1024 connections wait to be accepted, or fewer if
    /// the system says so. For other settings use a [`TcpSocket`].
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
    /// Cancel safe.
    #[doc(alias = "create_server")]
    #[doc(alias = "open_tcp_listeners")]
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        Self::first_of(addr, |_| Ok(())).await
    }

    /// As [`bind`](Self::bind), but other sockets that were bound so may listen there too, those of other processes of the same user included (`SO_REUSEPORT`). Linux gives each
    /// connection to one of them, by a hash of its addresses, so that several processes, or several [servers](crate::net::serve) of one, share the work.
    ///
    /// Each has a queue of its own of those who wait to be accepted. One that is closed takes its queue with it: its clients' connections are reset, unless the system is told to move
    /// them (`net.ipv4.tcp_migrate_req` of Linux). A restart that loses none passes the listener on, by
    /// [`Command::pass_listeners`](crate::process::Command::pass_listeners).
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind); [`AddrInUse`](io::ErrorKind::AddrInUse) also if the address has a listener that was not bound so.
    ///
    /// # Panics
    ///
    /// As [`bind`](Self::bind).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    #[doc(alias = "SO_REUSEPORT")]
    #[cfg(not(any(target_os = "illumos", target_os = "solaris")))]
    pub async fn bind_reuseport<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        Self::first_of(addr, |socket| socket.set_reuseport(true)).await
    }

    /// Listens on the first address that is free, with a socket to which `set_up` was done.
    async fn first_of<A: ToSocketAddrs>(
        addr: A,
        set_up: fn(&TcpSocket) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut last = no_address();
        for address in resolve(addr).await? {
            match listen(address, set_up) {
                Ok(listener) => return Ok(listener),
                Err(error) => last = about(&error, "listen on", address),
            }
        }
        Err(last)
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
    pub fn from_std(listener: net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let acceptor = Acceptor::new(listener)?;
        Ok(Self { acceptor })
    }

    /// Gives the listener back to the standard library. It stays in non-blocking mode.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        Ok(self.acceptor.into_inner())
    }

    /// Waits for the next connection, and returns it with its address. It belongs to the runtime that accepts it, and counts as
    /// ready until an operation finds nothing.
    ///
    /// # Errors
    ///
    /// What the system says. The listener stays usable, so a server should not end, but call again: an error may concern one
    /// connection that is gone already, or say that the process has too many open files. That one would come again at once; so
    /// after an error that is not about one connection, calls that come within 50 ms wait until these are over before they
    /// try. Thus a loop that takes no notice of errors costs next to nothing, and accepts again soon after files were closed. The
    /// wait goes by the clock of the runtime: a paused one jumps over it.
    ///
    /// Also that the runtime has shut down; then no call succeeds any more, nor waits.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no connection is lost.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = self.acceptor.accept(accept).await?;
        Ok((TcpStream::register(stream)?, address))
    }

    /// As [`accept`](Self::accept). Only the last task that polled is woken.
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (stream, address) = ready!(self.acceptor.poll_accept(cx, accept))?;
        Poll::Ready(Ok((TcpStream::register(stream)?, address)))
    }

    /// The address it listens on.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.acceptor.get_ref().local_addr()
    }

    /// How many hops a packet may take.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn ttl(&self) -> io::Result<u32> {
        self.acceptor.get_ref().ttl()
    }

    /// Sets how many hops a packet may take. Accepted connections start with the same setting.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.acceptor.get_ref().set_ttl(ttl)
    }
}

fn listen(
    address: SocketAddr,
    set_up: fn(&TcpSocket) -> io::Result<()>,
) -> io::Result<TcpListener> {
    let socket = TcpSocket::new(Domain::for_address(address))?;
    // Without this the port of a server that just ended is refused while its last connections are remembered.
    socket.set_reuseaddr(true)?;
    set_up(&socket)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Takes a connection that is waiting, in non-blocking mode and closed on exec.
fn accept(listener: &net::TcpListener) -> io::Result<(net::TcpStream, SocketAddr)> {
    loop {
        match accept_raw(&SockRef::from(listener)) {
            Ok((socket, address)) => {
                // A TCP listener has no peers of other families.
                let address = address.as_socket().ok_or(io::ErrorKind::InvalidData)?;
                return Ok((socket.into(), address));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(any(target_os = "android", target_os = "freebsd", target_os = "linux"))]
fn accept_raw(listener: &Socket) -> io::Result<(Socket, SockAddr)> {
    listener.accept4(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC)
}

#[cfg(not(any(target_os = "android", target_os = "freebsd", target_os = "linux")))]
fn accept_raw(listener: &Socket) -> io::Result<(Socket, SockAddr)> {
    let (socket, address) = listener.accept()?;
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

impl TryFrom<net::TcpListener> for TcpListener {
    type Error = io::Error;

    /// As [`TcpListener::from_std`].
    fn try_from(listener: net::TcpListener) -> io::Result<Self> {
        Self::from_std(listener)
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.acceptor.get_ref().as_fd()
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.acceptor.get_ref().as_raw_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.acceptor.get_ref().fmt(f)
    }
}

const BACKLOG: u32 = 1024;
