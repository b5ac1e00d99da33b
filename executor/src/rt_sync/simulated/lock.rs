//! Mutex and condition variable with parking_lot's interface, and waits that end in time.
//!
//! shuttle's condition variable never times out, so this is another one, of beds.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::bed::{Bed, End};
use super::switch;
use super::world::{Fault, happens, now, random};

/// shuttle's, without poisoning.
#[derive(Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    inner: shuttle::sync::MutexGuard<'a, T>,
}

#[derive(Debug)]
pub(crate) struct Condvar {
    /// Who waits. The lock is real, and never held where threads switch.
    beds: parking_lot::Mutex<Vec<Arc<Bed>>>,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        MutexGuard { mutex: self, inner }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let inner = match self.0.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(MutexGuard { mutex: self, inner })
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.inner
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Condvar {
    pub(crate) const fn new() -> Self {
        Self {
            beds: parking_lot::Mutex::new(Vec::new()),
        }
    }

    /// Wakes one of those who wait, any of them.
    pub(crate) fn notify_one(&self) {
        switch();
        let bed = {
            let mut beds = self.beds.lock();
            // Who has timed out is past being woken, and must not take a call from those who wait.
            beds.retain(|bed| bed.is_asleep());
            if beds.is_empty() {
                return;
            }
            let chosen = random() as usize % beds.len();
            beds.swap_remove(chosen)
        };
        bed.end(End::Woken);
    }

    pub(crate) fn notify_all(&self) {
        switch();
        let beds = std::mem::take(&mut *self.beds.lock());
        beds.iter().for_each(|bed| bed.end(End::Woken));
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits on `condvar`, giving the guard back: the form that loom has.
pub(crate) fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    wait_in_bed(condvar, guard, None).0
}

/// As `wait`, for `timeout` at most. True: it has passed.
pub(crate) fn wait_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Duration,
) -> (MutexGuard<'a, T>, bool) {
    wait_in_bed(condvar, guard, now().checked_add(timeout))
}

/// As `wait`, until `deadline` at most. True: it has passed.
pub(crate) fn wait_until<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Instant,
) -> (MutexGuard<'a, T>, bool) {
    wait_in_bed(condvar, guard, Some(deadline))
}

fn wait_in_bed<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    deadline: Option<Instant>,
) -> (MutexGuard<'a, T>, bool) {
    let mutex = guard.mutex;
    // Threads switch before the lock is free, and not again before we are in bed: that is one step.
    drop(guard);
    let bed = Bed::new();
    if happens(Fault::SpuriousWake) {
        switch();
        return (mutex.lock(), false);
    }
    condvar.beds.lock().push(bed.clone());
    let end = bed.sleep(deadline);
    condvar
        .beds
        .lock()
        .retain(|other| !Arc::ptr_eq(other, &bed));
    (mutex.lock(), end == End::TimedOut)
}
