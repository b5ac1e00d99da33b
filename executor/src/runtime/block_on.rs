//! Runs a future on the calling thread, which is no worker: if it is one, another thread goes on with its seat.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use pin_project_lite::pin_project;

use super::interrupt::run_root;
use crate::context::{self, State};
use crate::coop;
use crate::local::{self, Local};
use crate::rt_sync::whole::thread::{self, Thread};
use crate::scheduler::{self, CoreSlot, RootState, Shared, ThreadHold};

/// The future given to `block_on`, whatever its type is. Boxed, so that the code below owns it, and drops it where it was polled.
///
/// Without it each of the ways below would be compiled for each future of a program, and there are sixteen of them.
pub(super) type RootFuture<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// `future`, which leaves its output in `output`.
pub(super) fn root<'a, F: Future + 'a>(
    future: F,
    output: &'a mut Option<F::Output>,
) -> RootFuture<'a> {
    Box::pin(Kept { future, output })
}

pin_project! {
    /// Keeps the output of a future where its caller finds it.
    struct Kept<'a, F: Future> {
        #[pin]
        future: F,
        output: &'a mut Option<F::Output>,
    }
}

impl<F: Future> Future for Kept<'_, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.future
            .poll(cx)
            .map(|output| **this.output = Some(output))
    }
}

/// Runs `future` to completion in the runtime of `state`.
#[track_caller]
pub(super) fn block_on(state: &Arc<State>, future: RootFuture<'_>) {
    let Some(end) = state.scheduler.failures().end() else {
        return run_root(state, future);
    };
    let mut result = None;
    run_root(state, root(end.or(future), &mut result));
    if let Some(Err(cause)) = result {
        panic!(
            "`block_on` was ended because a task of the runtime panicked, and its builder says `UnhandledPanic::ShutdownRuntime`: {cause}"
        );
    }
}

/// As `block_on`, whatever becomes of the runtime's tasks.
#[track_caller]
pub(super) fn run(state: &Arc<State>, mut future: RootFuture<'_>) {
    if let Some(slot) = state.scheduler.core_slot() {
        assert!(
            state.scheduler.is_driven_here() || !slot.has_driver_here(),
            "`block_on` was called for a current-thread runtime that this thread drives already, inside `block_on` of another one: \
             it would wait for itself. Use `Handle::spawn` and `.await`, or call it inside `executor::task::spawn_blocking`"
        );
        let _entered = context::enter(state);
        return scheduler::without_seat(|| drive(state, slot, future));
    }
    let driven =
        context::try_with_current(|state| state.filter(|s| s.scheduler.is_driven_here()).cloned());
    if let Some(driven) = driven
        && let Some(slot) = driven.scheduler.core_slot()
    {
        // This thread drives a current-thread runtime, which has no other: it goes on with it while it waits for this one.
        let in_its_runtime = poll_fn(|cx| {
            let _entered = context::enter(state);
            future.as_mut().poll(cx)
        });
        return drive(&driven, slot, Box::pin(in_its_runtime));
    }
    let _entered = context::enter(state);
    scheduler::without_seat(|| park_on(&state.scheduler, future))
}

/// As `run`, for a current-thread runtime that nobody drives. False: somebody does.
pub(super) fn run_if_free(
    state: &Arc<State>,
    slot: &CoreSlot,
    future: impl Future<Output = ()>,
) -> bool {
    let _entered = context::enter(state);
    let ran = scheduler::without_seat(|| match own_local(state) {
        Some(local) => {
            let _entered = local::enter(local);
            let future = local.run_until(future);
            state.scheduler.drive_if_free(slot, future)
        }
        None => state.scheduler.drive_if_free(slot, future),
    });
    ran.is_some()
}

/// The local tasks of a runtime, on their own thread.
fn own_local(state: &Arc<State>) -> Option<&Arc<Local>> {
    state.local.as_ref().filter(|local| local.is_own_thread())
}

/// Drives the current-thread runtime of `state`, and its local tasks if they are this thread's.
fn drive(state: &Arc<State>, slot: &CoreSlot, future: RootFuture<'_>) {
    match own_local(state) {
        Some(local) => {
            // For the other tasks, too, which the set does not poll.
            let _entered = local::enter(local);
            state.scheduler.drive(slot, local.run_until(future))
        }
        None => state.scheduler.drive(slot, future),
    }
}

/// Polls `future` on this thread, which sleeps in between. The workers do everything else.
fn park_on(scheduler: &Arc<Shared>, future: RootFuture<'_>) {
    let awake = ThreadHold::new(scheduler);
    // Dropped before the hold: its destructors are part of the call.
    let mut future = future;
    let root = Arc::new(Root {
        state: RootState::new(),
        thread: thread::current(),
        scheduler: scheduler.clone(),
    });
    let waker = Waker::from(root.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        root.state.begin_poll();
        let poll = || coop::budgeted(|| future.as_mut().poll(&mut context));
        if scheduler.timed_root(poll).is_ready() {
            return;
        }
        // The thread's token alone would not do: what the future calls may park the thread as well, and take it.
        awake.sleep(&root.state, || {
            while !root.state.is_woken() {
                thread::park();
            }
        });
    }
}

/// The future given to `block_on`, as its wakers see it.
struct Root {
    state: RootState,
    thread: Thread,
    scheduler: Arc<Shared>,
}

impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.scheduler.wake_root(&self.state) {
            self.thread.unpark();
        }
    }
}
