//! What other threads see of a local task set: where they leave tokens, and whom they call.
//!
//! One lock for both, so there is no order to get wrong: who finds the box empty when it leaves a token calls whoever polls the set;
//! who polls the set leaves its waker and takes the tokens in one step. Not empty means called.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::Waker;

use crate::rt_sync::{Condvar, Mutex, wait};
use crate::task::{Notified, wake_quietly};

pub(super) struct Inbox {
    inner: Mutex<Inner>,
    /// A token has come, for an owner that can only wait for it.
    came: Condvar,
}

struct Inner {
    tokens: Vec<Notified>,
    /// Whoever polls the set and was not called since: usually one, but several futures may.
    pollers: Vec<(Poller, Waker)>,
    /// The owner waits for `came`.
    awaited: bool,
}

/// The owner's, borrowed only where nothing else is called.
type Queue = RefCell<VecDeque<Notified>>;

/// One of those who poll the set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Poller(pub(super) u64);

impl Inbox {
    pub(super) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                tokens: Vec::new(),
                pollers: Vec::new(),
                awaited: false,
            }),
            came: Condvar::new(),
        }
    }

    /// Leaves a token for the owner.
    pub(super) fn push(&self, task: Notified) {
        let call = {
            let mut inner = self.inner.lock();
            inner.tokens.push(task);
            if inner.awaited {
                self.came.notify_one();
            }
            inner.tokens.len() == 1
        };
        if call {
            self.call();
        }
    }

    /// Wakes whoever polls the set. They come back with their wakers.
    pub(super) fn call(&self) {
        // Counted at first: a waker that polls the set at once may be there again.
        let pollers = self.inner.lock().pollers.len();
        for _ in 0..pollers {
            let Some((_, waker)) = self.inner.lock().pollers.pop() else {
                break;
            };
            // In somebody else's call of `wake`, whom a panic must not reach.
            wake_quietly(waker);
        }
    }

    /// Takes the tokens, and calls this poller for the next one.
    pub(super) fn take_or_register(&self, poller: Poller, waker: &Waker, queue: &Queue) {
        if self.take_as(poller, waker, None, queue).is_err() {
            let old = self.take_as(poller, waker, Some(waker.clone()), queue);
            // Not under the lock.
            drop(old);
        }
    }

    /// Takes the tokens. Refuses without the clone of a waker that is needed.
    fn take_as(
        &self,
        poller: Poller,
        waker: &Waker,
        clone: Option<Waker>,
        queue: &Queue,
    ) -> Result<Option<Waker>, ()> {
        let mut inner = self.inner.lock();
        let place = inner.pollers.iter_mut().find(|(other, _)| *other == poller);
        let old = match (place, clone) {
            (Some((_, old)), _) if old.will_wake(waker) => None,
            (_, None) => return Err(()),
            (Some((_, old)), Some(new)) => Some(std::mem::replace(old, new)),
            (None, Some(new)) => {
                inner.pollers.push((poller, new));
                None
            }
        };
        queue.borrow_mut().extend(inner.tokens.drain(..));
        Ok(old)
    }

    /// Takes the tokens. False if the queue is empty all the same.
    pub(super) fn take(&self, queue: &Queue) -> bool {
        let mut inner = self.inner.lock();
        queue.borrow_mut().extend(inner.tokens.drain(..));
        !queue.borrow().is_empty()
    }

    /// Takes the tokens, of which there is at least one, or another thread is about to leave one.
    pub(super) fn wait(&self, queue: &Queue) {
        let mut inner = self.inner.lock();
        inner.awaited = true;
        while inner.tokens.is_empty() {
            inner = wait(&self.came, inner);
        }
        queue.borrow_mut().extend(inner.tokens.drain(..));
    }

    /// Forgets one of those who poll the set.
    pub(super) fn leave(&self, poller: Poller) {
        let left = {
            let mut inner = self.inner.lock();
            let at = inner.pollers.iter().position(|(other, _)| *other == poller);
            at.map(|at| inner.pollers.swap_remove(at))
        };
        drop(left);
    }
}
