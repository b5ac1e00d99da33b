//! Bundles: as many blocks as move between threads at once, and stacks of them, which need no memory of their own.
//!
//! ```text
//!   stack ──▶ ┌───────┐ before ┌───────┐ before ┌───────┐
//!             │ block │───────▶│ block │───────▶│ block │ ..      a bundle: one chain
//!             └───┬───┘        └───────┘        └───────┘
//!                 │ below
//!                 ▼
//!             ┌───────┐ before ..                                the bundle below it
//! ```

use std::ptr::NonNull;

use super::{Block, Class};

/// As many blocks of a class as `Class::bundle` says, one leading to the next, which are nobody else's.
pub(super) struct Bundle(NonNull<Block>);

// SAFETY: the blocks of a bundle are nobody else's, on whatever thread they are.
unsafe impl Send for Bundle {}

/// Bundles of one class, the latest first.
#[derive(Default)]
pub(super) struct Bundles(Option<Bundle>);

/// The first block of a bundle that lies in a stack.
#[repr(C)]
struct Top {
    block: Block,
    below: Option<Bundle>,
}

impl Bundle {
    /// # Safety
    ///
    /// - The chain has as many blocks as a bundle of their class, and the caller gives them up.
    pub(super) unsafe fn of(chain: NonNull<Block>) -> Self {
        Self(chain)
    }

    pub(super) fn into_chain(self) -> NonNull<Block> {
        self.0
    }
}

impl Bundles {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    pub(super) fn push(&mut self, bundle: Bundle) {
        let top = bundle.0.cast::<Top>();
        let below = self.0.take();
        // SAFETY: the block is the bundle's, aligned for a pointer, and has room for two: see below.
        unsafe { (&raw mut (*top.as_ptr()).below).write(below) };
        self.0 = Some(bundle);
    }

    pub(super) fn pop(&mut self) -> Option<Bundle> {
        let bundle = self.0.take()?;
        let top = bundle.0.cast::<Top>();
        // SAFETY: `push` has written it, and nobody reads it again.
        self.0 = unsafe { (&raw const (*top.as_ptr()).below).read() };
        Some(bundle)
    }
}

const _: () = assert!(size_of::<Top>() <= Class::SMALLEST.size());
