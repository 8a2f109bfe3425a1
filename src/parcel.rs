//! Items and parcels: a decision in the outbox, with one parcel for each destination it goes to.

use crate::gate::{Decision, Hold};
use crate::key::Hash;

/// The number of a destination, [`NOBODY`] at most. Only JavaScript knows its name.
pub type Destination = u32;

/// The first number that is no destination's.
pub const NOBODY: Destination = 7;

/// How many places a list by destination has: a power of two, so that [`place`] is in it for sure.
pub const PLACES: usize = 8;

/// Where something of a destination lies in a list of [`PLACES`].
pub fn place(destination: Destination) -> usize {
    destination as usize % PLACES
}

/// Destinations, a bit for each: what is asked of all parcels of an item is one operation, where
/// a loop over structures would be twenty.
pub type Set = u32;

/// The set of one destination.
pub fn only(destination: Destination) -> Set {
    1 << place(destination)
}

/// Whether `it` is in the set from now on.
pub fn assign(set: &mut Set, it: Set, is_in: bool) {
    *set = *set & !it | if is_in { it } else { 0 };
}

/// The destinations of a set, from 0 on.
pub fn each(mut set: Set) -> impl Iterator<Item = Destination> {
    std::iter::from_fn(move || {
        let first = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (first < Set::BITS).then_some(first)
    })
}

/// In which state a destination is. JavaScript knows the states by these numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// There is no trace of it.
    #[default]
    Missing,
    /// A stub that queues, which may never load.
    Stub,
    /// The real tool, which tells no more once its call returned.
    Ready,
    /// The real tool, which tells when it took charge.
    ReadyAndConfirms,
    /// It was disabled, or could not be loaded.
    Failed,
}

/// A decision in the outbox. What is true of its parcels is told in sets of their destinations.
#[derive(Clone, Copy, Debug, PartialEq)]
// In this order: what lies in the first 128 bytes is named with one byte where it is used.
#[repr(C)]
pub struct Item {
    /// Its number on this page.
    pub id: u32,
    /// Where it goes to.
    pub all: Set,
    /// Those that have not ended yet.
    pub open: Set,
    /// Those that ended because their destination took charge.
    pub delivered: Set,
    /// Those that ended because they waited longer than they may.
    pub expired: Set,
    /// Those that were handed to a stub on this page, and to nobody else since.
    pub stub: Set,
    /// Those that were handed to the real tool on this page.
    pub tool: Set,
    /// Those of them that it took over from its stub and did not confirm yet.
    pub taken: Set,
    /// Those that were ever handed over, on this page or an earlier one.
    pub offered: Set,
    /// Those at which their destination threw.
    pub threw: Set,
    /// Those at which it threw twice.
    pub threw_twice: Set,
    /// Those at which it threw three times: that is enough for one page.
    pub tired: Set,
    /// Those that were compared with the memory in this round.
    pub recalled: Set,
    /// Those that came when nothing could be read back from storage.
    pub blind: Set,
    /// Those whose destination was handed something like it before.
    pub known: Set,
    /// Those whose destination was looked for since they came.
    pub seen: Set,
    /// Why it may not go yet.
    pub hold: Option<Hold>,
    /// Whether an earlier page left it to us.
    pub carried: bool,
    /// Whether it came in this round.
    pub new: bool,
    /// Whether it is written down.
    pub stored: bool,
    /// Whether it has waited as long as it may on this page.
    pub parked: bool,
    /// Whether its end was told. It stays for destinations that come late.
    pub told: bool,
    /// When it came in, in ms since the epoch. From then on it may wait.
    pub received_at: f64,
    /// What the clock of running time said when it came to this page.
    pub arrived: f64,
    /// What the steady clock said then.
    pub came_at: f64,
    /// What the clock of running time said when a real tool took over from its stub last.
    pub taken_at: f64,
    /// The decision.
    pub decision: Decision,
    /// The dedupe period it was made in. What is remembered of another one says nothing about it.
    pub period: Hash,
    /// By destination: how many changes of variation came before, plus one.
    pub occurrences: [u16; PLACES],
}

/// What was last handed to a destination for a dedupe key, seen from a decision with that key: the
/// occurrence, and in the lowest bit whether its outcome is that of the decision. Occurrences begin
/// with 1: 0 is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(u32);

impl Mark {
    /// Nothing was handed over.
    pub const NONE: Mark = Mark(0);

    /// A mark of this occurrence.
    pub fn new(occurrence: u16, same: bool) -> Mark {
        Mark(u32::from(occurrence) << 1 | u32::from(same))
    }

    /// Its occurrence.
    pub fn occurrence(self) -> u16 {
        (self.0 >> 1) as u16
    }

    /// Whether it is one of the decision's own outcome.
    pub fn is_same(self) -> bool {
        self.0 & 1 != 0
    }

    /// This one, or the other if it is of something younger.
    pub fn or_later(self, other: Mark) -> Mark {
        if other.0 >> 1 > self.0 >> 1 { other } else { self }
    }
}

/// What is remembered for one dedupe key within the running period: a mark for each destination.
pub type Memory = [Mark; PLACES];

impl Item {
    /// An item without parcels yet.
    pub const NONE: Item = Item {
        id: 0,
        decision: Decision { key: Hash::NONE, outcome: Hash::NONE, flags: 0 },
        period: Hash::NONE,
        received_at: 0.0,
        arrived: 0.0,
        came_at: 0.0,
        taken_at: 0.0,
        all: 0,
        open: 0,
        delivered: 0,
        expired: 0,
        stub: 0,
        tool: 0,
        taken: 0,
        offered: 0,
        threw: 0,
        threw_twice: 0,
        tired: 0,
        recalled: 0,
        blind: 0,
        known: 0,
        seen: 0,
        hold: None,
        carried: false,
        new: false,
        stored: false,
        parked: false,
        told: false,
        occurrences: [0; PLACES],
    };

    /// Puts a parcel for a destination in.
    #[expect(clippy::indexing_slicing, reason = "a place is in the list")]
    pub fn put(&mut self, destination: Destination, occurrence: u16) {
        self.all |= only(destination);
        self.occurrences[place(destination)] = occurrence;
    }

    /// The occurrence of a parcel.
    #[expect(clippy::indexing_slicing, reason = "a place is in the list")]
    pub fn occurrence(&self, destination: Destination) -> u16 {
        self.occurrences[place(destination)]
    }

    /// Where it has to go to, if these destinations were seen on this page. With `destinations: "auto"`,
    /// only to those that were seen, here or by an earlier page; where none of its own was, to all.
    #[inline(never)]
    pub fn wanted(&self, seen: Set) -> Set {
        let seen = self.all & (self.known | seen);
        if seen == 0 { self.all } else { seen }
    }

    /// Another dedupe period turns out to be running. What an earlier page left keeps its own.
    pub fn rename(&mut self, period: Hash) {
        if !self.carried {
            self.period = period;
        }
    }

    /// Those that wait to be handed over.
    #[inline(never)]
    pub fn waiting(&self) -> Set {
        self.open & !(self.stub | self.tool)
    }

    /// Those whose destination has to be looked for: to hand over, or to see whether the real tool
    /// has taken over from the stub.
    pub fn unsettled(&self) -> Set {
        self.open & (!self.tool | self.taken)
    }

    /// Whether it has to wait for the next round: Optimizely redirects in the very task in which it
    /// decides, and writes its redirect cookie after it told us.
    pub fn is_fresh(&self) -> bool {
        self.new && self.decision.is(Decision::MAY_REDIRECT) && self.waiting() != 0
    }
}
