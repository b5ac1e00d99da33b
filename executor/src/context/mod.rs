//! Which runtime the current thread is in, and the default one for threads that are in none.

mod deferred;
mod finalizers;
mod start;
mod threads;

use std::cell::Cell;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::{self, NonNull};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use crate::blocking::Lanes;
use crate::local::{Host, Local, Watcher};
use crate::rt_sync::whole::thread_local;
use crate::scheduler::{DebugMode, Shared, count_polls};
use crate::task::{Notified, Observer, TaskRef, UnobservedFailure};

pub(crate) use deferred::{Deferred, Turn};
use finalizers::Finalizers;
pub(crate) use start::{Ended, Options, next_id, start};
use threads::Threads;
pub(crate) use threads::is_own_thread;

/// Everything that belongs to one runtime.
pub(crate) struct State {
    pub(crate) scheduler: Arc<Shared>,
    pub(crate) blocking: Lanes,
    pub(crate) threads: Threads,
    /// Unlike that of any other runtime of the process.
    pub(crate) id: NonZeroU64,
    pub(crate) name: Option<String>,
    /// The functions that wait to be called.
    pub(crate) deferred: Deferred,
    /// Clean-up that an orderly shutdown waits for.
    pub(crate) finalizers: Arc<Finalizers>,
    /// The tasks that stay on the thread that made the runtime, if it is of the kind that has them.
    pub(crate) local: Option<Arc<Local>>,
}

/// Calls `f` with the runtime that the current thread is in, or with the default runtime, which the first such call starts.
///
/// `f` must not run user code: what it borrows belongs to a guard that user code could drop.
pub(crate) fn with_current<R>(f: impl FnOnce(&Arc<State>) -> R) -> R {
    let state = match entered() {
        Some(state) => state.as_ptr().cast_const(),
        None => ptr::from_ref(default_runtime()),
    };
    // SAFETY: see `entered`; the default runtime stays.
    f(unsafe { &*state })
}

/// As `with_current`, without starting the default runtime.
pub(crate) fn try_with_current<R>(f: impl FnOnce(Option<&Arc<State>>) -> R) -> R {
    // SAFETY: see `entered`.
    f(entered().map(|state| unsafe { state.as_ref() }))
}

/// What the innermost `Entered` of this thread owns: guards leave in the order they came (`Entered::drop` sees to it), and a forgotten guard leaks
/// its `Arc`. So it is good until code of the user runs.
#[inline]
fn entered() -> Option<NonNull<Arc<State>>> {
    NonNull::new(ENTERED.get().cast_mut())
}

/// A task that belongs to no scheduler of a runtime, but to a local set, has panicked: what the runtime of this thread does about it.
fn failed(failure: &UnobservedFailure) -> Observer {
    let state = try_with_current(|state| state.cloned());
    state.map_or_else(Observer::default, |state| {
        state.scheduler.failures().failed(failure)
    })
}

/// What local sets ask of the runtime that their thread is in.
pub(crate) const HOST: Host = Host {
    failed,
    watcher: || {
        let mode = |state: Option<&Arc<State>>| state?.scheduler.debug().cloned();
        let mode = try_with_current(mode)?;
        Some(mode)
    },
    polled: count_polls,
};

impl Watcher for DebugMode {
    fn run(&self, task: Notified, run: &dyn Fn(Notified)) {
        Self::run(self, task, run);
    }

    fn dropped(&self, tasks: &[TaskRef]) {
        self.dropped_with_set(tasks);
    }
}

/// Who hears of a closure that has panicked: on the pool's threads, and where a runtime ends, that is the closure's own runtime.
pub(crate) fn observer() -> Observer {
    try_with_current(|state| {
        state.map_or_else(Observer::default, |state| {
            state.scheduler.failures().observer()
        })
    })
}

/// Puts the current thread into a runtime until dropped.
#[derive(Debug)]
pub(crate) struct Entered {
    /// Boxed, so that the thread local can point to it while the guard moves, and knows this guard from every other.
    #[expect(
        clippy::redundant_allocation,
        reason = "the box is the guard's identity"
    )]
    state: Option<Box<Arc<State>>>,
    previous: *const Arc<State>,
    _not_send: PhantomData<*const ()>,
}

// SAFETY: through a shared reference nothing can be done with it but to print the pointers.
unsafe impl Sync for Entered {}

pub(crate) fn enter(state: &Arc<State>) -> Entered {
    let state = Box::new(state.clone());
    let previous = ENTERED.replace(&*state);
    Entered {
        state: Some(state),
        previous,
        _not_send: PhantomData,
    }
}

impl Entered {
    /// The drop of a thread's first guard, when the thread ends. Code of the user may have forgotten guards there, or left them to thread locals, which
    /// are dropped later: that is no mistake of order.
    pub(crate) fn end_thread(mut self) {
        THREAD_ENDS.set(true);
        let first = self.state.take().expect("taken only at the end");
        if ENTERED.replace(self.previous) != &raw const *first {
            // A guard that was forgotten may still lead here.
            Box::leak(first);
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let Some(state) = self.state.take() else {
            return;
        };
        if ENTERED.get() == &raw const *state {
            ENTERED.set(self.previous);
            return;
        }
        // A guard that outlives one entered after it would leave a dangling context. Leak it: the pointer stays good.
        Box::leak(state);
        if !std::thread::panicking() && !THREAD_ENDS.get() {
            panic!("`EnterGuard`s were dropped out of order: drop the latest first");
        }
    }
}

fn default_runtime() -> &'static Arc<State> {
    try_default_runtime().unwrap_or_else(|error| {
        panic!("the default runtime could not be started: {error}. Start a `runtime::Runtime` and use it inside, to handle this error")
    })
}

/// The default runtime: few threads, started by the first who needs it, never joined.
pub(crate) fn try_default_runtime() -> io::Result<&'static Arc<State>> {
    static DEFAULT: OnceLock<Arc<State>> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(state) = DEFAULT.get() {
        return Ok(state);
    }
    let _starting = STARTING.lock();
    if let Some(state) = DEFAULT.get() {
        return Ok(state);
    }
    let options = Options {
        workers: DEFAULT_WORKERS.min(num_cpus::get()),
        thread_name: Arc::new(|| "executor-default".into()),
        ..Options::default()
    };
    let state = start(&options)?;
    Ok(DEFAULT.get_or_init(|| state))
}

// A panic leaves nothing half-done behind: no user code runs under a lock, and locks do not remember panics.
impl UnwindSafe for State {}
impl RefUnwindSafe for State {}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("scheduler", &self.scheduler)
            .field("blocking", &self.blocking)
            .finish_non_exhaustive()
    }
}

thread_local! {
    static ENTERED: Cell<*const Arc<State>> = const { Cell::new(ptr::null()) };
    /// A runtime's thread is about to end: what is dropped from now on, thread locals drop.
    static THREAD_ENDS: Cell<bool> = const { Cell::new(false) };
}

const DEFAULT_WORKERS: usize = 2;
