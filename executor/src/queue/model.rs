//! A stand-in for crossbeam's queues in the models, no stronger than they are.
//!
//! What a caller may count on with crossbeam, and no more, holds here: a value is taken once; `is_empty` is a separate, relaxed look;
//! a push is announced after the value is in, by a release store that no fence accompanies. For shuttle a steal moves a batch, too, and may
//! meet other thieves. Not modelled: both of these for loom, and the memory that the real queues reclaim by epochs.

use std::collections::VecDeque;

use crate::rt_sync::atomic::AtomicUsize;
use crate::rt_sync::atomic::Ordering::{Acquire, Relaxed, Release};
use crate::rt_sync::{Arc, Mutex};

#[derive(Debug)]
struct Queue<T> {
    values: Mutex<VecDeque<T>>,
    /// How many values ever came in, written by pushers, and how many went out. Two words, as crossbeam's `back` and `front`.
    pushed: AtomicUsize,
    taken: AtomicUsize,
}

impl<T> Queue<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            values: Mutex::new(VecDeque::new()),
            pushed: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
        })
    }

    fn push(&self, value: T) {
        self.values.lock().push_back(value);
        self.pushed.fetch_add(1, Release);
    }

    fn is_empty(&self) -> bool {
        self.pushed.load(Relaxed) == self.taken.load(Relaxed)
    }

    fn take(&self) -> Option<T> {
        if self.pushed.load(Acquire) == self.taken.load(Acquire) {
            return None;
        }
        let value = self.values.lock().pop_front()?;
        self.taken.fetch_add(1, Release);
        Some(value)
    }

    fn steal(&self) -> Option<T> {
        meet_other_thieves();
        self.take()
    }

    /// Takes one value, and for shuttle moves half of the rest to `into`.
    fn take_batch(&self, into: &Local<T>) -> Option<T> {
        let value = self.steal();
        if cfg!(shuttle) && value.is_some() {
            let half = self.values.lock().len() / 2;
            (0..half)
                .map_while(|_| self.take())
                .for_each(|value| into.push(value));
        }
        value
    }
}

/// See `queue::crossbeam`, also for the other two.
#[derive(Debug)]
pub(crate) struct Local<T>(Arc<Queue<T>>);

#[derive(Debug)]
pub(crate) struct Stealer<T>(Arc<Queue<T>>);

#[derive(Debug)]
pub(crate) struct Injector<T>(Arc<Queue<T>>);

impl<T> Local<T> {
    pub(crate) fn new() -> Self {
        Self(Queue::new())
    }

    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.clone())
    }

    pub(crate) fn push(&self, value: T) {
        self.0.push(value);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.0.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.values.lock().len()
    }
}

impl<T> Stealer<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.values.lock().len()
    }

    pub(crate) fn steal_into(&self, into: &Local<T>) -> Option<T> {
        self.0.take_batch(into)
    }

    pub(crate) fn steal(&self) -> Option<T> {
        self.0.steal()
    }
}

impl<T> Injector<T> {
    pub(crate) fn new() -> Self {
        Self(Queue::new())
    }

    pub(crate) fn push(&self, value: T) {
        self.0.push(value);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.values.lock().len()
    }

    pub(crate) fn steal_into(&self, into: &Local<T>) -> Option<T> {
        self.0.take_batch(into)
    }

    pub(crate) fn move_into(&self, into: &Local<T>) {
        while let Some(value) = self.0.take() {
            into.push(value);
        }
    }

    pub(crate) fn steal(&self) -> Option<T> {
        self.0.steal()
    }
}

/// `Retry`, of which callers only notice that time passes.
fn meet_other_thieves() {
    #[cfg(shuttle)]
    while crate::rt_sync::happens(crate::rt_sync::Fault::StealRetry) {
        crate::rt_sync::spin_loop();
    }
}
