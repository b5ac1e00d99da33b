//! The worker: takes the next task, runs it, and sleeps when there is none.

use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::batch::{bring_end_near, wake_all};
use super::hand_over::Held;
use super::idle::Left;
use super::kernel::Tid;
use super::seat::{Core, Seat};
use super::{Hook, Shared, ThreadHold, current};
use crate::coop;
use crate::driver::Duty;
use crate::rt_sync::whole::atomic::Ordering::{Relaxed, SeqCst};
use crate::rt_sync::whole::atomic::fence;
use crate::rt_sync::whole::{now, thread};
use crate::task::{Id, Notified};

/// A thread that polls tasks, while it does.
pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    /// Gone once the seat was handed over: then this worker ends with the poll it is in.
    pub(super) core: Held,
    /// The runtime whose worker this thread is: `shared`, or null while it is away from its seat.
    pub(super) serves: Cell<*const Shared>,
    index: usize,
    /// Of the array in `shared`: without a look for it there, at each of several times in a poll.
    seat: NonNull<Seat>,
    /// This worker counts as searching.
    pub(super) searching: Cell<bool>,
    /// The wakes of a batch of events are being run: they go to the FIFO, and nobody is woken one by one.
    pub(super) batching: Cell<bool>,
    /// The future of a `block_on` is being polled, which is no task.
    pub(super) in_root: Cell<bool>,
    /// Polls from the next slot in a row.
    slot_polls: Cell<u32>,
    /// A worker, the poll that it was in at one of our maintenances, and when that was.
    pub(super) watched: Cell<(usize, u64, Instant)>,
    /// Room for the wakers of one turn. Taken out while they are run, because they may come back here.
    pub(super) wakers: Cell<Vec<Waker>>,
    /// When this worker last woke or counted its busy time, by the real clock.
    pub(super) busy_since: Cell<Instant>,
    /// How many polls it had begun when it last woke. `None`: it has not slept.
    polls_at_wake: Cell<Option<u64>>,
    /// The clock stands still while this thread goes on without its seat.
    pub(super) away: Cell<Option<ThreadHold>>,
    /// Room for a search.
    pub(super) polls_before: Cell<Vec<u64>>,
    pub(super) random: Cell<u32>,
    /// The current-thread flavour has no next slot.
    strict_fifo: bool,
    /// A spare worker that is needed no more.
    pub(super) leaving: Cell<bool>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, core: Core) -> Self {
        let random = Cell::new(0x9E37_79B9 ^ (core.index as u32 + 1));
        // What this thread counted before does not belong here.
        coop::take_forced();
        let worker = Self {
            strict_fifo: shared.is_current_thread(),
            serves: Cell::new(Arc::as_ptr(&shared)),
            seat: NonNull::from(&shared.seats[core.index]),
            shared,
            index: core.index,
            core: Held::new(core),
            searching: Cell::new(false),
            batching: Cell::new(false),
            in_root: Cell::new(false),
            slot_polls: Cell::new(0),
            watched: Cell::new((0, 0, now())),
            wakers: Cell::default(),
            busy_since: Cell::new(now()),
            polls_at_wake: Cell::new(None),
            away: Cell::new(None),
            polls_before: Cell::default(),
            leaving: Cell::new(false),
            random,
        };
        worker.take_seat();
        worker
    }

    /// From now on this thread is the one that sits here.
    pub(super) fn take_seat(&self) {
        let seat = self.seat();
        *seat.counters.thread.lock() = Some(thread::current().id());
        if !self.strict_fifo {
            // Relaxed: the guard asks the system about whatever thread it finds here.
            seat.tid.store(Tid::current().0, Relaxed);
        }
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// The number of a worker that is no spare one.
    pub(super) fn number(&self) -> Option<usize> {
        (self.index < self.shared.seats.workers()).then_some(self.index)
    }

    /// False while this thread is away from its seat, because it blocks, or has lost it.
    pub(super) fn has_seat(&self) -> bool {
        !self.serves.get().is_null()
    }

    pub(super) fn next_id(&self) -> Id {
        self.core.ids.next()
    }

    #[inline]
    pub(super) fn belongs_to(&self, shared: *const Shared) -> bool {
        ptr::eq(self.serves.get(), shared)
    }

    /// Queues a token that this thread made: into the next slot, what was there moves to the FIFO.
    #[inline]
    pub(super) fn push(&self, task: Notified) {
        let seat = self.seat();
        seat.counters.scheduled.add(1);
        let batching = self.batching.get();
        if batching {
            bring_end_near(&task);
        }
        if batching || self.strict_fifo {
            return self.core.queue.push(task);
        }
        if let Some(displaced) = seat.slot.put(task) {
            self.core.queue.push(displaced);
            self.shared.wake_for_work();
        }
    }

    /// Queues a token behind all others of this worker. It tells nobody: this worker is awake, and those before it in the queue were
    /// announced when they came. Returns the token if this thread has handed its seat over.
    pub(super) fn push_behind(&self, task: Notified) -> Option<Notified> {
        let Some(core) = self.core.get() else {
            return Some(task);
        };
        self.seat().counters.scheduled.add(1);
        core.queue.push(task);
        None
    }

    /// Runs tasks until the runtime closes, a task has made this thread hand its seat over, or a spare worker is needed no more.
    fn run(&self) {
        while self.core.is_here() && !self.shared.closed.load(Relaxed) {
            match self.next().or_else(|| self.search()) {
                Some(task) => self.run_task(task),
                None if self.is_leaving() => return,
                None => self.park(|| false),
            }
            if self.leaving.get() {
                return;
            }
        }
    }

    /// True: the guard wants this worker to leave. Asked where it costs nothing: now and then, and before it sleeps.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.set(self.seat().post.is_leaving());
        self.leaving.get()
    }

    // Always: of two callers one is never in the loop of workers, and the call is a tenth of a short poll.
    #[inline(always)]
    pub(super) fn run_task(&self, task: Notified) {
        self.found_work();
        self.seat().running.begin(task.id(), task.origin());
        if let Some(mode) = self.shared.debug() {
            return self.run_timed(mode, task);
        }
        // Nothing of the seat may be touched after this: it may be another thread's by then.
        coop::budgeted_task(|| task.run());
    }

    /// True in a poll, of a task or of the root of a current-thread runtime.
    pub(super) fn polls(&self) -> bool {
        !self.batching.get() && !self.shared.closed.load(Relaxed)
    }

    /// The next task of this worker's own queues or of the injector.
    pub(super) fn next(&self) -> Option<Notified> {
        // Maintenance runs wakers, but what they call does not give the core away (see `hand_over`).
        let (core, seat): (&Core, _) = (&self.core, self.seat());
        if core.pace.tick() {
            self.maintain();
        }
        if self.slot_polls.get() < MOST_SLOT_POLLS
            && let Some(task) = seat.slot.take()
        {
            self.slot_polls.set(self.slot_polls.get() + 1);
            return Some(task);
        }
        // Two tasks that wake each other must not keep the FIFO waiting for ever.
        self.slot_polls.set(0);
        core.queue
            .pop()
            .or_else(|| seat.slot.take())
            .or_else(|| self.next_injected())
    }

    pub(super) fn next_injected(&self) -> Option<Notified> {
        let injector = &self.shared.injector;
        if injector.is_empty() {
            return None;
        }
        let task = injector.steal_into(&self.core.queue);
        self.announce_taken();
        task
    }

    /// Tasks have come here from another queue: while they were in this worker's hand nobody saw them, and may have fallen asleep (see
    /// `idle`). A searcher need not call now: it does so when it has found work, or another searcher sees them.
    pub(super) fn announce_taken(&self) {
        if !self.searching.get() && self.core.queue.len() > 0 {
            self.shared.wake_for_work();
        }
    }

    /// Sleeps until there is something to do, or at least a reason to look. `stay` says, after the user's hook has run, that the
    /// caller has something to do already.
    pub(super) fn park(&self, stay: impl Fn() -> bool) {
        let shared = &*self.shared;
        let closed = shared.closed.load(Relaxed);
        if let Some(hook) = shared.on_park.as_ref().filter(|_| !closed) {
            self.pause_search();
            self.call_hook(hook);
            // What it has pushed here was announced to nobody.
            let stay = stay() || !self.seat().slot.is_empty() || self.core.queue.len() > 0;
            if stay {
                if let Some(hook) = &shared.on_unpark {
                    self.call_hook(hook);
                }
                return;
            }
        }
        let last = shared.idle.sleep(self.core.index, self.searching.take());
        let mut wakers = self.wakers.take();
        // Looked at after `sleep` has fenced: see `idle`. If all sleep, all queues but that are empty.
        let work_in_sight = !shared.injector.is_empty() || !last && shared.has_queued_work();
        let mut duty = None;
        if !work_in_sight {
            if !shared.closed.load(Relaxed) {
                self.count_park();
                let woke;
                (duty, woke) = self.wait(&mut wakers, last);
                self.count_unpark(woke);
            } else if self.strict_fifo {
                // A worker thread ends now, but the future given to `block_on` may wait for somebody outside. The driver
                // is closed and would not sleep.
                self.core.parker.park();
            }
        }
        // Before the first waker runs: from here on, whoever has work for us sees us awake.
        let left = shared.idle.leave(self.core.index);
        // Not before: whoever takes it next must not find everybody asleep while there are wakers in our hand.
        drop(duty);
        match left {
            Left::Woken => self.searching.set(true),
            Left::Myself { first: true } => shared.guard.somebody_awoke(),
            Left::Myself { first: false } => {}
        }
        if work_in_sight && !self.searching.replace(true) {
            // Whatever the limit on searchers says: if they hold it up, and do not run, this worker would turn in circles here.
            shared.idle.force_searching();
        }
        self.wake_batch(wakers);
        if let Some(hook) = shared.on_unpark.as_ref().filter(|_| !closed) {
            self.call_hook(hook);
        }
    }

    /// As for a batch of wakers: the seat stays here, and what the hook makes goes to the FIFO.
    fn call_hook(&self, hook: &Hook) {
        self.seat().running.end();
        let outer = self.batching.replace(true);
        hook.call();
        self.batching.set(outer);
        if self.core.queue.len() > 1 {
            self.shared.wake_for_work();
        }
    }

    /// Stops searching before code of the user runs, which may take its time: meanwhile nobody would be woken for new work.
    fn pause_search(&self) {
        self.found_work();
    }

    /// Waits, in the driver if nobody else does. Having announced itself as asleep and fenced, a worker that finds the duty taken
    /// knows that its holder will not leave it vacant while all sleep. `last`: it was the last to fall asleep. Returns when it woke, too.
    fn wait(&self, wakers: &mut Vec<Waker>, last: bool) -> (Option<Duty<'_>>, Instant) {
        let shared = &*self.shared;
        let Some(mut duty) = shared.driver.try_duty() else {
            if last {
                shared.nudge();
            }
            self.core.parker.park();
            return (None, now());
        };
        loop {
            if !self.core.parker.start_poll() {
                return (Some(duty), now());
            }
            let woke = duty.block(wakers, || {
                shared
                    .stillness()
                    .filter(|_| !self.core.parker.is_notified())
            });
            if self.core.parker.end_poll() || !wakers.is_empty() {
                return (Some(duty), woke);
            }
            // Nobody called for us: a new deadline, or a source's event that nobody waits for.
        }
    }

    /// Runs the wakers of a batch of events, then wakes as many others as there is work for, unless it is done here before one would be up.
    pub(super) fn wake_batch(&self, mut wakers: Vec<Waker>) {
        if wakers.is_empty() {
            return self.wakers.set(wakers);
        }
        // Wakers are code of the user and may take their time: who has work must not rely on this worker's search meanwhile.
        self.found_work();
        self.seat().running.end();
        if self.core.queue.len() == 0 {
            self.core.pace.forget_kept();
        }
        let outer = self.batching.replace(true);
        wake_all(&mut wakers);
        self.batching.set(outer);
        self.wakers.set(wakers);
        let others = self.core.queue.len().saturating_sub(1);
        if self.strict_fifo || self.core.pace.keep(others) {
            return;
        }
        let counts = self.shared.idle.counts();
        let most = others.min(self.shared.useful().saturating_sub(counts.awake()));
        if most > 0
            && self
                .shared
                .idle
                .wake(most, |worker| self.shared.unpark(worker))
        {
            self.shared.guard.somebody_awoke();
        }
    }

    /// Ends this worker's search.
    #[inline]
    pub(super) fn found_work(&self) {
        if self.searching.take() {
            self.shared.end_search();
        }
    }

    fn count_park(&self) {
        let seat = self.seat();
        seat.running.end();
        if self.polls_at_wake.get() == Some(seat.running.seq()) {
            seat.counters.noops.add(1);
        }
        // Before the sleep: who sees that one counted finds the time before it counted as well.
        let busy = self.count_busy(now());
        seat.counters.parks_and_unparks.add(1);
        self.core.pace.pause(busy);
    }

    fn count_unpark(&self, woke: Instant) {
        let seat = self.seat();
        seat.counters.parks_and_unparks.add(1);
        self.polls_at_wake.set(Some(seat.running.seq()));
        self.core.pace.resume();
        self.busy_since.set(woke);
    }

    /// Back at a seat that may have been somebody else's: what was counted until now is not this thread's.
    pub(super) fn count_return(&self) {
        self.take_seat();
        self.busy_since.set(now());
    }

    /// Adds the time since this worker woke, or since the last call, which it returns, and what was counted elsewhere on this thread.
    pub(super) fn count_busy(&self, now: Instant) -> Duration {
        let since = self.busy_since.replace(now);
        let busy = now.saturating_duration_since(since);
        self.seat().counters.add_busy(busy);
        self.seat().counters.forced_yields.add(coop::take_forced());
        busy
    }

    #[inline]
    pub(super) fn seat(&self) -> &Seat {
        // SAFETY: the array lives as long as `shared`, of which this worker has a count, and never moves.
        unsafe { self.seat.as_ref() }
    }
}

impl Shared {
    /// Makes this thread a worker until the runtime closes, the seat is handed over, or nobody is needed there any more.
    pub(super) fn sit(self: &Arc<Self>, core: Core) {
        let worker = Worker::new(self.clone(), core);
        {
            let _installed = current::install(&worker);
            worker.run();
            if worker.core.is_here() {
                worker.seat().running.end();
            }
            if worker.core.is_here() && !worker.leaving.get() {
                worker.drain();
            }
        }
        let Worker {
            core,
            searching,
            leaving,
            away,
            ..
        } = worker;
        if leaving.get()
            && let Some(core) = core.into_inner()
        {
            self.retire(core, searching.get());
        }
        // Pairs with the fence in `close`: either the closer's drain sees what has just gone to the injector, or we see `closed`.
        fence(SeqCst);
        if self.closed.load(Relaxed) {
            self.drain();
        }
        // Its seat was handed over in the middle of a poll, which is over.
        drop(away.take());
    }

    /// A worker searches no more. If it was the last one, somebody else should search if there is more: who pushed while it searched has
    /// called nobody. If there is not, whoever was called would only fall asleep again.
    fn end_search(&self) {
        if self.idle.stop_searching() && self.has_queued_work() {
            self.wake_for_work();
        }
    }

    pub(super) fn has_queued_work(&self) -> bool {
        let mut seats = self.seats.in_use().iter();
        !self.injector.is_empty() || seats.any(|seat| !seat.stealer.is_empty())
    }
}

/// Polls from the next slot in a row, before the FIFO has its turn.
const MOST_SLOT_POLLS: u32 = 3;
