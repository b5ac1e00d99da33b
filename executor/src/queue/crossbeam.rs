//! The real FIFOs: crossbeam-deque's.

use crossbeam_deque as deque;

use crate::ledger::{self, Line};

/// The owner's end of a worker's FIFO.
#[derive(Debug)]
pub(crate) struct Local<T>(deque::Worker<T>);

/// The thieves' end.
#[derive(Debug)]
pub(crate) struct Stealer<T>(deque::Stealer<T>);

/// Where threads that are no workers push.
#[derive(Debug)]
pub(crate) struct Injector<T>(deque::Injector<T>);

impl<T> Local<T> {
    pub(crate) fn new() -> Self {
        Self(deque::Worker::new_fifo())
    }

    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.stealer())
    }

    #[inline]
    pub(crate) fn push(&self, value: T) {
        self.0.push(value);
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        // The emptiness check costs no write; `pop` on an empty queue does and undoes one.
        if self.0.is_empty() {
            None
        } else {
            self.0.pop()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<T> Stealer<T> {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes one value, and moves up to half of the rest to `into`.
    pub(crate) fn steal_into(&self, into: &Local<T>) -> Option<T> {
        until_settled(|| noting_theft(self.0.steal_batch_and_pop(&into.0)))
    }

    pub(crate) fn steal(&self) -> Option<T> {
        until_settled(|| noting_theft(self.0.steal()))
    }
}

impl<T> Injector<T> {
    pub(crate) fn new() -> Self {
        Self(deque::Injector::new())
    }

    #[inline]
    pub(crate) fn push(&self, value: T) {
        ledger::writes(Line::Injector, 2);
        self.0.push(value);
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes one value, and moves some of the rest to `into`.
    pub(crate) fn steal_into(&self, into: &Local<T>) -> Option<T> {
        let before = length_if_noted(into);
        let taken = until_settled(|| self.0.steal_batch_and_pop(&into.0));
        note_taken(usize::from(taken.is_some()) + length_if_noted(into).saturating_sub(before));
        taken
    }

    /// Moves some values to `into`, in their order.
    pub(crate) fn move_into(&self, into: &Local<T>) {
        let before = length_if_noted(into);
        until_settled(|| self.0.steal_batch(&into.0));
        note_taken(length_if_noted(into).saturating_sub(before));
    }

    pub(crate) fn steal(&self) -> Option<T> {
        let taken = until_settled(|| self.0.steal());
        note_taken(usize::from(taken.is_some()));
        taken
    }
}

/// Repeats a steal until it is not `Retry`: another thread made progress each time it was.
fn until_settled<T>(steal: impl Fn() -> deque::Steal<T>) -> Option<T> {
    loop {
        match steal() {
            deque::Steal::Success(value) => return Some(value),
            deque::Steal::Empty => return None,
            deque::Steal::Retry => std::hint::spin_loop(),
        }
    }
}

/// What a steal from another worker costs, see `ledger`.
#[inline(always)]
fn noting_theft<T>(steal: deque::Steal<T>) -> deque::Steal<T> {
    ledger::writes(Line::Steal, usize::from(!steal.is_empty()));
    steal
}

/// What it costs to take so many out of the injector, see `ledger`.
#[inline(always)]
fn note_taken(count: usize) {
    ledger::writes(Line::Injector, count + usize::from(count > 0));
}

/// The length, in a build that counts. Thieves may make it less at any time.
#[inline(always)]
fn length_if_noted<T>(queue: &Local<T>) -> usize {
    if ledger::COUNTS { queue.len() } else { 0 }
}
