//! shuttle's threads, whose parking can time out and never ends for nothing, and which the system may refuse.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::Mutex;

use super::bed::{Bed, End};
use super::world::{now, threads_are_refused};
use super::{switch, thread_local};

pub(crate) use shuttle::thread::ThreadId;

#[derive(Clone, Debug)]
pub(crate) struct Thread {
    id: ThreadId,
    token: Arc<Token>,
}

/// What `unpark` leaves. The locks are real, and never held where threads switch.
#[derive(Debug, Default)]
struct Token {
    is_there: AtomicBool,
    parked: Mutex<Option<Arc<Bed>>>,
}

#[derive(Debug)]
pub(crate) struct Builder(shuttle::thread::Builder);

#[derive(Debug)]
pub(crate) struct JoinHandle<T> {
    inner: shuttle::thread::JoinHandle<T>,
    finished: Arc<AtomicBool>,
}

pub(crate) fn current() -> Thread {
    Thread {
        id: shuttle::thread::current().id(),
        token: TOKEN.with(Arc::clone),
    }
}

pub(crate) fn park() {
    TOKEN.with(Arc::clone).park(None);
}

pub(crate) fn park_timeout(timeout: Duration) {
    TOKEN.with(Arc::clone).park(Some(timeout));
}

pub(crate) fn spawn<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    Builder::new().start(f)
}

impl Thread {
    pub(crate) fn id(&self) -> ThreadId {
        self.id
    }

    pub(crate) fn unpark(&self) {
        switch();
        self.token.is_there.store(true, Relaxed);
        let parked = self.token.parked.lock().take();
        if let Some(bed) = parked {
            bed.end(End::Woken);
        }
    }
}

impl Token {
    fn park(&self, timeout: Option<Duration>) {
        switch();
        if !self.is_there.swap(false, Relaxed) {
            let bed = Bed::new();
            *self.parked.lock() = Some(bed.clone());
            let deadline = timeout.and_then(|timeout| now().checked_add(timeout));
            let _ = bed.sleep(deadline);
            *self.parked.lock() = None;
            self.is_there.store(false, Relaxed);
        }
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self(shuttle::thread::Builder::new())
    }

    pub(crate) fn name(self, name: String) -> Self {
        Self(self.0.name(name))
    }

    /// The simulation gives every thread the same stack.
    pub(crate) fn stack_size(self, _bytes: usize) -> Self {
        self
    }

    pub(crate) fn spawn<T: Send + 'static>(
        self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<JoinHandle<T>> {
        if threads_are_refused() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(self.start(f))
    }

    fn start<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        let finished = Arc::new(AtomicBool::new(false));
        let at_end = finished.clone();
        let thread = self.0.spawn(move || {
            let result = f();
            at_end.store(true, Relaxed);
            result
        });
        JoinHandle {
            inner: thread.expect("shuttle refuses no thread"),
            finished,
        }
    }
}

impl<T> JoinHandle<T> {
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Relaxed)
    }

    pub(crate) fn join(self) -> std::thread::Result<T> {
        self.inner.join()
    }
}

thread_local! {
    static TOKEN: Arc<Token> = const { Arc::default() };
}
