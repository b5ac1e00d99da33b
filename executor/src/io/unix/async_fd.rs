//! `AsyncFd`: waits for a descriptor of any kind.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

use super::{AsyncFdReadyGuard, AsyncFdReadyMutGuard, AsyncFdRegisterError};
use crate::coop;
use crate::driver::{Direction, ReadyEvent, Source};
use crate::io::readiness::{self, Seen, would_block};
use crate::io::{Interest, Ready};

/// Waits until a descriptor is ready, whatever it belongs to: a pipe, a device, an `inotify`, a socket of another library.
///
/// `T` owns the descriptor, or knows that it stays open, and must have put it into non-blocking mode. It is watched until the `AsyncFd`
/// is dropped or taken apart, which also drops `T` or gives it back. It belongs to the runtime in which it was made.
///
/// What the system cannot watch is refused. That is the case for regular files, which are always "ready", and for a descriptor that
/// is watched already; watch a duplicate then.
///
/// # How to read and write
///
/// [`async_io`](Self::async_io) is the shortest way. By hand: wait for a guard with [`readable`](Self::readable) or
/// [`writable`](Self::writable), and let [its `try_io`](AsyncFdReadyGuard::try_io) run the operation. An event of the system comes only
/// once, so what it said is remembered until an operation answers `WouldBlock`. Whoever calls the operation without a `try_io` has to
/// say so with [`clear_ready`](AsyncFdReadyGuard::clear_ready); otherwise the next wait ends at once.
///
/// The waits of [`poll_read_ready`](Self::poll_read_ready) and [`poll_write_ready`](Self::poll_write_ready) remember one waker for each of
/// the two. All other functions serve any number of tasks.
///
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// use executor::io::{Interest, unix::AsyncFd};
///
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// let (ours, mut peer) = UnixStream::pair()?;
/// ours.set_nonblocking(true)?;
/// let ours = AsyncFd::new(ours)?;
///
/// peer.write_all(b"hello")?;
/// let mut buffer = [0; 16];
/// let n = ours.async_io(Interest::READABLE, |mut stream| stream.read(&mut buffer)).await?;
/// assert_eq!(&buffer[..n], b"hello");
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "add_reader")]
#[doc(alias = "add_writer")]
#[doc(alias = "wait_readable")]
#[doc(alias = "wait_writable")]
pub struct AsyncFd<T: AsRawFd> {
    source: Source<T>,
}

impl<T: AsRawFd> AsyncFd<T> {
    /// Watches a descriptor for reading and writing.
    ///
    /// # Errors
    ///
    /// What the system says when it refuses to watch the descriptor (that it is a regular file, for instance), or that the runtime
    /// has shut down. `inner` is dropped then; [`register`](Self::register) gives it back.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, if the default one cannot be started.
    #[track_caller]
    pub fn new(inner: T) -> io::Result<Self> {
        Ok(Self::register(inner)?)
    }

    /// Watches a descriptor for `interest`. What is not part of it may never come.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn with_interest(inner: T, interest: Interest) -> io::Result<Self> {
        Ok(Self::register_with_interest(inner, interest)?)
    }

    /// The former name of [`register`](Self::register).
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register).
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn try_new(inner: T) -> Result<Self, AsyncFdRegisterError<T>> {
        Self::register(inner)
    }

    /// The former name of [`register_with_interest`](Self::register_with_interest).
    ///
    /// # Errors
    ///
    /// As [`register`](Self::register).
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn try_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<Self, AsyncFdRegisterError<T>> {
        Self::register_with_interest(inner, interest)
    }

    /// As [`new`](Self::new), with an error that gives `inner` back.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn register(inner: T) -> Result<Self, AsyncFdRegisterError<T>> {
        Self::register_with_interest(inner, Interest::READABLE | Interest::WRITABLE)
    }

    /// As [`with_interest`](Self::with_interest), with an error that gives `inner` back.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    #[track_caller]
    pub fn register_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<Self, AsyncFdRegisterError<T>> {
        match readiness::try_watch(inner, interest.to_driver()) {
            Ok(source) => Ok(Self { source }),
            Err((inner, cause)) => Err(AsyncFdRegisterError::new(inner, cause)),
        }
    }

    /// What owns the descriptor.
    pub fn get_ref(&self) -> &T {
        self.source.get_ref()
    }

    /// What owns the descriptor, to change. Another descriptor put in its place is not watched.
    pub fn get_mut(&mut self) -> &mut T {
        self.source.get_mut()
    }

    /// Watches the descriptor no longer, and gives back what owns it.
    pub fn into_inner(self) -> T {
        self.source.into_inner()
    }

    /// Waits until reading is worth a try: data, a hang-up, or an error is there.
    ///
    /// # Errors
    ///
    /// That the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: an event is remembered until an operation answers `WouldBlock`.
    #[doc(alias = "wait_readable")]
    pub async fn readable(&self) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        self.ready(Interest::READABLE).await
    }

    /// As [`readable`](Self::readable), with a guard that lends the value to change.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    ///
    /// # Cancel safety
    ///
    /// As [`readable`](Self::readable).
    pub async fn readable_mut(&mut self) -> io::Result<AsyncFdReadyMutGuard<'_, T>> {
        self.ready_mut(Interest::READABLE).await
    }

    /// Waits until writing is worth a try: room, a hang-up, or an error is there.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    ///
    /// # Cancel safety
    ///
    /// As [`readable`](Self::readable).
    #[doc(alias = "wait_writable")]
    pub async fn writable(&self) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        self.ready(Interest::WRITABLE).await
    }

    /// As [`writable`](Self::writable), with a guard that lends the value to change.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    ///
    /// # Cancel safety
    ///
    /// As [`readable`](Self::readable).
    pub async fn writable_mut(&mut self) -> io::Result<AsyncFdReadyMutGuard<'_, T>> {
        self.ready_mut(Interest::WRITABLE).await
    }

    /// Waits until anything of `interest` is there. [`AsyncFdReadyGuard::ready`] says what.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    ///
    /// # Cancel safety
    ///
    /// As [`readable`](Self::readable).
    pub async fn ready(&self, interest: Interest) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        let seen = readiness::ready(&self.source, interest).await?;
        Ok(AsyncFdReadyGuard::new(self, seen))
    }

    /// As [`ready`](Self::ready), with a guard that lends the value to change.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    ///
    /// # Cancel safety
    ///
    /// As [`readable`](Self::readable).
    pub async fn ready_mut(
        &mut self,
        interest: Interest,
    ) -> io::Result<AsyncFdReadyMutGuard<'_, T>> {
        let seen = readiness::ready(&self.source, interest).await?;
        Ok(AsyncFdReadyMutGuard::new(self, seen))
    }

    /// As [`readable`](Self::readable). Only the last task that polled for reading is woken.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    pub fn poll_read_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.poll_event(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, event.into())))
    }

    /// As [`poll_read_ready`](Self::poll_read_ready), with a guard that lends the value to change.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    pub fn poll_read_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.poll_event(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard::new(self, event.into())))
    }

    /// As [`writable`](Self::writable). Only the last task that polled for writing is woken.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    pub fn poll_write_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.poll_event(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, event.into())))
    }

    /// As [`poll_write_ready`](Self::poll_write_ready), with a guard that lends the value to change.
    ///
    /// # Errors
    ///
    /// As [`readable`](Self::readable).
    pub fn poll_write_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.poll_event(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard::new(self, event.into())))
    }

    /// Waits for `interest` and runs `f`, again and again until it answers anything but `WouldBlock`.
    ///
    /// `f` must answer `WouldBlock` only if the descriptor itself would block: else no event ends the wait.
    ///
    /// # Errors
    ///
    /// What `f` returns, or that the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the future waits only between two calls of `f`.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        readiness::async_io(&self.source, interest, || f(self.get_ref())).await
    }

    /// As [`async_io`](Self::async_io), with the value to change.
    ///
    /// # Errors
    ///
    /// As [`async_io`](Self::async_io).
    ///
    /// # Cancel safety
    ///
    /// As [`async_io`](Self::async_io).
    pub async fn async_io_mut<R>(
        &mut self,
        interest: Interest,
        mut f: impl FnMut(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            let seen = readiness::ready(&self.source, interest).await?;
            let result = f(self.get_mut());
            if !would_block(&result) {
                return result;
            }
            self.forget(&seen);
        }
    }

    /// Runs `f` if anything of `interest` is known to be there, without waiting, and forgets it if `f` answers `WouldBlock`.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing of it is known to be there; that the runtime has shut down; what `f` returns.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        readiness::try_io(&self.source, interest, || f(self.get_ref()))
    }

    /// As [`try_io`](Self::try_io), with the value to change.
    ///
    /// # Errors
    ///
    /// As [`try_io`](Self::try_io).
    pub fn try_io_mut<R>(
        &mut self,
        interest: Interest,
        f: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let seen = readiness::look(&self.source, interest)?;
        if seen.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = f(self.get_mut());
        if would_block(&result) {
            self.forget(&seen);
        }
        result
    }

    fn poll_event(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<ReadyEvent>> {
        coop::poll_counted(cx, |cx| self.source.poll_ready(cx, direction))
    }

    /// An operation was refused with `WouldBlock` after this was seen.
    pub(super) fn forget(&self, seen: &Seen) {
        seen.forget(&self.source);
    }

    /// The user says that `part` of what was seen is over.
    pub(super) fn clear(&self, seen: &Seen, part: Ready) {
        seen.clear(&self.source, part);
    }
}

impl<T: AsRawFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.get_ref().as_raw_fd()
    }
}

impl<T: AsRawFd + AsFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd")
            .field("inner", self.get_ref())
            .finish()
    }
}
