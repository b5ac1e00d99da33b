//! One pool: a queue of jobs, and the threads that take them.
//!
//! ```text
//!   submit: closed? refuse : push ──▶ call
//!   thread: ┌▶ pop ──▶ more? call ──▶ run ─┐     nothing: closed? go : sleep ──▶ called: look ; timed out: look once more, or go
//!           └──────────────────────────────┘     go: uncount
//!   call:   is one coming? nothing : wake the latest sleeper : may grow? count a thread, start it : nothing
//! ```
//! A thread that was called is *coming* until it looks at the queue. One at a time is enough: it calls the next itself, before it runs what it has
//! taken. So a burst of short jobs costs a wake-up or two instead of one for each job, because the first thread has run them before
//! the second one is there; and a job that blocks keeps nobody waiting, because the next thread is on its way. If several have come and no job
//! has ended they may all be blocked: then each calls two, and the number of those at work doubles with each step. That one is being
//! started, which may take long, is no reason to let one sleep that could come at once.
//!
//! One mutex guards all. A job is never lost, because *while the queue holds a job a thread is coming, or no thread sleeps, and those that are
//! busy look again after their jobs*. A thread sleeps, or goes, if it sees the queue empty, under the lock; who pushes after that calls it. One
//! that is called has left `sleepers`, so if its time passes in the same moment it knows that somebody relies on it. If the system
//! refuses a thread and there is no other, what is queued is returned.
//!
//! The latest sleeper is called first: its stack is in the cache, and those that are not needed sleep their time out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Begun;
use crate::ledger::{self, Line};
use crate::rt_sync::whole::now;
use crate::rt_sync::{Arc, Condvar, Mutex, wait_for};
use crate::task::{Id, Notified};

/// The pool. Starting its threads is its owner's business. Of any kind of job, because the models have a simpler one.
pub(crate) struct Pool<J = Notified> {
    state: Mutex<State<J>>,
    most_threads: usize,
    keep_alive: Duration,
}

struct State<J> {
    queue: VecDeque<(J, AtClose)>,
    /// Those that are being started are among them.
    threads: usize,
    /// Asked for, and have not looked at the queue yet.
    starting: usize,
    /// Woken, and have not looked at the queue yet.
    waking: usize,
    /// Who calls one takes it out, and wakes it.
    sleepers: Vec<Bed>,
    /// How many threads have taken a job as they came, since one ended or none was left. At first it is as if many had: nothing has ended yet.
    came: usize,
    /// What the threads are at. One that has ended a job takes it out when it comes for the next.
    under_way: Vec<Begun>,
    closed: bool,
}

/// Where one thread sleeps.
type Bed = Arc<Condvar>;

/// What a call takes, once the lock is given back.
#[must_use]
enum Call {
    Nothing,
    Wake(Bed),
    /// Start a thread, which is counted.
    Start,
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
            starting: 0,
            waking: 0,
            came: STALLED,
            sleepers: Vec::new(),
            under_way: Vec::new(),
            closed: false,
        };
        Self {
            state: Mutex::new(state),
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
        // It may be long before the threads come that are being started.
        let most_starting = state.most_at_once().min(1 + state.queue.len() / 8);
        let call = self.call(&mut state, 1, most_starting);
        drop(state);
        match call {
            Call::Nothing => Submitted::Queued,
            Call::Wake(sleeper) => {
                sleeper.notify_one();
                Submitted::Queued
            }
            Call::Start => Submitted::NeedsThread,
        }
    }

    /// Of whoever leaves jobs in the queue: sees to it that a thread is coming. Wakes none if so many are being woken, and starts none
    /// if so many are coming.
    fn call(&self, state: &mut State<J>, most_waking: usize, most_starting: usize) -> Call {
        let jobs = state.queue.len();
        if state.waking < most_waking.min(jobs)
            && let Some(sleeper) = state.sleepers.pop()
        {
            state.waking += 1;
            Call::Wake(sleeper)
        } else if state.waking + state.starting < most_starting.min(jobs)
            && state.threads < self.most_threads
        {
            state.starting += 1;
            state.threads += 1;
            Call::Start
        } else {
            Call::Nothing
        }
    }

    /// The thread that was asked for could not be started. Other threads will do the job; without any, all jobs are returned:
    /// those of others, too, who relied on this thread because it was counted already.
    pub(crate) fn thread_failed(&self) -> Vec<J> {
        let mut state = self.state.lock();
        state.threads -= 1;
        state.starting -= 1;
        if state.threads == 0 {
            state.queue.drain(..).map(|(job, _)| job).collect()
        } else {
            Vec::new()
        }
    }

    /// The life of a thread that was asked for. `begin` says what a job is that begins now, `start` starts another thread as whoever gets
    /// `NeedsThread` does, and `run` runs a job.
    pub(crate) fn run(
        &self,
        begin: impl Fn(&J, Instant) -> Begun,
        start: impl Fn(),
        run: impl Fn(J),
    ) {
        let bed = Bed::new(Condvar::new());
        let mut ended = None;
        while let Some((id, job, calls)) = self.next_job(ended, &bed, &begin) {
            // Before the job, which may block.
            for call in calls {
                match call {
                    Call::Nothing => {}
                    Call::Wake(sleeper) => {
                        sleeper.notify_one();
                    }
                    Call::Start => start(),
                }
            }
            run(job);
            ended = Some(id);
        }
    }

    /// `ended` is the job that the thread was at; it is none if the thread was just started.
    fn next_job(
        &self,
        ended: Option<Id>,
        bed: &Bed,
        begin: impl Fn(&J, Instant) -> Begun,
    ) -> Option<(Id, J, [Call; 2])> {
        // Not under the lock.
        let mut since = now();
        ledger::lock(Line::BlockingPool);
        let mut state = self.state.lock();
        match ended {
            Some(id) => state.ended(id),
            None => state.starting -= 1,
        }
        let mut came = ended.is_none();
        loop {
            if let Some((job, _)) = state.queue.pop_front() {
                let begun = begin(&job, since);
                let id = begun.id;
                state.under_way.push(begun);
                state.came += usize::from(came);
                let most = if came { state.most_at_once() } else { 1 };
                let calls = [0; 2].map(|_| self.call(&mut state, most, most));
                return Some((id, job, calls));
            }
            state.came = 0;
            if state.closed {
                break;
            }
            state.sleepers.push(bed.clone());
            let timed_out;
            (state, timed_out) = wait_for(bed, state, self.keep_alive);
            // The wait gives the lock back, and takes it again.
            ledger::lock(Line::BlockingPool);
            came = !state.leave(bed);
            if came {
                state.waking -= 1;
            } else if timed_out && state.queue.is_empty() {
                break;
            }
            since = now();
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
            waiting: state.sleepers.len(),
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
        let sleepers = std::mem::take(&mut state.sleepers);
        state.waking += sleepers.len();
        drop(state);
        for sleeper in sleepers {
            sleeper.notify_one();
        }
        cancelled.into_iter().map(|(job, _)| job).collect()
    }

    /// Of the models: the time of one thread's sleep has passed, if one sleeps.
    #[cfg(all(test, loom))]
    pub(super) fn expire(&self) {
        let state = self.state.lock();
        if let Some(sleeper) = state.sleepers.first() {
            sleeper.expire();
        }
    }
}

impl<J> State<J> {
    /// How many threads may be coming.
    fn most_at_once(&self) -> usize {
        if self.came < STALLED { 1 } else { usize::MAX }
    }

    fn ended(&mut self, job: Id) {
        self.came = 0;
        // From the end: the latest jobs are the likeliest to end.
        let position = self.under_way.iter().rposition(|begun| begun.id == job);
        self.under_way
            .swap_remove(position.expect("its thread was at it"));
    }

    /// Its thread has woken up. False: somebody has called it.
    fn leave(&mut self, bed: &Bed) -> bool {
        let position = self
            .sleepers
            .iter()
            .rposition(|sleeper| Arc::ptr_eq(sleeper, bed));
        position
            .map(|position| self.sleepers.remove(position))
            .is_some()
    }
}

impl<J> std::fmt::Debug for Pool<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pool").field(&self.counts()).finish()
    }
}

/// If so many threads have come and no job has ended, they may all be blocked. Some come before the first job ends, however short it is,
/// because there are several processors, and threads lose them.
const STALLED: usize = 4;
