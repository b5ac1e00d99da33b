//! Where threads that have too many blocks leave full bundles for those that have none.
//!
//! One for the process: a task may be spawned by one runtime's thread and end on another's. It holds so many bytes at most as `ROOM` says for each
//! thread that has blocks, or could; with the last of them it gives everything back.

use super::{Bundle, CLASSES, Class};
use crate::ledger::{self, Line};
use crate::rt_sync::whole::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::rt_sync::whole::{Mutex, MutexGuard};

struct Depot {
    bundles: [Vec<Bundle>; CLASSES],
    /// How many bundles these are.
    full: usize,
    /// Threads that have blocks, or could.
    threads: usize,
}

// SAFETY: the blocks of a bundle are nobody else's, on whatever thread they are.
unsafe impl Send for Bundle {}

pub(super) fn take(class: Class) -> Option<Bundle> {
    // Who spawns more than there ever was comes here for each task, and shall find that out by a load. A bundle that was left in the same
    // moment is seen the next time: what it holds is written and read under the lock.
    if AVAILABLE[class.0].load(Relaxed) == 0 {
        return None;
    }
    lock().take(class)
}

/// Gives the bundle back if there is no room.
pub(super) fn give(class: Class, bundle: Bundle) -> Result<(), Bundle> {
    let mut depot = lock();
    if depot.full >= depot.room() {
        return Err(bundle);
    }
    depot.full += 1;
    depot.bundles[class.0].push(bundle);
    AVAILABLE[class.0].store(depot.bundles[class.0].len(), Relaxed);
    Ok(())
}

/// The current thread may have blocks from now on.
pub(super) fn enter() {
    lock().threads += 1;
}

/// The current thread has none any more.
pub(super) fn leave() {
    lock().threads -= 1;
    while let Some((class, bundle)) = lock().surplus() {
        class.dealloc(bundle.0);
    }
    let mut depot = lock();
    if depot.threads == 0 {
        depot.bundles = NO_BUNDLES;
    }
}

fn lock() -> MutexGuard<'static, Depot> {
    ledger::lock(Line::TaskMemory);
    DEPOT.lock()
}

impl Depot {
    fn room(&self) -> usize {
        self.threads * ROOM
    }

    fn take(&mut self, class: Class) -> Option<Bundle> {
        let bundle = self.bundles[class.0].pop()?;
        self.full -= 1;
        AVAILABLE[class.0].store(self.bundles[class.0].len(), Relaxed);
        Some(bundle)
    }

    /// One that there is no room for.
    fn surplus(&mut self) -> Option<(Class, Bundle)> {
        if self.full <= self.room() {
            return None;
        }
        Class::all().find_map(|class| Some((class, self.take(class)?)))
    }
}

const NO_BUNDLES: [Vec<Bundle>; CLASSES] = [const { Vec::new() }; CLASSES];

static DEPOT: Mutex<Depot> = Mutex::new(Depot {
    bundles: NO_BUNDLES,
    full: 0,
    threads: 0,
});

/// How many bundles of each class there are. Written under the lock.
static AVAILABLE: [AtomicUsize; CLASSES] = [const { AtomicUsize::new(0) }; CLASSES];

/// Bundles for each thread: a MiB.
const ROOM: usize = (1 << 20) / super::BUNDLE;
