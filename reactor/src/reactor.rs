//! One turn: waits for events, stores readiness, hands out the wakers of those who waited.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use crate::error;
use crate::handle::Handle;
use crate::readiness::Event;
use crate::registry::Token;
use crate::sys::timer::Timer;

/// The one place where events come in. Whoever holds it may wait in it; all others have a [`Handle`].
pub struct Reactor {
    poll: mio::Poll,
    events: mio::Events,
    /// For turns that do not wait, if they shall take fewer.
    events_of_a_look: Option<mio::Events>,
    /// `None` where the platform has no timer finer than a millisecond.
    timer: Option<Timer>,
    handle: Handle,
    /// Keeps the descriptor of the wake open until the last turn, see `Handle::close`.
    _waker: Arc<mio::Waker>,
}

impl Reactor {
    /// A reactor with nothing to watch, and the first handle to it.
    ///
    /// # Errors
    /// What the operating system says; as a rule that there are too many open files.
    pub fn new() -> io::Result<(Self, Handle)> {
        Self::with_capacity(EVENTS)
    }

    /// As [`new`](Self::new), for a reactor that takes at most `events` events from the system in one turn.
    ///
    /// # Errors
    /// As `new`.
    pub fn with_capacity(events: usize) -> io::Result<(Self, Handle)> {
        let poll = mio::Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKE)?);
        let timer = Timer::new(poll.registry(), TIMER)?;
        let handle = Handle::new(poll.registry().try_clone()?, waker.clone())?;
        let events = mio::Events::with_capacity(events);
        Ok((
            Self {
                poll,
                events,
                events_of_a_look: None,
                timer,
                handle: handle.clone(),
                _waker: waker,
            },
            handle,
        ))
    }

    /// From now on a turn that does not wait, because its timeout is zero, takes at most `events` events. The system keeps the others
    /// for the next.
    pub fn limit_looks(&mut self, events: usize) {
        self.events_of_a_look = Some(mio::Events::with_capacity(events));
    }

    /// Waits for an event, a [`Handle::wake`] or the end of `timeout`, stores readiness, and moves the wakers of those
    /// who waited for it into `wakers`. It wakes nobody itself.
    ///
    /// `None` waits for ever, zero only looks. A turn may also end before its time with nothing to show: a signal came,
    /// or an earlier timeout still stood. It never blocks after [`Handle::close`].
    ///
    /// # Errors
    /// What the operating system says, other than that a signal came; or that a `fork` lies between the process that
    /// made the reactor and this one.
    pub fn turn(&mut self, timeout: Option<Duration>, wakers: &mut Vec<Waker>) -> io::Result<()> {
        if self.handle.was_forked() {
            return Err(error::forked());
        }
        let timeout = if self.handle.is_closed() {
            Some(Duration::ZERO)
        } else {
            timeout
        };
        let fine = timeout.filter(|timeout| needs_timer(*timeout));
        if let (Some(timer), Some(timeout)) = (&mut self.timer, fine) {
            timer.set(timeout);
        }
        // mio rounds up to whole milliseconds and stops at the largest number the system takes, so a timeout is never
        // cut short by the conversion, except one of more than 24 days. It also bounds a timer that could not be set.
        let events = match &mut self.events_of_a_look {
            Some(events) if timeout == Some(Duration::ZERO) => events,
            _ => &mut self.events,
        };
        match self.poll.poll(events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        let registry = self.handle.registry();
        let mut delivered = 0;
        for event in &*events {
            match event.token() {
                WAKE => {}
                TIMER => self.timer.iter_mut().for_each(Timer::went_off),
                token => {
                    delivered += 1;
                    registry.deliver(
                        Token::from_mio(token),
                        read_side(event),
                        write_side(event),
                        wakers,
                    );
                }
            }
        }
        self.handle.count_events(delivered);
        Ok(())
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

/// What an event says to readers. A hang-up and an error are worth a read: it returns the end of stream or the error.
fn read_side(event: &mio::event::Event) -> Option<Event> {
    let (closed, error) = (event.is_read_closed(), event.is_error());
    if event.is_priority() {
        return Some(Event::new(closed, error).with_priority());
    }
    (event.is_readable() || closed || error).then(|| Event::new(closed, error))
}

/// What an event says to writers.
fn write_side(event: &mio::event::Event) -> Option<Event> {
    let (closed, error) = (event.is_write_closed(), event.is_error());
    (event.is_writable() || closed || error).then(|| Event::new(closed, error))
}

/// Whether whole milliseconds are too coarse for this timeout.
fn needs_timer(timeout: Duration) -> bool {
    timeout < FINE && timeout.subsec_nanos() != timeout.subsec_millis() * 1_000_000
}

/// Above this a part of a millisecond more does not matter, and the timer would cost a system call.
const FINE: Duration = Duration::from_millis(10);
/// By default, more events than this in one turn wait for the next.
const EVENTS: usize = 1024;
/// No index of a source comes near these.
const WAKE: mio::Token = mio::Token(usize::MAX);
const TIMER: mio::Token = mio::Token(usize::MAX - 1);

#[cfg(all(test, not(loom)))]
#[path = "tests/reactor.rs"]
mod tests;
