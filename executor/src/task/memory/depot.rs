//! Where threads that have too many blocks leave full bundles for those that have none, and where all blocks come from.
//!
//! One for the process: a task may be spawned by one runtime's thread and end on another's. It holds so many bytes at most as `ROOM` says for each
//! thread that has blocks, or could; with the last of them it gives everything back. What is more goes to its span, and with that to the allocator.

use std::ptr::NonNull;

use super::spans::Spans;
use super::{Block, Bundle, CLASSES, Class};
use crate::ledger::{self, Line};
use crate::rt_sync::whole::{Mutex, MutexGuard};

struct Depot {
    bundles: [Vec<Bundle>; CLASSES],
    /// How many bundles these are.
    full: usize,
    /// Threads that have blocks, or could.
    threads: usize,
    spans: [Spans; CLASSES],
}

// SAFETY: the blocks of a bundle are nobody else's, on whatever thread they are.
unsafe impl Send for Bundle {}

/// A chain of blocks, and how many: a bundle if there is one, or some new ones.
pub(super) fn take(class: Class) -> (NonNull<Block>, usize) {
    let mut depot = lock();
    if let Some(bundle) = depot.take(class) {
        return (bundle.0, class.bundle());
    }
    let count = new_blocks(class);
    let spans = &mut depot.spans[class.0];
    let chain = (0..count).fold(None, |before, _| {
        let block = spans.take(class);
        // SAFETY: it is ours from now on.
        unsafe { block.write(Block { before }) };
        Some(block)
    });
    (chain.expect("a page has room for a block"), count)
}

/// How many new ones come at a time: a page, not a bundle, because each is written to.
pub(super) fn new_blocks(class: Class) -> usize {
    PAGE / class.size()
}

/// One block, for a thread that keeps none.
pub(super) fn take_one(class: Class) -> NonNull<Block> {
    lock().spans[class.0].take(class)
}

/// Takes a full bundle.
pub(super) fn give(class: Class, bundle: Bundle) {
    let mut depot = lock();
    if depot.full >= depot.room() {
        return depot.put_chain(class, bundle.0);
    }
    depot.full += 1;
    depot.bundles[class.0].push(bundle);
}

/// Takes a chain of blocks of this class, which are the caller's.
pub(super) fn put(class: Class, chain: NonNull<Block>) {
    lock().put_chain(class, chain);
}

/// The current thread may have blocks from now on.
pub(super) fn enter() {
    lock().threads += 1;
}

/// The current thread has none any more.
pub(super) fn leave() {
    let mut depot = lock();
    depot.threads -= 1;
    while let Some((class, bundle)) = depot.surplus() {
        depot.put_chain(class, bundle.0);
    }
    if depot.threads == 0 {
        depot.bundles = NO_BUNDLES;
        for class in Class::all() {
            depot.spans[class.0].clean(class);
        }
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
        Some(bundle)
    }

    /// One that there is no room for.
    fn surplus(&mut self) -> Option<(Class, Bundle)> {
        if self.full <= self.room() {
            return None;
        }
        Class::all().find_map(|class| Some((class, self.take(class)?)))
    }

    fn put_chain(&mut self, class: Class, chain: NonNull<Block>) {
        let spans = &mut self.spans[class.0];
        let mut rest = Some(chain);
        while let Some(block) = rest {
            // SAFETY: the blocks of a chain are its owner's, and came from these spans.
            unsafe {
                rest = block.as_ref().before;
                spans.put(class, block);
            }
        }
    }
}

const NO_BUNDLES: [Vec<Bundle>; CLASSES] = [const { Vec::new() }; CLASSES];

static DEPOT: Mutex<Depot> = Mutex::new(Depot {
    bundles: NO_BUNDLES,
    full: 0,
    threads: 0,
    spans: [const { Spans::new() }; CLASSES],
});

/// Bundles for each thread: a MiB.
const ROOM: usize = (1 << 20) / super::BUNDLE;
const PAGE: usize = 4096;
