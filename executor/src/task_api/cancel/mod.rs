//! Cooperative cancellation, as users write it: what hears of a request, what is kept from it, and what makes one.

mod checkpoint;
mod or_cancelled;
mod scope;
mod shield;

pub use checkpoint::{check_cancelled, checkpoint, effective_deadline};
pub use or_cancelled::{FutureExt, OrCancelled};
pub use scope::{CancelScope, RunScope};
pub use shield::{Shield, shield};
