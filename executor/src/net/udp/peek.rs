//! Looks at the next datagram and leaves it there.

use std::io;
use std::net::{self, SocketAddr};
use std::task::{Context, Poll};

use super::UdpSocket;
use crate::driver::Direction;
use crate::net::datagram::{lent, no_address};

impl UdpSocket {
    /// As [`recv`](Self::recv), but the datagram stays there to be received.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is taken.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let peek = |socket: &net::UdpSocket| socket.peek(buf);
        self.datagrams.io(Direction::Read, peek).await
    }

    /// As [`peek`](Self::peek), without waiting.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.datagrams
            .try_io(Direction::Read, |socket| socket.peek(buf))
    }

    /// As [`peek`](Self::peek), and returns also where the datagram comes from.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is taken.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = |socket: &net::UdpSocket| socket.peek_from(buf);
        self.datagrams.io(Direction::Read, peek).await
    }

    /// As [`peek_from`](Self::peek_from), without waiting.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.datagrams
            .try_io(Direction::Read, |socket| socket.peek_from(buf))
    }

    /// Waits for a datagram, and returns where it comes from.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is taken.
    pub async fn peek_sender(&self) -> io::Result<SocketAddr> {
        self.datagrams.io(Direction::Read, sender).await
    }

    /// As [`peek_sender`](Self::peek_sender), without waiting.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](Self::try_recv).
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        self.datagrams.try_io(Direction::Read, sender)
    }

    /// As [`peek_sender`](Self::peek_sender). Only the last task that polled for receiving is woken.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.datagrams.poll_io(cx, Direction::Read, sender)
    }

    /// As [`peek`](Self::peek), into the free part of a buffer. Only the last task that polled for receiving is woken.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    #[cfg(feature = "io")]
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut crate::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let peek = |socket: &net::UdpSocket, free: &mut [_]| Ok((lent(socket).peek(free)?, ()));
        self.datagrams.poll_fill(cx, buf, peek)
    }

    /// As [`peek_from`](Self::peek_from), into the free part of a buffer. Only the last task that polled for receiving is woken.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    #[cfg(feature = "io")]
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut crate::io::ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let peek = |socket: &net::UdpSocket, free: &mut [_]| {
            let (n, address) = lent(socket).peek_from(free)?;
            Ok((n, address.as_socket().ok_or_else(no_address)?))
        };
        self.datagrams.poll_fill(cx, buf, peek)
    }
}

fn sender(socket: &net::UdpSocket) -> io::Result<SocketAddr> {
    let address = lent(socket).peek_sender()?;
    address.as_socket().ok_or_else(no_address)
}
