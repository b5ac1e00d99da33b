//! A work-stealing, multi-threaded async runtime.

mod blocking;
mod context;
mod driver;
#[cfg(feature = "hyper")]
pub mod hyper;
#[cfg(feature = "io")]
pub mod io;
pub mod net;
mod queue;
mod rt_sync;
pub mod runtime;
mod scheduler;
pub mod signal;
pub mod task;
mod task_api;
pub mod time;

pub use task_api::spawn;

#[cfg(feature = "macros")]
pub use executor_rt_macros::{main, test};
