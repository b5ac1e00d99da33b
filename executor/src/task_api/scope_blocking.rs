//! `scope_blocking`: tasks that run in parallel and may borrow, because the thread that spawned them waits for their end.
//!
//! What makes it sound is one order, kept on every path: a child's future is dropped, then `Running` beside it, then the scope returns.
//!
//! ```text
//!   scope thread   f(&scope) ── returns or panics ──▶ wait: running == 0 ──────────────▶ return, or go on with the panic
//!                     │ spawn: running += 1                  ▲ wakes
//!   child             └▶ polled ─▶ done, panicked, aborted ──┤ future dropped, with all that it borrows ─▶ running -= 1
//! ```
//! Nobody else has the future: it lies in its task, which the runtime drops wherever it ends, and if it never does, the scope never
//! returns. What the task leaves behind, its header and the error of a panic, borrows nothing. The wait itself must not
//! unwind: what could refuse it is asked before there are children, and an unwind all the same ends the process.

use std::fmt;
use std::future::{Future, poll_fn, ready};
use std::marker::PhantomData;
use std::mem;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use futures::task::AtomicWaker;

use crate::rt_sync::whole::Mutex;
use crate::rt_sync::whole::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use crate::runtime::Handle;
use crate::task::{JoinError, JoinHandle};

/// Calls a closure that may spawn tasks which borrow what is around it, and blocks the thread until all of them have ended.
///
/// The tasks run in parallel, on the runtime that the caller is in. It is [`std::thread::scope`] for tasks, and
/// [`concurrent`](super::concurrent) where the children need more than one thread. A future that ran tasks in parallel which borrow cannot be
/// safe, because it may be forgotten; a function that returns can.
///
/// Inside a task it blocks that task, as [`block_in_place`](super::block_in_place) does: another thread takes the worker's place meanwhile. On
/// the thread that drives a current-thread runtime it goes on with the runtime's tasks, as
/// [`Handle::block_on`](crate::runtime::Handle::block_on) does there.
///
/// # Panics
///
/// If the closure panics, with its panic; if a child panics and its handle is not asked. In each case all children have ended by then. As
/// [`Handle::block_on`](crate::runtime::Handle::block_on), before the closure is called.
///
/// ```
/// # fn main() -> std::io::Result<()> {
/// use executor::task::scope_blocking;
///
/// let runtime = executor::runtime::Runtime::new()?;
/// let _entered = runtime.enter();
/// let mut numbers = [1, 2, 3, 4];
/// let (left, right) = numbers.split_at_mut(2);
/// scope_blocking(|scope| {
///     scope.spawn(async { left.iter_mut().for_each(|n| *n *= 10) });
///     scope.spawn(async { right.iter_mut().for_each(|n| *n *= 100) });
/// });
/// assert_eq!(numbers, [10, 20, 300, 400]);
/// # Ok(())
/// # }
/// ```
///
/// ```compile_fail
/// executor::task::scope_blocking(|scope| {
///     let inside = String::new();
///     scope.spawn(async { inside.len() });
/// });
/// ```
///
/// ```compile_fail
/// let mut escaped = None;
/// executor::task::scope_blocking(|scope| escaped = Some(scope.spawn(async { 1 })));
/// ```
#[doc(alias = "open_nursery")]
pub fn scope_blocking<'env, F, R>(f: F) -> R
where
    F: for<'scope> FnOnce(&'scope BlockingScope<'scope, 'env>) -> R,
{
    let scope = BlockingScope {
        runtime: Handle::current(),
        children: Arc::default(),
        scope: PhantomData,
        env: PhantomData,
    };
    // Whatever refuses to wait here does so now, while there is nothing to wait for.
    scope.runtime.block_on_to_the_end(ready(()));
    let result = catch_unwind(AssertUnwindSafe(|| f(&scope)));
    scope.wait();
    match result {
        Err(payload) => resume_unwind(payload),
        Ok(_) if scope.children.panicked.load(Relaxed) => panic!(
            "a task of `scope_blocking` panicked: await its handle, or `join` it, to have its error"
        ),
        Ok(result) => result,
    }
}

/// Where the tasks of a [`scope_blocking`] are spawned. The tasks may have it, too.
pub struct BlockingScope<'scope, 'env: 'scope> {
    runtime: Handle,
    children: Arc<Children>,
    // As in the standard library: both lifetimes are exactly what they are, neither longer nor shorter.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

#[derive(Default)]
struct Children {
    /// Those whose future is not dropped.
    running: AtomicUsize,
    /// The scope's thread.
    waiting: AtomicWaker,
    /// One has, and nobody has asked.
    panicked: AtomicBool,
}

impl<'scope> BlockingScope<'scope, '_> {
    /// Spawns a task that may borrow what outlives the scope, and the scope.
    #[track_caller]
    pub fn spawn<F>(&'scope self, future: F) -> BlockingScopeHandle<'scope, F::Output>
    where
        F: Future + Send + 'scope,
        F::Output: Send + 'scope,
    {
        let result = Arc::new(Slot {
            output: Mutex::new(None),
            panicked: AtomicBool::new(false),
            children: self.children.clone(),
        });
        let slot = result.clone();
        let child = async move {
            match AssertUnwindSafe(future).catch_unwind().await {
                Ok(output) => *slot.output.lock() = Some(output),
                Err(payload) => {
                    slot.panicked.store(true, Relaxed);
                    resume_unwind(payload);
                }
            }
        };
        let running = Running::new(&self.children);
        let child: Pin<Box<dyn Future<Output = ()> + Send + 'scope>> = Box::pin(child);
        // SAFETY: only the lifetime changes, and the future is gone before that ends: it is dropped before `running`, see `Child`,
        // and `wait`, which comes before the end of `'scope` on every path, returns only once all `Running`s are dropped.
        let future = unsafe {
            mem::transmute::<
                Pin<Box<dyn Future<Output = ()> + Send + 'scope>>,
                Pin<Box<dyn Future<Output = ()> + Send + 'static>>,
            >(child)
        };
        let child = Child {
            future,
            _running: running,
        };
        BlockingScopeHandle {
            task: self.runtime.spawn_at(Location::caller(), child),
            runtime: &self.runtime,
            result,
        }
    }

    /// Returns when no child is left. It does not unwind.
    fn wait(&self) {
        struct Abort;
        impl Drop for Abort {
            fn drop(&mut self) {
                eprintln!(
                    "executor: the wait of a `scope_blocking` panicked while tasks borrow from its caller: aborting"
                );
                std::process::abort();
            }
        }
        let abort = Abort;
        self.runtime.block_on_to_the_end(poll_fn(|cx| {
            self.children.waiting.register(cx.waker());
            // Acquire: pairs with the decrement, after which the child touches nothing of ours.
            match self.children.running.load(Acquire) {
                0 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        }));
        mem::forget(abort);
    }
}

/// A child's future as its task has it.
struct Child {
    // Dropped first, also if that panics: fields are dropped in this order.
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    _running: Running,
}

impl Future for Child {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.future.as_mut().poll(cx)
    }
}

/// Counts a child until it is dropped.
struct Running(Arc<Children>);

impl Running {
    fn new(children: &Arc<Children>) -> Self {
        // Relaxed: the scope waits on the thread that adds, or after the child that does has ended.
        children.running.fetch_add(1, Relaxed);
        Self(children.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Release: what the child did, its destructors included, comes before; pairs with the load in `wait`. Acquire: the last one
        // carries what the others released.
        if self.0.running.fetch_sub(1, AcqRel) == 1 {
            self.0.waiting.wake();
        }
    }
}

/// What a child leaves to its handle.
struct Slot<T> {
    output: Mutex<Option<T>>,
    /// And the handle was not asked.
    panicked: AtomicBool,
    children: Arc<Children>,
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        if *self.panicked.get_mut() {
            // Relaxed: the scope looks after the child, or its handle, is gone.
            self.children.panicked.store(true, Relaxed);
        }
    }
}

/// The output of a task of a [`scope_blocking`]. Dropping it changes nothing.
///
/// Other tasks of the scope await it; the closure, which is not async, [`join`](Self::join)s.
///
/// # Errors
///
/// If the task panicked, or was dropped because its runtime ended.
///
/// # Cancel safety
///
/// Awaiting `&mut handle` is cancel safe.
pub struct BlockingScopeHandle<'scope, T> {
    task: JoinHandle<()>,
    runtime: &'scope Handle,
    result: Arc<Slot<T>>,
}

impl<T> BlockingScopeHandle<'_, T> {
    /// Blocks until the task has ended.
    ///
    /// # Errors
    ///
    /// As awaiting the handle.
    ///
    /// # Panics
    ///
    /// As [`Handle::block_on`](crate::runtime::Handle::block_on).
    #[track_caller]
    pub fn join(self) -> Result<T, JoinError> {
        self.runtime.block_on(self)
    }

    /// True once the task has ended.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

impl<T> Future for BlockingScopeHandle<'_, T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = ready!(Pin::new(&mut self.task).poll(cx));
        // Relaxed: the task has ended, and told so.
        self.result.panicked.store(false, Relaxed);
        let output = self.result.output.lock().take();
        Poll::Ready(ended.map(|()| output.expect("a child that returns leaves its output")))
    }
}

impl<T> fmt::Debug for BlockingScopeHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingScopeHandle")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BlockingScope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingScope")
            // Relaxed: a number for people.
            .field("running", &self.children.running.load(Relaxed))
            .finish_non_exhaustive()
    }
}
