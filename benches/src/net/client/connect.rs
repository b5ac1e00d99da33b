//! Connects, exchanges one message, closes; and then again.
//!
//! A connection that was closed keeps its pair of addresses for a minute. So that they do not run out, connections come from many
//! addresses of this machine in turn.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Socket, Type};

use super::stream::ended;
use super::{Client, MESSAGE};

pub(in crate::net) struct Connecting {
    server: SocketAddr,
    registry: Rc<Registry>,
    token: Token,
    /// The last byte of the address that the next connection comes from.
    from: u8,
    stream: Option<TcpStream>,
    sent: bool,
    buffer: [u8; MESSAGE.len()],
    /// How much of the answer is in the buffer.
    filled: usize,
}

impl Connecting {
    pub(in crate::net) fn new(server: SocketAddr, registry: Rc<Registry>, token: Token) -> Self {
        Self {
            server,
            registry,
            token,
            from: (token.0 % 200) as u8,
            stream: None,
            sent: false,
            buffer: [0; MESSAGE.len()],
            filled: 0,
        }
    }
}

impl Client for Connecting {
    fn ask(&mut self) -> io::Result<()> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        self.from = (self.from + 1) % 200;
        let from = Ipv4Addr::new(127, 0, 1, 1 + self.from);
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        match socket.connect(&self.server.into()) {
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            result => result?,
        }
        let mut stream = TcpStream::from_std(socket.into());
        let both = Interest::READABLE | Interest::WRITABLE;
        self.registry.register(&mut stream, self.token, both)?;
        self.stream = Some(stream);
        (self.sent, self.filled) = (false, 0);
        Ok(())
    }

    fn hear(&mut self) -> io::Result<bool> {
        let Some(stream) = &mut self.stream else {
            return Ok(false);
        };
        if !self.sent {
            if let Some(error) = stream.take_error()? {
                return Err(error);
            }
            match stream.write_all(&MESSAGE) {
                Ok(()) => self.sent = true,
                // The event was another than that the connection is there.
                Err(error) if is_later(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        while self.filled < self.buffer.len() {
            match stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err(ended()),
                Ok(read) => self.filled += read,
                Err(error) if is_later(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        // This closes it.
        self.stream = None;
        match self.buffer == MESSAGE {
            true => Ok(true),
            false => Err(io::Error::new(ErrorKind::InvalidData, "an echo is wrong")),
        }
    }
}

fn is_later(error: &io::Error) -> bool {
    [ErrorKind::WouldBlock, ErrorKind::NotConnected].contains(&error.kind())
}
