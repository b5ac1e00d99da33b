//! Macros that give the types before the byte streams their methods for readiness, and for I/O that does not wait.

/// `readable`, `try_read` and their like, for types that are [`Carrier`](super::Carrier)s.
macro_rules! reading_methods {
    ($($reader:ty),+ $(,)?) => {$(
        impl $reader {
            /// Waits until there is something to read: data, the end of the stream, or an error.
            ///
            /// Then use [`try_read`](Self::try_read), which may still answer `WouldBlock`. Several tasks may wait.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: once an event has come, `readable` returns at once until a read answers `WouldBlock`.
            #[doc(alias = "wait_readable")]
            pub async fn readable(&self) -> ::std::io::Result<()> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                let ready = source.ready($crate::driver::Direction::Read);
                $crate::task::coop::cooperative(ready).await.map(drop)
            }

            /// As [`readable`](Self::readable). Only the last task that polled for reading, by this or by a trait, is woken.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            pub fn poll_read_ready(
                &self,
                cx: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                let poll = |cx: &mut ::std::task::Context<'_>| source.poll_ready(cx, $crate::driver::Direction::Read);
                $crate::coop::poll_counted(cx, poll).map(|event| event.map(drop))
            }

            /// Reads what is there, without waiting, and returns how much that was. 0: the end of the stream, or `buf` is
            /// empty.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if nothing is there, as far as is known; see [`readable`](Self::readable). What the system says;
            /// that the runtime has shut down.
            pub fn try_read(&self, buf: &mut [u8]) -> ::std::io::Result<usize> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                source.try_io($crate::driver::Direction::Read, |fd| {
                    $crate::net::stream::ReadFd::read(fd, buf)
                })
            }

            /// As [`try_read`](Self::try_read), into the next free part of a buffer, which it then counts as filled.
            ///
            /// # Errors
            ///
            /// As [`try_read`](Self::try_read).
            #[cfg(feature = "io")]
            pub fn try_read_buf<B: ::bytes::BufMut>(&self, buf: &mut B) -> ::std::io::Result<usize> {
                $crate::net::stream::Carrier::bytes(self).try_read_buf(buf)
            }

            /// As [`try_read`](Self::try_read), into several buffers, one after the other.
            ///
            /// # Errors
            ///
            /// As [`try_read`](Self::try_read).
            pub fn try_read_vectored(
                &self,
                bufs: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::io::Result<usize> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                source.try_io($crate::driver::Direction::Read, |fd| {
                    $crate::net::stream::ReadFd::read_slices(fd, bufs)
                })
            }
        }
    )+};
}

/// `writable`, `try_write` and their like, for types that are [`Carrier`](super::Carrier)s.
macro_rules! writing_methods {
    ($($writer:ty),+ $(,)?) => {$(
        impl $writer {
            /// Waits until it can be written to: there is room, or an error is there.
            ///
            /// Then use [`try_write`](Self::try_write), which may still answer `WouldBlock`. Several tasks may wait.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: once an event has come, `writable` returns at once until a write answers `WouldBlock`.
            #[doc(alias = "wait_writable")]
            pub async fn writable(&self) -> ::std::io::Result<()> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                let ready = source.ready($crate::driver::Direction::Write);
                $crate::task::coop::cooperative(ready).await.map(drop)
            }

            /// As [`writable`](Self::writable). Only the last task that polled for writing, by this or by a trait, is woken.
            ///
            /// # Errors
            ///
            /// That the runtime has shut down.
            pub fn poll_write_ready(
                &self,
                cx: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                let poll = |cx: &mut ::std::task::Context<'_>| source.poll_ready(cx, $crate::driver::Direction::Write);
                $crate::coop::poll_counted(cx, poll).map(|event| event.map(drop))
            }

            /// Writes what there is room for, without waiting, and returns how much that was.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is no room, as far as is known; see [`writable`](Self::writable).
            /// [`BrokenPipe`](std::io::ErrorKind::BrokenPipe) if nobody can read it any more (no signal is raised), or what
            /// else the system says; that the runtime has shut down.
            pub fn try_write(&self, buf: &[u8]) -> ::std::io::Result<usize> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                source.try_io($crate::driver::Direction::Write, |fd| {
                    $crate::net::stream::WriteFd::write(fd, buf)
                })
            }

            /// As [`try_write`](Self::try_write), from several buffers, one after the other.
            ///
            /// # Errors
            ///
            /// As [`try_write`](Self::try_write).
            pub fn try_write_vectored(
                &self,
                bufs: &[::std::io::IoSlice<'_>],
            ) -> ::std::io::Result<usize> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                source.try_io($crate::driver::Direction::Write, |fd| {
                    $crate::net::stream::WriteFd::write_slices(fd, bufs)
                })
            }
        }
    )+};
}

/// `ready`, for types that are [`Carrier`](super::Carrier)s.
macro_rules! ready_method {
    ($($stream:ty),+ $(,)?) => {$(
        impl $stream {
            /// Waits until anything of `interest` is there, and says what is.
            ///
            /// What it says may be out of date: an operation may still answer `WouldBlock`. Several tasks may wait. Of what the
            /// descriptor cannot do, such as writing to the end of a pipe that is read, nothing ever comes.
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
                let source = $crate::net::stream::Carrier::bytes(self).source();
                Ok($crate::io::readiness::ready(source, interest).await?.ready())
            }
        }
    )+};
}

/// `try_io` and `async_io`, for sockets that are [`Carrier`](super::Carrier)s.
macro_rules! socket_io_methods {
    ($($stream:ty),+ $(,)?) => {$(
        impl $stream {
            /// Runs `f`, a system call of your own on this socket, if anything of `interest` is known to be there.
            ///
            /// If `f` answers `WouldBlock`, the readiness is forgotten, so it must say so only if the system did. Do not use
            /// the methods of this type in it.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if nothing of `interest` is there (`f` was not called), or what `f` says; that the runtime has
            /// shut down.
            pub fn try_io<R>(
                &self,
                interest: $crate::io::Interest,
                f: impl FnOnce() -> ::std::io::Result<R>,
            ) -> ::std::io::Result<R> {
                let source = $crate::net::stream::Carrier::bytes(self).source();
                $crate::io::readiness::try_io(source, interest, f)
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
                let source = $crate::net::stream::Carrier::bytes(self).source();
                $crate::io::readiness::async_io(source, interest, f).await
            }
        }
    )+};
}

pub(crate) use {reading_methods, ready_method, socket_io_methods, writing_methods};
