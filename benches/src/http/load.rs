//! The load: one thread, one epoll, each connection sends its next request when it has the answer to the last.
//!
//! It uses neither of the runtimes. All answers are equally long, so only the first is parsed.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde_json::json;

use crate::Result;
use crate::cli::Options;
use crate::stats::quantile;

/// Loads the server at `--port` for `--seconds` and prints what came of it as a line of JSON.
pub(crate) fn load_child(options: &Options) -> Result {
    let address = (Ipv4Addr::LOCALHOST, options.port).into();
    let [connections] = options.connections[..] else {
        return Err("a load has one number of connections".into());
    };
    let mut latencies = load(address, connections, options.length)?;
    latencies.sort_by(f64::total_cmp);
    let line = json!({
        "requests": latencies.len(),
        "requests_per_second": latencies.len() as f64 / options.length.as_secs_f64(),
        "p50_us": quantile(&latencies, 0.5),
        "p99_us": quantile(&latencies, 0.99),
    });
    println!("{line}");
    Ok(())
}

/// The latencies of all requests, in microseconds.
fn load(address: SocketAddr, connections: usize, length: Duration) -> Result<Vec<f64>> {
    let mut poll = Poll::new()?;
    let mut open = Vec::with_capacity(connections);
    for token in 0..connections {
        let mut connection = Connection::open(address)?;
        poll.registry()
            .register(&mut connection.stream, Token(token), Interest::READABLE)?;
        open.push(connection);
    }
    let mut events = Events::with_capacity(connections);
    let mut latencies = Vec::with_capacity(1 << 20);
    let end = Instant::now() + length;
    for connection in &mut open {
        connection.request()?;
    }
    loop {
        poll.poll(&mut events, Some(SILENCE))?;
        if events.is_empty() {
            return Err(format!("the server did not answer for {SILENCE:?}").into());
        }
        for event in &events {
            let connection = &mut open[event.token().0];
            if let Some(latency) = connection.read()? {
                latencies.push(latency.as_nanos() as f64 / 1000.0);
                connection.request()?;
            }
        }
        if Instant::now() >= end {
            return Ok(latencies);
        }
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Box<[u8]>,
    /// How much of the answer is in the buffer.
    filled: usize,
    sent: Instant,
}

impl Connection {
    /// Connects, and exchanges one request to learn how long the answers are.
    fn open(address: SocketAddr) -> Result<Self> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.write_all(REQUEST)?;
        let mut answer = Vec::new();
        let length = loop {
            let mut chunk = [0; 1024];
            let read = stream.read(&mut chunk)?;
            if read == 0 {
                return Err(ended().into());
            }
            answer.extend_from_slice(&chunk[..read]);
            if let Some(length) = answer_length(&answer) {
                break length;
            }
        };
        if answer.len() != length {
            return Err("the first answer has another length than it says".into());
        }
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream: TcpStream::from_std(stream),
            buffer: vec![0; length].into(),
            filled: 0,
            sent: Instant::now(),
        })
    }

    fn request(&mut self) -> io::Result<()> {
        self.filled = 0;
        self.sent = Instant::now();
        // There is nothing else in the socket's buffer, so there is room for all of it.
        self.stream.write_all(REQUEST)
    }

    /// Reads what is there. The latency, when that completes the answer.
    fn read(&mut self) -> io::Result<Option<Duration>> {
        while self.filled < self.buffer.len() {
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Err(ended()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // All of the answer is read, so nothing is left that the next edge could fail to report.
        if !self.buffer.starts_with(b"HTTP/1.1 200 ") {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "not every answer was a 200",
            ));
        }
        Ok(Some(self.sent.elapsed()))
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

fn ended() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the server closed a connection")
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const SILENCE: Duration = Duration::from_secs(10);

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
