//! The memory that tasks lie in: a thread that runs tasks keeps the blocks of those that end, for the next ones.
//!
//! ```text
//!   spawn ◀── a kept block of this size ── or else ── the allocator
//!   end   ──▶ kept, while there is room ── or else ──▶ the allocator
//! ```
//! Of what it takes to spawn a small task and to end it, a general allocator is half, and more where one thread frees what another has
//! allocated, as after each steal: most allocators then take a lock or a queue of the other thread's. A task is of a size that the
//! last one had, too, so a list for each size is all that is needed: figures in decision 022.
//!
//! Only a thread with a `Keeper` keeps blocks, so many bytes at most as `ROOM` says, and gives them back when it stops running tasks.
//!
//! For a model checker nothing is kept, nor with `cfg(executor_plain_memory)`: then an instrument that watches the allocator sees every task's
//! end.

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::rt_sync::whole::thread_local;

/// Memory for a value of this layout.
#[inline]
pub(super) fn allocate(layout: Layout) -> NonNull<u8> {
    let Some(class) = Class::of(layout) else {
        return from_allocator(layout);
    };
    KEPT.with(|kept| kept.take(class))
        .unwrap_or_else(|| from_allocator(class.layout()))
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
    // SAFETY: the caller's promise; all blocks of a class have its layout.
    if !KEPT.with(|kept| unsafe { kept.keep(block, class) }) {
        // SAFETY: as above.
        unsafe { alloc::dealloc(block.as_ptr(), class.layout()) };
    }
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
            is_outermost: !KEPT.with(|kept| kept.is_on.replace(KEEPS)),
            _not_send: PhantomData,
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if self.is_outermost {
            KEPT.with(Kept::give_back);
        }
    }
}

/// The blocks of one thread.
struct Kept {
    is_on: Cell<bool>,
    /// How many bytes they are together.
    bytes: Cell<usize>,
    /// The latest of each class: the likeliest to be in the cache.
    latest: [Cell<Option<NonNull<Block>>>; CLASSES],
}

/// A block that is kept: its first word leads to the one before it.
struct Block {
    before: Option<NonNull<Self>>,
}

impl Kept {
    #[inline]
    fn take(&self, class: Class) -> Option<NonNull<u8>> {
        let latest = &self.latest[class.0];
        let block = latest.get()?;
        // SAFETY: a block in the list is nobody else's, and `keep` has written its first word.
        latest.set(unsafe { block.as_ref() }.before);
        self.bytes.set(self.bytes.get() - class.size());
        Some(block.cast())
    }

    /// False: there is no room.
    ///
    /// # Safety
    ///
    /// - The block has the class's layout, and is the caller's, who gives it up if the answer is true.
    #[inline]
    unsafe fn keep(&self, block: NonNull<u8>, class: Class) -> bool {
        let bytes = self.bytes.get() + class.size();
        if !self.is_on.get() || bytes > ROOM {
            return false;
        }
        let latest = &self.latest[class.0];
        let block = block.cast::<Block>();
        // SAFETY: it is the caller's, aligned for a pointer and larger than one.
        unsafe {
            block.write(Block {
                before: latest.get(),
            });
        }
        latest.set(Some(block));
        self.bytes.set(bytes);
        true
    }

    /// To the allocator.
    fn give_back(&self) {
        self.is_on.set(false);
        for class in (0..CLASSES).map(Class) {
            while let Some(block) = self.take(class) {
                // SAFETY: the blocks of a class have its layout, and came from the allocator.
                unsafe { alloc::dealloc(block.as_ptr(), class.layout()) };
            }
        }
    }
}

/// Blocks of one size.
#[derive(Clone, Copy)]
struct Class(usize);

impl Class {
    #[inline]
    fn of(layout: Layout) -> Option<Self> {
        let class = layout.size() / STEP;
        (class < CLASSES && layout.align() <= align_of::<Block>()).then_some(Self(class))
    }

    /// One word more than a multiple of `STEP`: what fits, beside the allocator's own word, into the sizes that glibc's hands out.
    #[inline]
    fn size(self) -> usize {
        self.0 * STEP + align_of::<Block>()
    }

    #[inline]
    fn layout(self) -> Layout {
        Layout::from_size_align(self.size(), align_of::<Block>()).expect("a small size")
    }
}

#[cold]
fn from_allocator(layout: Layout) -> NonNull<u8> {
    // SAFETY: the size is not zero: it is that of a task's header at least, or of a class.
    NonNull::new(unsafe { alloc::alloc(layout) })
        .unwrap_or_else(|| alloc::handle_alloc_error(layout))
}

thread_local! {
    static KEPT: Kept = const {
        Kept {
            is_on: Cell::new(false),
            bytes: Cell::new(0),
            latest: [const { Cell::new(None) }; CLASSES],
        }
    };
}

/// Sizes are multiples of two words, less one: whatever a type's size, a multiple of its alignment, at most a word is wasted.
const STEP: usize = 2 * align_of::<Block>();
/// Tasks up to half a KiB.
const CLASSES: usize = 512 / STEP;
/// The most bytes that a thread keeps: some thousand small tasks.
const ROOM: usize = 1 << 20;
const KEEPS: bool = !cfg!(any(loom, shuttle, executor_plain_memory));

#[cfg(all(test, not(any(loom, shuttle, executor_plain_memory))))]
mod tests {
    use super::*;

    #[test]
    fn a_block_comes_back_where_a_task_of_its_size_ended() {
        let _keeper = Keeper::start();
        let layout = Layout::new::<[u64; 14]>();
        let block = allocate(layout);
        // SAFETY: it came from `allocate`, with this layout.
        unsafe { free(block, layout) };
        let larger = allocate(Layout::new::<[u64; 18]>());
        assert_ne!(larger, block);
        let again = allocate(Layout::new::<[u64; 15]>());
        assert_eq!(again, block, "both round up to the same size");
        // SAFETY: as above.
        unsafe {
            free(again, Layout::new::<[u64; 15]>());
            free(larger, Layout::new::<[u64; 18]>());
        }
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for_and_nothing_after_the_last_keeper() {
        let layout = Layout::new::<[u64; 60]>();
        let keeper = Keeper::start();
        drop(Keeper::start());
        let blocks: Vec<_> = (0..2 * ROOM / layout.size())
            .map(|_| allocate(layout))
            .collect();
        let free_all = |blocks: Vec<NonNull<u8>>| {
            for block in blocks {
                // SAFETY: it came from `allocate`, with this layout.
                unsafe { free(block, layout) };
            }
        };
        free_all(blocks);
        let kept = KEPT.with(|kept| kept.bytes.get());
        assert!(kept > ROOM - 512 && kept <= ROOM, "{kept}");
        drop(keeper);
        assert_eq!(KEPT.with(|kept| kept.bytes.get()), 0);
        free_all(vec![allocate(layout)]);
        assert_eq!(KEPT.with(|kept| kept.bytes.get()), 0);
    }

    #[test]
    fn what_is_large_or_widely_aligned_has_no_class() {
        #[repr(align(64))]
        struct Wide(#[expect(dead_code, reason = "the alignment is what counts")] [u8; 64]);
        assert!(Class::of(Layout::new::<Wide>()).is_none());
        assert!(Class::of(Layout::new::<[u64; 64]>()).is_none());
        for words in 1..64 {
            let layout = Layout::array::<u64>(words).unwrap();
            let size = Class::of(layout).unwrap().size();
            assert!(size >= layout.size() && size <= layout.size() + 8);
        }
    }
}
