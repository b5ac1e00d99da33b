//! `Cancelled`: that something was cancelled, why, by whom, and where in the code.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::Location;
use std::sync::Arc;

use crate::task::{Id, try_id};

/// A request to cancel, as those see it whom it concerns: the error of [`or_cancelled`](crate::task::FutureExt::or_cancelled) and of
/// [`CancelScope::run`](crate::task::CancelScope::run), and the cause of a [`JoinError`](crate::task::JoinError).
///
/// Cloning it is cheap. Of several requests for the same task or scope the first one counts.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let task = executor::spawn(std::future::pending::<()>());
/// task.cancel("not needed any more");
///
/// let error = task.await.unwrap_err();
/// assert_eq!(error.cancelled().unwrap().reason(), "not needed any more");
/// # });
/// ```
#[derive(Clone)]
#[doc(alias = "CancelledError")]
pub struct Cancelled(Arc<Request>);

struct Request {
    reason: Cow<'static, str>,
    by: Option<Id>,
    at: &'static Location<'static>,
}

impl Cancelled {
    /// By the task that calls, if it is one.
    #[track_caller]
    pub(crate) fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Arc::new(Request {
            reason: reason.into(),
            by: try_id(),
            at: Location::caller(),
        }))
    }

    /// By a part of the library that the user called at `at`.
    pub(crate) fn of(reason: &'static str, at: &'static Location<'static>) -> Self {
        Self(Arc::new(Request {
            reason: reason.into(),
            by: try_id(),
            at,
        }))
    }

    /// What the caller of `cancel` has said.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The task that asked for it, or `None` if that was not in a task.
    pub fn by(&self) -> Option<Id> {
        self.0.by
    }

    /// Where in the code it was asked for. A deadline's place is where the deadline was set.
    pub fn at(&self) -> &'static Location<'static> {
        self.0.at
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {}", self.reason())
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled")
            .field("reason", &self.reason())
            .field("by", &self.by())
            .field("at", &format_args!("{}", self.at()))
            .finish()
    }
}

impl Error for Cancelled {}

/// Of the kind [`Interrupted`](io::ErrorKind::Interrupted) it is not: loops that call again on that would go on.
impl From<Cancelled> for io::Error {
    fn from(cancelled: Cancelled) -> Self {
        Self::other(cancelled)
    }
}
