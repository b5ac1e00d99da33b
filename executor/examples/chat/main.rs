//! A chat: every line that a client sends goes to all others.
//!
//! ```text
//! cargo run -p executor-rt --example chat -- 127.0.0.1:7000     and then, several times: nc 127.0.0.1 7000
//! cargo run -p executor-rt --example chat -- check              some clients of its own talk to each other
//!
//!   client ──▶ reader ──line──▶ Room ──┬─▶ queue ──▶ writer ──▶ client
//!                                      └─▶ queue ──▶ writer ──▶ client
//! ```
//!
//! Nobody waits for a slow reader: each client has a queue of its own, and what finds it full is dropped for that client alone, which
//! is told how many lines it missed. A client that takes nothing at all for a while is disconnected. So memory is bounded: queue
//! length times the longest line, for each client.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use executor::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
};
use executor::net::{TcpListener, TcpStream};
use executor::signal::ctrl_c;
use executor::time::timeout;
use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::{Either, select};

mod check;

#[executor::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = std::env::args().nth(1);
    let checking = argument.as_deref() == Some("check");
    let address = argument.filter(|_| !checking);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:0")).await?;
    let address = listener.local_addr()?;
    println!("chatting on {address}, until Ctrl-C");
    let server = executor::spawn(run(listener));
    if checking {
        check::check(address).await?;
    }
    server.await??;
    println!("everybody has been sent home");
    Ok(())
}

/// Serves until SIGINT. Then nobody gets in any more, and everybody gets what is still queued, and leaves.
async fn run(listener: TcpListener) -> io::Result<()> {
    let room = Arc::new(Room::default());
    // Nothing is ever sent: each client's task has a sender, so the channel ends with the last of them.
    let (present, mut all_gone) = mpsc::channel::<Infallible>(0);
    match select(
        pin!(ctrl_c()),
        pin!(accept(listener, room.clone(), present)),
    )
    .await
    {
        Either::Left((signal, _)) => signal?,
        Either::Right((never, _)) => match never {},
    }
    room.close();
    if timeout(GRACE, all_gone.next()).await.is_err() {
        println!("some clients did not read to the end");
    }
    Ok(())
}

async fn accept(
    listener: TcpListener,
    room: Arc<Room>,
    present: mpsc::Sender<Infallible>,
) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let (room, present) = (room.clone(), present.clone());
                executor::spawn(async move {
                    if let Err(error) = talk(stream, address, &room).await {
                        println!("{address}: {error}");
                    }
                    room.leave(address);
                    drop(present);
                });
            }
            // Too many open files, for example: then the next call waits a moment.
            Err(error) => eprintln!("accept: {error}"),
        }
    }
}

/// A client, from its arrival until it hangs up or the room closes.
async fn talk(mut stream: TcpStream, address: SocketAddr, room: &Room) -> io::Result<()> {
    let Some(lines) = room.join(address) else {
        return Ok(());
    };
    let (reader, writer) = stream.split();
    // The first of the two to end ends the other: the client has hung up, or there is nothing more to tell it.
    match select(
        pin!(listen(reader, address, room)),
        pin!(tell(writer, lines)),
    )
    .await
    {
        Either::Left((result, _)) | Either::Right((result, _)) => result,
    }
}

/// Hands the client's lines to the room.
async fn listen(
    reader: impl AsyncRead + Unpin,
    address: SocketAddr,
    room: &Room,
) -> io::Result<()> {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    loop {
        line.clear();
        // Without a limit a client that never ends its line would take all memory.
        let length = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await?;
        if length == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its line is too long, or has no end",
            ));
        }
        room.say(address, &line);
    }
}

/// Sends the client what others say, until the room closes.
async fn tell(
    mut writer: impl AsyncWrite + Unpin,
    mut lines: mpsc::Receiver<Line>,
) -> io::Result<()> {
    while let Some(line) = lines.next().await {
        timeout(PATIENCE, writer.write_all(&line)).await??;
    }
    writer.write_all(b"* the chat ends\n").await?;
    writer.shutdown().await
}

/// Shared by all queues that it is in.
type Line = Arc<[u8]>;

/// Who is here. `None` once it is closed.
struct Room(Mutex<Option<HashMap<SocketAddr, Guest>>>);

struct Guest {
    queue: mpsc::Sender<Line>,
    /// How many lines were dropped since the last that was queued.
    missed: usize,
}

impl Room {
    /// The lines for a new client. `None` if the room is closed.
    fn join(&self, address: SocketAddr) -> Option<mpsc::Receiver<Line>> {
        let (queue, lines) = mpsc::channel(QUEUE);
        let mut guest = Guest { queue, missed: 0 };
        guest.offer(&Arc::from(*b"* welcome\n"));
        self.guests().as_mut()?.insert(address, guest);
        Some(lines)
    }

    fn leave(&self, address: SocketAddr) {
        if let Some(guests) = &mut *self.guests() {
            guests.remove(&address);
        }
    }

    /// Queues a line for everybody else. Never waits.
    fn say(&self, from: SocketAddr, line: &[u8]) {
        let line = [format!("{from}: ").as_bytes(), line].concat().into();
        for (address, guest) in self.guests().iter_mut().flatten() {
            if *address != from {
                guest.offer(&line);
            }
        }
    }

    /// Ends all queues: what is in them is still delivered.
    fn close(&self) {
        *self.guests() = None;
    }

    /// Nothing panics under this lock; and if it did, the guests would still be good.
    fn guests(&self) -> MutexGuard<'_, Option<HashMap<SocketAddr, Guest>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Room {
    fn default() -> Self {
        Self(Mutex::new(Some(HashMap::new())))
    }
}

impl Guest {
    fn offer(&mut self, line: &Line) {
        if self.missed > 0 {
            let notice = format!("* you missed {} lines\n", self.missed);
            if self.queue.try_send(notice.into_bytes().into()).is_ok() {
                self.missed = 0;
            }
        }
        // A queue whose client is just leaving counts as full.
        if self.missed > 0 || self.queue.try_send(line.clone()).is_err() {
            self.missed += 1;
        }
    }
}

/// How many lines may wait for a slow reader.
const QUEUE: usize = 64;

/// In bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// How long a client may take for a line.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long clients may take for what is queued when the room closes.
const GRACE: Duration = Duration::from_secs(10);
