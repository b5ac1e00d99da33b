//! What hyper asks of a runtime: its I/O traits on our sockets, an executor, and a timer.
//!
//! ```
//! use executor::hyper::{HyperExecutor, HyperTimer};
//!
//! fn accepts(_: impl hyper::rt::Executor<std::future::Ready<()>>, _: impl hyper::rt::Timer) {}
//! accepts(HyperExecutor, HyperTimer);
//! ```
//!
//! Give hyper's builders a [`HyperTimer`]: without one they cannot enforce the time limits that they document.

#[cfg(feature = "io")]
mod tokio_io;

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use ::hyper::rt::{Executor, Read, ReadBufCursor, Sleep, Timer, Write};
use pin_project_lite::pin_project;

use crate::net::stream::{ByteStream, Carrier, ReadFd};
use crate::net::{TcpStream, UnixStream, tcp, unix};
use crate::time;

#[cfg(feature = "io")]
pub use tokio_io::TokioIo;
#[cfg(feature = "tls")]
pub(crate) use tokio_io::poll_read_tokio;

/// Runs hyper's background work as tasks of the current runtime. See [`spawn`](crate::spawn).
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperExecutor;

/// Lets hyper enforce its time limits with the current runtime's timers.
///
/// Moving a deadline, which hyper does for each request, takes no memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperTimer;

impl<F> Executor<F> for HyperExecutor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        crate::spawn(future);
    }
}

impl Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(HyperSleep {
            sleep: time::sleep(duration),
        })
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(HyperSleep {
            sleep: time::sleep_until(deadline.into()),
        })
    }

    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn Sleep>>, new_deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<HyperSleep>() {
            Some(ours) => ours.project().sleep.reset(new_deadline.into()),
            // Made by another timer.
            None => *sleep = self.sleep_until(new_deadline),
        }
    }
}

pin_project! {
    struct HyperSleep {
        #[pin]
        sleep: time::Sleep,
    }
}

impl Sleep for HyperSleep {}

impl Future for HyperSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

macro_rules! readers {
    ($($reader:ty),*) => {$(
        impl Read for $reader {
            fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
                poll_read(self.bytes(), cx, buf)
            }
        }
    )*};
}

macro_rules! writers {
    ($($writer:ty),*) => {$(
        impl Write for $writer {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                self.bytes().poll_write(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.bytes().poll_write_slices(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            /// Returns at once: nothing is buffered here.
            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Shuts the writing direction down. The socket stays open for reading.
            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.bytes().shut_down_write())
            }
        }
    )*};
}

readers!(
    TcpStream,
    tcp::OwnedReadHalf,
    UnixStream,
    unix::OwnedReadHalf
);
writers!(
    TcpStream,
    tcp::OwnedWriteHalf,
    UnixStream,
    unix::OwnedWriteHalf
);

fn poll_read<T: ReadFd>(
    bytes: &ByteStream<T>,
    cx: &mut Context<'_>,
    mut buf: ReadBufCursor<'_>,
) -> Poll<io::Result<()>> {
    // SAFETY: reading initializes bytes; it never makes one uninitialized.
    let unfilled = unsafe { buf.as_mut() };
    let n = ready!(bytes.poll_read_uninit(cx, unfilled))?;
    // SAFETY: the system has just written as many bytes.
    unsafe { buf.advance(n) };
    Poll::Ready(Ok(()))
}
