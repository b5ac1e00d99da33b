//! `splice`: from socket to socket, by a pipe that the bytes go through without being copied.
//!
//! ```text
//!   from ──splice──▶ pipe ──splice──▶ to
//! ```
//! The pipe is filled only when it is empty. Thus "later" has one meaning in each direction: that nothing has come, or that there is no room at the other end.

use std::future::poll_fn;
use std::io::{self, PipeReader, Read};
use std::os::fd::AsRawFd;

use futures::future::try_join;

use super::sealed::{Reads, Writes};
use super::system_calls;
use super::{SpliceRead, SpliceWrite};

/// Copies from one socket to another until the first one ends, and returns how many bytes that were.
///
/// As `io::copy`, but on Linux the bytes stay in the system: it moves them through a pipe, which takes two descriptors. Where that cannot be, for want of
/// descriptors, say, they go through a buffer.
///
/// The end of `from` is not passed on: `to` stays open.
///
/// # Errors
///
/// What the system says about either socket: [`BrokenPipe`](io::ErrorKind::BrokenPipe) if nobody reads what is written (no signal is raised). That the runtime has shut down.
///
/// # Cancel safety
///
/// Not cancel safe: up to 64 KiB that were read and not written yet are lost, and how much was copied is not told.
pub async fn splice<R, W>(from: &mut R, to: &mut W) -> io::Result<u64>
where
    R: SpliceRead,
    W: SpliceWrite,
{
    copy(from, to).await
}

/// Copies between two sockets in both directions until both have ended, and returns how many bytes went from `a` to `b`, and from `b` to `a`. The heart of
/// a proxy.
///
/// The end of one is passed on to the other, whose writing direction is shut down. The bytes are moved as by [`splice`], with a pipe for each direction.
///
/// ```
/// # #[cfg(feature = "io")]
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::io::{AsyncReadExt, AsyncWriteExt};
/// use executor::net::{self, UnixStream};
///
/// let (mut client, mut inbound) = UnixStream::pair()?;
/// let (mut outbound, mut server) = UnixStream::pair()?;
/// let proxy = executor::spawn(async move {
///     net::splice_bidirectional(&mut inbound, &mut outbound).await
/// });
///
/// client.write_all(b"hello").await?;
/// client.shutdown().await?;
/// let mut request = String::new();
/// server.read_to_string(&mut request).await?;
/// assert_eq!(request, "hello");
/// drop(server);
/// assert_eq!(proxy.await??, (5, 0));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
///
/// # Errors
///
/// As [`splice`]. The other direction is given up then.
///
/// # Cancel safety
///
/// As [`splice`], in each direction.
#[doc(alias = "copy_bidirectional")]
pub async fn splice_bidirectional<A, B>(a: &mut A, b: &mut B) -> io::Result<(u64, u64)>
where
    A: SpliceRead + SpliceWrite,
    B: SpliceRead + SpliceWrite,
{
    let (a, b) = (&*a, &*b);
    try_join(copy_and_end(a, b), copy_and_end(b, a)).await
}

async fn copy_and_end(from: &impl Reads, to: &impl Writes) -> io::Result<u64> {
    let copied = copy(from, to).await?;
    to.end()?;
    Ok(copied)
}

async fn copy(from: &impl Reads, to: &impl Writes) -> io::Result<u64> {
    // More room than a pipe has at first is scarce: a user who has too much of it in all gets pipes of two pages.
    let Ok((outlet, inlet)) = io::pipe() else {
        return copy_by_buffer(from, to).await;
    };
    let mut copied = 0;
    loop {
        let fill = |from| system_calls::splice(from, inlet.as_raw_fd(), MOST);
        let filled = match poll_fn(|cx| from.poll_read_op(cx, fill)).await {
            Ok(0) => return Ok(copied),
            Ok(filled) => filled,
            Err(error) if system_calls::is_unsupported(&error) => {
                return Ok(copied + copy_by_buffer(from, to).await?);
            }
            Err(error) => return Err(error),
        };
        copied += filled as u64;
        if !empty(&outlet, filled, to).await? {
            return Ok(copied + copy_by_buffer(from, to).await?);
        }
    }
}

/// Moves what is in the pipe to its goal. False: it has got there, but not by `splice`, which the system refuses.
async fn empty(outlet: &PipeReader, mut left: usize, to: &impl Writes) -> io::Result<bool> {
    while left > 0 {
        let drain = |to| system_calls::splice(outlet.as_raw_fd(), to, left);
        match poll_fn(|cx| to.poll_write_op(cx, drain)).await {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => left -= written,
            Err(error) if system_calls::is_unsupported(&error) => {
                let mut rest = vec![0; left];
                // It is there, so this does not block.
                (&*outlet).read_exact(&mut rest)?;
                write_all(&rest, to).await?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

async fn copy_by_buffer(from: &impl Reads, to: &impl Writes) -> io::Result<u64> {
    let mut buffer = vec![0; MOST];
    let mut copied = 0;
    loop {
        let read = poll_fn(|cx| from.poll_read_plain(cx, &mut buffer)).await?;
        if read == 0 {
            return Ok(copied);
        }
        write_all(&buffer[..read], to).await?;
        copied += read as u64;
    }
}

async fn write_all(mut bytes: &[u8], to: &impl Writes) -> io::Result<()> {
    while !bytes.is_empty() {
        match poll_fn(|cx| to.poll_write_plain(cx, bytes)).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes = &bytes[written..],
        }
    }
    Ok(())
}

/// As much as a pipe takes on most systems.
const MOST: usize = 64 << 10;
