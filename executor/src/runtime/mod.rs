//! The runtime: what starts the scheduler, keeps it, and ends it.
//!
//! Most programs need only `#[executor::main]`. Those that embed a runtime in a larger program build one:
//!
//! ```
//! let runtime = executor::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
//! let answer = runtime.block_on(async {
//!     let task = executor::spawn(async { 42 });
//!     task.await.unwrap()
//! });
//! assert_eq!(answer, 42);
//! # std::io::Result::Ok(())
//! ```

mod block_on;
mod builder;
pub(crate) mod defer;
mod handle;
mod id;
mod interrupt;
mod local;
mod metrics;
#[expect(
    clippy::module_inception,
    reason = "the file holds the type of that name"
)]
mod runtime;
mod shutdown_report;
mod wind_down;

pub use builder::{Builder, UnhandledPanic};
pub use handle::{EnterGuard, Handle, TryCurrentError};
pub use id::Id;
pub use local::{LocalOptions, LocalRuntime};
pub use metrics::{RuntimeMetrics, worker_index};
pub use runtime::{Runtime, RuntimeFlavor, is_rt_shutdown_err};
pub use shutdown_report::{ShutdownReport, Straggler, StragglerKind};

pub use crate::scheduler::{DebugEvent, DroppedTask, SlowPoll, Stall, ThreadActivity};

/// What a build with `--cfg executor_ledger` has counted. For measurements: not a part of the interface that is kept.
#[cfg(executor_ledger)]
#[doc(hidden)]
pub mod ledger {
    pub use crate::ledger::Entry;

    /// All kinds of lines.
    pub fn entries() -> Vec<Entry> {
        let mut entries = crate::ledger::entries();
        entries.push(crate::driver::ledger_of_wheels());
        entries
    }
}
