//! The blocking pool: threads for closures that block, as many as there is demand for, gone again when there is none.
//!
//! One mutex guards queue and counts. A job is never lost: who pushes sees, under the lock, how many threads wait; who gives up waiting
//! looks at the queue once more, under the lock, before it leaves.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::rt_sync::whole::{Condvar, Mutex, wait_for};
use crate::task::{self, Id, JoinHandle, Notified, Origin, Schedule, TaskRef};

/// The pool. Starting its threads is its owner's business.
pub(crate) struct Pool {
    state: Mutex<State>,
    /// A job, or the end.
    changed: Condvar,
    most_threads: usize,
    keep_alive: Duration,
}

struct State {
    queue: VecDeque<(Notified, AtClose)>,
    threads: usize,
    waiting: usize,
    closed: bool,
}

/// What becomes of a job that has not started when the pool closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtClose {
    /// It is cancelled.
    Cancel,
    /// It still runs: it writes what its user was told is written.
    Run,
}

/// What to do after a job was handed in.
#[must_use]
pub(crate) enum Submitted {
    /// A thread has it, or will.
    Queued,
    /// Start a thread with `Pool::run`; if that fails, call `Pool::thread_failed`.
    NeedsThread,
    /// The pool is closed: cancel the job.
    Refused(Notified),
}

/// A closure as a future that is ready at its first poll.
struct Job<F>(Option<F>);

/// Jobs are queued by hand and never woken.
struct NotScheduled;

impl Pool {
    pub(crate) fn new(most_threads: usize, keep_alive: Duration) -> Self {
        let state = State {
            queue: VecDeque::new(),
            threads: 0,
            waiting: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            most_threads,
            keep_alive,
        }
    }

    /// Makes a job of a closure.
    pub(crate) fn job<F, R>(f: F, origin: impl Into<Origin>) -> (Notified, JoinHandle<R>)
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        task::new(Job(Some(f)), NotScheduled, Id::next(), origin)
    }

    pub(crate) fn submit(&self, job: Notified, at_close: AtClose) -> Submitted {
        let mut state = self.state.lock();
        if state.closed {
            return Submitted::Refused(job);
        }
        state.queue.push_back((job, at_close));
        if state.waiting >= state.queue.len() {
            drop(state);
            self.changed.notify_one();
            Submitted::Queued
        } else if state.threads < self.most_threads {
            state.threads += 1;
            Submitted::NeedsThread
        } else {
            Submitted::Queued
        }
    }

    /// The thread that `submit` asked for could not be started. Other threads will do the job; without any, all jobs are returned:
    /// those of others, too, who relied on this thread because it was counted already.
    pub(crate) fn thread_failed(&self) -> Vec<Notified> {
        let mut state = self.state.lock();
        state.threads -= 1;
        if state.threads == 0 {
            state.queue.drain(..).map(|(job, _)| job).collect()
        } else {
            Vec::new()
        }
    }

    /// A pool thread's life. `run` runs a job.
    pub(crate) fn run(&self, run: impl Fn(Notified)) {
        while let Some(job) = self.next_job() {
            run(job);
        }
    }

    fn next_job(&self) -> Option<Notified> {
        let mut state = self.state.lock();
        loop {
            if let Some((job, _)) = state.queue.pop_front() {
                return Some(job);
            }
            if state.closed {
                break;
            }
            state.waiting += 1;
            let timed_out;
            (state, timed_out) = wait_for(&self.changed, state, self.keep_alive);
            state.waiting -= 1;
            // A job that came in the same moment is still taken.
            if timed_out && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        None
    }

    /// How many threads there are, how many of them wait for a job, and how many jobs wait for a thread.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let state = self.state.lock();
        (state.threads, state.waiting, state.queue.len())
    }

    /// Takes no more jobs, returns those that wait and are to be cancelled, and tells the threads to end after the jobs they are at and
    /// those that stay. As long as a job is queued there is a thread that will look at the queue.
    pub(crate) fn close(&self) -> Vec<Notified> {
        let mut state = self.state.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.queue).into_iter();
        let (stay, cancelled): (Vec<_>, Vec<_>) =
            jobs.partition(|(_, at_close)| *at_close == AtClose::Run);
        state.queue = stay.into();
        drop(state);
        self.changed.notify_all();
        cancelled.into_iter().map(|(job, _)| job).collect()
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Pool")
            .field("threads", &state.threads)
            .field("queued", &state.queue.len())
            .finish_non_exhaustive()
    }
}

impl<F> Unpin for Job<F> {}

impl<F: FnOnce() -> R, R> Future for Job<F> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<R> {
        let f = self.0.take().expect("a job is polled once");
        Poll::Ready(f())
    }
}

impl Schedule for NotScheduled {
    fn schedule(&self, _: Notified) {
        unreachable!("a job is never idle, so nothing can wake it");
    }

    fn reschedule(&self, _: Notified) {
        unreachable!("a job is ready at its first poll");
    }

    fn link(&self, _: &TaskRef) -> bool {
        unreachable!("a job is ready at its first poll");
    }

    fn release(&self, _: &TaskRef) {}
}
