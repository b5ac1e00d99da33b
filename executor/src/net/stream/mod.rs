//! The one place that reads and writes bytes: sockets, pipes, their halves, whichever family of traits asks.
//!
//! | file | concept |
//! |---|---|
//! | `descriptor` | the system calls of each kind of descriptor |
//! | `direct` | `recv` and `send` themselves, past the C library |
//! | `transfer` | when they are made, and what their answers say about readiness |
//! | `connect` | how a stream comes to be |
//! | `traits` | macros: the I/O traits of `futures` and of tokio |
//! | `methods` | macros: `readable`, `try_read` and their like |
//! | `halves` | macros: halves that borrow, halves that share |

mod connect;
mod descriptor;
mod direct;
mod halves;
mod methods;
mod traits;
mod transfer;

use std::io;
use std::os::fd::AsRawFd;

use crate::driver::{Direction, Interest, Source};
use crate::net::{watch, watch_writable};

pub(crate) use connect::connect;
pub(crate) use descriptor::{ReadFd, WriteFd};
pub(crate) use halves::halves;
pub(crate) use methods::{reading_methods, ready_method, socket_io_methods, writing_methods};
pub(crate) use traits::{async_read, async_write};

/// A descriptor that carries a stream of bytes, in one direction or both, and is watched.
#[derive(Debug)]
pub(crate) struct ByteStream<T: AsRawFd> {
    source: Source<T>,
}

impl<T: AsRawFd> ByteStream<T> {
    /// Watches a descriptor that is in non-blocking mode, in the current runtime. The `assumed` directions are tried before the
    /// reactor has said anything of them.
    pub(crate) fn new(io: T, interest: Interest, assumed: &[Direction]) -> io::Result<Self> {
        let source = watch(io, interest)?.assume_ready(assumed);
        Ok(Self { source })
    }

    /// As `new`, for a connected socket: it is assumed to have room, and the system is asked about that only once it had none.
    pub(crate) fn connected(io: T, assumed: &[Direction]) -> io::Result<Self> {
        let source = watch_writable(io)?.assume_ready(assumed);
        Ok(Self { source })
    }

    pub(crate) fn source(&self) -> &Source<T> {
        &self.source
    }

    pub(crate) fn get_ref(&self) -> &T {
        self.source.get_ref()
    }

    /// Ends the watch. The descriptor stays in non-blocking mode.
    pub(crate) fn into_inner(self) -> T {
        self.source.into_inner()
    }
}

/// A public type that is a byte stream underneath, or half of one: what the macros of this module ask for.
pub(crate) trait Carrier {
    type Fd: AsRawFd;

    fn bytes(&self) -> &ByteStream<Self::Fd>;
}
