//! Who drops a task whose token a foreign thread pushes when whoever ends the runtime has begun to look for the last time.
//!
//! ```text
//!   closer:  left = true ; fence ; drain            waker:  push ; fence ; left? ── no ──▶ the closer finds it
//!                                                                           └ yes: asked, swap true ── true ──▶ the thread that was asked for finds it
//!                                                                                                   └ false: ask for a thread
//!                                                                           thread: asked, swap false ; drain
//! ```
//! The waker does not drain itself: many wake while they hold a lock that the waiting future's destructor takes, that of a list of waiters, say.
//!
//! Invariant: a token in a queue implies that `left` is off, or that the closer has yet to look there, or that `asked` is on; and while that is on, a
//! thread has yet to turn it off, and drains afterwards.

use crate::rt_sync::atomic::Ordering::{AcqRel, Relaxed, SeqCst};
use crate::rt_sync::atomic::{AtomicBool, fence};

#[derive(Debug)]
pub(super) struct LastDrain {
    /// It has begun.
    left: AtomicBool,
    /// A thread was asked for one more.
    asked: AtomicBool,
}

impl LastDrain {
    pub(super) fn new() -> Self {
        Self {
            left: AtomicBool::new(false),
            asked: AtomicBool::new(false),
        }
    }

    /// For who ends the runtime, and drains after this.
    pub(super) fn begin(&self) {
        self.left.store(true, SeqCst);
        // Pairs with the fence between the push and `must_ask`: either the drain sees the token, or who has pushed it sees `left`.
        fence(SeqCst);
    }

    /// For who has pushed, and fenced. True: the caller must see to it that a thread [starts](Self::start) one more.
    pub(super) fn must_ask(&self) -> bool {
        // AcqRel: pairs with the swap in `start`, whose thread sees what was pushed before this.
        self.left.load(Relaxed) && !self.asked.swap(true, AcqRel)
    }

    /// The thread that was asked for drains after this.
    pub(super) fn start(&self) {
        // A swap, not a store: it reads what the last who asked has written, and so sees what that one has pushed.
        self.asked.swap(false, AcqRel);
    }
}

#[cfg(all(test, loom))]
mod models {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;
    use crate::queue::Injector;

    #[test]
    fn loom_what_is_pushed_around_the_last_drain_is_dropped() {
        loom::model(|| {
            let shared = Arc::new((LastDrain::new(), Injector::<usize>::new()));
            let wakers = [1, 2].map(|token| {
                let shared = shared.clone();
                thread::spawn(move || {
                    let (last, queue) = &*shared;
                    queue.push(token);
                    fence(SeqCst);
                    if last.must_ask() {
                        // Here, and not on a thread of its own: others ask meanwhile all the same.
                        last.start();
                        while queue.steal().is_some() {}
                    }
                })
            });
            let (last, queue) = &*shared;
            last.begin();
            while queue.steal().is_some() {}
            wakers.into_iter().for_each(|waker| waker.join().unwrap());
            assert!(queue.is_empty());
        });
    }
}
