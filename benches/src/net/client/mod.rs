//! Who asks: one connection of the load, or one after the other. None of the runtimes is in it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::time::Duration;

use socket2::{Domain, Socket, Type};

mod connect;
mod datagram;
mod stream;

pub(super) use connect::Connecting;
pub(super) use datagram::Datagrams;
pub(super) use stream::{Connection, Says};

/// Asks, and hears the answer before it asks again.
pub(super) trait Client {
    fn ask(&mut self) -> io::Result<()>;

    /// Takes what is there. True: the answer is complete.
    fn hear(&mut self) -> io::Result<bool>;

    /// There was no answer for a while. What may be lost is sent again; by default nothing may.
    fn ask_again(&mut self) -> io::Result<bool> {
        Ok(false)
    }
}

/// A socket that will connect from one of 200 addresses of this machine. A pair of addresses and ports rests for a minute when its
/// connection was closed, and from one address there are only some 28 000 ports.
fn socket(from: usize) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_tcp_nodelay(true)?;
    // Else `bind` takes a port, which then nobody can connect from, whatever the address, until it has rested.
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is open, and the pointer is to a live local of the size that is given.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    if set != 0 {
        return Err(io::Error::last_os_error());
    }
    let from = Ipv4Addr::new(127, 0, 1, 1 + (from % 200) as u8);
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    Ok(socket)
}

/// What is sent to be echoed.
const MESSAGE: [u8; 64] = *b"As many bytes as a small request has, or a price, or a position.";

/// A server that does not answer for so long has lost something.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
