//! The I/O traits of the crate `futures`, for [`File`].

use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::io::{AsyncRead, AsyncSeek, AsyncWrite};

use super::File;
use crate::coop;

impl AsyncRead for File {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let (engine, most) = self.engine();
        if buf.is_empty() {
            return coop::poll_counted(cx, |_| Poll::Ready(Ok(0)));
        }
        let bytes = ready!(engine.poll_fill(cx, buf.len().min(most)))?;
        let count = bytes.len();
        buf[..count].copy_from_slice(bytes);
        engine.consume(count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for File {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let (engine, most) = self.engine();
        engine.poll_write(cx, &[IoSlice::new(buf)], most)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let (engine, most) = self.engine();
        engine.poll_write(cx, bufs, most)
    }

    /// Waits until what was written is written, and returns the error if it is not.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.engine().0.poll_flush(cx)
    }

    /// As `poll_flush`. The file is closed when it is dropped.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for File {
    fn poll_seek(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pos: SeekFrom,
    ) -> Poll<io::Result<u64>> {
        self.engine().0.poll_seek(cx, pos)
    }
}
