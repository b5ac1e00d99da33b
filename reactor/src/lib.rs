//! Readiness of file descriptors: events in, a list of wakers out.
//!
//! ```text
//!   Source::ready, poll_ready ── waker ──▶ ┌──────────┐
//!   Source::async_io, poll_io              │ registry │ ◀── readiness ── Reactor::turn ◀── epoll, kqueue (mio)
//!   Source::try_io ◀────── readiness ───── └────┬─────┘                        │
//!                                               └────────── wakers ────────────┴──▶ the caller of turn wakes them
//! ```
//!
//! - [`Reactor`] waits for events. It has one holder at a time, who calls [`turn`](Reactor::turn) and then wakes what
//!   the turn handed out. The crate itself never wakes anybody, starts no thread and knows no task.
//! - [`Handle`] is what everybody else has: it registers sources and ends a turn that blocks.
//! - [`Source`] owns a socket (or anything else with a file descriptor), and keeps what is known of its readiness.
//!
//! Readiness is edge-triggered: an event says that something has changed, and the readiness it leaves is believed until
//! an operation says `WouldBlock`. Each direction counts its events, so that a clear which comes late, after the next
//! event, does nothing.
//!
//! After a `fork` the child can drop what it inherited without disturbing its parent, and make a reactor of its own; the
//! inherited one refuses to work there.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::os::unix::net::UnixStream;
//!
//! use reactor::{Direction, Interest, Reactor};
//!
//! # fn main() -> std::io::Result<()> {
//! let (mut reactor, handle) = Reactor::new()?;
//! let (ours, mut peer) = UnixStream::pair()?;
//! ours.set_nonblocking(true)?;
//! let source = handle.register(ours, Interest::READABLE)?;
//!
//! peer.write_all(b"hello")?;
//! let mut wakers = Vec::new();
//! while source.readiness(Direction::Read).is_none() {
//!     reactor.turn(None, &mut wakers)?;
//!     wakers.drain(..).for_each(std::task::Waker::wake);
//! }
//!
//! let mut buffer = [0; 16];
//! let n = source.try_io(Direction::Read, |mut stream| stream.read(&mut buffer))?;
//! assert_eq!(&buffer[..n], b"hello");
//! # Ok(())
//! # }
//! ```

mod error;
mod handle;
mod interest;
mod reactor;
mod readiness;
mod ready;
mod registration;
mod registry;
mod slot;
mod source;
mod sync;
mod sys;

pub use crate::error::{forked, is_shut_down, shut_down};
pub use crate::handle::Handle;
pub use crate::interest::{Direction, Interest, ReadyEvent};
pub use crate::reactor::Reactor;
pub use crate::ready::ReadyFuture;
pub use crate::source::Source;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
