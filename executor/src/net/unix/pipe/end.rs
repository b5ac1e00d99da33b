//! A macro that gives the two ends of a pipe what they have in common: how they come from descriptors, and become descriptors again.

/// `$end` has a field `bytes`, a `ByteStream` of `$fd`, and a function `register`. The texts say what it does, and what it is when it can.
macro_rules! pipe_end {
    ($end:ident, $fd:ident, $direction:ident, $doing:literal, $able:literal) => {
        impl $end {
            /// Takes over a pipe that was opened elsewhere, and puts it into non-blocking mode.
            ///
            /// Whoever shares what was opened, such as another process, finds it in non-blocking mode too.
            ///
            /// # Errors
            ///
            #[doc = concat!("[`InvalidInput`](std::io::ErrorKind::InvalidInput) if this is not a pipe, or not open for ", $doing, "; what the system")]
            /// says; that the runtime has shut down. The file is closed then.
            ///
            /// # Panics
            ///
            /// Outside of a runtime, if the default one cannot be started.
            pub fn from_file(file: ::std::fs::File) -> ::std::io::Result<Self> {
                let fd = super::descriptor::adopt(file, super::descriptor::End::$end)?;
                Self::register(fd.into())
            }

            /// As [`from_file`](Self::from_file), of a descriptor.
            ///
            /// # Errors
            ///
            /// As [`from_file`](Self::from_file).
            ///
            /// # Panics
            ///
            /// As [`from_file`](Self::from_file).
            pub fn from_owned_fd(owned_fd: ::std::os::fd::OwnedFd) -> ::std::io::Result<Self> {
                Self::from_file(owned_fd.into())
            }

            #[doc = concat!("As [`from_file`](Self::from_file), without a look at the file: it must be a pipe, open for ", $doing, " and in")]
            #[doc = concat!("non-blocking mode. Otherwise ", $doing, " may fail, or block the thread.")]
            ///
            /// # Errors
            ///
            /// What the system says when it refuses to watch the file; that the runtime has shut down.
            ///
            /// # Panics
            ///
            /// As [`from_file`](Self::from_file).
            pub fn from_file_unchecked(file: ::std::fs::File) -> ::std::io::Result<Self> {
                Self::from_owned_fd_unchecked(file.into())
            }

            /// As [`from_file_unchecked`](Self::from_file_unchecked), of a descriptor.
            ///
            /// # Errors
            ///
            /// As [`from_file_unchecked`](Self::from_file_unchecked).
            ///
            /// # Panics
            ///
            /// As [`from_file`](Self::from_file).
            pub fn from_owned_fd_unchecked(owned_fd: ::std::os::fd::OwnedFd) -> ::std::io::Result<Self> {
                Self::register(owned_fd.into())
            }

            #[doc = concat!("Runs `f`, a system call of your own on this pipe, if it is known to be ", $able, ".")]
            ///
            /// If `f` answers `WouldBlock`, the readiness is forgotten, so it must say so only if the system did. Do not use the
            /// methods of this type in it.
            ///
            /// # Errors
            ///
            #[doc = concat!("`WouldBlock` if it is not ", $able, " (`f` was not called), or what `f` says; that the runtime has shut down.")]
            pub fn try_io<R>(&self, f: impl FnOnce() -> ::std::io::Result<R>) -> ::std::io::Result<R> {
                self.bytes.source().try_io($crate::driver::Direction::$direction, |_| f())
            }

            /// Gives the descriptor back, in blocking mode: what a child process expects.
            ///
            /// # Errors
            ///
            /// What the system says. The pipe is closed then.
            pub fn into_blocking_fd(self) -> ::std::io::Result<::std::os::fd::OwnedFd> {
                let fd = self.into_nonblocking_fd()?;
                super::descriptor::set_nonblocking(&fd, false)?;
                Ok(fd)
            }

            /// Gives the descriptor back, in non-blocking mode.
            ///
            /// # Errors
            ///
            /// None at present.
            pub fn into_nonblocking_fd(self) -> ::std::io::Result<::std::os::fd::OwnedFd> {
                Ok(self.bytes.into_inner().into())
            }
        }

        impl $crate::net::stream::Carrier for $end {
            type Fd = $fd;

            fn bytes(&self) -> &$crate::net::stream::ByteStream<$fd> {
                &self.bytes
            }
        }

        impl ::std::os::fd::AsFd for $end {
            fn as_fd(&self) -> ::std::os::fd::BorrowedFd<'_> {
                ::std::os::fd::AsFd::as_fd(self.bytes.get_ref())
            }
        }

        impl ::std::os::fd::AsRawFd for $end {
            fn as_raw_fd(&self) -> ::std::os::fd::RawFd {
                ::std::os::fd::AsRawFd::as_raw_fd(self.bytes.get_ref())
            }
        }
    };
}

pub(super) use pipe_end;
