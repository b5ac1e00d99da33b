//! A small HTTP client: one connection, one request at a time.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use executor::net::TcpStream;
use futures::{AsyncReadExt, AsyncWriteExt};

pub(crate) struct Client {
    stream: TcpStream,
    /// What was read and not used yet.
    buffer: Vec<u8>,
}

/// An answer that has arrived completely.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends a request, or a part of one.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Waits for the next answer.
    pub(crate) async fn answer(&mut self) -> io::Result<Answer> {
        loop {
            if let Some((answer, length)) = parse(&self.buffer)? {
                self.buffer.drain(..length);
                return Ok(answer);
            }
            if self.read().await? == 0 {
                return Err(io::Error::new(
                    ErrorKind::UnexpectedEof,
                    "the server closed the connection before the answer was complete",
                ));
            }
        }
    }

    /// Waits until the server closes the connection, which it must do without sending more.
    pub(crate) async fn closed(&mut self) -> io::Result<()> {
        match self.read().await? {
            0 if self.buffer.is_empty() => Ok(()),
            _ => Err(io::Error::new(
                ErrorKind::InvalidData,
                "the server sent something that nobody asked for",
            )),
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 4096];
        let read = self.stream.read(&mut chunk).await?;
        self.buffer.extend_from_slice(&chunk[..read]);
        Ok(read)
    }
}

/// The answer at the start of the buffer and its length, once all of it is there.
fn parse(buffer: &[u8]) -> io::Result<Option<(Answer, usize)>> {
    let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let Some((status, length)) = str::from_utf8(&buffer[..end]).ok().and_then(head) else {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "the answer is not HTTP/1.1",
        ));
    };
    let body = buffer[end + 4..].get(..length);
    Ok(body.map(|body| {
        let body = body.to_vec();
        (Answer { status, body }, end + 4 + length)
    }))
}

/// The status, and the length of the body.
fn head(head: &str) -> Option<(u16, usize)> {
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length = length.map_or(Ok(0), |length| length.trim().parse());
    Some((status.parse().ok()?, length.ok()?))
}
