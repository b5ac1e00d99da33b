//! Sends back what comes, over the streams of any runtime.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::ready;

use hyper::rt::{Read, ReadBuf, Write};

use super::Sockets;

/// A server that accepts for as long as its runtime lives, at a port that the system chooses.
pub(crate) async fn serve<R: Sockets>() -> io::Result<SocketAddr> {
    let mut listener = R::bind((Ipv4Addr::LOCALHOST, 0).into()).await?;
    let address = R::local_addr(&listener)?;
    R::spawn_detached(async move {
        loop {
            // The naive loop of so many servers: what cannot be accepted now is tried again.
            if let Ok(stream) = R::accept(&mut listener).await {
                R::spawn_detached(echo(stream));
            }
        }
    });
    Ok(address)
}

/// Until the peer ends the connection, in one way or another.
async fn echo(mut stream: impl Read + Write + Unpin) {
    let mut buffer = [0; 1024];
    while let Ok(read) = read(&mut stream, &mut buffer).await {
        if read == 0 || write_all(&mut stream, &buffer[..read]).await.is_err() {
            break;
        }
    }
}

/// Sends `message`, and returns when as many bytes have come back.
pub(crate) async fn round_trip(
    stream: &mut (impl Read + Write + Unpin),
    message: &[u8],
) -> io::Result<()> {
    write_all(stream, message).await?;
    let mut answer = vec![0; message.len()];
    let mut filled = 0;
    while filled < answer.len() {
        match read(stream, &mut answer[filled..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    assert_eq!(answer, message, "an echo has other bytes");
    Ok(())
}

async fn read(stream: &mut (impl Read + Unpin), buffer: &mut [u8]) -> io::Result<usize> {
    poll_fn(|cx| {
        let mut buffer = ReadBuf::new(&mut *buffer);
        ready!(Pin::new(&mut *stream).poll_read(cx, buffer.unfilled()))?;
        Ok(buffer.filled().len()).into()
    })
    .await
}

async fn write_all(stream: &mut (impl Write + Unpin), mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, bytes)).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}
