//! All signals of Unix, each as a stream of "it has come".

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::context;
use crate::coop;
use crate::driver::Listener;

pub use super::kind::SignalKind;

/// Hears every signal of one kind that comes from now on.
///
/// The first call for a kind changes what the signal does to the process, for ever, see [`signal`](crate::signal). Each [`Signal`] hears
/// for itself; it belongs to the current runtime, and may be used from anywhere while that lives.
///
/// # Errors
///
/// If the system has no such signal, or none that a program may handle (SIGKILL, SIGSTOP) or wait for (SIGSEGV, SIGFPE and SIGILL, which
/// are faults); what the system says when it refuses the handler or the descriptors; that the runtime has shut down.
///
/// # Panics
///
/// Outside of a runtime, if the default one cannot be started.
///
/// ```no_run
/// use executor::signal::unix::{SignalKind, signal};
///
/// # fn reload() {}
/// # async fn example() -> std::io::Result<()> {
/// let mut hangup = signal(SignalKind::hangup())?;
/// while hangup.recv().await.is_some() {
///     reload();
/// }
/// # Ok(())
/// # }
/// ```
#[doc(alias = "open_signal_receiver")]
#[doc(alias = "add_signal_handler")]
#[track_caller]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    let number = kind.as_raw_value();
    let listener = context::with_current(|state| state.scheduler.driver().listen(number))?;
    Ok(Signal { listener })
}

/// Hears the signals of one kind. Made by [`signal`].
///
/// Signals that come while nobody asks become one, as they do in the system: [`recv`](Self::recv) returns at least once after the last of
/// them. So do not count them.
#[must_use = "a signal is heard by `recv`"]
#[derive(Debug)]
pub struct Signal {
    listener: Listener,
}

impl Signal {
    /// Waits until the signal has come, since this was made or since the last `recv` returned.
    ///
    /// `None`: the runtime it was made in has ended, and no signal is heard any more.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a signal that comes in between is heard by the next `recv`.
    pub async fn recv(&mut self) -> Option<()> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// As [`recv`](Self::recv), for futures written by hand. The waker of the last call is woken.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        coop::poll_counted(cx, |cx| self.listener.poll_recv(cx))
    }
}
