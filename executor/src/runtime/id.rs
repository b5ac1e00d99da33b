//! `Id`: tells runtimes apart.

use std::fmt;
use std::num::NonZeroU64;

use crate::context;

/// Identifies a runtime, or a [`LocalSet`](crate::task::LocalSet), among all of the process, those that have ended included. See
/// [`Handle::id`](super::Handle::id).
///
/// Ids say nothing about the order in which runtimes were started.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id(pub(super) NonZeroU64);

impl Id {
    /// Of a set that was just made.
    pub(crate) fn next() -> Self {
        Self(context::next_id())
    }
}

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
