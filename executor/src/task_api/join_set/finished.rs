//! The tasks of a set that have finished and were not asked for yet, in the order in which they finished.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures::task::AtomicWaker;

use crate::rt_sync::whole::Mutex;
use crate::task::Id;

/// The queue. Each task has a waker of its own, see [`waker`](Self::waker), so nobody ever looks through the tasks for those that are
/// done.
#[derive(Default)]
pub(super) struct Finished {
    ids: Mutex<VecDeque<Id>>,
    /// Whoever waits for the next one.
    waiting: AtomicWaker,
}

impl Finished {
    /// Waking it puts `id` into the queue.
    pub(super) fn waker(self: &Arc<Self>, id: Id) -> Waker {
        Waker::from(Arc::new(OnCompletion {
            id,
            queue: self.clone(),
        }))
    }

    pub(super) fn pop(&self) -> Option<Id> {
        self.ids.lock().pop_front()
    }

    pub(super) fn poll_pop(&self, cx: &mut Context<'_>) -> Poll<Id> {
        if let Some(id) = self.pop() {
            return Poll::Ready(id);
        }
        self.waiting.register(cx.waker());
        // What was pushed in between woke nobody.
        self.pop().map_or(Poll::Pending, Poll::Ready)
    }
}

/// What the completion of one task wakes.
struct OnCompletion {
    id: Id,
    queue: Arc<Finished>,
}

impl Wake for OnCompletion {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.queue.ids.lock().push_back(self.id);
        self.queue.waiting.wake();
    }
}
