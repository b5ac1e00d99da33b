//! Copies that the system makes by itself: from a file to a socket, and from socket to socket.
//!
//! | file | concept |
//! |---|---|
//! | `sendfile` | from a file |
//! | `splice` | from socket to socket |
//! | `system_calls` | the calls, and what says that there are none |
//!
//! Where there are none, or the system refuses them for what it is given, the bytes go through a buffer: nobody needs to ask before.

mod sendfile;
mod splice;
mod system_calls;

use crate::net::{TcpStream, UnixStream, tcp, unix};

pub use sendfile::sendfile;
pub use splice::{splice, splice_bidirectional};

/// What [`splice`] reads from: streams and their halves.
///
/// The trait cannot be implemented outside of this crate.
pub trait SpliceRead: sealed::Reads {}

/// What [`sendfile`] and [`splice`] write to: streams and their halves.
///
/// The trait cannot be implemented outside of this crate.
pub trait SpliceWrite: sealed::Writes {}

impl SpliceRead for TcpStream {}
impl SpliceRead for tcp::ReadHalf<'_> {}
impl SpliceRead for tcp::OwnedReadHalf {}
impl SpliceRead for UnixStream {}
impl SpliceRead for unix::ReadHalf<'_> {}
impl SpliceRead for unix::OwnedReadHalf {}

impl SpliceWrite for TcpStream {}
impl SpliceWrite for tcp::WriteHalf<'_> {}
impl SpliceWrite for tcp::OwnedWriteHalf {}
impl SpliceWrite for UnixStream {}
impl SpliceWrite for unix::WriteHalf<'_> {}
impl SpliceWrite for unix::OwnedWriteHalf {}

/// What is needed of the types above, for any byte stream.
mod sealed {
    use std::io;
    use std::os::fd::{AsRawFd, RawFd};
    use std::task::{Context, Poll};

    use crate::driver::Direction;
    use crate::net::stream::{Carrier, ReadFd, WriteFd};

    #[expect(unnameable_types, reason = "that is how it is closed")]
    pub trait Reads {
        /// Calls `op` with the descriptor until it says anything but "later".
        fn poll_read_op(
            &self,
            cx: &mut Context<'_>,
            op: impl FnMut(RawFd) -> io::Result<usize>,
        ) -> Poll<io::Result<usize>>;

        fn poll_read_plain(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;
    }

    #[expect(unnameable_types, reason = "as above")]
    pub trait Writes {
        /// As `poll_read_op`.
        fn poll_write_op(
            &self,
            cx: &mut Context<'_>,
            op: impl FnMut(RawFd) -> io::Result<usize>,
        ) -> Poll<io::Result<usize>>;

        fn poll_write_plain(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;

        fn end(&self) -> io::Result<()>;
    }

    impl<C: Carrier<Fd: ReadFd>> Reads for C {
        fn poll_read_op(
            &self,
            cx: &mut Context<'_>,
            mut op: impl FnMut(RawFd) -> io::Result<usize>,
        ) -> Poll<io::Result<usize>> {
            let bytes = self.bytes();
            bytes.poll_op(cx, Direction::Read, |fd| op(fd.as_raw_fd()))
        }

        fn poll_read_plain(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
            self.bytes().poll_read(cx, buf)
        }
    }

    impl<C: Carrier<Fd: WriteFd>> Writes for C {
        fn poll_write_op(
            &self,
            cx: &mut Context<'_>,
            mut op: impl FnMut(RawFd) -> io::Result<usize>,
        ) -> Poll<io::Result<usize>> {
            let bytes = self.bytes();
            bytes.poll_op(cx, Direction::Write, |fd| op(fd.as_raw_fd()))
        }

        fn poll_write_plain(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            self.bytes().poll_write(cx, buf)
        }

        fn end(&self) -> io::Result<()> {
            self.bytes().shut_down_write()
        }
    }
}
