//! `Acceptor`: a listener that is watched, and its patience with a system that refuses it connections.
//!
//! ```text
//!   accept ──▶ a connection
//!     │  ▲
//!     │  └───────────────── waits by a timer ──────────────────┐
//!     └──▶ an error, returned at once, that will come again ──▶ accept, within PAUSE of it
//! ```
//! When the process has no descriptor left, `accept` fails and the connection stays where it is: the listener is ready all the time, and a
//! loop that tries again at once, as most do, would burn a processor until somebody closes a file. Waiting for an event instead would be
//! worse: events are edge-triggered, and none tells that a descriptor has become free. So whoever accepts again soon after such an error
//! waits first. The error itself is never held back: a caller that does something about it need not wait to hear of it.
//!
//! The timer is the listener's runtime's, wherever the caller is, and so is the clock. If that runtime has ended there is nothing to wait
//! for: the listener says so.

use std::future::poll_fn;
use std::io;
use std::os::fd::AsRawFd;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;

use super::watch;
use crate::context;
use crate::coop;
use crate::driver::{Direction, Interest, Source, Timers};
use crate::task::coop::cooperative;
use crate::time::{Instant, Sleep};

/// A listener in non-blocking mode.
pub(crate) struct Acceptor<T: AsRawFd> {
    source: Source<T>,
    timers: Arc<Timers>,
    refused: Mutex<Refused>,
}

/// What is left of an error that will come again.
#[derive(Default)]
struct Refused {
    /// Until then nobody asks again.
    until: Option<Instant>,
    /// The wait of `poll_accept`, which has no future to keep it in.
    pause: Option<Pin<Box<Sleep>>>,
}

impl<T: AsRawFd> Acceptor<T> {
    /// Watches a listener in the current runtime.
    pub(crate) fn new(listener: T) -> io::Result<Self> {
        Ok(Self {
            source: watch(listener, Interest::READABLE)?,
            timers: context::with_current(|state| state.scheduler.timers().clone()),
            refused: Mutex::default(),
        })
    }

    pub(crate) fn get_ref(&self) -> &T {
        self.source.get_ref()
    }

    pub(crate) fn into_inner(self) -> T {
        self.source.into_inner()
    }

    /// Waits, and calls `op` until it does not say `WouldBlock`. It counts in the task's budget.
    ///
    /// Cancel safe as far as `op` is: between two calls nothing is lost, the pause included.
    pub(crate) async fn accept<R>(&self, op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        let until = self.refused.lock().until;
        if let Some(mut pause) = self.pause(until) {
            poll_fn(|cx| pause.as_mut().poll_unless_closed(cx).map(drop)).await;
        }
        self.noted(cooperative(self.source.async_io(Direction::Read, op)).await)
    }

    /// As `accept`. Only the last task that polled is woken.
    pub(crate) fn poll_accept<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        ready!(self.poll_pause(cx));
        let poll = |cx: &mut Context<'_>| self.source.poll_io(cx, Direction::Read, op);
        Poll::Ready(self.noted(ready!(coop::poll_counted(cx, poll))))
    }

    fn poll_pause(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Out of the lock while it is polled and dropped: it has a waker, which is the user's.
        let (until, pause) = {
            let mut refused = self.refused.lock();
            (refused.until, refused.pause.take())
        };
        let Some(mut pause) = pause.or_else(|| self.pause(until)) else {
            return Poll::Ready(());
        };
        let poll = pause.as_mut().poll_unless_closed(cx).map(drop);
        if poll.is_pending() {
            let other = self.refused.lock().pause.replace(pause);
            drop(other);
        }
        poll
    }

    /// The wait until then, if it is not over.
    fn pause(&self, until: Option<Instant>) -> Option<Pin<Box<Sleep>>> {
        let until = until.filter(|until| self.now() < *until)?;
        Some(Box::pin(Sleep::of(self.timers.clone(), until)))
    }

    fn noted<R>(&self, result: io::Result<R>) -> io::Result<R> {
        match &result {
            Ok(_) => self.refused.lock().until = None,
            Err(error) if comes_again(error) => {
                let until = self.now().far_after(PAUSE);
                self.refused.lock().until = Some(until);
            }
            Err(_) => {}
        }
        result
    }

    fn now(&self) -> Instant {
        Instant::from_std(self.timers.extra().now())
    }
}

// A panic leaves nothing half-done: what is behind the lock is changed in single steps.
impl<T: AsRawFd> UnwindSafe for Acceptor<T> where Source<T>: UnwindSafe {}
impl<T: AsRawFd> RefUnwindSafe for Acceptor<T> where Source<T>: RefUnwindSafe {}

/// Whether the next call meets the error again: it took no connection away.
fn comes_again(error: &io::Error) -> bool {
    match error.raw_os_error() {
        // Not the system's: the runtime has ended, or a peer has an address that is none.
        None => false,
        // A connection that has failed before anybody took it. As often as a peer can bring these about, others must be accepted.
        Some(
            libc::ECONNABORTED
            | libc::ECONNREFUSED
            | libc::ECONNRESET
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::ENOPROTOOPT
            | libc::EOPNOTSUPP
            | libc::EPERM
            | libc::EPROTO
            | libc::ETIMEDOUT,
        ) => false,
        // No descriptor, no memory, or a descriptor that is no listener any more.
        Some(_) => true,
    }
}

/// Long enough that a loop costs next to nothing, and short for those who wait to be accepted.
const PAUSE: Duration = Duration::from_millis(50);
