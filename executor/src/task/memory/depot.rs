//! Where threads that have too many blocks leave full bundles for those that have none, and where all blocks come from.
//!
//! One for the process: a task may be spawned by one runtime's thread and end on another's. It holds so many bytes at most as `ROOM` says for each
//! thread that has blocks, or could; with the last of them it gives everything back. What is more goes to its span, and with that to the allocator.

use std::ptr::NonNull;

use super::bundle::{Bundle, Bundles};
use super::spans::{NewSpan, Spans, Whole};
use super::{Block, CLASSES, Class};
use crate::ledger::{self, Line};
use crate::rt_sync::whole::{Mutex, MutexGuard};

struct Depot {
    bundles: [Bundles; CLASSES],
    /// How many bundles these are.
    full: usize,
    /// Threads that have blocks, or could.
    threads: usize,
    spans: [Spans; CLASSES],
}

/// A chain of blocks, and how many: a bundle if there is one, or some new ones.
pub(super) fn take(class: Class) -> (NonNull<Block>, usize) {
    let mut depot = lock();
    if let Some(bundle) = depot.take(class) {
        return (bundle.into_chain(), class.bundle());
    }
    let count = new_blocks(class);
    let mut chain = None;
    for _ in 0..count {
        let block;
        (depot, block) = new_block(depot, class);
        // SAFETY: it is ours from now on.
        unsafe { block.write(Block { before: chain }) };
        chain = Some(block);
    }
    (chain.expect("a page has room for a block"), count)
}

/// A block from a span, of which there may have to be another. The lock is given back meanwhile.
fn new_block(
    mut depot: MutexGuard<'static, Depot>,
    class: Class,
) -> (MutexGuard<'static, Depot>, NonNull<Block>) {
    loop {
        if let Some(block) = depot.spans[class.0].take() {
            return (depot, block);
        }
        let is_huge = depot.spans[class.0].want_huge();
        drop(depot);
        let span = NewSpan::allocate(class, is_huge);
        depot = lock();
        depot.spans[class.0].add(span);
    }
}

/// How many new ones come at a time: a page, not a bundle, because each is written to.
pub(super) fn new_blocks(class: Class) -> usize {
    PAGE / class.size()
}

/// One block, for a thread that keeps none.
pub(super) fn take_one(class: Class) -> NonNull<Block> {
    new_block(lock(), class).1
}

/// Takes a full bundle.
pub(super) fn give(class: Class, bundle: Bundle) {
    let mut depot = lock();
    if depot.full >= depot.room() {
        drop(depot);
        return put(class, bundle.into_chain());
    }
    depot.full += 1;
    depot.bundles[class.0].push(bundle);
}

/// Takes a chain of blocks of this class, which are the caller's.
pub(super) fn put(class: Class, chain: NonNull<Block>) {
    // Dropped after the lock.
    let mut whole = Whole::default();
    let mut depot = lock();
    let spans = &mut depot.spans[class.0];
    let mut rest = Some(chain);
    while let Some(block) = rest {
        // SAFETY: the blocks of a chain are its owner's, and came from these spans.
        unsafe {
            rest = block.as_ref().before;
            spans.put(block, &mut whole);
        }
    }
}

/// The current thread may have blocks from now on.
pub(super) fn enter() {
    lock().threads += 1;
}

/// The current thread has none any more.
pub(super) fn leave() {
    lock().threads -= 1;
    // One at a time: others shall not wait for all.
    loop {
        let Some((class, bundle)) = lock().surplus() else {
            break;
        };
        put(class, bundle.into_chain());
    }
    // Dropped after the lock.
    let mut whole = Whole::default();
    lock().clean(&mut whole);
}

fn lock() -> MutexGuard<'static, Depot> {
    ledger::lock(Line::TaskMemory);
    DEPOT.lock()
}

impl Depot {
    const fn new() -> Self {
        Self {
            bundles: [const { Bundles::new() }; CLASSES],
            full: 0,
            threads: 0,
            spans: [const { Spans::new() }; CLASSES],
        }
    }

    fn room(&self) -> usize {
        self.threads * ROOM
    }

    fn take(&mut self, class: Class) -> Option<Bundle> {
        let bundle = self.bundles[class.0].pop()?;
        self.full -= 1;
        Some(bundle)
    }

    /// One that there is no room for.
    fn surplus(&mut self) -> Option<(Class, Bundle)> {
        if self.full <= self.room() {
            return None;
        }
        Class::all().find_map(|class| Some((class, self.take(class)?)))
    }

    /// Gives everything up once there is no thread. Another that leaves may not have come to its last bundles yet: it does this again after them.
    fn clean(&mut self, whole: &mut Whole) {
        if self.threads == 0 {
            self.spans.iter_mut().for_each(|spans| spans.clean(whole));
        }
    }
}

static DEPOT: Mutex<Depot> = Mutex::new(Depot::new());

/// Bundles for each thread: a MiB.
const ROOM: usize = (1 << 20) / super::BUNDLE;
const PAGE: usize = 4096;

#[cfg(all(test, not(any(loom, shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_does_not_forget_the_bundles_of_another_who_is_about_to() {
        let class = Class(3);
        let mut depot = Depot::new();
        depot.threads = 2;
        let mut block = [0_usize; 2];
        // SAFETY: for a stack it is as good as a bundle: aligned, and nobody else's.
        depot.bundles[class.0].push(unsafe { Bundle::of(NonNull::from(&mut block).cast()) });
        depot.full = 1;
        // One leaves, and finds that there is room for the other's.
        depot.threads -= 1;
        assert!(depot.surplus().is_none());
        // The other does, before the first goes on.
        depot.threads -= 1;
        depot.clean(&mut Whole::default());
        assert!(depot.surplus().is_some() && depot.surplus().is_none());
        depot.clean(&mut Whole::default());
        assert_eq!(depot.full, 0);
    }
}
