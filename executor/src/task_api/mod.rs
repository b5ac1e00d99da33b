//! What users find at `executor::task` and that needs to know the current runtime.

mod blocking;
mod builder;
pub mod coop;
mod spawn;
mod yield_now;

pub use blocking::spawn_blocking;
pub(crate) use blocking::spawn_mandatory;
pub use builder::Builder;
pub use coop::{consume_budget, unconstrained};
pub use spawn::spawn;
pub use yield_now::yield_now;
