//! `UdpSocket`: where datagrams come from and go to.

use std::io;
use std::net::{self, SocketAddr};
use std::task::{Context, Poll};

use crate::driver::Direction;
use crate::net::ToSocketAddrs;
use crate::net::addr::{about, no_address, resolve};
use crate::net::datagram::{Datagrams, datagram_methods};

/// A UDP socket.
///
/// One socket serves any number of peers with [`send_to`](Self::send_to) and [`recv_from`](Self::recv_from). With
/// [`connect`](Self::connect) it has one peer, for [`send`](Self::send) and [`recv`](Self::recv). All take `&self`, so tasks may share it
/// in an `Arc`; whoever receives gets a whole datagram, which no other gets.
///
/// Datagrams may be lost, come twice or in another order. One larger than the buffer is cut off.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::net::UdpSocket;
///
/// let server = UdpSocket::bind("127.0.0.1:0").await?;
/// let client = UdpSocket::bind("127.0.0.1:0").await?;
/// client.connect(server.local_addr()?).await?;
/// client.send(b"hello").await?;
///
/// let mut buffer = [0; 1500];
/// let (n, from) = server.recv_from(&mut buffer).await?;
/// server.send_to(&buffer[..n], from).await?;
/// assert_eq!(client.recv(&mut buffer).await?, 5);
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "create_datagram_endpoint")]
#[doc(alias = "DatagramTransport")]
pub struct UdpSocket {
    pub(super) datagrams: Datagrams<net::UdpSocket>,
}

datagram_methods!(UdpSocket, net::UdpSocket, SocketAddr);

impl UdpSocket {
    /// Binds a new socket to an address, or to the first of several that is free. Port 0 lets the system choose.
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
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        let mut last = no_address();
        for address in resolve(addr).await? {
            match net::UdpSocket::bind(address).and_then(Self::from_std) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = about(&error, "bind", address),
            }
        }
        Err(last)
    }

    /// Makes an address, or the first of several that the system accepts, the socket's only peer.
    ///
    /// Nothing is sent. From then on the socket receives from that peer only, and hears if what it sends is refused.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        let mut last = no_address();
        for address in resolve(addr).await? {
            match self.std().connect(address) {
                Ok(()) => return Ok(()),
                Err(error) => last = about(&error, "connect to", address),
            }
        }
        Err(last)
    }

    /// Sends a datagram to an address, or to the first of several, and returns its size.
    ///
    /// # Errors
    ///
    /// That of the lookup; what the system says, for instance that the datagram is too large; that the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the datagram is sent whole or not at all.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let target = resolve(addr).await?.next().ok_or_else(no_address)?;
        let send = |socket: &net::UdpSocket| socket.send_to(buf, target);
        self.datagrams.io(Direction::Write, send).await
    }

    /// As [`send_to`](Self::send_to), without waiting.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to); `WouldBlock` if there is no room, as far as is known, see [`writable`](Self::writable).
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        let send = |socket: &net::UdpSocket| socket.send_to(buf, target);
        self.datagrams.try_io(Direction::Write, send)
    }

    /// As [`send_to`](Self::send_to). Only the last task that polled for sending is woken.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let send = |socket: &net::UdpSocket| socket.send_to(buf, target);
        self.datagrams.poll_io(cx, Direction::Write, send)
    }

    /// The address it is bound to.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.std().local_addr()
    }

    /// The address it is connected to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if it is not, or what else the system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.std().peer_addr()
    }

    pub(super) fn std(&self) -> &net::UdpSocket {
        self.datagrams.get_ref()
    }
}
