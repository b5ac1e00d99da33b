//! The system calls of a pipe's ends, and the checks of what a descriptor is.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, PipeReader, PipeWriter, Read, Write};
#[cfg(any(feature = "io", feature = "hyper"))]
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;

use crate::net::no_signal::without_sigpipe;
use crate::net::stream::{ReadFd, WriteFd};

impl ReadFd for PipeReader {
    // A pipe in packet mode (`O_DIRECT`) gives one packet to each read.
    const SHORT_READ_IS_LAST: bool = false;

    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut &*self, buf)
    }

    #[cfg(any(feature = "io", feature = "hyper"))]
    fn read_uninit(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        // The system refuses more.
        let room = buf.len().min(isize::MAX as usize);
        // SAFETY: the descriptor is open as long as `self` lives, and the pointer is good for writing `room` bytes.
        let n = unsafe { libc::read(self.as_raw_fd(), buf.as_mut_ptr().cast(), room) };
        // Negative: the call has failed.
        usize::try_from(n).map_err(|_| io::Error::last_os_error())
    }

    fn read_slices(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        Read::read_vectored(&mut &*self, bufs)
    }
}

impl WriteFd for PipeWriter {
    fn write(&self, buf: &[u8]) -> io::Result<usize> {
        without_sigpipe(|| Write::write(&mut &*self, buf))
    }

    fn write_slices(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        without_sigpipe(|| Write::write_vectored(&mut &*self, bufs))
    }

    /// Nothing: the reader sees the end when the last writer has closed the pipe.
    fn shut_down(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What a pipe's end is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Sender,
    Receiver,
}

/// Refuses what is no pipe. An operation on a plain file never answers "later", and would block the thread instead.
pub(super) fn check_pipe(file: &File) -> io::Result<()> {
    if file.metadata()?.file_type().is_fifo() {
        Ok(())
    } else {
        Err(invalid(
            "this is not a pipe: open a FIFO, or pass one end of a pipe",
        ))
    }
}

/// Checks that a descriptor from elsewhere is an end of a pipe that can do this, and puts it into non-blocking mode.
pub(super) fn adopt(file: File, end: End) -> io::Result<OwnedFd> {
    check_pipe(&file)?;
    let mode = status_flags(&file)? & libc::O_ACCMODE;
    let (wanted, error) = match end {
        End::Sender => (
            libc::O_WRONLY,
            "this end of the pipe cannot be written: open it for writing",
        ),
        End::Receiver => (
            libc::O_RDONLY,
            "this end of the pipe cannot be read: open it for reading",
        ),
    };
    if mode != wanted && mode != libc::O_RDWR {
        return Err(invalid(error));
    }
    set_nonblocking(&file, true)?;
    Ok(file.into())
}

/// The mode belongs to what was opened: whoever has a duplicate of the descriptor shares it.
pub(super) fn set_nonblocking(fd: &impl AsFd, nonblocking: bool) -> io::Result<()> {
    let old = status_flags(fd)?;
    let new = if nonblocking {
        old | libc::O_NONBLOCK
    } else {
        old & !libc::O_NONBLOCK
    };
    if new == old {
        return Ok(());
    }
    // SAFETY: the descriptor is borrowed, hence open; the call takes no pointer.
    match unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_SETFL, new) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn status_flags(fd: &impl AsFd) -> io::Result<libc::c_int> {
    // SAFETY: as above.
    match unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), libc::F_GETFL) } {
        -1 => Err(io::Error::last_os_error()),
        flags => Ok(flags),
    }
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
