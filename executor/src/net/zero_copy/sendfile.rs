//! `sendfile`: from a file to a socket.
//!
//! ```text
//!   a piece that is in memory ──▶ sendfile ──────────────────────────────▶ socket      on the task's thread
//!   any other                 ──▶ read, on the blocking pool ──▶ buffer ──▶ socket
//! ```
//! `sendfile` waits for the disk, whatever the socket's mode is, and a worker must not. On the pool it would not hold one up, but go on after its future
//! was dropped, so that nobody would know what was sent. So the system is asked first whether the piece is in memory, see decision 035.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::SpliceWrite;
use super::sealed::Writes;
use super::system_calls;
use crate::task::coop::consume_budget;
use crate::task::spawn_blocking;
use crate::task_api::not_carried_out;

/// Sends the bytes `range` of a file to a socket, and returns how many that were.
///
/// What is in memory goes there without a detour through the program, by the system call of the same name, of Linux. Everything else is read on the blocking pool and
/// then written: files on a disk that is slow, of file systems that cannot tell what is in memory, and all on other systems.
///
/// `range.start` is moved on with each byte that was sent; so it says how far it came, whatever ends it. A file that ends before `range` does is no error: look
/// at what is left of the range. `0..u64::MAX` is the whole file.
///
/// The file's position plays no part. What was written to an [`fs::File`](crate::fs::File) is to be flushed first. If the file changes meanwhile, some of the old and some of the new
/// bytes are sent: those that wait in the socket are the file's own memory.
///
/// ```
/// # #[cfg(feature = "io")]
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// # let path = std::env::temp_dir().join(format!("executor-sendfile-{}", std::process::id()));
/// # executor::fs::write(&path, "hello, world").await?;
/// use executor::fs::File;
/// use executor::io::AsyncReadExt;
/// use executor::net::{self, UnixStream};
///
/// let (mut ours, mut theirs) = UnixStream::pair()?;
/// let mut range = 7..u64::MAX;
/// let sent = net::sendfile(&File::open(&path).await?, &mut range, &mut ours).await?;
/// assert_eq!((sent, range.start), (5, 12));
/// drop(ours);
///
/// let mut text = String::new();
/// theirs.read_to_string(&mut text).await?;
/// assert_eq!(text, "world");
/// # executor::fs::remove_file(&path).await
/// # }).unwrap();
/// ```
///
/// # Errors
///
/// What the system says about the file or the socket: [`BrokenPipe`](io::ErrorKind::BrokenPipe) or [`ConnectionReset`](io::ErrorKind::ConnectionReset) if the peer has
/// gone (no signal is raised). That the runtime has shut down.
///
/// # Cancel safety
///
/// Cancel safe: what was sent is not in `range` any more, and a later call with what is left of it goes on from there.
#[doc(alias = "sock_sendfile")]
#[doc(alias = "loop.sendfile")]
pub async fn sendfile<F, S>(file: &F, range: &mut Range<u64>, socket: &mut S) -> io::Result<u64>
where
    F: AsFd + ?Sized,
    S: SpliceWrite,
{
    // Nothing may be left to do.
    consume_budget().await;
    let start = range.start;
    let mut by_the_system = true;
    let mut pieces = None;
    while range.start < range.end {
        let (at, most) = (range.start, (range.end - range.start).min(PIECE));
        if by_the_system && system_calls::is_in_memory(file.as_fd(), at, most) {
            let send = |to| system_calls::sendfile(file.as_fd(), at, most, to);
            match poll_fn(|cx| socket.poll_write_op(cx, send)).await {
                Ok(sent) => range.start += sent as u64,
                Err(error) if system_calls::is_unsupported(&error) => {
                    by_the_system = false;
                    continue;
                }
                Err(error) => return Err(error),
            }
        } else {
            let pieces = match &mut pieces {
                Some(pieces) => pieces,
                none => none.insert(Pieces::new(file)?),
            };
            write_all(pieces.read(at, most).await?, range, &*socket).await?;
        }
        if range.start == at {
            // The file has no more.
            break;
        }
    }
    Ok(range.start - start)
}

/// Writes all of `piece`, which begins where the range does.
async fn write_all(mut piece: &[u8], range: &mut Range<u64>, to: &impl Writes) -> io::Result<()> {
    while !piece.is_empty() {
        let written = poll_fn(|cx| to.poll_write_plain(cx, piece)).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        range.start += written as u64;
        piece = &piece[written..];
    }
    Ok(())
}

/// Reads pieces of a file on the blocking pool.
struct Pieces {
    file: Arc<std::fs::File>,
    buffer: Vec<u8>,
}

impl Pieces {
    fn new(file: &(impl AsFd + ?Sized)) -> io::Result<Self> {
        // A read that nobody waits for any more needs a descriptor of its own.
        let file = file.as_fd().try_clone_to_owned()?;
        Ok(Self {
            file: Arc::new(file.into()),
            buffer: Vec::new(),
        })
    }

    /// Empty: the file has no more.
    async fn read(&mut self, at: u64, most: u64) -> io::Result<&[u8]> {
        let (file, mut buffer) = (self.file.clone(), std::mem::take(&mut self.buffer));
        let read = spawn_blocking(move || {
            buffer.resize(most as usize, 0);
            let n = loop {
                match file.read_at(&mut buffer, at) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    result => break result?,
                }
            };
            buffer.truncate(n);
            Ok(buffer)
        });
        let read: io::Result<_> = read.await.map_err(not_carried_out)?;
        self.buffer = read?;
        Ok(&self.buffer)
    }
}

/// How much is sent, or read, at once: as long as others on this worker wait, some 50 µs.
const PIECE: u64 = 256 << 10;
