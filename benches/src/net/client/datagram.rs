//! A UDP socket that sends its next message when it has the echo of the last. Each has a number, so that an echo which comes late, when
//! the message was sent again, is not taken for the next.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};

use super::{Client, MESSAGE};

pub(in crate::net) struct Datagrams {
    socket: UdpSocket,
    number: u64,
}

impl Datagrams {
    pub(in crate::net) fn open(
        server: SocketAddr,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        let mut socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        socket.connect(server)?;
        registry.register(&mut socket, token, Interest::READABLE)?;
        Ok(Self { socket, number: 0 })
    }

    fn message(&self) -> [u8; MESSAGE.len()] {
        let mut message = MESSAGE;
        message[..8].copy_from_slice(&self.number.to_le_bytes());
        message
    }
}

impl Client for Datagrams {
    fn ask(&mut self) -> io::Result<()> {
        self.number += 1;
        self.socket.send(&self.message()).map(drop)
    }

    fn hear(&mut self) -> io::Result<bool> {
        let mut buffer = [0; MESSAGE.len() + 1];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(read) if buffer[..read] == self.message() => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    fn ask_again(&mut self) -> io::Result<bool> {
        self.socket.send(&self.message())?;
        Ok(true)
    }
}
