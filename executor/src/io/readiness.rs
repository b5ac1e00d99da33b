//! Waits for an `Interest` of any source, and runs operations when it comes: what the `ready`, `try_io` and `async_io` of all sockets do.
//!
//! The reactor knows each direction by itself. Here several are waited for at once, and forgotten at once.

use std::future::poll_fn;
use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::Poll;

use super::{Interest, Ready};
use crate::coop;
use crate::driver::{ReadyEvent, Source};

/// What was seen of a source: at most one event for each direction that was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen([Option<ReadyEvent>; 4]);

/// Waits until anything of `interest` is there, which counts in the task's budget. Any number of these may wait on one source.
///
/// Cancel safe: dropping the future loses no event. An error says that the runtime has shut down.
pub(crate) async fn ready<T: AsRawFd>(source: &Source<T>, interest: Interest) -> io::Result<Seen> {
    let mut waits = interest
        .directions()
        .map(|direction| direction.map(|direction| source.ready(direction)));
    poll_fn(|cx| {
        coop::poll_counted(cx, |cx| {
            let seen = look(source, interest)?;
            if !seen.is_empty() {
                return Poll::Ready(Ok(seen));
            }
            let mut seen = Seen::default();
            // Nothing of it is there: a waker goes to every direction, unless an event comes meanwhile.
            for (wait, event) in waits.iter_mut().zip(&mut seen.0) {
                if let Some(wait) = wait
                    && let Poll::Ready(result) = Pin::new(wait).poll(cx)
                {
                    *event = Some(result?);
                }
            }
            if seen.is_empty() {
                Poll::Pending
            } else {
                Poll::Ready(Ok(seen))
            }
        })
    })
    .await
}

/// What of `interest` is there now; empty if nothing is. An error says that the runtime has shut down.
pub(crate) fn look<T: AsRawFd>(source: &Source<T>, interest: Interest) -> io::Result<Seen> {
    let mut seen = Seen::default();
    for (direction, event) in interest.directions().into_iter().zip(&mut seen.0) {
        if let Some(direction) = direction
            && let Poll::Ready(result) = source.look(direction)
        {
            *event = Some(result?);
        }
    }
    Ok(seen)
}

/// Runs `op` if anything of `interest` is there, and forgets it if `op` answers `WouldBlock`, which is the answer as well if nothing is.
pub(crate) fn try_io<T: AsRawFd, R>(
    source: &Source<T>,
    interest: Interest,
    op: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    let seen = look(source, interest)?;
    if seen.is_empty() {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    let result = op();
    if would_block(&result) {
        seen.forget(source);
    }
    result
}

/// Waits for `interest` and runs `op`, again and again until it answers anything but `WouldBlock`.
///
/// Cancel safe as far as `op` is: between two calls nothing is lost.
pub(crate) async fn async_io<T: AsRawFd, R>(
    source: &Source<T>,
    interest: Interest,
    mut op: impl FnMut() -> io::Result<R>,
) -> io::Result<R> {
    loop {
        let seen = ready(source, interest).await?;
        let result = op();
        if !would_block(&result) {
            return result;
        }
        seen.forget(source);
    }
}

impl Seen {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The union of what each event showed.
    pub(crate) fn ready(&self) -> Ready {
        let events = self.0.into_iter().flatten();
        events.fold(Ready::EMPTY, |ready, event| ready | event.into())
    }

    /// To be called after an operation that the system has refused with `WouldBlock`. Newer events stand.
    pub(crate) fn forget<T: AsRawFd>(&self, source: &Source<T>) {
        for event in self.0.into_iter().flatten() {
            source.clear_would_block(event);
        }
    }
}

fn would_block<R>(result: &io::Result<R>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
