//! The task: a future, its output and its handles in one allocation.
//!
//! ```text
//!   spawn   ┌ TaskRef (owner's list)  ──────────────────────────────────────────────┐
//!     │                                                                             │ counted references
//!     ├─────▶ Notified (a queue) ──run──▶ future ── polls with ──▶ Waker ───────────┤ to one allocation:
//!     │                                                                             │  Header │ S │ Stage
//!     └─────▶ JoinHandle ──await──▶ output                                          ┘
//! ```
//!
//! | file | concept |
//! |---|---|
//! | `state`  | the state word: who may poll, who is interested, how many references. Safe code, all decisions |
//! | `memory` | the blocks of memory that tasks lie in, kept by workers, and left by one thread for another |
//! | `raw`    | the allocation: header, scheduler, stage, and the table of functions that know the future's type |
//! | `harness`| running, completing, cancelling: acts on the decisions, and knows the future's type |
//! | `ending` | who drops the output, wakes the handle and frees the task, whatever the future's type |
//! | `reference`, `waker`, `join` | the three kinds of reference: `TaskRef` and `Notified`, `Waker`, `JoinHandle` |
//! | `list`   | the owner's list of tasks that wait |
//! | `origin` | where a task was spawned, its name, its scope |
//! | `cancel/` | the request to end, and who hears of it |
//! | `current` | which task this thread polls, and what it asks of it |
//! | `failure` | a panic that no handle takes, and who hears of it |
//!
//! What the rest of the runtime must know:
//! - A task that is idle is linked in exactly one owner's list, and the owner outlives its list (`list`). So whoever makes a token
//!   of an idle task may use its scheduler.
//! - Completion: drop the future, store the output, unlink, publish COMPLETE, wake the handle. A `JoinHandle` that answers, also
//!   with "cancelled", answers after the future is gone.
//! - A panic in the future, its destructor or its output stays in the task. One of the future reaches the handle; if there is none, or it does
//!   not ask, the runtime's observer (`failure`).

mod cancel;
mod current;
mod ending;
mod error;
mod failure;
mod harness;
mod id;
mod join;
mod list;
mod memory;
mod origin;
mod raw;
mod reference;
mod state;
mod waker;

#[cfg(all(test, loom))]
mod loom_tests;

pub use cancel::Cancelled;
pub use current::{id, try_id};
pub use error::JoinError;
pub use failure::UnobservedFailure;
pub use id::Id;
pub use join::{AbortHandle, JoinHandle};

pub(crate) use cancel::{
    Around, Deadline, Rare, Region, Runner, Scope, effective_deadline as inner_deadline, is_inside,
    nearest_request,
};
pub(crate) use failure::Observer;
pub(crate) use harness::{drop_quietly, wake_quietly};
pub(crate) use id::IdSource;
pub(crate) use list::{Insert, TaskList};
pub(crate) use memory::Keeper;
pub(crate) use origin::Origin;
pub(crate) use raw::Schedule;
pub(crate) use reference::{Notified, TaskRef, new, new_local};
pub(crate) use waker::{is_task, step_back};

// The one line that points up: what else users find at `executor::task` needs a context, which this module must not know.
pub use crate::task_api::{
    AccessError, AsCompleted, BlockingScope, BlockingScopeHandle, Builder, CallbackHandle,
    CancelScope, ChildFailed, ChildTask, Concurrent, ConcurrentHandle, ConcurrentScope, ContextKey,
    DeferHandle, Finalizer, FutureExt, Gather, GatherSettled, GroupPolicy, IntoTask, JoinSet,
    LocalEnterGuard, LocalKey, LocalSet, ReturnWhen, Running, RunningTask, StartError, Started,
    TaskError, TaskErrors, TaskGroup, TaskTracker, TryGather, Unconstrained, Wait, as_completed,
    block_in_place, check_cancelled, checkpoint, concurrent, consume_budget, coop, defer,
    effective_deadline, finalizer, first_done, first_ok, futures, gather, gather_settled, group,
    group_with, inherit, inherit_fn, join_all, join_set, running, scope_blocking, shield, spawn,
    spawn_blocking, spawn_eager, spawn_inheriting, spawn_local, try_gather, try_join_all, try_wait,
    unconstrained, wait, with_resource, yield_now,
};
