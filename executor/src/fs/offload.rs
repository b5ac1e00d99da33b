//! Runs a call of the standard library on the blocking pool: the one way to it for everything in `fs`.

use std::io;

use crate::task::spawn_blocking;
use crate::task_api::not_carried_out;

/// Runs `f` where it may block. Dropping the future does not stop it.
pub(super) async fn offload<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> io::Result<T> + Send + 'static,
    T: Send + 'static,
{
    spawn_blocking(f).await.map_err(not_carried_out)?
}
