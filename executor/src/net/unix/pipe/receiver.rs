//! `Receiver`: the end of a pipe that is read.

use std::fs::File;
use std::io::{self, PipeReader};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::descriptor::{End, adopt, set_nonblocking};
use crate::driver::{Direction, Interest};
use crate::net::stream::{ByteStream, Carrier, async_read, reading_methods, ready_method};

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
    /// Takes over a pipe that was opened elsewhere, and puts it into non-blocking mode.
    ///
    /// Whoever shares what was opened, such as another process, finds it in non-blocking mode too.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if this is not a pipe, or not open for reading; what the system says;
    /// that the runtime has shut down. The file is closed then.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn from_file(file: File) -> io::Result<Self> {
        Self::register(adopt(file, End::Receiver)?.into())
    }

    /// As [`from_file`](Self::from_file), of a descriptor.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file).
    ///
    /// # Panics
    ///
    /// As [`from_file`](Self::from_file).
    pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<Self> {
        Self::from_file(owned_fd.into())
    }

    /// As [`from_file`](Self::from_file), without a look at the file: it must be a pipe, open for reading and in non-blocking
    /// mode. Otherwise reading may fail, or block the thread.
    ///
    /// # Errors
    ///
    /// What the system says when it refuses to watch the file; that the runtime has shut down.
    ///
    /// # Panics
    ///
    /// As [`from_file`](Self::from_file).
    pub fn from_file_unchecked(file: File) -> io::Result<Self> {
        Self::from_owned_fd_unchecked(file.into())
    }

    /// As [`from_file_unchecked`](Self::from_file_unchecked), of a descriptor.
    ///
    /// # Errors
    ///
    /// As [`from_file_unchecked`](Self::from_file_unchecked).
    ///
    /// # Panics
    ///
    /// As [`from_file`](Self::from_file).
    pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<Self> {
        Self::register(owned_fd.into())
    }

    /// Runs `f`, a system call of your own on this pipe, if it is known to be readable.
    ///
    /// If `f` answers `WouldBlock`, the readiness is forgotten, so it must say so only if the system did. Do not use the
    /// methods of this type in it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not readable (`f` was not called), or what `f` says; that the runtime has shut down.
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.bytes.source().try_io(Direction::Read, |_| f())
    }

    /// Gives the descriptor back, in blocking mode: what a child process expects.
    ///
    /// # Errors
    ///
    /// What the system says. The pipe is closed then.
    pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
        let fd = self.into_nonblocking_fd()?;
        set_nonblocking(&fd, false)?;
        Ok(fd)
    }

    /// Gives the descriptor back, in non-blocking mode.
    ///
    /// # Errors
    ///
    /// None at present.
    pub fn into_nonblocking_fd(self) -> io::Result<OwnedFd> {
        Ok(self.bytes.into_inner().into())
    }

    /// Watches an end that is in non-blocking mode, in the current runtime.
    pub(super) fn register(fd: PipeReader) -> io::Result<Self> {
        // Not read before an event: of a FIFO that no writer has opened yet, that would be the end of the data.
        let bytes = ByteStream::new(fd, Interest::READABLE, &[])?;
        Ok(Self { bytes })
    }
}

ready_method!(Receiver);
reading_methods!(Receiver);
async_read!(Receiver);

impl Carrier for Receiver {
    type Fd = PipeReader;

    fn bytes(&self) -> &ByteStream<PipeReader> {
        &self.bytes
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bytes.get_ref().as_fd()
    }
}

impl AsRawFd for Receiver {
    fn as_raw_fd(&self) -> RawFd {
        self.bytes.get_ref().as_raw_fd()
    }
}
