//! The errors of a reactor that is gone.

use std::error::Error;
use std::fmt;
use std::io;

/// True if `error` says that a source's reactor has shut down.
pub fn is_shut_down(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<ShutDown>())
}

/// The error that says so, for what is built upon sources and is gone with them.
pub fn shut_down() -> io::Error {
    io::Error::other(ShutDown)
}

/// The error of what was made before a `fork` and is used in the child.
pub fn forked() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this runtime belongs to the process before fork(): make a new runtime in the child",
    )
}

#[derive(Debug)]
struct ShutDown;

impl fmt::Display for ShutDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the runtime this belongs to has shut down")
    }
}

impl Error for ShutDown {}
