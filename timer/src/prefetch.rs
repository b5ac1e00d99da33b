//! Asks the processor for memory that is needed soon.

/// Brings `size` bytes at this address near. Nothing is read: it may be any address.
#[inline(always)]
pub fn prefetch(address: *const (), size: usize) {
    // What a model or an interpreter has is not far away.
    #[cfg(all(target_arch = "x86_64", not(any(miri, loom, shuttle))))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let bring = |offset| {
            let line = address.cast::<i8>().wrapping_add(offset);
            // SAFETY: the instruction, which every x86-64 has, neither faults nor changes anything, whatever the address is.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line) };
        };
        // Not a chain of iterators: of a size that is known here nothing is left but the instructions.
        let mut offset = 0;
        while offset < size {
            bring(offset);
            offset += LINE;
        }
        bring(size - 1);
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(miri, loom, shuttle)))))]
    let _ = (address, size);
}

#[cfg(all(target_arch = "x86_64", not(any(miri, loom, shuttle))))]
const LINE: usize = 64;
