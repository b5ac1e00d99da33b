//! One pool: a queue of jobs, and the counts of the threads that take them.
//!
//! ```text
//!   submit: closed? refuse : push ──▶ enough wait? notify one : may grow? count a thread, start it : leave it in the queue
//!   thread: ┌▶ pop ──▶ run ─┐     nothing: closed? go : wait ──▶ notified: look again ; timed out: look once more, or go
//!           └───────────────┘     go: uncount
//! ```
//! One mutex guards queue and counts. A job is never lost, because *while the queue holds a job some counted thread will look at it*: a
//! thread is counted from the submission that asked for it, and uncounted under the lock, with the queue seen empty. It is so after the
//! time of its wait has passed, too: who submits may have counted on it and notified nobody. If the system refuses a counted thread and
//! it was the last one, what is queued is returned.

use std::collections::VecDeque;
use std::time::Duration;

use super::Begun;
use crate::ledger::{self, Line};
use crate::rt_sync::{Condvar, Mutex, wait_for};
use crate::task::{Id, Notified};

/// The pool. Starting its threads is its owner's business. Of any kind of job, because the models have a simpler one.
pub(crate) struct Pool<J = Notified> {
    state: Mutex<State<J>>,
    /// A job, or the end.
    changed: Condvar,
    most_threads: usize,
    keep_alive: Duration,
}

struct State<J> {
    queue: VecDeque<(J, AtClose)>,
    threads: usize,
    waiting: usize,
    /// What the threads are at. One that has ended a job takes it out when it comes for the next.
    under_way: Vec<Begun>,
    closed: bool,
}

/// What a pool has and does at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) threads: usize,
    /// Threads that wait for a job.
    pub(crate) waiting: usize,
    /// Jobs that wait for a thread.
    pub(crate) queued: usize,
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
#[derive(Debug)]
pub(crate) enum Submitted<J = Notified> {
    /// A thread has it, or will.
    Queued,
    /// Start a thread with `Pool::run`; if that fails, call `Pool::thread_failed`.
    NeedsThread,
    /// The pool is closed: cancel the job.
    Refused(J),
}

impl<J> Pool<J> {
    pub(crate) fn new(most_threads: usize, keep_alive: Duration) -> Self {
        let state = State {
            queue: VecDeque::new(),
            threads: 0,
            waiting: 0,
            under_way: Vec::new(),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            most_threads,
            keep_alive,
        }
    }

    pub(crate) fn submit(&self, job: J, at_close: AtClose) -> Submitted<J> {
        ledger::lock(Line::BlockingPool);
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
    pub(crate) fn thread_failed(&self) -> Vec<J> {
        let mut state = self.state.lock();
        state.threads -= 1;
        if state.threads == 0 {
            state.queue.drain(..).map(|(job, _)| job).collect()
        } else {
            Vec::new()
        }
    }

    /// A pool thread's life. `begin` says what a job is, and `run` runs it.
    pub(crate) fn run(&self, begin: impl Fn(&J) -> Begun, run: impl Fn(J)) {
        let mut ended = None;
        while let Some((id, job)) = self.next_job(ended, &begin) {
            run(job);
            ended = Some(id);
        }
    }

    fn next_job(&self, ended: Option<Id>, begin: impl Fn(&J) -> Begun) -> Option<(Id, J)> {
        ledger::lock(Line::BlockingPool);
        let mut state = self.state.lock();
        if let Some(id) = ended {
            state.under_way.retain(|begun| begun.id != id);
        }
        loop {
            if let Some((job, _)) = state.queue.pop_front() {
                let begun = begin(&job);
                let id = begun.id;
                state.under_way.push(begun);
                return Some((id, job));
            }
            if state.closed {
                break;
            }
            state.waiting += 1;
            let timed_out;
            (state, timed_out) = wait_for(&self.changed, state, self.keep_alive);
            state.waiting -= 1;
            // The wait gives the lock back, and takes it again.
            ledger::lock(Line::BlockingPool);
            // A job that came in the same moment is still taken.
            if timed_out && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        None
    }

    /// The jobs that threads are at.
    pub(crate) fn under_way(&self) -> Vec<Begun> {
        self.state.lock().under_way.clone()
    }

    pub(crate) fn counts(&self) -> Counts {
        let state = self.state.lock();
        Counts {
            threads: state.threads,
            waiting: state.waiting,
            queued: state.queue.len(),
        }
    }

    /// Takes no more jobs, returns those that wait and are to be cancelled, and tells the threads to end after the jobs they are at and
    /// those that stay.
    pub(crate) fn close(&self) -> Vec<J> {
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

    /// Of the models: the time of one thread's wait has passed, or of the next that waits.
    #[cfg(all(test, loom))]
    pub(super) fn expire(&self) {
        let _state = self.state.lock();
        self.changed.expire();
    }
}

impl<J> std::fmt::Debug for Pool<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pool").field(&self.counts()).finish()
    }
}
