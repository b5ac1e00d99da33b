//! What a runtime does about tasks that panic: who hears of those that nobody asks for, and whether the first one ends the runtime.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};

use super::batch::wake_all;
use crate::rt_sync::whole::Mutex;
use crate::rt_sync::whole::atomic::{AtomicU64, Ordering::Relaxed};
use crate::task::{Observer, UnobservedFailure};

#[derive(Debug)]
pub(crate) struct Failures {
    observer: Observer,
    end: Option<End>,
}

/// With `UnhandledPanic::ShutdownRuntime`: the first panic ends the runtime, and every `block_on` in it.
pub(crate) struct End {
    /// Set before the runtime is closed, and before the task's handle answers: who sees either finds the cause.
    cause: OnceLock<String>,
    shut_down: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// Who waits in `block_on`.
    roots: Mutex<Vec<(u64, Waker)>>,
    next: AtomicU64,
}

/// A call of `block_on`, until it ends.
struct Root<'a> {
    end: &'a End,
    number: u64,
}

impl Failures {
    pub(crate) fn new(observer: Observer, shutdown_runtime: bool) -> Arc<Self> {
        Arc::new(Self {
            observer,
            end: shutdown_runtime.then(|| End {
                cause: OnceLock::new(),
                shut_down: OnceLock::new(),
                roots: Mutex::new(Vec::new()),
                next: AtomicU64::new(0),
            }),
        })
    }

    /// Says, before the first task, how the runtime is ended.
    pub(crate) fn set_shut_down(&self, shut_down: impl Fn() + Send + Sync + 'static) {
        if let Some(end) = &self.end {
            let _first = end.shut_down.set(Box::new(shut_down));
        }
    }

    pub(crate) fn observer(&self) -> Observer {
        self.observer.clone()
    }

    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// A task has panicked. Runs destructors of other tasks if that ends the runtime.
    pub(crate) fn failed(&self, failure: &UnobservedFailure) -> Observer {
        if let Some(end) = &self.end
            && end.cause.set(failure.to_string()).is_ok()
        {
            end.shut_down
                .get()
                .into_iter()
                .for_each(|shut_down| shut_down());
            let roots = std::mem::take(&mut *end.roots.lock());
            wake_all(&mut roots.into_iter().map(|(_, waker)| waker).collect());
        }
        self.observer()
    }
}

impl End {
    /// Waits for `future`, or for the end, whose cause is the error.
    pub(crate) async fn or<F: Future>(&self, future: F) -> Result<F::Output, &str> {
        let mut future = pin!(future);
        // Relaxed: a number unlike all others, and no more.
        let number = self.next.fetch_add(1, Relaxed);
        let root = Root { end: self, number };
        poll_fn(|cx| {
            root.register(cx.waker());
            let before = self.cause.get();
            // Looked at again afterwards: the future may have been told by the handle of the task that panicked.
            let output = before.is_none().then(|| future.as_mut().poll(cx));
            match (self.cause.get(), output) {
                (Some(cause), _) => Poll::Ready(Err(cause.as_str())),
                (None, output) => output.expect("polled without a cause").map(Ok),
            }
        })
        .await
    }
}

/// What is cloned and dropped under the lock here are wakers of our own: `block_on` polls the future itself.
impl Root<'_> {
    /// Before the look at `cause`: either that finds it, or its setter finds the waker.
    fn register(&self, waker: &Waker) {
        let mut roots = self.end.roots.lock();
        match roots.iter_mut().find(|(number, _)| *number == self.number) {
            Some((_, registered)) => registered.clone_from(waker),
            None => roots.push((self.number, waker.clone())),
        }
    }
}

impl Drop for Root<'_> {
    fn drop(&mut self) {
        let mut roots = self.end.roots.lock();
        roots.retain(|(number, _)| *number != self.number);
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("End")
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}
