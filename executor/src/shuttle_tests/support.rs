//! What the models are made of: runtimes, a channel, an event of the outside world, and values that count their drops.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::rt_sync::simulated::{Condvar, Mutex, elapsed, wait};
use crate::runtime::{Builder, Runtime};
use crate::task::{JoinError, JoinHandle};

/// A multi-thread runtime without the guard.
pub(super) fn runtime(workers: usize) -> Runtime {
    builder(workers).build().unwrap()
}

pub(super) fn builder(workers: usize) -> Builder {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(workers).guard(false);
    builder
}

/// Ends a runtime, and waits for ever for its threads.
pub(super) fn end(runtime: Runtime) {
    runtime.shutdown_timeout(Duration::MAX);
    assert!(
        elapsed() < Duration::from_secs(60),
        "time passed, {:?}, because nothing else could happen",
        elapsed()
    );
}

/// Waits for a handle on a thread that is in no runtime.
pub(super) fn answer<T>(handle: JoinHandle<T>) -> Result<T, JoinError> {
    shuttle::future::block_on(handle)
}

/// A task that waits for a time that does not come, and holds `value`.
pub(super) fn wait_an_hour<T>(value: T) -> impl Future<Output = ()> {
    async move {
        let _value = value;
        crate::time::sleep(Duration::from_secs(3600)).await;
    }
}

/// An unbounded channel with one receiver. Clones are the same channel.
pub(super) struct Channel<T>(Arc<Mutex<Queue<T>>>);

struct Queue<T> {
    values: VecDeque<T>,
    receiver: Option<Waker>,
}

impl<T> Channel<T> {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Queue {
            values: VecDeque::new(),
            receiver: None,
        })))
    }

    pub(super) fn send(&self, value: T) {
        let receiver = {
            let mut queue = self.0.lock();
            queue.values.push_back(value);
            queue.receiver.take()
        };
        receiver.into_iter().for_each(Waker::wake);
    }

    pub(super) fn recv(&self) -> impl Future<Output = T> + use<'_, T> {
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut queue = self.0.lock();
            match queue.values.pop_front() {
                Some(value) => Poll::Ready(value),
                None => {
                    let old = queue.receiver.replace(waker);
                    drop(queue);
                    drop(old);
                    Poll::Pending
                }
            }
        })
    }
}

impl<T> Clone for Channel<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// A flag for threads, not tasks.
pub(super) struct Flag {
    is_set: Mutex<bool>,
    changed: Condvar,
}

impl Flag {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            is_set: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    pub(super) fn set(&self) {
        *self.is_set.lock() = true;
        self.changed.notify_all();
    }

    /// Blocks the thread.
    pub(super) fn block(&self) {
        let mut is_set = self.is_set.lock();
        while !*is_set {
            is_set = wait(&self.changed, is_set);
        }
    }
}

/// Counts how many values it has made, and how many of them were dropped.
#[derive(Clone, Default)]
pub(super) struct Census(Arc<(AtomicUsize, AtomicUsize)>);

pub(super) struct Counted(Census);

impl Census {
    pub(super) fn one(&self) -> Counted {
        self.0.0.fetch_add(1, Relaxed);
        Counted(self.clone())
    }

    #[track_caller]
    pub(super) fn all_are_gone(&self) {
        let (made, dropped) = (self.0.0.load(Relaxed), self.0.1.load(Relaxed));
        assert_eq!(made, dropped, "values made, and dropped");
    }
}

impl Counted {
    pub(super) fn another(&self) -> Self {
        self.0.one()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.1.fetch_add(1, Relaxed);
    }
}
