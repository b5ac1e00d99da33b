//! `GroupPolicy`: which end of a child is the end of its siblings.

/// When the other tasks of a group are cancelled. Given to [`group_with`](super::group_with).
///
/// A failure cancels the body as well, a success does not. A task that was cancelled or aborted alone has neither failed nor succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum GroupPolicy {
    /// When one fails.
    #[default]
    All,
    /// When one succeeds. Failures are errors only if none does.
    FirstOk,
    /// When one ends, in whatever way, also because it was cancelled.
    FirstDone,
}

impl GroupPolicy {
    /// Whether a child that ended so is the last one that is waited for.
    pub(super) fn ends_with(self, succeeded: bool) -> bool {
        match self {
            Self::All => !succeeded,
            Self::FirstOk => succeeded,
            Self::FirstDone => true,
        }
    }
}
