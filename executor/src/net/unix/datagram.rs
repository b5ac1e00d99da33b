//! `UnixDatagram`: datagrams within the machine.

use std::io;
use std::net::Shutdown;
use std::os::unix::net;
use std::path::Path;
use std::task::{Context, Poll};
use std::time::Duration;

use super::SocketAddr;
use crate::driver::Direction;
use crate::net::datagram::{Datagrams, datagram_methods};
use crate::time::sleep;

/// A Unix datagram socket.
///
/// It has a path, an abstract name (on Linux: a path that begins with a zero byte), or no address, and then nobody can answer it. None of its
/// datagrams is lost: whoever sends to a socket that is full waits, or is told.
///
/// The file of a path stays behind when the socket is dropped, and is in the way of the next one that is bound to it.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::net::UnixDatagram;
///
/// let (one, other) = UnixDatagram::pair()?;
/// one.send(b"hello").await?;
/// let mut buffer = [0; 16];
/// assert_eq!(other.recv(&mut buffer).await?, 5);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "uds")]
pub struct UnixDatagram {
    datagrams: Datagrams<net::UnixDatagram>,
}

datagram_methods!(UnixDatagram, net::UnixDatagram, SocketAddr);

impl UnixDatagram {
    /// Binds a new socket to a path.
    ///
    /// # Errors
    ///
    /// What the system says, for instance that there is a file at the path; or that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let address = SocketAddr::of(path.as_ref())?;
        Self::from_std(net::UnixDatagram::bind_addr(&address.0)?)
    }

    /// A new socket without an address.
    ///
    /// # Errors
    ///
    /// What the system says, or that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn unbound() -> io::Result<Self> {
        Self::from_std(net::UnixDatagram::unbound()?)
    }

    /// Two new sockets that are connected to each other and have no address.
    ///
    /// # Errors
    ///
    /// What the system says, or that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = net::UnixDatagram::pair()?;
        Ok((Self::from_std(one)?, Self::from_std(other)?))
    }

    /// Makes the socket at a path this one's only peer.
    ///
    /// # Errors
    ///
    /// What the system says, for instance that nobody is there.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let address = SocketAddr::of(path.as_ref())?;
        self.datagrams.get_ref().connect_addr(&address.0)
    }

    /// Sends a datagram to the socket at a path, and returns its size. Waits while this socket has no room, or that one.
    ///
    /// The system does not tell of room in a socket that is no [peer](Self::connect). So this looks again, ever less often, at last every 50 ms.
    ///
    /// # Errors
    ///
    /// What the system says, for instance that nobody is there or that the datagram is too large; that the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the datagram is sent whole or not at all.
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let address = SocketAddr::of(target.as_ref())?;
        let (mut refused, mut pause) = (false, FIRST_PAUSE);
        loop {
            let send = |socket: &net::UnixDatagram| match socket.send_to_addr(buf, &address.0) {
                // The first time there may be no room here, which an event ends. But to try in vain frees what it has taken of the room here, which is
                // an event, too: who waited for that again would wake himself for ever.
                Err(error) if refused && error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                result => {
                    refused = true;
                    result.map(Some)
                }
            };
            match self.datagrams.io(Direction::Write, send).await? {
                Some(sent) => return Ok(sent),
                None => sleep(pause).await,
            }
            pause = (2 * pause).min(LAST_PAUSE);
        }
    }

    /// As [`send_to`](Self::send_to), without waiting.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to); `WouldBlock` if there is no room, as far as is known, see [`writable`](Self::writable), which tells of this
    /// socket's room only.
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let address = SocketAddr::of(target.as_ref())?;
        let send = |socket: &net::UnixDatagram| socket.send_to_addr(buf, &address.0);
        self.datagrams.try_io(Direction::Write, send)
    }

    /// As [`send_to`](Self::send_to), but while the other socket has no room the task is woken again and again. Only the last task that polled
    /// for sending is woken.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: P,
    ) -> Poll<io::Result<usize>> {
        let address = SocketAddr::of(target.as_ref())?;
        let send = |socket: &net::UnixDatagram| socket.send_to_addr(buf, &address.0);
        self.datagrams.poll_io(cx, Direction::Write, send)
    }

    /// Ends receiving, sending, or both.
    ///
    /// Who sends then gets an error, and so does the peer that sends to a socket which has ended receiving. For a receive that waits, Linux
    /// has no answer: it waits on.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.datagrams.get_ref().shutdown(how)
    }

    /// Its own address.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.datagrams.get_ref().local_addr().map(SocketAddr::from)
    }

    /// The address it is connected to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if it is not, or what else the system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.datagrams.get_ref().peer_addr().map(SocketAddr::from)
    }
}

/// Short for a receiver that is at work, and each pause is as long as all before it.
const FIRST_PAUSE: Duration = Duration::from_micros(50);
/// Costs next to nothing.
const LAST_PAUSE: Duration = Duration::from_millis(50);
