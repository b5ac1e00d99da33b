//! `RuntimeMetrics`: what a runtime counts about itself, and which of its workers the calling thread is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::blocking::Counts;
use crate::context::State;
use crate::rt_sync::whole::thread::ThreadId;
use crate::scheduler;

/// A view of the numbers that a runtime counts about itself. Made by [`Handle::metrics`](super::Handle::metrics).
///
/// Every call reads anew. Counts only grow, from the start of the runtime on; depths and numbers of threads are as of now. The numbers
/// of different workers are not read at one instant. Counting costs a worker a store on memory of its own, so it cannot be turned off.
///
/// Workers are numbered from 0 to [`num_workers`](Self::num_workers) - 1. On the current-thread flavour there is one, which is whatever
/// thread drives. A method that takes the number of a worker panics if there is no such worker. What spare workers do counts in the
/// sums, and for no number.
///
/// ```
/// let runtime = executor::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
/// let metrics = runtime.metrics();
/// runtime.block_on(async { executor::spawn(async {}).await.unwrap() });
/// assert_eq!((metrics.num_workers(), metrics.spawned_tasks_count(), metrics.num_alive_tasks()), (2, 1, 0));
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct RuntimeMetrics {
    state: Arc<State>,
}

impl RuntimeMetrics {
    pub(super) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// How many workers there are, without spare ones.
    pub fn num_workers(&self) -> usize {
        self.state.scheduler.workers()
    }

    /// How many spare workers there are now: threads that stand in for workers which are held by a poll that does not end. They are not
    /// among the numbered workers. See [`Builder::max_spare_workers`](super::Builder::max_spare_workers).
    pub fn num_spare_workers(&self) -> usize {
        self.state.scheduler.spare_workers()
    }

    /// How many polls have held their worker for longer than [`Builder::stall_threshold`](super::Builder::stall_threshold), as far as
    /// they were noticed: while they lasted.
    pub fn stall_count(&self) -> u64 {
        self.state.scheduler.stalls()
    }

    /// How many tasks have been spawned and have not ended. A task has ended before its handle answers. Closures for the blocking
    /// pool are no tasks.
    #[doc(alias = "all_tasks")]
    pub fn num_alive_tasks(&self) -> usize {
        self.state.scheduler.alive_tasks() as usize
    }

    /// How many tasks were ever spawned.
    pub fn spawned_tasks_count(&self) -> u64 {
        self.state.scheduler.spawned_tasks()
    }

    /// How many tasks wait in the queue to which threads push that are no workers.
    pub fn global_queue_depth(&self) -> usize {
        self.state.scheduler.injector_depth()
    }

    /// How often a task was pushed by a thread that is no worker of this runtime: spawned or woken there.
    pub fn remote_schedule_count(&self) -> u64 {
        self.state.scheduler.injected()
    }

    /// How many polls used up their budget and had to let others run. See [`task::coop`](crate::task::coop). Up to date as
    /// [`worker_total_busy_duration`](Self::worker_total_busy_duration) is.
    pub fn budget_forced_yield_count(&self) -> u64 {
        self.state.scheduler.forced_yields()
    }

    /// How many threads the blocking pool has, those that look names up included.
    pub fn num_blocking_threads(&self) -> usize {
        self.blocking(|counts| counts.threads)
    }

    /// How many threads of the blocking pool wait for a closure.
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.blocking(|counts| counts.waiting)
    }

    /// How many closures, and names to look up, wait for a thread of the blocking pool.
    pub fn blocking_queue_depth(&self) -> usize {
        self.blocking(|counts| counts.queued)
    }

    fn blocking(&self, count: impl Fn(Counts) -> usize) -> usize {
        let pools = self.state.blocking.all();
        pools.into_iter().map(|pool| count(pool.counts())).sum()
    }

    /// How many descriptors, sockets as a rule, were registered for events.
    pub fn io_driver_fd_registered_count(&self) -> u64 {
        self.state.scheduler.driver().io_counts().0
    }

    /// How many descriptors were registered and no longer are.
    pub fn io_driver_fd_deregistered_count(&self) -> u64 {
        self.state.scheduler.driver().io_counts().1
    }

    /// How many events of descriptors were taken from the system.
    pub fn io_driver_ready_count(&self) -> u64 {
        self.state.scheduler.driver().io_counts().2
    }
}

/// One worker each.
impl RuntimeMetrics {
    /// How long the worker was awake: running tasks, or looking for some. Up to date when it falls asleep; while it is busy, as of its
    /// last look at timers and events, at most some tens of microseconds or one long poll ago. By the real clock.
    #[track_caller]
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.state.scheduler.busy(self.checked(worker))
    }

    /// How often the worker fell asleep.
    #[track_caller]
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.worker_park_unpark_count(worker).div_ceil(2)
    }

    /// How often the worker fell asleep or woke: odd while it sleeps. If two reads with some time in between return the same even
    /// number, the worker was awake all the while.
    #[track_caller]
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        self.state.scheduler.parks_and_unparks(self.checked(worker))
    }

    /// How often the worker woke and fell asleep again without having polled a task.
    #[track_caller]
    pub fn worker_noop_count(&self, worker: usize) -> u64 {
        self.state.scheduler.noops(self.checked(worker))
    }

    /// How many polls of tasks the worker has begun.
    #[track_caller]
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.state.scheduler.polls(self.checked(worker))
    }

    /// How often the worker itself put a task into its own queue.
    #[track_caller]
    pub fn worker_local_schedule_count(&self, worker: usize) -> u64 {
        self.state.scheduler.scheduled(self.checked(worker))
    }

    /// How many tasks wait in the worker's own queue, the one that it runs next included.
    #[track_caller]
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        self.state.scheduler.queue_depth(self.checked(worker))
    }

    /// How many tasks the worker took from others. If others took some of them back at the same moment, those may be missing.
    #[track_caller]
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.state.scheduler.stolen(self.checked(worker))
    }

    /// How often the worker took tasks from another, some at a time.
    #[track_caller]
    pub fn worker_steal_operations(&self, worker: usize) -> u64 {
        self.state.scheduler.steals(self.checked(worker))
    }

    /// The thread that is the worker, or was it last. `None` before the first.
    #[track_caller]
    pub fn worker_thread_id(&self, worker: usize) -> Option<ThreadId> {
        self.state.scheduler.thread_id(self.checked(worker))
    }

    #[track_caller]
    fn checked(&self, worker: usize) -> usize {
        let workers = self.num_workers();
        assert!(
            worker < workers,
            "there is no worker {worker}: they are numbered from 0 to {}",
            workers - 1
        );
        worker
    }
}

impl fmt::Debug for RuntimeMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeMetrics")
            .field("num_workers", &self.num_workers())
            .field("num_alive_tasks", &self.num_alive_tasks())
            .finish_non_exhaustive()
    }
}

/// The number of the worker that the calling thread is, as the methods of [`RuntimeMetrics`] take it. `None` on any other thread, and on
/// that of a [spare worker](super::Builder::max_spare_workers).
///
/// The thread that calls `block_on` is worker 0 of a current-thread runtime while it drives it, and none of a multi-thread runtime. In the
/// closure of [`block_in_place`](crate::task::block_in_place) a thread is no worker. A task may be another worker's after each `.await`.
///
/// ```
/// use executor::runtime::{Runtime, worker_index};
///
/// let runtime = Runtime::new()?;
/// let index = runtime.block_on(runtime.spawn(async { worker_index() })).unwrap();
/// assert!(index.unwrap() < runtime.metrics().num_workers());
/// assert_eq!(worker_index(), None);
/// # std::io::Result::Ok(())
/// ```
pub fn worker_index() -> Option<usize> {
    scheduler::worker_index()
}
