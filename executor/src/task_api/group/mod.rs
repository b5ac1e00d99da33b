//! `group`: tasks that end before what spawned them does.

mod child;
mod errors;
mod first;
mod members;
mod policy;
mod running;
mod started;

pub use child::{ChildFailed, ChildTask};
pub use errors::{TaskError, TaskErrors};
pub use first::{first_done, first_ok};
pub use members::TaskGroup;
pub use policy::GroupPolicy;
pub use running::{Group, group, group_with};
pub use started::{StartError, Started};
