//! `stdin`, `stdout` and `stderr`: the handles, with the traits of `futures` and, with the feature `io`, tokio's.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::input::Reader;
use super::output::{ToStderr, ToStdout, Writer};

/// A handle to the standard input of the process.
///
/// The input is read by a thread of its own, which is started by the first read and never waited for. So a program whose `main` is done
/// ends at once, though somebody awaits input; and a runtime ends without waiting. The descriptor's flags are left alone.
///
/// The thread reads when somebody asks. What was read for a future that is gone, or that did not take all, stays for the next read
/// through any handle. Handles share the standard library's buffer with [`std::io::Stdin`]; while the thread waits for input,
/// reads through that one wait, too.
///
/// For a dialogue with a person a thread that blocks in [`std::io::Stdin::read_line`] does as well.
///
/// # Cancel safety
///
/// Reading is cancel safe as far as the methods of the extension traits are.
///
/// ```no_run
/// # #[cfg(feature = "io")]
/// # async fn example() -> std::io::Result<()> {
/// use executor::io::{AsyncBufReadExt, BufReader, stdin};
///
/// let mut lines = BufReader::new(stdin()).lines();
/// while let Some(line) = lines.next_line().await? {
///     println!("you said {line}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Stdin {
    reader: Reader,
    std: io::Stdin,
}

/// A handle to the standard input of the process. See [`Stdin`].
#[doc(alias = "connect_read_pipe")]
pub fn stdin() -> Stdin {
    Stdin {
        reader: Reader::new(),
        std: io::stdin(),
    }
}

/// The functions and types of the two outputs, which differ in their names only.
macro_rules! outputs {
    ($($(#[$doc:meta])* $function:ident $name:ident $stream:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// A write is complete when its bytes have been copied. A thread of the blocking pool writes them, and leaves nothing in a buffer; the
        /// next write through this handle, or `flush`, returns the error if that fails. Writes through all handles of the process are made
        /// in the order in which they were accepted, each in one piece with respect to `print!` and the like.
        ///
        /// A runtime that ends carries out the writes that it has begun, for as long as it waits for its threads. The default runtime is
        /// not waited for: there, and before [`std::process::exit`], what is to be seen must be flushed. What is written is passed on byte for byte.
        ///
        /// # Cancel safety
        ///
        /// Writing is cancel safe as far as the methods of the extension traits are; what was accepted is written.
        ///
        /// ```
        /// # #[cfg(feature = "io")]
        /// # executor::runtime::Runtime::new().unwrap().block_on(async {
        /// use executor::io::AsyncWriteExt;
        ///
        #[doc = concat!("let mut output = executor::io::", stringify!($function), "();")]
        /// output.write_all(b"hello\n").await?;
        /// output.flush().await
        /// # }).unwrap();
        /// ```
        pub struct $name {
            writer: Writer<$stream>,
            std: io::$name,
        }

        $(#[$doc])*
        #[doc = concat!("See [`", stringify!($name), "`].")]
        #[doc(alias = "connect_write_pipe")]
        pub fn $function() -> $name {
            $name {
                writer: Writer::new(),
                std: io::$function(),
            }
        }

        impl futures::io::AsyncWrite for $name {
            fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                self.writer.poll_write(cx, buf)
            }

            /// Waits until what was written through this handle is written.
            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.writer.poll_flush(cx)
            }

            /// As `poll_flush`. The stream stays open.
            fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.writer.poll_flush(cx)
            }
        }

        #[cfg(feature = "io")]
        impl tokio::io::AsyncWrite for $name {
            fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                self.writer.poll_write(cx, buf)
            }

            /// Waits until what was written through this handle is written.
            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.writer.poll_flush(cx)
            }

            /// As `poll_flush`. The stream stays open.
            fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.writer.poll_flush(cx)
            }
        }
    )*};
}

outputs! {
    /// A handle to the standard output of the process.
    stdout Stdout ToStdout;
    /// A handle to the standard error of the process.
    stderr Stderr ToStderr;
}

impl futures::io::AsyncRead for Stdin {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.reader.poll_take(cx, buf.len(), |bytes| {
            buf[..bytes.len()].copy_from_slice(bytes)
        })
    }
}

#[cfg(feature = "io")]
impl tokio::io::AsyncRead for Stdin {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self
            .reader
            .poll_take(cx, buf.remaining(), |bytes| buf.put_slice(bytes));
        count.map_ok(drop)
    }
}

macro_rules! descriptors {
    ($($name:ident)*) => {$(
        impl AsFd for $name {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.std.as_fd()
            }
        }

        impl AsRawFd for $name {
            fn as_raw_fd(&self) -> RawFd {
                self.std.as_raw_fd()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

descriptors!(Stdin Stdout Stderr);
