//! The current-thread flavour: whoever calls `block_on` becomes the worker, for as long as the call lasts.
//!
//! Of several threads in `block_on` at once, one has the core and drives everything; the others poll their own futures, and wait. When
//! the driving one is done it returns the core and wakes one that waits.
//!
//! A call inside a call, on the thread that drives, drives on: the same worker runs the same loop, one frame deeper, for another root. What
//! is being polled below, task or root, cannot be polled again before the inner call returns.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::parker::{Parker, Unparker};
use super::shutdown::Draining;
use super::stillness::{RootState, Suspended, ThreadHold};
use super::worker::Worker;
use super::{Core, Shared, current};
use crate::coop;
use crate::rt_sync::whole::atomic::Ordering::{Relaxed, SeqCst};
use crate::rt_sync::whole::atomic::fence;
use crate::rt_sync::whole::thread::{self, ThreadId};
use crate::rt_sync::whole::{Mutex, now};

/// Where the core is while nobody drives.
pub(crate) struct CoreSlot(Mutex<Inner>);

struct Inner {
    core: Option<Core>,
    /// Who drives, while the core is away.
    driver: Option<ThreadId>,
    /// The threads that wait for it, by their parkers.
    waiting: Vec<Unparker>,
}

impl CoreSlot {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Inner {
            core: None,
            driver: None,
            waiting: Vec::new(),
        }))
    }

    pub(crate) fn put(&self, core: Core) {
        {
            let mut inner = self.0.lock();
            inner.core = Some(core);
            inner.driver = None;
        }
        self.wake_next();
    }

    /// True on the thread that drives, also if it drives another runtime inside that.
    pub(crate) fn has_driver_here(&self) -> bool {
        self.0.lock().driver == Some(thread::current().id())
    }

    /// The core, if nobody drives.
    fn take(&self) -> Option<Core> {
        self.0.lock().take()
    }

    /// The core, or a place in the line.
    fn take_or_wait(&self, me: &Unparker) -> Option<Core> {
        let mut inner = self.0.lock();
        let core = inner.take();
        if core.is_some() {
            inner.waiting.retain(|other| !other.is(me));
        } else if !inner.waiting.iter().any(|other| other.is(me)) {
            inner.waiting.push(me.clone());
        }
        core
    }

    /// The caller waits no more. Had it been told to take the core, somebody else must be.
    fn leave(&self, me: &Unparker) {
        self.0.lock().waiting.retain(|other| !other.is(me));
        self.wake_next();
    }

    fn wake_next(&self) {
        let next = {
            let mut inner = self.0.lock();
            if inner.core.is_some() {
                inner.waiting.pop()
            } else {
                None
            }
        };
        if let Some(next) = next {
            let _ = next.unpark();
        }
    }
}

impl Inner {
    /// The caller drives, if it gets the core.
    fn take(&mut self) -> Option<Core> {
        let core = self.core.take();
        if core.is_some() {
            self.driver = Some(thread::current().id());
        }
        core
    }
}

impl Shared {
    /// The slot of the current-thread flavour.
    pub(crate) fn core_slot(&self) -> Option<&CoreSlot> {
        self.current_thread.as_ref()
    }

    /// True on the thread that drives this current-thread runtime, in everything that it calls.
    pub(crate) fn is_driven_here(&self) -> bool {
        self.is_current_thread()
            && current::with(|worker| worker.is_some_and(|worker| worker.belongs_to(self)))
    }

    /// Runs `future` to completion on this thread, and meanwhile everything else of a current-thread runtime.
    pub(crate) fn drive<F: Future>(self: &Arc<Self>, slot: &CoreSlot, future: F) -> F::Output {
        let mut future = pin!(future);
        let parker = Parker::new();
        let me = parker.unparker();
        let root = Root::new(self, &me);
        let waker = Waker::from(root.clone());
        if self.is_driven_here() {
            return current::with(|worker| {
                let worker = worker.expect("the worker that drives");
                worker.drive_root(future, &root, &waker)
            });
        }
        // While this thread does not drive, it is one more that could do something.
        let awake = ThreadHold::new(self);
        loop {
            if let Some(core) = slot.take_or_wait(&me) {
                let driving = Driving::new(self, slot, core, awake.suspend());
                return driving.run(future, &root, &waker);
            }
            let _leave = Leave { slot, me: &me };
            if let Some(output) = root.poll(future.as_mut(), &waker) {
                return output;
            }
            awake.sleep(&root.state, || parker.park());
        }
    }
}

impl Shared {
    /// As `drive`, if nobody drives. `None`: a thread does, and who knows for how long.
    pub(crate) fn drive_if_free<F: Future>(
        self: &Arc<Self>,
        slot: &CoreSlot,
        future: F,
    ) -> Option<F::Output> {
        let future = pin!(future);
        let root = Root::new(self, &Parker::new().unparker());
        let waker = Waker::from(root.clone());
        let awake = ThreadHold::new(self);
        let core = slot.take()?;
        let driving = Driving::new(self, slot, core, awake.suspend());
        Some(driving.run(future, &root, &waker))
    }
}

/// The future given to `block_on`, as its wakers see it.
struct Root {
    state: RootState,
    thread: Unparker,
    shared: Arc<Shared>,
}

impl Root {
    fn new(shared: &Arc<Shared>, thread: &Unparker) -> Arc<Self> {
        Arc::new(Self {
            state: RootState::new(),
            thread: thread.clone(),
            shared: shared.clone(),
        })
    }

    /// Polls the future if it was woken.
    fn poll<F: Future>(&self, future: Pin<&mut F>, waker: &Waker) -> Option<F::Output> {
        if !self.state.begin_poll() {
            return None;
        }
        let mut cx = Context::from_waker(waker);
        let poll = || coop::budgeted(|| future.poll(&mut cx));
        match self.shared.timed_root(poll) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }
}

impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.shared.wake_root(&self.state);
        let _ = self.thread.unpark();
        // If this root's thread drives, it sleeps with the core's parker. The driver itself is awake, and looks at its root next.
        if !current::with(|worker| worker.is_some_and(|worker| worker.belongs_to(&*self.shared))) {
            self.shared.unpark(0);
        }
    }
}

struct Leave<'a> {
    slot: &'a CoreSlot,
    me: &'a Unparker,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.slot.leave(self.me);
    }
}

/// Holds the core, and returns it even if the root panics.
struct Driving<'a> {
    slot: &'a CoreSlot,
    worker: Option<Worker>,
    /// The clock counts the worker, and not its thread besides.
    hold: Option<Suspended<'a>>,
}

impl<'a> Driving<'a> {
    fn new(shared: &Arc<Shared>, slot: &'a CoreSlot, core: Core, hold: Suspended<'a>) -> Self {
        Self {
            slot,
            worker: Some(Worker::new(shared.clone(), core)),
            hold: Some(hold),
        }
    }

    fn run<F: Future>(self, future: Pin<&mut F>, root: &Root, waker: &Waker) -> F::Output {
        let worker = self.worker.as_ref().expect("taken only by drop");
        let _installed = current::install(worker);
        let _not_draining = Draining::suspend();
        worker.drive_root(future, root, waker)
    }
}

impl Worker {
    /// Runs tasks until the root is ready. What is polled below this has budgets of its own, and the caller, who may be in a poll, keeps its own.
    fn drive_root<F: Future>(&self, future: Pin<&mut F>, root: &Root, waker: &Waker) -> F::Output {
        coop::preserved(|| self.run_until(future, root, waker))
    }

    fn run_until<F: Future>(
        &self,
        mut future: Pin<&mut F>,
        root: &Root,
        waker: &Waker,
    ) -> F::Output {
        // This call may be inside another's root: the tasks that it runs are not.
        let _tasks = self.enter_root(false);
        loop {
            if root.state.is_woken() {
                let _in_root = self.enter_root(true);
                if let Some(output) = root.poll(future.as_mut(), waker) {
                    return output;
                }
            }
            // The tasks that were ready before the root, if it is woken meanwhile, run before it.
            let mut round = self.core.queue.len().clamp(1, LONGEST_ROUND);
            while round > 0
                && let Some(task) = self.next()
            {
                // A worker thread ends with its runtime; this one goes on for the root, and may even begin after the end.
                if self.shared.closed.load(Relaxed) {
                    self.shared.cancel_for_good(task);
                } else {
                    self.run_task(task);
                }
                round -= 1;
            }
            if round > 0 && !root.state.is_woken() {
                self.park(|| root.state.is_woken());
            }
        }
    }
}

/// Puts `Worker::in_root` back.
struct InRoot<'a> {
    worker: &'a Worker,
    outer: bool,
}

impl Worker {
    fn enter_root(&self, in_root: bool) -> InRoot<'_> {
        // The root is no task, and none is left when it is done.
        if in_root {
            self.seat().running.end();
        }
        let outer = self.in_root.replace(in_root);
        InRoot {
            worker: self,
            outer,
        }
    }
}

impl Drop for InRoot<'_> {
    fn drop(&mut self) {
        self.worker.in_root.set(self.outer);
    }
}

impl Drop for Driving<'_> {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else {
            return;
        };
        // It may have been called for work and not have looked. The next driver looks before it sleeps, but if this one still
        // counted as searching then, nobody would call again.
        worker.found_work();
        worker.count_busy(now());
        // Before somebody else drives: what called `block_on` goes on, and may be a closure that holds the clock.
        drop(self.hold.take());
        let Worker { shared, core, .. } = worker;
        self.slot
            .put(core.into_inner().expect("this flavour hands no seat over"));
        // Pairs with the fence in `close`: either the closer's drain sees what is left in the queue, or we see `closed`.
        fence(SeqCst);
        if shared.closed.load(Relaxed) {
            shared.drain();
        }
    }
}

/// The most tasks between two looks at the root.
const LONGEST_ROUND: usize = 64;
