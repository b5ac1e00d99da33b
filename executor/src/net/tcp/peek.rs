//! Reads what is there and leaves it there.

use std::io;
#[cfg(feature = "io")]
use std::task::{Context, Poll, ready};

#[cfg(feature = "io")]
use socket2::SockRef;
#[cfg(feature = "io")]
use tokio::io::ReadBuf;

use super::{OwnedReadHalf, ReadHalf, TcpStream};
#[cfg(feature = "io")]
use crate::coop;
use crate::driver::Direction;
use crate::net::stream::Carrier;
use crate::task::coop::cooperative;

impl TcpStream {
    /// Waits for data and copies it to `buf`; it stays there to be read again.
    ///
    /// Returns how much was copied; 0 at the end of the stream.
    ///
    /// # Errors
    ///
    /// What the system says, or that the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is consumed.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let source = self.bytes().source();
        cooperative(source.async_io(Direction::Read, |socket| socket.peek(buf))).await
    }

    /// As [`peek`](Self::peek). Only the last task that polled for reading, by this or by a trait, is woken.
    ///
    /// # Errors
    ///
    /// As [`peek`](Self::peek).
    #[cfg(feature = "io")]
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let source = self.bytes().source();
        let peek = |socket: &_| {
            // SAFETY: `peek` initializes bytes; it never makes one uninitialized.
            let unfilled = unsafe { buf.unfilled_mut() };
            SockRef::from(socket).peek(unfilled)
        };
        let poll = |cx: &mut Context<'_>| source.poll_io(cx, Direction::Read, peek);
        let n = ready!(coop::poll_counted(cx, poll))?;
        // SAFETY: the system has just written as many bytes.
        unsafe { buf.assume_init(n) };
        buf.advance(n);
        Poll::Ready(Ok(n))
    }
}

macro_rules! halves {
    ($($half:ty),*) => {$(
        impl $half {
            /// See [`TcpStream::peek`].
            ///
            /// # Errors
            ///
            /// As [`TcpStream::peek`].
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: nothing is consumed.
            pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                let stream: &TcpStream = (*self).as_ref();
                stream.peek(buf).await
            }

            /// See [`TcpStream::poll_peek`].
            ///
            /// # Errors
            ///
            /// As [`TcpStream::peek`].
            #[cfg(feature = "io")]
            pub fn poll_peek(
                &mut self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<usize>> {
                let stream: &TcpStream = (*self).as_ref();
                stream.poll_peek(cx, buf)
            }
        }
    )*};
}

halves!(ReadHalf<'_>, OwnedReadHalf);
