//! A macro that defines the halves of a stream: those that borrow it, and those that share it and can become one again.

/// Defines the four halves of `$stream`, whose addresses are `$addr`, and the two functions that make them.
///
/// A macro, because the halves of each stream are types of their own, with their own page in the documentation.
macro_rules! halves {
    ($stream:ident, $addr:ty) => {
        #[doc = concat!("The reading half of a [`", stringify!($stream), "`] that was [`split`](", stringify!($stream), "::split).")]
        #[derive(Debug)]
        pub struct ReadHalf<'a>(pub(super) &'a $stream);

        #[doc = concat!("The writing half of a [`", stringify!($stream), "`] that was [`split`](", stringify!($stream), "::split).")]
        ///
        /// Dropping it does nothing: the stream goes on.
        #[derive(Debug)]
        pub struct WriteHalf<'a>(pub(super) &'a $stream);

        #[doc = concat!("The reading half of a [`", stringify!($stream), "`] that went [`into_split`](", stringify!($stream), "::into_split).")]
        #[derive(Debug)]
        pub struct OwnedReadHalf {
            stream: ::std::sync::Arc<$stream>,
        }

        #[doc = concat!("The writing half of a [`", stringify!($stream), "`] that went [`into_split`](", stringify!($stream), "::into_split).")]
        ///
        /// Dropping it shuts the writing direction down, so that the peer reads the end of the stream; not in a forked child, whose
        /// parent has the direction as well. See [`forget`](Self::forget) to leave it open.
        #[derive(Debug)]
        pub struct OwnedWriteHalf {
            stream: ::std::sync::Arc<$stream>,
            shut_down_on_drop: bool,
        }

        /// Two halves of different streams, which cannot be reunited.
        #[derive(Debug)]
        pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

        impl $stream {
            /// Borrows the stream as two halves, for two futures of one task.
            pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
                (ReadHalf(self), WriteHalf(self))
            }

            /// Shares the stream between two halves, for two tasks.
            ///
            /// Dropping the [`OwnedWriteHalf`] ends the writing direction. The connection closes when both are dropped.
            pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
                let stream = ::std::sync::Arc::new(self);
                let read = OwnedReadHalf { stream: stream.clone() };
                (read, OwnedWriteHalf { stream, shut_down_on_drop: true })
            }
        }

        impl OwnedReadHalf {
            /// Makes the stream whole again.
            ///
            /// # Errors
            ///
            /// If the halves are not of the same stream.
            pub fn reunite(self, other: OwnedWriteHalf) -> Result<$stream, ReuniteError> {
                if !::std::sync::Arc::ptr_eq(&self.stream, &other.stream) {
                    return Err(ReuniteError(self, other));
                }
                other.forget();
                let stream = ::std::sync::Arc::into_inner(self.stream);
                Ok(stream.expect("a stream has two halves, and both are here"))
            }
        }

        impl OwnedWriteHalf {
            /// Makes the stream whole again.
            ///
            /// # Errors
            ///
            /// If the halves are not of the same stream.
            pub fn reunite(self, other: OwnedReadHalf) -> Result<$stream, ReuniteError> {
                other.reunite(self)
            }

            /// Drops the half without shutting the writing direction down. The connection closes with the other half.
            pub fn forget(mut self) {
                self.shut_down_on_drop = false;
            }
        }

        impl Drop for OwnedWriteHalf {
            fn drop(&mut self) {
                let bytes = $crate::net::stream::Carrier::bytes(self);
                // Of a forked child's connections the direction is its parent's, too, which goes on with it.
                if self.shut_down_on_drop && !bytes.source().handle().was_forked() {
                    // An error means that the connection is gone, which the reader learns as well.
                    let _ = bytes.shut_down_write();
                }
            }
        }

        impl ::std::fmt::Display for ReuniteError {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(
                    "the halves belong to different streams: reunite those that came from one `into_split`",
                )
            }
        }

        impl ::std::error::Error for ReuniteError {}

        $crate::net::stream::halves!(@each ReadHalf<'_>, $stream, $addr);
        $crate::net::stream::halves!(@each WriteHalf<'_>, $stream, $addr);
        $crate::net::stream::halves!(@each OwnedReadHalf, $stream, $addr);
        $crate::net::stream::halves!(@each OwnedWriteHalf, $stream, $addr);

        impl AsRef<$stream> for ReadHalf<'_> {
            fn as_ref(&self) -> &$stream {
                self.0
            }
        }

        impl AsRef<$stream> for WriteHalf<'_> {
            fn as_ref(&self) -> &$stream {
                self.0
            }
        }

        impl AsRef<$stream> for OwnedReadHalf {
            fn as_ref(&self) -> &$stream {
                &self.stream
            }
        }

        impl AsRef<$stream> for OwnedWriteHalf {
            fn as_ref(&self) -> &$stream {
                &self.stream
            }
        }

        $crate::net::stream::ready_method!($stream, ReadHalf<'_>, WriteHalf<'_>, OwnedReadHalf, OwnedWriteHalf);
        $crate::net::stream::socket_io_methods!($stream);
        $crate::net::stream::reading_methods!($stream, ReadHalf<'_>, OwnedReadHalf);
        $crate::net::stream::writing_methods!($stream, WriteHalf<'_>, OwnedWriteHalf);
        $crate::net::stream::async_read!($stream, ReadHalf<'_>, OwnedReadHalf);
        $crate::net::stream::async_write!($stream, WriteHalf<'_>, OwnedWriteHalf);
    };
    (@each $half:ty, $stream:ident, $addr:ty) => {
        impl $half {
            /// The address of this end.
            ///
            /// # Errors
            ///
            /// What the system says.
            pub fn local_addr(&self) -> ::std::io::Result<$addr> {
                let stream: &$stream = self.as_ref();
                stream.local_addr()
            }

            /// The address of the other end.
            ///
            /// # Errors
            ///
            /// [`NotConnected`](::std::io::ErrorKind::NotConnected) after the peer has reset the connection, or what else
            /// the system says.
            pub fn peer_addr(&self) -> ::std::io::Result<$addr> {
                let stream: &$stream = self.as_ref();
                stream.peer_addr()
            }
        }

        impl $crate::net::stream::Carrier for $half {
            type Fd = <$stream as $crate::net::stream::Carrier>::Fd;

            fn bytes(&self) -> &$crate::net::stream::ByteStream<Self::Fd> {
                let stream: &$stream = self.as_ref();
                stream.bytes()
            }
        }
    };
}

pub(crate) use halves;
