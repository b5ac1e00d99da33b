//! The callbacks of a runtime that wait for their turn: called in the order in which they came, never two at once.

use std::collections::VecDeque;

use crate::rt_sync::whole::Mutex;

/// The queue. For each callback that is pushed, a task is spawned that takes a [`Turn`], whichever callback that is for then.
///
/// ```text
///   push: callback ──▶ queue            turn: nobody calls ──▶ call the first ──▶ nobody is owed a turn ──▶ nobody calls
///         and a task                          somebody calls: owe it                somebody is ──▶ call the next
/// ```
/// Invariant: there are as many callbacks in the queue as tasks that have not had their turn, plus turns that are owed. So on a runtime
/// that runs its tasks in the order in which they were spawned, callbacks keep their place among them; and on several workers, which do
/// not, they keep the order among themselves.
#[derive(Default)]
pub(crate) struct Deferred(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    callbacks: VecDeque<Callback>,
    /// Somebody calls one.
    calling: bool,
    /// Turns that were given to whoever calls.
    owed: usize,
}

type Callback = Box<dyn FnOnce() + Send>;

impl Deferred {
    /// The caller spawns a task that takes a turn, or that drops it.
    pub(crate) fn push(&self, callback: Callback) {
        self.0.lock().callbacks.push_back(callback);
    }
}

/// The right, and the duty, to take one callback out of the queue. Dropped before it is used, it drops the callback.
pub(crate) struct Turn<'a>(Option<&'a Deferred>);

/// Whoever has this calls callbacks, and nobody else does. Dropped before the last, it drops those that it owes.
pub(crate) struct Calling<'a> {
    deferred: &'a Deferred,
    /// Others may call. Not to be asked of the queue: that would say of them that they do.
    is_over: bool,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(deferred: &'a Deferred) -> Self {
        Self(Some(deferred))
    }

    /// `None`: somebody calls one at the moment, and will have this turn afterwards.
    pub(crate) fn take(mut self) -> Option<(Callback, Calling<'a>)> {
        let deferred = self.0.take().expect("taken once");
        let mut queue = deferred.0.lock();
        if queue.calling {
            queue.owed += 1;
            return None;
        }
        queue.calling = true;
        let calling = Calling {
            deferred,
            is_over: false,
        };
        Some((queue.first(), calling))
    }
}

impl Calling<'_> {
    /// The next callback, if a turn is owed. If not, others may call.
    pub(crate) fn next(&mut self) -> Option<Callback> {
        let mut queue = self.deferred.0.lock();
        queue.calling = queue.owed > 0;
        self.is_over = !queue.calling;
        queue.owed = queue.owed.saturating_sub(1);
        queue.calling.then(|| queue.first())
    }
}

impl Queue {
    fn first(&mut self) -> Callback {
        self.callbacks
            .pop_front()
            .expect("a callback for each turn")
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(deferred) = self.0 {
            let callback = deferred.0.lock().first();
            // Not under the lock.
            drop(callback);
        }
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let owed: Vec<_> = {
            let mut queue = self.deferred.0.lock();
            queue.calling = false;
            let owed = std::mem::take(&mut queue.owed);
            queue.callbacks.drain(..owed).collect()
        };
        drop(owed);
    }
}
