//! A connection that lives for the whole load.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use super::{Client, MESSAGE, SILENCE, socket};
use crate::Result;

/// A stream over which requests go one after the other. All answers are equally long, so only the first is parsed.
pub(in crate::net) struct Connection {
    stream: TcpStream,
    says: Says,
    buffer: Box<[u8]>,
    /// How much of the answer is in the buffer.
    filled: usize,
}

/// What a connection asks, and how an answer begins.
#[derive(Clone, Copy)]
pub(in crate::net) struct Says {
    request: &'static [u8],
    answer: &'static [u8],
    /// The length of an answer, once enough of it is there.
    length: fn(&[u8]) -> Option<usize>,
}

impl Says {
    pub(in crate::net) const HTTP: Self = Self {
        request: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        answer: b"HTTP/1.1 200 ",
        length: answer_length,
    };

    pub(in crate::net) const ECHO: Self = Self {
        request: &MESSAGE,
        answer: &MESSAGE,
        length: |answer| (answer.len() >= MESSAGE.len()).then_some(MESSAGE.len()),
    };
}

impl Connection {
    /// Connects, and exchanges one request to learn how long the answers are.
    pub(in crate::net) fn open(
        address: SocketAddr,
        says: Says,
        registry: &Registry,
        token: Token,
    ) -> Result<Self> {
        let socket = socket(token.0)?;
        socket.connect(&address.into())?;
        let mut stream = std::net::TcpStream::from(socket);
        stream.set_read_timeout(Some(SILENCE))?;
        stream.write_all(says.request)?;
        let mut answer = Vec::new();
        let length = loop {
            let mut chunk = [0; 1024];
            let read = stream.read(&mut chunk)?;
            if read == 0 {
                return Err(ended().into());
            }
            answer.extend_from_slice(&chunk[..read]);
            if let Some(length) = (says.length)(&answer) {
                break length;
            }
        };
        if answer.len() != length {
            return Err("the first answer has another length than it says".into());
        }
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE)?;
        Ok(Self {
            stream,
            says,
            buffer: vec![0; length].into(),
            filled: 0,
        })
    }
}

impl Client for Connection {
    fn ask(&mut self) -> io::Result<()> {
        self.filled = 0;
        // There is nothing else in the socket's buffer, so there is room for all of it.
        self.stream.write_all(self.says.request)
    }

    fn hear(&mut self) -> io::Result<bool> {
        while self.filled < self.buffer.len() {
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err(ended()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // All of the answer is read, so nothing is left that the next edge could fail to report.
        if !self.buffer.starts_with(self.says.answer) {
            return Err(io::Error::new(ErrorKind::InvalidData, "an answer is wrong"));
        }
        Ok(true)
    }
}

/// The length of an answer, head and body, once enough of it is there.
fn answer_length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&answer[..head])
        .ok()?
        .to_ascii_lowercase();
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))?;
    let length = head + body.trim().parse::<usize>().ok()?;
    (answer.len() >= length).then_some(length)
}

pub(super) fn ended() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the server closed a connection")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_length_once_it_is_complete() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(answer_length(answer), Some(answer.len()));
        assert_eq!(answer_length(&answer[..answer.len() - 1]), None);
        assert_eq!(answer_length(&answer[..20]), None);
    }
}
