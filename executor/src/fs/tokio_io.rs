//! tokio's I/O traits, for [`File`].

use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};

use super::File;
use crate::coop;

impl AsyncRead for File {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (engine, most) = self.engine();
        if buf.remaining() == 0 {
            return coop::poll_counted(cx, |_| Poll::Ready(Ok(())));
        }
        let bytes = ready!(engine.poll_fill(cx, buf.remaining().min(most)))?;
        let count = bytes.len();
        buf.put_slice(bytes);
        engine.consume(count);
        Poll::Ready(Ok(()))
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

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Waits until what was written is written, and returns the error if it is not.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.engine().0.poll_flush(cx)
    }

    /// As `poll_flush`. The file is closed when it is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for File {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        self.engine().0.start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        self.engine().0.poll_position(cx)
    }
}
