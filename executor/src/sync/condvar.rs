//! `Condvar`: waits for a condition on what a `Mutex` guards.

use std::future::poll_fn;

use super::block::block;
use super::monitor::{Monitor, State};
use super::wait_list::{Called, WaitList};
use super::{Mutex, MutexGuard};
use crate::coop;

/// Waits for a condition on what a [`Mutex`](super::Mutex) guards: gives the lock back meanwhile.
///
/// The meaning is that of the standard library's [`Condvar`](std::sync::Condvar), but nobody is woken without having been notified. The mutex
/// is this module's, whose guard may be held across an `await`; one condition variable may be used with several.
///
/// ```
/// # executor::runtime::Runtime::new().unwrap().block_on(async {
/// use executor::sync::{Condvar, Mutex};
/// use std::sync::Arc;
///
/// let shared = Arc::new((Mutex::new(0), Condvar::new()));
/// let waiting = executor::spawn({
///     let shared = shared.clone();
///     async move {
///         let (count, changed) = &*shared;
///         *changed.wait_for(count.lock().await, |count| *count >= 3).await
///     }
/// });
/// for _ in 0..3 {
///     *shared.0.lock().await += 1;
///     shared.1.notify_all();
/// }
/// assert_eq!(waiting.await.unwrap(), 3);
/// # });
/// ```
#[doc(alias = "Condition")]
#[derive(Debug, Default)]
pub struct Condvar(Monitor<Waiters>);

#[derive(Debug, Default)]
struct Waiters {
    list: WaitList<By>,
    /// Calls that their receivers did not live to see.
    returned: usize,
}

/// Who has called.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    NotifyOne,
    NotifyAll,
}

impl State for Waiters {
    type Outcome = By;

    /// A call of one that was returned is the next one's, or nobody's.
    fn settle(&mut self, called: &mut Called) {
        for _ in 0..std::mem::take(&mut self.returned) {
            self.list.call(By::NotifyOne, called);
        }
    }

    /// What all have heard need not be told again.
    fn declined(&mut self, by: By) {
        self.returned += usize::from(by == By::NotifyOne);
    }
}

impl Condvar {
    /// With nobody waiting.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the lock back, waits until it is notified, and takes the lock again.
    ///
    /// It is in the order of those who wait before it gives the lock back: what is notified by somebody who has the lock afterwards, it
    /// hears. When it returns the condition may be false again, because others had the lock in between: use
    /// [`wait_for`](Self::wait_for), or a loop.
    ///
    /// # Cancel safety
    ///
    /// The guard is gone with the future, and the lock is free, or with whom it was given to. A call of [`notify_one`](Self::notify_one) that
    /// the future had received goes to the next one who waits.
    #[must_use = "the guard is the lock"]
    pub async fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let mutex: &'a Mutex<T> = MutexGuard::mutex(&guard);
        let mut guard = Some(guard);
        let mut received = Received {
            condvar: self,
            by: None,
        };
        let mut place = self.0.place(|waiters| &mut waiters.list);
        let called = poll_fn(|cx| {
            coop::poll_counted(cx, |cx| {
                let poll = place.poll(cx, &mut |_, by, _| by);
                // Only now: somebody may have waited for the lock to notify us.
                if poll.is_pending() {
                    guard = None;
                }
                poll
            })
        });
        received.by = Some(called.await);
        let guard = mutex.lock().await;
        received.by = None;
        guard
    }

    /// Waits until `condition` is true of what the mutex guards: looks first, and whenever it was notified.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Self::wait).
    #[doc(alias = "wait_while")]
    #[must_use = "the guard is the lock"]
    pub async fn wait_for<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        while !condition(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// How many wait now, and were not notified.
    #[doc(alias = "statistics")]
    pub fn waiting(&self) -> usize {
        self.0.look(|waiters| waiters.list.waiting())
    }

    /// Wakes the one that has waited longest, if anybody waits. Whoever comes later has not heard it.
    ///
    /// The caller need not hold the lock, but should have held it while it changed what is waited for.
    #[doc(alias = "notify")]
    pub fn notify_one(&self) {
        // As if somebody had returned it.
        self.0.change(|waiters, _| waiters.returned += 1);
    }

    /// Wakes all who wait. They go on one by one, as they get the lock.
    pub fn notify_all(&self) {
        let mut called = Called::default();
        self.0
            .change(|waiters, _| waiters.list.call_all(|_| By::NotifyAll, &mut called));
        called.wake();
    }

    /// As [`wait`](Self::wait), for plain threads and closures of [`spawn_blocking`](crate::task::spawn_blocking), with a guard from
    /// [`Mutex::blocking_lock`](super::Mutex::blocking_lock).
    ///
    /// # Panics
    ///
    /// As [`Handle::block_on`](crate::runtime::Handle::block_on), which it is inside of a runtime.
    #[track_caller]
    #[must_use = "the guard is the lock"]
    pub fn blocking_wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        block(self.wait(guard))
    }

    /// As [`wait_for`](Self::wait_for), for plain threads, see [`blocking_wait`](Self::blocking_wait).
    ///
    /// # Panics
    ///
    /// As [`blocking_wait`](Self::blocking_wait).
    #[track_caller]
    #[must_use = "the guard is the lock"]
    pub fn blocking_wait_for<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        block(self.wait_for(guard, condition))
    }
}

/// A call that was received, and the lock not yet.
struct Received<'a> {
    condvar: &'a Condvar,
    by: Option<By>,
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        if let Some(by) = self.by {
            self.condvar.0.change(|waiters, _| waiters.declined(by));
        }
    }
}
