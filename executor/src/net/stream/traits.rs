//! Macros that put the two families of I/O traits before the byte streams: `futures`' always, tokio's with the feature `io`.

/// Implements both families' `AsyncRead` for types that are [`Carrier`](super::Carrier)s.
macro_rules! async_read {
    ($($reader:ty),+ $(,)?) => {$(
        impl ::futures::io::AsyncRead for $reader {
            fn poll_read(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                buf: &mut [u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                $crate::net::stream::Carrier::bytes(&*self).poll_read(cx, buf)
            }

            fn poll_read_vectored(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                bufs: &mut [::std::io::IoSliceMut<'_>],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                $crate::net::stream::Carrier::bytes(&*self).poll_read_slices(cx, bufs)
            }
        }

        #[cfg(feature = "io")]
        impl ::tokio::io::AsyncRead for $reader {
            fn poll_read(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                buf: &mut ::tokio::io::ReadBuf<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                $crate::net::stream::Carrier::bytes(&*self).poll_read_buf(cx, buf)
            }
        }
    )+};
}

/// Implements both families' `AsyncWrite` for types that are [`Carrier`](super::Carrier)s.
macro_rules! async_write {
    ($($writer:ty),+ $(,)?) => {$(
        impl ::futures::io::AsyncWrite for $writer {
            fn poll_write(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                buf: &[u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                $crate::net::stream::Carrier::bytes(&*self).poll_write(cx, buf)
            }

            fn poll_write_vectored(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                bufs: &[::std::io::IoSlice<'_>],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                $crate::net::stream::Carrier::bytes(&*self).poll_write_slices(cx, bufs)
            }

            /// Returns at once: nothing is buffered here.
            fn poll_flush(
                self: ::std::pin::Pin<&mut Self>,
                _: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                ::std::task::Poll::Ready(Ok(()))
            }

            /// Ends the writing direction of a socket, which stays open for reading. A pipe has to be dropped instead.
            fn poll_close(
                self: ::std::pin::Pin<&mut Self>,
                _: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                ::std::task::Poll::Ready($crate::net::stream::Carrier::bytes(&*self).shut_down_write())
            }
        }

        #[cfg(feature = "io")]
        impl ::tokio::io::AsyncWrite for $writer {
            fn poll_write(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                buf: &[u8],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                $crate::net::stream::Carrier::bytes(&*self).poll_write(cx, buf)
            }

            fn poll_write_vectored(
                self: ::std::pin::Pin<&mut Self>,
                cx: &mut ::std::task::Context<'_>,
                bufs: &[::std::io::IoSlice<'_>],
            ) -> ::std::task::Poll<::std::io::Result<usize>> {
                $crate::net::stream::Carrier::bytes(&*self).poll_write_slices(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            /// Returns at once: nothing is buffered here.
            fn poll_flush(
                self: ::std::pin::Pin<&mut Self>,
                _: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                ::std::task::Poll::Ready(Ok(()))
            }

            /// Ends the writing direction of a socket, which stays open for reading. A pipe has to be dropped instead.
            fn poll_shutdown(
                self: ::std::pin::Pin<&mut Self>,
                _: &mut ::std::task::Context<'_>,
            ) -> ::std::task::Poll<::std::io::Result<()>> {
                ::std::task::Poll::Ready($crate::net::stream::Carrier::bytes(&*self).shut_down_write())
            }
        }
    )+};
}

pub(crate) use {async_read, async_write};
