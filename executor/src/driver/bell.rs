//! Counts signals, and remembers who waits for which: the protocol between a signal handler, the duty's holder and tasks.
//!
//! ```text
//!   handler:  count[n] += 1 ; rung = true ── was it false? ──▶ sends a byte
//!   duty:     takes all bytes ; rung = false ; lock ; takes the wakers whose count has moved ; unlock     (then wakes them)
//!   task:     lock ; count[n] == seen? ── leaves its waker ; unlock
//! ```
//! Invariant: if a waker lies here whose count has moved, a byte is on its way, or the duty's holder will look before it waits.
//!
//! - A handler that finds `rung` set sends nothing. It came before the holder's `rung = false`, which reads what it wrote, so the look
//!   behind sees its count. A handler that comes later finds `rung` unset and sends.
//! - The bytes are taken before `rung` is unset. The other way round, a handler's byte could be taken while a later handler, which
//!   sends none because of it, is not counted yet.
//! - A task that leaves its waker behind the holder's look has had the lock behind the holder, and sees what the holder saw.

use std::collections::HashMap;
use std::task::{Poll, Waker};

use crate::rt_sync::Mutex;
use crate::rt_sync::atomic::{AtomicBool, AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Bell {
    /// How often each signal came. Atomics only: a handler may touch nothing else.
    counts: Box<[AtomicU64]>,
    /// A byte was sent, or is about to be, since the holder looked last.
    rung: AtomicBool,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    closed: bool,
    /// By the listener's key.
    wakers: HashMap<u64, Waiter>,
    next_key: u64,
}

#[derive(Debug)]
struct Waiter {
    number: usize,
    seen: u64,
    waker: Waker,
}

/// One who listens: to which signal, and which count it has seen.
#[derive(Debug)]
pub(super) struct Ear {
    key: u64,
    number: usize,
    seen: u64,
}

impl Bell {
    /// For signals with numbers below `numbers`.
    pub(super) fn new(numbers: usize) -> Self {
        Self {
            counts: (0..numbers).map(|_| AtomicU64::new(0)).collect(),
            rung: AtomicBool::new(false),
            waiting: Mutex::new(Waiting::default()),
        }
    }

    /// The highest number is one below.
    pub(super) fn numbers(&self) -> usize {
        self.counts.len()
    }

    /// Counts a signal. True: the caller must send a byte. Called in handlers.
    pub(super) fn ring(&self, number: usize) -> bool {
        // Relaxed: the swap below publishes it.
        self.counts[number].fetch_add(1, Ordering::Relaxed);
        // Release: pairs with the swap in `answer`. Handlers in between are read-modify-writes, so none hides an earlier one.
        !self.rung.swap(true, Ordering::Release)
    }

    /// Moves the wakers of those with news to `wakers`. Called by the duty's holder once it has taken the bytes.
    pub(super) fn answer(&self, wakers: &mut Vec<Waker>) {
        // Acquire: pairs with the swap in `ring`.
        self.rung.swap(false, Ordering::Acquire);
        let mut waiting = self.waiting.lock();
        let news = waiting
            .wakers
            .extract_if(|_, waiter| self.count(waiter.number) != waiter.seen);
        wakers.extend(news.map(|(_, waiter)| waiter.waker));
    }

    /// Listens to signals that come from now on.
    pub(super) fn listen(&self, number: usize) -> Ear {
        let mut waiting = self.waiting.lock();
        waiting.next_key += 1;
        Ear {
            key: waiting.next_key,
            number,
            seen: self.count(number),
        }
    }

    /// Whether the signal has come since it was last heard; `None` after `close`. If it has not, `waker` stays here.
    pub(super) fn poll_heard(&self, ear: &mut Ear, waker: &Waker) -> Poll<Option<()>> {
        if self.heard(ear) {
            return Poll::Ready(Some(()));
        }
        // A waker's clone and drop are user code: outside of the lock.
        let waker = waker.clone();
        let mut waiting = self.waiting.lock();
        if self.heard(ear) {
            return Poll::Ready(Some(()));
        }
        if waiting.closed {
            return Poll::Ready(None);
        }
        let waiter = Waiter {
            number: ear.number,
            seen: ear.seen,
            waker,
        };
        let previous = waiting.wakers.insert(ear.key, waiter);
        drop(waiting);
        drop(previous);
        Poll::Pending
    }

    pub(super) fn forget(&self, ear: &Ear) {
        let waiter = self.waiting.lock().wakers.remove(&ear.key);
        drop(waiter);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.waiting.lock().closed
    }

    /// Whoever waits is moved to `wakers`, and nobody waits any more.
    pub(super) fn close(&self, wakers: &mut Vec<Waker>) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        wakers.extend(waiting.wakers.drain().map(|(_, waiter)| waiter.waker));
    }

    fn heard(&self, ear: &mut Ear) -> bool {
        let count = self.count(ear.number);
        std::mem::replace(&mut ear.seen, count) != count
    }

    fn count(&self, number: usize) -> u64 {
        // Relaxed: see `ring`, and the lock under which it matters.
        self.counts[number].load(Ordering::Relaxed)
    }
}

/// Shipped: all of this file. Not shipped: the descriptor is a number of bytes under a lock, and whoever takes bytes is its only reader.
#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::Arc as StdArc;
    use std::task::{Poll, Wake, Waker};

    use loom::sync::atomic::AtomicUsize;
    use loom::sync::{Arc, Mutex};
    use loom::thread;

    use super::{Bell, Ordering};

    struct Model {
        bell: Bell,
        bytes: Mutex<usize>,
    }

    impl Model {
        fn handle(&self, number: usize) {
            if self.bell.ring(number) {
                *self.bytes.lock().unwrap() += 1;
            }
        }

        /// One turn of the driver.
        fn turn(&self) {
            if std::mem::take(&mut *self.bytes.lock().unwrap()) > 0 {
                let mut wakers = Vec::new();
                self.bell.answer(&mut wakers);
                wakers.into_iter().for_each(Waker::wake);
            }
        }
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: StdArc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A waiter whose signal has come is woken by a turn that is under way, or by the next one.
    #[test]
    fn loom_no_waiter_sleeps_through_its_signal() {
        loom::model(|| {
            let model = Arc::new(Model {
                bell: Bell::new(3),
                bytes: Mutex::new(0),
            });
            let mut ear = model.bell.listen(2);
            let handlers: Vec<_> = [1, 2]
                .map(|number| {
                    let model = model.clone();
                    thread::spawn(move || model.handle(number))
                })
                .into();
            let duty = {
                let model = model.clone();
                thread::spawn(move || model.turn())
            };
            let count = StdArc::new(Count::default());
            let waker = Waker::from(count.clone());
            let heard = model.bell.poll_heard(&mut ear, &waker);
            handlers
                .into_iter()
                .for_each(|handler| handler.join().unwrap());
            duty.join().unwrap();
            model.turn();
            if heard == Poll::Pending {
                assert_eq!(count.0.load(Ordering::SeqCst), 1, "nobody woke the waiter");
                assert_eq!(
                    model.bell.poll_heard(&mut ear, &waker),
                    Poll::Ready(Some(()))
                );
            }
        });
    }
}
