//! Where blocks come from, and go back to when nobody keeps them: spans of memory, each cut into blocks of one class.
//!
//! ```text
//!   a span, at a multiple of its size:   │ header │ block │ block │ block │ ...                      │
//!                                                   └ here: in the header's list, or never handed out
//! ```
//! A general allocator joins a block that comes back with those beside it, and for blocks that come back in any order reads and writes all of these: of half
//! a million tasks that end one by one each costs it some waits for memory. Here a block goes into its span's list, which the block's address
//! leads to, and memory goes back to the allocator a span at a time. Figures are in decision 024.
//!
//! The allocator is the program's, and may do anything: a span comes (`NewSpan`) and goes (`Whole`) without the depot's lock.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::{Block, Class};

/// The spans of one class. What follows their pointers holds the depot's lock, as `&mut self` says.
pub(super) struct Spans {
    /// Of those that have blocks here.
    first: Option<NonNull<Span>>,
    /// How many there are, with or without blocks here.
    count: usize,
}

// SAFETY: spans, and the blocks that are here, are touched by who has it by `&mut` only, on whatever thread.
unsafe impl Send for Spans {}

/// A span's beginning.
struct Span {
    /// Neighbours among those that have blocks here.
    previous: Option<NonNull<Self>>,
    next: Option<NonNull<Self>>,
    /// Those that came back.
    free: Option<NonNull<Block>>,
    /// How many blocks were ever handed out. They are the first ones.
    begun: usize,
    /// How many of the span's blocks are here.
    here: usize,
    /// From one block to the next. One word more than a block is: as far apart as glibc's allocator lays them, which two workers at neighbouring tasks
    /// feel.
    pitch: usize,
}

/// One that has just come from the allocator.
pub(super) struct NewSpan(NonNull<Span>);

/// Those that nobody has a block of any more, one leading to the next. They go back to the allocator where this is dropped.
#[derive(Default)]
pub(super) struct Whole(Option<NonNull<Span>>);

impl Spans {
    pub(super) const fn new() -> Self {
        Self {
            first: None,
            count: 0,
        }
    }

    /// A block of this class, which is the class of all calls. `None`: another span is needed.
    pub(super) fn take(&mut self) -> Option<NonNull<Block>> {
        let span = self.first?;
        // SAFETY: a span that is in the list is allocated, and nobody else touches its header.
        let header = unsafe { &mut *span.as_ptr() };
        let block = match header.free {
            Some(block) => {
                // SAFETY: the block is here, so it is nobody else's, and `put` has written it.
                header.free = unsafe { block.as_ref() }.before;
                block
            }
            None => {
                let offset = HEADER + header.begun * header.pitch;
                header.begun += 1;
                // SAFETY: a block that is here and did not come back was never handed out: so there is one more, inside of the span.
                unsafe { span.byte_add(offset) }.cast()
            }
        };
        header.here -= 1;
        if header.here == 0 {
            self.unlink(span);
        }
        Some(block)
    }

    /// Whether the next span shall be a single page, because much of it will be needed, in no order. What that wastes of the last one is small beside
    /// the others.
    pub(super) fn want_huge(&self) -> bool {
        self.count >= SMALL
    }

    pub(super) fn add(&mut self, new: NewSpan) {
        self.count += 1;
        self.link(new.0);
    }

    /// # Safety
    ///
    /// - The block came from `take` of this, and is the caller's, who gives it up.
    pub(super) unsafe fn put(&mut self, block: NonNull<Block>, whole: &mut Whole) {
        let span = block
            .as_ptr()
            .map_addr(|address| address & !(SPAN - 1))
            .cast::<Span>();
        // SAFETY: spans lie at multiples of their size, and one that has blocks elsewhere is allocated.
        let (span, header) = unsafe { (NonNull::new_unchecked(span), &mut *span) };
        let before = header.free.replace(block);
        // SAFETY: it is the caller's, and belongs to the span from now on.
        unsafe { block.write(Block { before }) };
        header.here += 1;
        let (is_first, is_whole) = (header.here == 1, header.is_whole());
        // One stays, lest tasks that come and go make it and give it up again and again.
        let is_only = header.previous.is_none() && header.next.is_none();
        if is_first {
            self.link(span);
        } else if is_whole && !is_only {
            self.give_up(span, whole);
        }
    }

    /// Gives up what nobody has a block of.
    pub(super) fn clean(&mut self, whole: &mut Whole) {
        let mut next = self.first;
        while let Some(span) = next {
            // SAFETY: as in `take`.
            let header = unsafe { span.as_ref() };
            next = header.next;
            if header.is_whole() {
                self.give_up(span, whole);
            }
        }
    }

    #[cfg(all(test, not(any(loom, shuttle, miri, executor_plain_memory))))]
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// For a span in the list, all blocks of which are here.
    fn give_up(&mut self, mut span: NonNull<Span>, whole: &mut Whole) {
        self.unlink(span);
        self.count -= 1;
        // SAFETY: as in `take`; and it is `whole`'s from now on.
        unsafe { span.as_mut() }.next = whole.0.replace(span);
    }

    fn link(&mut self, mut span: NonNull<Span>) {
        let next = self.first.replace(span);
        // SAFETY: as in `take`: both are allocated.
        unsafe {
            (span.as_mut().previous, span.as_mut().next) = (None, next);
            if let Some(mut next) = next {
                next.as_mut().previous = Some(span);
            }
        }
    }

    fn unlink(&mut self, mut span: NonNull<Span>) {
        // SAFETY: as in `take`: it and its neighbours are in the list.
        unsafe {
            let (previous, next) = (span.as_mut().previous.take(), span.as_mut().next.take());
            match previous {
                Some(mut previous) => previous.as_mut().next = next,
                None => self.first = next,
            }
            if let Some(mut next) = next {
                next.as_mut().previous = previous;
            }
        }
    }
}

impl Span {
    /// All its blocks are here.
    fn is_whole(&self) -> bool {
        self.here == (SPAN - HEADER) / self.pitch
    }
}

impl NewSpan {
    pub(super) fn allocate(class: Class, is_huge: bool) -> Self {
        // SAFETY: the layout has a size.
        let Some(span) = NonNull::new(unsafe { alloc(LAYOUT) }.cast::<Span>()) else {
            handle_alloc_error(LAYOUT)
        };
        advise(span, is_huge);
        let pitch = class.size() + align_of::<Block>();
        let header = Span {
            previous: None,
            next: None,
            free: None,
            begun: 0,
            here: (SPAN - HEADER) / pitch,
            pitch,
        };
        // SAFETY: new memory, large enough, and aligned for whatever there is.
        unsafe { span.write(header) };
        Self(span)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        while let Some(span) = self.0 {
            // SAFETY: `give_up` has put it here: it came from `NewSpan::allocate`, and nobody has anything in it any more.
            unsafe {
                self.0 = span.as_ref().next;
                dealloc(span.as_ptr().cast(), LAYOUT);
            }
        }
    }
}

/// The program's own allocator has the spans, so whoever watches it sees what tasks take.
const LAYOUT: Layout = match Layout::from_size_align(SPAN, SPAN) {
    Ok(layout) => layout,
    Err(_) => panic!("a power of two"),
};

/// A single page, or not: then what is never needed of it takes no memory.
fn advise(span: NonNull<Span>, is_huge: bool) {
    #[cfg(target_os = "linux")]
    {
        let advice = if is_huge {
            libc::MADV_HUGEPAGE
        } else {
            libc::MADV_NOHUGEPAGE
        };
        // SAFETY: the span is allocated, and this does not change what it holds. If there are no large pages, nothing is lost.
        unsafe { libc::madvise(span.as_ptr().cast(), SPAN, advice) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (span, is_huge);
}

/// As large as what many processors have as their large page, and aligned so.
const SPAN: usize = 2 << 20;
/// So many have small pages, which are only there once they are needed.
const SMALL: usize = 8;
/// Before the first block.
const HEADER: usize = 64;
const _: () = assert!(size_of::<Span>() <= HEADER && HEADER.is_multiple_of(align_of::<Block>()));
