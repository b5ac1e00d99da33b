//! How a runtime hears that a child has ended: by a descriptor of the process where the system has one, else by SIGCHLD.
//!
//! Both only say that it is time to ask; the status comes from `waitpid`, which whoever owns the [`Child`] calls. The descriptor of an
//! unreaped child cannot mean another process: the number is not given away before the child is reaped, and that we do.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};
use std::task::{Context, Poll, ready};

use crate::driver::{Direction, Interest, Source, shut_down};
use crate::net::watch;
use crate::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug)]
pub(super) enum Exit {
    /// Readable from the end of the process on.
    Descriptor(Source<OwnedFd>),
    /// Comes when any child ends.
    Signal(Signal),
}

impl Exit {
    /// Listens, in the current runtime, for the end of a child that was not waited for yet.
    pub(super) fn watch(child: &Child) -> io::Result<Self> {
        match open_pidfd(child.id()).and_then(|fd| watch(fd, Interest::READABLE)) {
            Ok(source) => Ok(Self::Descriptor(source)),
            // An old system, a filter of system calls, too many descriptors: the signal needs none of it.
            Err(_) => Ok(Self::Signal(signal(SignalKind::child())?)),
        }
    }

    /// Waits for the end of `child`, which must be the one this was made for.
    pub(super) fn poll_wait(
        &mut self,
        cx: &mut Context<'_>,
        child: &mut Child,
    ) -> Poll<io::Result<ExitStatus>> {
        loop {
            match self {
                Self::Descriptor(source) => {
                    let event = ready!(source.poll_ready(cx, Direction::Read));
                    // Asked also if the runtime has ended: the child may have, too.
                    if let Some(status) = child.try_wait()? {
                        return Poll::Ready(Ok(status));
                    }
                    // It has not ended, whatever the event was for. Its end is a new one.
                    source.clear_would_block(event?);
                }
                Self::Signal(signal) => {
                    // Asked first: the signal may have come before anybody listened. One that comes after this is heard.
                    if let Some(status) = child.try_wait()? {
                        return Poll::Ready(Ok(status));
                    }
                    if ready!(signal.poll_recv(cx)).is_none() {
                        return Poll::Ready(Err(shut_down()));
                    }
                }
            }
        }
    }
}

#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(executor_fallbacks)
))]
fn open_pidfd(process: u32) -> io::Result<OwnedFd> {
    use std::os::fd::{FromRawFd, RawFd};

    // SAFETY: the call takes two numbers. It closes the descriptor on exec by itself.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, process, 0) };
    match RawFd::try_from(fd) {
        // SAFETY: the system has just opened it for us, and nobody else knows it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(not(all(
    any(target_os = "linux", target_os = "android"),
    not(executor_fallbacks)
)))]
fn open_pidfd(_: u32) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}
