//! `defer`: a function that is called soon, after those that were deferred before.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::Handle;
use crate::context::{State, Turn};
use crate::task_api::coop::consume_budget;
use crate::task_api::once::{Cancel, Once, call};

/// Calls a function soon, in the runtime that the caller is in. See [`Handle::defer`].
///
/// ```
/// # executor::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::sync::mpsc::channel;
///
/// let (send, called) = channel();
/// for n in 0..3 {
///     let send = send.clone();
///     executor::task::defer(move || send.send(n).unwrap());
/// }
/// drop(send);
/// assert!(called.try_recv().is_err(), "not called by `defer` itself");
/// executor::task::yield_now().await;
/// assert!(called.into_iter().eq(0..3));
/// # });
/// ```
#[doc(alias = "call_soon")]
#[track_caller]
pub fn defer<F: FnOnce() + Send + 'static>(f: F) -> DeferHandle {
    Handle::current().defer_at(Location::caller(), f)
}

impl Handle {
    /// Calls a function soon, in this runtime, from any thread. It must not block.
    ///
    /// The functions that are deferred to a runtime are called in the order of these calls, and never two at once. On the
    /// current-thread flavour they also keep their place among the tasks: first come, first served, as in asyncio. On several workers there is
    /// no order between functions and tasks. A runtime that ends drops those that it has not called.
    ///
    /// A panic is that of a task whose handle was dropped, see
    /// [`on_unobserved_failure`](super::Builder::on_unobserved_failure), and the next function is called all the same.
    #[doc(alias = "call_soon")]
    #[doc(alias = "call_soon_threadsafe")]
    #[doc(alias = "run_sync_soon")]
    #[track_caller]
    pub fn defer<F: FnOnce() + Send + 'static>(&self, f: F) -> DeferHandle {
        self.defer_at(Location::caller(), f)
    }

    fn defer_at<F>(&self, origin: &'static Location<'static>, f: F) -> DeferHandle
    where
        F: FnOnce() + Send + 'static,
    {
        let once = Arc::new(Once::new(f));
        let called = once.clone();
        self.state.deferred.push(Box::new(move || {
            if let Some(f) = called.take() {
                call(origin, f);
            }
        }));
        drop(self.spawn_at(origin, call_in_turn(Owed(Some(self.state.clone())))));
        DeferHandle(once)
    }
}

/// Takes back what was [deferred](Handle::defer). Dropping it changes nothing.
#[derive(Clone)]
pub struct DeferHandle(Arc<dyn Cancel>);

impl DeferHandle {
    /// Drops the function. True: it was not called, and will not be.
    pub fn cancel(&self) -> bool {
        self.0.cancel()
    }
}

impl fmt::Debug for DeferHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferHandle").finish_non_exhaustive()
    }
}

/// A turn that a task has not begun.
struct Owed(Option<Arc<State>>);

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            drop(Turn::new(&state.deferred));
        }
    }
}

async fn call_in_turn(mut owed: Owed) {
    // From here on the turn is `Turn`'s.
    let state = owed.0.take().expect("a turn is taken once");
    let Some((first, mut calling)) = Turn::new(&state.deferred).take() else {
        return;
    };
    first();
    while let Some(next) = {
        consume_budget().await;
        calling.next()
    } {
        next();
    }
}
