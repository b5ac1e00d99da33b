//! `TaskRef`, a counted reference to a task, and `Notified`, the one right to poll it.

use std::fmt;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::panic::Location;
use std::ptr::NonNull;

use super::Id;
use super::cancel::Cancelled;
use super::join::JoinHandle;
use super::origin::Origin;
use super::raw::{Cell, Header, Schedule};
use super::state::Wake;

/// Makes a task. The owner's reference is given up by its completion; the token must be run or cancelled.
pub(crate) fn new<F, S>(
    future: F,
    scheduler: S,
    id: Id,
    origin: impl Into<Origin>,
) -> (Notified, JoinHandle<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    S: Schedule,
{
    // SAFETY: future and output may be polled, moved and dropped by any thread.
    unsafe { new_local(future, scheduler, id, origin) }
}

/// Makes a task whose future, or its output, need not be `Send`.
///
/// # Safety
///
/// If the future or its output is not `Send`:
///
/// - Tokens of the task are run or cancelled on the calling thread only. Any thread may make one and hold it, by a wake or an abort,
///   so the scheduler carries it home: it is the only one that tokens are given to.
/// - The task's `TaskRef` is cancelled by `cancel_if_idle` on the calling thread only.
///
/// Nothing else touches future or output: who frees a task finds neither, and the `JoinHandle` of an output that is not `Send` stays
/// where it is.
pub(crate) unsafe fn new_local<F, S>(
    future: F,
    scheduler: S,
    id: Id,
    origin: impl Into<Origin>,
) -> (Notified, JoinHandle<F::Output>)
where
    F: Future + 'static,
    S: Schedule,
{
    // A constant, so that one of the two is compiled, not both.
    let task = if const { size_of::<F>() > LARGE } {
        Cell::allocate(Box::pin(future), scheduler, id, origin.into())
    } else {
        Cell::allocate(future, scheduler, id, origin.into())
    };
    (Notified::from_token(task), JoinHandle::from_raw(task))
}

/// The token: the right, and the duty, to poll a task once. Not dropped by accident: a lost token is a lost wake-up.
#[must_use]
pub(crate) struct Notified(NonNull<Header>);

// SAFETY: every field of the header is an atomic, read-only, or guarded by the state word or the owner's lock. The future may be
// polled and dropped where the token is spent: it is `Send`, as `new` asks, or its scheduler spends the token where it may, as
// `new_local` asks.
unsafe impl Send for Notified {}

impl Notified {
    /// The caller holds the token (see `State`) and gives it to the value.
    pub(super) fn from_token(task: NonNull<Header>) -> Self {
        Self(task)
    }

    /// Polls the task, or drops its future if it was cancelled.
    pub(crate) fn run(self) {
        // SAFETY: `self` is the token.
        unsafe { (self.header().vtable.run)(self.0) }
    }

    /// Drops the task's future, on this thread.
    pub(crate) fn cancel(self) {
        self.header().state.cancel_token();
        self.run();
    }

    /// Where the task begins, and its size in bytes: to bring it near, not to look into it.
    pub(crate) fn place(&self) -> (*const (), usize) {
        (self.0.as_ptr().cast(), self.header().vtable.size)
    }

    pub(crate) fn id(&self) -> Id {
        self.header().id
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.header().origin
    }

    /// The caller is about to link the task, which is not linked. It is still the caller's, and may not wait before it comes to a queue.
    pub(crate) fn link(&self) -> impl Deref<Target = TaskRef> {
        self.header().state.link_token();
        TaskRef::borrow(self.0)
    }

    /// Another way to the task, which is no right to poll it.
    pub(crate) fn task_ref(&self) -> TaskRef {
        TaskRef::borrow(self.0).clone()
    }

    pub(crate) fn into_raw(self) -> NonNull<()> {
        self.0.cast()
    }

    /// # Safety
    ///
    /// - `raw` came from `into_raw`, and is turned back once.
    pub(crate) unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self(raw.cast())
    }

    fn header(&self) -> &Header {
        // SAFETY: while the token exists the task is not complete, and the owner's reference keeps it alive.
        unsafe { self.0.as_ref() }
    }
}

impl fmt::Debug for Notified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Notified").field(&self.header().id).finish()
    }
}

/// A counted reference.
pub(crate) struct TaskRef(NonNull<Header>);

// SAFETY: what a reference gives access to is the state word, the id, the origin, and the vtable's functions, all of which any
// thread may use: an `Origin` is one atomic word, and what it leads to is shared; see `Notified` for the rest.
unsafe impl Send for TaskRef {}
// SAFETY: as above.
unsafe impl Sync for TaskRef {}

/// A reference that somebody else holds for the time of a call.
pub(crate) struct Borrowed(ManuallyDrop<TaskRef>);

impl TaskRef {
    /// For the time in which the caller knows, by a token, RUNNING or a reference, that the task is alive.
    pub(super) fn borrow(task: NonNull<Header>) -> Borrowed {
        Borrowed(ManuallyDrop::new(Self(task)))
    }

    #[cfg(all(test, loom))]
    pub(super) fn borrow_of<T>(handle: &JoinHandle<T>) -> Borrowed {
        handle.task_ref()
    }

    #[cfg(all(test, loom))]
    pub(super) fn wake_for_test(&self) {
        if self.header().state.wake_by_ref() == Wake::Schedule {
            // SAFETY: the transition gave us the token.
            unsafe { (self.header().vtable.schedule)(self.0) };
        }
    }

    /// Makes the task's next poll drop its future.
    pub(crate) fn abort(&self) {
        self.schedule_if(self.header().state.abort());
    }

    /// Asks the task to end.
    pub(crate) fn cancel(&self, cancelled: &Cancelled) {
        if self.is_complete() {
            return;
        }
        // First the scope: the poll that the word's bit leads to must find the request there.
        self.header().origin.scope().cancel(cancelled);
        self.schedule_if(self.header().state.request());
    }

    fn schedule_if(&self, wake: Wake) {
        match wake {
            // SAFETY: the transition gave us the token.
            Wake::Schedule => unsafe { (self.header().vtable.schedule)(self.0) },
            Wake::Nothing | Wake::Free => {}
        }
    }

    /// Cancels the task on this thread if it is idle; else, which is false, whoever runs it, or holds its token, will.
    pub(crate) fn cancel_if_idle(&self) -> bool {
        let claimed = self.header().state.claim();
        if claimed {
            // SAFETY: `claim` gave us the right to run it.
            unsafe { (self.header().vtable.cancel_claimed)(self.0) };
        }
        claimed
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.header().state.load().is_complete()
    }

    pub(crate) fn id(&self) -> Id {
        self.header().id
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.header().origin.location()
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.header().origin.name()
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.header().origin
    }

    pub(super) fn pointer(&self) -> NonNull<Header> {
        self.0
    }

    pub(super) fn header(&self) -> &Header {
        // SAFETY: this reference keeps the task alive.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        self.header().state.add_reference();
        Self(self.0)
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        if self.header().state.drop_reference() {
            // SAFETY: ours was the last reference.
            unsafe { (self.header().vtable.free)(self.0) };
        }
    }
}

impl Deref for Borrowed {
    type Target = TaskRef;

    fn deref(&self) -> &TaskRef {
        &self.0
    }
}

/// Futures larger than this many bytes are boxed: code that handles a task's stage by value, as compilers do where they are not told to
/// optimize, needs that much stack on the thread that runs it.
const LARGE: usize = 16 * 1024;
