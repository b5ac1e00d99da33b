//! Tells a forked child from the process that made a reactor.
//!
//! After `fork` parent and child share one epoll instance. A child that merely drops its copy of a source would take
//! the parent's registration away with it, a wake would end the parent's wait, and a turn would eat the parent's
//! events. Locks that other threads held at the fork stay locked in the child for ever as well. So everything that
//! would touch shared state asks here first.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The process something was made in: the number of forks between it and the first process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    /// The process that runs now. The first call asks to be told of forks.
    pub(crate) fn current() -> io::Result<Self> {
        static REGISTERED: OnceLock<i32> = OnceLock::new();
        // SAFETY: `in_child` is a function of this program that lives as long as the program and takes no argument; it
        // does nothing but an atomic addition, which is allowed after a fork of a process with many threads.
        let result =
            REGISTERED.get_or_init(|| unsafe { libc::pthread_atfork(None, None, Some(in_child)) });
        match *result {
            0 => Ok(Self::now()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Whether a fork lies between the process this was made in and the one that runs now.
    pub(crate) fn was_forked(self) -> bool {
        self != Self::now()
    }

    fn now() -> Self {
        // Relaxed: it only changes in a child that has a single thread, before any code of that child runs.
        Self(FORKS.load(Ordering::Relaxed))
    }
}

static FORKS: AtomicU32 = AtomicU32::new(0);

extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}
