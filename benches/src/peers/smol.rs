//! async-executor, the executor of smol, on as many threads as there are workers.

use std::future::{self, Future};
use std::thread;

use async_executor::{StaticExecutor, Task};
use futures_lite::future::{block_on, yield_now};

use super::Runtime;
use crate::Result;

pub(crate) struct Smol;

/// The kind that is made for a static, as programs keep it. It keeps no list of the tasks that it would have to drop.
pub(super) static EXECUTOR: StaticExecutor = StaticExecutor::new();

impl Runtime for Smol {
    const NAME: &'static str = "smol";

    type Join<T: Send + 'static> = Task<T>;

    /// Can be started once: its threads run until the process ends.
    fn start(workers: usize) -> Result<Self> {
        for _ in 0..workers {
            thread::Builder::new()
                .name("smol".into())
                .spawn(|| block_on(EXECUTOR.run(future::pending::<()>())))?;
        }
        Ok(Self)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        block_on(future)
    }

    fn spawn<F>(future: F) -> Self::Join<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        EXECUTOR.spawn(future)
    }

    fn spawn_detached(future: impl Future<Output = ()> + Send + 'static) {
        EXECUTOR.spawn(future).detach();
    }

    fn yield_now() -> impl Future<Output = ()> + Send {
        yield_now()
    }
}
