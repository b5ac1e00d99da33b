//! A macro that gives the types before datagram sockets the methods that all of them have.

/// `$socket` has a field `datagrams`, a [`Datagrams`](super::Datagrams) of `$std`; `$address` is made from the address of `$std`.
macro_rules! datagram_methods {
    ($socket:ident, $std:ty, $address:ty) => {
        impl $socket {
            /// Takes over a socket of the standard library, and puts it into non-blocking mode.
            ///
            /// # Errors
            ///
            /// What the system says when it refuses to watch the socket, or that the runtime has shut down. The socket is closed
            /// then.
            ///
            /// # Panics
            ///
            /// Outside of a runtime, if the default one cannot be started.
            pub fn from_std(socket: $std) -> ::std::io::Result<Self> {
                let datagrams = $crate::net::datagram::Datagrams::new(socket)?;
                Ok(Self { datagrams })
            }

            /// Gives the socket back to the standard library. It stays in non-blocking mode.
            ///
            /// # Errors
            ///
            /// None at present.
            pub fn into_std(self) -> ::std::io::Result<$std> {
                Ok(self.datagrams.into_inner())
            }

            /// Sends a datagram to the peer that the socket is connected to, and returns its size.
            ///
            /// # Errors
            ///
            /// What the system says: that the datagram is too large, that there is no peer, or that an earlier one was refused.
            /// Also that the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: a datagram is sent whole or not at all.
            pub async fn send(&self, buf: &[u8]) -> ::std::io::Result<usize> {
                let send = |socket: &$std| socket.send(buf);
                self.datagrams
                    .io($crate::driver::Direction::Write, send)
                    .await
            }

            /// As [`send`](Self::send), without waiting.
            ///
            /// # Errors
            ///
            /// As [`send`](Self::send); `WouldBlock` if there is no room, as far as is known, see [`writable`](Self::writable).
            pub fn try_send(&self, buf: &[u8]) -> ::std::io::Result<usize> {
                let send = |socket: &$std| socket.send(buf);
                self.datagrams
                    .try_io($crate::driver::Direction::Write, send)
            }

            /// As [`send`](Self::send). Only the last task that polled for sending is woken.
            ///
            /// # Errors
            ///
            /// As [`send`](Self::send).
            pub fn poll_send(
                &self,
                cx: &mut ::std::task::Context<'_>,
                buf: &[u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                let send = |socket: &$std| socket.send(buf);
                self.datagrams
                    .poll_io(cx, $crate::driver::Direction::Write, send)
            }

            /// Receives a datagram, and returns how many bytes of it are in `buf`. What does not fit is lost. 0 is an empty one.
            ///
            /// A socket that is connected receives from its peer only.
            ///
            /// # Errors
            ///
            /// What the system says (for a connected socket also that what it sent was refused), or that the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no datagram is lost.
            pub async fn recv(&self, buf: &mut [u8]) -> ::std::io::Result<usize> {
                let recv = |socket: &$std| socket.recv(buf);
                self.datagrams
                    .io($crate::driver::Direction::Read, recv)
                    .await
            }

            /// As [`recv`](Self::recv), without waiting.
            ///
            /// # Errors
            ///
            /// As [`recv`](Self::recv); `WouldBlock` if nothing is there, as far as is known, see [`readable`](Self::readable).
            pub fn try_recv(&self, buf: &mut [u8]) -> ::std::io::Result<usize> {
                let recv = |socket: &$std| socket.recv(buf);
                self.datagrams.try_io($crate::driver::Direction::Read, recv)
            }

            /// As [`recv`](Self::recv), and returns also where the datagram comes from.
            ///
            /// # Errors
            ///
            /// As [`recv`](Self::recv).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no datagram is lost.
            pub async fn recv_from(&self, buf: &mut [u8]) -> ::std::io::Result<(usize, $address)> {
                let recv = |socket: &$std| socket.recv_from(buf);
                let (n, address) = self
                    .datagrams
                    .io($crate::driver::Direction::Read, recv)
                    .await?;
                Ok((n, address.into()))
            }

            /// As [`recv_from`](Self::recv_from), without waiting.
            ///
            /// # Errors
            ///
            /// As [`try_recv`](Self::try_recv).
            pub fn try_recv_from(&self, buf: &mut [u8]) -> ::std::io::Result<(usize, $address)> {
                let recv = |socket: &$std| socket.recv_from(buf);
                let (n, address) = self
                    .datagrams
                    .try_io($crate::driver::Direction::Read, recv)?;
                Ok((n, address.into()))
            }

            /// Waits until anything of `interest` is there, and says what is.
            ///
            /// What it says may be out of date: an operation may still answer `WouldBlock`. Several tasks may wait.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: once an event has come, `ready` returns at once until an operation answers `WouldBlock`.
            pub async fn ready(
                &self,
                interest: $crate::io::Interest,
            ) -> ::std::io::Result<$crate::io::Ready> {
                let seen = $crate::io::readiness::ready(self.datagrams.source(), interest).await?;
                Ok(seen.ready())
            }

            /// Waits until there is something to receive: a datagram or an error.
            ///
            /// Then use [`try_recv`](Self::try_recv), which may still answer `WouldBlock`. Several tasks may wait.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// As [`ready`](Self::ready).
            #[doc(alias = "wait_readable")]
            pub async fn readable(&self) -> ::std::io::Result<()> {
                self.datagrams.ready($crate::driver::Direction::Read).await
            }

            /// Waits until there is room to send, or an error. A new socket counts as having room at once.
            ///
            /// Then use [`try_send`](Self::try_send), which may still answer `WouldBlock`. Several tasks may wait.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// As [`ready`](Self::ready).
            #[doc(alias = "wait_writable")]
            pub async fn writable(&self) -> ::std::io::Result<()> {
                self.datagrams.ready($crate::driver::Direction::Write).await
            }

            /// As [`readable`](Self::readable). Only the last task that polled for receiving is woken.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            pub fn poll_recv_ready(
                &self,
                cx: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                self.datagrams
                    .poll_ready(cx, $crate::driver::Direction::Read)
            }

            /// As [`writable`](Self::writable). Only the last task that polled for sending is woken.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            pub fn poll_send_ready(
                &self,
                cx: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                self.datagrams
                    .poll_ready(cx, $crate::driver::Direction::Write)
            }

            /// Runs `f`, a system call of your own on this socket, if anything of `interest` is known to be there.
            ///
            /// If `f` answers `WouldBlock`, the readiness is forgotten, so it must say so only if the system did. Do not use the
            /// methods of this type in it.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if nothing of `interest` is there (`f` was not called), or what `f` says; that the runtime has shut
            /// down.
            pub fn try_io<R>(
                &self,
                interest: $crate::io::Interest,
                f: impl FnOnce() -> ::std::io::Result<R>,
            ) -> ::std::io::Result<R> {
                $crate::io::readiness::try_io(self.datagrams.source(), interest, f)
            }

            /// Waits for `interest` and runs `f`, a system call of your own on this socket, until it answers anything but
            /// `WouldBlock`.
            ///
            /// As for [`try_io`](Self::try_io), `WouldBlock` must come from the system.
            ///
            /// # Errors
            ///
            /// What `f` says; that the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropping the future only ends the wait, and `f` runs without interruption.
            pub async fn async_io<R>(
                &self,
                interest: $crate::io::Interest,
                f: impl FnMut() -> ::std::io::Result<R>,
            ) -> ::std::io::Result<R> {
                $crate::io::readiness::async_io(self.datagrams.source(), interest, f).await
            }

            /// Fetches and clears the error that is pending on the socket, if any.
            ///
            /// # Errors
            ///
            /// What the system says when it is asked.
            pub fn take_error(&self) -> ::std::io::Result<Option<::std::io::Error>> {
                self.datagrams.get_ref().take_error()
            }
        }

        /// With buffers that need not be initialized.
        #[cfg(feature = "io")]
        impl $socket {
            /// As [`recv`](Self::recv), into the free part of a buffer. Only the last task that polled for receiving is woken.
            ///
            /// # Errors
            ///
            /// As [`recv`](Self::recv).
            pub fn poll_recv(
                &self,
                cx: &mut ::std::task::Context<'_>,
                buf: &mut $crate::io::ReadBuf<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                self.datagrams
                    .poll_fill(cx, buf, $crate::net::datagram::Datagram::recv_uninit)
            }

            /// As [`recv_from`](Self::recv_from), into the free part of a buffer. Only the last task that polled for receiving is
            /// woken.
            ///
            /// # Errors
            ///
            /// As [`recv`](Self::recv).
            pub fn poll_recv_from(
                &self,
                cx: &mut ::std::task::Context<'_>,
                buf: &mut $crate::io::ReadBuf<'_>,
            ) -> ::std::task::Poll<::std::io::Result<$address>> {
                let recv = $crate::net::datagram::Datagram::recv_from_uninit;
                self.datagrams.poll_fill(cx, buf, recv).map_ok(Into::into)
            }

            /// As [`recv`](Self::recv), into the next free part of a buffer, which it then counts as filled.
            ///
            /// A datagram that is larger than that part is cut off: reserve enough before.
            ///
            /// # Errors
            ///
            /// As [`recv`](Self::recv).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no datagram is lost.
            pub async fn recv_buf<B: ::bytes::BufMut>(
                &self,
                buf: &mut B,
            ) -> ::std::io::Result<usize> {
                let recv = |socket: &$std| {
                    let recv = |chunk: &mut [_]| {
                        $crate::net::datagram::Datagram::recv_uninit(socket, chunk)
                    };
                    $crate::net::datagram::fill_chunk(buf, recv)
                };
                let (n, ()) = self
                    .datagrams
                    .io($crate::driver::Direction::Read, recv)
                    .await?;
                Ok(n)
            }

            /// As [`recv_buf`](Self::recv_buf), without waiting.
            ///
            /// # Errors
            ///
            /// As [`try_recv`](Self::try_recv).
            pub fn try_recv_buf<B: ::bytes::BufMut>(
                &self,
                buf: &mut B,
            ) -> ::std::io::Result<usize> {
                let recv = |socket: &$std| {
                    let recv = |chunk: &mut [_]| {
                        $crate::net::datagram::Datagram::recv_uninit(socket, chunk)
                    };
                    $crate::net::datagram::fill_chunk(buf, recv)
                };
                let (n, ()) = self
                    .datagrams
                    .try_io($crate::driver::Direction::Read, recv)?;
                Ok(n)
            }

            /// As [`recv_buf`](Self::recv_buf), and returns also where the datagram comes from.
            ///
            /// # Errors
            ///
            /// As [`recv`](Self::recv).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no datagram is lost.
            pub async fn recv_buf_from<B: ::bytes::BufMut>(
                &self,
                buf: &mut B,
            ) -> ::std::io::Result<(usize, $address)> {
                let recv = |socket: &$std| {
                    let recv = |chunk: &mut [_]| {
                        $crate::net::datagram::Datagram::recv_from_uninit(socket, chunk)
                    };
                    $crate::net::datagram::fill_chunk(buf, recv)
                };
                let (n, address) = self
                    .datagrams
                    .io($crate::driver::Direction::Read, recv)
                    .await?;
                Ok((n, address.into()))
            }

            /// As [`recv_buf_from`](Self::recv_buf_from), without waiting.
            ///
            /// # Errors
            ///
            /// As [`try_recv`](Self::try_recv).
            pub fn try_recv_buf_from<B: ::bytes::BufMut>(
                &self,
                buf: &mut B,
            ) -> ::std::io::Result<(usize, $address)> {
                let recv = |socket: &$std| {
                    let recv = |chunk: &mut [_]| {
                        $crate::net::datagram::Datagram::recv_from_uninit(socket, chunk)
                    };
                    $crate::net::datagram::fill_chunk(buf, recv)
                };
                let (n, address) = self
                    .datagrams
                    .try_io($crate::driver::Direction::Read, recv)?;
                Ok((n, address.into()))
            }
        }

        impl TryFrom<$std> for $socket {
            type Error = ::std::io::Error;

            /// As `from_std`.
            fn try_from(socket: $std) -> ::std::io::Result<Self> {
                Self::from_std(socket)
            }
        }

        impl ::std::os::fd::AsFd for $socket {
            fn as_fd(&self) -> ::std::os::fd::BorrowedFd<'_> {
                ::std::os::fd::AsFd::as_fd(self.datagrams.get_ref())
            }
        }

        impl ::std::os::fd::AsRawFd for $socket {
            fn as_raw_fd(&self) -> ::std::os::fd::RawFd {
                ::std::os::fd::AsRawFd::as_raw_fd(self.datagrams.get_ref())
            }
        }

        impl ::std::fmt::Debug for $socket {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(self.datagrams.get_ref(), f)
            }
        }
    };
}

pub(crate) use datagram_methods;
