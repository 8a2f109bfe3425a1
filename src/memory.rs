//! Memory: three lists ever grow, and a module lives as long as its page, so nothing is given back.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::Cell;
use core::ptr::null_mut;

const PAGE: usize = 65536;

/// Gives out what lies behind all that was given out before.
struct Bump(Cell<usize>);

// SAFETY: the module is built without threads.
unsafe impl Sync for Bump {}

#[global_allocator]
static BUMP: Bump = Bump(Cell::new(0));

impl Bump {
    /// Makes everything up to `end` ours.
    fn take(&self, end: usize) -> bool {
        let has = memory_size(0) * PAGE;
        let fits = end <= has || memory_grow(0, (end - has).div_ceil(PAGE)) != usize::MAX;
        if fits {
            self.0.set(end);
        }
        fits
    }
}

// SAFETY: no two blocks overlap: each lies behind the one before, and only the last one grows in
// place. What does not fit is refused.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // The first block begins behind all that the module came with.
        let from = if self.0.get() == 0 { memory_size(0) * PAGE } else { self.0.get() };
        let start = from.next_multiple_of(layout.align());
        if self.take(start + layout.size()) { start as *mut u8 } else { null_mut() }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if block as usize + layout.size() == self.0.get() {
            return if self.take(block as usize + size) { block } else { null_mut() };
        }
        // SAFETY: the caller vouches for the layout, and a new block overlaps none.
        unsafe {
            let larger = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !larger.is_null() {
                block.copy_to_nonoverlapping(larger, layout.size());
            }
            larger
        }
    }
}
