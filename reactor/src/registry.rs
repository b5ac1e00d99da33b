//! The entries of all sources: pages that only ever grow, a generation per entry, free lists by shard.
//!
//! ```text
//!  token  [ generation : 32 | index : 32 ]           what epoll carries; never a pointer
//!                               │
//!  pages  [1] [2] [4] [8] ...                        page k holds 1 << k chunks and never moves; a chunk is there once one of its
//!                                                    64 entries is used, and does not move either
//!  free   shard 0 [7, 3]  shard 1 [12]  ...          a thread uses its own shard, then another's, then a new entry
//! ```
//!
//! Invariant: an entry's generation is the one in its owner's token. It is bumped before the index goes to a free list,
//! so a token that is still on its way in an event of the last owner fits nobody (see `Readiness::deliver` for an event
//! that is being stored at that very moment). An entry whose generation has run out is retired: it never comes back.

use std::cell::Cell;
use std::io;
use std::panic::RefUnwindSafe;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::task::Waker;

use crossbeam_utils::CachePadded;

use crate::interest::Direction;
use crate::readiness::{Event, Readiness};
use crate::sync::{AtomicU32, AtomicU64, Mutex, Ordering};

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "a token holds an index and a generation of 32 bits each, which asks for a 64-bit target"
);

#[derive(Debug, Default)]
pub(crate) struct Registry {
    pages: [OnceLock<Box<[Chunk]>>; PAGES],
    free: [CachePadded<Mutex<Vec<u32>>>; SHARDS],
    /// How many entries have ever been handed out or put on a free list.
    created: AtomicU64,
}

/// By itself, so that memory is taken for entries that are used, and not for up to as many again.
type Chunk = OnceLock<Box<[Entry; CHUNK]>>;

/// The place of one source. Reader and writer work on different cache lines.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(crate) struct Entry {
    read: Readiness,
    generation: AtomicU32,
    write: Readiness,
    /// The next key of a listed waiter; never set back, so that no two futures ever share one.
    keys: AtomicU64,
}

// A panic leaves nothing half-done behind: no user code runs under the locks.
impl RefUnwindSafe for Entry {}

/// The right to one entry, for as long as its generation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    index: u32,
    generation: u32,
}

impl Registry {
    /// An empty entry for a new source.
    pub(crate) fn acquire(&self) -> io::Result<Token> {
        let own = shard();
        let recycled = self.free[own].lock().pop();
        let index = match recycled.or_else(|| self.take_from_others(own)) {
            Some(index) => index,
            None => self.create(own)?,
        };
        // Relaxed: the lock of the free list ordered the last owner's bump before this.
        let generation = self.entry(index).generation.load(Ordering::Relaxed);
        Ok(Token { index, generation })
    }

    /// Ends the ownership of `token`, and moves wakers that were still waiting into `wakers`.
    pub(crate) fn release(&self, token: Token, wakers: &mut Vec<Waker>) {
        let next = self.entry(token.index).release(token.generation, wakers);
        if next != RETIRED {
            self.free[shard()].lock().push(token.index);
        }
    }

    /// Stores what an event says, if the owner it was meant for still is the owner.
    #[inline]
    pub(crate) fn deliver(
        &self,
        token: Token,
        read: Option<Event>,
        write: Option<Event>,
        wakers: &mut Vec<Waker>,
    ) {
        self.entry(token.index)
            .deliver(token.generation, read, write, wakers);
    }

    /// Marks every entry there is as shut down. No `acquire` may run at the same time.
    pub(crate) fn shut_down(&self, wakers: &mut Vec<Waker>) {
        for index in 0..self.created() {
            let entry = self.entry(index as u32);
            entry.read.shut_down(wakers);
            entry.write.shut_down(wakers);
        }
    }

    #[inline]
    pub(crate) fn entry(&self, index: u32) -> &Entry {
        let (page, offset) = page_of(index);
        let made = self.pages[page].get();
        match made.and_then(|chunks| chunks[offset / CHUNK].get()) {
            Some(entries) => &entries[offset % CHUNK],
            None => &self.make_chunk(page, offset)[offset % CHUNK],
        }
    }

    #[cold]
    fn make_chunk(&self, page: usize, offset: usize) -> &[Entry; CHUNK] {
        let chunks =
            self.pages[page].get_or_init(|| (0..1 << page).map(|_| Chunk::new()).collect());
        chunks[offset / CHUNK].get_or_init(|| {
            let entries: Vec<Entry> = (0..CHUNK).map(|_| Entry::default()).collect();
            let entries = Box::try_from(entries);
            entries.expect("as many as a chunk has")
        })
    }

    pub(crate) fn created(&self) -> u64 {
        // Acquire: pairs with the addition in `create`.
        self.created.load(Ordering::Acquire)
    }

    /// Takes half of the first list that has something: what one thread opens another may close.
    fn take_from_others(&self, own: usize) -> Option<u32> {
        let others = (1..SHARDS).map(|step| (own + step) % SHARDS);
        for other in others {
            // One lock at a time, so the order of the locks cannot matter.
            let mut taken = {
                let mut list = self.free[other].lock();
                let half = list.len() / 2;
                list.split_off(half)
            };
            if let Some(index) = taken.pop() {
                self.free[own].lock().append(&mut taken);
                return Some(index);
            }
        }
        None
    }

    /// New entries: one to use, the others for the own list, so that the search above is not made for each of them.
    fn create(&self, own: usize) -> io::Result<u32> {
        // AcqRel: pairs with `created`.
        let first = self.created.fetch_add(BATCH, Ordering::AcqRel);
        if first + BATCH > CAPACITY {
            self.created.fetch_sub(BATCH, Ordering::AcqRel);
            return Err(io::Error::new(
                io::ErrorKind::OutOfMemory,
                "too many sources in one reactor: close some",
            ));
        }
        let first = first as u32;
        // Backwards, so that the lowest index is used first and pages fill up in order.
        self.free[own]
            .lock()
            .extend((first + 1..first + BATCH as u32).rev());
        Ok(first)
    }
}

impl Entry {
    pub(crate) fn readiness(&self, direction: Direction) -> &Readiness {
        match direction {
            Direction::Read | Direction::Priority | Direction::Error => &self.read,
            Direction::Write => &self.write,
        }
    }

    /// A key no other listed waiter of this entry has, ever had or will have.
    pub(crate) fn next_key(&self) -> u64 {
        // Relaxed: only uniqueness matters, and a read-modify-write gives that.
        self.keys.fetch_add(1, Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn deliver(
        &self,
        generation: u32,
        read: Option<Event>,
        write: Option<Event>,
        wakers: &mut Vec<Waker>,
    ) {
        // Relaxed: `Readiness::deliver` asks after an Acquire read of the word, which `reset` wrote after the bump.
        let still_meant = || self.generation.load(Ordering::Relaxed) == generation;
        if let Some(event) = read {
            self.read.deliver(event, still_meant, wakers);
        }
        if let Some(event) = write {
            self.write.deliver(event, still_meant, wakers);
        }
    }

    /// Bumps the generation, then empties both directions; in this order, or an event could slip in between.
    pub(crate) fn release(&self, generation: u32, wakers: &mut Vec<Waker>) -> u32 {
        let next = generation + 1;
        // Relaxed: the exchange in `reset` publishes it.
        self.generation.store(next, Ordering::Relaxed);
        self.read.reset(wakers);
        self.write.reset(wakers);
        next
    }
}

impl Token {
    pub(crate) const fn index(self) -> u32 {
        self.index
    }

    pub(crate) const fn to_mio(self) -> mio::Token {
        mio::Token((self.generation as usize) << 32 | self.index as usize)
    }

    pub(crate) const fn from_mio(token: mio::Token) -> Self {
        Self {
            index: token.0 as u32,
            generation: (token.0 >> 32) as u32,
        }
    }
}

/// The page of an index and the place in it: page k starts at index 64 * (2^k - 1).
fn page_of(index: u32) -> (usize, usize) {
    let shifted = index as usize + CHUNK;
    let page = (shifted / CHUNK).ilog2() as usize;
    (page, shifted - (CHUNK << page))
}

/// The free list of this thread: threads are dealt out over the shards in the order of their first use.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = Cell::new(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % SHARDS);
    }
    // A thread that is being torn down may still close sources: it uses the first list.
    OWN.try_with(Cell::get).unwrap_or(0)
}

/// Entries of a chunk, and of the first page.
const CHUNK: usize = 64;
/// Enough for every index below `CAPACITY`, and few enough that a full index cannot collide with the reactor's own
/// tokens, whose lower half is all ones or nearly so.
const PAGES: usize = 26;
const CAPACITY: u64 = (CHUNK as u64) * ((1 << PAGES) - 1);
const SHARDS: usize = 8;
const BATCH: u64 = 16;
/// The generation that is never given to an owner.
const RETIRED: u32 = u32::MAX;

#[cfg(all(test, not(loom)))]
#[path = "tests/registry_model.rs"]
mod model;
#[cfg(all(test, not(loom)))]
#[path = "tests/registry.rs"]
mod tests;
