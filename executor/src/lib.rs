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

/// The code in the README and in the book compiles, and runs.
#[cfg(all(doctest, feature = "io", feature = "macros"))]
mod documents {
    macro_rules! included {
        ($($name:ident: $path:literal)*) => {$(
            #[doc = include_str!($path)]
            mod $name {}
        )*};
    }

    included! {
        readme: "../../README.md"
        asyncio: "../../docs/book/src/asyncio.md"
        getting_started: "../../docs/book/src/getting-started.md"
        network: "../../docs/book/src/network.md"
        shutdown: "../../docs/book/src/shutdown.md"
        tasks: "../../docs/book/src/tasks.md"
        time: "../../docs/book/src/time.md"
    }
}
