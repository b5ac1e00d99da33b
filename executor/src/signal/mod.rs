//! Signals from the terminal or from other processes, as futures.
//!
//! [`ctrl_c`] waits for the one that every program knows; [`unix`] has all of them.
//!
//! ```text
//!   kill -TERM ─▶ handler: a counter, a byte ─▶ the runtime's driver ─▶ Signal::recv
//! ```
//! A handler is installed when a signal is first asked for, and from then on the signal does not do what it did by default: it does not
//! end the process, not even when nobody waits or after the runtime has ended. Handlers that were there before are still called.
//!
//! All signals of a runtime share one pair of descriptors, so there may be any number of waiters. A forked child hears its own signals
//! only, and its parent none of them.

mod interrupt;
mod kind;
pub mod unix;

use std::io;

use crate::task::coop::consume_budget;

pub use interrupt::cancel_on_ctrl_c;

/// Waits for the next SIGINT, which Ctrl-C in a terminal sends.
///
/// Any number of tasks may wait; each gets the signal. Once this has been polled, SIGINT does not end the process any more, not
/// even when nobody waits: a program that wants to be ended by a second Ctrl-C waits for it a second time. Only signals that
/// come after the first poll count.
///
/// # Errors
///
/// What the system says when it refuses two descriptors or the handler; that the runtime has shut down.
///
/// # Panics
///
/// Outside of a runtime, if the default one cannot be started.
///
/// # Cancel safety
///
/// Cancel safe, but a signal that comes after the future was dropped, and before the next was polled, goes unseen. Keep one
/// future in a loop rather than making a new one each time round, or use a [`Signal`](unix::Signal).
///
/// ```no_run
/// # async fn serve() {}
/// # async fn example() -> std::io::Result<()> {
/// executor::spawn(serve());
/// executor::signal::ctrl_c().await?;
/// println!("shutting down");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "SIGINT")]
#[doc(alias = "KeyboardInterrupt")]
#[doc(alias = "open_signal_receiver")]
#[doc(alias = "add_signal_handler")]
pub async fn ctrl_c() -> io::Result<()> {
    let signal = unix::signal(unix::SignalKind::interrupt());
    // Failure comes at once, and must not keep who tries again from letting others run.
    consume_budget().await;
    signal?.recv().await.ok_or_else(crate::driver::shut_down)
}
