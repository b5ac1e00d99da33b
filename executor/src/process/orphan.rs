//! Reaps children that nobody waits for any more, so that none stays a zombie.
//!
//! Each is awaited by a task of the default runtime: the child's own may be about to end, or may not be driven for a while. If not even
//! that can be started, or the system has no descriptor left to watch with, the next `spawn` tries again.

use std::future::poll_fn;
use std::panic::Location;
use std::process::Child;

use parking_lot::Mutex;

use super::exit::Exit;
use crate::context;

/// Children to try again with.
static LEFT: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Reaps `child` now, or as soon as it ends.
pub(super) fn adopt(mut child: Child) {
    // An error means that somebody else has waited for it, or that this is a forked child, whose sibling it is.
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    let Ok(runtime) = context::try_default_runtime() else {
        LEFT.lock().push(child);
        return;
    };
    let (handle, closed) = runtime.scheduler.spawn(reap(child), Location::caller());
    drop(handle);
    if let Some(closed) = closed {
        closed.drain();
    }
}

/// Adopts again what could not be watched before.
pub(super) fn try_again() {
    let left = std::mem::take(&mut *LEFT.lock());
    left.into_iter().for_each(adopt);
}

async fn reap(mut child: Child) {
    let reaped = match Exit::watch(&child) {
        Ok(mut exit) => poll_fn(|cx| exit.poll_wait(cx, &mut child)).await.is_ok(),
        Err(_) => false,
    };
    if !reaped {
        LEFT.lock().push(child);
    }
}
