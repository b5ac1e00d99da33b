//! Models of one pool: submissions beside waits that end by their time, beside the close, beside threads that the system refuses.
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
use loom::thread::{self, JoinHandle};

use super::Begun;
use super::pool::{AtClose, Counts, Pool, Submitted};
use crate::task::Id;

struct World {
    pool: Pool<Job>,
    /// Jobs that were neither run nor returned.
    left: AtomicUsize,
    ran: AtomicUsize,
}

/// It cannot be copied, and a model that drops one fails.
struct Job(bool);

impl World {
    fn new(most_threads: usize, jobs: usize) -> Arc<Self> {
        Arc::new(Self {
            pool: Pool::new(most_threads, Duration::ZERO),
            left: AtomicUsize::new(jobs),
            ran: AtomicUsize::new(0),
        })
    }

    fn run(&self, job: Job) {
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

    fn close(&self) {
        let returned = self.pool.close();
        returned.into_iter().for_each(|job| self.done(job));
    }

    /// How many jobs ran. All threads have ended.
    fn end(&self) -> usize {
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
fn submit(world: &Arc<World>, at_close: AtClose, threads: &mut Vec<JoinHandle<()>>) -> bool {
    match world.pool.submit(Job(false), at_close) {
        Submitted::Queued => {}
        Submitted::NeedsThread => {
            let world = world.clone();
            threads.push(thread::spawn(move || {
                world.pool.run(|_| begun(), |job| world.run(job))
            }));
        }
        Submitted::Refused(job) => {
            world.done(job);
            return false;
        }
    }
    true
}

fn begun() -> Begun {
    Begun {
        id: Id::next(),
        name: None,
        location: Location::caller(),
        since: Instant::now(),
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
}

#[test]
fn loom_no_job_is_lost_while_a_thread_gives_up_waiting() {
    loom::model(|| {
        let world = World::new(1, 2);
        let mut threads = Vec::new();
        assert!(submit(&world, AtClose::Cancel, &mut threads));
        let clock = thread::spawn({
            let world = world.clone();
            move || world.pool.expire()
        });
        assert!(submit(&world, AtClose::Cancel, &mut threads));
        clock.join().unwrap();
        join(threads);
        assert_eq!(world.end(), 2);
    });
}

#[test]
fn loom_no_job_is_lost_while_two_threads_give_up_waiting() {
    loom::model(|| {
        let world = World::new(2, 3);
        let mut threads = Vec::new();
        (0..2).for_each(|_| assert!(submit(&world, AtClose::Cancel, &mut threads)));
        world.pool.expire();
        assert!(submit(&world, AtClose::Cancel, &mut threads));
        world.pool.expire();
        join(threads);
        assert_eq!(world.end(), 3);
    });
}

#[test]
fn loom_each_job_is_run_or_returned_once_by_a_pool_that_closes() {
    loom::model(|| {
        let world = World::new(2, 2);
        let submitter = thread::spawn({
            let world = world.clone();
            move || {
                let mut threads = Vec::new();
                for _ in 0..2 {
                    submit(&world, AtClose::Cancel, &mut threads);
                }
                join(threads);
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
        let world = World::new(1, 2);
        let submitter = thread::spawn({
            let world = world.clone();
            move || {
                let mut threads = Vec::new();
                let accepted = [0; 2].map(|_| submit(&world, AtClose::Run, &mut threads));
                join(threads);
                accepted.into_iter().filter(|accepted| *accepted).count()
            }
        });
        world.pool.expire();
        world.close();
        let accepted = submitter.join().unwrap();
        assert_eq!(world.end(), accepted);
    });
}

/// With one thread at most the other job relies on the thread that is refused; with two it asks for its own.
#[test]
fn loom_a_refused_thread_returns_the_jobs_that_relied_on_it() {
    loom::model(|| refuse_a_thread(1));
    loom::model(|| refuse_a_thread(2));
}

fn refuse_a_thread(most_threads: usize) {
    let world = World::new(most_threads, 2);
    let other = thread::spawn({
        let world = world.clone();
        move || {
            let mut threads = Vec::new();
            assert!(submit(&world, AtClose::Cancel, &mut threads));
            join(threads);
        }
    });
    match world.pool.submit(Job(false), AtClose::Cancel) {
        Submitted::NeedsThread => {
            let returned = world.pool.thread_failed();
            returned.into_iter().for_each(|job| world.done(job));
        }
        Submitted::Queued => {}
        Submitted::Refused(_) => unreachable!("a job is left"),
    }
    other.join().unwrap();
    assert!(world.end() <= 2);
}
