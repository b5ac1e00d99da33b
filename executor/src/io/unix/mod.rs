//! Readiness of descriptors that this crate has no type for.

mod async_fd;
mod error;
mod guard;

pub use async_fd::AsyncFd;
pub use error::{AsyncFdRegisterError, TryIoError};
pub use guard::{AsyncFdReadyGuard, AsyncFdReadyMutGuard};

/// The former name of [`AsyncFdRegisterError`].
pub type AsyncFdTryNewError<T> = AsyncFdRegisterError<T>;
