//! `Id`: tells runtimes apart.

use std::fmt;
use std::num::NonZeroU64;

/// Identifies a runtime among all runtimes of the process, those that have ended included. See [`Handle::id`](super::Handle::id).
///
/// Ids say nothing about the order in which runtimes were started.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(pub(super) NonZeroU64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}
