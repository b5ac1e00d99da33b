//! `Ready`: what has come of what was waited for.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

use crate::driver::{Direction, ReadyEvent};

/// A set of the ways in which a source is ready.
///
/// ```
/// use executor::io::Ready;
///
/// let ready = Ready::READABLE | Ready::WRITE_CLOSED;
/// assert!(ready.is_readable() && ready.is_writable());
/// assert_eq!(ready - Ready::READABLE, Ready::WRITE_CLOSED);
/// assert!((ready & Ready::ERROR).is_empty());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const EMPTY: Self = Self(0);
    /// Reading is worth a try.
    pub const READABLE: Self = Self(1);
    /// Writing is worth a try.
    pub const WRITABLE: Self = Self(1 << 1);
    /// Nothing more will come: the peer has closed, or reading was shut down. What came before may still be there.
    pub const READ_CLOSED: Self = Self(1 << 2);
    /// Nothing more can be written.
    pub const WRITE_CLOSED: Self = Self(1 << 3);
    /// Priority data is there.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const PRIORITY: Self = Self(PRIORITY);
    /// An error is there.
    pub const ERROR: Self = Self(1 << 5);
    /// All of these.
    pub const ALL: Self = Self(
        Self::READABLE.0
            | Self::WRITABLE.0
            | Self::READ_CLOSED.0
            | Self::WRITE_CLOSED.0
            | PRIORITY
            | Self::ERROR.0,
    );

    /// Whether it is [`EMPTY`](Self::EMPTY).
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    /// Whether reading does not block: [`READABLE`](Self::READABLE) or [`READ_CLOSED`](Self::READ_CLOSED).
    pub fn is_readable(self) -> bool {
        self.has_any(Self::READABLE | Self::READ_CLOSED)
    }

    /// Whether writing does not block: [`WRITABLE`](Self::WRITABLE) or [`WRITE_CLOSED`](Self::WRITE_CLOSED).
    pub fn is_writable(self) -> bool {
        self.has_any(Self::WRITABLE | Self::WRITE_CLOSED)
    }

    /// Whether [`READ_CLOSED`](Self::READ_CLOSED) is part of it.
    pub fn is_read_closed(self) -> bool {
        self.has_any(Self::READ_CLOSED)
    }

    /// Whether [`WRITE_CLOSED`](Self::WRITE_CLOSED) is part of it.
    pub fn is_write_closed(self) -> bool {
        self.has_any(Self::WRITE_CLOSED)
    }

    /// Whether [`PRIORITY`](Self::PRIORITY) is part of it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn is_priority(self) -> bool {
        self.has_any(Self::PRIORITY)
    }

    /// Whether [`ERROR`](Self::ERROR) is part of it.
    pub fn is_error(self) -> bool {
        self.has_any(Self::ERROR)
    }

    /// All that one direction can show.
    fn of(direction: Direction) -> Self {
        match direction {
            Direction::Read => Self::READABLE | Self::READ_CLOSED,
            Direction::Write => Self::WRITABLE | Self::WRITE_CLOSED,
            Direction::Priority => Self(PRIORITY) | Self::READ_CLOSED,
            Direction::Error => Self::ERROR,
        }
    }

    fn has_any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }
}

impl From<ReadyEvent> for Ready {
    /// What was seen of the event's own direction.
    fn from(event: ReadyEvent) -> Self {
        let shown = [
            (event.is_ready(), Self::READABLE | Self::WRITABLE),
            (event.is_closed(), Self::READ_CLOSED | Self::WRITE_CLOSED),
            (event.is_priority(), Self(PRIORITY)),
            (event.is_error(), Self::ERROR),
        ];
        let shown = shown
            .into_iter()
            .filter_map(|(on, ready)| on.then_some(ready))
            .fold(Self::EMPTY, BitOr::bitor);
        shown & Self::of(event.direction())
    }
}

impl BitOr for Ready {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl BitAnd for Ready {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Sub for Ready {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("is_readable", &self.is_readable())
            .field("is_writable", &self.is_writable())
            .field("is_read_closed", &self.is_read_closed())
            .field("is_write_closed", &self.is_write_closed())
            .field("is_priority", &self.has_any(Self(PRIORITY)))
            .field("is_error", &self.is_error())
            .finish()
    }
}

/// Stays off where the system has no such thing.
const PRIORITY: u8 = 1 << 4;
