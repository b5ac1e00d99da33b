//! The small values of the border: a direction, an interest, and the readiness that was seen.

use std::fmt;
use std::ops::BitOr;

use crate::readiness::{Snapshot, Wanted};

/// One of the ways in which a source becomes ready. Reading and writing are independent of each other; the others come with reading,
/// and share its place in [`Source::poll_ready`](crate::Source::poll_ready).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Data, a connection to accept, the peer's end of stream, or an error can be read.
    Read,
    /// There is room to write, a connection attempt has ended, or an error can be fetched.
    Write,
    /// Priority (urgent, out-of-band) data is there, or the peer's end of stream. Asks for `Interest::PRIORITY`.
    Priority,
    /// An error can be fetched, by any operation that does. Every source is told of errors, whatever its interest.
    Error,
}

impl Direction {
    /// What it waits for in the word of its direction.
    pub(crate) const fn wanted(self) -> Wanted {
        match self {
            Self::Read | Self::Write => Wanted::Transfer,
            Self::Priority => Wanted::Priority,
            Self::Error => Wanted::Fault,
        }
    }
}

/// The directions a source is registered for.
///
/// A direction that was not asked for shows hang-ups and errors only: waiting for it can take for ever.
///
/// ```
/// use reactor::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable() && both.is_writable());
/// assert!(!Interest::READABLE.is_writable());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(mio::Interest);

impl Interest {
    /// Only [`Direction::Read`].
    pub const READABLE: Self = Self(mio::Interest::READABLE);
    /// Only [`Direction::Write`].
    pub const WRITABLE: Self = Self(mio::Interest::WRITABLE);

    /// Only [`Direction::Priority`]. On these systems alone.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const PRIORITY: Self = Self(mio::Interest::PRIORITY);

    /// Whether [`Direction::Read`] is part of it.
    pub const fn is_readable(self) -> bool {
        self.0.is_readable()
    }

    /// Whether [`Direction::Write`] is part of it.
    pub const fn is_writable(self) -> bool {
        self.0.is_writable()
    }

    /// The same in mio's words.
    pub(crate) const fn to_mio(self) -> mio::Interest {
        self.0
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The readiness of one direction of one source, as it stood when it was looked at.
///
/// It carries the tick of that look, so that [`Source::clear_ready`](crate::Source::clear_ready) can tell whether a
/// newer event has come since. It belongs to the source it came from and means nothing to any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadyEvent {
    direction: Direction,
    snapshot: Snapshot,
}

impl ReadyEvent {
    pub(crate) const fn new(direction: Direction, snapshot: Snapshot) -> Self {
        Self {
            direction,
            snapshot,
        }
    }

    pub(crate) const fn snapshot(self) -> Snapshot {
        self.snapshot
    }

    /// The direction that was looked at.
    pub const fn direction(self) -> Direction {
        self.direction
    }

    /// Whether the operation is worth trying for another reason than a hang-up.
    pub const fn is_ready(self) -> bool {
        self.snapshot.is_ready()
    }

    /// Whether there is priority data.
    pub const fn is_priority(self) -> bool {
        self.snapshot.is_priority()
    }

    /// Whether this direction has been hung up: the peer closed or reset, or this side was shut down.
    ///
    /// It is what the operating system said at the last event; only the operation itself knows whether data is left.
    pub const fn is_closed(self) -> bool {
        self.snapshot.is_closed()
    }

    /// Whether the operating system reported an error, which the next operation (or `take_error`) fetches.
    pub const fn is_error(self) -> bool {
        match self.direction {
            Direction::Error => self.snapshot.is_fault(),
            _ => self.snapshot.is_error(),
        }
    }
}
