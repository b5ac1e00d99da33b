//! The system calls that read and write each kind of descriptor. None of them raises SIGPIPE.

use std::io::{self, IoSlice, IoSliceMut, Read};
#[cfg(any(feature = "io", feature = "hyper"))]
use std::mem::MaybeUninit;
use std::net::{self, Shutdown};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net as unix;

use socket2::SockRef;

use super::direct;
use crate::net::NO_SIGNAL;

/// A descriptor to read from, in non-blocking mode.
pub(crate) trait ReadFd: AsRawFd {
    /// Whether a read that leaves room in the buffer has taken everything that was there.
    const SHORT_READ_IS_LAST: bool;

    fn read(&self, buf: &mut [u8]) -> io::Result<usize>;

    /// Reads into memory that need not be initialized. As many bytes as the result says are, afterwards, and none of the
    /// others has changed.
    #[cfg(any(feature = "io", feature = "hyper"))]
    fn read_uninit(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize>;

    /// `bufs` may be more than the system takes in one call.
    fn read_slices(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
}

/// A descriptor to write to, in non-blocking mode.
pub(crate) trait WriteFd: AsRawFd {
    fn write(&self, buf: &[u8]) -> io::Result<usize>;

    /// `bufs` may be more than the system takes in one call.
    fn write_slices(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Says to the peer that nothing more will come, if that is possible without closing the descriptor.
    fn shut_down(&self) -> io::Result<()>;
}

macro_rules! sockets {
    ($($socket:ty, SHORT_READ_IS_LAST = $last:literal;)*) => {$(
        impl ReadFd for $socket {
            const SHORT_READ_IS_LAST: bool = $last;

            fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
                direct::recv_over(self.as_fd(), buf)
            }

            #[cfg(any(feature = "io", feature = "hyper"))]
            fn read_uninit(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
                direct::recv(self.as_fd(), buf)
            }

            fn read_slices(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                Read::read_vectored(&mut &*self, bufs)
            }
        }

        impl WriteFd for $socket {
            fn write(&self, buf: &[u8]) -> io::Result<usize> {
                direct::send(self.as_fd(), buf)
            }

            fn write_slices(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let bufs = &bufs[..bufs.len().min(MOST_SLICES)];
                // The standard library's `write_vectored` raises SIGPIPE.
                SockRef::from(self).send_vectored_with_flags(bufs, NO_SIGNAL)
            }

            fn shut_down(&self) -> io::Result<()> {
                match self.shutdown(Shutdown::Write) {
                    // A connection that is gone already has nobody to say it to.
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
                    result => result,
                }
            }
        }
    )*};
}

sockets! {
    net::TcpStream, SHORT_READ_IS_LAST = true;
    // A read ends early behind a message that carried descriptors, though the next message is there already.
    unix::UnixStream, SHORT_READ_IS_LAST = false;
}

/// The system refuses more slices in one call.
pub(super) const MOST_SLICES: usize = 1024;
