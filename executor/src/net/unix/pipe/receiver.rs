//! `Receiver`: the end of a pipe that is read.

use std::io::{self, PipeReader};

use super::end::pipe_end;
use crate::driver::Interest;
use crate::net::stream::{ByteStream, async_read, reading_methods, ready_method};

/// The end of a pipe that is read.
///
/// Made by [`pipe`](super::pipe) or [`OpenOptions::open_receiver`](super::OpenOptions::open_receiver). It is read through the
/// I/O traits, or with [`readable`](Self::readable) and [`try_read`](Self::try_read).
///
/// The data ends when every writer is gone. With a FIFO they may come back: reading the end again and again, without waiting,
/// until then would keep a processor busy, so open the FIFO anew, or for writing as well
/// ([`OpenOptions::read_write`](super::OpenOptions::read_write)), which makes the reader a writer that does not go.
/// The reader of a FIFO waits for the first writer to come.
#[derive(Debug)]
pub struct Receiver {
    bytes: ByteStream<PipeReader>,
}

impl Receiver {
    /// Watches an end that is in non-blocking mode, in the current runtime.
    pub(super) fn register(fd: PipeReader) -> io::Result<Self> {
        // Not read before an event: of a FIFO that no writer has opened yet, that would be the end of the data.
        let bytes = ByteStream::new(fd, Interest::READABLE, &[])?;
        Ok(Self { bytes })
    }
}

pipe_end!(Receiver, PipeReader, Read, "reading", "readable");
ready_method!(Receiver);
reading_methods!(Receiver);
async_read!(Receiver);
