//! Tells a lost wake-up from a slow machine.

use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Ends the process with a message if `f` does not return in time: a lost wake-up would otherwise look like patience.
pub(crate) fn within_limit<T>(what: &str, f: impl FnOnce() -> T) -> T {
    within(LIMIT, what, f)
}

/// As [`within_limit`], for what may take longer or shorter.
pub(crate) fn within<T>(limit: Duration, what: &str, f: impl FnOnce() -> T) -> T {
    let (running, watched) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if watched.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                eprintln!("compare: {what} hangs: nothing for {limit:?}");
                process::exit(3);
            }
        });
        let output = f();
        drop(running);
        output
    })
}

const LIMIT: Duration = Duration::from_secs(60);
