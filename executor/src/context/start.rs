//! Starts a runtime: its shared state and its threads. Ends it, too.

use std::fmt;
use std::io;
use std::num::NonZeroU64;
use std::sync::Arc;
// Not through the shim: the numbers live in a static, which no model may own, and order nothing.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::threads::is_own_thread;
use super::{State, Threads, enter};
use crate::blocking::{AtClose, Begun, Lane, Lanes, Pool, Submitted};
use crate::driver::MostEvents;
use crate::local::Local;
use crate::rt_sync::whole::now;
use crate::scheduler::{
    Config, DebugConfig, DebugEvent, DroppedTask, Failures, Hook, Shared, StallConfig, ThreadHold,
};
use crate::task::{Cancelled, Notified, Observer, TaskRef};

/// What the builder decided.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) workers: usize,
    pub(crate) current_thread: bool,
    /// Tasks that are not `Send` run on the thread that starts the runtime.
    pub(crate) local: bool,
    pub(crate) start_paused: bool,
    pub(crate) most_polls: u32,
    pub(crate) most_events: MostEvents,
    pub(crate) name: Option<String>,
    pub(crate) thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) on_start: Option<Hook>,
    pub(crate) on_stop: Option<Hook>,
    pub(crate) on_park: Option<Hook>,
    pub(crate) on_unpark: Option<Hook>,
    pub(crate) spare_workers: usize,
    pub(crate) stalls: StallConfig,
    pub(crate) blocking_threads: usize,
    pub(crate) keep_alive: Duration,
    /// A model without the guard sees what the guard would make good.
    #[cfg(shuttle)]
    pub(crate) guard: bool,
    pub(crate) observer: Observer,
    /// The first task that panics ends the runtime.
    pub(crate) panics_end: bool,
    /// Of whoever calls `block_on`.
    pub(crate) cancel_on_ctrl_c: bool,
    pub(crate) debug: DebugConfig,
}

/// Starts a runtime.
pub(crate) fn start(options: &Options) -> io::Result<Arc<State>> {
    let debug = options.debug.mode()?;
    let observer = match &debug {
        Some(mode) if options.observer.is_default() => {
            let mode = mode.clone();
            Observer::new(move |failure| {
                mode.tell(&DebugEvent::UnobservedFailure(failure.clone()));
            })
        }
        _ => options.observer.clone(),
    };
    let config = Config {
        workers: options.workers,
        current_thread: options.current_thread,
        start_paused: options.start_paused,
        spare_workers: options.spare_workers,
        stalls: options.stalls.clone(),
        keep_alive: options.keep_alive,
        most_polls: options.most_polls,
        most_events: options.most_events,
        on_park: options.on_park.clone(),
        on_unpark: options.on_unpark.clone(),
        failures: Failures::new(observer, options.panics_end),
        debug,
    };
    let (scheduler, cores) = Shared::new(config)?;
    let state = Arc::new(State {
        scheduler: scheduler.clone(),
        blocking: Lanes::new(options.blocking_threads, options.keep_alive),
        threads: Threads::new(options.clone()),
        id: next_id(),
        name: options.name.clone(),
        deferred: Default::default(),
        finalizers: Default::default(),
        local: options.local.then(|| Local::new(super::HOST)),
    });
    // Weak: the scheduler belongs to the state.
    let weak = Arc::downgrade(&state);
    state.scheduler.failures().set_shut_down(move || {
        // On the thread of the task that has panicked, which waits for nobody.
        if let Some(state) = weak.upgrade() {
            state.shut_down(Some(now()));
        }
    });
    if let Err(error) = start_threads(&state, cores) {
        // Those that did start end now; `build` leaves nothing behind.
        state.close();
        state.threads.wait(None);
        state.scheduler.drain_last();
        return Err(io::Error::new(
            error.kind(),
            format!("a thread of the runtime could not be started: {error}"),
        ));
    }
    Ok(state)
}

pub(crate) fn next_id() -> NonZeroU64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NonZeroU64::new(NEXT.fetch_add(1, Relaxed)).expect("2^64 runtimes were started")
}

fn start_threads(state: &Arc<State>, cores: Vec<crate::scheduler::Core>) -> io::Result<()> {
    if let Some(slot) = state.scheduler.core_slot() {
        cores.into_iter().for_each(|core| slot.put(core));
        return Ok(());
    }
    // Weak: the scheduler belongs to the state, which lives at least as long as any thread.
    let weak = Arc::downgrade(state);
    state.scheduler.set_start_spare(Box::new(move |call| {
        let state = weak.upgrade().ok_or(io::ErrorKind::NotFound)?;
        state
            .threads
            .start(&state, move |state| state.scheduler.run_spare(call))
    }));
    for core in cores {
        state
            .threads
            .start(state, move |state| state.scheduler.run_worker(core))?;
    }
    #[cfg(shuttle)]
    if !state.threads.options().guard {
        return Ok(());
    }
    state
        .threads
        .start_guard(state, |state| state.scheduler.run_guard())
}

impl State {
    /// Hands a job to a blocking pool. What comes back must be cancelled by the caller, where user code may run.
    pub(crate) fn submit_blocking(
        self: &Arc<Self>,
        lane: Lane,
        job: Notified,
        at_close: AtClose,
    ) -> Vec<Notified> {
        let pool = self.blocking.pool(lane);
        // Until its end: whoever waits for the job does not see time pass meanwhile.
        self.scheduler.hold_clock();
        let refused = match pool.submit(job, at_close) {
            Submitted::Queued => Vec::new(),
            Submitted::Refused(job) => vec![job],
            Submitted::NeedsThread => self.start_blocking_thread(lane),
        };
        refused.iter().for_each(|_| self.scheduler.release_clock());
        refused
    }

    /// Starts a thread that a pool has asked for. Returns the jobs that have no thread without it.
    fn start_blocking_thread(self: &Arc<Self>, lane: Lane) -> Vec<Notified> {
        let main = move |state: &Arc<Self>| {
            let start = || {
                let refused = state.start_blocking_thread(lane);
                debug_assert!(refused.is_empty(), "the thread that calls has them");
            };
            let pool = state.blocking.pool(lane);
            pool.run(Begun::new, start, |job| state.run_job(job));
        };
        match self.threads.start(self, main) {
            Ok(()) => Vec::new(),
            Err(_) => self.blocking.pool(lane).thread_failed(),
        }
    }

    fn run_job(&self, job: Notified) {
        // Begins with the job's own hold.
        let _hold = ThreadHold::take_over(&self.scheduler);
        job.run();
    }

    /// Stops polling and takes no more blocking jobs. Returns how many of these it has dropped.
    pub(crate) fn close(&self) -> usize {
        self.scheduler.close();
        let jobs = self.blocking.all().into_iter().flat_map(Pool::close);
        let mut dropped = 0;
        for job in jobs.collect::<Vec<_>>() {
            self.scheduler.release_clock();
            job.cancel();
            dropped += 1;
        }
        dropped
    }

    /// Ends the runtime: every task is dropped, threads are waited for until `deadline`. On one of its own threads nothing is
    /// waited for.
    pub(crate) fn shut_down(self: &Arc<Self>, deadline: Option<Instant>) -> Ended {
        let (begin, alive) = (now(), self.alive());
        // The destructors of tasks, which run on this thread now, are in their own runtime: closed, but not the default one.
        let _entered = enter(self);
        // A task that panics may end the runtime elsewhere. Then the local tasks are dropped when their thread drops the runtime.
        if let Some(local) = self.local_here() {
            for task in local.close() {
                self.scheduler.note_dropped(task.id(), task.origin());
            }
        }
        let closures = self.close();
        if !is_own_thread(self) {
            self.scheduler.drain();
            self.threads.wait(deadline);
        }
        // Also what the threads left, if they pushed after our first round.
        self.scheduler.drain_last();
        Ended {
            tasks: alive.saturating_sub(self.alive()),
            closures,
            dropped: self.scheduler.tell_dropped(),
            threads: self.threads.living(),
            took: now().saturating_duration_since(begin),
        }
    }

    /// Asks every task to end, also those that come.
    pub(crate) fn ask_all(&self, request: &Cancelled) {
        self.scheduler.ask_all(request);
        if let Some(local) = self.local_here() {
            local.ask_all(request);
        }
    }

    /// Aborts every task that has waited, but finalizers. Returns them.
    pub(crate) fn abort_all(&self) -> Vec<TaskRef> {
        let mut aborted = self.scheduler.abort_all(|| self.finalizers.ids());
        if let Some(local) = self.local_here() {
            let local = local.abort_all();
            for task in &local {
                self.scheduler.note_dropped(task.id(), task.origin());
            }
            aborted.extend(local);
        }
        aborted
    }

    /// How many tasks have not ended, those included that only this thread may see.
    pub(crate) fn alive(&self) -> usize {
        let local = self.local_here();
        self.scheduler.alive_tasks() as usize + local.map_or(0, |local| local.living())
    }

    /// The tasks that only this thread may see.
    fn local_here(&self) -> Option<&Arc<Local>> {
        self.local.as_ref().filter(|local| local.is_own_thread())
    }
}

/// What the end of a runtime came to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Tasks that were alive before and are not any more.
    pub(crate) tasks: usize,
    /// Those of them that are known by name: in debug mode.
    pub(crate) dropped: Vec<DroppedTask>,
    /// Jobs of the pool that had not begun.
    pub(crate) closures: usize,
    /// Threads that are left.
    pub(crate) threads: usize,
    pub(crate) took: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: num_cpus::get(),
            current_thread: false,
            local: false,
            start_paused: false,
            most_polls: 64,
            most_events: MostEvents {
                // Whom an event wakes is polled while the cache still has what waking him has touched (decision 026).
                of_a_turn: 64,
                of_a_look: None,
            },
            name: None,
            thread_name: Arc::new(|| "executor-worker".into()),
            stack_size: None,
            on_start: None,
            on_stop: None,
            on_park: None,
            on_unpark: None,
            spare_workers: 64,
            stalls: StallConfig::default(),
            blocking_threads: 512,
            keep_alive: Duration::from_secs(10),
            #[cfg(shuttle)]
            guard: true,
            observer: Observer::default(),
            panics_end: false,
            cancel_on_ctrl_c: false,
            debug: DebugConfig::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("workers", &self.workers)
            .field("current_thread", &self.current_thread)
            .finish_non_exhaustive()
    }
}
