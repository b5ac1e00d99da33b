//! Runs a call of the standard library on the blocking pool: the one way to it for everything in `fs`.

use std::io;

use crate::task::{JoinError, spawn_blocking};

/// Runs `f` where it may block. Dropping the future does not stop it.
pub(super) async fn offload<F, T>(f: F) -> io::Result<T>
where
    F: FnOnce() -> io::Result<T> + Send + 'static,
    T: Send + 'static,
{
    spawn_blocking(f).await.map_err(not_carried_out)?
}

/// What the caller is told of a call that never ran. None panics: only the standard library's code runs in them.
pub(super) fn not_carried_out(error: JoinError) -> io::Error {
    io::Error::other(format!(
        "the call was not carried out, because the runtime has ended or the system refuses it a thread: {error}"
    ))
}
