//! The floor again, with the future of the servers on runtimes in place of a function: what `await` itself costs.
//!
//! The loop polls a connection's future when an event says that there is something to read. There is no waker, no queue, no word of readiness, no
//! other thread: a socket that has nothing left says so, and the loop knows anyway which future to poll next.

use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use mio::net::TcpStream;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::conversation::{Conversation, Protocol};
use super::floor::{self, Served};
use crate::Result;
use crate::cli::Options;

/// As [`super::serve::streams`].
pub(super) fn streams<const ROOM: usize>(options: &Options, protocol: Protocol) -> Result {
    floor::serve::<Task<ROOM>>(options, protocol)
}

struct Task<const ROOM: usize>(Pin<Box<dyn Future<Output = io::Result<()>> + Send>>);

impl<const ROOM: usize> Served for Task<ROOM> {
    fn new(stream: TcpStream, protocol: Protocol) -> Self {
        let readiness = Drained::default();
        let bytes = Bytes { stream, readiness };
        Self(Box::pin(converse::<ROOM, _>(bytes, protocol)))
    }

    fn serve(&mut self, closed: bool) -> io::Result<bool> {
        let mut context = Context::from_waker(Waker::noop());
        // What announces the end of the stream as well does not come twice: after a short read, once more.
        for _ in 0..1 + usize::from(closed) {
            if let Poll::Ready(result) = self.0.as_mut().poll(&mut context) {
                return result.map(|()| false);
            }
        }
        Ok(true)
    }
}

/// As in `serve`.
pub(super) async fn converse<const ROOM: usize, S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    protocol: Protocol,
) -> io::Result<()> {
    let mut conversation = Conversation::<ROOM>::new(protocol);
    loop {
        let read = stream.read(conversation.room()?).await?;
        if read == 0 {
            return Ok(());
        }
        let answer = conversation.answer(read);
        if !answer.is_empty() {
            stream.write_all(answer).await?;
        }
    }
}

/// A socket, and what says when to read it.
pub(super) struct Bytes<R> {
    pub(super) stream: TcpStream,
    pub(super) readiness: R,
}

/// The next poll is for the next event.
#[derive(Default)]
struct Drained(bool);

/// Pending when it would block, or after a short read, as the runtimes take it.
impl AsyncRead for Bytes<Drained> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.readiness).0 {
            return Poll::Pending;
        }
        let room = buffer.initialize_unfilled();
        let size = room.len();
        match self.stream.read(room) {
            Ok(read) => {
                self.readiness = Drained(0 < read && read < size);
                buffer.advance(read);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl<R: Unpin> AsyncWrite for Bytes<R> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // The load reads all answers, so there is room for this one in the socket.
        Poll::Ready(self.stream.write(bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
