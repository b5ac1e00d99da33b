//! Why nothing was put in or taken out.

use std::error::Error;
use std::fmt;

/// The queue is closed, and nothing is left in it.
#[doc(alias = "QueueShutDown")]
#[doc(alias = "EndOfChannel")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// The queue is closed; the item comes back.
#[doc(alias = "QueueShutDown")]
#[doc(alias = "BrokenResourceError")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PushError<T>(pub T);

/// Why nothing is put in without waiting. The item comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryPushError<T> {
    /// There is no room, or others wait for it.
    #[doc(alias = "QueueFull")]
    Full(T),
    /// The queue is closed.
    #[doc(alias = "QueueShutDown")]
    Closed(T),
}

/// Why nothing is taken out without waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryPopError {
    /// Nothing is there, or others wait for it.
    #[doc(alias = "QueueEmpty")]
    Empty,
    /// The queue is closed, and nothing is left in it.
    #[doc(alias = "QueueShutDown")]
    Closed,
}

impl<T> TryPushError<T> {
    /// The item.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is closed and empty")
    }
}

impl<T> fmt::Display for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue is closed")
    }
}

impl<T> fmt::Display for TryPushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the queue is full",
            Self::Closed(_) => "the queue is closed",
        })
    }
}

impl fmt::Display for TryPopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty",
            Self::Closed => "the queue is closed and empty",
        })
    }
}

// The item may have no `Debug`, and an error is often unwrapped.
impl<T> fmt::Debug for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushError(..)")
    }
}

impl<T> fmt::Debug for TryPushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl Error for Closed {}
impl<T> Error for PushError<T> {}
impl<T> Error for TryPushError<T> {}
impl Error for TryPopError {}
