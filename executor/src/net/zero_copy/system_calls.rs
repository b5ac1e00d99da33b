//! `sendfile` and `splice` themselves, and the question whether a file is in memory. Off Linux there are none.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};

/// Whether the bytes at both ends of `offset..offset + count` are in memory, so that to read there need not wait for a disk. A place behind the
/// end of the file is. False also if the system cannot tell, or the file not be read.
pub(super) fn is_in_memory(file: BorrowedFd<'_>, offset: u64, count: u64) -> bool {
    system::is_in_memory(file, offset) && system::is_in_memory(file, offset + (count - 1))
}

/// Copies at most `count` bytes of a file to a socket. 0: the file has no more.
pub(super) fn sendfile(
    file: BorrowedFd<'_>,
    offset: u64,
    count: u64,
    to: RawFd,
) -> io::Result<usize> {
    system::sendfile(file, offset, count, to)
}

/// Moves at most `count` bytes out of a pipe, or into it. 0: the end of what is read.
pub(super) fn splice(from: RawFd, to: RawFd, count: usize) -> io::Result<usize> {
    system::splice(from, to, count)
}

/// Whether an error says that the call cannot be made with what it was given, or not here at all.
pub(super) fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || matches!(
            error.raw_os_error(),
            Some(libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP)
        )
}

#[cfg(all(target_os = "linux", not(executor_fallbacks)))]
mod system {
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
    use std::ptr;

    use crate::net::no_signal::without_sigpipe;

    pub(super) fn is_in_memory(file: BorrowedFd<'_>, at: u64) -> bool {
        let Ok(at) = libc::off_t::try_from(at) else {
            return false;
        };
        let mut byte = 0_u8;
        let room = libc::iovec {
            iov_base: ptr::from_mut(&mut byte).cast(),
            iov_len: 1,
        };
        // SAFETY: the descriptor is borrowed, hence open; there is one slice, and it has room for one byte.
        unsafe { libc::preadv2(file.as_raw_fd(), &room, 1, at, libc::RWF_NOWAIT) >= 0 }
    }

    pub(super) fn sendfile(
        file: BorrowedFd<'_>,
        offset: u64,
        count: u64,
        to: RawFd,
    ) -> io::Result<usize> {
        let invalid = |_| io::Error::from_raw_os_error(libc::EINVAL);
        let mut offset = libc::off_t::try_from(offset).map_err(invalid)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        without_sigpipe(|| {
            // SAFETY: the offset outlives the call, and the rest are numbers.
            moved(unsafe { libc::sendfile(to, file.as_raw_fd(), &mut offset, count) })
        })
    }

    pub(super) fn splice(from: RawFd, to: RawFd, count: usize) -> io::Result<usize> {
        without_sigpipe(|| {
            // SAFETY: neither side has an offset, and the rest are numbers.
            moved(unsafe {
                libc::splice(
                    from,
                    ptr::null_mut(),
                    to,
                    ptr::null_mut(),
                    count,
                    libc::SPLICE_F_NONBLOCK,
                )
            })
        })
    }

    /// Negative: the call has failed.
    fn moved(result: isize) -> io::Result<usize> {
        usize::try_from(result).map_err(|_| io::Error::last_os_error())
    }
}

#[cfg(not(all(target_os = "linux", not(executor_fallbacks))))]
mod system {
    use std::io;
    use std::os::fd::{BorrowedFd, RawFd};

    pub(super) fn is_in_memory(_: BorrowedFd<'_>, _: u64) -> bool {
        false
    }

    pub(super) fn sendfile(_: BorrowedFd<'_>, _: u64, _: u64, _: RawFd) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn splice(_: RawFd, _: RawFd, _: usize) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
