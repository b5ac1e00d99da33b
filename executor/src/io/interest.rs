//! `Interest`: what somebody wants to wait for.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use crate::driver::{self, Direction};

/// What to wait for: that reading or writing is worth a try, or one of the rarer events.
///
/// A source is also registered for an interest; what it was not registered for may never come.
///
/// ```
/// use executor::io::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable() && both.is_writable());
/// assert_eq!(both.remove(Interest::WRITABLE), Some(Interest::READABLE));
/// assert_eq!(Interest::READABLE.remove(both), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// Reading: data, a connection to accept, the end of the stream, or an error.
    pub const READABLE: Self = Self(READABLE);
    /// Writing: room to write, the end of a connection attempt, or an error.
    pub const WRITABLE: Self = Self(WRITABLE);
    /// Errors alone, as they come for instance on the error queue of a socket. What they are depends on the system.
    pub const ERROR: Self = Self(ERROR);
    /// Priority data, which TCP calls urgent or out-of-band, or the end of the stream.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const PRIORITY: Self = Self(PRIORITY);

    /// Whether [`READABLE`](Self::READABLE) is part of it.
    pub const fn is_readable(self) -> bool {
        self.0 & READABLE != 0
    }

    /// Whether [`WRITABLE`](Self::WRITABLE) is part of it.
    pub const fn is_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// Whether [`ERROR`](Self::ERROR) is part of it.
    pub const fn is_error(self) -> bool {
        self.0 & ERROR != 0
    }

    /// Whether [`PRIORITY`](Self::PRIORITY) is part of it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const fn is_priority(self) -> bool {
        self.0 & PRIORITY != 0
    }

    /// Both together. `|` does the same.
    #[must_use = "the sum is returned, and `self` stays as it is"]
    pub const fn add(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This one without `other`, or `None` if nothing is left.
    #[must_use = "the rest is returned, and `self` stays as it is"]
    pub fn remove(self, other: Self) -> Option<Self> {
        let rest = self.0 & !other.0;
        (rest != 0).then_some(Self(rest))
    }

    /// What the reactor waits for, one entry for each kind of event.
    pub(super) fn directions(self) -> [Option<Direction>; 4] {
        let each = |part: u8, direction| (self.0 & part != 0).then_some(direction);
        [
            each(READABLE, Direction::Read),
            each(WRITABLE, Direction::Write),
            each(PRIORITY, Direction::Priority),
            each(ERROR, Direction::Error),
        ]
    }

    /// What to register a source for. The reactor is told of errors in any case, but takes no empty interest.
    pub(crate) fn to_driver(self) -> driver::Interest {
        let parts = [
            (READABLE, driver::Interest::READABLE),
            (WRITABLE, driver::Interest::WRITABLE),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            (PRIORITY, driver::Interest::PRIORITY),
        ];
        parts
            .into_iter()
            .filter_map(|(part, interest)| (self.0 & part != 0).then_some(interest))
            .reduce(BitOr::bitor)
            .unwrap_or(driver::Interest::READABLE)
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.add(other)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl fmt::Debug for Interest {
    /// The names with `|` between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (READABLE, "READABLE"),
            (WRITABLE, "WRITABLE"),
            (PRIORITY, "PRIORITY"),
            (ERROR, "ERROR"),
        ];
        let names: Vec<_> = names
            .into_iter()
            .filter_map(|(part, name)| (self.0 & part != 0).then_some(name))
            .collect();
        f.write_str(&names.join(" | "))
    }
}

const READABLE: u8 = 1;
const WRITABLE: u8 = 1 << 1;
const PRIORITY: u8 = 1 << 2;
const ERROR: u8 = 1 << 3;
