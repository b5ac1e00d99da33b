//! E23 of the articles on asyncio: a chat server. Every line that a client sends goes to all others.
//!
//! ```text
//! cargo run -p executor-rt --example seed_e23_chat     and then, several times: nc 127.0.0.1 8888
//!
//!   client ──▶ listen ──line──▶ Room ──┬─▶ queue ──▶ tell ──▶ client
//!                                      └─▶ queue ──▶ tell ──▶ client
//! ```
//!
//! In the article the handler of who speaks writes to everybody, and of that five things come. The list of clients changes while it is iterated over,
//! so some are left out; a client that does not read holds up all others; the error of one client ends the handler of another; who leaves by
//! an error stays in the list; and everyone hears their own words. Here each client has a queue and a task, and its task alone writes to it.
//!
//! The first argument is another address, the second another patience, in milliseconds.

use std::env;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use executor::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
};
use executor::net::{TcpListener, TcpStream, serve};
use executor::signal::ctrl_c;
use executor::time::timeout;

use room::{Guest, Lines, Room};

mod room;

async fn handle_client(mut stream: TcpStream, room: Arc<Room>, patience: Duration) {
    // Whatever ends this function, the guest leaves the room.
    let Some((guest, lines)) = room.enter() else {
        return;
    };
    let (reader, writer) = stream.split();
    // The first of the two to end ends the other: the client has hung up, or there is nothing more to tell it.
    let end = executor::select! {
        end = listen(reader, &guest) => end,
        end = tell(writer, lines, patience) => end,
    };
    if let Err(error) = end {
        println!("guest {}: {error}", guest.number());
    }
}

/// Hands the client's lines to the room, until it hangs up.
async fn listen(reader: impl AsyncRead + Unpin, guest: &Guest) -> io::Result<()> {
    // There may be very many clients, and few lines are longer.
    let mut reader = BufReader::with_capacity(1024, reader);
    let mut line = Vec::new();
    loop {
        line.clear();
        // Without a limit a client that never ends its line would take all memory.
        let mut limited = (&mut reader).take(LONGEST_LINE);
        if limited.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its line is too long, or has no end",
            ));
        }
        guest.say(&line);
        // Lines that have come together are no operation each: without this the others would not get to run in between, and would miss some.
        executor::task::coop::consume_budget().await;
    }
}

/// Sends the client what others say, until the room closes, or the client takes nothing for too long.
async fn tell(
    mut writer: impl AsyncWrite + Unpin,
    mut lines: Lines,
    patience: Duration,
) -> io::Result<()> {
    while let Some(line) = lines.recv().await {
        timeout(patience, writer.write_all(&line)).await??;
    }
    writer.write_all(b"* the chat ends\n").await?;
    writer.shutdown().await
}

#[executor::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1);
    let patience = env::args().nth(2).map(|ms| ms.parse()).transpose()?;
    let patience = patience.map_or(PATIENCE, Duration::from_millis);

    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:8888")).await?;
    println!("chatting on {}, until Ctrl-C", listener.local_addr()?);
    let room = Arc::new(Room::default());
    let clients = room.clone();
    let server = serve(listener, move |stream, _address| {
        handle_client(stream, clients.clone(), patience)
    });

    ctrl_c().await?;
    // Nobody gets in any more; everybody gets what is still queued, and leaves.
    room.close();
    println!("{}", server.shutdown(GRACE).await);
    Ok(())
}

/// In bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// How long a client may take for a line.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long clients may take for what is queued when the chat ends.
const GRACE: Duration = Duration::from_secs(10);
