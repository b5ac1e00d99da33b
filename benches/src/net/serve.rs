//! The servers by hand, generic over the runtime.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Socket, Type};

use super::conversation::{Conversation, Protocol};
use super::wire::Wire;
use crate::Result;
use crate::cli::Options;
use crate::process::{answer_usage, more_descriptors};

/// Serves streams at `--port` on `--workers` threads: prints the port, and answers for its usage until the standard input ends.
pub(super) fn streams<W: Wire, const ROOM: usize>(options: &Options, protocol: Protocol) -> Result {
    let (listener, port) = listener(options.port)?;
    W::start(options.workers, async move {
        let mut listener = W::listen(listener).expect("a new listener can be watched");
        loop {
            match W::accept(&mut listener).await {
                Ok(stream) => W::spawn(async move {
                    // The load ends by closing its connections.
                    let _ = serve::<W, ROOM>(stream, protocol).await;
                }),
                Err(error) => eprintln!("accept: {error}"),
            }
        }
    })?;
    println!("{port}");
    answer_usage()?;
    std::process::exit(0);
}

async fn serve<W: Wire, const ROOM: usize>(
    mut stream: W::Stream,
    protocol: Protocol,
) -> io::Result<()> {
    let mut conversation = Conversation::<ROOM>::new(protocol);
    loop {
        let read = W::read(&mut stream, conversation.room()?).await?;
        if read == 0 {
            return Ok(());
        }
        let answer = conversation.answer(read);
        if !answer.is_empty() {
            W::write_all(&mut stream, answer).await?;
        }
    }
}

/// Sends datagrams back, from one task. As `streams`.
pub(super) fn datagrams<W: Wire>(options: &Options) -> Result {
    let socket = socket(options.port)?;
    let port = socket.local_addr()?.port();
    W::start(options.workers, async move {
        let socket = W::bound(socket).expect("a new socket can be watched");
        let mut buffer = [0; ROOM];
        loop {
            let (read, from) = W::receive(&socket, &mut buffer)
                .await
                .expect("nobody is told when a peer of a socket without one is gone");
            // One that is lost is sent again.
            let _ = W::send(&socket, &buffer[..read], from).await;
        }
    })?;
    println!("{port}");
    answer_usage()?;
    std::process::exit(0);
}

/// A socket in non-blocking mode.
pub(super) fn socket(port: u16) -> Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// A listener in non-blocking mode, the same for everyone, with a queue for all connections of a load; and its port.
pub(super) fn listener(port: u16) -> Result<(TcpListener, u16)> {
    more_descriptors()?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(QUEUE)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from(socket);
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// For each connection: more than a request, as in a server that does not know how long they are.
pub(super) const ROOM: usize = 1024;
/// Where nothing but a short message comes.
pub(super) const SMALL_ROOM: usize = 64;
/// The system may allow less.
const QUEUE: i32 = 4096;
