//! `Sender`: the end of a pipe that is written.

use std::fs::File;
use std::io::{self, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::descriptor::{End, adopt, set_nonblocking};
use crate::driver::{Direction, Interest};
use crate::net::stream::{ByteStream, Carrier, async_write, ready_method, writing_methods};

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
    /// Takes over a pipe that was opened elsewhere, and puts it into non-blocking mode.
    ///
    /// Whoever shares what was opened, such as another process, finds it in non-blocking mode too.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if this is not a pipe, or not open for writing; what the system says;
    /// that the runtime has shut down. The file is closed then.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    pub fn from_file(file: File) -> io::Result<Self> {
        Self::register(adopt(file, End::Sender)?.into())
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

    /// As [`from_file`](Self::from_file), without a look at the file: it must be a pipe, open for writing and in non-blocking
    /// mode. Otherwise writing may fail, or block the thread.
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

    /// Runs `f`, a system call of your own on this pipe, if it is known to be writable.
    ///
    /// If `f` answers `WouldBlock`, the readiness is forgotten, so it must say so only if the system did. Do not use the
    /// methods of this type in it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not writable (`f` was not called), or what `f` says; that the runtime has shut down.
    pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.bytes.source().try_io(Direction::Write, |_| f())
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
    pub(super) fn register(fd: PipeWriter) -> io::Result<Self> {
        let bytes = ByteStream::new(fd, Interest::WRITABLE, &[Direction::Write])?;
        Ok(Self { bytes })
    }
}

ready_method!(Sender);
writing_methods!(Sender);
async_write!(Sender);

impl Carrier for Sender {
    type Fd = PipeWriter;

    fn bytes(&self) -> &ByteStream<PipeWriter> {
        &self.bytes
    }
}

impl AsFd for Sender {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bytes.get_ref().as_fd()
    }
}

impl AsRawFd for Sender {
    fn as_raw_fd(&self) -> RawFd {
        self.bytes.get_ref().as_raw_fd()
    }
}
