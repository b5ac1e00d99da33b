//! Models of sleeping and waking: no push is forgotten by workers that find nothing and fall asleep.
//!
//! Shipped code that runs here: `Idle`, `Parker`. Not shipped: the queue (`queue::model`), and the workers' loop, which is the few lines of
//! `park`, `wait` and `retire` that touch the protocol, in their order. A lost wake-up shows as a model in which every thread waits: loom
//! fails it.

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{Relaxed, SeqCst};
use loom::thread;

use super::idle::{Idle, Left};
use super::parker::{Parker, Unparked, Unparker};
use crate::queue::Injector;

/// Workers that consume from an injector until so many values came.
pub(super) struct Pool {
    pub(super) idle: Idle,
    pub(super) injector: Injector<usize>,
    unparkers: Vec<Unparker>,
    left: AtomicUsize,
    /// Workers call others, too. If not, it is as if as many were awake as there are processors, and nothing left of the allowance.
    workers_call: bool,
}

impl Pool {
    pub(super) fn new(parkers: &[Parker], values: usize) -> Arc<Self> {
        Self::with(parkers, values, true)
    }

    fn with(parkers: &[Parker], values: usize, workers_call: bool) -> Arc<Self> {
        Arc::new(Self {
            workers_call,
            idle: Idle::new(parkers.len()),
            injector: Injector::new(),
            unparkers: parkers.iter().map(Parker::unparker).collect(),
            left: AtomicUsize::new(values),
        })
    }

    pub(super) fn wake_for_work(&self) {
        if self.idle.should_wake() {
            self.idle
                .wake_one(|worker| assert_eq!(self.unparkers[worker].unpark(), Unparked::Done));
        }
    }

    pub(super) fn push(&self, value: usize) {
        self.injector.push(value);
        self.wake_for_work();
    }

    pub(super) fn end_search(&self) {
        if self.idle.stop_searching() && !self.injector.is_empty() && self.workers_call {
            self.wake_for_work();
        }
    }

    fn is_done(&self) -> bool {
        self.left.load(SeqCst) == 0
    }

    /// A spare worker's life: once it finds nothing it leaves, as `retire` does it.
    fn work_and_retire(&self) {
        let mut searching = self.idle.start_searching();
        while self.injector.steal().is_some() {
            if std::mem::take(&mut searching) {
                self.end_search();
            }
            self.count_done();
        }
        self.retire(searching);
    }

    pub(super) fn retire(&self, searching: bool) {
        self.idle.retire(searching);
        if self.idle.counts().awake() == 0
            || (!self.injector.is_empty() && self.idle.nobody_looks())
        {
            self.idle
                .wake_one(|worker| assert_eq!(self.unparkers[worker].unpark(), Unparked::Done));
        }
    }

    fn count_done(&self) {
        if self.left.fetch_sub(1, SeqCst) == 1 {
            // The end of the model, as `close` does it.
            self.unparkers
                .iter()
                .for_each(|unparker| assert_eq!(unparker.unpark(), Unparked::Done));
        }
    }

    fn work(&self, me: usize, parker: &Parker) {
        let mut searching = false;
        while !self.is_done() {
            if self.injector.steal().is_some() {
                if std::mem::take(&mut searching) {
                    self.end_search();
                }
                self.count_done();
                continue;
            }
            self.idle.sleep(me, searching);
            if self.injector.is_empty() && !self.is_done() {
                parker.park();
            } else {
                // Another worker may be half through taking the value that is in sight: let it.
                thread::yield_now();
            }
            searching = self.idle.leave(me) == Left::Woken;
        }
        if searching {
            let _ = self.idle.stop_searching();
        }
    }
}

fn consume(workers: usize, values: usize, workers_call: bool) {
    let parkers: Vec<_> = (0..workers).map(|_| Parker::new()).collect();
    let pool = Pool::with(&parkers, values, workers_call);
    let threads: Vec<_> = parkers
        .into_iter()
        .enumerate()
        .map(|(me, parker)| {
            let pool = pool.clone();
            thread::spawn(move || pool.work(me, &parker))
        })
        .collect();
    (0..values).for_each(|value| pool.push(value));
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(
        pool.idle.counts().searching(),
        0,
        "the count of searchers did not return to zero"
    );
}

#[test]
fn loom_no_push_is_forgotten_by_one_worker() {
    loom::model(|| consume(1, 2, true));
}

#[test]
fn loom_no_push_is_forgotten_by_two_workers() {
    loom::model(|| consume(2, 1, true));
}

/// Beyond the allowance, or of what a worker keeps: whoever is awake takes it all in the end, because nobody blocks here.
#[test]
fn loom_no_push_is_forgotten_though_workers_call_nobody() {
    loom::model(|| consume(2, 2, false));
}

/// Each worker puts something into its own queue, takes it out, and falls asleep.
#[test]
fn loom_who_sleeps_last_knows_that_the_others_queues_are_empty() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(2));
        let queues = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let work = |me: usize| {
            let (idle, queues) = (idle.clone(), queues.clone());
            move || {
                queues[me].store(1, Relaxed);
                queues[me].store(0, Relaxed);
                let last = idle.sleep(me, false);
                if last {
                    assert_eq!(queues[1 - me].load(Relaxed), 0);
                }
                last
            }
        };
        let other = thread::spawn(work(1));
        let last = work(0)();
        assert_ne!(last, other.join().unwrap(), "one of them is");
    });
}

#[test]
fn loom_two_pushers_and_one_worker() {
    loom::model(|| {
        let parker = Parker::new();
        let pool = Pool::new(std::slice::from_ref(&parker), 2);
        let (first, second) = (pool.clone(), pool.clone());
        let working = thread::spawn(move || first.work(0, &parker));
        let pushing = thread::spawn(move || second.push(1));
        pool.push(2);
        pushing.join().unwrap();
        working.join().unwrap();
    });
}

/// A worker, and a spare one that is enrolled, comes, and leaves again, while somebody pushes.
#[test]
fn loom_no_push_is_forgotten_while_a_spare_worker_comes_and_goes() {
    loom::model(|| {
        let parker = Parker::new();
        let pool = Pool::new(std::slice::from_ref(&parker), 1);
        let (first, spare) = (pool.clone(), pool.clone());
        let working = thread::spawn(move || first.work(0, &parker));
        let starting = thread::spawn(move || {
            spare.idle.enroll();
            spare.work_and_retire();
        });
        pool.push(1);
        starting.join().unwrap();
        working.join().unwrap();
        assert_eq!(pool.idle.counts().workers(), 1);
        assert_eq!(pool.idle.counts().searching(), 0);
    });
}
