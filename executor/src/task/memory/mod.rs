//! The memory that tasks lie in: threads keep the blocks of tasks that end, for the next ones.
//!
//! ```text
//!   spawn ◀── a worker's blocks of this size: the bundle at hand, and full ones beside it ◀── end of a task
//!                     │ all are empty                                    │ all are full
//!                     ◀────── `depot`: full bundles of all threads ◀─────┘
//!                     │ it has none                                      │ it has enough
//!                   `spans` ──────────────▶ the allocator ◀─────────────── `spans`
//! ```
//! Of what it takes to spawn a small task and to end it, a general allocator is half, and more where one thread frees what another has
//! allocated, as after each steal: most allocators then take a lock or a queue of the other thread's. A task is of a size that the
//! last one had, too, so a list for each size is all that is needed. Where tasks are spawned by one thread and end on another, their blocks go back
//! a bundle at a time, so that the way between threads is taken once for hundreds of them. It is the scheme of Bonwick and
//! Adams, "Magazines and Vmem" (2001): more than one bundle, or a thread between a full and an empty one would change with the depot each time. Figures
//! are in decision 022.
//!
//! Only a thread with a `Keeper` keeps what ends there. Others, which spawn from outside, take bundles, and keep no more than was in the last one, or a page.
//!
//! For a model checker nothing is kept, nor with `cfg(executor_plain_memory)`: then an instrument that watches the allocator sees every task's
//! end.

mod bundle;
mod depot;
mod spans;
#[cfg(all(test, not(any(loom, shuttle, miri, executor_plain_memory))))]
mod tests;

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::iter;
use std::marker::PhantomData;
use std::mem;
use std::ptr::NonNull;

use crate::rt_sync::whole::thread_local;

use bundle::{Bundle, Bundles};

/// Memory for a value of this layout.
#[inline]
pub(super) fn allocate(layout: Layout) -> NonNull<u8> {
    let Some(class) = Class::of(layout) else {
        return from_allocator(layout);
    };
    KEPT.with(|kept| {
        let block = kept.of(class).take();
        block.unwrap_or_else(|| kept.refill(class))
    })
}

/// # Safety
///
/// - The block came from `allocate` with this layout, on any thread, and is not used again.
#[inline]
pub(super) unsafe fn free(block: NonNull<u8>, layout: Layout) {
    let Some(class) = Class::of(layout) else {
        // SAFETY: without a class it came from the allocator with this layout.
        return unsafe { alloc::dealloc(block.as_ptr(), layout) };
    };
    KEPT.with(|kept| {
        if kept.of(class).has_room() || kept.make_room(class) {
            // SAFETY: the caller's promise; there is room.
            unsafe { kept.of(class).keep(block) };
        } else {
            // SAFETY: the caller's promise.
            unsafe { give_up(block, class) };
        }
    });
}

/// While it lives, its thread keeps blocks. Of one inside another, the outer one gives them back.
#[derive(Debug)]
pub(crate) struct Keeper {
    is_outermost: bool,
    /// It is about this thread.
    _not_send: PhantomData<*const ()>,
}

impl Keeper {
    pub(crate) fn start() -> Self {
        Self {
            is_outermost: KEPT.with(Kept::start_keeping),
            _not_send: PhantomData,
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if self.is_outermost {
            KEPT.with(Kept::stop_keeping);
        }
    }
}

/// The blocks of one thread.
struct Kept {
    life: Cell<Life>,
    /// How many full bundles it has, of all classes.
    full: Cell<usize>,
    classes: [Blocks; CLASSES],
}

/// A thread's blocks of one size.
struct Blocks {
    /// The bundle at hand. The latest comes first: the likeliest to be in the cache.
    latest: Cell<Option<NonNull<Block>>>,
    /// How many more blocks it takes. 0 as well as long as there is neither a `Keeper` nor a bundle, and after the thread's end.
    room: Cell<usize>,
    /// Bundles beside the one at hand.
    full: Cell<Bundles>,
}

/// A block that is kept: its first word leads to the one before it.
struct Block {
    before: Option<NonNull<Self>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// The thread has not needed a block yet.
    New,
    /// It spawns, and may take bundles.
    Takes,
    /// It has a `Keeper`.
    Keeps,
    /// Its thread locals are being destroyed: what comes now is not kept.
    Over,
}

impl Kept {
    #[inline]
    fn of(&self, class: Class) -> &Blocks {
        &self.classes[class.0]
    }

    /// A block, after the bundle at hand has run out.
    #[cold]
    fn refill(&self, class: Class) -> NonNull<u8> {
        if !KEEPS {
            return from_allocator(class.layout());
        }
        if !self.begin() {
            return depot::take_one(class).cast();
        }
        let blocks = self.of(class);
        let full = self.take_full(blocks);
        let full = full.map(|bundle| (bundle.into_chain(), class.bundle()));
        let (latest, count) = full.unwrap_or_else(|| depot::take(class));
        blocks.latest.set(Some(latest));
        let keeps = self.life.get() == Life::Keeps;
        blocks
            .room
            .set(if keeps { class.bundle() - count } else { 0 });
        blocks.take().expect("there are some now")
    }

    /// After the bundle at hand is full. False: the thread may have no blocks.
    #[cold]
    fn make_room(&self, class: Class) -> bool {
        if !self.begin() {
            return false;
        }
        let blocks = self.of(class);
        if self.life.get() != Life::Keeps {
            // Tasks end here that this thread will not spawn again, as those that it has awaited: they go on, but not each by itself.
            let chain = blocks.latest.take();
            chain.into_iter().for_each(|chain| depot::put(class, chain));
            blocks.room.set(depot::new_blocks(class));
            return true;
        }
        let Some(full) = blocks.latest.take() else {
            unreachable!("a full bundle without a block")
        };
        // SAFETY: there was room for as many, and there is none left.
        let full = unsafe { Bundle::of(full) };
        blocks.room.set(class.bundle());
        if self.full.get() < FULL {
            self.full.set(self.full.get() + 1);
            let mut bundles = blocks.full.take();
            bundles.push(full);
            blocks.full.set(bundles);
        } else {
            depot::give(class, full);
        }
        true
    }

    fn take_full(&self, blocks: &Blocks) -> Option<Bundle> {
        let mut bundles = blocks.full.take();
        let bundle = bundles.pop();
        blocks.full.set(bundles);
        self.full
            .set(self.full.get() - usize::from(bundle.is_some()));
        bundle
    }

    /// Whether the thread may have blocks, from now on or already.
    fn begin(&self) -> bool {
        // `END` gives them back when the thread ends. If it is past that already, there shall be none.
        if self.life.get() == Life::New && KEEPS {
            if END.try_with(|_| ()).is_ok() {
                self.life.set(Life::Takes);
                depot::enter();
            } else {
                self.life.set(Life::Over);
            }
        }
        matches!(self.life.get(), Life::Takes | Life::Keeps)
    }

    /// True if the thread does not keep blocks already.
    fn start_keeping(&self) -> bool {
        let starts = self.begin() && self.life.get() == Life::Takes;
        if starts {
            self.life.set(Life::Keeps);
            for class in Class::all() {
                // What it has taken so far is a page, perhaps. What it gives on is to be a bundle.
                let blocks = self.of(class);
                blocks.room.set(class.bundle() - blocks.at_hand());
            }
        }
        starts
    }

    fn stop_keeping(&self) {
        self.give_back();
        self.life.set(Life::Takes);
    }

    /// Gives everything to the depot's spans.
    fn give_back(&self) {
        for class in Class::all() {
            let blocks = self.of(class);
            blocks.room.set(0);
            let mut full = blocks.full.take();
            let chains = iter::from_fn(|| full.pop()).map(Bundle::into_chain);
            let chains = chains.chain(blocks.latest.take());
            chains.for_each(|chain| depot::put(class, chain));
        }
        self.full.set(0);
    }

    fn end(&self) {
        self.give_back();
        self.life.set(Life::Over);
        depot::leave();
    }
}

impl Blocks {
    const fn new() -> Self {
        Self {
            latest: Cell::new(None),
            room: Cell::new(0),
            full: Cell::new(Bundles::new()),
        }
    }

    #[inline]
    fn take(&self) -> Option<NonNull<u8>> {
        let block = self.latest.get()?;
        // SAFETY: a block in the list is nobody else's, and `keep` has written its first word.
        self.latest.set(unsafe { block.as_ref() }.before);
        self.room.set(self.room.get() + 1);
        Some(block.cast())
    }

    /// How many blocks it has, beside full bundles: counted one by one.
    fn at_hand(&self) -> usize {
        // SAFETY: as above, for each of them.
        iter::successors(self.latest.get(), |block| unsafe { block.as_ref() }.before).count()
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.room.get() > 0
    }

    /// # Safety
    ///
    /// - There is room, and the block is the caller's, who gives it up, and of these blocks' class.
    #[inline]
    unsafe fn keep(&self, block: NonNull<u8>) {
        let block = block.cast::<Block>();
        let before = self.latest.get();
        // SAFETY: it is the caller's, aligned for a pointer and larger than one.
        unsafe { block.write(Block { before }) };
        self.latest.set(Some(block));
        self.room.set(self.room.get() - 1);
    }
}

/// Blocks of one size.
#[derive(Clone, Copy)]
struct Class(usize);

impl Class {
    /// Of what is smaller, a bundle could not lie in a stack. No task is.
    const SMALLEST: Self = Self(1);

    #[inline]
    fn of(layout: Layout) -> Option<Self> {
        let class = layout.size() / STEP;
        let is_one = (Self::SMALLEST.0..CLASSES).contains(&class);
        (is_one && layout.align() <= align_of::<Block>()).then_some(Self(class))
    }

    fn all() -> impl Iterator<Item = Self> {
        (Self::SMALLEST.0..CLASSES).map(Self)
    }

    /// One word more than a multiple of `STEP`: what fits, beside the allocator's own word, into the sizes that glibc's hands out.
    #[inline]
    const fn size(self) -> usize {
        self.0 * STEP + align_of::<Block>()
    }

    #[inline]
    fn layout(self) -> Layout {
        Layout::from_size_align(self.size(), align_of::<Block>()).expect("a small size")
    }

    /// How many blocks make a bundle.
    fn bundle(self) -> usize {
        BUNDLE / self.size()
    }
}

/// A block that this thread has no room for.
///
/// # Safety
///
/// - The block came from `allocate`, for this class, and is not used again.
#[cold]
unsafe fn give_up(block: NonNull<u8>, class: Class) {
    if KEEPS {
        let block = block.cast::<Block>();
        // SAFETY: the caller's promise: it is nobody's. A chain of one.
        unsafe { block.write(Block { before: None }) };
        depot::put(class, block);
    } else {
        // SAFETY: the caller's promise; all blocks of a class have its layout.
        unsafe { alloc::dealloc(block.as_ptr(), class.layout()) };
    }
}

#[cold]
fn from_allocator(layout: Layout) -> NonNull<u8> {
    // SAFETY: the size is not zero: it is that of a task's header at least, or of a class.
    NonNull::new(unsafe { alloc::alloc(layout) })
        .unwrap_or_else(|| alloc::handle_alloc_error(layout))
}

const _: () = assert!(!mem::needs_drop::<Kept>());

/// Its destructor is the end of the thread's blocks. `Kept` itself must have none, for to reach it then takes no look at whether it is still
/// there.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        KEPT.with(Kept::end);
    }
}

thread_local! {
    static KEPT: Kept = const {
        Kept {
            life: Cell::new(Life::New),
            full: Cell::new(0),
            classes: [const { Blocks::new() }; CLASSES],
        }
    };
    static END: End = const { End };
}

/// Sizes are multiples of two words, less one: whatever a type's size, a multiple of its alignment, at most a word is wasted.
const STEP: usize = 2 * mem::align_of::<Block>();
/// Tasks up to half a KiB.
const CLASSES: usize = 512 / STEP;
/// The bytes of a bundle: some 700 of the smallest tasks. With a quarter, `fib` on two workers takes 1.05 of the time: each bundle that moves mixes
/// the lines of two workers.
const BUNDLE: usize = 64 << 10;
/// Full bundles of one thread: a MiB, so that bursts of some thousand tasks stay on it.
const FULL: usize = (1 << 20) / BUNDLE;
const KEEPS: bool = !cfg!(any(loom, shuttle, miri, executor_plain_memory));
