//! A hang limit that does not depend on the runtime under test.

use std::panic::Location;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Runs `f` on this thread, and aborts the process if that takes longer than `seconds`.
///
/// An abort, because a test that hangs cannot be unwound: its threads would keep the process from ending.
#[track_caller]
pub(crate) fn within<R>(seconds: u64, f: impl FnOnce() -> R) -> R {
    assert!(seconds >= 10, "a busy machine needs 10 seconds at least");
    let (done, watchdog) = start(seconds, Location::caller());
    let result = {
        // Dropped also when `f` panics: that is a failure, not a hang.
        let _done = done;
        f()
    };
    watchdog.join().unwrap();
    result
}

/// Not in `within`, where all of a thread's beginning would be compiled for each closure.
fn start(seconds: u64, location: &'static Location<'static>) -> (Sender<()>, JoinHandle<()>) {
    let (done, wait) = channel();
    let watchdog = thread::spawn(move || {
        if wait.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
            eprintln!("the test at {location} hangs: not done after {seconds} seconds");
            std::process::abort();
        }
    });
    (done, watchdog)
}
