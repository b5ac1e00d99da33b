//! Models of the paused clock's question: no jump overtakes work, and none is forgotten.
//!
//! Shipped code that runs here: `Idle`, `Holds`, `RootState`, `Parker`. Not shipped: the queue (`queue::model`), the reactor, which is a
//! parker that a nudge unparks, and the few lines of `Duty::jump`, `park` and `sleep` that touch the protocol, in their order. A jump
//! that nobody makes shows as a model in which every thread waits.

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::sync::atomic::Ordering::Relaxed;
use loom::thread;

use super::idle::{Idle, Left};
use super::parker::{Parker, Unparked, Unparker};
use super::stillness::{Holds, RootState};
use crate::queue::Injector;

/// Worker 0 has the duty and asks; worker 1 is in the model.
struct World {
    idle: Idle,
    holds: Holds,
    injector: Injector<usize>,
    nudge: Unparker,
    worked: AtomicBool,
}

impl World {
    fn new(reactor: &Parker) -> Arc<Self> {
        let world = Arc::new(Self {
            idle: Idle::new(2),
            holds: Holds::new(),
            injector: Injector::new(),
            nudge: reactor.unparker(),
            worked: AtomicBool::new(false),
        });
        world.idle.sleep(0, false);
        world
    }

    /// `Shared::nudge`, on a clock that is paused.
    fn nudge(&self) {
        let _ = self.nudge.unpark();
    }

    fn release(&self) {
        if self.holds.give_back() {
            self.nudge();
        }
    }

    fn fall_asleep(&self, worker: usize) {
        if self.idle.sleep(worker, false) {
            self.nudge();
        }
    }

    /// `Shared::stillness`.
    fn stillness(&self) -> Option<(u64, u64)> {
        let left = self.idle.all_asleep()?;
        let holds = self.holds.none()?;
        self.injector.is_empty().then_some((left, holds))
    }

    /// `Duty::jump`, until it does.
    fn until_jump(&self, reactor: &Parker) {
        loop {
            let first = self.stillness();
            if first.is_none() {
                reactor.park();
                continue;
            }
            // A turn that does not wait eats what was sent before it.
            if reactor.start_poll() {
                reactor.end_poll();
            }
            if self.stillness() == first {
                return;
            }
        }
    }
}

#[test]
fn loom_the_last_to_sleep_lets_time_jump() {
    loom::model(|| {
        let reactor = Parker::new();
        let world = World::new(&reactor);
        world.holds.take();
        let (worker, holder) = (world.clone(), world.clone());
        let sleeping = thread::spawn(move || worker.fall_asleep(1));
        let holding = thread::spawn(move || holder.release());
        world.until_jump(&reactor);
        sleeping.join().unwrap();
        holding.join().unwrap();
    });
}

#[test]
fn loom_no_jump_overtakes_work_that_walks() {
    loom::model(|| {
        let reactor = Parker::new();
        let world = World::new(&reactor);
        world.idle.sleep(1, false);
        world.holds.take();
        let parker = Parker::new();
        let unparker = parker.unparker();
        // A root pushes a task, wakes the worker, and sleeps.
        let root = world.clone();
        let pushing = thread::spawn(move || {
            root.injector.push(1);
            if root.idle.should_wake() {
                root.idle
                    .wake_one(|_| assert_eq!(unparker.unpark(), Unparked::Done));
            }
            root.release();
        });
        let worker = world.clone();
        let working = thread::spawn(move || {
            parker.park();
            assert_eq!(worker.idle.leave(1), Left::Woken);
            assert!(worker.injector.steal().is_some());
            let _ = worker.idle.stop_searching();
            worker.worked.store(true, Relaxed);
            worker.fall_asleep(1);
        });
        world.until_jump(&reactor);
        assert!(world.worked.load(Relaxed), "time has overtaken the task");
        pushing.join().unwrap();
        working.join().unwrap();
    });
}

#[test]
fn loom_no_jump_overtakes_a_root_that_was_woken() {
    loom::model(|| {
        let reactor = Parker::new();
        let world = World::new(&reactor);
        let state = Arc::new(RootState::new());
        assert!(state.begin_poll() && state.try_park());
        let parker = Parker::new();
        let unparker = parker.unparker();
        // A worker wakes the root, and sleeps.
        let (worker, waker) = (world.clone(), state.clone());
        let waking = thread::spawn(move || {
            worker.holds.take();
            if waker.wake() {
                assert_eq!(unparker.unpark(), Unparked::Done);
            } else {
                worker.release();
            }
            worker.fall_asleep(1);
        });
        let root = world.clone();
        let polling = thread::spawn(move || {
            parker.park();
            assert!(state.end_park() && state.begin_poll());
            root.worked.store(true, Relaxed);
            root.release();
        });
        world.until_jump(&reactor);
        assert!(world.worked.load(Relaxed), "time has overtaken the root");
        waking.join().unwrap();
        polling.join().unwrap();
    });
}
