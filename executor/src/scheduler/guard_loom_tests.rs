//! Models of the guard: the duty that it gives back finds its next holder, and it sleeps deeply only while nobody is awake.
//!
//! Shipped code that runs here: `Idle`, `Parker`. Not shipped: the reactor, which is a parker that an event unparks, and the worker's and
//! the guard's loops, which are the few lines of `park`, `wait`, `take_vacant_duty` and `sleep_deeply` that touch the protocol, in their
//! order. A lost wake-up shows as a model in which every thread waits: loom fails it.

use loom::sync::Arc;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use loom::sync::atomic::{AtomicBool, fence};
use loom::thread;

use super::idle::{Idle, Left};
use super::parker::{Parker, Unparked, Unparker};

/// One worker, a reactor, and somebody else who takes the duty for a moment.
struct Shared {
    idle: Idle,
    /// The duty's lock: one word, taken by compare-and-exchange, as parking_lot's `try_lock` does. (loom's own `try_lock` waits.)
    duty: AtomicBool,
    reactor: Parker,
    /// The event, which ends the wait of whoever polls.
    event: Unparker,
    unparker: Unparker,
    deep: AtomicBool,
    blocking: AtomicBool,
}

impl Shared {
    fn new(parker: &Parker) -> Arc<Self> {
        let reactor = Parker::new();
        Arc::new(Self {
            idle: Idle::new(1),
            event: reactor.unparker(),
            reactor,
            duty: AtomicBool::new(false),
            unparker: parker.unparker(),
            deep: AtomicBool::new(false),
            blocking: AtomicBool::new(false),
        })
    }

    fn try_duty(&self) -> bool {
        self.duty
            .compare_exchange(false, true, Acquire, Relaxed)
            .is_ok()
    }

    fn leave_duty(&self) {
        self.duty.store(false, Release);
    }

    /// `Worker::park` and `wait`, until the event was seen.
    fn park_until_event(&self, parker: &Parker) {
        loop {
            self.idle.sleep(0, false);
            let seen = self.try_duty();
            if seen {
                self.reactor.park();
                self.leave_duty();
            } else {
                parker.park();
            }
            let _ = self.idle.leave(0);
            if seen {
                return;
            }
        }
    }
}

fn hand_over() {
    let parker = Parker::new();
    let shared = Shared::new(&parker);
    let shared2 = shared.clone();
    let working = thread::spawn(move || shared2.park_until_event(&parker));
    // `take_vacant_duty`.
    if shared.try_duty() {
        shared.leave_duty();
        fence(SeqCst);
        if shared.idle.counts().awake() == 0 {
            shared
                .idle
                .wake_one(|_| assert_eq!(shared.unparker.unpark(), Unparked::Done));
        }
    }
    assert_eq!(shared.event.unpark(), Unparked::Done);
    working.join().unwrap();
}

#[test]
fn loom_a_duty_given_back_finds_its_next_holder() {
    // Without the look after the fence this model deadlocks, as it should; loom cannot catch that within a test.
    loom::model(hand_over);
}

#[test]
fn loom_the_guard_sleeps_deeply_only_while_nobody_is_awake() {
    loom::model(|| {
        let parker = Parker::new();
        let guard = Parker::new();
        let guard_unparker = guard.unparker();
        let shared = Shared::new(&parker);
        // The worker sleeps in the driver.
        shared.idle.sleep(0, false);
        shared.blocking.store(true, Relaxed);
        let shared2 = shared.clone();
        let guarding = thread::spawn(move || {
            // `sleep_deeply`.
            shared2.deep.store(true, Relaxed);
            fence(SeqCst);
            if shared2.idle.counts().awake() == 0 && shared2.blocking.load(Relaxed) {
                guard.park();
            }
            shared2.deep.store(false, Relaxed);
        });
        // The worker leaves the driver with an event, and its task may be stuck from here on: the guard must come.
        shared.blocking.store(false, Relaxed);
        if shared.idle.leave(0) == (Left::Myself { first: true }) {
            // `somebody_awoke`.
            fence(SeqCst);
            if shared.deep.load(Relaxed) {
                let _ = guard_unparker.unpark();
            }
        }
        guarding.join().unwrap();
    });
}
