//! `TokioIo`: tokio's I/O traits for what has hyper's, and hyper's for what has tokio's.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::hyper::rt::{Read, ReadBuf as HyperReadBuf, ReadBufCursor, Write};
use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use pin_project_lite::pin_project;

pin_project! {
    /// Brings I/O traits of one family to what has those of the other: tokio's to hyper's upgraded connections, hyper's to a stream of another crate.
    ///
    /// The name is hyper-util's, whose own needs tokio's runtime to be compiled. What this crate has needs no such thing to be given to hyper.
    ///
    /// ```
    /// # async fn run(mut request: hyper::Request<hyper::body::Incoming>) -> hyper::Result<()> {
    /// use executor::hyper::TokioIo;
    /// use executor::io::AsyncWriteExt;
    ///
    /// let mut stream = TokioIo::new(hyper::upgrade::on(&mut request).await?);
    /// let _ = stream.write_all(b"no longer HTTP").await;
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Clone, Copy, Debug)]
    pub struct TokioIo<T> {
        #[pin]
        inner: T,
    }
}

impl<T> TokioIo<T> {
    /// Wraps what has one family's traits.
    pub fn new(inner: T) -> Self {
        Self { inner }
    }

    /// What is wrapped.
    pub fn inner(&self) -> &T {
        &self.inner
    }

    /// What is wrapped.
    pub fn inner_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// What is wrapped.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: AsyncRead> Read for TokioIo<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        poll_read_tokio(self.project().inner, cx, buf)
    }
}

impl<T: Read> AsyncRead for TokioIo<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut theirs = HyperReadBuf::new(buf.initialize_unfilled());
        ready!(self.project().inner.poll_read(cx, theirs.unfilled()))?;
        let n = theirs.filled().len();
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}

/// The two families' writers have the same methods.
macro_rules! writer {
    ($family:ident by $other:ident) => {
        impl<T: $other> $family for TokioIo<T> {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                $other::poll_write(self.project().inner, cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                $other::poll_write_vectored(self.project().inner, cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                $other::is_write_vectored(&self.inner)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                $other::poll_flush(self.project().inner, cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                $other::poll_shutdown(self.project().inner, cx)
            }
        }
    };
}

writer!(Write by AsyncWrite);
writer!(AsyncWrite by Write);

/// Reads by tokio's trait into a buffer of hyper's.
pub(crate) fn poll_read_tokio(
    reader: Pin<&mut impl AsyncRead>,
    cx: &mut Context<'_>,
    mut cursor: ReadBufCursor<'_>,
) -> Poll<io::Result<()>> {
    // SAFETY: the bytes are handed on as perhaps uninitialized, and a `ReadBuf` never makes one uninitialized.
    let mut buf = ReadBuf::uninit(unsafe { cursor.as_mut() });
    let begin = buf.filled().as_ptr();
    ready!(reader.poll_read(cx, &mut buf))?;
    // A reader may put another buffer in this one's place, which says nothing of these bytes.
    assert_eq!(
        begin,
        buf.filled().as_ptr(),
        "the reader has exchanged the buffer"
    );
    let n = buf.filled().len();
    // SAFETY: it is the same buffer, in which as many bytes are filled.
    unsafe { cursor.advance(n) };
    Poll::Ready(Ok(()))
}
