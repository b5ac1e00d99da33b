//! UDP: the socket, looking at datagrams without taking them, and the settings.

mod options;
mod peek;
mod socket;

pub use socket::UdpSocket;
