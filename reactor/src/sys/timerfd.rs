//! A timer finer than the whole milliseconds of `epoll_wait`: one timerfd in the same epoll set.
//!
//! Some facts about timerfd. It is registered edge-triggered and never read: setting it again forgets expirations that
//! nobody read, so the next expiration is an edge again. A value of zero would disarm it. A relative time is never
//! shortened, and unlike `epoll_wait` it gets no slack.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;

#[derive(Debug)]
pub(crate) struct Timer {
    fd: OwnedFd,
    /// When it goes off, if it is set and not known to have gone off.
    stands_at: Option<Instant>,
}

impl Timer {
    pub(crate) fn new(registry: &mio::Registry, token: mio::Token) -> io::Result<Option<Self>> {
        // SAFETY: the call takes two numbers and touches no memory of ours.
        let fd = unsafe {
            libc::timerfd_create(
                libc::CLOCK_MONOTONIC,
                libc::TFD_NONBLOCK | libc::TFD_CLOEXEC,
            )
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call above has just opened `fd`, and nobody else knows of it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        registry.register(
            &mut SourceFd(&fd.as_raw_fd()),
            token,
            mio::Interest::READABLE,
        )?;
        Ok(Some(Self {
            fd,
            stands_at: None,
        }))
    }

    /// Makes sure that the timer goes off in `timeout` or sooner. A sooner one that stands already is left alone, which
    /// saves a system call per turn while the same deadline is waited for, and costs an empty turn when it is stale.
    pub(crate) fn set(&mut self, timeout: Duration) {
        let now = Instant::now();
        let wanted = now + timeout;
        let stands = self.stands_at.is_some_and(|at| now < at && at <= wanted);
        if !stands {
            // A timer that cannot be set costs precision only: the caller bounds the wait in milliseconds as well.
            self.stands_at = self.arm(timeout).is_ok().then_some(wanted);
        }
    }

    /// Takes note that the timer has gone off.
    pub(crate) fn went_off(&mut self) {
        self.stands_at = None;
    }

    fn arm(&self, timeout: Duration) -> io::Result<()> {
        debug_assert!(!timeout.is_zero(), "zero would disarm the timer");
        // SAFETY: `itimerspec` is made of integers, for which all zeroes is a value.
        let mut spec: libc::itimerspec = unsafe { std::mem::zeroed() };
        spec.it_value.tv_sec = timeout.as_secs() as libc::time_t;
        spec.it_value.tv_nsec = timeout.subsec_nanos() as libc::c_long;
        // SAFETY: `self.fd` is open for as long as `self`, `spec` outlives the call, and null says that the old setting
        // is not wanted.
        let result =
            unsafe { libc::timerfd_settime(self.fd.as_raw_fd(), 0, &spec, std::ptr::null_mut()) };
        if result < 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }
}
