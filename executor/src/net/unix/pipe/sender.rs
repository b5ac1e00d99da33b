//! `Sender`: the end of a pipe that is written.

use std::io::{self, PipeWriter};

use super::end::pipe_end;
use crate::driver::{Direction, Interest};
use crate::net::stream::{ByteStream, async_write, ready_method, writing_methods};

/// The end of a pipe that is written.
///
/// Made by [`pipe`](super::pipe) or [`OpenOptions::open_sender`](super::OpenOptions::open_sender). It is written through the
/// I/O traits, or with [`writable`](Self::writable) and [`try_write`](Self::try_write).
///
/// Nothing is buffered here, so `flush` returns at once. `shutdown` and `close` do nothing: the reader sees the end of the
/// data when this is dropped, and every other writer is gone. If nobody reads the pipe any more, writing is an error
/// ([`BrokenPipe`](io::ErrorKind::BrokenPipe)); it raises no SIGPIPE, whatever the program does with that signal.
#[derive(Debug)]
pub struct Sender {
    bytes: ByteStream<PipeWriter>,
}

impl Sender {
    /// Watches an end that is in non-blocking mode, in the current runtime.
    pub(super) fn register(fd: PipeWriter) -> io::Result<Self> {
        let bytes = ByteStream::new(fd, Interest::WRITABLE, &[Direction::Write])?;
        Ok(Self { bytes })
    }
}

pipe_end!(Sender, PipeWriter, Write, "writing", "writable");
ready_method!(Sender);
writing_methods!(Sender);
async_write!(Sender);
