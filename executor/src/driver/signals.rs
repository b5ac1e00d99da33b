//! The signals of the system, as one more source of events: handlers, and the one descriptor by which a runtime hears of them.
//!
//! ```text
//!   SIGTERM ─▶ handler ─▶ Bell::ring ── a byte ──▶ reactor.turn ─▶ collect ─▶ Bell::answer ─▶ list of wakers
//! ```
//! A handler may do next to nothing: it interrupts arbitrary code, which may hold any lock. It adds to atomics and sends a byte, which is
//! allowed; see `bell` for how that wakes whom it must. The handlers stay until the runtime ends, however many listen: a runtime has two
//! descriptors for all of its signals, and none before the first.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use reactor::{Direction, Interest, Source, forked, shut_down};
use signal_hook_registry::SigId;

use super::ReactorHandle;
use super::bell::{Bell, Ear};

/// What one runtime hears.
#[derive(Debug)]
pub(crate) struct Signals {
    rope: Arc<Rope>,
    receiver: Source<UnixStream>,
    /// The handlers by the signal's number.
    handlers: Mutex<BTreeMap<usize, SigId>>,
}

/// What the handlers hold.
#[derive(Debug)]
struct Rope {
    bell: Bell,
    sender: UnixStream,
    process: u32,
}

/// Hears one signal.
#[derive(Debug)]
pub(crate) struct Listener {
    signals: Arc<Signals>,
    ear: Ear,
}

impl Signals {
    pub(super) fn new(handle: &ReactorHandle) -> io::Result<Self> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        Ok(Self {
            rope: Arc::new(Rope {
                bell: Bell::new(numbers()),
                sender,
                process: std::process::id(),
            }),
            receiver: handle.register(receiver, Interest::READABLE)?,
            handlers: Mutex::default(),
        })
    }

    /// Listens to a signal from now on.
    pub(crate) fn listen(self: &Arc<Self>, number: i32) -> io::Result<Listener> {
        let bell = &self.rope.bell;
        let index = usize::try_from(number).ok();
        let index = index.filter(|index| (1..bell.numbers()).contains(index));
        let index = index.ok_or_else(|| {
            io::Error::other(format!("no signal of this system has the number {number}"))
        })?;
        if signal_hook_registry::FORBIDDEN.contains(&number) {
            return Err(io::Error::other(format!(
                "the signal {number} cannot be waited for: a handler of it would not be called, or could not return"
            )));
        }
        if self.rope.was_forked() {
            return Err(forked());
        }
        let mut handlers = self.handlers.lock();
        if bell.is_closed() {
            return Err(shut_down());
        }
        if let Entry::Vacant(vacant) = handlers.entry(index) {
            let rope = self.rope.clone();
            // SAFETY: `pull` compares a number, adds to atomics and makes two system calls that are allowed in handlers; it allocates
            // nothing, takes no lock, and cannot panic as the index was checked above. errno is restored by the registry.
            let handler =
                unsafe { signal_hook_registry::register(number, move || rope.pull(index)) }?;
            vacant.insert(handler);
        }
        drop(handlers);
        Ok(Listener {
            signals: self.clone(),
            ear: bell.listen(index),
        })
    }

    /// Moves the wakers of those whose signal has come to `wakers`. For the duty's holder, after a turn.
    pub(super) fn collect(&self, wakers: &mut Vec<Waker>) {
        let Some(event) = self.receiver.readiness(Direction::Read) else {
            return;
        };
        let mut bytes = [0; 16];
        loop {
            match self.receiver.get_ref().read(&mut bytes) {
                // Less than there was room for: nothing is left, and the next byte is a new event.
                Ok(n) if n < bytes.len() => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.receiver.clear_would_block(event);
        self.rope.bell.answer(wakers);
    }

    /// Listeners hear nothing any more. Moves the wakers of those who wait to `wakers`.
    pub(super) fn close(&self, wakers: &mut Vec<Waker>) {
        // In a forked child the locks may be held by threads that do not exist there.
        if self.rope.was_forked() {
            return;
        }
        self.rope.bell.close(wakers);
        self.remove_handlers();
    }

    fn remove_handlers(&self) {
        for handler in std::mem::take(&mut *self.handlers.lock()).into_values() {
            // Returns when no thread is in the handler any more.
            signal_hook_registry::unregister(handler);
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        if !self.rope.was_forked() {
            self.remove_handlers();
        }
    }
}

impl Rope {
    /// The handler.
    fn pull(&self, number: usize) {
        // A forked child has the handler and the socket, too, and its signals are none of ours.
        if !self.was_forked() && self.bell.ring(number) {
            // The socket has room: there are no more bytes in it than handlers that run at this moment.
            let _ = (&self.sender).write(&[0]);
        }
    }

    fn was_forked(&self) -> bool {
        std::process::id() != self.process
    }
}

impl Listener {
    /// Waits for the signal. `None`: the runtime has ended, or was made before a `fork`.
    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        let rope = &self.signals.rope;
        if rope.was_forked() {
            return Poll::Ready(None);
        }
        rope.bell.poll_heard(&mut self.ear, cx.waker())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let rope = &self.signals.rope;
        if !rope.was_forked() {
            rope.bell.forget(&self.ear);
        }
    }
}

/// One more than the highest number a signal has.
fn numbers() -> usize {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return usize::try_from(libc::SIGRTMAX()).map_or(65, |highest| highest + 1);
    // Nothing that waits for a signal with a name needs more.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    33
}
