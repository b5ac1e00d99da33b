//! A batch of wakers: wakes all of them, and has the tasks brought near from memory before they run.

use std::task::Waker;

use crate::driver::prefetch;
use crate::task::{Notified, drop_quietly};

/// Wakes everybody. A waker that panics must not keep the others asleep.
pub(super) fn wake_all(wakers: &mut Vec<Waker>) {
    let mut rest = wakers.drain(..);
    while let Some(waker) = rest.next() {
        if let Some(later) = rest.as_slice().get(AHEAD) {
            prefetch(later.data(), HEADER);
        }
        drop_quietly(WakeOnDrop(Some(waker)));
    }
}

/// For a task of a batch, which will be polled when those before it were. What an async function knows of itself, where it waits for instance, lies behind
/// its buffers as a rule, and nobody has asked for that.
pub(super) fn bring_end_near(task: &Notified) {
    let (start, size) = task.place();
    if size > HEADER + END {
        prefetch(start.wrapping_byte_add(size - END), END);
    }
}

/// So many tasks of a batch are on their way from memory.
const AHEAD: usize = 8;
/// A task's header, and where its future begins.
const HEADER: usize = 128;
/// Where a future ends.
const END: usize = 192;

/// Turns a wake into a drop, so that `drop_quietly` catches what it throws.
struct WakeOnDrop(Option<Waker>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        self.0.take().expect("dropped once").wake();
    }
}
