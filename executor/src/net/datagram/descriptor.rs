//! What differs between the kinds of datagram sockets: the type of an address.

use std::io;
use std::net;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net as unix;

#[cfg(feature = "io")]
use {super::lent, socket2::SockAddr, std::mem::MaybeUninit};

/// A datagram socket of the standard library.
pub(crate) trait Datagram: AsFd + AsRawFd + Sized {
    /// The standard library's type for where a datagram comes from.
    type Address;

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()>;

    #[cfg(feature = "io")]
    fn address(address: &SockAddr) -> Option<Self::Address>;

    /// Receives into memory that need not be initialized.
    #[cfg(feature = "io")]
    fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, ())> {
        Ok((lent(self).recv(buf)?, ()))
    }

    /// The same, and where it comes from.
    #[cfg(feature = "io")]
    fn recv_from_uninit(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, Self::Address)> {
        let (n, address) = lent(self).recv_from(buf)?;
        Ok((n, Self::address(&address).ok_or_else(no_address)?))
    }
}

macro_rules! sockets {
    ($($socket:ty, $address:ty, $of:expr;)*) => {$(
        impl Datagram for $socket {
            type Address = $address;

            fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                self.set_nonblocking(nonblocking)
            }

            #[cfg(feature = "io")]
            fn address(address: &SockAddr) -> Option<$address> {
                $of(address)
            }
        }
    )*};
}

sockets! {
    net::UdpSocket, net::SocketAddr, SockAddr::as_socket;
    unix::UnixDatagram, unix::SocketAddr, unix_address;
}

#[cfg(feature = "io")]
fn unix_address(address: &SockAddr) -> Option<unix::SocketAddr> {
    let address = crate::net::unix::SocketAddr::of_socket2(address);
    address.ok().map(unix::SocketAddr::from)
}

/// A datagram came from an address of another family than its socket's.
pub(crate) fn no_address() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the system did not say where the datagram comes from",
    )
}
