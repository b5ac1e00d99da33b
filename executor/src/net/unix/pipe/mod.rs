//! Pipes: anonymous ones, and those with a name in the file system (FIFOs).
//!
//! | file | concept |
//! |---|---|
//! | `sender`, `receiver` | the two ends |
//! | `end` | a macro: what both have |
//! | `open_options` | how a FIFO is opened |
//! | `descriptor` | the system calls, and what a descriptor is |
//!
//! ```
//! # #[cfg(feature = "io")]
//! # executor::runtime::Runtime::new().unwrap().block_on(async {
//! use executor::io::{AsyncReadExt, AsyncWriteExt};
//! use executor::net::unix::pipe;
//!
//! let (mut sender, mut receiver) = pipe::pipe()?;
//! sender.write_all(b"hello").await?;
//! drop(sender);
//! let mut text = String::new();
//! receiver.read_to_string(&mut text).await?;
//! assert_eq!(text, "hello");
//! # std::io::Result::Ok(())
//! # }).unwrap();
//! ```

mod descriptor;
mod end;
mod open_options;
mod receiver;
mod sender;

use std::io;

pub use open_options::OpenOptions;
pub use receiver::Receiver;
pub use sender::Sender;

/// Makes an anonymous pipe, and watches both of its ends in the current runtime.
///
/// They are closed on exec. To give one to a child process, see [`Sender::into_blocking_fd`] and
/// [`Receiver::into_blocking_fd`].
///
/// # Errors
///
/// That the process has too many open files, or what else the system says; that the runtime has shut down.
///
/// # Panics
///
/// Outside of a runtime, if the default one cannot be started.
#[doc(alias = "os_pipe")]
pub fn pipe() -> io::Result<(Sender, Receiver)> {
    let (receiver, sender) = io::pipe()?;
    descriptor::set_nonblocking(&sender, true)?;
    descriptor::set_nonblocking(&receiver, true)?;
    Ok((Sender::register(sender)?, Receiver::register(receiver)?))
}
