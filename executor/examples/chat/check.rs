//! Clients that talk to each other, one of which does not read.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use executor::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use executor::net::TcpStream;

pub(crate) async fn check(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let mut sleeper = Client::connect(address).await?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::connect(address).await?);
    }

    // Everybody says something, and everybody else hears it.
    for speaker in 0..CLIENTS {
        let line = format!("hello from {speaker}\n");
        clients[speaker].stream.write_all(line.as_bytes()).await?;
        for listener in (0..CLIENTS).filter(|listener| *listener != speaker) {
            let heard = clients[listener].line().await?;
            assert!(heard.ends_with(&line), "{heard} instead of {line}");
        }
    }
    println!("{CLIENTS} clients have heard each other");

    // One speaks so much that the sleeper's socket and queue are full for most of the time, and the others hear all of it.
    let long = format!("{}\n", "x".repeat(60_000));
    for _ in 0..LINES {
        clients[0].stream.write_all(long.as_bytes()).await?;
        for listener in &mut clients[1..] {
            let heard = listener.line().await?;
            assert!(heard.ends_with(&long), "a line was cut");
        }
    }
    println!("{LINES} long lines have passed one who does not read");

    // SAFETY: the call uses no memory of ours, and the process catches the signal.
    assert_eq!(unsafe { libc::kill(libc::getpid(), libc::SIGINT) }, 0);
    for client in &mut clients {
        assert_eq!(client.line().await?, "* the chat ends\n");
        assert_eq!(client.line().await?, "");
    }
    let mut heard = 0;
    let mut line = sleeper.line().await?;
    while line != "* the chat ends\n" {
        heard += usize::from(line.ends_with(&long));
        line = sleeper.line().await?;
        assert_ne!(line, "", "the sleeper was cut off");
    }
    println!("who did not read found {heard} of them when it did");
    assert!(heard < LINES, "the queue had no bound");
    Ok(())
}

struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Is in the room when this returns.
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = BufReader::new(TcpStream::connect(address).await?);
        let mut client = Self { stream };
        assert_eq!(client.line().await?, "* welcome\n");
        Ok(client)
    }

    /// The next line, or nothing at the end.
    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line).await?;
        Ok(line)
    }
}

const CLIENTS: usize = 6;
/// More than the system buffers for a socket, and the queue.
const LINES: usize = 1000;
