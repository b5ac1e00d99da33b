//! What some runtimes have beside `spawn`: spawning from other threads, sets of tasks, closures that block.

use std::future::Future;

use super::smol::EXECUTOR;
use super::{Runtime, Smol, Tokio};

/// A runtime that other threads hand tasks to.
pub(crate) trait Foreign: Runtime {
    /// Called on threads that are no part of the runtime.
    fn spawn_from_outside(&self, future: impl Future<Output = ()> + Send + 'static);
}

impl Foreign for Smol {
    fn spawn_from_outside(&self, future: impl Future<Output = ()> + Send + 'static) {
        EXECUTOR.spawn(future).detach();
    }
}

/// A runtime with tokio's tools. Called inside of it only.
pub(crate) trait Tools: Foreign {
    /// Spawns so many tasks into a `JoinSet`, and takes out their outputs.
    fn join_set(count: usize) -> impl Future<Output = ()> + Send;

    /// Runs `closure` so often where closures may block, all at the same time, and waits for all.
    fn spawn_blocking(count: usize, closure: fn()) -> impl Future<Output = ()> + Send;
}

/// The two have the same names and meanings here.
macro_rules! tools {
    ($runtime:ty, $library:ident $(, $parameter:tt)?) => {
        impl$(<const $parameter: u8>)? Foreign for $runtime {
            fn spawn_from_outside(&self, future: impl Future<Output = ()> + Send + 'static) {
                drop(self.0.spawn(future));
            }
        }

        impl$(<const $parameter: u8>)? Tools for $runtime {
            async fn join_set(count: usize) {
                let mut set = $library::task::JoinSet::new();
                for n in 0..count {
                    set.spawn(async move { n });
                }
                let mut sum = 0;
                while let Some(n) = set.join_next().await {
                    sum += n.expect("no task fails");
                }
                assert_eq!(sum, count * (count - 1) / 2, "outputs are lost");
            }

            async fn spawn_blocking(count: usize, closure: fn()) {
                let closures: Vec<_> = (0..count)
                    .map(|_| $library::task::spawn_blocking(closure))
                    .collect();
                for closure in closures {
                    closure.await.expect("no closure fails");
                }
            }
        }
    };
}

#[cfg(feature = "sockets")]
use super::Executor;
#[cfg(feature = "sockets")]
tools!(Executor, executor);
tools!(Tokio<SETTINGS>, tokio, SETTINGS);
