//! Watches descriptors and waits for an `Interest` in any of them.
//!
//! This is what `ready`, `try_io` and `async_io` of all sockets do. The reactor knows each direction by itself; here several are waited
//! for at once, and forgotten at once.

use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Interest, Ready};
use crate::context;
use crate::coop;
use crate::driver::{self, ReadyEvent, ReadyFuture, Source};

/// Watches a descriptor that is in non-blocking mode, in the current runtime.
pub(crate) fn watch<T: AsRawFd>(io: T, interest: driver::Interest) -> io::Result<Source<T>> {
    try_watch(io, interest).map_err(|(_, error)| error)
}

/// As `watch`, but gives `io` back when it cannot be watched.
pub(crate) fn try_watch<T: AsRawFd>(
    io: T,
    interest: driver::Interest,
) -> Result<Source<T>, (T, io::Error)> {
    let handle = context::with_current(|state| state.scheduler.driver().handle().clone());
    handle.try_register(io, interest)
}

/// Watches a socket in the current runtime: see `reactor::Handle::register_writable`.
pub(crate) fn watch_writable<T: AsRawFd>(io: T) -> io::Result<Source<T>> {
    context::with_current(|state| state.scheduler.driver().handle().clone()).register_writable(io)
}

/// Waits until anything of `interest` is there, which counts in the task's budget. Any number of these may wait on one source.
///
/// Cancel safe: dropping the future loses no event. An error says that the runtime has shut down.
pub(crate) fn ready<T: AsRawFd>(source: &Source<T>, interest: Interest) -> Wait<'_> {
    Wait(
        interest
            .directions()
            .map(|direction| direction.map(|direction| source.ready(direction))),
    )
}

/// What of `interest` is there now; empty if nothing is. An error says that the runtime has shut down.
pub(crate) fn look<T: AsRawFd>(source: &Source<T>, interest: Interest) -> io::Result<Seen> {
    ready(source, interest).collect(|wait| wait.look())
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

/// The future of `ready`. It does not depend on the type of the source, so it may cross threads even if that may not be shared.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub(crate) struct Wait<'a>([Option<ReadyFuture<'a>>; 4]);

impl Wait<'_> {
    fn collect(
        &mut self,
        mut ask: impl FnMut(&mut ReadyFuture<'_>) -> Poll<io::Result<ReadyEvent>>,
    ) -> io::Result<Seen> {
        let mut seen = Seen::default();
        for (wait, event) in self.0.iter_mut().zip(&mut seen.0) {
            if let Some(wait) = wait
                && let Poll::Ready(result) = ask(wait)
            {
                *event = Some(result?);
            }
        }
        Ok(seen)
    }
}

impl Future for Wait<'_> {
    type Output = io::Result<Seen>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        coop::poll_counted(cx, |cx| {
            // A waker goes to every direction only if none is ready, which is often not so.
            let mut seen = self.collect(|wait| wait.look())?;
            if seen.is_empty() {
                seen = self.collect(|wait| Pin::new(wait).poll(cx))?;
            }
            if seen.is_empty() {
                Poll::Pending
            } else {
                Poll::Ready(Ok(seen))
            }
        })
    }
}

/// What was seen of a source: at most one event for each direction that was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen([Option<ReadyEvent>; 4]);

impl Seen {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// The union of what each event showed.
    pub(crate) fn ready(&self) -> Ready {
        let events = self.0.into_iter().flatten();
        events.fold(Ready::EMPTY, |ready, event| ready | event.into())
    }

    /// Forgets the part of it that `part` names, except for hang-ups. Newer events stand.
    pub(crate) fn clear<T: AsRawFd>(&self, source: &Source<T>, part: Ready) {
        // A part that is nothing but hang-ups leaves the rest of the event alone.
        let part = part - (Ready::READ_CLOSED | Ready::WRITE_CLOSED);
        for event in self.0.into_iter().flatten() {
            if !(Ready::from(event) & part).is_empty() {
                source.clear_ready(event);
            }
        }
    }

    /// To be called after an operation that the system has refused with `WouldBlock`. Newer events stand.
    pub(crate) fn forget<T: AsRawFd>(&self, source: &Source<T>) {
        for event in self.0.into_iter().flatten() {
            source.clear_would_block(event);
        }
    }
}

impl From<ReadyEvent> for Seen {
    fn from(event: ReadyEvent) -> Self {
        Self([Some(event), None, None, None])
    }
}

/// Whether the system has refused an operation for now.
pub(crate) fn would_block<R>(result: &io::Result<R>) -> bool {
    matches!(result, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}
