//! Listeners that a process is to inherit, under the numbers that systemd's protocol has for them.
//!
//! ```text
//!            0 1 2   3 .. 3 + n             from there on
//!   here     streams whatever is there      copies, close-on-exec
//!   child    streams the listeners   ◀dup2─ copies, gone with the program's start
//! ```
//! The numbers in the middle are all in use when the listeners are passed, by placeholders if need be. So the descriptor by which the standard library
//! hears that a program could not be started is beyond them, and not overwritten. What others had open there they may close before the process is
//! started; then that descriptor may be among them, and a program that cannot be started is a child that ends at once.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Copies of the listeners, to be put into their places in the child.
#[derive(Debug)]
pub(super) struct Passed {
    copies: Vec<OwnedFd>,
    _placeholders: Vec<OwnedFd>,
}

impl Passed {
    pub(super) fn new(listeners: &[BorrowedFd<'_>]) -> io::Result<Self> {
        let count = RawFd::try_from(listeners.len()).unwrap_or(RawFd::MAX);
        let end = FIRST.saturating_add(count);
        let mut placeholders = Vec::new();
        let mut copies = Vec::with_capacity(listeners.len());
        for listener in listeners {
            copies.push(loop {
                // The lowest number that is free, the standard streams' left out.
                let copy = listener.try_clone_to_owned()?;
                if copy.as_raw_fd() >= end {
                    break copy;
                }
                placeholders.push(copy);
            });
        }
        Ok(Self {
            copies,
            _placeholders: placeholders,
        })
    }

    /// In the child: puts the copies into their places. It calls `dup2` and nothing else.
    pub(super) fn put(&self) -> io::Result<()> {
        for (copy, place) in self.copies.iter().zip(FIRST..) {
            // SAFETY: the call takes numbers only. What had the place is of no use to anybody in a process that only starts a program yet.
            if unsafe { libc::dup2(copy.as_raw_fd(), place) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(())
    }
}

const FIRST: RawFd = 3;
