//! What users find at `executor::task` and that needs to know the current runtime.

mod block_in_place;
mod blocking;
mod builder;
pub mod coop;
pub mod join_set;
mod local_set;
mod spawn;
mod spawn_local;
mod task_local;
mod yield_now;

pub use block_in_place::block_in_place;
pub use blocking::spawn_blocking;
pub(crate) use blocking::{not_carried_out, spawn_lookup, spawn_mandatory};
pub use builder::Builder;
pub use coop::{Unconstrained, consume_budget, unconstrained};
pub use join_set::JoinSet;
pub use local_set::{LocalEnterGuard, LocalSet};
pub use spawn::spawn;
pub use spawn_local::spawn_local;
pub use task_local::{AccessError, LocalKey};
pub use yield_now::yield_now;

/// Types of futures.
pub mod futures {
    pub use super::task_local::TaskLocalFuture;
}
