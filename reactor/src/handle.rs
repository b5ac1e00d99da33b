//! What everybody may hold: wakes the turn, registers sources, shuts the reactor down.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Waker;

use mio::unix::SourceFd;
use parking_lot::RwLock;

use crate::error;
use crate::interest::{Direction, Interest};
use crate::registration::Registration;
use crate::registry::{Registry, Token};
use crate::source::Source;
use crate::sys::fork::Process;

/// A shared handle to a [`Reactor`](crate::Reactor); clones are the same reactor.
///
/// It outlives the reactor without harm: after [`close`](Self::close) it holds memory but no file descriptor.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

struct Shared {
    registry: Registry,
    /// `None` after `close`. Registering holds it for reading, so that `close` finds every source there is.
    os: RwLock<Option<Os>>,
    /// Says without a lock that `os` is (about to be) gone.
    closed: AtomicBool,
    process: Process,
    counts: Counts,
}

/// What metrics show.
#[derive(Default)]
struct Counts {
    registered: AtomicU64,
    deregistered: AtomicU64,
    /// Written by the turn alone.
    events: AtomicU64,
}

/// The file descriptors a handle works with.
struct Os {
    registry: mio::Registry,
    /// The reactor holds the other count, so that the wake that `close` sends is not lost with the descriptor.
    waker: Arc<mio::Waker>,
}

impl Handle {
    pub(crate) fn new(registry: mio::Registry, waker: Arc<mio::Waker>) -> io::Result<Self> {
        let shared = Shared {
            registry: Registry::default(),
            os: RwLock::new(Some(Os { registry, waker })),
            closed: AtomicBool::new(false),
            process: Process::current()?,
            counts: Counts::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Ends a turn that blocks, or makes the next one return at once.
    ///
    /// Several wakes before a turn count as one. It does nothing in a forked child and after [`close`](Self::close),
    /// when no turn blocks any more.
    pub fn wake(&self) {
        if self.was_forked() {
            return;
        }
        if let Some(os) = &*self.shared.os.read() {
            let written = os.waker.wake();
            debug_assert!(
                written.is_ok(),
                "the reactor's own descriptor was closed by somebody else: {written:?}"
            );
        }
    }

    /// Watches `io`, which must be in non-blocking mode already, for `interest`.
    ///
    /// `io` keeps its descriptor open: one that is closed while it is watched is not watched any more, and what is opened under the
    /// same number afterwards is not either.
    ///
    /// Readiness starts out as "not ready"; the first turn brings what the descriptor was ready for all along
    /// ([`Source::assume_ready`] does not wait for it). A stream
    /// socket is therefore registered after `connect` has begun: one that is not even connecting counts as hung up.
    ///
    /// # Errors
    /// What the operating system says (the descriptor cannot be watched, is watched already, or there are too many), or
    /// that the runtime has shut down or was made before a `fork`. `io` is dropped then, and nothing stays behind.
    pub fn register<T: AsRawFd>(&self, io: T, interest: Interest) -> io::Result<Source<T>> {
        self.try_register(io, interest).map_err(|(_, error)| error)
    }

    /// As [`register`](Self::register), but gives `io` back when it cannot be watched.
    ///
    /// # Errors
    /// As [`register`](Self::register), with `io`.
    pub fn try_register<T: AsRawFd>(
        &self,
        io: T,
        interest: Interest,
    ) -> Result<Source<T>, (T, io::Error)> {
        let fd = io.as_raw_fd();
        match self.add(fd, interest) {
            Ok(token) => {
                let registration = Registration::new(self.clone(), token, fd, false);
                Ok(Source::new(io, registration))
            }
            Err(error) => Err((io, error)),
        }
    }

    /// Watches `io`, a socket in non-blocking mode that is expected to have room, for reading and writing. Writing counts as ready, as
    /// after [`Source::assume_ready`].
    ///
    /// The system is asked about writing only after an operation has found no room. Until then an event is for the reader alone. Otherwise
    /// each that says "readable" says "writable", too, and what the peer takes of a datagram socket or a Unix stream is an event.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn register_writable<T: AsRawFd>(&self, io: T) -> io::Result<Source<T>> {
        let fd = io.as_raw_fd();
        let token = self.add(fd, Interest::READABLE)?;
        let registration = Registration::new(self.clone(), token, fd, true);
        Ok(Source::new(io, registration).assume_ready(&[Direction::Write]))
    }

    /// Shuts the reactor down: every source, now and later, answers that its runtime has shut down.
    ///
    /// All wakers that wait are moved into `wakers` for the caller to wake. A turn that blocks returns, and none blocks
    /// any more. The handle's own descriptors are closed; the reactor's go when it is dropped. It does nothing the
    /// second time, nor in a forked child.
    pub fn close(&self, wakers: &mut Vec<Waker>) {
        if self.was_forked() {
            return;
        }
        // Release: pairs with the load in `is_closed`; it comes before the wake, so no turn blocks after it.
        self.shared.closed.store(true, Ordering::Release);
        let os = self.shared.os.write().take();
        if let Some(os) = os {
            // Whoever registered before the lock was taken is in the registry; nobody registers after it.
            self.shared.registry.shut_down(wakers);
            let written = os.waker.wake();
            debug_assert!(
                written.is_ok(),
                "the reactor's own descriptor was closed by somebody else: {written:?}"
            );
        }
    }

    /// How many sources were ever registered, how many of them no longer are, and how many events came for sources.
    pub fn counts(&self) -> (u64, u64, u64) {
        let counts = &self.shared.counts;
        // In this order, so that what is deregistered meanwhile does not count without its registration.
        let deregistered = counts.deregistered.load(Ordering::Acquire);
        let registered = counts.registered.load(Ordering::Relaxed);
        (
            registered,
            deregistered,
            counts.events.load(Ordering::Relaxed),
        )
    }

    /// To be called by the turn.
    pub(crate) fn count_events(&self, events: u64) {
        let count = &self.shared.counts.events;
        count.store(count.load(Ordering::Relaxed) + events, Ordering::Relaxed);
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Acquire: pairs with the store in `close`.
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Whether this process is a child, by `fork`, of the one that made the reactor: what is shared with that one is to be left alone.
    pub fn was_forked(&self) -> bool {
        self.shared.process.was_forked()
    }

    fn add(&self, fd: RawFd, interest: Interest) -> io::Result<Token> {
        if self.was_forked() {
            return Err(error::forked());
        }
        let os = self.shared.os.read();
        let os = os.as_ref().ok_or_else(error::shut_down)?;
        let token = self.shared.registry.acquire()?;
        let added = os
            .registry
            .register(&mut SourceFd(&fd), token.to_mio(), interest.to_mio());
        if let Err(error) = added {
            // Nobody has ever seen this entry, so no waker can be in it.
            self.shared.registry.release(token, &mut Vec::new());
            return Err(error);
        }
        // The lock of `os` above was a read-modify-write of a shared word, and the system's call costs more than both.
        self.shared
            .counts
            .registered
            .fetch_add(1, Ordering::Relaxed);
        Ok(token)
    }

    /// Adds writing to what is watched of a descriptor that is registered for reading. If it is ready for either now, that is an event.
    pub(crate) fn watch_both(&self, token: Token, fd: RawFd) -> io::Result<()> {
        if self.was_forked() {
            return Err(error::forked());
        }
        let os = self.shared.os.read();
        let os = os.as_ref().ok_or_else(error::shut_down)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        os.registry
            .reregister(&mut SourceFd(&fd), token.to_mio(), both.to_mio())
    }

    /// Ends a registration; `fd` is `None` when the descriptor is not ours any more. Not called in a forked child.
    pub(crate) fn remove(&self, token: Token, fd: Option<RawFd>) {
        if let (Some(os), Some(fd)) = (&*self.shared.os.read(), fd) {
            // An error means that the descriptor was closed behind our back, and the registration went with it.
            let _ = os.registry.deregister(&mut SourceFd(&fd));
        }
        // Release: pairs with the Acquire of `counts`.
        self.shared
            .counts
            .deregistered
            .fetch_add(1, Ordering::Release);
        // Nobody can poll the source any more, so these wakers are dropped, not woken; and that without any lock.
        let mut wakers = Vec::new();
        self.shared.registry.release(token, &mut wakers);
    }
}

// No user code runs under one of the locks, so a panic finds nothing half-done behind them.
impl UnwindSafe for Shared {}
impl RefUnwindSafe for Shared {}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
