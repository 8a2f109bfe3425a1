//! The two lists of the outbox. Each has all its room from the beginning: pages of zeros cost a visitor
//! nothing before something is written into them, and lists that grow need an allocator.

use std::ops::{Deref, DerefMut};

use super::{Effect, LIMIT};
use crate::parcel::Item;

/// How many items there is room for: those that wait, and as many that were handed over and not confirmed.
pub const ROOM: usize = 2 * LIMIT;

/// The items, the oldest first.
#[repr(C)]
pub struct Items {
    count: usize,
    all: [Item; ROOM],
}

impl Items {
    /// No items.
    pub const NONE: Items = Items { count: 0, all: [Item::NONE; ROOM] };

    /// Puts one in at this place, where there is room.
    pub fn insert(&mut self, at: usize, item: &Item) {
        if at <= self.count && self.count < ROOM {
            self.all.copy_within(at..self.count, at + 1);
            self.count += 1;
            if let Some(place) = self.get_mut(at) {
                *place = *item;
            }
        }
    }

    /// Lets go of those that have ended.
    pub fn sweep(&mut self) {
        let mut kept = 0;
        for from in 0..self.count {
            if self.get(from).is_some_and(|item| item.open != 0) {
                self.all.copy_within(from..=from, kept);
                kept += 1;
            }
        }
        self.count = kept;
    }

    /// Lets go of all.
    pub fn clear(&mut self) {
        self.count = 0;
    }
}

impl Deref for Items {
    type Target = [Item];

    fn deref(&self) -> &[Item] {
        // SAFETY: `count` is never more than there is room for.
        unsafe { self.all.get_unchecked(..self.count) }
    }
}

impl DerefMut for Items {
    fn deref_mut(&mut self) -> &mut [Item] {
        // SAFETY: as above.
        unsafe { self.all.get_unchecked_mut(..self.count) }
    }
}

/// How many effects may wait: all that any one call makes for as many items as there may be, twice.
const TURNS: u32 = 1 << 15;

/// The effects that wait for their turn, in a ring.
#[repr(C)]
pub struct Queue {
    first: u32,
    next: u32,
    effects: [f64; TURNS as usize],
}

impl Queue {
    /// No effects.
    pub const NONE: Queue = Queue { effects: [0.0; TURNS as usize], first: 0, next: 0 };

    /// Puts one in line.
    #[inline(always)]
    pub fn push(&mut self, effect: Effect) {
        let (id, rest) = effect.parts();
        self.put(id, rest);
    }

    #[inline(never)]
    fn put(&mut self, id: u32, rest: u32) {
        if let Some(place) = self.effects.get_mut((self.next % TURNS) as usize) {
            *place = f64::from(id) * 8_388_608.0 + f64::from(rest);
        }
        self.next = self.next.wrapping_add(1);
    }

    /// The next one, or 0.
    pub fn next(&mut self) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        let effect = self.effects.get((self.first % TURNS) as usize).copied().unwrap_or_default();
        self.first = self.first.wrapping_add(1);
        effect
    }

    /// Lets go of all.
    pub fn clear(&mut self) {
        self.first = self.next;
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.first == self.next
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Queue, TURNS};

    #[test]
    fn a_ring_that_went_round_gives_what_came_first_first() {
        static NONE: Queue = Queue::NONE;
        let mut queue = Box::<Queue>::new_uninit();
        // SAFETY: numbers alone, and all of them are copied.
        let mut queue = unsafe {
            queue.as_mut_ptr().copy_from_nonoverlapping(&raw const NONE, 1);
            queue.assume_init()
        };
        for round in 0..3 * TURNS / 2 {
            queue.push(Effect::Store(2 * round));
            queue.push(Effect::Erase(2 * round + 1));
            assert_eq!(queue.next(), f64::from(2 * round) * 8_388_608.0 + 1.0);
            assert_eq!(queue.next(), f64::from(2 * round + 1) * 8_388_608.0 + 2.0);
        }
        assert_eq!((queue.is_empty(), queue.next()), (true, 0.0));
    }
}
