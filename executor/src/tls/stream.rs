//! `TlsStream`: a connection after its handshake, for both families of I/O traits, and hyper's.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::H2;
use super::rustls::CommonState;

/// A connection that is encrypted, of either side. [`split`](crate::io::split) gives its halves.
///
/// Shutting the writing direction down tells the other side that this was all. One that reads the end without having been told gets the error `UnexpectedEof`: somebody may
/// have cut the rest off.
#[derive(Debug)]
pub struct TlsStream<IO> {
    inner: tokio_rustls::TlsStream<IO>,
}

impl<IO> TlsStream<IO> {
    pub(super) fn new(inner: tokio_rustls::TlsStream<IO>) -> Self {
        Self { inner }
    }

    /// What is below. Whoever reads or writes there breaks the connection.
    pub fn get_ref(&self) -> &IO {
        self.inner.get_ref().0
    }

    /// What was agreed on, and who the other side is.
    pub fn session(&self) -> &CommonState {
        self.inner.get_ref().1
    }

    /// Both sides have agreed to speak HTTP/2.
    pub fn is_h2(&self) -> bool {
        self.session().alpn_protocol() == Some(H2)
    }

    /// tokio-rustls' own type.
    pub fn into_inner(self) -> tokio_rustls::TlsStream<IO> {
        self.inner
    }

    fn inner(self: Pin<&mut Self>) -> Pin<&mut tokio_rustls::TlsStream<IO>>
    where
        IO: Unpin,
    {
        Pin::new(&mut self.get_mut().inner)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncRead for TlsStream<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(cx, buf)
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> futures::io::AsyncRead for TlsStream<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(self.inner().poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }
}

/// The three families' writers differ in the name of one method.
macro_rules! writer {
    ($family:path, $end:ident $(, $is_write_vectored:ident)?) => {
        impl<IO: AsyncRead + AsyncWrite + Unpin> $family for TlsStream<IO> {
            fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                AsyncWrite::poll_write(self.inner(), cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                AsyncWrite::poll_write_vectored(self.inner(), cx, bufs)
            }

            $(fn $is_write_vectored(&self) -> bool {
                AsyncWrite::is_write_vectored(&self.inner)
            })?

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                AsyncWrite::poll_flush(self.inner(), cx)
            }

            fn $end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                AsyncWrite::poll_shutdown(self.inner(), cx)
            }
        }
    };
}

writer!(AsyncWrite, poll_shutdown, is_write_vectored);
writer!(futures::io::AsyncWrite, poll_close);
#[cfg(feature = "hyper")]
writer!(hyper::rt::Write, poll_shutdown, is_write_vectored);

#[cfg(feature = "hyper")]
impl<IO: AsyncRead + AsyncWrite + Unpin> hyper::rt::Read for TlsStream<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        crate::hyper::poll_read_tokio(self.inner(), cx, buf)
    }
}
