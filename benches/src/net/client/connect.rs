//! Connects, exchanges one message, closes; and then again.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::stream::ended;
use super::{Client, MESSAGE, socket};

pub(in crate::net) struct Connecting {
    server: SocketAddr,
    registry: Rc<Registry>,
    token: Token,
    /// Which address the next connection comes from.
    from: usize,
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
            from: token.0,
            stream: None,
            sent: false,
            buffer: [0; MESSAGE.len()],
            filled: 0,
        }
    }
}

impl Client for Connecting {
    fn ask(&mut self) -> io::Result<()> {
        let socket = socket(self.from)?;
        socket.set_nonblocking(true)?;
        self.from += 1;
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
