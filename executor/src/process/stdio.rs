//! The pipes to a child's standard streams.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::process::{self, Stdio};

use crate::net::stream::{ByteStream, Carrier, async_read, async_write};
use crate::net::unix::pipe::{Receiver, Sender};

/// Defines a pipe's end before `$end`, whose descriptor is `$fd`.
macro_rules! child_stdio {
    ($($(#[$doc:meta])+ $name:ident, $end:ident, $fd:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub struct $name {
            pipe: $end,
        }

        impl $name {
            /// Takes over the standard library's pipe, puts it into non-blocking mode, and watches it in the current runtime.
            ///
            /// # Errors
            ///
            /// What the system says; that the runtime has shut down. The pipe is closed then.
            ///
            /// # Panics
            ///
            /// Outside of a runtime, if the default one cannot be started.
            pub fn from_std(inner: process::$name) -> io::Result<Self> {
                let pipe = $end::from_owned_fd(inner.into())?;
                Ok(Self { pipe })
            }

            /// Gives the descriptor back, in blocking mode.
            ///
            /// # Errors
            ///
            /// What the system says. The pipe is closed then.
            pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
                self.pipe.into_blocking_fd()
            }
        }

        impl Carrier for $name {
            type Fd = $fd;

            fn bytes(&self) -> &ByteStream<$fd> {
                self.pipe.bytes()
            }
        }

        /// To connect one child with another: in blocking mode, as programs expect it.
        impl TryFrom<$name> for Stdio {
            type Error = io::Error;

            fn try_from(pipe: $name) -> io::Result<Self> {
                pipe.into_owned_fd().map(Self::from)
            }
        }

        impl AsFd for $name {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.pipe.as_fd()
            }
        }

        impl AsRawFd for $name {
            fn as_raw_fd(&self) -> RawFd {
                self.pipe.as_raw_fd()
            }
        }
    )+};
}

child_stdio! {
    /// Writes to a child's standard input.
    ///
    /// The child reads the end when this is dropped; `shutdown` and `close` do not do it. When the child reads no more, writing is an
    /// error ([`BrokenPipe`](io::ErrorKind::BrokenPipe)).
    ChildStdin, Sender, PipeWriter;

    /// Reads a child's standard output.
    ///
    /// It ends when the child, and whoever has inherited the pipe from it, has closed it.
    ChildStdout, Receiver, PipeReader;

    /// Reads a child's standard error.
    ///
    /// It ends when the child, and whoever has inherited the pipe from it, has closed it.
    ChildStderr, Receiver, PipeReader;
}

async_write!(ChildStdin);
async_read!(ChildStdout, ChildStderr);
