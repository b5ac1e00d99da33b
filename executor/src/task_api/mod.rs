//! What users find at `executor::task` and that needs to know the current runtime.

mod as_completed;
mod block_in_place;
mod blocking;
mod blocking_join;
mod builder;
mod cancel;
mod concurrent;
mod context_local;
pub mod coop;
mod finalizer;
mod gather;
pub mod gather_tuple;
mod group;
mod into_task;
pub mod join_set;
mod local_set;
mod on_complete;
pub(crate) mod once;
mod placed;
mod scope_blocking;
mod spawn;
mod spawn_eager;
mod spawn_local;
mod task_local;
mod task_tracker;
mod wait;
mod with_resource;
mod yield_now;

pub use crate::runtime::defer::{DeferHandle, defer};
pub use as_completed::{AsCompleted, as_completed};
pub use block_in_place::block_in_place;
pub use blocking::spawn_blocking;
pub(crate) use blocking::{not_carried_out, spawn_lookup, spawn_mandatory};
pub use builder::Builder;
pub use cancel::{CancelScope, FutureExt, check_cancelled, checkpoint, effective_deadline, shield};
pub use concurrent::{Concurrent, ConcurrentHandle, ConcurrentScope, concurrent};
pub use context_local::{ContextKey, inherit, inherit_fn, spawn_inheriting};
pub use coop::{Unconstrained, consume_budget, unconstrained};
pub use finalizer::{Finalizer, finalizer};
pub use gather::{Gather, GatherSettled, TryGather, gather, gather_settled, try_gather};
pub use group::{
    ChildFailed, ChildTask, GroupPolicy, StartError, Started, TaskError, TaskErrors, TaskGroup,
    first_done, first_ok, group, group_with,
};
pub use into_task::{IntoTask, Running, RunningTask, running};
pub use join_set::JoinSet;
pub use local_set::{LocalEnterGuard, LocalSet};
pub use on_complete::CallbackHandle;
pub use scope_blocking::{BlockingScope, BlockingScopeHandle, scope_blocking};
pub use spawn::spawn;
pub(crate) use spawn::spawn_at;
pub use spawn_eager::spawn_eager;
pub use spawn_local::spawn_local;
pub use task_local::{AccessError, LocalKey};
pub use task_tracker::TaskTracker;
pub use wait::{ReturnWhen, Wait, try_wait, wait};
pub use with_resource::with_resource;
pub use yield_now::yield_now;

/// Same-task concurrency over many futures, as `futures` has it: they spawn nothing, may borrow, and are dropped together.
pub use ::futures::future::{join_all, try_join_all};

/// Types of futures.
pub mod futures {
    pub use super::cancel::{OrCancelled, RunScope, Shield};
    pub use super::group::Group;
    pub use super::task_local::TaskLocalFuture;
    pub use super::task_tracker::{TaskTrackerToken, TrackedFuture};
}
