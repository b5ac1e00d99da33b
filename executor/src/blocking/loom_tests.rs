//! Models of one pool: submissions beside waits that end by their time, beside the close, beside threads that the system refuses, beside
//! jobs that block.
//!
//! Shipped code that runs here: `Pool`. Not shipped: the jobs, which are values that must not be lost; who starts threads, which here is a
//! loom thread that calls `Pool::run` and nothing else; and the condition variable, whose waits end by their time when the model calls
//! `Pool::expire`, see `rt_sync`.
//!
//! The last job, run or returned, closes the pool, and nothing else ends its threads. So a job that is lost shows as a model in which
//! every thread waits, which loom fails; and one that is run or returned twice, as a count that goes below zero.

use std::panic::Location;
use std::time::{Duration, Instant};

use loom::sync::Arc;
use loom::sync::atomic::AtomicUsize;
use loom::sync::atomic::Ordering::{AcqRel, Acquire};
use loom::sync::{Condvar, Mutex};
use loom::thread::{self, JoinHandle};

use super::Begun;
use super::pool::{AtClose, Counts, Pool, Submitted};
use crate::task::Id;

struct World {
    pool: Pool<Job>,
    /// Jobs that were neither run nor returned.
    left: AtomicUsize,
    ran: AtomicUsize,
    /// A job blocks until so many are being run.
    meet: usize,
    met: Mutex<usize>,
    all_met: Condvar,
    /// The pool's threads ask for threads that the system refuses.
    refuses: bool,
    /// The lock is real, and not held where threads switch.
    threads: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

/// It cannot be copied, and a model that drops one fails.
struct Job(bool);

impl World {
    fn new(most_threads: usize, jobs: usize) -> Self {
        Self {
            pool: Pool::new(most_threads, Duration::ZERO),
            left: AtomicUsize::new(jobs),
            ran: AtomicUsize::new(0),
            meet: 0,
            met: Mutex::new(0),
            all_met: Condvar::new(),
            refuses: false,
            threads: std::sync::Mutex::default(),
        }
    }

    fn run(&self, job: Job) {
        if self.meet > 0 {
            let mut met = self.met.lock().unwrap();
            *met += 1;
            self.all_met.notify_all();
            while *met < self.meet {
                met = self.all_met.wait(met).unwrap();
            }
        }
        self.ran.fetch_add(1, AcqRel);
        self.done(job);
    }

    fn done(&self, mut job: Job) {
        job.0 = true;
        let left = self.left.fetch_sub(1, AcqRel);
        assert_ne!(left, 0, "a job was run or returned twice");
        if left == 1 {
            assert!(self.pool.close().is_empty());
        }
    }

    /// The thread that was asked for does not come.
    fn refuse(&self) {
        let returned = self.pool.thread_failed();
        returned.into_iter().for_each(|job| self.done(job));
    }

    fn close(&self) {
        let returned = self.pool.close();
        returned.into_iter().for_each(|job| self.done(job));
    }

    /// How many jobs ran. Nobody submits any more.
    fn end(&self) -> usize {
        // A thread that starts another has not ended.
        while let Some(thread) = {
            let mut threads = self.threads.lock().unwrap();
            threads.pop()
        } {
            thread.join().unwrap();
        }
        assert_eq!(
            self.pool.counts(),
            Counts::default(),
            "something is left, or is counted that is not there"
        );
        assert!(self.pool.under_way().is_empty());
        self.ran.load(Acquire)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        assert!(self.0 || std::thread::panicking(), "a job was dropped");
    }
}

/// Submits a job, and starts a thread if one is asked for. False: the pool was closed.
fn submit(world: &Arc<World>, at_close: AtClose) -> bool {
    match world.pool.submit(Job(false), at_close) {
        Submitted::Queued => {}
        Submitted::NeedsThread => start(world),
        Submitted::Refused(job) => {
            world.done(job);
            return false;
        }
    }
    true
}

fn start(world: &Arc<World>) {
    let in_thread = world.clone();
    let thread = thread::spawn(move || {
        let world = in_thread;
        let start = || {
            if world.refuses {
                world.refuse();
            } else {
                start(&world);
            }
        };
        world.pool.run(|_, _| begun(), start, |job| world.run(job));
    });
    world.threads.lock().unwrap().push(thread);
}

fn begun() -> Begun {
    Begun {
        id: Id::next(),
        name: None,
        location: Location::caller(),
        since: Instant::now(),
    }
}

#[test]
fn loom_no_job_is_lost_while_a_thread_gives_up_waiting() {
    loom::model(|| {
        let world = Arc::new(World::new(1, 2));
        assert!(submit(&world, AtClose::Cancel));
        let clock = thread::spawn({
            let world = world.clone();
            move || world.pool.expire()
        });
        assert!(submit(&world, AtClose::Cancel));
        clock.join().unwrap();
        assert_eq!(world.end(), 2);
    });
}

#[test]
fn loom_no_job_is_lost_while_two_threads_give_up_waiting() {
    loom::model(|| {
        let world = Arc::new(World::new(2, 3));
        (0..2).for_each(|_| assert!(submit(&world, AtClose::Cancel)));
        world.pool.expire();
        assert!(submit(&world, AtClose::Cancel));
        world.pool.expire();
        assert_eq!(world.end(), 3);
    });
}

/// Each job needs a thread of its own, so whoever takes one must see to the next before it runs it.
#[test]
fn loom_jobs_that_block_keep_no_others_waiting() {
    loom::model(|| {
        let world = Arc::new(World {
            meet: 2,
            ..World::new(2, 2)
        });
        let other = thread::spawn({
            let world = world.clone();
            move || assert!(submit(&world, AtClose::Cancel))
        });
        assert!(submit(&world, AtClose::Cancel));
        other.join().unwrap();
        assert_eq!(world.end(), 2);
    });
    loom::model(|| {
        let world = Arc::new(World {
            meet: 3,
            ..World::new(3, 3)
        });
        (0..3).for_each(|_| assert!(submit(&world, AtClose::Cancel)));
        assert_eq!(world.end(), 3);
    });
}

/// As above, with threads that sleep, or have just given up sleeping, when the jobs come that block: the two jobs before have started them.
#[test]
fn loom_jobs_that_block_wake_threads_that_give_up_waiting() {
    loom::model(|| {
        let world = Arc::new(World {
            meet: 2,
            ..World::new(2, 4)
        });
        (0..2).for_each(|_| assert!(submit(&world, AtClose::Cancel)));
        world.pool.expire();
        (0..2).for_each(|_| assert!(submit(&world, AtClose::Cancel)));
        assert_eq!(world.end(), 4);
    });
}

#[test]
fn loom_each_job_is_run_or_returned_once_by_a_pool_that_closes() {
    loom::model(|| {
        let world = Arc::new(World::new(2, 2));
        let submitter = thread::spawn({
            let world = world.clone();
            move || {
                for _ in 0..2 {
                    submit(&world, AtClose::Cancel);
                }
            }
        });
        world.pool.expire();
        world.close();
        submitter.join().unwrap();
        assert!(world.end() <= 2);
    });
}

#[test]
fn loom_a_job_that_must_run_runs_though_the_pool_closes() {
    loom::model(|| {
        let world = Arc::new(World::new(1, 2));
        let submitter = thread::spawn({
            let world = world.clone();
            move || {
                let accepted = [0; 2].map(|_| submit(&world, AtClose::Run));
                accepted.into_iter().filter(|accepted| *accepted).count()
            }
        });
        world.pool.expire();
        world.close();
        let accepted = submitter.join().unwrap();
        assert_eq!(world.end(), accepted);
    });
}

/// With one thread at most the other job relies on the thread that is refused; with two it may ask for its own.
#[test]
fn loom_a_refused_thread_returns_the_jobs_that_relied_on_it() {
    loom::model(|| refuse_a_thread(1));
    loom::model(|| refuse_a_thread(2));
}

fn refuse_a_thread(most_threads: usize) {
    let world = Arc::new(World {
        refuses: true,
        ..World::new(most_threads, 2)
    });
    let other = thread::spawn({
        let world = world.clone();
        move || assert!(submit(&world, AtClose::Cancel))
    });
    if needs_thread(&world) {
        world.refuse();
    }
    other.join().unwrap();
    assert!(world.end() <= 2);
}

/// The one thread there is may fall asleep before the last job comes, while a thread is being started that is then refused.
#[test]
fn loom_a_refused_thread_leaves_its_jobs_to_one_that_sleeps() {
    loom::model(|| {
        let world = Arc::new(World {
            refuses: true,
            ..World::new(2, 3)
        });
        assert!(submit(&world, AtClose::Cancel));
        let refused = needs_thread(&world);
        let also_refused = needs_thread(&world);
        [refused, also_refused]
            .into_iter()
            .filter(|refused| *refused)
            .for_each(|_| world.refuse());
        assert_eq!(world.end(), 3);
    });
}

/// Submits a job. True: it asks for a thread.
fn needs_thread(world: &World) -> bool {
    match world.pool.submit(Job(false), AtClose::Cancel) {
        Submitted::NeedsThread => true,
        Submitted::Queued => false,
        Submitted::Refused(_) => unreachable!("a job is left"),
    }
}
