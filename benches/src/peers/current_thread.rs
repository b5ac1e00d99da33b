//! Both runtimes in the flavour that has no workers: the thread of `block_on` polls everything.

use std::future::Future;

use super::{Executor, Runtime, Tokio};
use crate::Result;

/// Ours.
pub(crate) struct ExecutorCt(executor::runtime::Runtime);

/// tokio's.
pub(crate) struct TokioCt(tokio::runtime::Runtime);

/// What tasks call is what they call on the other flavour: only the start differs.
macro_rules! current_thread {
    ($runtime:ident, $name:literal, $peer:ident, $build:expr) => {
        impl Runtime for $runtime {
            const NAME: &'static str = $name;

            type Join<T: Send + 'static> = <$peer as Runtime>::Join<T>;

            /// There are no workers, however many are asked for.
            fn start(_: usize) -> Result<Self> {
                Ok(Self($build?))
            }

            fn block_on<F: Future>(&self, future: F) -> F::Output {
                self.0.block_on(future)
            }

            fn spawn<F>(future: F) -> Self::Join<F::Output>
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                <$peer>::spawn(future)
            }

            fn spawn_detached(future: impl Future<Output = ()> + Send + 'static) {
                <$peer>::spawn_detached(future);
            }

            fn yield_now() -> impl Future<Output = ()> + Send {
                <$peer>::yield_now()
            }
        }
    };
}

current_thread!(
    ExecutorCt,
    "executor-ct",
    Executor,
    executor::runtime::Builder::new_current_thread().build()
);
current_thread!(
    TokioCt,
    "tokio-ct",
    Tokio,
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
);
