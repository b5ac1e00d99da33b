//! `recv` and `send` as system calls of their own, where the C library would do more.
//!
//! They are cancellation points of POSIX threads. In a process with threads glibc (2.36, which we looked at) therefore turns asynchronous
//! cancellation on before each call and off after it, by a locked instruction each time: four of the twenty that a short request over TCP takes.
//! No thread of a Rust program is ever cancelled that way.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

/// Reads from a socket. As many bytes of `buf` as the result says are initialized afterwards, and none of the others has changed.
pub(super) fn recv(socket: BorrowedFd<'_>, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    system::recv(socket, buf)
}

/// As `recv`, into memory that is initialized.
pub(super) fn recv_over(socket: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    let buf = std::ptr::from_mut(buf) as *mut [MaybeUninit<u8>];
    // SAFETY: the same layout, exclusively borrowed, and `recv` writes initialized bytes only: the caller finds what it had or what was read.
    recv(socket, unsafe { &mut *buf })
}

/// Writes to a socket, without SIGPIPE.
pub(super) fn send(socket: BorrowedFd<'_>, buf: &[u8]) -> io::Result<usize> {
    system::send(socket, buf)
}

#[cfg(all(target_os = "linux", not(executor_fallbacks)))]
mod system {
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::{AsRawFd, BorrowedFd};

    use crate::net::NO_SIGNAL;

    pub(super) fn recv(socket: BorrowedFd<'_>, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        // SAFETY: the descriptor is borrowed, hence open, and the system writes to `buf` at most as many bytes as it has. No address of
        // the sender is asked for.
        let read = unsafe {
            libc::syscall(
                libc::SYS_recvfrom,
                socket.as_raw_fd(),
                buf.as_mut_ptr(),
                buf.len(),
                0,
                std::ptr::null_mut::<u8>(),
                std::ptr::null_mut::<u8>(),
            )
        };
        usize::try_from(read).map_err(|_| io::Error::last_os_error())
    }

    pub(super) fn send(socket: BorrowedFd<'_>, buf: &[u8]) -> io::Result<usize> {
        // SAFETY: the descriptor is borrowed, hence open, and the system reads as many bytes of `buf` as it has. There is no address.
        let written = unsafe {
            libc::syscall(
                libc::SYS_sendto,
                socket.as_raw_fd(),
                buf.as_ptr(),
                buf.len(),
                NO_SIGNAL,
                std::ptr::null::<u8>(),
                0,
            )
        };
        usize::try_from(written).map_err(|_| io::Error::last_os_error())
    }
}

#[cfg(not(all(target_os = "linux", not(executor_fallbacks))))]
mod system {
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::BorrowedFd;

    use socket2::SockRef;

    use crate::net::NO_SIGNAL;

    pub(super) fn recv(socket: BorrowedFd<'_>, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        SockRef::from(&socket).recv(buf)
    }

    pub(super) fn send(socket: BorrowedFd<'_>, buf: &[u8]) -> io::Result<usize> {
        SockRef::from(&socket).send_with_flags(buf, NO_SIGNAL)
    }
}
